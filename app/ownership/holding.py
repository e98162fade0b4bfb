"""What it is to be the owner, and running what only the owner runs."""

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any, Protocol

from app.ending import END_S, end


class Ownership(Protocol):
    """Whether this process is the owner. `epoch` grows from owner to owner; 0: there is but one."""

    @property
    def epoch(self) -> int:
        """The epoch of the ownership that is held, or was held last."""

    @property
    def is_held(self) -> bool:
        """Whether nobody else can have it. Ask just before each thing only the owner may do."""

    async def wait_held(self) -> None:
        """Return once it is held."""

    async def wait_lost(self) -> None:
        """Return once it is held no more."""


class Sole:
    """The ownership of the only process there is: never lost."""

    epoch = 0
    is_held = True

    async def wait_held(self) -> None:
        """It is."""

    async def wait_lost(self) -> None:
        """Never returns."""
        await asyncio.Event().wait()


async def run_while_owned(
    ownership: Ownership, make_loop: Callable[[], Coroutine[Any, Any, None]]
) -> None:
    """Run the loop whenever it is ours to run, for ever; it has ended before it begins again.

    Returns, or raises, where the loop itself ended although nothing was lost.
    """
    while True:
        await ownership.wait_held()
        loop = asyncio.create_task(make_loop())
        lost = asyncio.create_task(ownership.wait_lost())
        try:
            await asyncio.wait([loop, lost], return_when=asyncio.FIRST_COMPLETED)
            if loop.done():
                return loop.result()
        finally:
            await end(lost, END_S)
            await end(loop, END_S)
