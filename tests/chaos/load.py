"""A PBX under way: threads that send webhooks and note which of them were acknowledged."""

import http.client
import threading
import time
from collections import Counter
from typing import Self

from tests.chaos.site import Site, ring


class Load:
    """`lanes` connections, each sending one webhook after another; or `rate` a second in all."""

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
        number, due = 0, time.monotonic() + self._pause_s * lane / len(self._threads)
        while not self._stop.is_set():
            self._one(connection, f"{self._name}-{lane}-{number}")
            number += 1
            if lane % 2:
                connection.close()
            due += self._pause_s
            self._stop.wait(max(0.0, due - time.monotonic()) if self._pause_s else 0.0)
        connection.close()

    def _one(self, connection: http.client.HTTPConnection, callid: str) -> None:
        began, outcome = time.monotonic(), ""
        try:
            connection.request("GET", ring(callid))
            answer = connection.getresponse()
            answer.read()
            outcome = str(answer.status)
        except (OSError, http.client.HTTPException) as error:
            outcome = type(error).__name__
            connection.close()
        with self._guard:
            self.outcomes[outcome] += 1
            self.slowest_s = max(self.slowest_s, time.monotonic() - began)
            if outcome == "200":
                self.acknowledged.append(callid)
