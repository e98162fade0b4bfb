"""The short way between board and page: frames, acknowledgements, and peers that read nothing."""

import asyncio
import base64
import contextlib
import gc
import socket
import weakref
from collections.abc import AsyncIterator
from typing import Any, Literal

import pytest
import uvicorn
from starlette.applications import Starlette
from starlette.routing import WebSocketRoute
from starlette.websockets import WebSocket
from websockets.asyncio.client import connect
from websockets.exceptions import ConnectionClosed
from websockets.extensions.permessage_deflate import ClientPerMessageDeflateFactory
from websockets.frames import Frame, Opcode

from app.screen import Screen
from app.web import viewer
from app.web.live_protocol import LiveProtocol
from tests.waiting import until

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


class Board:
    """A server with one screen and everything real but what is drawn."""

    def __init__(self, port: int, acknowledge_s: float = 20.0) -> None:
        self.port = port
        self.acknowledge_s = acknowledge_s
        self.screen = Screen(lambda: 0, frame_s=0)
        self.show("1")

    def show(self, text: str) -> None:
        self.screen.update({"p": f'<p id="p">{text}{" filled up" * 50}</p>'})

    async def live(self, socket: WebSocket) -> None:
        await socket.accept()
        await viewer.Viewer(socket, self.screen, self.acknowledge_s).serve()


@contextlib.asynccontextmanager
async def running(board: Board) -> AsyncIterator[str]:
    app = Starlette(routes=[WebSocketRoute("/live", board.live)])
    options: dict[str, Any] = {"lifespan": "off", "log_level": "error", "ws_max_size": 4096}
    server = uvicorn.Server(uvicorn.Config(app, port=board.port, ws=LiveProtocol, **options))
    serving = asyncio.create_task(server.serve())
    await until(lambda: server.started)
    yield f"ws://127.0.0.1:{board.port}/live"
    server.should_exit = True
    await serving


def masked(text: str) -> bytes:
    return Frame(Opcode.TEXT, text.encode()).serialize(mask=True)


@pytest.mark.parametrize("compression", ["deflate", None])
async def test_frames_and_acknowledgements_take_the_short_way(
    free_port: int, compression: Literal["deflate"] | None
) -> None:
    board = Board(free_port)
    async with running(board) as url, connect(url, compression=compression) as page:
        assert ">1 " in await page.recv(decode=True)
        board.show("2")
        board.show("3")
        await page.send("1")
        assert ">3 " in await page.recv(decode=True)
        await page.send("3")
        await asyncio.sleep(0.01)
        board.show("4")

        assert ">4 " in await page.recv(decode=True)


async def test_frames_ahead_take_the_short_way_as_well(free_port: int) -> None:
    board = Board(free_port)
    async with running(board) as url, connect(url) as page:
        await page.recv()
        await page.send("1 2")
        await asyncio.sleep(0.01)
        for text in "2345":
            board.show(text)

        assert ">2 " in await page.recv(decode=True)
        assert ">3 " in await page.recv(decode=True)
        await page.send("3 2")
        assert ">5 " in await page.recv(decode=True)


@pytest.mark.parametrize("forgets", [False, True])
async def test_who_keeps_up_reads_what_refers_to_earlier_frames(
    free_port: int, *, forgets: bool
) -> None:
    board = Board(free_port)
    agreed = ClientPerMessageDeflateFactory(server_no_context_takeover=forgets)
    async with (
        running(board) as url,
        connect(url, extensions=[agreed], compression=None) as page,
    ):
        await page.recv()
        for version in range(1, 6):
            await page.send(f"{version} 8")
            await asyncio.sleep(0.01)
            board.show(f"{version + 1} ")

            assert f">{version + 1} " in await page.recv(decode=True)


async def test_pings_and_acknowledgements_cut_anywhere_take_the_long_way(free_port: int) -> None:
    board = Board(free_port)
    async with running(board) as url, connect(url, compression=None) as page:
        for version in range(1, 6):
            assert f">{version} " in await page.recv(decode=True)
            await (await page.ping())
            said = masked(str(version))
            for piece in (said[:version], said[version:]):
                page.transport.write(piece)
                await asyncio.sleep(0.01)
            board.show(str(version + 1))

        assert ">6 " in await page.recv(decode=True)


async def test_two_messages_in_one_packet_are_both_heard(free_port: int) -> None:
    board = Board(free_port)
    async with running(board) as url, connect(url, compression=None) as page:
        await page.recv()
        page.transport.write(masked("1") + masked("nonsense"))

        with pytest.raises(ConnectionClosed) as ended:
            await page.recv()
        assert ended.value.rcvd is not None
        assert ended.value.rcvd.code == 1008


@pytest.mark.parametrize(("said", "code"), [("hello", 1008), ("9" * 65, 1009)])
async def test_nonsense_ends_the_short_way_as_well(free_port: int, said: str, code: int) -> None:
    async with running(Board(free_port)) as url, connect(url) as page:
        await page.recv()
        await page.send(said)

        with pytest.raises(ConnectionClosed) as ended:
            await page.recv()
        assert ended.value.rcvd is not None
        assert ended.value.rcvd.code == code


async def test_silence_ends_the_short_way_as_well(free_port: int) -> None:
    async with running(Board(free_port, acknowledge_s=0.1)) as url, connect(url) as page:
        await page.recv()

        with pytest.raises(ConnectionClosed) as ended:
            await page.recv()
        assert ended.value.rcvd is not None
        assert ended.value.rcvd.code == 1013


async def test_who_is_shown_nothing_new_may_be_silent_for_long(free_port: int) -> None:
    board = Board(free_port, acknowledge_s=0.6)
    async with running(board) as url, connect(url) as page:
        await page.recv()
        await page.send("1")
        await asyncio.sleep(0.8)
        board.show("2")

        assert ">2 " in await page.recv(decode=True)


async def test_who_left_is_told_no_more(free_port: int) -> None:
    board = Board(free_port)
    async with running(board) as url:
        async with connect(url) as page:
            await page.recv()
        await until(lambda: not board.screen.is_watched)


def connections() -> list[LiveProtocol]:
    """Those that are held by somebody."""
    return [one for one in gc.get_objects() if type(one) is LiveProtocol]


async def test_a_board_that_broke_off_waits_for_no_garbage_collector(free_port: int) -> None:
    board = Board(free_port)
    gc.collect()
    gc.disable()
    try:
        async with running(board) as url:
            page = await connect(url)
            await page.recv()
            held = [weakref.ref(one) for one in connections()]
            page.transport.abort()
            await page.wait_closed()
            await until(lambda: all(one() is None for one in held))
    finally:
        gc.enable()
    assert held


async def test_who_pings_and_reads_nothing_fills_no_memory(free_port: int) -> None:
    # More than the kernel keeps on the way back.
    pings, packets = Frame(Opcode.PING, bytes(125)).serialize(mask=True) * 1000, 200
    async with running(Board(free_port)) as url, connect(url) as page:
        await page.recv()
        page.transport.pause_reading()
        for _ in range(packets):
            page.transport.write(pings)
            await until(lambda: not page.transport.get_write_buffer_size())

        assert any(one.transport.get_write_buffer_size() for one in connections())
        assert all(one.transport.get_write_buffer_size() < 400_000 for one in connections())
