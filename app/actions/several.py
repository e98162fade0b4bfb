"""Several agents at once: each is its own deed, and one answer sums up what worked."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass

from app.actions.deeds import ANSWER_S, Kind, Outcome
from app.actions.desk import Asker
from app.actions.pausing import PauseWish, Pausing
from app.sentences import Sentence, joined

MOST = 300
AT_ONCE = 8
# Whoever has not been begun by then could not be answered in time, if the PBX is that slow.
BEGIN_S = ANSWER_S / 2
WHOLE_S = ANSWER_S - 0.3

NOT_TRIED = Sentence("not tried, because the PBX is too slow for so many at once.")
ACCEPTED = Sentence("{number} accepted but not reported yet")
UNKNOWN = Sentence("{number} unknown")
FAILED = Sentence("{number} failed")
NOT_YET = Sentence("no answer yet, so it is unknown.")


@dataclass(frozen=True, slots=True)
class Several:
    """Pauses and resumes many. `monotonic` gives seconds."""

    pausing: Pausing
    monotonic: Callable[[], float]

    async def pause(self, asker: Asker, extensions: Sequence[str], wish: PauseWish) -> Outcome:
        began = self.monotonic()
        ask = self.pausing.ask_to_pause
        asked = await self._each(extensions, lambda one: ask(asker, one, wish), began)
        outcomes = await self._confirmed(asked, True, began)
        return summed_up(outcomes, Sentence("{number} paused"))

    async def resume(self, asker: Asker, extensions: Sequence[str]) -> Outcome:
        began = self.monotonic()
        ask = self.pausing.ask_to_resume
        asked = await self._each(extensions, lambda one: ask(asker, one), began)
        outcomes = await self._confirmed(asked, False, began)
        return summed_up(outcomes, Sentence("{number} resumed"))

    async def _each(
        self,
        extensions: Sequence[str],
        act: Callable[[str], Awaitable[Outcome]],
        began: float,
    ) -> dict[str, Outcome]:
        gate = asyncio.Semaphore(AT_ONCE)

        async def one(extension: str) -> Outcome:
            async with gate:
                if self.monotonic() - began > BEGIN_S:
                    return Outcome(Kind.FAILED, NOT_TRIED, 504)
                return await act(extension)

        tasks = {each: asyncio.create_task(one(each)) for each in dict.fromkeys(extensions)}
        await asyncio.wait(tasks.values(), timeout=max(0.0, began + WHOLE_S - self.monotonic()))
        return {extension: _result(task) for extension, task in tasks.items()}

    async def _confirmed(
        self, outcomes: Mapping[str, Outcome], paused: bool, began: float
    ) -> dict[str, Outcome]:
        waits = [self.pausing.confirmed(each, paused, began) for each in outcomes.values()]
        return dict(zip(outcomes, await asyncio.gather(*waits), strict=True))


def _result(task: "asyncio.Task[Outcome]") -> Outcome:
    if task.done():
        return task.result()
    # The deed itself goes on, and gets its result in the audit; only the waiting ends.
    task.cancel()
    return Outcome(Kind.UNKNOWN, NOT_YET, 504)


def summed_up(outcomes: Mapping[str, Outcome], worked: Sentence) -> Outcome:
    """“5 paused, 1 failed: 104 — the PBX could not be reached.”"""
    by_kind = {kind: [each for each in outcomes.values() if each.kind is kind] for kind in Kind}
    asked, bad = by_kind[Kind.ASKED], {k: v for k, v in outcomes.items() if not v.ok}
    unknown = bool(bad) and all(each.kind is Kind.UNKNOWN for each in bad.values())
    failed = UNKNOWN if unknown else FAILED
    counts = [worked.filled(number=len(by_kind[Kind.DONE]))]
    counts += [ACCEPTED.filled(number=len(asked))] if asked else []
    counts += [failed.filled(number=len(bad))] if bad else []
    reasons = [joined(" — ", [who, each.sentence]) for who, each in bad.items()]
    counted = joined("", [joined(", ", counts), ":" if bad else "."])
    sentence = joined(" ", [counted, *reasons])
    parts = tuple(outcomes.items())
    if not bad:
        kind, status = (Kind.ASKED, 202) if asked else (Kind.DONE, 200)
        return Outcome(kind, sentence, status, parts=parts)
    some = len(bad) < len(outcomes)
    status = 200 if some else next(iter(bad.values())).status
    return Outcome(Kind.UNKNOWN if unknown else Kind.FAILED, sentence, status, parts=parts)
