"""Lost webhooks and the reconciler: a simulated centre against a floor that hears nine in ten."""

import random
from collections.abc import Sequence
from datetime import date
from zoneinfo import ZoneInfo

import pytest

from app.domain.days import BusinessDay
from app.domain.events import CallRecorded, Tick
from app.domain.floor import Floor
from app.domain.states import Direction, Status
from app.log.memory import MemoryLog
from app.pbx import Finding, Member, PbxError, PhoneState, SpyMode, Unreadable, WebhookError
from app.pbx.voicecloud import decode
from app.reconciler import Reconciler
from app.simulator.api import phone_state
from app.simulator.exchange import Exchange
from app.simulator.truth import truth
from app.simulator.world import Plan, World

UTC = ZoneInfo("UTC")
START = 1_795_341_600.0


class AskedExchange:
    """A PBX that answers from the simulated exchange, without a network."""

    unreadable: Sequence[Unreadable] = ()

    def __init__(self, exchange: Exchange) -> None:
        self.exchange = exchange
        self.silent = False

    async def phones(self, extensions: Sequence[str]) -> list[PhoneState]:
        self._answer()
        agents = self.exchange.switch.agents
        known = [extension for extension in extensions if extension in agents]
        return [
            PhoneState(extension, Status(phone_state(agents[extension])), agents[extension].paused)
            for extension in known
        ]

    async def members(self) -> list[Member]:
        self._answer()
        agents = self.exchange.switch.agents.values()
        return [Member(one.extension, tuple(one.queues)) for one in agents if one.queues]

    async def records(
        self, day_from: date, day_to: date, callid: str | None = None
    ) -> list[CallRecorded]:
        self._answer()
        kept = self.exchange.switch.records.kept
        return [
            CallRecorded(
                callid=record["callid"],
                status=record["status"],
                direction=record["direction"].lower(),
                extension=record[
                    "callerid" if record["direction"] == "Outbound" else "destination"
                ],
                duration=int(record["duration"]),
                billsec=int(record["billsec"]),
            )
            for record in kept
            if callid in (None, record["callid"])
        ]

    def _answer(self) -> None:
        if self.silent:
            raise PbxError("unreachable", "The PBX can't be reached.")

    async def dial(self, extension: str, phone: str) -> None:
        raise AssertionError("the reconciler never rings anybody")

    async def spy(
        self, supervisor: str, extension: str, mode: SpyMode, direction: Direction | None
    ) -> None:
        raise AssertionError("the reconciler never rings anybody")

    async def pause(self, extension: str, paused: bool) -> None:
        raise AssertionError("the reconciler pauses nobody")

    async def test_connection(self) -> list[Finding]:
        return []

    async def close(self) -> None: ...


class Centre:
    """The simulated exchange, the floor that hears of it, and the virtual time of both."""

    def __init__(self, seed: int, agents: int = 40) -> None:
        self.world = World(Plan(agents=agents, queues=3, seed=seed, start=START))
        self.pbx = AskedExchange(self.world.exchange)
        self.floor = Floor(BusinessDay(UTC))
        self.log = MemoryLog(self.clock)
        self.reconciler = Reconciler(self.pbx, self.log, lambda: self.floor.state, self.clock, UTC)
        self.chance = random.Random(seed)
        self.now = START
        self.world.start()

    def clock(self) -> int:
        return round(self.now * 1000)

    async def run(self, seconds: int, drop: float) -> None:
        for _ in range(seconds):
            self.now += 1
            for webhook in self.world.run_until(self.now):
                if self.chance.random() >= drop:
                    await self.hear(webhook.path, webhook.params)
            if round(self.now) % 5 == 0:
                await self.log.append([Tick()])
            if round(self.now) % 60 == 0:
                await self.reconciler.everything()
            elif doubted := list(self.reconciler.doubted()):
                await self.reconciler.phones(doubted)
            await self.follow()

    async def hear(self, path: str, params: dict[str, str]) -> None:
        try:
            event = decode(path, params, now=self.clock(), zone=UTC)
        except WebhookError as error:
            raise AssertionError(f"{path} {params}: {error}") from error
        await self.log.append([event])
        await self.follow()

    async def follow(self) -> None:
        if self.floor.state.seq < self.log.last_seq:
            async for records in self.log.follow(self.floor.state.seq):
                for record in records:
                    self.floor.apply(record.seq, record.at, record.event)
                if self.floor.state.seq >= self.log.last_seq:
                    break

    def differences(self) -> list[str]:
        told = truth(self.world.exchange)
        agents = self.floor.state.agents
        # The word last pushed may be "off" while the phone still talks; and a consultation between
        # two phones is never pushed at all. Either is what the PBX says.
        phones = self.world.exchange.switch.agents
        words = {
            ext: {said["status"], phone_state(phones[ext])} for ext, said in told["agents"].items()
        }
        shown = {ext: agents[ext].status if ext in agents else Status.OFF for ext in words}
        statuses = [
            f"{extension}: {shown[extension]} is {word}"
            for extension, word in words.items()
            if shown[extension] not in word
        ]
        waiting = {tile.queue: tile.waiting for tile in self.floor.queue_tiles()}
        queues = [
            f"{queue}: {waiting.get(queue, 0)} wait, {said['waiting']} do"
            for queue, said in told["queues"].items()
            if waiting.get(queue, 0) != said["waiting"]
        ]
        return statuses + queues


@pytest.mark.anyio
async def test_a_floor_that_hears_everything_agrees_at_every_minute():
    centre = Centre(seed=3)

    for _ in range(10):
        await centre.run(60, drop=0)
        assert centre.differences() == []
    # All the PBX can add: a pause during a call is pushed at its end only, and an attended transfer
    # not at all.
    repairs = [(repair.before, repair.after) for repair in centre.floor.state.repairs]
    assert all(pair == ("talk", "on") or "paused" in "".join(pair) for pair in repairs)


@pytest.mark.anyio
@pytest.mark.parametrize("seed", [1, 2, 3])
async def test_ten_minutes_of_lost_webhooks_leave_no_difference_a_minute_later(seed):
    centre = Centre(seed)

    await centre.run(600, drop=0.1)
    heard_less = centre.differences()
    await centre.run(60, drop=0)

    assert centre.differences() == []
    assert heard_less or centre.floor.state.reconciled.repairs_today > 0


@pytest.mark.anyio
async def test_every_repair_is_listed_with_before_and_after_and_source():
    centre = Centre(seed=1)

    await centre.run(600, drop=0.2)

    repairs = centre.floor.state.repairs
    assert repairs
    assert all(repair.before != repair.after for repair in repairs)
    assert {repair.source for repair in repairs} <= {"status", "all_members"}
