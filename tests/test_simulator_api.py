"""The API that the simulated PBX serves, its effect on the floor, and the pushing over HTTP."""

import asyncio
import signal
import subprocess
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

import pytest
from aiohttp import web
from aiohttp.test_utils import TestClient, TestServer

from app.simulator.faults import Faults
from app.simulator.live import Simulation
from app.simulator.model import Agent
from app.simulator.serve import application, somebody_listens
from app.simulator.webhooks import Pusher
from app.simulator.wire import Webhook
from app.simulator.world import Plan, World

pytestmark = pytest.mark.anyio  # of the coroutines among them

KEY = "the-companys-secret"
PLAN = Plan(agents=6, queues=1, seed=2, start=1_772_438_400.0, load=0.0)


class Clock:
    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


class Outbox(Pusher):
    """Keeps what would have been pushed."""

    def __init__(self) -> None:
        super().__init__("http://board.invalid")
        self.pushed: list[Webhook] = []

    def push(self, webhook: Webhook) -> None:
        self.pushed.append(webhook)


class Pbx:
    """A floor with nobody calling, its API, and a hand on the clock."""

    def __init__(self) -> None:
        self.clock, self.outbox = Clock(), Outbox()
        self.world = World(PLAN)
        self.simulation = Simulation(self.world, Faults(), self.outbox, clock=self.clock)
        self.exchange = self.world.exchange
        self.agent: Agent = self.exchange.agent("101")
        self.exchange.log_in(self.agent)
        self.wait(1.0)

    def wait(self, seconds: float) -> list[dict[str, str]]:
        """What was pushed since the last wait."""
        self.clock.now += seconds
        self.simulation.advance()
        pushed, self.outbox.pushed = self.outbox.pushed, []
        return [webhook.params for webhook in pushed]

    def talk(self) -> str:
        call = self.exchange.arrive(self.agent.queues[0], "01201234567")
        self.wait(1.0)
        self.exchange.answer(self.agent, call)
        self.wait(1.0)
        return call.callid


@asynccontextmanager
async def asked(pbx: Pbx) -> AsyncIterator[TestClient[web.Request, web.Application]]:
    async with TestClient(TestServer(application(pbx.simulation, KEY))) as client:
        yield client


async def post(client: TestClient[web.Request, web.Application], path: str, **body: Any) -> Any:
    """The status and the reply; the key goes with it, except to the simulator's own endpoints."""
    key = {} if path.startswith("/sim/") else {"key": KEY}
    async with client.post(path, json=key | body) as reply:
        return reply.status, await reply.json()


DIAL = "/api/CallControl/dial/from_number/{}/to_number/01207654321/key/{}/domain/demo.invalid"


async def test_dial_rings_the_agent_and_then_the_customer() -> None:
    pbx = Pbx()
    async with asked(pbx) as client, client.get(DIAL.format("101", KEY)) as reply:
        assert await reply.text() == "Success"

    pushed = pbx.wait(40.0)
    assert pushed[0] == {"extension": "101", "status": "ring"}
    assert [params["event"] for params in pushed if "event" in params][:1] == ["RING"]
    assert any(params.get("phone") == "01207654321" for params in pushed)


async def test_a_supervisors_phone_answers_click_to_call_by_itself() -> None:
    pbx = Pbx()
    async with asked(pbx) as client, client.get(DIAL.format("900", KEY)) as reply:
        assert await reply.text() == "Success"

    (ring,) = [params for params in pbx.wait(1.5) if "event" in params]
    assert (ring["extension"], ring["event"]) == ("900", "RING")


async def test_dial_from_an_unknown_extension_says_why_not() -> None:
    async with asked(Pbx()) as client, client.get(DIAL.format("555", KEY)) as reply:
        assert (await reply.text()).startswith("Failed")


async def test_a_wrong_key_does_nothing() -> None:
    pbx = Pbx()
    async with asked(pbx) as client:
        reply = await post(client, "/api/Agent/update_status", key="x", exten="101", status="1")
        async with client.get(DIAL.format("101", "x")) as dialled:
            assert dialled.status == 403

    assert reply[0] == 403
    assert pbx.wait(5.0) == []


async def test_pause_and_unpause_come_back_as_webhooks() -> None:
    pbx = Pbx()
    async with asked(pbx) as client:
        assert (await post(client, "/api/Agent/update_status", exten="101", status="1"))[0] == 200
        assert pbx.wait(0.1) == [{"extension": "101", "status": "pause"}]
        assert (await post(client, "/api/Agent/update_status", exten="101", status="0"))[0] == 200
        assert pbx.wait(0.1) == [{"extension": "101", "status": "on"}]


@pytest.mark.parametrize("body", [{"exten": "102", "status": "1"}, {"exten": "101", "status": "2"}])
async def test_a_pause_that_cannot_be_is_refused(body: dict[str, str]) -> None:
    pbx = Pbx()
    async with asked(pbx) as client:
        status, reply = await post(client, "/api/Agent/update_status", **body)

    assert (status, reply["result"]) == (400, "error")
    assert pbx.wait(1.0) == []


async def test_spy_connects_the_supervisor_and_is_recorded() -> None:
    pbx = Pbx()
    callid = pbx.talk()
    async with asked(pbx) as client:
        status, _ = await post(
            client, "/api/Agent/spy/format/json", src="900", dst="101", mode="threeway"
        )
        pbx.wait(1.5)
        async with client.get("/sim/truth") as reply:
            (session,) = (await reply.json())["listening"]

    assert status == 200
    assert session == {
        "src": "900",
        "dst": "101",
        "mode": "threeway",
        "callid": callid,
        "connected": True,
        "ended": False,
    }


async def test_spy_on_nobody_is_refused() -> None:
    async with asked(Pbx()) as client:
        status, _ = await post(
            client, "/api/Agent/spy/format/json", src="900", dst="101", mode="whisper"
        )

    assert status == 400


async def test_phone_states_are_the_phones_even_after_a_log_off() -> None:
    pbx = Pbx()
    pbx.talk()
    pbx.exchange.log_out(pbx.agent)
    wanted = [{"ext": "101"}, {"ext": "102"}, {"ext": "900"}, {"ext": "555"}]
    async with asked(pbx) as client:
        _, reply = await post(client, "/api/Agent/status/format/json", list=wanted)

    assert [entry["status"] for entry in reply["result"]] == ["talk", "off", "on", "unknown"]


async def test_members_are_told_with_queue_name_and_pause() -> None:
    pbx = Pbx()
    pbx.exchange.set_paused(pbx.agent, True)
    async with asked(pbx) as client:
        _, reply = await post(client, "/api/Agent/all_members/format/json")

    first = reply["result"][0]
    assert len(reply["result"]) == 6
    assert (first["queue"], first["queue_name"], first["extension"]) == ("901", "Sales", "101")
    assert (first["status"], first["paused"], first["name"]) == ("pause", "1", pbx.agent.name)


async def test_call_records_are_found_by_callid_and_day() -> None:
    pbx = Pbx()
    callid = pbx.talk()
    pbx.exchange.hang_up(pbx.exchange.switch.calls[callid])
    path = "/internal/Reports/cdr/format/json"
    async with asked(pbx) as client:
        _, found = await post(client, path, callid=callid)
        _, none = await post(client, path, startdate="2026-03-09", enddate="2026-03-09")

    (record,) = found["result"]
    assert (record["callid"], record["destination"], record["direction"]) == (
        callid,
        "101",
        "Inbound",
    )
    assert none["result"] == []


async def test_requests_are_remembered_without_the_key() -> None:
    async with asked(Pbx()) as client:
        await post(client, "/api/Agent/update_status", exten="101", status="1")
        async with client.get(DIAL.format("101", KEY)):
            pass
        async with client.get("/sim/requests") as reply:
            text, listed = await reply.text(), (await reply.json())["requests"]

    assert KEY not in text
    assert [entry["status"] for entry in listed] == [200, 200]
    assert listed[0]["body"] == {"key": "***", "exten": "101", "status": "1"}
    assert listed[1]["path"] == DIAL.format("101", "***")


async def test_api_faults_are_switched_on_for_a_while() -> None:
    pbx = Pbx()
    members = "/api/Agent/all_members/format/json"
    async with asked(pbx) as client:
        await post(client, "/sim/faults", **{"api_error": True, "for": 600})
        async with client.post(members, json={"key": KEY}) as failed:
            assert failed.status == 500
        pbx.wait(601.0)
        assert (await post(client, members))[0] == 200

        await post(client, "/sim/faults", api_garbage=1)
        async with client.post(members, json={"key": KEY}) as garbage:
            assert "Notice" in await garbage.text()


async def test_a_slow_api_has_acted_before_it_answers() -> None:
    pbx = Pbx()
    pbx.simulation.faults.api_slow = 0.05
    async with asked(pbx) as client:
        await post(client, "/api/Agent/update_status", exten="101", status="1")

    assert pbx.agent.paused


async def test_a_wrong_fault_is_refused_in_words() -> None:
    async with asked(Pbx()) as client:
        status, reply = await post(client, "/sim/faults", noise=1)

    assert status == 400
    assert "noise" in reply["error"]


async def test_a_surge_and_a_hang_up_reach_the_floor() -> None:
    pbx = Pbx()
    pbx.talk()
    async with asked(pbx) as client:
        await post(client, "/sim/surge", calls=5, queue="901")
        assert len(pbx.exchange.switch.queues["901"].waiting) == 5
        _, reply = await post(client, "/sim/hangup", extension="101")

    assert reply == {"ended": 1}


# -- pushing -----------------------------------------------------------------------------------


@dataclass
class Board:
    """Takes webhooks; `status` is what it answers."""

    status: int = 200
    got: list[tuple[str, str, dict[str, str]]] = field(default_factory=list)

    async def take(self, request: web.Request) -> web.Response:
        params = dict(request.query) if request.method == "GET" else await request.json()
        self.got.append((request.method, request.path, params))
        return web.Response(status=self.status)

    def server(self) -> TestServer:
        app = web.Application()
        app.router.add_route("*", "/{path:.*}", self.take)
        return TestServer(app)


WEBHOOK = Webhook(
    0.0, "/api/callcenter/calldata", {"callid": "1", "calldate": "2026-03-02 08:00:00"}, "Cdr"
)


@pytest.mark.parametrize(("style", "method"), [("get", "GET"), ("json", "POST")])
@pytest.mark.parametrize("keep_alive", [True, False])
async def test_webhooks_are_pushed_as_query_or_json(
    style: Any, method: str, keep_alive: bool
) -> None:
    board = Board()
    async with board.server() as server:
        target = str(server.make_url("/hook/token/"))
        async with Pusher(target, style=style, keep_alive=keep_alive) as pusher:
            pusher.push(WEBHOOK)
            await pusher.drain(5.0)

    assert board.got == [(method, "/hook/token/api/callcenter/calldata", WEBHOOK.params)]
    assert pusher.counts == {"accepted": 1}


async def test_a_refused_webhook_is_counted_and_not_repeated() -> None:
    board = Board(status=503)
    async with board.server() as server, Pusher(str(server.make_url("/"))) as pusher:
        pusher.push(WEBHOOK)
        await pusher.drain(5.0)

    assert len(board.got) == 1
    assert pusher.counts == {"refused": 1}


async def test_a_board_that_is_down_costs_webhooks_and_nothing_else(free_port: int) -> None:
    async with Pusher(f"http://127.0.0.1:{free_port}") as pusher:
        for _ in range(20):
            pusher.push(WEBHOOK)
        await pusher.drain(5.0)

    assert pusher.counts == {"failed": 20}


async def test_the_exchange_starts_when_the_board_listens() -> None:
    async with Board().server() as server:
        await somebody_listens(str(server.make_url("/")), 60.0, asyncio.Event())


async def test_the_exchange_waits_no_longer_than_it_is_told(free_port: int) -> None:
    await somebody_listens(f"http://127.0.0.1:{free_port}", 0.2, asyncio.Event())


async def test_a_live_run_ends_when_everybody_has_gone_home() -> None:
    world = World(Plan(agents=2, seed=1, start=PLAN.start))
    outbox = Outbox()
    world.close_after(0.05)

    await asyncio.wait_for(Simulation(world, Faults(), outbox, speed=20_000).run(), 20.0)

    assert outbox.pushed
    assert world.exchange.switch.calls == {}


def test_the_command_stops_cleanly_when_interrupted(free_port: int) -> None:
    words = ["--target", "http://127.0.0.1:1/hook/token", "--port", str(free_port), "--wait", "0"]
    command = [sys.executable, "-m", "app.simulator", *words]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT) as process:
        assert process.stdout is not None
        assert b"24 agents" in process.stdout.readline()
        process.send_signal(signal.SIGINT)
        output, _ = process.communicate(timeout=20)

    assert process.returncode == 0
    assert output.rpartition(b"Stopped.")[1]
    assert b"token" not in output
