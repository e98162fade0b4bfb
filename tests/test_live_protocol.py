"""A peer that opens the board and reads nothing: it is cut off, whatever it left unread."""

import asyncio
import base64
import socket
from collections.abc import Callable

import pytest
import uvicorn
from starlette.applications import Starlette
from starlette.routing import WebSocketRoute
from starlette.websockets import WebSocket

from app.screen import Screen
from app.web import viewer
from app.web.live_protocol import LiveProtocol

pytestmark = pytest.mark.anyio

# More than the kernel takes for a peer that reads nothing.
UNREADABLE = "x" * 16_000_000
HANDSHAKE = (
    "GET /live HTTP/1.1\r\nHost: board\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
    f"Sec-WebSocket-Key: {base64.b64encode(bytes(16)).decode()}\r\n"
    "Sec-WebSocket-Version: 13\r\n\r\n"
)


async def show(socket: WebSocket) -> None:
    screen = Screen(lambda: 0, frame_s=0)
    screen.update({"p": f'<p id="p">{UNREADABLE}</p>'})
    await socket.accept()
    await viewer.Viewer(socket, screen, acknowledge_s=0.2).serve()


async def until(holds: Callable[[], bool]) -> None:
    async with asyncio.timeout(10):
        while not holds():  # noqa: ASYNC110 - uvicorn has no event for it
            await asyncio.sleep(0.01)


async def test_a_peer_that_reads_nothing_is_cut_off(
    free_port: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(viewer, "CLOSE_S", 0.1)
    monkeypatch.setattr(viewer, "ABORT_S", 0.1)
    app = Starlette(routes=[WebSocketRoute("/live", show)])
    config = uvicorn.Config(app, port=free_port, ws=LiveProtocol, lifespan="off", log_level="error")
    server = uvicorn.Server(config)
    serving = asyncio.create_task(server.serve())
    await until(lambda: server.started)

    peer = socket.create_connection(("127.0.0.1", free_port))
    peer.sendall(HANDSHAKE.encode())
    await until(lambda: bool(server.server_state.connections))
    await until(lambda: not server.server_state.connections)

    peer.close()
    server.should_exit = True
    await serving
