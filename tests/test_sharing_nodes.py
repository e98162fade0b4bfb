"""Nodes that share tables: they come late, come back, bring rows of their own, or are refused."""

import shutil
import sqlite3

import pytest

from app.database import Database, DatabaseTooNew, DatabaseUnavailable
from app.log import LogDamaged
from app.sharing import TablesDiffer
from tests.nodes import ADD, COUNT, PARTS, opened_site

pytestmark = pytest.mark.anyio


@pytest.fixture
async def site():
    async with opened_site() as opened:
        yield opened


async def test_a_node_that_comes_late_gets_everything(site):
    a = await site.node()
    for number in range(20):
        await a.write(ADD, f"thing {number}", number)
    await a.write("DELETE FROM thing WHERE size > 15")
    late = await site.node()

    assert await late.read("SELECT count(*) FROM thing") == [(16,)]
    await site.agreed()


async def test_a_node_goes_on_where_it_was(site, tmp_path):
    a = await site.node()
    b = await site.node(tmp_path / "b.db")
    await a.write(ADD, "lamp", 1)
    await site.settled()
    await b.close()
    site.nodes.remove(b)
    await a.write(ADD, "sofa", 2)
    b = await site.node(tmp_path / "b.db")

    assert await b.read("SELECT name FROM thing") == [("lamp",), ("sofa",)]
    await site.agreed()


async def test_a_node_may_begin_with_a_copy_of_another(site, tmp_path):
    a = await site.node(tmp_path / "a.db")
    await a.write(ADD, "lamp", 1)
    await a.write(ADD, "sofa", 2)
    await a.write("INSERT INTO note VALUES ('k', 'text')")
    sqlite3.connect(a.path).execute("VACUUM INTO ?", (str(tmp_path / "b.db"),)).connection.close()
    await a.write("DELETE FROM thing WHERE name = 'sofa'")
    b = await site.node(tmp_path / "b.db")
    await b.write("UPDATE note SET text = 'more'")
    await site.agreed()

    assert await b.read("SELECT id, name FROM thing") == [(1, "lamp")]
    assert await a.read("SELECT * FROM note") == [("k", "more")]


async def test_rows_from_before_the_cluster_become_everybody_s(site, tmp_path):
    await old_database(tmp_path / "old.db", "lamp", "sofa", "shed")
    a, b = await site.node(tmp_path / "old.db"), await site.node()
    await b.write(ADD, "desk", 4)
    await site.agreed()

    things = await a.read("SELECT id, name FROM thing ORDER BY id")
    assert things == [(1, "lamp"), (2, "sofa"), (4, "desk")]


async def test_a_node_with_rows_of_its_own_is_refused_where_others_have_theirs(site, tmp_path):
    await old_database(tmp_path / "old.db", "lamp", "sofa", "shed")
    a = await site.node()
    await a.write(ADD, "desk", 4)
    with pytest.raises(TablesDiffer, match="not those of the other nodes"):
        await site.node(tmp_path / "old.db")

    assert await a.read("SELECT name FROM thing") == [("desk",)]


async def old_database(path, *names: str) -> None:
    """What a Pitwall on one machine leaves; the last thing was deleted there."""
    database = await Database.open(str(path))
    await database.migrate("things", PARTS["things"])
    rows = [(name, 0) for name in names]
    await database.write(lambda connection: connection.executemany(ADD, rows))
    sql = "DELETE FROM thing WHERE name = ?"
    await database.write(lambda connection: connection.execute(sql, names[-1:]))
    await database.close()


async def test_a_database_of_another_cluster_is_refused(site, tmp_path):
    a = await site.node(tmp_path / "a.db")
    await a.write(COUNT)
    async with opened_site() as other:
        shutil.copy(tmp_path / "a.db", tmp_path / "copy.db")
        shutil.copy(tmp_path / "a.db-wal", tmp_path / "copy.db-wal")
        with pytest.raises(DatabaseUnavailable, match="ahead of the cluster"):
            await other.node(tmp_path / "copy.db")


NEWER = {"things": (*PARTS["things"], "ALTER TABLE thing ADD COLUMN colour TEXT DEFAULT 'red'")}


async def test_an_older_node_stands_still_rather_than_guess(site):
    old, new = await site.node(), await site.node(parts=NEWER)
    await old.write(ADD, "lamp", 1)
    await site.settled()
    await new.write("UPDATE thing SET colour = 'blue'")
    with pytest.raises(DatabaseUnavailable, match=r"newer version: it wrote the column 'thing.col"):
        await old.write(COUNT)

    assert "newer version" in old.shared.failure
    assert await old.read("SELECT name FROM thing") == [("lamp",)]
    with pytest.raises(DatabaseTooNew, match="newer version"):
        await site.node()
    await new.write(COUNT)


async def test_what_an_older_node_does_not_know_stays(site):
    old, new = await site.node(), await site.node(parts=NEWER)
    await old.write(ADD, "lamp", 1)
    await old.write(ADD, "sofa", 1)
    await site.settled()
    sql = "UPDATE thing SET colour = 'blue' WHERE name = 'sofa'"
    # As a step of the newer version might do it.
    await new.database.write(lambda connection: connection.execute(sql))
    await old.write("UPDATE thing SET size = 2")
    await site.settled()

    things = await new.read("SELECT name, size, colour FROM thing ORDER BY id")
    assert things == [("lamp", 2, "red"), ("sofa", 2, "blue")]


async def test_two_programs_may_share_one_file(site, tmp_path):
    server = await site.node(tmp_path / "a.db")
    program = await site.node(tmp_path / "a.db")
    heard: list[str] = []

    async def hear() -> None:
        heard.append("things")

    server.shared.on_changed(["thing"], hear)
    for node in (program, server, program):
        await node.write(COUNT)
        await node.write(ADD, f"thing {site.log.last_seq}", 1)
    await site.agreed()

    assert await server.read("SELECT * FROM counter") == [(3,)]
    assert heard


async def test_after_the_end_everything_is_refused(site):
    a = await site.node()
    await a.shared.close()
    with pytest.raises(DatabaseUnavailable, match="closed"):
        await a.write(COUNT)
    await a.database.close()
    site.nodes.clear()


async def test_a_log_that_lacks_a_record_stops_the_node(site, tmp_path):
    a = await site.node()
    b = await site.node(tmp_path / "b.db")
    await b.close()
    site.nodes.remove(b)
    for _ in range(3):
        await a.write(COUNT)
    site.log._tail._records[0] = site.log._tail._records[2]

    with pytest.raises(LogDamaged, match="no longer has all that this node missed"):
        await site.node(tmp_path / "b.db")
