"""A floor in steady motion, as webhooks: the same mix of events for any number of agents.

Most agents talk. A turn ends one agent's call and gives the agent the next: six webhooks.
"""

import itertools
from collections import deque
from collections.abc import Iterator
from urllib.parse import urlencode

TEAM = 100
BUSY = 0.7
WAITING_PER_QUEUE = 2
FIRST_EXTENSION = 10_000
EVENTS_PER_TURN = 6

Webhook = tuple[str, dict[str, str]]
CALL_IN, HANGUP = "/api/callcenter/call_in", "/api/callcenter/hangup"
CALLDATA, STATUS = "/api/callcenter/calldata", "/api/agent/changestatus"


class Traffic:
    """`agents` in queues of a hundred. Webhooks are (path, parameters)."""

    def __init__(self, agents: int) -> None:
        self.extensions = [str(FIRST_EXTENSION + number) for number in range(agents)]
        self._calls: dict[str, str] = {}
        self._made = 0
        self._next = 0

    def opening(self) -> Iterator[Webhook]:
        """Everybody signs in, each queue rings everybody once, most answer, some callers wait."""
        for group in self.openings():
            yield from group

    def openings(self) -> Iterator[list[Webhook]]:
        """The same, agent by agent."""
        for number, extension in enumerate(self.extensions):
            group: list[Webhook] = [(STATUS, {"extension": extension, "status": "on"})]
            group += self._call(extension)
            if number % 10 >= BUSY * 10:
                group.append((HANGUP, {"callid": self._calls.pop(extension)}))
                group.append((STATUS, {"extension": extension, "status": "on"}))
            yield group
        for queue in sorted({self._queue(extension) for extension in self.extensions}):
            for _ in range(WAITING_PER_QUEUE):
                yield [(CALL_IN, {"event": "RING", "queue": queue, **self._caller()})]

    def turns(self) -> Iterator[Webhook]:
        """For ever: one agent after the other ends a call and takes the next."""
        busy = [extension for extension in self.extensions if extension in self._calls]
        while True:
            extension = busy[self._next % len(busy)]
            # A stride that shares no factor with their number: neighbours do not take turns.
            self._next += 37
            yield from self._end(extension)
            yield from self._call(extension)

    def moments(self, rate: float) -> Iterator[list[Webhook]]:
        """The same at `rate` a second, in what is said at one moment: an end, a ring, an answer.

        Each of an agent's moments comes half a second after the one before: webhooks are sent side
        by side, and an agent who rings before hanging up is not what is measured.
        """
        busy = [extension for extension in self.extensions if extension in self._calls]
        apart = max(1, min(len(busy) // 3, int(rate / EVENTS_PER_TURN / 2)))
        free: deque[str] = deque()
        ringing: deque[list[Webhook]] = deque()
        for extension in itertools.cycle(busy[::2] + busy[1::2]):
            if extension in self._calls:
                yield list(self._end(extension))
                free.append(extension)
            if len(free) > apart:
                ring, *answer = self._call(free.popleft())
                yield [ring]
                ringing.append(answer)
            if len(ringing) > apart:
                yield ringing.popleft()

    def _end(self, extension: str) -> Iterator[Webhook]:
        callid = self._calls.pop(extension)
        yield HANGUP, {"callid": callid}
        yield STATUS, {"extension": extension, "status": "on"}
        yield (
            CALLDATA,
            {"callid": callid, "status": "ANSWERED", "extension": extension, "duration": "62"}
            | {"billsec": "60", "direction": "inbound", "recordingfile": f"{callid}.wav"},
        )

    def _call(self, extension: str) -> Iterator[Webhook]:
        caller, queue = self._caller(), self._queue(extension)
        told = {"extension": extension, "queue": queue, "did": "02873000000", **caller}
        self._calls[extension] = caller["callid"]
        yield CALL_IN, {"event": "RING", **told}
        yield CALL_IN, {"event": "ANSWER", **told}
        yield STATUS, {"extension": extension, "status": "talk"}

    def _caller(self) -> dict[str, str]:
        self._made += 1
        return {"callid": f"1764000000.{self._made}", "phone": f"09{self._made % 10**8:08}"}

    def _queue(self, extension: str) -> str:
        return str(500 + (int(extension) - FIRST_EXTENSION) // TEAM)


def request(prefix: str, webhook: Webhook, *, keep_alive: bool = True) -> bytes:
    """The webhook as the bytes of a GET request."""
    path, parameters = webhook
    ending = "" if keep_alive else "Connection: close\r\n"
    head = f"GET {prefix}{path}?{urlencode(parameters)} HTTP/1.1\r\nHost: 127.0.0.1\r\n{ending}\r\n"
    return head.encode()
