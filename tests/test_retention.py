"""What is too old goes, with a clock that is turned; and what is left is as if nothing had gone."""

from contextlib import asynccontextmanager
from dataclasses import replace

import msgspec
import pytest

from app.audit import Actor, Audit, Deed
from app.database import Database
from app.domain.events import AgentNamed, CallRecorded, Tick
from app.history.follower import History
from app.history.rebuild import rebuild
from app.keeping import backup
from app.keeping.retention import DAY_MS, Retention
from app.keeping.upkeep import DatabaseDamaged, Upkeep
from app.log import Snapshot
from app.log.open import open_log
from app.projector import Projector
from app.render import Renderer
from app.rewind import NothingRecorded, Rewind
from app.settings import Keep
from app.webhook_journal import WebhookJournal
from tests.chaos.damage import garbage_page
from tests.history_setup import DAYS, NINE, ZONE, simulated, site, tables
from tests.logs import Clock

pytestmark = pytest.mark.anyio

MINUTE_MS, HOUR_MS = 60_000, 3_600_000
NAMED = (NINE - 1000, AgentNamed(extension="101", name="Ann"))


@asynccontextmanager
async def a_month_and_a_half(tmp_path, later_days=40):
    """An hour on the first day, and one after that many days; then it is a week later."""
    url = f"sqlite:{tmp_path / 'pitwall.db'}"
    async with site(url) as here:
        events, shift = [*simulated(hours=0.2, agents=6)][:250], later_days * DAY_MS
        between = [(NINE + day * DAY_MS, Tick()) for day in (11, 12)]
        again = [(at + shift, event) for at, event in events]
        await here.told([NAMED, *events, *between, *again])
        here.clock.now += 7 * DAY_MS
        await here.told([(here.clock.now, Tick())])
        journal = await WebhookJournal.open(here.database, here.clock)
        audit = await Audit.open(here.database, here.clock)
        retention = Retention(here.database, audit, Keep(), here.clock)
        yield here, url, retention, audit, journal


async def test_old_events_go_and_the_newest_stay(tmp_path):
    async with a_month_and_a_half(tmp_path) as (here, _, retention, _, _):
        [(before,)] = await here.database.read("SELECT count(*) FROM event")
        purged = await retention.purge()
        left = await here.database.read("SELECT at FROM event ORDER BY seq")

        assert 0 < purged.counts["events"] == before - len(left)
        assert left[-1] == (here.clock.now,)
        assert all(here.clock.now - at < 31 * DAY_MS for (at,) in left)


async def test_a_start_after_a_purge_finds_the_same_floor(tmp_path):
    async with a_month_and_a_half(tmp_path) as (here, _, retention, _, _):
        before = await floor_after_a_start(here.database, here.clock)
        await retention.purge()
        after = await floor_after_a_start(here.database, here.clock)

    assert before == after
    assert b'"Ann"' in after


async def test_a_start_without_a_readable_snapshot_begins_where_the_log_does(tmp_path):
    async with a_month_and_a_half(tmp_path) as (here, _, retention, _, _):
        await retention.purge()
        log = await open_log(f"sqlite:{tmp_path / 'pitwall.db'}", here.database, here.clock)
        projector = Projector(log, DAYS, Renderer(), here.clock)
        await projector.start()
        await projector.save_snapshot()
        await projector.save_snapshot()
        whole = msgspec.json.encode(projector.floor.state)
        await here.database.write(
            lambda connection: connection.execute(
                "UPDATE snapshot SET body = x'00' WHERE seq = (SELECT max(seq) FROM snapshot)"
            )
        )

        assert await floor_after_a_start(here.database, here.clock) == whole


async def test_snapshots_saved_in_the_middle_of_a_purge_leave_the_logs_beginning(
    tmp_path, monkeypatch
):
    async with a_month_and_a_half(tmp_path) as (here, _, retention, _, _):
        log = await open_log(f"sqlite:{tmp_path / 'pitwall.db'}", here.database, here.clock)
        projector = Projector(log, DAYS, Renderer(), here.clock)
        await projector.start()
        delete = retention._delete

        async def delete_while_snapshots_are_saved(*what):
            for seq in (log.last_seq - 1, log.last_seq):
                await log.save_snapshot(Snapshot(seq, b"unreadable"))
            return await delete(*what)

        monkeypatch.setattr(retention, "_delete", delete_while_snapshots_are_saved)
        await retention.purge()

        whole = msgspec.json.encode(projector.floor.state)
        assert await floor_after_a_start(here.database, here.clock) == whole


async def test_a_rebuild_after_a_purge_keeps_what_it_can_not_bring_back(tmp_path):
    async with a_month_and_a_half(tmp_path) as (here, url, retention, _, _):
        await retention.purge()
        before = await tables(here.database)
        await rebuild(url, DAYS, here.clock)

        assert await tables(here.database) == before
        assert len(before["call"]) > 10


async def test_looking_back_reaches_as_far_as_the_events(tmp_path):
    async with a_month_and_a_half(tmp_path) as (here, _, retention, _, _):
        await retention.purge()
        log = await open_log("sqlite:x", here.database, here.clock)
        rewind = Rewind(here.database, log, DAYS)
        busy = await rewind.shown(NINE + 40 * DAY_MS + MINUTE_MS * 5, lambda floor: floor)

        assert busy.state.calls
        with pytest.raises(NothingRecorded):
            await rewind.shown(NINE + MINUTE_MS * 5, lambda floor: floor)


async def test_a_purge_twice_is_a_purge_once(tmp_path):
    async with a_month_and_a_half(tmp_path) as (_, _, retention, _, _):
        await retention.purge()

        assert str(await retention.purge()) == "nothing"


async def test_numbers_are_masked_and_calls_go_in_their_time(tmp_path):
    async with a_month_and_a_half(tmp_path) as (here, _, retention, _, _):
        [(calls,)] = await here.database.read("SELECT count(*) FROM call")
        here.clock.now = NINE + 100 * DAY_MS
        await retention.purge()
        old = await here.database.read(
            "SELECT phone, caller, backwards FROM call WHERE first_seen < ?", (NINE + DAY_MS,)
        )
        young = await here.database.read(
            "SELECT caller FROM call WHERE first_seen > ?", (NINE + DAY_MS,)
        )
        here.clock.now = NINE + 397 * DAY_MS
        await retention.purge()
        [(left,)] = await here.database.read("SELECT count(*) FROM call")

    assert old
    assert all(sum(map(str.isdigit, phone)) <= 3 for phone, _, _ in old)
    assert all(caller.startswith("#") and not backwards for _, caller, backwards in old)
    assert any(not caller.startswith("#") for (caller,) in young)
    assert left < calls


async def test_a_recording_named_after_a_masked_number_goes_with_it(tmp_path):
    recording = "https://pbx.example/{}.wav".format
    records = [
        CallRecorded(callid="1", status="ANSWER", phone="0938363739", recording=recording(name))
        for name in ("in-84938363739-101", "in-0901234567-101", "1772442000.17")
    ]
    records = [replace(each, callid=f"{number}") for number, each in enumerate(records)]
    async with a_month_and_a_half(tmp_path) as (here, _, retention, _, _):
        await here.told((here.clock.now, each) for each in records)
        here.clock.now += 91 * DAY_MS
        await retention.purge()
        left = await here.database.read(
            "SELECT phone, recording FROM call WHERE recording <> '' ORDER BY callid"
        )

    assert left == [
        ("•••••••739", recording("in-0901234567-101")),
        ("•••••••739", recording("1772442000.17")),
    ]


async def test_a_number_in_a_note_is_masked_with_the_call_it_was_made_for(tmp_path):
    async with a_month_and_a_half(tmp_path) as (here, _, retention, _, _):
        old, young = here.clock.now, here.clock.now + 30 * DAY_MS
        rows = [
            (9_000_000 + number, "1", caller, at, "closed", "sup", f"Wants {phone}, not 17")
            for number, (caller, at, phone) in enumerate(
                [
                    ("938363739", old, "0901 234 567"),
                    # One who hides the number is known by the call alone, from the beginning.
                    ("#1", old, "0901234567"),
                    ("938363739", young, "0901234567"),
                ]
            )
        ]
        row = "INSERT INTO abandon_deed VALUES (?, ?, ?, ?, ?, ?, ?)"
        await here.database.write(lambda connection: connection.executemany(row, rows))
        here.clock.now += 91 * DAY_MS
        await retention.purge()
        left = await here.database.read(
            "SELECT caller, reason FROM abandon_deed WHERE seq >= 9000000 ORDER BY seq"
        )

    assert left == [
        ("#1", "Wants •••• ••• 567, not 17"),
        ("#1", "Wants •••••••567, not 17"),
        ("938363739", "Wants 0901234567, not 17"),
    ]


async def test_refused_webhooks_go_after_a_week(tmp_path):
    async with a_month_and_a_half(tmp_path) as (here, _, retention, _, journal):
        row = "INSERT INTO rejected_webhook VALUES (?, ?, '', '', '', '', '', NULL)"
        for number, age in enumerate((8, 6)):
            at = here.clock.now - age * DAY_MS
            await here.database.write(
                lambda c, row=row, values=(number, at): c.execute(row, values)
            )
        await retention.purge()

        assert await here.database.read("SELECT id FROM rejected_webhook") == [(1,)]
        journal.forget(here.clock.now)
        assert not journal.rejected


# The audit


async def test_the_chain_of_a_purged_audit_holds_and_shows_every_change(tmp_path):
    async with a_month_and_a_half(tmp_path) as (here, _, retention, audit, _):
        ann = Actor(7, "Ann", "supervisor")
        for _ in range(3):
            await audit.done(ann, Deed("sign in"))
        here.clock.now += 367 * DAY_MS
        for _ in range(3):
            await audit.done(ann, Deed("sign in"))
        purged = await retention.purge()

        assert purged.counts["rows of the audit"] == 3
        assert [row.seq for row in await audit.page()] == [6, 5, 4]
        assert await audit.verify() is None
        await change_by_hand(here.database, 5)
        assert await audit.verify() == 5


async def test_nothing_else_may_delete_from_a_purged_audit(tmp_path):
    async with a_month_and_a_half(tmp_path) as (here, _, retention, audit, _):
        await audit.done(Actor(), Deed("sign in"))
        here.clock.now += 367 * DAY_MS
        await audit.done(Actor(), Deed("sign in"))
        await retention.purge()

        with pytest.raises(Exception, match="append-only"):
            await here.database.write(lambda c: c.execute("DELETE FROM audit"))


async def test_an_audit_of_old_rows_only_keeps_its_newest(tmp_path):
    async with a_month_and_a_half(tmp_path) as (here, _, retention, audit, _):
        await audit.done(Actor(), Deed("sign in"))
        await audit.done(Actor(), Deed("sign in"))
        here.clock.now += 999 * DAY_MS
        await retention.purge()
        await audit.done(Actor(), Deed("sign in"))

        assert [row.seq for row in await audit.page()] == [3, 2]
        assert await audit.verify() is None


# The night


async def test_a_night_is_due_once(tmp_path):
    clock = Clock(NINE)
    path = str(tmp_path / "pitwall.db")
    database = await Database.open(path)
    upkeep = await Upkeep.open(database, path, ZONE, clock)
    due = []
    for _ in range(30):
        due.append(upkeep.is_due())
        if due[-1]:
            await everything(database, clock)
            await upkeep.work(
                await Audit.open(database, clock),
                Keep(),
                await WebhookJournal.open(database, clock),
            )
        clock.now += HOUR_MS
    again = await Upkeep.open(database, path, ZONE, clock)
    clock.now += 48 * HOUR_MS

    assert [hour for hour, is_due in enumerate(due) if is_due] == [18]
    assert again.is_due()
    assert not again.failure
    assert len(list((tmp_path / "backups").glob("*.db"))) == 1
    await database.close()


async def test_a_backup_that_fails_is_told_and_the_night_goes_on(tmp_path):
    clock, path = Clock(NINE), str(tmp_path / "pitwall.db")
    (tmp_path / "backups").touch()
    database = await Database.open(path)
    await everything(database, clock)
    upkeep = await Upkeep.open(database, path, ZONE, clock)
    keep = replace(Keep(), backups=1)
    audit, journal = await Audit.open(database, clock), await WebhookJournal.open(database, clock)
    await upkeep.work(audit, keep, journal)

    assert "not made" in upkeep.failure
    await database.close()


async def test_a_night_that_finds_damage_ends_the_program_in_one_sentence(tmp_path):
    clock, path = Clock(NINE), tmp_path / "pitwall.db"
    database = await Database.open(str(path))
    await everything(database, clock)
    await database.close()
    database = await Database.open(str(path))
    upkeep = await Upkeep.open(database, str(path), ZONE, clock)
    audit, journal = await Audit.open(database, clock), await WebhookJournal.open(database, clock)
    await upkeep.work(audit, Keep(), journal)
    [good] = backup.backups(path)
    garbage_page(path)
    clock.now += DAY_MS

    with pytest.raises(DatabaseDamaged) as found:
        await upkeep.work(audit, Keep(), journal)

    assert "nightly check found" in str(found.value)
    assert "newest good backup" in str(found.value)
    assert "\n" not in str(found.value)
    # No damaged one takes the place of a good one.
    assert backup.backups(path) == [good]
    await database.close()


async def everything(database: Database, clock: Clock) -> None:
    """All tables that a purge knows."""
    log = await open_log("sqlite:x", database, clock)
    await History.open(database, log, DAYS)


async def floor_after_a_start(database: Database, clock: Clock) -> bytes:
    log = await open_log("sqlite:x", database, clock)
    projector = Projector(log, DAYS, Renderer(), clock)
    await projector.start()
    await log.close()
    return msgspec.json.encode(projector.floor.state)


async def change_by_hand(database: Database, seq: int) -> None:
    async def job(connection):
        await connection.execute("DROP TRIGGER audit_no_update")
        await connection.execute("UPDATE audit SET reason = 'none' WHERE seq = ?", (seq,))

    await database.write(job)
