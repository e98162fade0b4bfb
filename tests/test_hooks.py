"""The hook on a real server and bare: who gets in, what is promised, what is kept and bounded."""

import json
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import replace
from ipaddress import ip_network
from pathlib import Path
from typing import Any

import anyio
import anyio.lowlevel
import pytest
from starlette.applications import Starlette

from app.database import Database, DatabaseUnavailable
from app.domain.events import CallEnded, Event
from app.log import LogUnavailable
from app.log.memory import MemoryLog
from app.masking import masked, masked_number
from app.pbx import WebhookError
from app.peers import ADDRESSES, PeerCounts, source_of
from app.web import hooks
from app.webhook_journal import KEPT, WebhookJournal
from app.webhook_tokens import WebhookTokens
from tests.receiver import HookParts, HookSettings

pytestmark = pytest.mark.anyio
TOKEN = "a-token-of-the-environment"
HANGUP = "/api/callcenter/hangup"


class Clock:
    """Time that passes when told to."""

    def __init__(self) -> None:
        self.now = 1_700_000_000_000

    def __call__(self) -> int:
        return self.now


class FullLog(MemoryLog):
    """A log whose disk is full."""

    async def append(self, events: Sequence[Event], rid: str | None = None) -> int:
        raise LogUnavailable("the disk is full")


@asynccontextmanager
async def parts_with(clock: Clock, path: str = ":memory:") -> AsyncIterator[HookParts]:
    database = await Database.open(path)
    tokens = await WebhookTokens.open(database, clock, TOKEN)
    journal = await WebhookJournal.open(database, clock)
    yield HookParts(MemoryLog(clock), database, journal, tokens, clock=clock)
    await database.close()


async def ask(
    parts: HookParts,
    path: str,
    query: str = "callid=a",
    method: str = "GET",
    peer: str = "192.0.2.1",
    body: bytes = b"",
) -> tuple[int, dict[str, str], bytes]:
    sent: list[dict[str, Any]] = []

    async def receive() -> dict[str, Any]:
        return {"type": "http.request", "body": body, "more_body": False}

    async def send(message: Any) -> None:
        sent.append(message)

    scope = {
        "type": "http",
        "method": method,
        "path": path,
        "root_path": "",
        "query_string": query.encode(),
        "headers": [],
        "client": (peer, 4711),
        "state": {"parts": parts},
    }
    await Starlette(routes=hooks.ROUTES)(scope, receive, send)
    headers = {name.decode(): value.decode() for name, value in sent[0]["headers"]}
    return sent[0]["status"], headers, sent[1]["body"]


async def test_a_webhook_is_answered_with_its_place_in_the_log() -> None:
    async with parts_with(Clock()) as parts:
        first = await ask(parts, f"/hook/{TOKEN}{HANGUP}")
        second = await ask(parts, f"/hook/{TOKEN}{HANGUP}")

    assert (first[0], json.loads(first[2])) == (200, {"ok": True, "seq": 1})
    assert json.loads(second[2])["seq"] == 2


async def test_a_webhook_that_was_not_stored_is_not_acknowledged() -> None:
    clock = Clock()
    async with parts_with(clock) as parts:
        full = replace(parts, log=FullLog(clock))
        status, headers, body = await ask(full, f"/hook/{TOKEN}{HANGUP}")

    assert (status, headers["retry-after"]) == (503, "5")
    assert json.loads(body)["ok"] is False
    assert (parts.journal.unstored, len(parts.journal.received)) == (1, 0)


@pytest.mark.parametrize("method", ["HEAD", "PUT", "DELETE", "OPTIONS", "PATCH"])
async def test_other_methods_apply_nothing(method: str) -> None:
    async with parts_with(Clock()) as parts:
        status, headers, _ = await ask(parts, f"/hook/{TOKEN}{HANGUP}", method=method)

    assert (status, headers["allow"], parts.log.last_seq) == (405, "GET, POST", 0)


async def test_a_stranger_is_slowed_after_twenty_tries_a_minute_and_the_pbx_never() -> None:
    clock = Clock()
    async with parts_with(clock) as parts:
        wrong = [(await ask(parts, f"/hook/guess{HANGUP}"))[0] for _ in range(21)]
        right, _, _ = await ask(parts, f"/hook/{TOKEN}{HANGUP}")
        neighbour, _, _ = await ask(parts, f"/hook/guess{HANGUP}", peer="192.0.2.2")
        clock.now += 60_000
        later, _, _ = await ask(parts, f"/hook/guess{HANGUP}")

    assert wrong == [404] * 20 + [429]
    assert (right, neighbour, later) == (200, 404, 404)
    seen = [(source, each.count) for source, each in parts.journal.wrong_tokens.newest()]
    assert seen == [("192.0.2.1", 22), ("192.0.2.2", 1)]
    assert (parts.journal.wrong_tokens.total, len(parts.journal.received)) == (23, 1)


@pytest.mark.parametrize(
    ("peer", "status"),
    [("198.51.100.7", 200), ("::ffff:198.51.100.7", 200), ("203.0.113.9", 404), ("127.0.0.1", 404)],
)
async def test_only_allowed_addresses_need_no_token(peer: str, status: int) -> None:
    async with parts_with(Clock()) as parts:
        answer = await ask(parts, "/api/CallCenter//HangUp/", peer=peer)

    assert answer[0] == status
    assert parts.journal.bare.total == (status == 404)


async def test_nobody_is_allowed_by_default() -> None:
    async with parts_with(Clock()) as parts:
        closed = replace(parts, settings=HookSettings(webhook_allow=()))

        assert (await ask(closed, HANGUP, peer="127.0.0.1"))[0] == 404


async def test_other_networks_can_be_allowed() -> None:
    async with parts_with(Clock()) as parts:
        local = replace(parts, settings=HookSettings(webhook_allow=(ip_network("::1/128"),)))

        assert (await ask(local, "/api/Agent/ChangeStatus", "extension=1&status=on", peer="::1"))[
            0
        ] == 200


@pytest.mark.parametrize(
    ("peer", "token", "status"),
    [
        ("192.0.2.7", TOKEN, 200),
        ("::ffff:192.0.2.7", TOKEN, 200),
        ("203.0.113.9", TOKEN, 404),
        ("127.0.0.1", TOKEN, 404),
        ("192.0.2.7", "x" * 43, 404),
    ],
)
async def test_the_right_token_from_the_wrong_address_is_a_strangers(
    peer: str, token: str, status: int
) -> None:
    async with parts_with(Clock()) as parts:
        own = replace(parts, settings=HookSettings(webhook_from=(ip_network("192.0.2.0/24"),)))
        answer = await ask(own, f"/hook/{token}{HANGUP}", peer=peer)

    assert answer[0] == status
    assert own.log.last_seq == (status == 200)
    assert (own.journal.bare.total == 1) is (status == 404 and token == TOKEN)


async def test_a_path_of_nonsense_puts_no_number_and_no_line_on_a_page() -> None:
    async with parts_with(Clock()) as parts:
        await ask(parts, f"/hook/{TOKEN}/api/callcenter/0938363739\x1b[2J")

    shown = parts.journal.rejected[-1].endpoint
    assert "0938363739" not in shown
    assert "\x1b" not in shown


async def test_a_prefix_that_was_pasted_twice_does_not_put_the_token_on_a_page() -> None:
    async with parts_with(Clock()) as parts:
        status, _, body = await ask(parts, f"/hook/{TOKEN}/hook/{TOKEN}{HANGUP}")

    assert status == 404
    assert json.loads(body)["error"] == "there is no such webhook"
    assert parts.journal.rejected[-1].endpoint == f"/hook/…{HANGUP}"


async def test_a_form_and_a_query_are_one_set_of_parameters() -> None:
    async with parts_with(Clock()) as parts:
        path = f"/hook/{TOKEN}/api/Agent/ChangeStatus"
        both = await ask(parts, path, "extension=101", "POST", body=b"status=on")
        against = await ask(parts, path, "extension=101", "POST", body=b"extension=102&status=on")

    assert (both[0], against[0]) == (200, 422)


async def test_the_journal_shows_what_came_with_numbers_masked() -> None:
    async with parts_with(Clock()) as parts:
        query = "callid=1700000000.10&phone=0938363739&queue=999&x=1&agent=secret"
        await ask(parts, f"/hook/{TOKEN}/api/callcenter/call_in", query)

    [received] = parts.journal.received
    assert received.shown() == {
        "callid": "1700000000.10",
        "queue": "999",
        "phone": "•••••••739",
    }


async def test_a_field_of_another_name_is_shown_by_its_name_alone() -> None:
    async with parts_with(Clock()) as parts:
        await ask(parts, f"/hook/{TOKEN}{HANGUP}", f"call_id=abc&{'t' * 43}=1&0938363739=2")

    assert parts.journal.rejected[-1].sample == "call_id=…"


@pytest.mark.parametrize(
    ("body", "sample"),
    [
        (b'{"callid": 0938363739', 'body={"callid": ••••••••••'),
        (b"[1,\x002]", "body=[•,�•]"),
        (b'{"callid": {"id": "0938363739"}}', "callid=…"),
        (b"callid=%ff", "callid=…"),
        (b"", ""),
    ],
)
async def test_a_body_that_is_not_understood_is_shown_without_its_digits(
    body: bytes, sample: str
) -> None:
    async with parts_with(Clock()) as parts:
        await ask(parts, f"/hook/{TOKEN}{HANGUP}", "", "POST", body=body)

    assert parts.journal.rejected[-1].sample == sample


async def test_rejections_and_counters_survive_a_restart(tmp_path: Path) -> None:
    path, clock = str(tmp_path / "pitwall.db"), Clock()
    async with parts_with(clock, path) as parts:
        await ask(parts, f"/hook/{TOKEN}{HANGUP}", "callid=<b>")
        await ask(parts, f"/hook/guess{HANGUP}")
        await ask(parts, f"/hook/{TOKEN}/api/callcenter/call_in", "callid=a")
        await parts.journal.close()
        kept = list(parts.journal.rejected), parts.journal.counters
    async with parts_with(clock, path) as again:
        await ask(again, f"/hook/{TOKEN}{HANGUP}", "callid=")

    assert list(again.journal.rejected)[:2] == kept[0]
    assert again.journal.counters == kept[1] | {"refused": 2}


async def test_a_kill_loses_only_what_came_since_the_last_flush(tmp_path: Path) -> None:
    path, clock = str(tmp_path / "pitwall.db"), Clock()
    async with parts_with(clock, path) as parts:
        await ask(parts, f"/hook/{TOKEN}{HANGUP}", "callid=")
        await parts.journal.flush()
        await ask(parts, f"/hook/{TOKEN}{HANGUP}", "callid=")
    async with parts_with(clock, path) as again:
        assert again.journal.refused == 1


async def test_a_flood_of_malformed_webhooks_is_counted_and_the_list_stays_short(
    tmp_path: Path,
) -> None:
    async with parts_with(Clock(), str(tmp_path / "pitwall.db")) as parts:
        for number in range(5_000):
            parts.journal.refuse("192.0.2.1", HANGUP, {"callid": "<"}, WebhookError(f"no {number}"))
            if number % 1_500 == 0:
                await parts.journal.flush()
        await parts.journal.flush()
        [[rows]] = await parts.database.read("SELECT count(*) FROM rejected_webhook")

    assert parts.journal.refused == 5_000
    assert (len(parts.journal.rejected), len(parts.journal.received), rows) == (KEPT, KEPT, KEPT)
    assert parts.journal.rejected[-1].reason == "no 4999"


async def test_a_flush_that_is_cancelled_writes_its_rows_once() -> None:
    async with parts_with(Clock()) as parts:
        journal = parts.journal
        await ask(parts, f"/hook/{TOKEN}{HANGUP}", "callid=")
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(journal.flush)
            await anyio.lowlevel.checkpoint()
            await ask(parts, f"/hook/{TOKEN}{HANGUP}", "callid=")
            tasks.cancel_scope.cancel()
        await journal.flush()
        [[rows]] = await parts.database.read("SELECT count(*) FROM rejected_webhook")

    assert rows == 2


async def test_what_could_not_be_saved_is_saved_later(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    async def full(*_: object) -> None:
        raise DatabaseUnavailable("The disk is full.")

    async with parts_with(Clock()) as parts:
        await ask(parts, f"/hook/{TOKEN}{HANGUP}", "callid=")
        with monkeypatch.context() as broken:
            broken.setattr(Database, "write_at_once", full)
            for _ in range(3):
                await parts.journal.flush()
        await parts.journal.flush()
        [[rows]] = await parts.database.read("SELECT count(*) FROM rejected_webhook")

    assert rows == 1
    assert caplog.text.count("tried again") == 1


async def test_the_first_token_is_told_once_and_never_stored(tmp_path: Path) -> None:
    path, clock = tmp_path / "pitwall.db", Clock()
    database = await Database.open(str(path))
    made = (await WebhookTokens.open(database, clock)).made
    again = await WebhookTokens.open(database, clock)
    await database.close()

    assert made is not None
    assert len(made) == 43
    assert again.made is None
    assert again.accepts(made.encode())
    assert made.encode() not in path.read_bytes()


async def test_a_rotated_token_works_until_its_grace_is_over() -> None:
    clock = Clock()
    database = await Database.open(":memory:")
    tokens = await WebhookTokens.open(database, clock)
    old = (tokens.made or "").encode()
    new = (await tokens.rotate(grace_s=60)).encode()
    reopened = await WebhookTokens.open(database, clock)
    within = [t.accepts(token) for t in (tokens, reopened) for token in (old, new)]
    clock.now += 60_000
    after = [t.accepts(token) for t in (tokens, reopened) for token in (old, new)]
    await database.close()

    assert within == [True] * 4
    assert after == [False, True] * 2
    assert tokens.previous is not None
    assert tokens.previous.used_at == clock.now - 60_000


async def test_a_previous_token_can_be_revoked_at_once() -> None:
    clock = Clock()
    database = await Database.open(":memory:")
    tokens = await WebhookTokens.open(database, clock)
    old = (tokens.made or "").encode()
    await tokens.rotate()
    await tokens.revoke_previous()
    reopened = await WebhookTokens.open(database, clock)
    await database.close()

    assert not tokens.accepts(old)
    assert not reopened.accepts(old)


async def test_a_token_of_the_environment_is_changed_there() -> None:
    async with parts_with(Clock()) as parts:
        assert parts.tokens.made is None
        with pytest.raises(ValueError, match="PITWALL_WEBHOOK_TOKEN"):
            await parts.tokens.rotate()


async def test_addresses_are_forgotten_and_the_total_is_not() -> None:
    counts = PeerCounts(Clock())
    for number in range(ADDRESSES + 5):
        counts.add(f"10.0.{number // 250}.{number % 250}")

    assert (len(counts.newest()), counts.total) == (ADDRESSES, ADDRESSES + 5)


@pytest.mark.parametrize(
    ("peer", "source"),
    [
        ("192.0.2.1", "192.0.2.1"),
        ("::ffff:192.0.2.1", "192.0.2.1"),
        ("2001:db8::1:2:3:4", "2001:db8::/64"),
        ("fe80::1%eth0", "fe80::/64"),
        ("testclient", "testclient"),
    ],
)
async def test_who_is_held_responsible(peer: str, source: str) -> None:
    assert source_of(peer) == source


async def test_numbers_are_masked_wherever_they_stray() -> None:
    assert masked_number("+84 912 345 678") == "+•• ••• ••• 678"
    assert masked_number("101") == "101"
    assert masked("recordingfile", "20240301-0938363739.wav") == "•••••301-•••••••739.wav"
    assert masked("calldate", "2024-03-01 13:15:40") == "2024-03-01 13:15:40"
    assert masked("queue", "a\nb") == "a�b"


async def test_an_event_is_decoded_by_the_clock_of_the_settings() -> None:
    async with parts_with(Clock()) as parts:
        await ask(parts, f"/hook/{TOKEN}{HANGUP}", "callid=a")
        async for [record] in parts.log.follow():
            assert record.event == CallEnded(callid="a")
            break
