"""One number is taken out of everything that is stored, and what may still hold it is named."""

import json
import re
import shutil
import sqlite3
import zlib
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import aiosqlite
import pytest

from app.audit import Actor, Audit, Deed
from app.domain import events
from app.domain.days import BusinessDay
from app.history.rebuild import rebuild
from app.keeping import KeepingError, backup, move_aside
from app.keeping.clearing import Clearing
from app.keeping.erasure import erase
from app.packing import text_of
from app.pbx import WebhookError
from app.projector import Projector
from app.render import Renderer
from app.sentences import Sentence, packed
from app.webhook_journal import WebhookJournal
from tests.history_setup import DAYS, NINE, ZONE, Site, site

pytestmark = pytest.mark.anyio

NUMBER = "0938363739"
NINE_DIGITS = "938363739"
OTHER = "0901234567"
RECORDING = f"https://pbx.example/2026/in-{NUMBER}-101.wav"
OTHERS_RECORDING = f"https://pbx.example/2026/in-{OTHER}-102.wav"
REFUSED = Sentence("The PBX refused: {words}", words=f"Cannot dial {NUMBER}: no route")

# A PBX, supervisors and other nodes tell of the number by every way there is.
STORY = (
    events.CallRinging(callid="1", extension="101", queue="999", phone=NUMBER, did="19001234"),
    events.CallAnswered(callid="1", extension="101", queue="999", phone="+84 938 363 739"),
    events.ListenStarted(
        supervisor="9", extension="101", callid="1", mode="listen", phone=f"84{NINE_DIGITS}"
    ),
    events.CallEnded(callid="1"),
    events.CallRecorded(
        callid="1", status="ANSWER", extension="101", phone=NUMBER, recording=RECORDING
    ),
    events.CallAbandoned(callid="2", queue="999", phone=NUMBER, holdtime=30),
    events.RingMissed(callid="2", extension="101", queue="999", phone=NUMBER),
    events.AbandonClaimed(callid="2", by="Ann"),
    events.CommandRequested(command="c", action="dial", supervisor="9", phone=NUMBER),
    events.CommandResult(command="c", kind="refused", sentence=packed(REFUSED)),
    events.AbandonClosed(callid="2", by="Ann", reason="asks for 0938.363.739\tinstead"),
    events.PauseNoted(extension="101", reason="calls 0938 363 739 back", by="Ann"),
    events.PhoneReported(extension="101", status="pause"),
    events.OutboundRinging(callid="4", extension="101", phone=NUMBER),
    events.CallRecorded(
        callid="4", status="NO ANSWER", extension="101", did=NUMBER, direction="outbound"
    ),
    events.CallRinging(callid="3", extension="102", queue="999", phone=OTHER),
    events.CallRecorded(callid="3", status="ANSWER", phone=OTHER, recording=OTHERS_RECORDING),
    events.CallRecorded(callid="5", status="ANSWER", phone="102", recording=RECORDING),
    events.PbxAsked(error=f"no answer about {NUMBER}"),
    events.AlarmSent(channel="1", entries=(1,), error=f"sms to +84 {NINE_DIGITS} failed"),
    events.Tick(),
)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "pitwall.db"


async def test_after_an_erasure_no_column_and_no_file_holds_the_number(path):
    killed = await filled(path)
    before = {name for name, _ in where_it_stands(path)}
    assert {"event.body", "snapshot.body", "floor_checkpoint.body"} <= before
    assert {"call.phone", "call.recording", "call.did", "call.caller"} <= before
    assert {"agent_span.reason", "abandon_deed.reason", "abandon_deed.caller"} <= before
    assert {"rejected_webhook.sample"} <= before
    assert NINE_DIGITS.encode() in killed.with_name("pitwall.db-wal").read_bytes()

    erased = erase(killed, "+84 938 363 739", NINE)

    assert [each.name for each in files(killed) if NINE_DIGITS.encode() in each.read_bytes()] == []
    assert set(where_it_stands(killed)) == set()
    assert (erased.calls, erased.deeds, erased.samples, erased.spans) == (4, 2, 2, 3)
    assert erased.left == {}
    assert "The audit holds no numbers" in str(erased)


async def test_what_is_not_the_numbers_is_as_it_was(path):
    await filled(path)
    before = await calls_of(path)
    recordings = await column(path, "SELECT recording FROM call ORDER BY callid")
    erase(path, NUMBER, NINE)

    assert recordings == [RECORDING, "", OTHERS_RECORDING, "", RECORDING]
    assert await column(path, "SELECT recording FROM call ORDER BY callid") == [
        "", "", OTHERS_RECORDING, "", ""
    ]  # fmt: skip
    reasons = await column(path, "SELECT DISTINCT reason FROM agent_span WHERE reason <> ''")
    assert reasons == ["calls 0••• back"]
    assert await calls_of(path) == [
        [callid, state, "" if NINE_DIGITS in re.sub(r"[^0-9]", "", phone) else phone]
        for callid, state, phone in before
    ]
    assert OTHER in {phone for _, _, phone in before}


async def test_a_history_made_anew_does_not_bring_it_back(path):
    await filled(path)
    erase(path, NUMBER, NINE)
    await rebuild(f"sqlite:{path}", BusinessDay(ZONE), lambda: NINE + 1000)

    assert set(where_it_stands(path)) == set()
    assert await column(path, "SELECT count(*) FROM call") == [5]


async def test_a_number_that_nobody_has_changes_nothing(path):
    await filled(path)
    before = dict(where_it_stands(path))
    erased = erase(path, "0911111111", NINE)

    assert (erased.events, erased.floors, erased.calls, erased.deeds) == (0, 0, 0, 0)
    assert dict(where_it_stands(path)) == before


async def test_a_short_number_is_not_found_inside_a_longer_one(path):
    await filled(path)
    erased = erase(path, NUMBER[-6:], NINE)

    assert (erased.events, erased.floors, erased.calls) == (0, 0, 0)


@pytest.mark.parametrize("number", ["363739", "0363739", "19001234"])
def test_a_short_number_is_found_where_it_stands_by_itself(number):
    text = json.dumps({"phone": number, "reason": f"call {number}, please"})
    cleared = Clearing(number).body(text)

    assert cleared == '{"phone":"","reason":"call •••, please"}'


def test_damaged_json_loses_the_number_all_the_same():
    assert Clearing(NINE_DIGITS).body(f'{{"phone":"{NUMBER}"') == '{"phone":"0•••"'


def test_too_few_digits_are_refused(path):
    with pytest.raises(KeepingError, match="nothing was erased"):
        erase(path, "999", NINE)


async def test_databases_beside_it_that_may_still_hold_it_are_counted_and_named(path):
    await filled(path)
    shutil.copy(path, path.with_name("copy"))
    for name in ("pitwall.db.lock", "pitwall.db.turn", "pitwall.db.ballast", "another.db"):
        path.with_name(name).touch()
    for word in ("damaged", "before-restore", "damaged"):
        move_aside(path, word, NINE)
        shutil.copy(path.with_name("copy"), path)
    backup.nightly(path, NINE)
    path.with_name("pitwall.db.damaged-20260302-090000-wal").touch()
    path.with_name(".pitwall.db.damaged.replacement.partial").touch()
    path.with_name("backups").joinpath(".pitwall-20260301-030000.db.partial").touch()

    told = str(erase(path, NUMBER, NINE))

    assert "1 nightly backups may still hold it" in told
    assert "5 other databases beside it" in told
    assert told.endswith(
        "pitwall.db.damaged-20260302-090000-2, pitwall.db.damaged-20260302-090000, "
        "pitwall.db.before-restore-20260302-090000, backups/.pitwall-20260301-030000.db.partial, "
        ".pitwall.db.damaged.replacement.partial."
    )


async def test_a_replacement_that_a_crash_interrupted_does_not_bring_it_back(path):
    await filled(path)
    ready = path.with_name("pitwall.db.before-restore.replacement")
    shutil.copy(path, ready)
    told = str(erase(path, NUMBER, NINE))

    assert not ready.exists()
    assert set(where_it_stands(path)) == set()
    assert told.endswith("pitwall.db.before-restore-20260302-090000.")


async def test_rows_that_keep_the_number_are_told_of(path):
    """Such as those that an earlier version wrote, and a call whose id is the number."""
    await filled(path)
    async with site(f"sqlite:{path}") as here:
        audit = await Audit.open(here.database, here.clock)
        await audit.done(Actor(name=NUMBER), Deed("sign in"))
        await here.told([(NINE + 9000, events.CallRinging(callid=NUMBER, extension="103"))])

    told = str(erase(path, NUMBER, NINE))

    assert "1 rows of the audit name it" in told
    assert "PITWALL_KEEP_AUDIT" in told
    assert "call (1)" in told


async def filled(path: Path) -> Path:
    """The number wherever it can get to; returns the same database as a kill leaves it."""
    killed = path.parent / "killed" / path.name
    async with site(f"sqlite:{path}") as here:
        await here.told((NINE + number, event) for number, event in enumerate(STORY))
        await refuse_webhooks(here)
        await act(here)
        projector = Projector(here.log, DAYS, Renderer(), here.clock)
        await projector.start()
        await projector.save_snapshot()
        killed.parent.mkdir()
        for each in files(path):
            shutil.copy(each, killed.parent)
    return killed


async def refuse_webhooks(here: Site) -> None:
    """A number where it belongs is masked before it is kept; a call id is no number."""
    journal = await WebhookJournal.open(here.database, here.clock)
    misplaced = {"callid": NUMBER, "status": NUMBER}
    for params in ({"phone": NUMBER, "did": NUMBER}, *[misplaced] * 100):
        journal.refuse("192.0.2.1", f"/hook/{NUMBER}", params, WebhookError("odd", "event"))
    journal.refuse("192.0.2.1", "/hook", {}, WebhookError("odd", ""), NUMBER.encode())
    await journal.close()
    await here.database.write(forget_most)


async def forget_most(connection: aiosqlite.Connection) -> None:
    """As a purge does, where SQLite was built to leave in the file what is deleted."""
    await connection.execute("PRAGMA secure_delete = OFF")
    await connection.execute("DELETE FROM rejected_webhook WHERE id > 2")


async def act(here: Site) -> None:
    """What supervisors do, with words of theirs and of the PBX."""
    audit = await Audit.open(here.database, here.clock)
    seq = await audit.intent(Actor(), Deed("call back", phone=NUMBER, reason=f"wants {NUMBER}"))
    await audit.result(seq, f"failed: {REFUSED}")
    await audit.denied(Actor(), Deed("call", phone=NUMBER), f"{NUMBER} may not be dialled")
    await audit.done(Actor(), Deed("close abandoned caller", reason="is +84 938 363 739 now"))


async def calls_of(path: Path) -> list[list[str]]:
    async with site(f"sqlite:{path}") as here:
        projector = Projector(here.log, DAYS, Renderer(), here.clock)
        await projector.start()
        state = projector.floor.state
        return [[call.callid, call.state, call.phone] for call in state.calls.values()]


async def column(path: Path, sql: str) -> list[object]:
    async with site(f"sqlite:{path}") as here:
        return [value for (value,) in await here.database.read(sql)]


def where_it_stands(path: Path) -> Iterator[tuple[str, str]]:
    """Each column that holds the nine digits, whatever is between them, with one of its values."""
    with closing(sqlite3.connect(path)) as connection:
        sql = "SELECT name FROM sqlite_schema WHERE type = 'table'"
        for (table,) in connection.execute(sql).fetchall():
            rows = connection.execute(f"SELECT * FROM {table}")  # noqa: S608 our own names
            names = [f"{table}.{described[0]}" for described in rows.description]
            for row in rows:
                for name, value in zip(names, row, strict=True):
                    if NINE_DIGITS in re.sub(r'[^0-9a-z"]', "", readable(value)):
                        yield name, readable(value)


def readable(value: object) -> str:
    if not isinstance(value, bytes):
        return str(value)
    try:
        return text_of(value).decode(errors="replace")
    except zlib.error:
        return value.decode(errors="replace")


def files(path: Path) -> list[Path]:
    """The database and what lies beside it."""
    return [each for each in path.parent.iterdir() if each.is_file()]
