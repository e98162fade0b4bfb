"""The audit: written before, never changed, and a changed row is found."""

import asyncio
import csv
import io
import json
import sqlite3
from dataclasses import replace
from datetime import UTC, datetime

import pytest

from app.audit import Actor, Audit, Deed, Often, Wanted
from app.audit.export import as_csv, as_json, csv_heading, harmless
from app.database import DatabaseUnavailable
from tests.nodes import ALONE, AMONG_NODES, opened_tables

pytestmark = pytest.mark.anyio

ANN = Actor(7, "Ann", "supervisor", "ab" * 32, "192.0.2.1")
LISTEN = Deed(
    "listen",
    mode="whisper",
    extension="101",
    agent_name="Bob",
    callid="c-1",
    queue="999",
    direction="inbound",
    phone="+84 938 363 739",
    reason="Coaching",
)


class Clock:
    now = 1_800_000_000_000

    def __call__(self) -> int:
        return self.now


@pytest.fixture
def clock():
    return Clock()


@pytest.fixture
def path(tmp_path):
    return str(tmp_path / "test.db")


@pytest.fixture(params=[ALONE, AMONG_NODES])
async def database(path, request):
    async with opened_tables(request.param, path) as opened:
        yield opened


@pytest.fixture
async def audit(database, clock):
    return await Audit.open(database, clock)


async def test_an_intent_says_who_what_whom_and_why(audit, clock):
    seq = await audit.intent(ANN, LISTEN)
    [row] = await audit.page()

    assert (row.seq, row.at, row.kind) == (seq, clock.now, "intent")
    assert (row.actor_id, row.actor_name, row.actor_role) == (7, "Ann", "supervisor")
    assert (row.session, row.address) == ("ab" * 6, "192.0.2.1")
    assert (row.action, row.mode, row.extension, row.agent_name) == (
        "listen",
        "whisper",
        "101",
        "Bob",
    )
    assert (row.callid, row.queue, row.direction, row.reason) == (
        "c-1",
        "999",
        "inbound",
        "Coaching",
    )


async def test_a_number_is_kept_as_three_digits_and_a_keyed_hash_only(audit, database):
    await audit.intent(ANN, LISTEN)
    [row] = await audit.page()

    assert row.number_end == "739"
    assert "938363739" not in str(await database.read("SELECT * FROM audit"))
    assert await audit.page(Wanted(phone="84938363739")) == [row]
    assert await audit.page(Wanted(phone="84938363738")) == []


async def test_a_number_in_the_words_of_people_or_the_pbx_is_masked(audit, database):
    intent = await audit.intent(ANN, replace(LISTEN, reason="wants +84 938 363 739"))
    await audit.result(intent, "refused: Cannot dial 0938363739: no route")
    await audit.denied(ANN, LISTEN, "0938363739 may not be dialled")
    denied, result, intended = await audit.page()

    assert intended.reason == result.reason == "wants +•• ••• ••• 739"
    assert result.outcome == "refused: Cannot dial •••••••739: no route"
    assert denied.outcome == "•••••••739 may not be dialled"
    assert await audit.verify() is None


async def test_a_large_count_in_an_outcome_of_our_own_is_no_number(audit):
    await audit.done(Actor(name="Pitwall"), Deed("purge"), "12345678 events")

    assert (await audit.page())[0].outcome == "12345678 events"


async def test_a_result_repeats_the_particulars_of_its_intent(audit):
    intent = await audit.intent(ANN, LISTEN)
    await audit.result(intent, "the PBX refused")
    result, intended = await audit.page()

    assert (result.kind, result.intent, result.outcome) == ("result", intent, "the PBX refused")
    assert result.number_hmac == intended.number_hmac
    assert (result.actor_id, result.extension, result.reason) == (7, "101", "Coaching")


async def test_a_refusal_is_a_row_too(audit):
    await audit.denied(Actor(address="198.51.100.7"), Deed("pause"), "not our page")
    [row] = await audit.page()

    assert (row.kind, row.actor_id, row.outcome) == ("denied", 0, "not our page")


async def test_no_disk_no_intent(audit, database):
    await database.close()
    with pytest.raises(DatabaseUnavailable):
        await audit.intent(ANN, LISTEN)


async def test_many_at_once_make_one_unbroken_chain(audit):
    await asyncio.gather(*(audit.done(ANN, Deed(f"deed-{number}")) for number in range(50)))

    assert [row.seq for row in await audit.page()] == list(range(50, 0, -1))
    assert await audit.verify() is None


@pytest.mark.parametrize(
    "sql",
    [
        "UPDATE audit SET reason = 'nothing' WHERE seq = 2",
        "DELETE FROM audit WHERE seq = 2",
        "INSERT OR REPLACE INTO audit SELECT * FROM audit WHERE seq = 2",
    ],
)
async def test_no_row_can_be_changed(audit, database, sql):
    for number in range(3):
        await audit.done(ANN, Deed(f"deed-{number}"))

    async def tamper(connection):
        await connection.execute(sql)

    with pytest.raises(sqlite3.IntegrityError, match="append-only"):
        await database.write(tamper)
    assert await audit.verify() is None


@pytest.mark.parametrize(
    "sql",
    [
        "UPDATE audit SET reason = 'nothing' WHERE seq = 2",
        "UPDATE audit SET at = at - 1 WHERE seq = 2",
        "UPDATE audit SET intent = 1 WHERE seq = 2",
        "DELETE FROM audit WHERE seq = 2",
        "UPDATE audit SET previous = hash WHERE seq = 2",
    ],
)
async def test_who_changes_a_row_by_hand_is_found_out(audit, path, sql):
    for number in range(4):
        await audit.done(ANN, Deed(f"deed-{number}"))
    by_hand = sqlite3.connect(path)
    by_hand.executescript(
        "DROP TRIGGER audit_no_update; DROP TRIGGER audit_no_delete; DROP TRIGGER audit_no_replace;"
    )
    by_hand.execute(sql)
    by_hand.commit()
    by_hand.close()

    assert await audit.verify() == 2


async def test_every_field_is_part_of_the_hash(audit):
    await audit.intent(ANN, LISTEN)
    [row] = await audit.page()
    changed = [replace(row, **{name: "x"}) for name in row.__dataclass_fields__ if name != "hash"]

    assert row.digest == row.hash
    assert row.digest not in {each.digest for each in changed}


async def test_the_anchor_is_the_end_of_the_chain(audit):
    assert await audit.anchor() == (0, "0" * 64)

    await audit.done(ANN, Deed("one"))
    [row] = await audit.page()
    assert await audit.anchor() == (1, row.hash)


async def test_a_clock_set_back_makes_no_row_look_earlier(audit, clock):
    await audit.done(ANN, Deed("one"))
    clock.now -= 3_600_000
    await audit.done(ANN, Deed("two"))
    later, earlier = await audit.page()

    assert later.at == earlier.at


async def test_the_chain_goes_on_after_a_restart(audit, database, clock):
    await audit.intent(ANN, LISTEN)
    again = await Audit.open(database, clock)
    await again.intent(ANN, LISTEN)
    rows = await again.page()

    assert await again.verify() is None
    assert rows[0].number_hmac == rows[1].number_hmac


async def test_pages_follow_each_other_without_gap(audit):
    for number in range(7):
        await audit.done(ANN, Deed("export" if number % 2 else "sign in"))
    first = await audit.page(size=4)
    second = await audit.page(Wanted(before=first[-1].seq), size=4)

    assert [row.seq for row in first + second] == [7, 6, 5, 4, 3, 2, 1]
    assert {row.action for row in await audit.page(Wanted(action="export"))} == {"export"}
    assert await audit.page(Wanted(action="export' OR 1=1 --")) == []
    assert await audit.actions() == ["export", "sign in"]


async def test_odd_text_is_stored_and_the_chain_holds(audit):
    await audit.done(
        Actor(1, "\ud800\x00" * 100, "admin"), replace(LISTEN, reason="x" * 10_000, queue="a\nb")
    )
    [row] = await audit.page()

    assert len(row.reason) == 200
    assert row.queue == "a b"
    assert await audit.verify() is None


def test_a_cell_that_could_be_a_formula_is_text():
    cells = ["=1+1", "+84938", "-1", "@x", "\tx", "\rx", "plain", None, 5]

    assert [harmless(cell) for cell in cells] == [
        "'=1+1",
        "'+84938",
        "'-1",
        "'@x",
        "'\tx",
        "'\rx",
        "plain",
        "",
        "5",
    ]


async def test_exports_hold_every_row(audit):
    await audit.intent(ANN, replace(LISTEN, reason='=HYPERLINK("x")', queue='a,"b"'))
    await audit.done(ANN, Deed("export"))
    rows = await audit.page()
    table = list(csv.DictReader(io.StringIO(csv_heading() + "".join(as_csv(rows)))))
    objects = [json.loads(line) for line in as_json(rows)]

    assert [row["seq"] for row in table] == ["2", "1"]
    assert table[1]["reason"] == '\'=HYPERLINK("x")'
    assert table[1]["queue"] == 'a,"b"'
    assert table[1]["at"] == "2027-01-15T08:00:00+00:00"
    assert [row["action"] for row in objects] == ["export", "listen"]


async def test_how_often_who_listened_to_whom_is_counted_by_month(audit, clock):
    november = round(datetime(2026, 11, 1, tzinfo=UTC).timestamp() * 1000)
    december = round(datetime(2026, 12, 1, tzinfo=UTC).timestamp() * 1000)
    eve = replace(ANN, user_id=8, name="Eve")
    for at, actor, deed in [
        (november - 1, ANN, LISTEN),
        (november, ANN, LISTEN),
        (november + 5, ANN, replace(LISTEN, action="barge")),
        (november + 5, ANN, replace(LISTEN, extension="102", agent_name="Cam")),
        (december - 1, eve, LISTEN),
        (december - 1, eve, replace(LISTEN, action="pause")),
        (december, eve, LISTEN),
    ]:
        clock.now = at
        await audit.result(await audit.intent(actor, deed), "done")

    assert await audit.often(("listen", "barge"), november, december) == [
        Often("Ann", "101", "Bob", 2),
        Often("Ann", "102", "Cam", 1),
        Often("Eve", "101", "Bob", 1),
    ]
