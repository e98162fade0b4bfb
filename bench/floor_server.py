"""A board of a busy floor for one browser, made with as little CPU beside it as can be.

`python -m bench.floor_server PORT AGENTS RATE`. The floor, its drawing, the screen and the viewer
are Pitwall's own. What is left out is what a supervisor's desk has not: webhooks, the log, sign-in.
"""

import asyncio
import itertools
import sys
import time
from zoneinfo import ZoneInfo

import uvloop
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import HTMLResponse, Response
from starlette.routing import Route, WebSocketRoute
from starlette.websockets import WebSocket

from app.actions.desk import Policy
from app.audience import Audience
from app.clock import SteadyClock
from app.domain.days import BusinessDay
from app.domain.events import Event, Tick
from app.domain.floor import Floor
from app.domain.turn import Changes
from app.drawing import EVERYTHING
from app.pbx.voicecloud import decode
from app.projector import TICK_S
from app.protocol import server_config
from app.render import Renderer
from app.rights import ACTING
from app.screen import FRAME_S, Screen
from app.tuning import tune_process
from app.web import assets
from app.web.board import drawn
from app.web.live_protocol import LiveProtocol
from app.web.viewer import Viewer
from bench.processes import say
from bench.serving import started
from bench.traffic import Traffic, Webhook

ZONE = ZoneInfo("Asia/Ho_Chi_Minh")
# Those of a supervisor with a phone, where an exchange is configured.
ACTS = frozenset({*(right.value for right in ACTING), "phone", "pbx"})


class Board:
    """The floor and what a supervisor sees of it; it stands still while nobody watches."""

    def __init__(self, agents: int, rate: float) -> None:
        self._clock = SteadyClock()
        self._traffic = Traffic(agents)
        self._per_frame = rate * FRAME_S
        self._floor = Floor(BusinessDay(ZONE))
        self._renderer = Renderer(ZONE, assets.BUILD)
        self._audience = Audience(acts=ACTS)
        self._seq = self._ticked = 0
        self._screen = Screen(self._clock, assets.BUILD, frame_s=0)
        self._apply([*itertools.chain(*self._traffic.openings())])
        self._apply_event(Tick())
        self._draw(EVERYTHING)
        self._hooks = itertools.chain.from_iterable(self._traffic.moments(rate))

    async def page(self, request: Request) -> Response:
        """The board, as `app.web.board` shows it."""
        return HTMLResponse(
            self._renderer.page(
                "board.html",
                page="board",
                acts=ACTS,
                policy=Policy(),
                board=drawn(self._screen),
                zone=str(ZONE),
                feed="/live",
                only_at="",
            )
        )

    async def live(self, socket: WebSocket) -> None:
        """Frames, and with them the life of the floor."""
        await socket.accept()
        living = asyncio.create_task(self._live())
        await Viewer(socket, self._screen).serve()
        living.cancel()

    async def _live(self) -> None:
        owed, due = 0.0, time.monotonic()
        while True:
            owed += self._per_frame
            changes = self._apply(list(itertools.islice(self._hooks, int(owed))))
            owed -= int(owed)
            if self._clock() - self._ticked >= TICK_S * 1000:
                changes.add(self._apply_event(Tick()))
            self._draw(changes)
            due += FRAME_S
            await asyncio.sleep(max(0.0, due - time.monotonic()))

    def _apply(self, hooks: list[Webhook]) -> Changes:
        changes = Changes()
        for path, parameters in hooks:
            changes.add(self._apply_event(decode(path, parameters, now=self._clock(), zone=ZONE)))
        return changes

    def _apply_event(self, event: Event) -> Changes:
        self._seq += 1
        at = self._clock()
        if isinstance(event, Tick):
            self._ticked = at
        return self._floor.apply(self._seq, at, event)

    def _draw(self, changes: Changes) -> None:
        drawing = self._renderer.fragments(changes, self._floor, self._audience)
        self._screen.update(drawing.fragments, drawing.lists, self._ticked)


async def main(port: int, agents: int, rate: float) -> None:
    """Serve the board until told to stop."""
    tune_process()
    board = Board(agents, rate)
    app = Starlette(
        routes=[
            Route("/", board.page),
            Route("/alive", lambda request: Response(status_code=204)),
            WebSocketRoute("/live", board.live),
            *assets.ROUTES,
        ]
    )
    config = server_config(app, ws=LiveProtocol, lifespan="off", port=port)
    _, running = await started(config)
    say(ready=True)
    await running


if __name__ == "__main__":
    uvloop.run(main(int(sys.argv[1]), int(sys.argv[2]), float(sys.argv[3])))
