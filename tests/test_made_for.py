"""A page says whom it was made for, and one that was made for somebody else gets no news."""

from collections.abc import Iterator
from typing import Any

import pytest
from starlette.testclient import WebSocketTestSession
from starlette.websockets import WebSocketDisconnect

from app.access.walls import Display
from app.rights import Right, Role
from tests.building import PASSWORD, PUBLIC, Building, opened_building, signed_in
from tests.site import found

MADE_ANEW = 4205


@pytest.fixture(scope="module")
def building(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Building]:
    with opened_building(tmp_path_factory.mktemp("made")) as opened:
        yield opened


def feed_of(building: Building, path: str, cookie: dict[str, str]) -> str:
    """Where the page says that its frames come from."""
    building.client.cookies.clear()
    page = building.client.get(path, headers=cookie, follow_redirects=False)
    return found(r'<div id="feed" data-live="([^"]+)"', page.text).replace("&amp;", "&")


def code_of(building: Building, feed: str, cookie: dict[str, str]) -> int | None:
    """What a socket to there is closed with at once; None where it stays open."""
    building.client.cookies.clear()
    headers = {**cookie, "Origin": PUBLIC}
    with building.client.websocket_connect(feed, headers=headers) as socket:
        # Where it stays open, this is answered with another code.
        socket.send_text("nonsense")
        code = closed_with(socket)
    return None if code == 1008 else code


def closed_with(socket: WebSocketTestSession) -> int:
    try:
        while True:
            socket.receive_text()
    except WebSocketDisconnect as closed:
        return closed.code


@pytest.mark.parametrize(
    "change",
    [
        {"queues": frozenset({"999"})},
        {"rights": frozenset({Right.PAUSE})},
        {"extension": "500"},
        {"language": "vi"},
    ],
    ids=str,
)
def test_a_board_made_for_other_rights_is_made_anew_when_it_comes_back(
    building: Building, change: dict[str, Any]
) -> None:
    accounts, name = building.access.accounts, f"ann-{next(iter(change))}"
    user = building.call(accounts.create_user, name, Role.SUPERVISOR, PASSWORD)
    cookie = building.call(signed_in, building.access, name)
    before = feed_of(building, "/", cookie)
    assert code_of(building, before, cookie) is None

    async def changed() -> None:
        await accounts.change(user.user_id, **change)

    building.call(changed)
    assert code_of(building, before, cookie) == MADE_ANEW
    assert code_of(building, feed_of(building, "/", cookie), cookie) is None


def test_a_wall_that_was_changed_while_it_was_away_is_made_anew(building: Building) -> None:
    walls = building.access.walls
    cookie = building.keys["wall"]
    before = feed_of(building, "/wall", cookie)
    assert code_of(building, before, cookie) is None

    [wall] = walls.all()
    building.call(walls.change, wall.wall_id, Display("Hall", theme="light"))
    assert code_of(building, before, cookie) == MADE_ANEW
    assert code_of(building, feed_of(building, "/wall", cookie), cookie) is None


@pytest.mark.parametrize("path", ["/wall?layout=agents", "/wall?layout=queue&queue=999"])
def test_a_preview_of_a_wall_has_its_news(building: Building, path: str) -> None:
    cookie = building.keys["supervisor"]
    feed = feed_of(building, path, cookie)

    assert path.partition("?")[2].partition("&")[0] in feed
    assert code_of(building, feed, cookie) is None


def test_who_does_not_say_it_is_served_all_the_same(building: Building) -> None:
    assert code_of(building, "/live", building.keys["viewer"]) is None
