"""One change of shared tables: refused, repeated, in pieces, at once with another: counted once."""

import asyncio
import sqlite3

import aiosqlite
import pytest

from app.database import DatabaseFull, DatabaseUnavailable
from app.domain.table_changes import RowsChanged, TablesChanged
from app.sharing import follower
from tests.nodes import ADD, COUNT, opened_site
from tests.waiting import until

pytestmark = pytest.mark.anyio


async def test_a_job_that_fails_stores_nothing(pair):
    a = pair.nodes[0]

    async def job(connection: aiosqlite.Connection) -> None:
        await connection.execute(ADD, ("lamp", 3))
        raise KeyError("changed my mind")

    with pytest.raises(KeyError):
        await a.shared.write(job)
    with pytest.raises(sqlite3.IntegrityError):
        await a.write("INSERT INTO thing (name) VALUES ('twice'), ('twice')")

    assert pair.log.last_seq == 0
    assert await a.read("SELECT * FROM thing") == []
    await a.write(ADD, "lamp", 3)


async def test_a_result_is_that_of_the_run_that_counted(pair):
    async def number(connection: aiosqlite.Connection) -> int:
        await connection.execute(COUNT)
        [[number]] = await connection.execute_fetchall("SELECT number FROM counter")
        return int(number)

    jobs = [node.shared.write(number) for _ in range(10) for node in pair.nodes]

    assert sorted(await asyncio.gather(*jobs)) == list(range(1, 21))


async def test_a_change_that_the_log_does_not_take_is_refused_in_words(pair):
    a, b = pair.nodes
    a.wire.is_cut = True
    with pytest.raises(DatabaseUnavailable, match=r"The cluster can't store this now: The wire is"):
        await a.write(ADD, "lamp", 3)
    a.wire.is_cut = False
    await b.write(ADD, "sofa", 1)
    await pair.agreed()

    assert await a.read("SELECT name FROM thing") == [("sofa",)]


async def test_nodes_agree_when_an_acknowledgement_is_lost(pair):
    a, b = pair.nodes
    a.wire.loses_answers = True
    with pytest.raises(DatabaseUnavailable, match="The answer was lost"):
        await a.write(COUNT)
    a.wire.loses_answers = False
    await a.write(COUNT)
    await pair.agreed()

    assert await b.read("SELECT * FROM counter") == [(2,)]


async def test_a_change_that_is_stored_twice_counts_once(pair):
    a, b = pair.nodes
    await a.write(COUNT)
    [record] = await pair.log.records([1])
    await pair.log.append([record.event])
    await pair.agreed()

    assert await b.read("SELECT * FROM counter") == [(1,)]
    assert b.shared.version == 1


async def test_the_second_of_two_at_once_is_void_and_done_again(pair):
    a, b = pair.nodes
    a.wire.lets_through.clear()
    late = asyncio.create_task(a.write(COUNT))
    await asyncio.sleep(0)
    await b.write(COUNT)
    a.wire.lets_through.set()
    await late
    await pair.agreed()

    assert await a.read("SELECT * FROM counter") == [(2,)]


async def test_a_cancelled_caller_does_not_stop_the_change(pair):
    a, b = pair.nodes
    a.wire.lets_through.clear()
    caller = asyncio.create_task(a.write(COUNT))
    await until(lambda: pair.log.last_seq > 0)
    caller.cancel()
    a.wire.lets_through.set()
    await b.write(COUNT)
    await pair.agreed()

    assert await b.read("SELECT * FROM counter") == [(2,)]


async def test_a_large_change_goes_in_pieces_and_counts_as_one(pair):
    a, b = pair.nodes

    async def fill(connection: aiosqlite.Connection) -> None:
        rows = [(str(number), "x" * 200) for number in range(3000)]
        await connection.executemany("INSERT INTO note VALUES (?, ?)", rows)
        await connection.execute(COUNT)

    await a.shared.write(fill)
    await pair.settled()
    assert pair.log.last_seq > 4
    await b.write("DELETE FROM note WHERE key != '7'")
    await pair.agreed()

    assert await a.read("SELECT key FROM note") == [("7",)]
    assert await a.read("SELECT * FROM counter") == [(1,)]


async def test_pieces_without_their_end_are_nothing(pair):
    a, b = pair.nodes
    row = RowsChanged(table="note", keys=("key",), columns=("text",), rows=(("k", "half"),))
    await pair.log.append([TablesChanged(change="c", base=0, tables=(row,), more=True)])
    await a.write(COUNT)
    await pair.log.append([TablesChanged(change="c", base=0, tables=(row,), piece=1)])
    await pair.agreed()

    assert await b.read("SELECT * FROM note") == []


async def test_many_deleted_rows_with_numbers_are_told_in_few_words(pair):
    a, b = pair.nodes

    async def fill(connection: aiosqlite.Connection) -> None:
        rows = [(str(number), 0) for number in range(1000)]
        await connection.executemany(ADD, rows)

    await a.shared.write(fill)
    await a.write("DELETE FROM thing WHERE id <= 600 OR id = 900")
    [record] = await pair.log.records([pair.log.last_seq])
    await pair.agreed()

    assert record.event.tables[0].gone_runs == ((1, 600), (900, 900))
    assert await b.read("SELECT count(*) FROM thing") == [(399,)]


async def test_a_node_whose_rows_were_changed_behind_its_back_stops(pair):
    a, b = pair.nodes
    await b.database.write(lambda connection: connection.execute(ADD, ("lamp", 9)))
    await a.write("INSERT INTO thing (id, name) VALUES (7, 'lamp')")
    await until(lambda: b.shared.failure != "")
    with pytest.raises(DatabaseUnavailable, match="not those of the other nodes"):
        await b.write(COUNT)


async def test_who_keeps_rows_in_memory_hears_of_each_change(pair):
    a, b = pair.nodes
    known: list[str] = []

    async def refresh() -> None:
        # Writing from here must not make the follower wait for itself.
        await b.write("INSERT OR IGNORE INTO note VALUES ('seen', 'yes')")
        known[:] = [name for [name] in await b.read("SELECT name FROM thing")]

    b.shared.on_changed(["thing"], refresh)
    await asyncio.gather(*(a.write(ADD, str(number), 0) for number in range(5)))
    await until(lambda: len(known) == 5)
    await pair.agreed()

    assert await a.read("SELECT * FROM note") == [("seen", "yes")]


async def test_a_change_while_another_is_looked_at_is_looked_at_too(pair):
    a = pair.nodes[0]
    seen: list[int] = []
    goes_on = asyncio.Event()

    async def refresh() -> None:
        [[number]] = await a.read("SELECT number FROM counter")
        await goes_on.wait()
        seen.append(number)

    a.shared.on_changed(["counter"], refresh)
    await a.write(COUNT)
    await asyncio.sleep(0.01)
    await a.write(COUNT)
    await a.write(COUNT)
    goes_on.set()
    await until(lambda: seen[-1:] == [3])

    assert seen == [1, 3]


async def test_a_part_that_is_not_shared_is_refused(pair):
    with pytest.raises(ValueError, match="'journal' is not among"):
        await pair.nodes[0].shared.migrate("journal", ["CREATE TABLE journal (id)"])


def test_rows_that_hang_on_each_other_are_not_shared():
    parts = {"x": ["CREATE TABLE a (id INTEGER PRIMARY KEY, b REFERENCES a (id))"]}

    async def attempt() -> None:
        async with opened_site() as site:
            await site.node(parts=parts)

    with pytest.raises(ValueError, match="foreign keys"):
        asyncio.run(attempt())


async def test_a_full_disk_delays_a_change_and_skips_none(pair, monkeypatch):
    a, b = pair.nodes
    monkeypatch.setattr(follower, "AGAIN_S", 0.01)
    whole = b.database.write_at_once

    async def full(job: object) -> None:
        raise DatabaseFull("The disk is full.")

    monkeypatch.setattr(b.database, "write_at_once", full)
    await a.write(COUNT)
    await a.write(COUNT)
    await until(lambda: b.shared.failure == "The disk is full.")
    with pytest.raises(DatabaseUnavailable, match="The disk is full"):
        await b.write(COUNT)
    monkeypatch.setattr(b.database, "write_at_once", whole)
    await until(lambda: b.shared.failure == "")
    await b.write(COUNT)
    await pair.agreed()

    assert await a.read("SELECT * FROM counter") == [(3,)]


async def test_a_node_that_can_not_read_says_so_and_goes_on(pair, monkeypatch):
    a, b = pair.nodes
    monkeypatch.setattr(follower, "AGAIN_S", 0.01)
    b.wire.unreadable = True
    await a.write(COUNT)
    await until(lambda: b.shared.failure == "Nothing comes through.")
    with pytest.raises(DatabaseUnavailable, match="Nothing comes through"):
        await b.write(COUNT)
    b.wire.unreadable = False
    await until(lambda: b.shared.failure == "" and b.shared.version == 1)
    await b.write(COUNT)
    await pair.agreed()

    assert await a.read("SELECT * FROM counter") == [(2,)]


async def test_a_change_under_way_is_refused_once_nothing_can_be_read(pair):
    b = pair.nodes[1]
    b.wire.unreadable = True
    with pytest.raises(DatabaseUnavailable, match="Nothing comes through"):
        await asyncio.wait_for(b.write(COUNT), 2)
