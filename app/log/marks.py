"""How far a site's seqs may have got, kept for ever where events go by age.

After days without an event nothing of a site is left in its stream; without a mark its seqs would
begin at 1 again, and whoever has applied record 5000 would never apply another one.
"""

from app.log.stream import Overtaken, Stream, Unanswered

ROOM = 10_000


class Mark:
    """`subject` of the stream of marks. Whatever asks raises LogUnavailable or Unanswered."""

    def __init__(self, stream: Stream, subject: str) -> None:
        self._stream = stream
        self._subject = subject
        self._reached = 0

    async def read(self) -> int:
        """No record of the site has a greater seq."""
        return (await self._newest())[1]

    async def reach(self, seq: int) -> None:
        """Records up to this seq may be stored."""
        if seq <= self._reached:
            return
        number, told = await self._newest()
        if told < seq:
            told = seq + ROOM
            try:
                await self._stream.offer(
                    self._subject, b"%d" % told, number, f"{self._subject}/{told}/{number}"
                )
            except Overtaken as error:
                raise Unanswered("another node marks too") from error
        self._reached = told

    async def _newest(self) -> tuple[int, int]:
        raw = await self._stream.newest(self._subject)
        return (raw.number, int(raw.body)) if raw else (0, 0)
