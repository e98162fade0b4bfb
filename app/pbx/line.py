"""The line to the PBX: a request through the breaker, and its answer held to be one.

What could not be understood is kept for the administrator, with the key taken out.
"""

import time
from collections.abc import Callable, Sequence
from typing import Any

from app.pbx import PbxError, Unreadable
from app.pbx.breaker import Breaker
from app.pbx.exchange import Exchange, Patience, Request, in_doubt
from app.pbx.reading import parse
from app.pbx.redaction import Redaction
from app.pbx.secret import Secret
from app.pbx.unreadable import UnreadableAnswers, presentable
from app.pbx.verdict import Judgement, Verdict, judge_question, refusal_words
from app.sentences import Sentence, joined

KEY_STATUSES = (401, 403)
CHECK_KEY = Sentence("An administrator should check the key.")


class Line:
    """`call` names what is asked ("status", "spy" …) on the diagnostics page."""

    def __init__(
        self, key: Secret, patience: Patience, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._redaction = Redaction([key])
        self._answers = UnreadableAnswers(self._redaction)
        self._exchange = Exchange(patience)
        self._clock = clock
        self._breakers: dict[str, Breaker] = {}

    @property
    def unreadable(self) -> Sequence[Unreadable]:
        return self._answers()

    async def send(self, call: str, request: Request, *, forced: bool = False) -> str:
        """The text of a 2xx answer, without the key. Raises PbxError."""
        with self._breaker(request).attempt(forced=forced):
            answer = await self._exchange.send(request)
        text = answer.text
        if self._redaction.appears_in(text):
            text = self._redaction.clean(text)
        if answer.status >= 400:
            raise self._refusal(call, answer.status, text)
        return text

    def demand_done(self, call: str, judgement: Judgement, text: str, doubt: str) -> None:
        """Raise PbxError unless the PBX did what it was asked."""
        if judgement.verdict is Verdict.REFUSED:
            raise PbxError("refused", self._refused(judgement.words))
        if judgement.verdict is Verdict.UNCLEAR:
            self.keep(call, "it says neither yes nor no", text)
            raise in_doubt("garbage", Sentence("The PBX's answer can't be understood"), doubt)

    def readable(self, call: str, text: str) -> Any:
        """The list or object in an answer to a question. Raises PbxError."""
        value = parse(text)
        self.demand_answer(call, value, text)
        return value

    def demand_answer(self, call: str, value: Any, text: str) -> None:
        """Raise PbxError where `value`, read from `text`, is a refusal or no list or object."""
        judgement = judge_question(value, text)
        self.demand_sense(call, judgement.verdict is not Verdict.UNCLEAR, text)
        self.demand_done(call, judgement, text, "")

    def demand_sense(self, call: str, makes_sense: bool, text: str) -> None:
        """Raise PbxError, and keep the answer, where nothing that was asked for is in it."""
        if not makes_sense:
            self.keep(call, "nothing that was asked for is in it", text)
            raise PbxError(
                "garbage",
                "The PBX's answer can't be understood, so it changed nothing. "
                "An administrator finds it on the diagnostics page.",
            )

    def keep(self, call: str, reason: str, text: str) -> None:
        self._answers.keep(call, reason, text)

    async def close(self) -> None:
        await self._exchange.close()

    def _breaker(self, request: Request) -> Breaker:
        # One for each server: the records may live on another, whose failure must not stop a pause.
        server = str(request.url.origin())
        return self._breakers.setdefault(server, Breaker(clock=self._clock))

    def _refusal(self, call: str, status: int, text: str) -> PbxError:
        told = refusal_words(text)
        if not told:
            self.keep(call, f"HTTP {status}", text)
        advice = [CHECK_KEY] if status in KEY_STATUSES else []
        return PbxError("refused", joined(" ", [self._refused(told, f" (HTTP {status})"), *advice]))

    def _refused(self, words: str, status: str = "") -> Sentence:
        shown = presentable(self._redaction, words)
        if not shown:
            return Sentence("The PBX refused{status} and does not say why.", status=status)
        return Sentence("The PBX refused{status}: “{words}”.", status=status, words=shown)
