"""How to ask the PBX: several questions, whatever becomes of one, and one again and again."""

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


class Pace:
    """When to ask the same again: after `usual_s`; where it failed after `retry_s`, twice that, and
    so on up to `usual_s`. Times are seconds of a clock of the caller's choice."""

    def __init__(self, usual_s: float, retry_s: float) -> None:
        self._usual_s = usual_s
        self._retry_s = retry_s
        self.hurry(0.0)

    def hurry(self, now: float) -> None:
        """It is due at `now`, whatever became of it before."""
        self._next, self._pause_s = now, self._retry_s

    def is_due(self, now: float) -> bool:
        return now >= self._next

    def asked(self, now: float, *, went_well: bool) -> None:
        """It was asked at `now`."""
        if went_well:
            self.hurry(now + self._usual_s)
        else:
            self._next = now + self._pause_s
            self._pause_s = min(2 * self._pause_s, self._usual_s)
