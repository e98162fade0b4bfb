"""The simulator's own endpoints under /sim: its truth, what it was asked, its faults, small pushes.

Not part of any PBX: tests and demonstrations use them.
"""

from aiohttp import web

from app.simulator.api import PbxApi, read_json
from app.simulator.live import Simulation
from app.simulator.truth import truth
from app.simulator.world import World


class Control:
    def __init__(self, simulation: Simulation, api: PbxApi) -> None:
        self._simulation = simulation
        self._api = api

    def routes(self) -> list[web.RouteDef]:
        return [
            web.get("/sim/truth", self.truth),
            web.get("/sim/state", self.state),
            web.get("/sim/requests", self.requests),
            web.delete("/sim/requests", self.forget_requests),
            web.get("/sim/faults", self.faults),
            web.post("/sim/faults", self.change_faults),
            web.post("/sim/surge", self.surge),
            web.post("/sim/hangup", self.hang_up),
        ]

    async def truth(self, request: web.Request) -> web.Response:
        self._simulation.advance()
        return web.json_response(truth(self._simulation.world.exchange))

    async def state(self, request: web.Request) -> web.Response:
        return web.json_response(self._simulation.state())

    async def requests(self, request: web.Request) -> web.Response:
        return web.json_response({"requests": self._api.requests.entries()})

    async def forget_requests(self, request: web.Request) -> web.Response:
        self._api.requests.clear()
        return web.json_response({"requests": []})

    async def faults(self, request: web.Request) -> web.Response:
        return web.json_response(self._simulation.faults.as_dict())

    async def change_faults(self, request: web.Request) -> web.Response:
        """`{"drop": 0.1, "for": 600}`: for ten simulated minutes; without `for`, until changed."""
        wanted = await read_json(request)
        span = wanted.pop("for", None)
        self._simulation.advance()
        try:
            self._simulation.change_faults(wanted, None if span is None else float(span))
        except (ValueError, TypeError) as error:
            return web.json_response({"error": str(error)}, status=400)
        return web.json_response(self._simulation.faults.as_dict())

    async def surge(self, request: web.Request) -> web.Response:
        """`{"calls": 30, "queue": "901"}`: so many callers at once; any queue if none is named."""
        wanted = await read_json(request)
        calls, queue = wanted.get("calls", 1), str(wanted.get("queue") or "")
        if not isinstance(calls, int) or queue not in ("", *self._world().exchange.switch.queues):
            return web.json_response({"error": "calls or queue is wrong"}, status=400)
        self._simulation.advance()
        for _ in range(min(calls, 10_000)):
            self._world().customers.call(queue)
        return web.json_response({"calls": calls})

    async def hang_up(self, request: web.Request) -> web.Response:
        """`{"extension": "900"}`: whoever it is puts the receiver down."""
        extension = str((await read_json(request)).get("extension") or "")
        self._simulation.advance()
        exchange = self._world().exchange
        ended = exchange.listeners.stop(extension) + exchange.put_down(extension)
        return web.json_response({"ended": ended})

    def _world(self) -> World:
        return self._simulation.world
