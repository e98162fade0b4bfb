"""Tables that nodes share, whatever is delayed or lost: nothing is lost, nothing done twice."""

import asyncio
import random

import aiosqlite
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from app.database import DatabaseUnavailable
from tests.nodes import ADD, COUNT, Node, chance_of, opened_site

pytestmark = pytest.mark.anyio


JOBS = ("count", "add", "drop", "note", "chain")


@settings(max_examples=25, deadline=None)
@given(
    plan=st.lists(st.tuples(st.integers(0, 2), st.sampled_from(JOBS)), min_size=3, max_size=24),
    seed=st.integers(0, 2**32),
)
def test_nothing_is_lost_or_done_twice_whatever_the_delays(plan, seed):
    asyncio.run(tried(plan, seed))


async def tried(plan: list[tuple[int, str]], seed: int) -> None:
    async with opened_site(nodes=3, delay=chance_of(seed)) as site:
        jobs = [do(site.nodes[node], job, number) for number, (node, job) in enumerate(plan)]
        await asyncio.gather(*jobs)
        await site.agreed()
        done = [job for _, job in plan]
        [[count]] = await site.nodes[seed % 3].read("SELECT number FROM counter")
        [[added]] = await site.nodes[seed % 3].read("SELECT seq FROM sqlite_sequence") or [[0]]
        chain = await site.nodes[seed % 3].read("SELECT door, who FROM place ORDER BY door")

    assert count == done.count("count")
    assert added == done.count("add")
    assert [door for door, _ in chain] == list(range(1, done.count("chain") + 1))
    assert all(who == b"%d" % (door - 1) for door, who in chain)


@settings(max_examples=15, deadline=None)
@given(seed=st.integers(0, 2**32), number=st.integers(3, 15))
def test_nodes_agree_when_answers_are_lost_by_chance(seed, number):
    asyncio.run(unlucky(seed, number))


async def unlucky(seed: int, number: int) -> None:
    chance = random.Random(seed)
    async with opened_site(nodes=3, delay=chance_of(seed)) as site:
        for node in site.nodes:
            node.wire.lost_by_chance = lambda: chance.random() < 0.3
        answers = await asyncio.gather(
            *(node.shared.write(chained) for _ in range(number) for node in site.nodes),
            return_exceptions=True,
        )
        await site.agreed()
        [[last, rows]] = await site.nodes[0].read("SELECT max(door), count(*) FROM place")

    confirmed = [answer for answer in answers if not isinstance(answer, BaseException)]
    assert {type(answer) for answer in answers} <= {type(None), DatabaseUnavailable}
    assert last == rows
    assert len(confirmed) <= rows <= len(answers)


async def do(node: Node, job: str, number: int) -> None:
    if job == "count":
        await node.write(COUNT)
    elif job == "add":
        await node.write(ADD, f"thing {number}", number)
    elif job == "drop":
        await node.write("DELETE FROM thing WHERE id = (SELECT min(id) FROM thing)")
    elif job == "note":
        await node.write("INSERT OR REPLACE INTO note VALUES ('k', ?)", str(number))
    else:
        await node.shared.write(chained)


async def chained(connection: aiosqlite.Connection) -> None:
    """A row that is right only if nothing came between."""
    [[last]] = await connection.execute_fetchall("SELECT coalesce(max(door), 0) FROM place")
    await connection.execute("INSERT INTO place VALUES ('x', ?, ?)", (last + 1, b"%d" % last))
