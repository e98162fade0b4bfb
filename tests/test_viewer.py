"""One viewer's WebSocket, from the handshake to the many ways in which it may end."""

from collections.abc import Iterator

import anyio
import pytest
from starlette.applications import Starlette
from starlette.responses import PlainTextResponse
from starlette.routing import WebSocketRoute
from starlette.testclient import TestClient, WebSocketDenialResponse, WebSocketTestSession
from starlette.websockets import WebSocket, WebSocketDisconnect

from app.screen import Screen
from app.web.origin import is_ours
from app.web.viewer import MOST_REPEATS, Viewer

PUBLIC = "http://board.example:8000"


class Site:
    """A screen and the one route that shows it. What is written to `ending` ends a viewer."""

    def __init__(self) -> None:
        self.screen = Screen(lambda: 1_000, build="b1", frame_s=0)
        self.screen.update({"p": '<p id="p">1</p>'})
        self.acknowledge_s = 20.0
        self.ending = 0
        self.client = TestClient(Starlette(routes=[WebSocketRoute("/live", self.live)]))

    async def live(self, socket: WebSocket) -> None:
        if not is_ours(socket.headers, PUBLIC):
            await socket.send_denial_response(PlainTextResponse("not ours", 403))
            return
        await socket.accept()
        await Viewer(socket, self.screen, self.acknowledge_s).serve(self.ends())

    async def ends(self) -> int:
        while not self.ending:  # noqa: ASYNC110 - set from the test's own thread
            await anyio.sleep(0.01)
        return self.ending

    def viewer(self, origin: str = PUBLIC) -> WebSocketTestSession:
        return self.client.websocket_connect("/live", headers={"origin": origin})

    def change(self, viewer: WebSocketTestSession, text: str) -> None:
        """Change the screen in the loop that its viewer waits in."""
        viewer.portal.call(self.screen.update, {"p": f'<p id="p">{text}</p>'})


def end_of(viewer: WebSocketTestSession) -> int:
    """The code with which the server closes now."""
    with pytest.raises(WebSocketDisconnect) as ended:
        viewer.receive_text()
    return ended.value.code


@pytest.fixture
def site() -> Iterator[Site]:
    site = Site()
    with site.client:
        yield site


@pytest.mark.parametrize(
    "origin",
    [
        "null",
        "http://evil.example",
        "https://board.example:8000",
        "http://board.example",
        "http://board.example:8000.evil.example",
        "http://board.example:99999999",
        "",
    ],
)
def test_another_sites_page_is_refused_before_the_handshake(site: Site, origin: str) -> None:
    with pytest.raises(WebSocketDenialResponse) as refused, site.viewer(origin):
        pass

    assert refused.value.status_code == 403


def test_a_missing_origin_is_a_strangers(site: Site) -> None:
    with pytest.raises(WebSocketDenialResponse), site.client.websocket_connect("/live"):
        pass


def test_the_next_frame_leaves_only_after_the_acknowledgement(site: Site) -> None:
    with site.viewer() as viewer:
        assert ">1<" in viewer.receive_text()
        site.change(viewer, "2")
        site.change(viewer, "3")
        viewer.send_text("1")

        frame = viewer.receive_text()
        assert ">3<" in frame
        assert 'data-version="3"' in frame


def test_a_page_that_asks_for_more_is_sent_as_many_frames_ahead(site: Site) -> None:
    with site.viewer() as viewer:
        viewer.receive_text()
        viewer.send_text("1 3")
        for text in "234":
            site.change(viewer, text)
            assert f">{text}<" in viewer.receive_text()
        site.change(viewer, "5")
        site.change(viewer, "6")
        viewer.send_text("3 2")
        # One is still under way, so there is room for one, and it holds both changes.
        assert ">6<" in viewer.receive_text()
        site.change(viewer, "7")
        site.change(viewer, "8")
        viewer.send_text("6")

        assert ">8<" in viewer.receive_text()


def test_who_showed_some_of_it_and_then_falls_silent_is_told_as_well(site: Site) -> None:
    site.acknowledge_s = 0.2
    with site.viewer() as viewer:
        viewer.receive_text()
        viewer.send_text("1 8")
        site.change(viewer, "2")
        site.change(viewer, "3")
        viewer.receive_text()
        viewer.receive_text()
        viewer.send_text("2 8")

        assert end_of(viewer) == 1013


def test_a_viewer_that_acknowledges_nothing_is_told_to_come_back_later(site: Site) -> None:
    site.acknowledge_s = 0.05
    with site.viewer() as viewer:
        viewer.receive_text()

        assert end_of(viewer) == 1013


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("9" * 65, 1009),
        *((text, 1008) for text in ("hello", "", "-1", "999", "\u0661")),
        *((text, 1008) for text in ("1 0", "1 9", "1 ", " 1", "1 2 3", "1 x", "1 -2", "1 \u0662")),
    ],
)
def test_a_viewer_may_say_a_version_and_how_many_more_and_nothing_else(
    site: Site, text: str, code: int
) -> None:
    with site.viewer() as viewer:
        viewer.receive_text()
        viewer.send_text(text)

        assert end_of(viewer) == code


def test_bytes_are_not_understood(site: Site) -> None:
    with site.viewer() as viewer:
        viewer.receive_text()
        viewer.send_bytes(b"1")

        assert end_of(viewer) == 1003


def test_saying_the_same_for_ever_ends_the_connection(site: Site) -> None:
    with site.viewer() as viewer:
        viewer.receive_text()
        for _ in range(MOST_REPEATS + 2):
            viewer.send_text("1")

        assert end_of(viewer) == 1008


def test_an_ending_from_outside_closes_with_its_code(site: Site) -> None:
    with site.viewer() as viewer:
        viewer.receive_text()
        site.ending = 4401

        assert end_of(viewer) == 4401


def test_a_viewer_who_leaves_leaves_nothing_behind(site: Site) -> None:
    with site.viewer() as viewer:
        viewer.receive_text()

    with site.viewer() as viewer:
        assert ">1<" in viewer.receive_text()
