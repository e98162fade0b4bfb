"""Several sites in one process: each lives and dies for itself, and each opens again by itself."""

from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any, cast

import pytest
from starlette.testclient import WebSocketTestSession
from starlette.websockets import WebSocketDisconnect

from app.domain.events import Tick
from app.keeping.holding import holding
from tests.neighbours import (
    HERE,
    THERE,
    Neighbours,
    opened_neighbours,
    opened_sites,
    written_neighbours,
)
from tests.served import until


@pytest.fixture
def street(tmp_path: Path) -> Iterator[Neighbours]:
    with opened_neighbours(tmp_path) as opened:
        yield opened


def status(street: Neighbours, host: str, who: str = "admin") -> int:
    headers = street.keys[host].headers[who]
    return street.client.get(f"https://{host}/alive", headers=headers).status_code


def break_down(street: Neighbours, host: str) -> None:
    """The next event is too much for its projector."""
    parts = street.parts(host)

    def fail(records: object) -> None:
        raise ZeroDivisionError

    cast(Any, parts.projector)._apply = fail
    street.call(parts.log.append, [Tick()])


def test_a_site_that_dies_says_so_and_is_opened_again(street: Neighbours) -> None:
    break_down(street, THERE)

    until(lambda: street.keeper(THERE).failure != "")
    answer = street.client.get(f"https://{THERE}/login")
    assert (answer.status_code, answer.headers["retry-after"]) == (503, "5")
    assert "It opens again by itself" in answer.text
    assert status(street, HERE) == 204
    until(lambda: status(street, THERE) == 204)


def test_no_webhook_is_accepted_by_a_site_that_has_died(street: Neighbours) -> None:
    break_down(street, THERE)
    until(lambda: street.keeper(THERE).failure != "")

    hook = f"/hook/{street.keys[THERE].webhook}/api/callcenter/call_in"
    answer = street.client.get(f"https://{THERE}{hook}", params={"callid": "c9"})
    assert (answer.status_code, answer.headers["retry-after"]) == (503, "5")


def test_the_boards_of_a_site_that_dies_are_closed_and_the_others_stay(street: Neighbours) -> None:
    headers = {host: street.keys[host].headers["admin"] for host in (HERE, THERE)}
    connect = street.client.websocket_connect
    mine = {**headers[HERE], "Origin": f"https://{HERE}"}
    theirs = {**headers[THERE], "Origin": f"https://{THERE}"}
    with connect(f"wss://{HERE}/live", headers=mine) as here:
        with connect(f"wss://{THERE}/live", headers=theirs) as there:
            break_down(street, THERE)
            assert closing_code(there) == 1012
        here.receive_text()


def test_webhooks_for_nobody_are_told_to_the_operator(
    street: Neighbours, caplog: pytest.LogCaptureFixture
) -> None:
    hook = f"https://192.0.2.7/hook/{street.keys[HERE].webhook}/api/callcenter/call_in"

    assert [street.client.get(hook).status_code for _ in range(20)] == [404] * 20

    told = [record.getMessage() for record in caplog.records if "no site has" in record.message]
    assert len(told) == 1
    assert "192.0.2.7" in told[0]
    assert street.keys[HERE].webhook not in told[0]


def closing_code(board: WebSocketTestSession) -> int:
    """What the board is closed with, after whatever frames come before."""
    try:
        while True:
            board.receive_text()
    except WebSocketDisconnect as closed:
        return closed.code


def test_while_a_site_is_down_the_installation_is_not_ready(street: Neighbours) -> None:
    ready = "https://192.0.2.1/health/ready"
    assert street.client.get(ready).json() == {"ok": True}

    break_down(street, THERE)

    until(lambda: street.client.get(ready).status_code == 503)
    assert street.client.get("https://192.0.2.1/health/live").json() == {"ok": True}
    assert street.client.get(f"https://{HERE}/health/ready").json() == {"ok": True}
    assert street.client.get(f"https://{THERE}/health/ready").status_code == 503
    until(lambda: street.client.get(ready).status_code == 200)


def test_a_site_that_can_not_be_opened_leaves_the_others_alone(tmp_path: Path) -> None:
    written_neighbours(tmp_path)
    with ExitStack() as stack:
        held = stack.enter_context(ExitStack())
        held.enter_context(holding(str(tmp_path / "sites" / "there" / "pitwall.db")))
        client, sites = stack.enter_context(opened_sites(tmp_path))

        assert client.get(f"https://{HERE}/login").status_code == 200
        assert client.get(f"https://{THERE}/login").status_code == 503
        assert "Another Pitwall is running" in str(getattr(sites.at(THERE), "failure", ""))
        held.close()
        until(lambda: client.get(f"https://{THERE}/login").status_code == 200)


# Keepers, without a site behind them
