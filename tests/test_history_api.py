"""`GET /api/v1/calls`: what it answers, and how it refuses."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from types import SimpleNamespace
from typing import Any

import httpx2
import pytest
from starlette.applications import Starlette

from app.web import history_api
from tests.history_setup import DAYS, Site, of_story, site

pytestmark = pytest.mark.anyio

STORY = (
    "1 rings 101 in 999, +12s, 1 answered 101 in 999, +30s, 1 hangs up, 1 record ANSWER 101 42/30,"
    "2 rings 101 in 999, +7s, 2 abandons 999 after 8, 2 hangs up, +2m"
)


@asynccontextmanager
async def asked(place: Site) -> AsyncIterator[httpx2.AsyncClient]:
    """A program with the right token."""
    tokens = SimpleNamespace(accepts=lambda token: token == "right")
    settings = SimpleNamespace(timezone=DAYS.zone, day_start=DAYS.starts)
    app = Starlette(routes=history_api.ROUTES)
    app.state.parts = None
    parts = SimpleNamespace(
        database=place.database, settings=settings, access=SimpleNamespace(tokens=tokens)
    )

    async def with_parts(scope: Any, receive: Any, send: Any) -> None:
        scope["state"] = {"parts": parts}
        await app(scope, receive, send)

    transport = httpx2.ASGITransport(app=with_parts)
    headers = {"Authorization": "Bearer right"}
    async with httpx2.AsyncClient(
        transport=transport, base_url="http://board", headers=headers
    ) as client:
        yield client


async def test_calls_are_told_whole():
    async with site() as place, asked(place) as client:
        await place.told(of_story(STORY))
        answer = await client.get("/api/v1/calls")

    assert answer.json()["next"] is None
    second, first = answer.json()["calls"]
    assert first == {
        "callid": "1",
        "first_seen": "2026-03-02T10:00:00.000Z",
        "started": None,
        "answered_at": "2026-03-02T10:00:12.000Z",
        "ended_at": "2026-03-02T10:00:42.000Z",
        "direction": "inbound",
        "outcome": "answered",
        "phone": "0901",
        "did": "",
        "queues": ["999"],
        "agent": "101",
        "wait_s": 12.0,
        "wait_exact": True,
        "talk_s": 30.0,
        "recording": None,
        "inferred": False,
        "lost": False,
    }
    assert (second["outcome"], second["wait_s"], second["agent"]) == ("abandoned", 8.0, None)


@pytest.mark.parametrize(
    ("query", "callids"),
    [
        ("from=2026-03-02&to=2026-03-03", ["2", "1"]),
        ("from=2026-03-03", []),
        ("to=2026-03-02T10:00:00Z", []),
        ("to=2026-03-02T17:00:01%2B07:00", ["1"]),
        ("to=2026-03-02T17:00:01+07:00", ["1"]),
        ("from=2026-03-02T10:00:01", ["2"]),
        ("outcome=abandoned", ["2"]),
        ("agent=101&queue=999&direction=inbound&phone=901", ["1"]),
        ("agent=&queue=", ["2", "1"]),
    ],
)
async def test_filters_may_be_joined(query, callids):
    async with site() as place, asked(place) as client:
        await place.told(of_story(STORY))
        answer = await client.get(f"/api/v1/calls?{query}")

    assert [call["callid"] for call in answer.json()["calls"]] == callids


async def test_the_next_page_begins_where_this_one_ends():
    async with site() as place, asked(place) as client:
        await place.told(of_story(STORY))
        first = (await client.get("/api/v1/calls?limit=1")).json()
        second = (await client.get(f"/api/v1/calls?limit=1&cursor={first['next']}")).json()

    assert [page["calls"][0]["callid"] for page in (first, second)] == ["2", "1"]
    assert second["next"] is None


@pytest.mark.parametrize(
    ("query", "word"),
    [
        ("from=yesterday", "from is a date"),
        ("to=2026-13-01", "to is a date"),
        ("from=2026-03-03&to=2026-03-02", "earlier"),
        ("outcome=won", "outcome is one of"),
        ("direction=up", "direction is one of"),
        ("phone=1", "three digits"),
        ("cursor=abc", "cursor is what"),
        ("limit=0", "limit is how many"),
        ("limit=501", "limit is how many"),
        ("limit=many", "limit is how many"),
        (f"limit={'1' * 5000}", "limit is how many"),
        ("quue=999", "'quue' is no filter"),
        ("cursor=WzEwMDAwMDAwMDAwMDAwMDAwMDAwMDAwMDAsIngiXQ", "cursor is what"),
    ],
)
async def test_a_wrong_filter_is_refused_in_words(query, word):
    async with site() as place, asked(place) as client:
        answer = await client.get(f"/api/v1/calls?{query}")

    assert answer.status_code == 422
    assert word in answer.json()["error"]


@pytest.mark.parametrize("header", ["", "Bearer wrong", "Basic right", "Bearer"])
async def test_without_the_right_token_nothing_is_told(header):
    async with site() as place, asked(place) as client:
        answer = await client.get("/api/v1/calls", headers={"Authorization": header})

    assert answer.status_code == 401
    assert answer.headers["www-authenticate"] == "Bearer"
    assert "calls" not in answer.json()
