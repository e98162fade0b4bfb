"""A PBX under way: threads that send webhooks and note which of them were acknowledged."""

import http.client
import threading
import time
from collections import Counter
from collections.abc import Iterator
from itertools import count
from typing import Self

from tests.chaos.site import Site, agent_of, end, ring, state

# Every so manyth call goes on.
ENDLESS = 8
STATES = ("talk", "on", "pause", "ring")


class Load:
    """`lanes` connections, each sending one webhook after another; or `rate` a second in all.

    `acknowledged` are the calls whose ringing was answered by 200.
    """

    def __init__(self, site: Site, name: str, lanes: int = 6, rate: float = 0.0) -> None:
        self.acknowledged: list[str] = []
        self.outcomes: Counter[str] = Counter()
        self.slowest_s = 0.0
        self._site = site
        self._name = name
        self._pause_s = lanes / rate if rate else 0.0
        self._stop = threading.Event()
        self._guard = threading.Lock()
        self._threads = [threading.Thread(target=self._send, args=(lane,)) for lane in range(lanes)]

    def __enter__(self) -> Self:
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        for thread in self._threads:
            thread.join()

    def _send(self, lane: int) -> None:
        """Every other lane keeps its connection; the rest opens one for each webhook."""
        connection = http.client.HTTPConnection("127.0.0.1", self._site.port, timeout=20)
        due = time.monotonic() + self._pause_s * lane / len(self._threads)
        for path, callid in webhooks(f"{self._name}-{lane}"):
            self._one(connection, path, callid)
            if lane % 2:
                connection.close()
            due += self._pause_s
            if self._stop.wait(max(0.0, due - time.monotonic()) if self._pause_s else 0.0):
                break
        connection.close()

    def _one(self, connection: http.client.HTTPConnection, path: str, callid: str) -> None:
        began, outcome = time.monotonic(), ""
        try:
            connection.request("GET", path)
            answer = connection.getresponse()
            answer.read()
            outcome = str(answer.status)
        except (OSError, http.client.HTTPException) as error:
            outcome = type(error).__name__
            connection.close()
        with self._guard:
            self.outcomes[outcome] += 1
            self.slowest_s = max(self.slowest_s, time.monotonic() - began)
            if outcome == "200" and callid:
                self.acknowledged.append(callid)


def webhooks(name: str) -> Iterator[tuple[str, str]]:
    """Calls, one after the other: each rings, is answered and mostly ends; what their agents do.

    With the call id where it is the first word of the call.
    """
    for number in count():
        callid = f"{name}-{number}"
        yield ring(callid), callid
        yield ring(callid, event="ANSWER"), ""
        yield state(agent_of(callid), STATES[number % len(STATES)]), ""
        if number % ENDLESS:
            yield end(callid), ""
