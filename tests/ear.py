"""A board that only hears webhooks, over HTTP in this process: receiver, log, floor and history."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from re import fullmatch
from types import SimpleNamespace
from typing import Any
from zoneinfo import ZoneInfo

import httpx2
import msgspec
from starlette.applications import Starlette
from starlette.types import Receive, Scope, Send

from app.database import Database
from app.domain.days import BusinessDay
from app.domain.events import Event, Tick
from app.domain.floor import Floor
from app.history.follower import History
from app.log.memory import MemoryLog
from app.projector import Projector
from app.render import Renderer
from app.web import hooks
from app.webhook_journal import WebhookJournal
from app.webhook_tokens import WebhookTokens
from tests.logs import Clock
from tests.story import PASSES, REPORTS, SPANS

TOKEN = "a-token-that-only-tests-have"
ADDRESS = "192.0.2.9"


@dataclass
class Ear:
    """`hears` what a story says, in its words; `clock` is turned by `+20s`."""

    parts: Any
    client: httpx2.AsyncClient
    clock: Clock

    @property
    def floor(self) -> Floor:
        floor: Floor = self.parts.projector.floor
        return floor

    async def hears(self, *stories: str) -> "Ear":
        """Each step goes over HTTP and must be answered with 200, and is then on the floor."""
        for step in (step.strip() for story in stories for step in story.split(",")):
            if passes := fullmatch(PASSES, step):
                self.clock.now += int(passes[2]) * SPANS[passes[3]]
            elif step == "tick":
                await self.happens(Tick())
            else:
                path, parameters = webhook_of(step)
                await self.gets(path, **parameters)
        return self

    async def gets(self, path: str, **parameters: str) -> None:
        """One webhook."""
        answer = await self.client.get(f"/hook/{TOKEN}{path}", params=parameters)
        assert answer.status_code == 200, answer.text
        await self.caught_up()

    async def happens(self, event: Event) -> None:
        """What no webhook tells."""
        await self.parts.log.append([event])
        await self.caught_up()

    async def caught_up(self) -> None:
        """All that was heard is on the floor and in the history."""
        seq = self.parts.log.last_seq
        await self.parts.projector.wait_for(seq)
        await self.parts.history.wait_for(seq)

    def shown(self) -> bytes:
        """Everything that a board shows, but not for how long."""
        floor = self.floor
        return msgspec.json.encode(
            [floor.agent_cards(), floor.queue_tiles(), floor.waiting_rows(), floor.abandon_rows()]
        )

    def state(self) -> Any:
        """The floor without what merely counts requests."""
        state = msgspec.to_builtins(self.floor.state)
        for name in ("seq", "at", "webhooks"):
            del state[name]
        return state


def webhook_of(words: str) -> tuple[str, dict[str, str]]:
    """The path and the parameters that the words of a story stand for."""
    for pattern, path, constants in REPORTS:
        if match := fullmatch(pattern, words):
            told = {name: value for name, value in match.groupdict().items() if value is not None}
            phone = {"phone": f"090{told['callid']}"} if "callid" in told else {}
            return path, {**phone, **constants, **told}
    raise ValueError(f"no story knows the words '{words}'")


@asynccontextmanager
async def listening_ear(at: int, zone: str = "UTC") -> AsyncIterator[Ear]:
    """It hears until the block ends; the clock begins at `at` (ms)."""
    clock, days = Clock(at), BusinessDay(ZoneInfo(zone))
    database = await Database.open(":memory:")
    log = MemoryLog(clock)
    projector = Projector(log, days, Renderer(days.zone, "test"), clock)
    history = await History.open(database, log, days)
    parts = SimpleNamespace(
        log=log,
        database=database,
        projector=projector,
        history=history,
        journal=await WebhookJournal.open(database, clock),
        tokens=await WebhookTokens.open(database, clock, TOKEN),
        settings=SimpleNamespace(timezone=days.zone, webhook_allow=(), webhook_from=()),
        clock=clock,
    )
    loops = [asyncio.create_task(loop) for loop in (projector.run(), history.run())]
    transport = httpx2.ASGITransport(app=_Scoped(parts), client=(ADDRESS, 40_000))
    async with httpx2.AsyncClient(transport=transport, base_url="http://ear.test") as client:
        yield Ear(parts, client, clock)
    for loop in loops:
        loop.cancel()
    await asyncio.gather(*loops, return_exceptions=True)
    await database.close()


class _Scoped:
    """The hook's routes, with the parts where a running server has them."""

    def __init__(self, parts: Any) -> None:
        self._parts = parts
        self._app = Starlette(routes=hooks.ROUTES)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        scope["state"] = {"parts": self._parts}
        await self._app(scope, receive, send)
