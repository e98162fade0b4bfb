"""Pushes webhooks over HTTP on several connections at once; what does not arrive is lost."""

import asyncio
from collections import Counter
from types import TracebackType
from typing import Literal, Self
from urllib.parse import quote, urlencode

import aiohttp
from yarl import URL

from app.simulator.hosts import Hosts
from app.simulator.wire import Webhook

BACKLOG = 20_000
TIMEOUT = aiohttp.ClientTimeout(total=5.0)

Style = Literal["get", "json"]


class Pusher:
    """A PBX does not retry: failures are counted, never repeated and never raised."""

    def __init__(
        self, target: str, *, style: Style = "get", connections: int = 4, keep_alive: bool = True
    ) -> None:
        self._target = target.rstrip("/")
        self._style = style
        self._connections = connections
        self._keep_alive = keep_alive
        self._backlog: asyncio.Queue[Webhook] = asyncio.Queue(BACKLOG)
        self._workers: list[asyncio.Task[None]] = []
        self._session: aiohttp.ClientSession | None = None
        self.counts: Counter[str] = Counter()

    async def __aenter__(self) -> Self:
        connector = aiohttp.TCPConnector(
            limit=self._connections, force_close=not self._keep_alive, resolver=Hosts()
        )
        session = aiohttp.ClientSession(
            connector=connector, timeout=TIMEOUT, cookie_jar=aiohttp.DummyCookieJar()
        )
        self._session = session
        tasks = (self._work(session) for _ in range(self._connections))
        self._workers = [asyncio.create_task(task) for task in tasks]
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        for worker in self._workers:
            worker.cancel()
        await asyncio.gather(*self._workers, return_exceptions=True)
        if self._session is not None:
            await self._session.close()

    def push(self, webhook: Webhook) -> None:
        if self._backlog.full():
            self.counts["overflowed"] += 1
        else:
            self._backlog.put_nowait(webhook)

    async def drain(self, seconds: float) -> None:
        """Wait until all is sent, but not for longer than that."""
        try:
            async with asyncio.timeout(seconds):
                await self._backlog.join()
        except TimeoutError:
            self.counts["overflowed"] += self._backlog.qsize()

    async def _work(self, session: aiohttp.ClientSession) -> None:
        while True:
            webhook = await self._backlog.get()
            try:
                self.counts[await self._send(session, webhook)] += 1
            except (aiohttp.ClientError, OSError, TimeoutError):
                self.counts["failed"] += 1
            finally:
                self._backlog.task_done()

    async def _send(self, session: aiohttp.ClientSession, webhook: Webhook) -> str:
        url = self._target + webhook.path
        if self._style == "json":
            request = session.post(URL(url, encoded=True), json=webhook.params)
        else:
            query = urlencode(webhook.params, quote_via=quote)
            request = session.get(URL(f"{url}?{query}", encoded=True), allow_redirects=False)
        async with request as reply:
            await reply.read()
            return "accepted" if reply.status < 300 else "refused"
