"""Health and metrics: honest, and silent about everything else towards strangers."""

import asyncio
from collections.abc import Iterator

import pytest
from starlette.testclient import TestClient

from app.main import create_app
from app.settings import Settings

TOKEN = "a-token-for-programs"
BEARER = {"Authorization": f"Bearer {TOKEN}"}
HOOK = "/hook/a-webhook-token-for-tests"


class Clock:
    now = 1_795_341_600_000

    def __call__(self) -> int:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def client(clock: Clock) -> Iterator[TestClient]:
    environ = {
        "PITWALL_LOG": "memory:",
        "PITWALL_API_TOKEN": TOKEN,
        "PITWALL_WEBHOOK_TOKEN": "a-webhook-token-for-tests",
        "TZ": "UTC",
    }
    with TestClient(create_app(Settings.from_env(environ), clock)) as client:
        yield client


def test_a_stranger_hears_one_word(client):
    assert client.get("/health/live").json() == {"ok": True}
    assert client.get("/health/ready").json() == {"ok": True}


def test_a_board_whose_time_stands_still_is_not_ready(client, clock):
    clock.now += 60_000

    answer = client.get("/health/ready", headers=BEARER)

    assert answer.status_code == 503
    assert "15 s" in answer.json()["reasons"][0]


def test_a_node_that_stands_apart_is_not_ready(client):
    client.app_state["parts"].tables.failure = "The nodes do not agree."

    answer = client.get("/health/ready", headers=BEARER)

    assert (answer.status_code, answer.json()["reasons"]) == (503, ["The nodes do not agree."])


def test_metrics_need_a_token(client):
    assert client.get("/metrics").status_code == 401
    assert client.get("/api/v1/floor").status_code == 401


def test_metrics_count_webhooks_and_agents(client):
    client.get(f"{HOOK}/api/Agent/ChangeStatus?extension=101&status=pause")
    client.get(f"{HOOK}/api/Agent/ChangeStatus?extension=&status=pause")

    lines = metrics_when(client, 'pitwall_agents{status="pause"} 1.0')

    assert 'pitwall_webhooks_total{result="accepted"} 1.0' in lines
    assert 'pitwall_webhooks_total{result="refused"} 1.0' in lines


def metrics_when(client: TestClient, line: str) -> list[str]:
    """The metrics once they hold `line`: the floor follows the log a moment later."""
    for _ in range(100):
        lines = client.get("/metrics", headers=BEARER).text.splitlines()
        if line in lines:
            return lines
        assert client.portal is not None
        client.portal.call(asyncio.sleep, 0.01)
    raise AssertionError(lines)


def test_the_floor_is_told_as_the_api_promises(client):
    hook = f"{HOOK}/api/callcenter/call_in"
    seq = client.get(f"{hook}?callid=c1&phone=0938363739&queue=999&event=RING").json()["seq"]

    metrics_when(client, f"pitwall_floor_seq {float(seq)}")
    floor = client.get("/api/v1/floor", headers=BEARER).json()

    assert [(call["callid"], call["state"], call["queue"]) for call in floor["calls"]] == [
        ("c1", "waiting", "999")
    ]
    assert floor["queues"][0]["waiting"] == 1
    assert floor["today"]["offered"] == 0
    assert floor["webhooks"]["accepted"] == 1


@pytest.mark.parametrize("after", ["x", "-1", "\u0665", "9" * 5000])
def test_a_program_that_asks_for_changes_after_nonsense_is_told(client, after):
    assert client.get(f"/api/v1/stream?after={after}", headers=BEARER).status_code == 422
