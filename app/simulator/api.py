"""The PBX's own HTTP API: dial, phone states, listening, queue members, pausing, call records."""

import asyncio
import hmac
import json
import random
from collections.abc import Callable
from typing import Any

from aiohttp import web

from app.simulator.exchange import Exchange, Refused
from app.simulator.live import Simulation
from app.simulator.model import Agent
from app.simulator.requests import RequestLog

GARBAGE = "<br />\n<b>Notice</b>:  Undefined index: exten in <b>Agent.php</b> on line <b>114</b>"

Body = dict[str, Any]
Deed = Callable[[Body], Any]


class PbxApi:
    """Each call first brings the simulation up to now, so that its effect is at the right time."""

    def __init__(self, simulation: Simulation, key: str) -> None:
        self._simulation = simulation
        self._exchange: Exchange = simulation.world.exchange
        self._key = key
        self._chance = random.Random(f"{simulation.world.plan.seed} api")
        self.requests = RequestLog(key)

    def routes(self) -> list[web.RouteDef]:
        dial = "/api/CallControl/dial/from_number/{extension}/to_number/{phone}"
        return [
            web.get(dial + "/key/{key}/domain/{domain}", self.dial),
            web.post("/api/Agent/status/format/json", self._json(self.status)),
            web.post("/api/Agent/spy/format/json", self._json(self.spy)),
            web.post("/api/Agent/all_members/format/json", self._json(self.all_members)),
            web.post("/api/Agent/update_status", self._json(self.update_status)),
            web.post("/internal/Reports/cdr/format/json", self._json(self.cdr)),
        ]

    # -- what is asked -------------------------------------------------------------------------

    async def dial(self, request: web.Request) -> web.StreamResponse:
        place = request.match_info

        def deed(_: Body) -> web.Response:
            try:
                self._exchange.click_to_call(place["extension"], place["phone"])
            except Refused as refusal:
                return web.Response(text=f"Failed: {refusal}")
            return web.Response(text="Success")

        return await self._answer(request, {"key": place["key"]}, deed)

    def status(self, body: Body) -> Any:
        wanted = [str(entry.get("ext", "")) for entry in _entries(body, "list")]
        agents = self._exchange.switch.agents
        return {"result": [{"ext": ext, "status": phone_state(agents.get(ext))} for ext in wanted]}

    def spy(self, body: Body) -> Any:
        self._exchange.listen(_text(body, "src"), _text(body, "dst"), _text(body, "mode"))
        return {"result": "success", "message": "Spy originated"}

    def all_members(self, body: Body) -> Any:
        queues = self._exchange.switch.queues.values()
        agents = self._exchange.switch.agents
        return {
            "result": [
                {
                    "queue": queue.number,
                    "queue_name": queue.name,
                    "extension": extension,
                    "name": agents[extension].name,
                    "status": phone_state(agents[extension]),
                    "paused": "1" if agents[extension].paused else "0",
                }
                for queue in queues
                for extension in queue.members
            ]
        }

    def update_status(self, body: Body) -> Any:
        wanted = _text(body, "status")
        if wanted not in ("0", "1"):
            raise Refused("status must be 0 or 1")
        agent = self._exchange.agent(_text(body, "exten"))
        self._exchange.set_paused(agent, wanted == "1", "supervisor")
        return {"result": "success", "exten": agent.extension, "paused": wanted}

    def cdr(self, body: Body) -> Any:
        callid, first, last = (_text(body, name) for name in ("callid", "startdate", "enddate"))
        found = [
            record
            for record in self._exchange.switch.records.kept
            if callid in ("", record["callid"])
            and (not first or first <= record["calldate"][:10])
            and (not last or record["calldate"][:10] <= last)
        ]
        return {"result": found}

    # -- how it is answered --------------------------------------------------------------------

    def _json(self, ask: Deed) -> Callable[[web.Request], Any]:
        def deed(body: Body) -> web.Response:
            try:
                return web.json_response(ask(body))
            except Refused as refusal:
                reply = {"result": "error", "message": str(refusal)}
                return web.json_response(reply, status=400)

        async def handle(request: web.Request) -> web.StreamResponse:
            return await self._answer(request, await read_json(request), deed)

        return handle

    async def _answer(
        self, request: web.Request, body: Body, deed: Callable[[Body], web.Response]
    ) -> web.StreamResponse:
        faults = self._simulation.faults
        reply = self._act(body, deed) if not self._hits(faults.api_error) else internal_error()
        self.requests.note(request.method, request.path, body, reply.status)
        if faults.api_slow:
            # What was asked for has happened all the same: who does not wait does not know.
            await asyncio.sleep(faults.api_slow)
        return web.Response(text=GARBAGE) if self._hits(faults.api_garbage) else reply

    def _act(self, body: Body, deed: Callable[[Body], web.Response]) -> web.Response:
        if not hmac.compare_digest(str(body.get("key", "")).encode(), self._key.encode()):
            return web.json_response({"result": "error", "message": "Invalid key"}, status=403)
        self._simulation.advance()
        reply = deed(body)
        self._simulation.advance()
        return reply

    def _hits(self, share: float) -> bool:
        return share > 0 and self._chance.random() < share


def phone_state(agent: Agent | None) -> str:
    """What the phone itself does, which a log-off does not change."""
    if agent is None:
        return "unknown"
    if agent.legs:
        return "talk" if agent.talks else "ring"
    if agent.answers_by_itself:
        return "on"
    return agent.status()


def internal_error() -> web.Response:
    return web.Response(status=500, text="Internal Server Error")


async def read_json(request: web.Request) -> Body:
    """The body as an object; anything else is an empty one."""
    try:
        body = json.loads(await request.text())
    except (ValueError, LookupError):
        return {}
    return body if isinstance(body, dict) else {}


def _text(body: Body, name: str) -> str:
    value = body.get(name)
    return "" if value is None else str(value)


def _entries(body: Body, name: str) -> list[Body]:
    entries = body.get(name)
    return (
        [entry for entry in entries if isinstance(entry, dict)] if isinstance(entries, list) else []
    )
