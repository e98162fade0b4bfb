"""Live boards opened by peers that misbehave, beside one that does not. Times are shortened here;
`tests/chaos/hostile.py` waits as long as it takes."""

import asyncio
import socket
import zlib
from collections.abc import Iterator
from pathlib import Path

import pytest

from app.web.viewer import Viewer as ServedViewer
from tests.bad_cases import runs
from tests.live_viewer import (
    ACKNOWLEDGES_NOTHING,
    READS_NOTHING,
    Deaf,
    Trickle,
    Viewer,
    frame_of,
    look,
)
from tests.served import Served, until
from tests.test_bad_inputs import MEBIBYTE, resident_bytes

pytestmark = pytest.mark.anyio

PINGS = {"ws_ping_interval": 0.5, "ws_ping_timeout": 0.5}
ACKNOWLEDGE_S = 1.5


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    with Served(tmp_path_factory.mktemp("sockets"), PINGS) as running:
        for extension in range(101, 161):
            running.hook("/Agent/ChangeStatus", extension=str(extension), status="on")
        yield running


@pytest.fixture
def cookie(served: Served) -> str:
    return served.cookie("ann")


@pytest.fixture
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ServedViewer.__init__, "__defaults__", (ACKNOWLEDGE_S,))


def descriptors() -> int:
    return len(list(Path("/proc/self/fd").iterdir()))


async def gone(viewer: Viewer, seconds: float = 10) -> None:
    await asyncio.wait_for(asyncio.shield(viewer.gone), seconds)


async def still_works(served: Served, cookie: str) -> None:
    """Somebody else's board opens and shows what a webhook changes."""
    other = await look(served.port, cookie)
    await asyncio.wait_for(other.whole, 5)
    seen = asyncio.Event()
    other.on_frame = lambda html, at: seen.set() if b'id="a-101"' in html else None
    for status in ("pause", "on"):
        seen.clear()
        await asyncio.to_thread(served.hook, "/Agent/ChangeStatus", extension="101", status=status)
        await asyncio.wait_for(seen.wait(), 5)
    other.transport.abort()


@runs("ws-sends-1MiB-text")
async def test_a_page_that_says_a_mebibyte_is_closed_as_too_big(served: Served, cookie: str):
    before, viewer = resident_bytes(), await look(served.port, cookie)
    await viewer.whole
    viewer.say(b"a" * MEBIBYTE)
    await gone(viewer)

    assert viewer.code == 1009
    assert resident_bytes() - before < 16 * MEBIBYTE
    await still_works(served, cookie)


@runs("ws-sends-bad-utf8")
async def test_a_page_that_says_no_utf8_is_closed_with_1007(served: Served, cookie: str):
    viewer = await look(served.port, cookie)
    await viewer.whole
    viewer.say(b"\xff")
    await gone(viewer)

    assert viewer.code == 1007
    await still_works(served, cookie)


@pytest.mark.parametrize(
    ("said", "opcode", "code"),
    [("a" * 65, 1, 1009), ('{"action":"spy"}', 1, 1008), ("999999", 1, 1008), ("1", 2, 1003)],
)
async def test_a_page_that_says_anything_but_what_it_shows_is_closed(
    served: Served, cookie: str, said: str, opcode: int, code: int
):
    viewer = await look(served.port, cookie)
    await viewer.whole
    viewer.say(said, opcode)
    await gone(viewer)

    assert viewer.code == code


@runs("ws-sends-1000-messages-per-s")
async def test_a_page_that_talks_all_the_time_is_closed(served: Served, cookie: str):
    viewer = await look(served.port, cookie)
    await viewer.whole
    said = 0
    while viewer.code is None and said < 1000:
        viewer.say(viewer.version)
        said += 1
        await asyncio.sleep(0.001)
    await gone(viewer)

    assert viewer.code == 1008
    assert said < 100
    await still_works(served, cookie)


@runs("ws-20-per-user")
async def test_one_person_has_ten_boards_open_and_no_eleventh(served: Served):
    cookie = served.cookie("bob")
    viewers = [await look(served.port, cookie) for _ in range(20)]

    assert [viewer.status for viewer in viewers] == [101] * 10 + [429] * 10
    await still_works(served, served.cookie("ann"))
    viewers[0].transport.abort()
    await gone(viewers[0])
    await asyncio.to_thread(until, lambda: served.parts.screens.viewers < 10)
    viewers.append(await look(served.port, cookie))
    assert viewers[-1].status == 101
    for viewer in viewers:
        viewer.transport.abort()


@runs("ws-compressed-bomb")
@pytest.mark.parametrize(
    "offer", ["permessage-deflate", "permessage-deflate; client_max_window_bits"]
)
@pytest.mark.parametrize("mebibytes", [2, 64])
async def test_a_bomb_in_a_compressed_message_is_not_unpacked(
    served: Served, cookie: str, offer: str, mebibytes: int
):
    bomb = deflated(bytes(mebibytes * MEBIBYTE))
    before = resident_bytes()
    headers = (f"Sec-WebSocket-Extensions: {offer}",)
    viewer = await look(served.port, cookie, ACKNOWLEDGES_NOTHING, headers=headers)
    frame = bytearray(frame_of(bomb))
    frame[0] |= 0x40
    viewer.transport.write(bytes(frame))
    await gone(viewer)

    assert viewer.code == 1009
    assert resident_bytes() - before < 16 * MEBIBYTE
    await still_works(served, cookie)


def deflated(data: bytes) -> bytes:
    deflate = zlib.compressobj(wbits=-12)
    packed = deflate.compress(data) + deflate.flush(zlib.Z_SYNC_FLUSH)
    return packed.removesuffix(b"\x00\x00\xff\xff")


@runs("ws-never-reads")
@pytest.mark.usefixtures("impatient")
async def test_a_page_that_reads_nothing_is_let_go(served: Served, cookie: str):
    open_before = served.parts.screens.viewers
    viewers = [await look(served.port, cookie, READS_NOTHING) for _ in range(5)]
    await still_works(served, cookie)
    await asyncio.to_thread(until, lambda: served.parts.screens.viewers <= open_before, 10)
    for viewer in viewers:
        viewer.transport.abort()


@runs("ws-half-open")
@pytest.mark.usefixtures("impatient")
async def test_a_page_whose_network_is_gone_is_let_go_with_its_descriptors(
    served: Served, cookie: str
):
    open_before = served.parts.screens.viewers
    async with Deaf(served.port) as proxy:
        before = descriptors()
        viewers = [await look(proxy.port, cookie, origin_port=served.port) for _ in range(5)]
        await asyncio.wait_for(asyncio.gather(*(viewer.whole for viewer in viewers)), 5)
        proxy.hears.clear()
        await still_works(served, cookie)
        await asyncio.to_thread(until, lambda: served.parts.screens.viewers <= open_before, 10)
        for viewer in viewers:
            viewer.transport.abort()
        proxy.hears.set()
        await asyncio.to_thread(until, lambda: descriptors() <= before, 15)


@pytest.mark.usefixtures("impatient")
async def test_a_page_that_reads_a_hundred_bytes_a_second_is_let_go(served: Served, cookie: str):
    open_before = served.parts.screens.viewers
    viewer = await look(served.port, cookie, READS_NOTHING)
    trickling = asyncio.create_task(Trickle(viewer, 100).run())
    await still_works(served, cookie)
    await asyncio.to_thread(until, lambda: served.parts.screens.viewers <= open_before, 10)
    viewer.transport.abort()
    await trickling


async def test_a_page_that_never_answers_is_told_to_try_later(
    served: Served, cookie: str, impatient: None
):
    viewer = await look(served.port, cookie, ACKNOWLEDGES_NOTHING)
    await gone(viewer)

    assert viewer.code == 1013


BAD_UPGRADES = {
    "a long path": "",
    "a body": "Content-Length: 3\r\n\r\nabc",
    "a chunked body": "Transfer-Encoding: chunked\r\n\r\n0\r\n",
    "300 headers": "".join(f"X-{number}: 1\r\n" for number in range(300)),
    "a long line": f"X: {'a' * 12_000}\r\n",
}


@pytest.mark.parametrize("shape", BAD_UPGRADES)
def test_a_board_that_can_not_open_is_told_so_and_closed(served: Served, shape: str):
    query = "a" * 12_000 if shape == "a long path" else ""
    with socket.create_connection(("127.0.0.1", served.port), 10) as connection:
        connection.sendall(
            f"GET /live?{query} HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\n"
            "Upgrade: websocket\r\nSec-WebSocket-Version: 13\r\n"
            f"Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n{BAD_UPGRADES[shape]}\r\n".encode()
        )
        said = b""
        while piece := connection.recv(65536):
            said += piece

    assert 400 <= int(said.split()[1]) <= 431
