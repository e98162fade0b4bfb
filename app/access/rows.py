"""An account as a value, and as a row of its table."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from app.rights import Right, Role, effective

STEPS = (
    """CREATE TABLE account (
        id INTEGER PRIMARY KEY AUTOINCREMENT,
        username TEXT NOT NULL UNIQUE CHECK (length(username) BETWEEN 1 AND 64),
        name TEXT NOT NULL CHECK (length(name) <= 64),
        role TEXT NOT NULL CHECK (role IN ('admin', 'supervisor', 'viewer')),
        extension TEXT NOT NULL CHECK (length(extension) <= 32),
        language TEXT NOT NULL CHECK (length(language) <= 8),
        queues TEXT,
        rights TEXT,
        password TEXT NOT NULL CHECK (length(password) <= 256),
        disabled INTEGER NOT NULL CHECK (disabled IN (0, 1)),
        created_at INTEGER NOT NULL
    ) STRICT""",
    "CREATE TABLE account_version (number INTEGER NOT NULL) STRICT",
    "INSERT INTO account_version (number) VALUES (0)",
)

COLUMNS = "id, username, name, role, extension, language, queues, rights, password, disabled"


@dataclass(frozen=True, slots=True)
class Account:
    """One person. `queues` None: all of them. `rights` None: those of the role.

    `password` is the argon2 hash; empty means that none is set and nobody can sign in.
    """

    user_id: int
    username: str
    role: Role
    name: str = ""
    extension: str = ""
    language: str = ""
    queues: frozenset[str] | None = None
    rights: frozenset[Right] | None = None
    password: str = ""
    disabled: bool = False

    @property
    def is_admin(self) -> bool:
        return self.role is Role.ADMIN and not self.disabled

    @property
    def key(self) -> tuple[object, ...]:
        """What opened the sessions: when it changes, they end."""
        return (self.role, self.password, self.disabled)

    @property
    def sight(self) -> tuple[object, ...]:
        """What decides how the board looks: when it changes, open boards must be made anew."""
        rights = effective(self.role, self.rights)
        return (self.role, self.queues, rights, self.extension, self.language, self.name)


def to_row(account: Account) -> tuple[object, ...]:
    """The columns after `id`, in their order."""
    return (
        account.username,
        account.name,
        account.role.value,
        account.extension,
        account.language,
        listed(account.queues),
        listed(account.rights),
        account.password,
        int(account.disabled),
    )


def from_row(row: Sequence[Any]) -> Account:
    user_id, username, name, role, extension, language, queues, rights, password, disabled = row
    kept = unlisted(rights)
    return Account(
        user_id=user_id,
        username=username,
        name=name,
        role=Role(role),
        extension=extension,
        language=language,
        queues=unlisted(queues),
        rights=None if kept is None else frozenset(Right(each) for each in kept),
        password=password,
        disabled=bool(disabled),
    )


def listed(values: frozenset[str] | frozenset[Right] | None) -> str | None:
    """A set as a JSON list, for a column; None stays NULL."""
    return None if values is None else json.dumps(sorted(values), ensure_ascii=False)


def unlisted(stored: str | None) -> frozenset[str] | None:
    return None if stored is None else frozenset(json.loads(stored))
