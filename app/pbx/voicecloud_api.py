"""The VoiceCloud dialect, outbound: what a supervisor or the reconciler asks, as HTTP.

This module alone puts the key into requests. Nothing is sent twice and nothing is logged here.
"""

import asyncio
import json
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, tzinfo
from functools import partial
from urllib.parse import quote

from yarl import URL

from app.domain.events import CallRecorded
from app.domain.states import Direction
from app.pbx import Finding, Member, PbxError, PhoneState, SpyMode, Unreadable
from app.pbx.call_records import records_in
from app.pbx.checkup import check_up
from app.pbx.exchange import Patience, Request
from app.pbx.fields import EXTENSION, PHONE
from app.pbx.line import Line
from app.pbx.reading import entries_in, is_empty, members_in, parse, phones_in
from app.pbx.secret import Secret
from app.pbx.verdict import judge_action, judge_dial
from app.sentences import Sentence

# The vendor's modes do not mean what they say: "whisper" is silent listening, and "callee" and
# "caller" name the side of the call that hears the supervisor. The agent is called on an inbound
# call and calls on an outbound one.
SPY_WORDS: dict[SpyMode, dict[Direction, str]] = {
    SpyMode.LISTEN: {Direction.INBOUND: "whisper", Direction.OUTBOUND: "whisper"},
    SpyMode.WHISPER: {Direction.INBOUND: "callee", Direction.OUTBOUND: "caller"},
    SpyMode.BARGE: {Direction.INBOUND: "threeway", Direction.OUTBOUND: "threeway"},
    SpyMode.CUSTOMER: {Direction.INBOUND: "caller", Direction.OUTBOUND: "callee"},
}

RING_DOUBT = Sentence("whether your phone will ring")
PAUSE_DOUBT = Sentence("whether the agent is paused")


@dataclass(frozen=True, slots=True)
class Account:
    """What the vendor hands out: two base URLs (https://host[/path]), the domain and the key."""

    url: str
    data_url: str
    domain: str
    key: Secret


class VoiceCloud:
    """A Pbx. `now` is in ms since the epoch, `zone` the PBX's, `clock` the breaker's seconds.

    `forced` asks even while the breaker is open.
    """

    def __init__(
        self,
        account: Account,
        *,
        zone: tzinfo,
        now: Callable[[], int],
        patience: Patience | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._account = account
        self._zone = zone
        self._now = now
        self._patience = patience or Patience()
        self._line = Line(account.key, self._patience, clock)

    @property
    def unreadable(self) -> Sequence[Unreadable]:
        return self._line.unreadable

    async def dial(self, extension: str, phone: str) -> None:
        url, limit = self._dial_url(extension, phone), self._patience.deed_bytes
        request = Request("GET", url, doubt=RING_DOUBT, limit_bytes=limit)
        text = await self._line.send("dial", request)
        self._line.demand_done("dial", judge_dial(text), text, RING_DOUBT)

    async def spy(
        self, supervisor: str, extension: str, mode: SpyMode, direction: Direction | None
    ) -> None:
        body = {"src": supervisor, "dst": extension, "mode": spy_word(mode, direction)}
        await self._act("spy", "/api/Agent/spy/format/json", body, RING_DOUBT)

    async def pause(self, extension: str, paused: bool) -> None:
        body = {"exten": extension, "status": "1" if paused else "0"}
        await self._act("pause", "/api/Agent/update_status", body, PAUSE_DOUBT)

    async def phones(self, extensions: Sequence[str], *, forced: bool = False) -> list[PhoneState]:
        if not extensions:
            return []
        body = {"list": [{"ext": extension} for extension in extensions]}
        request = self._post(self._account.url, "/api/Agent/status/format/json", body)
        text = await self._line.send("status", request, forced=forced)
        value = self._line.readable("status", text)
        entries = entries_in(value, extensions)
        if any(entry.is_odd for entry in entries):
            self._line.keep("status", "nobody knows what one of the statuses means", text)
        states = phones_in(entries, extensions)
        self._line.demand_sense("status", bool(states) or is_empty(value), text)
        return states

    async def members(self, *, forced: bool = False) -> list[Member]:
        request = self._post(self._account.url, "/api/Agent/all_members/format/json", {})
        text = await self._line.send("all_members", request, forced=forced)
        value = self._line.readable("all_members", text)
        members = members_in(entries_in(value))
        self._line.demand_sense("all_members", bool(members) or is_empty(value), text)
        return members

    async def records(
        self, day_from: date, day_to: date, callid: str | None = None, *, forced: bool = False
    ) -> list[CallRecorded]:
        body = {"startdate": day_from.isoformat(), "enddate": day_to.isoformat()}
        body |= {"callid": callid} if callid is not None else {}
        path, limit = "/internal/Reports/cdr/format/json", self._patience.records_bytes
        request = self._post(self._account.data_url, path, body, limit=limit)
        text = await self._line.send("cdr", request, forced=forced)
        # A day's records can be megabytes, and the board must not wait while they are read.
        value = await asyncio.to_thread(parse, text)
        self._line.demand_answer("cdr", value, text)
        found, unread = await asyncio.to_thread(records_in, value, self._now(), self._zone)
        if unread:
            self._line.keep("cdr", "some of the records can't be read", text)
        self._line.demand_sense("cdr", bool(found or unread) or is_empty(value), text)
        return found

    async def test_connection(self) -> list[Finding]:
        today = datetime.fromtimestamp(self._now() / 1000, self._zone).date()
        return await check_up(
            partial(self.members, forced=True),
            partial(self.phones, forced=True),
            partial(self.records, today, today, forced=True),
        )

    async def close(self) -> None:
        await self._line.close()

    async def _act(self, call: str, path: str, body: Mapping[str, object], doubt: str) -> None:
        limit = self._patience.deed_bytes
        request = self._post(self._account.url, path, body, doubt=doubt, limit=limit)
        text = await self._line.send(call, request)
        self._line.demand_done(call, judge_action(text), text, doubt)

    def _post(
        self, base: str, path: str, body: Mapping[str, object], doubt: str = "", limit: int = 0
    ) -> Request:
        whole = json.dumps({"key": self._account.key.reveal(), **body}).encode()
        limit = limit or self._patience.answer_bytes
        return Request("POST", web_address(base + path), whole, doubt, limit_bytes=limit)

    def _dial_url(self, extension: str, phone: str) -> URL:
        if not self._account.domain:
            raise PbxError(
                "unconfigured",
                "Click-to-call needs the company's domain: set PITWALL_PBX_DOMAIN and start again.",
            )
        refuse_unless_dialable(extension, phone)
        parts = {"from_number": extension, "to_number": phone}
        parts |= {"key": self._account.key.reveal(), "domain": self._account.domain}
        path = "/".join(f"{name}/{quote(part, safe='')}" for name, part in parts.items())
        return web_address(f"{self._account.url}/api/CallControl/dial/{path}")


def spy_word(mode: SpyMode, direction: Direction | None) -> str:
    """The vendor's word. Raises PbxError where it depends on a direction that nobody told."""
    words = SPY_WORDS[mode]
    if direction is not None:
        return words[direction]
    if len(set(words.values())) > 1:
        raise PbxError(
            "refused",
            "It is not known who called whom, so the wrong side might hear you; "
            "nothing was sent to the PBX. Listen or barge in instead.",
        )
    return words[Direction.INBOUND]


def refuse_unless_dialable(extension: str, phone: str) -> None:
    """Raise PbxError for what would be no number but a way to another path, or nothing."""
    has_digit = any(character.isdigit() for character in phone)
    if EXTENSION.fullmatch(extension) and PHONE.fullmatch(phone) and has_digit:
        return
    if EXTENSION.fullmatch(extension):
        raise PbxError("refused", "This number can't be dialled; nothing was sent to the PBX.")
    raise PbxError("refused", "This extension can't be dialled; nothing was sent to the PBX.")


def web_address(text: str) -> URL:
    """`text` as it stands: yarl would undo some of the percent-encoding. Raises PbxError."""
    try:
        address = URL(text, encoded=True)
        is_plain = bool(address.scheme in ("http", "https") and address.host and not address.user)
    except ValueError:
        is_plain = False
    if not is_plain:
        raise PbxError(
            "unconfigured",
            "PITWALL_PBX_URL or PITWALL_PBX_DATA_URL is not a plain web address. "
            "An administrator should check both.",
        )
    return address
