"""Two other designs on the same floor: models of what they send, not of all that they do.

`python -m bench.peer_server poll|whole PORT AGENTS`. Both are cheaper here than in life: nobody
asks a PBX, nobody signs in, and a floor that is not ours costs nothing to keep.
"""

import asyncio
import json
import sys
import time
from typing import Any

import uvloop
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route, WebSocketRoute
from starlette.websockets import WebSocket, WebSocketDisconnect

from app.protocol import server_config
from bench.processes import say
from bench.serving import started

EVERY_S = 0.5
TEAM = 100


class State:
    """What both of them keep of each agent, as plain values."""

    def __init__(self, agents: int) -> None:
        self.began = time.time()
        self.agents: dict[str, dict[str, Any]] = {
            str(10_000 + number): {
                "name": f"Agent {10_000 + number}",
                "queue": str(500 + number // TEAM),
                "status": "talk" if number % 10 < 7 else "on",
                "paused": False,
                "caller": f"09{number:08}",
                "answered": number % 40,
                "last_call": 0,
            }
            for number in range(agents)
        }

    def report(self) -> str:
        """The whole floor with durations as text, because the page does not count by itself."""
        now = time.time()
        queues: dict[str, Any] = {}
        for number, (extension, agent) in enumerate(self.agents.items()):
            seconds = int(now - self.began) + number % 600
            duration = f"{seconds // 3600:02}:{seconds // 60 % 60:02}:{seconds % 60:02}"
            queue = queues.setdefault(agent["queue"], {"members": {}, "waiting": 2, "calls": 0})
            queue["members"][extension] = {**agent, "duration": duration}
            queue["calls"] += agent["status"] == "talk"
        return json.dumps({"at": now, "queues": queues})


async def main(design: str, port: int, agents: int) -> None:
    state = State(agents)
    sockets: set[WebSocket] = set()

    async def poll(request: Request) -> Response:
        return Response(state.report(), media_type="application/json")

    async def live(socket: WebSocket) -> None:
        await socket.accept()
        sockets.add(socket)
        try:
            while True:
                await socket.receive_text()
        except WebSocketDisconnect:
            sockets.discard(socket)

    async def send_whole() -> None:
        while True:
            await asyncio.sleep(EVERY_S)
            text = state.report()
            for socket in list(sockets):
                await socket.send_text(text)

    app = Starlette(routes=[Route("/poll", poll), WebSocketRoute("/live", live)])
    # As uvicorn comes: each connection compresses for itself.
    config = server_config(
        app, boards_per_s=1e9, lifespan="off", port=port, ws_per_message_deflate=True
    )
    _, running = await started(config)
    sending = asyncio.create_task(send_whole()) if design == "whole" else None
    say(ready=True)
    await running
    if sending is not None:
        sending.cancel()


if __name__ == "__main__":
    uvloop.run(main(sys.argv[1], int(sys.argv[2]), int(sys.argv[3])))
