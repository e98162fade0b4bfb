"""Which requests were stored in the last two minutes, so that a repeat is not stored again."""

RECEIPT_MS = 120_000


class Receipts:
    """`rid` → the seq that was answered. Times are ms since the epoch, by the clock of the log."""

    def __init__(self) -> None:
        self._kept: dict[str, tuple[int, int]] = {}

    def keep(self, rid: str, seq: int, now: int) -> None:
        """Remember the answer, and forget what is too old."""
        self._kept[rid] = (seq, now)
        while _is_over(self._kept[oldest := next(iter(self._kept))][1], now):
            del self._kept[oldest]

    def find(self, rid: str, now: int) -> int | None:
        """The seq answered to this request within the last two minutes, if any."""
        seq, at = self._kept.get(rid, (0, 0))
        return None if seq == 0 or _is_over(at, now) else seq


def _is_over(at: int, now: int) -> bool:
    # Both ways: after a clock that ran ahead was put right, a receipt must not live for hours.
    return abs(now - at) > RECEIPT_MS
