"""The commands for accounts: add somebody, give a new password, shut out, list; and a token."""

import getpass
import sys
from collections.abc import Awaitable, Callable
from contextlib import AsyncExitStack
from typing import TypeVar

from app.access import Access
from app.access.accounts import Account, AccountProblem
from app.audit import Actor, Deed
from app.database import Database
from app.ground import opened_ground
from app.main import wall_clock
from app.rights import Role
from app.settings import Settings
from app.tables import Job

T = TypeVar("T")
# Nobody is signed in there: whoever has the machine.
COMMAND_LINE = Actor(name="command line")


async def with_access(settings: Settings, job: Callable[[Access], Awaitable[T]]) -> T:
    """Do something to the accounts of the site that the settings name."""
    async with AsyncExitStack() as stack:
        ground = await stack.enter_async_context(opened_ground(settings, wall_clock))
        database = await Database.open(ground.database(settings))
        stack.push_async_callback(database.close)
        tables = await ground.tables(settings, database, stack)
        return await job(await Access.open(tables, wall_clock))


def new_password() -> str:
    """From the terminal, asked for twice; or the first line of standard input."""
    if not sys.stdin.isatty():
        return sys.stdin.readline().rstrip("\n")
    first = getpass.getpass("Password (12 characters or more): ")
    if first != getpass.getpass("Again: "):
        raise AccountProblem("The two passwords differ; nothing was changed.", "password")
    return first


async def add(access: Access, username: str, role: Role, extension: str, password: str) -> str:
    """Add somebody. Raises AccountProblem."""
    noting = _noting(access, "add user", f"{username.strip().lower()}: as {role.value}")
    account = await access.accounts.create_user(
        username, role, password, along=noting, extension=extension
    )
    return f"{account.username} may sign in as {account.role}."


async def set_password(access: Access, username: str, password: str) -> str:
    """A new password; running sessions end. Raises AccountProblem."""
    account = _known(access, username)
    noting = _noting(access, "set password", account.username)
    await access.accounts.set_password(account.user_id, password, noting)
    return f"{username} has a new password; every session of theirs has ended."


async def disable(access: Access, username: str) -> str:
    """Shut somebody out. Raises AccountProblem."""
    account = _known(access, username)
    noting = _noting(access, "change user", f"{account.username}: disabled")
    await access.accounts.disable(account.user_id, along=noting)
    return f"{username} can't sign in any more."


async def listing(access: Access) -> str:
    """Everybody, a line each."""
    rows = [
        f"{a.username}\t{a.role}\t{'disabled' if a.disabled else ''}" for a in access.accounts.all()
    ]
    return "\n".join(rows) or "Nobody has an account yet."


async def token(access: Access, name: str) -> str:
    """A token for a program, told this once."""
    noting = _noting(access, "make API token", name.strip())
    return await access.tokens.add(name, COMMAND_LINE.name, noting)


def _noting(access: Access, action: str, what: str) -> Job:
    """The note of it, kept in the same transaction."""
    return access.audit.along(COMMAND_LINE, Deed(action, reason=what))


def _known(access: Access, username: str) -> Account:
    account = access.accounts.named(username)
    if account is None:
        raise AccountProblem(f"Nobody is called {username}.", "username")
    return account
