"""No question about the past reads a whole table: SQLite's own plans say so."""

from collections.abc import Awaitable, Callable
from datetime import date
from typing import Any

import pytest

from app.database import Database
from app.history import abandons, agents, search, story
from app.history.days import DayBook
from app.history.search import CallFilter
from app.log.memory import MemoryLog
from tests.history_setup import DAYS, NINE, site
from tests.logs import Clock

pytestmark = pytest.mark.anyio
DAY = date(2026, 3, 2)
BIG = ("call", "visit", "leg", "agent_span", "call_event", "agent_event", "abandon_deed")

Asking = Callable[["Planned"], Awaitable[Any]]
QUESTIONS: dict[str, Asking] = {
    "day": lambda db: DayBook(db, DAYS).day(DAY, {}),
    "heat map": lambda db: DayBook(db, DAYS).heat_map(DAY, DAY, {}),
    "agent's day": lambda db: agents.agent_day(db, DAYS, "101", DAY, NINE),
    "queue's agents": lambda db: agents.queue_agents(db, DAYS, "999", DAY),
    "worklist": lambda db: abandons.worklist(db, NINE, closed=True),
    "call back figure": lambda db: abandons.call_back_figure(db, 0, NINE),
    "one call": lambda db: search.find_call(db, "1"),
    "story": lambda db: story.call_story(db, MemoryLog(Clock()), "1"),
    "agent's story": lambda db: story.agent_story(db, MemoryLog(Clock()), "1"),
    "calls of a day": lambda db: search.search_calls(
        db, CallFilter(0, NINE, queue="9", agent="1", outcome="answered")
    ),
    "calls of a number": lambda db: search.search_calls(db, CallFilter(phone="123456")),
    "page of a number": lambda db: search.search_calls(
        db, CallFilter(phone="123456"), "WzEsIngiXQ"
    ),
    "page": lambda db: search.search_calls(db, CallFilter(), "WzEsIngiXQ"),
}


class Planned(Database):
    """Notes the plan of every query."""

    def __init__(self, database: Database) -> None:
        self.within = database
        self.plans: list[str] = []

    async def read(self, sql: str, parameters: Any = ()) -> list[tuple[Any, ...]]:
        plan = await self.within.read(f"EXPLAIN QUERY PLAN {sql}", parameters)
        self.plans += [str(row[3]) for row in plan]
        return await self.within.read(sql, parameters)


@pytest.mark.parametrize("asking", QUESTIONS.values(), ids=QUESTIONS)
async def test_no_question_reads_a_whole_table(asking):
    async with site() as place:
        database = Planned(place.database)
        await asking(database)

    scans = [
        line
        for line in database.plans
        for table in (*BIG, "bad", "good", "last", "deed")
        if line.split()[:2] == ["SCAN", table]
    ]
    assert database.plans
    assert scans == []


async def test_abandoned_calls_have_an_index_of_their_own():
    async with site() as place:
        database = Planned(place.database)
        await search.search_calls(database, CallFilter(outcome="abandoned"))

    assert any("USING INDEX call_abandoned" in line for line in database.plans)
