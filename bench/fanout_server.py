"""One frame to all viewers, in three ways: ours, ours the long way, and websockets.broadcast().

`python -m bench.fanout_server WAY PORT`; WAY is line, send_text, broadcast or broadcast_deflate.
The question {"size": bytes, "every_s": seconds} sets how big frames are and how often they come.
"""

import asyncio
import contextlib
import random
import sys
from collections.abc import Sized
from typing import Any

import uvloop
from starlette.applications import Starlette
from starlette.routing import WebSocketRoute
from starlette.websockets import WebSocket
from websockets.asyncio.server import ServerConnection, broadcast
from websockets.asyncio.server import serve as serve_websockets
from websockets.exceptions import ConnectionClosed

from app.protocol import server_config
from app.screen import Screen
from app.web.live_protocol import LiveProtocol
from app.web.viewer import Viewer
from bench.processes import questions, say
from bench.serving import started

# Cards look alike but for names, numbers and times: about this much of a frame is new.
CARD = (
    '<article id="a-{0}" class="card" data-status="talk" data-look="talk" data-steps="60 300 900" '
    'data-queues="q-501 "><header><i class="icon i-talk" aria-hidden="true"></i><h3 dir="auto">'
    'Agent {0}</h3><span class="extension">{0}</span></header><p class="status"><b>Talking</b>'
    '<time data-since="17640{1}" hx-morph-skip-children>{2}:{3}</time></p><p class="call"><span '
    'class="phone">09{1}</span></p></article>'
)


def cards(size: int, chance: random.Random) -> str:
    """HTML of about `size` bytes, different each time."""
    made, length = [], 0
    while length < size:
        made.append(
            CARD.format(
                chance.randrange(10_000, 15_000),
                chance.randrange(10**7, 10**8),
                chance.randrange(10, 24),
                chance.randrange(10, 60),
            )
        )
        length += len(made[-1])
    return "".join(made)[:size]


class Show:
    """What all viewers of this server see."""

    def __init__(self) -> None:
        self.screen = Screen(lambda: 0, frame_s=0)
        self.connections: set[ServerConnection] = set()
        self.version = 0

    async def live(self, socket: WebSocket) -> None:
        await socket.accept()
        await Viewer(socket, self.screen).serve()

    async def handle(self, connection: ServerConnection) -> None:
        self.connections.add(connection)
        with contextlib.suppress(ConnectionClosed):
            async for _ in connection:
                pass
        self.connections.discard(connection)

    def publish(self, html: str) -> None:
        self.version += 1
        self.screen.update({"p": f'<p id="p">{html}</p>'})

    def publish_by_broadcast(self, html: str) -> None:
        self.version += 1
        marker = f'<i id="beat" hidden data-version="{self.version}" data-now="0"></i>'
        broadcast(self.connections, f'<p id="p">{html}</p>{marker}')


async def main(way: str, port: int) -> None:
    show = Show()
    if way.startswith("broadcast"):
        compression: Any = "deflate" if way.endswith("deflate") else None
        serving = serve_websockets(
            show.handle, "127.0.0.1", port, compression=compression, ping_interval=15
        )
        async with serving:
            await answer(show, show.publish_by_broadcast, show.connections)
        return
    app = Starlette(routes=[WebSocketRoute("/live", show.live)])
    ws: Any = LiveProtocol if way == "line" else "websockets-sansio"
    config = server_config(app, boards_per_s=1e9, ws=ws, lifespan="off", port=port)
    server, running = await started(config)
    show.publish("")
    await answer(show, show.publish, server.server_state.connections)
    server.should_exit = True
    await running


async def answer(show: Show, publish: Any, connections: Sized) -> None:
    """Frames as asked for, until the starter goes away."""
    chance, task = random.Random(7), None
    say(ready=True)
    async for question in questions():
        if task is not None:
            task.cancel()
            task = None
        if question["every_s"]:
            # Made before: writing HTML is not what is measured.
            made = [cards(question["size"], chance) for _ in range(20)]
            task = asyncio.create_task(keep_publishing(publish, made, question["every_s"]))
        say(connections=len(connections), published=show.version)


async def keep_publishing(publish: Any, made: list[str], every_s: float) -> None:
    number = 0
    while True:
        publish(made[number % len(made)])
        number += 1
        await asyncio.sleep(every_s)


if __name__ == "__main__":
    uvloop.run(main(sys.argv[1], int(sys.argv[2])))
