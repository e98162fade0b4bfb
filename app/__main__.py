"""The commands, one each. They read their words, do one thing and say what went wrong."""

import argparse
import asyncio
import os
import sys
from collections.abc import Awaitable, Callable, Sequence
from contextlib import AsyncExitStack
from pathlib import Path

import msgspec

from app import people
from app.access import Access
from app.access.accounts import AccountProblem
from app.access.api_tokens import TokenProblem
from app.database import MEMORY, Database
from app.demo import demo as run_demo
from app.domain.caps import Caps
from app.domain.days import BusinessDay
from app.domain.report import floor_report
from app.ground import opened_ground
from app.history.rebuild import rebuild_from
from app.keeping import KeepingError, backup
from app.keeping.erasure import erase
from app.keeping.holding import holding
from app.log.address import SCHEME
from app.main import wall_clock
from app.protocol import MissingPart
from app.replay import replay
from app.rights import Role
from app.server import AddressInUse, serve
from app.settings import MAIN, Settings, SettingsError
from app.site import REFUSALS
from app.sites.files import read_sites, refuse_beside_sites, site_named

# Exit codes of sysexits.h: wrong use, wrong input, can't be had, wrong configuration.
USAGE, DATA, UNAVAILABLE, CONFIG = 64, 65, 69, 78


def main(words: Sequence[str] | None = None) -> int:
    """Run the command; the result is the exit code."""
    options = _parser().parse_args(words)
    try:
        code: int = options.run(options, _settings(options))
    except SettingsError as error:
        return _complain(CONFIG, str(error))
    except (AccountProblem, TokenProblem) as error:
        return _complain(DATA, str(error))
    except (AddressInUse, MissingPart, *REFUSALS) as error:
        return _complain(UNAVAILABLE, str(error))
    except KeyboardInterrupt:
        return 130
    return code


def _settings(options: argparse.Namespace) -> Settings:
    """Of the installation, or of the one site of several that a command is about."""
    settings = Settings.from_env(os.environ)
    if settings.sites:
        refuse_beside_sites(os.environ)
    if options.run in (_serve, _demo, _replay):
        return settings
    if settings.sites and not options.site:
        names = ", ".join(read_sites(settings))
        raise SettingsError(f"There are several sites; say which: --site NAME, one of {names}.")
    if settings.sites:
        return site_named(settings, options.site)
    if options.site not in (None, MAIN):
        raise SettingsError(f"PITWALL_SITES is not set, so there is no site '{options.site}'.")
    return settings


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m app", description="Pitwall")
    parser.add_argument("--site", metavar="NAME", help="which site, where PITWALL_SITES is set")
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    serve = commands.add_parser("serve", help="the board, with the settings of the environment")
    serve.set_defaults(run=_serve)
    demo = commands.add_parser("demo", help="the board and a simulated exchange, on this machine")
    demo.add_argument("--agents", type=int, default=24)
    demo.add_argument("--speed", type=float, default=1.0)
    demo.set_defaults(run=_demo)
    replay = commands.add_parser("replay", help="a recorded trace, and the floor at its end")
    replay.add_argument("trace", nargs="+", type=Path)
    replay.add_argument("--json", action="store_true", help="print JSON without line breaks")
    replay.set_defaults(run=_replay)
    rebuild = commands.add_parser("rebuild", help="the history anew, from the log")
    rebuild.set_defaults(run=_rebuild)
    _add_keeping_commands(commands)
    _add_user_commands(commands)
    return parser


def _add_keeping_commands(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    backup = commands.add_parser("backup", help="the whole database into one new file, checked")
    backup.add_argument("path", type=Path)
    backup.set_defaults(run=_backup)
    restore = commands.add_parser("restore", help="a backup in place of the database")
    restore.add_argument("path", type=Path)
    restore.set_defaults(run=_restore)
    erase = commands.add_parser("erase", help="a telephone number, wherever it is stored")
    erase.add_argument("phone")
    erase.set_defaults(run=_erase)


def _add_user_commands(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    user = commands.add_parser("user", help="accounts: add, password, disable, list")
    deeds = user.add_subparsers(required=True, metavar="DEED")
    add = deeds.add_parser("add", help="a new account; the password is asked for")
    add.add_argument("name")
    add.add_argument("--role", choices=[Role.ADMIN, Role.SUPERVISOR, Role.VIEWER], type=Role)
    add.add_argument("--extension", default="", help="the telephone that listens and calls")
    add.set_defaults(run=_user_add, role=Role.SUPERVISOR)
    password = deeds.add_parser("password", help="a new password")
    password.add_argument("name")
    password.set_defaults(run=_user_password)
    disable = deeds.add_parser("disable", help="shut somebody out")
    disable.add_argument("name")
    disable.set_defaults(run=_user_disable)
    deeds.add_parser("list", help="everybody").set_defaults(run=_user_list)
    token = commands.add_parser("token", help="a token for a program that reads the JSON API")
    token.add_argument("name", help="the program")
    token.set_defaults(run=_token)


def _user_add(options: argparse.Namespace, settings: Settings) -> int:
    password = people.new_password()
    return _account(
        settings,
        lambda access: people.add(access, options.name, options.role, options.extension, password),
    )


def _user_password(options: argparse.Namespace, settings: Settings) -> int:
    password = people.new_password()
    return _account(settings, lambda access: people.set_password(access, options.name, password))


def _user_disable(options: argparse.Namespace, settings: Settings) -> int:
    return _account(settings, lambda access: people.disable(access, options.name))


def _user_list(options: argparse.Namespace, settings: Settings) -> int:
    return _account(settings, people.listing)


def _token(options: argparse.Namespace, settings: Settings) -> int:
    return _account(settings, lambda access: people.token(access, options.name))


def _account(settings: Settings, job: Callable[[Access], Awaitable[str]]) -> int:
    print(asyncio.run(people.with_access(settings, job)))
    return 0


def _serve(options: argparse.Namespace, settings: Settings) -> int:
    return serve(settings)


def _demo(options: argparse.Namespace, settings: Settings) -> int:
    return run_demo(settings, agents=options.agents, speed=options.speed)


def _replay(options: argparse.Namespace, settings: Settings) -> int:
    try:
        days = BusinessDay(settings.timezone, settings.day_start)
        run = replay(options.trace, days, Caps.for_agents(settings.most_agents))
    except (OSError, ValueError) as error:
        return _complain(DATA, f"The trace can't be replayed. {error}")
    report = floor_report(run.floor.state, run.now, run.rejected)
    print(_json(report, lines=not options.json))
    return 0


def _rebuild(options: argparse.Namespace, settings: Settings) -> int:
    events = asyncio.run(_rebuilt(settings))
    print(f"The history was built anew from {events} events.")
    return 0


async def _rebuilt(settings: Settings) -> int:
    days = BusinessDay(settings.timezone, settings.day_start)
    async with AsyncExitStack() as stack:
        ground = await stack.enter_async_context(opened_ground(settings, wall_clock))
        database = await Database.open(settings.database)
        stack.push_async_callback(database.close)
        log = await ground.log(settings, database, wall_clock, stack)
        return await rebuild_from(log, database, days, Caps.for_agents(settings.most_agents))


def _backup(options: argparse.Namespace, settings: Settings) -> int:
    backup.back_up(_database(settings), options.path)
    print(f"The database was written to {options.path} and checked.")
    return 0


def _restore(options: argparse.Namespace, settings: Settings) -> int:
    database = _database(settings)
    with holding(str(database)):
        aside = backup.restore(options.path, database, wall_clock())
    print(f"{options.path} is the database now.")
    if aside is not None:
        print(f"The one before it is {aside}; delete it when you are sure.")
    return 0


def _erase(options: argparse.Namespace, settings: Settings) -> int:
    database = _database(settings)
    with holding(str(database)):
        print(erase(database, options.phone, wall_clock()))
    if settings.log.startswith(SCHEME):
        print(
            "The log on the NATS servers was not touched: the number is still in its events, and a "
            "rebuild would bring it back."
        )
    return 0


def _database(settings: Settings) -> Path:
    path = settings.database
    if path == MEMORY:
        raise KeepingError("PITWALL_LOG is memory:, so there is no database file.")
    return Path(path)


def _json(value: object, *, lines: bool) -> str:
    text = msgspec.json.encode(value)
    return (msgspec.json.format(text, indent=1) if lines else text).decode()


def _complain(code: int, sentence: str) -> int:
    print(sentence, file=sys.stderr)
    return code


if __name__ == "__main__":
    sys.exit(main())
