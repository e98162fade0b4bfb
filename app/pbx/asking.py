"""Several questions to the PBX: each is asked, whatever became of the others."""

from collections.abc import Awaitable, Callable

from app.pbx import PbxError


async def ask_each(*questions: Callable[[], Awaitable[None]]) -> None:
    """One after the other. Raises PbxError, the first there was, once all were asked."""
    first: PbxError | None = None
    for question in questions:
        try:
            await question()
        except PbxError as error:
            first = first or error
    if first is not None:
        raise first
