"""Tables that nodes share: what one changes is on the other, once, and as it was."""

import math

import aiosqlite
import pytest

from tests.nodes import ADD, COUNT

pytestmark = pytest.mark.anyio


async def test_what_one_node_writes_is_on_the_other(pair):
    a, b = pair.nodes
    await a.write(ADD, "lamp", 3)
    await b.write("UPDATE thing SET size = 4 WHERE name = 'lamp'")
    await a.write("DELETE FROM thing WHERE size = 9")
    await b.write("INSERT INTO note VALUES ('k', 'old')")
    await pair.settled()
    await a.write("DELETE FROM note")
    await pair.agreed()

    assert await a.read("SELECT * FROM thing") == [(1, "lamp", 4)]
    assert await b.read("SELECT * FROM note") == []


TEXT = "Đặng 👩‍💻 \x00'"


NUMBERS = (0, 1, -(2**63), 2**63 - 1, 1.0, 0.1, -math.inf, 5e-324)


@pytest.mark.parametrize("value", [None, *NUMBERS, "", TEXT, b"", b"\x00\xff"])
async def test_every_kind_of_value_comes_over_as_it_was(pair, value):
    a, b = pair.nodes
    await a.write(ADD, "it", value)
    await pair.agreed()

    [[there]] = await b.read("SELECT size FROM thing")
    assert (type(there), there) == (type(value), value)


async def test_one_and_one_point_nought_are_not_the_same(pair):
    a, b = pair.nodes
    await a.write(ADD, "it", 1)
    await pair.settled()
    await a.write("UPDATE thing SET size = 1.0")
    await pair.agreed()

    assert str((await b.read("SELECT size FROM thing"))[0][0]) == "1.0"


async def test_tables_with_other_keys_than_a_number_are_shared(pair):
    a, b = pair.nodes
    await a.write("INSERT INTO place VALUES ('Elm', 1, x'00'), ('Elm', 2, NULL), ('Oak', 1, NULL)")
    await pair.settled()
    await b.write("UPDATE place SET who = x'ff', door = 7 WHERE street = 'Elm' AND door = 1")
    await pair.settled()
    await a.write("DELETE FROM place WHERE door = 2")
    await pair.agreed()

    assert await a.read("SELECT * FROM place") == [("Elm", 7, b"\xff"), ("Oak", 1, None)]


async def test_rows_may_swap_what_is_unique(pair):
    a, b = pair.nodes
    await a.write("INSERT INTO thing (name) VALUES ('left'), ('right')")

    async def swap(connection: aiosqlite.Connection) -> None:
        await connection.execute("UPDATE thing SET name = 'aside' WHERE name = 'left'")
        await connection.execute("UPDATE thing SET name = 'left' WHERE name = 'right'")
        await connection.execute("UPDATE thing SET name = 'right' WHERE name = 'aside'")

    await a.shared.write(swap)
    await pair.agreed()

    assert await b.read("SELECT name FROM thing ORDER BY id") == [("right",), ("left",)]


async def test_a_row_that_is_pushed_out_is_gone_everywhere(pair):
    a, b = pair.nodes
    await a.write("INSERT INTO thing (name) VALUES ('one'), ('two')")
    await pair.settled()
    await b.write("INSERT OR REPLACE INTO thing (id, name) VALUES (1, 'two')")
    await pair.agreed()

    assert await a.read("SELECT id, name FROM thing") == [(1, "two")]


async def test_the_number_of_a_deleted_row_is_not_given_again(pair):
    a, b = pair.nodes
    await a.write("INSERT INTO thing (name) VALUES ('one'), ('two')")
    await pair.settled()
    await b.write("DELETE FROM thing WHERE id = 2")
    await pair.settled()
    await b.write(ADD, "three", 0)
    await pair.agreed()

    assert await a.read("SELECT id FROM thing") == [(1,), (3,)]


async def test_a_number_that_was_given_for_a_moment_is_not_given_again(pair):
    async def job(connection: aiosqlite.Connection) -> None:
        await connection.execute(ADD, ("brief", 0))
        await connection.execute("DELETE FROM thing")
        await connection.execute(COUNT)

    a, b = pair.nodes
    await a.shared.write(job)
    await pair.settled()
    await b.write(ADD, "lamp", 1)
    await pair.agreed()

    assert await a.read("SELECT id FROM thing") == [(2,)]


async def test_notes_of_what_was_touched_do_not_pile_up(pair):
    b = pair.nodes[1]
    for _ in range(3):
        await pair.nodes[0].write(COUNT)
    await pair.settled()

    async def noted(connection: aiosqlite.Connection) -> object:
        return await connection.execute_fetchall("SELECT * FROM temp.touched_counter")

    assert await b.database.rehearse(noted) == []


async def test_what_changes_nothing_is_not_told(pair):
    a = pair.nodes[0]
    await a.write(ADD, "lamp", 3)
    before = pair.log.last_seq
    await a.write("UPDATE thing SET size = 3")
    await a.write("DELETE FROM note")
    await a.shared.write(lambda connection: connection.execute_fetchall("SELECT * FROM thing"))

    async def there_and_back(connection: aiosqlite.Connection) -> None:
        await connection.execute(ADD, ("brief", 0))
        await connection.execute("DELETE FROM thing WHERE name = 'brief'")

    await a.shared.write(there_and_back)

    assert pair.log.last_seq == before


async def test_only_what_changed_of_a_row_is_told(pair):
    await pair.nodes[0].write("INSERT INTO thing (name, size) VALUES ('lamp', 1), ('sofa', 2)")
    await pair.nodes[0].write("UPDATE thing SET size = size + 1")
    [record] = await pair.log.records([pair.log.last_seq])

    [change] = record.event.tables
    assert (change.keys, change.columns) == (("id",), ("size",))
    assert sorted(change.rows) == [(1, 2), (2, 3)]
