"""What a part of the app needs of the place where its tables are, whoever else may write there."""

from collections.abc import Awaitable, Callable, Sequence
from typing import Any, Protocol, TypeVar

import aiosqlite

T = TypeVar("T")
Job = Callable[[aiosqlite.Connection], Awaitable[object]]


async def nothing(connection: aiosqlite.Connection) -> None:
    """The job that is done along with a change that stands alone."""


class Tables(Protocol):
    """Tables of this process alone (`Database`), or of all nodes (`sharing.SharedDatabase`).

    A job given to `write` may be run more than once; only its last run counts. It may change its
    tables' rows, and nothing else that outlives it.
    """

    @property
    def failure(self) -> str:
        """Why these tables are not as other nodes have them, as a sentence; "" while they are."""

    @property
    def rough_s(self) -> float:
        """How old what is only worth knowing roughly may get before it is written down."""

    async def migrate(self, name: str, steps: Sequence[str]) -> None:
        """Bring the tables of the part `name` up to date; see Database."""

    async def write(self, job: Callable[[aiosqlite.Connection], Awaitable[T]]) -> T:
        """Run the job as one transaction and return its result once that is kept for good.

        Raises DatabaseUnavailable, or what the job raises: then nothing is stored.
        """

    async def read(self, sql: str, parameters: Sequence[object] = ()) -> list[tuple[Any, ...]]:
        """All rows of a query, as last committed here. Raises DatabaseUnavailable."""

    def on_changed(self, tables: Sequence[str], refresh: Callable[[], Awaitable[object]]) -> None:
        """Call `refresh` after rows of these tables were changed, by this node or another."""
