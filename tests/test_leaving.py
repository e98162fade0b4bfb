"""The end of the server: boards go one after the other, and the PBX is heard until then."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from typing import Any

import pytest
from starlette.applications import Starlette
from starlette.responses import PlainTextResponse
from starlette.routing import Route, WebSocketRoute
from starlette.websockets import WebSocket, WebSocketDisconnect

from app.leaving import LeavingServer
from app.protocol import server_config
from app.web.live_protocol import LiveProtocol
from tests.live_viewer import CLOSE, READS_NOTHING, Viewer, look
from tests.senders import Line
from tests.waiting import until

pytestmark = pytest.mark.anyio

LEAVE_S = 0.6
BOARDS = 6
RESTART = 1012


async def board(socket: WebSocket) -> None:
    """With more than the kernel takes where that is asked for."""
    await socket.accept()
    await socket.send_text("x" * int(socket.query_params.get("size", "1")))
    with suppress(WebSocketDisconnect):
        await socket.receive_text()


async def hear(request: Any) -> PlainTextResponse:
    return PlainTextResponse("heard")


@asynccontextmanager
async def serving(port: int) -> AsyncIterator[LeavingServer]:
    app = Starlette(routes=[WebSocketRoute("/live", board), Route("/hook", hear)])
    config = server_config(
        app,
        boards_per_s=1000,
        ws=LiveProtocol,
        port=port,
        lifespan="off",
        timeout_graceful_shutdown=1,
    )
    server = LeavingServer(config)
    server.leave_s = LEAVE_S
    running = asyncio.create_task(server.serve())
    await until(lambda: server.started)
    yield server
    server.should_exit = True
    await asyncio.wait_for(running, 10)


async def gone_at(viewer: Viewer) -> float:
    await viewer.gone
    return asyncio.get_running_loop().time()


async def test_boards_are_closed_one_after_the_other_and_webhooks_are_heard_meanwhile(free_port):
    async with serving(free_port) as server:
        viewers, line = [await look(free_port, "") for _ in range(BOARDS)], Line(free_port)
        leaving = [asyncio.create_task(gone_at(viewer)) for viewer in viewers]
        server.should_exit = True
        await asyncio.wait(leaving, return_when=asyncio.FIRST_COMPLETED)
        heard = await line.send(b"GET /hook HTTP/1.1\r\nHost: x\r\n\r\n")
        line.close()
        too_late = await look(free_port, "")
        times = sorted(await asyncio.gather(*leaving))

    assert [viewer.code for viewer in viewers] == [RESTART] * BOARDS
    assert heard == 200
    assert too_late.status == 503
    # Each in its turn, the last a turn before the time is over.
    assert times[-1] - times[0] > LEAVE_S * (BOARDS - 1) / BOARDS - 0.1


async def test_what_no_longer_lives_closes_all_boards_at_once(free_port):
    async with serving(free_port) as server:
        viewers = [await look(free_port, "") for _ in range(BOARDS)]
        server.leave_s = 0.0
        server.should_exit = True
        times = sorted(await asyncio.gather(*(gone_at(viewer) for viewer in viewers)))

    assert times[-1] - times[0] < LEAVE_S / 3


async def test_a_page_that_said_goodbye_and_reads_nothing_hinders_no_end(free_port):
    async with serving(free_port) as server:
        viewer = await look(free_port, "", READS_NOTHING, path="/live?size=16000000")
        [connection] = [each for each in server.server_state.connections if is_board(each)]
        viewer.say(RESTART.to_bytes(2, "big"), CLOSE)
        await until(lambda: connection.transport.is_closing())
    viewer.transport.abort()


def is_board(connection: object) -> bool:
    return isinstance(connection, LiveProtocol)
