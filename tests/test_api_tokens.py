"""Tokens for programs: made once, known by a digest, gone when removed, and noted when used."""

import asyncio
import contextlib

import pytest

from app.access.api_tokens import ApiTokens, TokenProblem
from app.database import DatabaseUnavailable
from tests.logs import Clock

pytestmark = pytest.mark.anyio


@pytest.fixture
def clock():
    return Clock()


async def test_a_program_reads_with_its_token_until_it_is_removed(database, clock):
    tokens = ApiTokens(database, clock, "from-the-environment")
    await tokens.load()
    text = await tokens.add("Grafana", "Ann")
    assert text not in str(await database.read("SELECT * FROM api_token"))
    assert tokens.accepts(text)
    assert tokens.accepts("from-the-environment")
    assert not tokens.accepts("")
    assert not tokens.accepts("\ud800")

    await tokens.sweep()
    again = ApiTokens(database, clock)
    await again.load()
    [kept] = again.all()
    assert (kept.name, kept.used_at) == ("Grafana", clock.now)
    assert not again.accepts("from-the-environment")
    assert not again.accepts("")

    await again.remove(kept.token_id)
    assert not again.accepts(text)
    after_a_restart = ApiTokens(database, clock)
    await after_a_restart.load()
    assert after_a_restart.all() == []
    assert not after_a_restart.accepts(text)
    for attempt in (again.remove(kept.token_id), again.add("", "Ann")):
        with pytest.raises(TokenProblem):
            await attempt


@pytest.mark.parametrize(
    ("name", "is_taken"),
    [
        ("x", True),
        ("x" * 64, True),
        (" x ", True),
        ("x" * 65, False),
        (" ", False),
        ("a\0b", False),
    ],
)
async def test_a_token_has_a_name_that_can_be_listed(database, clock, name, is_taken):
    tokens = ApiTokens(database, clock)
    await tokens.load()
    with contextlib.nullcontext() if is_taken else pytest.raises(TokenProblem):
        await tokens.add(name, "Ann")

    assert [token.name for token in tokens.all()] == ([name.strip()] if is_taken else [])


async def test_a_token_made_by_another_program_works_here(database, clock):
    here, elsewhere = ApiTokens(database, clock), ApiTokens(database, clock)
    for each in (here, elsewhere):
        await each.load()
    text = await elsewhere.add("Grafana", "command line")
    await here.refresh()

    assert here.accepts(text)


async def test_a_removed_token_does_not_come_back(database, clock):
    tokens = ApiTokens(database, clock)
    await tokens.load()
    text = await tokens.add("Grafana", "Ann")
    [token] = tokens.all()
    removing = asyncio.create_task(tokens.remove(token.token_id))
    await asyncio.sleep(0)
    await tokens.refresh()
    await removing

    assert not tokens.accepts(text)


async def test_a_token_whose_removal_could_not_be_written_is_deleted_by_the_sweep(
    database, clock, monkeypatch
):
    tokens = ApiTokens(database, clock)
    await tokens.load()
    text = await tokens.add("Grafana", "Ann")
    [token] = tokens.all()
    with monkeypatch.context() as away:
        away.setattr(database, "write", no_disk)
        for attempt in (tokens.remove(token.token_id), tokens.sweep()):
            with pytest.raises(DatabaseUnavailable):
                await attempt
    await tokens.read_again()
    assert not tokens.accepts(text)

    await tokens.sweep()
    again = ApiTokens(database, clock)
    await again.load()
    assert not again.accepts(text)


async def no_disk(job: object) -> None:
    raise DatabaseUnavailable("There is no disk.")


async def test_the_use_of_a_token_may_be_known_as_roughly(database, clock):
    database.rough_s = 60.0
    tokens = ApiTokens(database, clock)
    await tokens.load()
    text = await tokens.add("Grafana", "Ann")
    written = []
    for seconds in (0, 60, 1):
        clock.now += seconds * 1000
        assert tokens.accepts(text)
        await tokens.sweep()
        [[used_at]] = await database.read("SELECT used_at FROM api_token")
        written.append(clock.now - used_at)

    assert written == [0, 60_000, 0]


async def test_tokens_that_nobody_uses_cost_no_writing(database, clock, monkeypatch):
    tokens = ApiTokens(database, clock)
    await tokens.load()
    text = await tokens.add("Grafana", "Ann")
    writes, write = [], database.write

    async def noted(job):
        writes.append(clock.now)
        return await write(job)

    monkeypatch.setattr(database, "write", noted)
    await tokens.sweep()
    assert writes == []

    assert tokens.accepts(text)
    for _ in range(3):
        await tokens.sweep()
    assert len(writes) == 1

    await tokens.remove(tokens.all()[0].token_id)
    for _ in range(3):
        await tokens.sweep()
    assert len(writes) == 2
