"""The people who may sign in: their roles, rights, queues and telephones.

Every write goes to disk, then refreshes the copy in memory that answers every question, and ends
or re-opens the sessions it concerns: a right that was taken is gone with the next click.
"""

import asyncio
import re
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import replace
from typing import TypedDict, TypeVar, Unpack

import aiosqlite

from app.access.passwords import Passwords, problem_with
from app.access.rows import COLUMNS, STEPS, Account, from_row, to_row
from app.access.sessions import Session, Sessions
from app.rights import Principal, Right, Role, effective
from app.sentences import Sentence
from app.tables import Job, Tables, nothing

__all__ = ["Account", "AccountProblem", "Accounts", "Principal", "Right", "Role"]

USERNAME = re.compile(r"[a-z0-9][a-z0-9._@-]{0,63}", re.ASCII)
EXTENSION = re.compile(r"[A-Za-z0-9._-]{1,32}", re.ASCII)
LANGUAGES = ("", "en", "vi")


NAME_TAKEN = Sentence("Somebody has this user name already.")
NOBODY = Sentence("There is no such user.")

T = TypeVar("T")


class Details(TypedDict, total=False):
    """What an administrator may say of an account. `rights` None: those of the role."""

    name: str
    extension: str
    language: str
    queues: frozenset[str] | None
    rights: frozenset[Right] | None


class Fields(Details, total=False):
    """What an administrator may change of an account."""

    role: Role
    disabled: bool


class AccountProblem(Exception):
    """The change is not made; the text says why and what to do. `field` names the form's field."""

    def __init__(self, sentence: str, field: str = "") -> None:
        super().__init__(sentence)
        self.field = field


class Accounts:
    """All accounts. `clock` gives ms since the epoch."""

    def __init__(
        self,
        database: Tables,
        sessions: Sessions,
        passwords: Passwords,
        clock: Callable[[], int],
    ) -> None:
        self._database = database
        self._sessions = sessions
        self._passwords = passwords
        self._clock = clock
        self._by_id: dict[int, Account] = {}
        self._version = -1
        # Two administrators who demote each other at once must not both succeed.
        self._changing = asyncio.Lock()
        self._refreshing = asyncio.Lock()

    async def load(self) -> None:
        """Make the tables and read what is stored."""
        await self._database.migrate("accounts", STEPS)
        self._database.on_changed(["account"], self.refresh)
        await self.refresh()

    async def refresh(self) -> None:
        """Read again what another program (`python -m app user …`) may have written.

        Cheap when nothing has changed, so it is called every second.
        """
        async with self._refreshing:
            version = int((await self._database.read("SELECT number FROM account_version"))[0][0])
            if version != self._version:
                await self._read_all()
                self._version = version

    async def _read_all(self) -> None:
        rows = await self._database.read(f"SELECT {COLUMNS} FROM account")  # noqa: S608 (a constant)
        before, self._by_id = self._by_id, {each.user_id: each for each in map(from_row, rows)}
        for account in before.values():
            self._tell_sessions(account, self._by_id.get(account.user_id))
        await self._sessions.delete_gone()

    def _tell_sessions(self, before: Account, after: Account | None) -> None:
        if after is None or after.key != before.key:
            self._sessions.forget(self._sessions.keys_of(before.user_id))
        elif after.sight != before.sight:
            self._sessions.changed(before.user_id)

    # Asking

    def all(self) -> list[Account]:
        return sorted(self._by_id.values(), key=lambda account: account.username)

    def get(self, user_id: int) -> Account | None:
        return self._by_id.get(user_id)

    def named(self, username: str) -> Account | None:
        wanted = username.lower()
        return next((each for each in self._by_id.values() if each.username == wanted), None)

    def principal(self, session: Session) -> Principal | None:
        """Who this session is, with the rights of this moment; None when the account is no more."""
        account = self._by_id.get(session.user_id)
        if account is None or account.disabled:
            return None
        return Principal(
            user_id=account.user_id,
            name=account.name or account.username,
            role=account.role,
            queues=account.queues,
            rights=effective(account.role, account.rights),
            extension=account.extension,
            language=account.language,
            session=session.key,
        )

    async def authenticate(self, username: str, password: str) -> Account | None:
        """The account with this name and password. Takes as long for a name nobody has."""
        account = self.named(username)
        stored = account.password if account and not account.disabled else ""
        matches = await self._passwords.verify(stored or None, password)
        return account if matches else None

    # Changing

    async def create_user(
        self,
        username: str,
        role: Role,
        password: str = "",
        *,
        disabled: bool = False,
        along: Job = nothing,
        **details: Unpack[Details],
    ) -> Account:
        """Add somebody. Without a password they can't sign in until they choose one by a link.

        `along` is done in the same transaction. Raises AccountProblem.
        """
        async with self._changing:
            account = Account(0, username.strip().lower(), role, disabled=disabled)
            account = _checked(replace(account, **details))
            if self.named(account.username):
                raise AccountProblem(NAME_TAKEN, "username")
            if password:
                account = await self._with_password(account, password)

            async def job(connection: aiosqlite.Connection) -> None:
                await along(connection)
                await _insert(connection, account, self._clock())

            await self._write(job)
        return next(each for each in self._by_id.values() if each.username == account.username)

    async def change(
        self, user_id: int, *, along: Job = nothing, **fields: Unpack[Fields]
    ) -> Account:
        """Change some of an account. Raises AccountProblem: also when no administrator is left.

        A new role or a disabled account ends the sessions; whatever else changes what may be seen
        re-opens the boards. Chosen rights fall back to the role's when the role changes.
        `along` is done in the same transaction.
        """

        async def job(connection: aiosqlite.Connection) -> Account:
            await along(connection)
            before = await _stored(connection, user_id)
            after = _checked(replace(before, **fields))
            if after.role is not before.role and "rights" not in fields:
                after = replace(after, rights=None)
            await _update(connection, after)
            if before.is_admin:
                await _keep_an_admin(connection)
            return after

        async with self._changing:
            return await self._write(job)

    async def disable(
        self, user_id: int, disabled: bool = True, *, along: Job = nothing
    ) -> Account:
        """Shut somebody out (or let them in again). Their sessions end; their history stays."""
        return await self.change(user_id, along=along, disabled=disabled)

    async def set_password(self, user_id: int, password: str, along: Job = nothing) -> None:
        """A new password; every session of this user ends. Raises AccountProblem.

        `along` is done in the same transaction.
        """
        async with self._changing:
            hashed = (await self._with_password(self._existing(user_id), password)).password

            async def job(connection: aiosqlite.Connection) -> None:
                await along(connection)
                # What another node changed while the hash was made stays.
                account = await _stored(connection, user_id)
                await _update(connection, replace(account, password=hashed))

            await self._write(job)

    async def end_sessions(self, user_id: int) -> None:
        await self._sessions.end(self._sessions.keys_of(user_id))

    # Inside

    def _existing(self, user_id: int) -> Account:
        account = self._by_id.get(user_id)
        if account is None:
            raise AccountProblem(NOBODY, "username")
        return account

    async def _with_password(self, account: Account, password: str) -> Account:
        if problem := problem_with(password, account.username):
            raise AccountProblem(problem, "password")
        return replace(account, password=await self._passwords.hash(password))

    async def _write(self, job: Callable[[aiosqlite.Connection], Awaitable[T]]) -> T:
        async def numbered(connection: aiosqlite.Connection) -> T:
            result = await job(connection)
            await connection.execute("UPDATE account_version SET number = number + 1")
            return result

        result = await self._database.write(numbered)
        await self.refresh()
        return result


def _checked(account: Account) -> Account:
    """The account, if all of it may be stored; else raises AccountProblem."""
    if not USERNAME.fullmatch(account.username):
        raise AccountProblem(
            "A user name is 1 to 64 of a-z, 0-9 and . _ @ -, and begins with a letter or digit.",
            "username",
        )
    if account.role is Role.WALL:
        raise AccountProblem("A wall is paired, it does not sign in.", "role")
    if account.extension and not EXTENSION.fullmatch(account.extension):
        raise AccountProblem("An extension is 1 to 32 of A-Z, a-z, 0-9 and . _ -.", "extension")
    if account.language not in LANGUAGES:
        raise AccountProblem("The languages are en and vi.", "language")
    if len(account.name) > 64 or not account.name.isprintable():
        raise AccountProblem("A name is at most 64 printable characters.", "name")
    return account


async def _stored(connection: aiosqlite.Connection, user_id: int) -> Account:
    sql = f"SELECT {COLUMNS} FROM account WHERE id = ?"  # noqa: S608 (a constant)
    found = list(await connection.execute_fetchall(sql, (user_id,)))
    if not found:
        raise AccountProblem(NOBODY, "username")
    return from_row(found[0])


async def _keep_an_admin(connection: aiosqlite.Connection) -> None:
    sql = "SELECT 1 FROM account WHERE role = 'admin' AND NOT disabled LIMIT 1"
    if not list(await connection.execute_fetchall(sql)):
        raise AccountProblem(
            "This is the last administrator. Make somebody else one first.", "role"
        )


async def _insert(connection: aiosqlite.Connection, account: Account, at: int) -> None:
    sql = "SELECT 1 FROM account WHERE username = ?"
    if list(await connection.execute_fetchall(sql, (account.username,))):
        raise AccountProblem(NAME_TAKEN, "username")
    await connection.execute(
        "INSERT INTO account (username, name, role, extension, language, queues, rights, password,"
        " disabled, created_at) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
        (*to_row(account), at),
    )


async def _update(connection: aiosqlite.Connection, account: Account) -> None:
    values: Sequence[object] = (*to_row(account), account.user_id)
    await connection.execute(
        "UPDATE account SET username = ?, name = ?, role = ?, extension = ?, language = ?,"
        " queues = ?, rights = ?, password = ?, disabled = ? WHERE id = ?",
        values,
    )
