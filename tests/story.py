"""A story in words → the floor it leaves: `after("101 on, 1 rings 101 in 999, +20s, 1 hangs up")`.

Steps are divided by commas; every report goes through the dialect's `decode`. Time passes only by
`+20s` (ms, s, m, h; a tick each five seconds) or `~20s` (without ticks: the program was down).
"""

import re
from collections.abc import Iterator
from datetime import UTC, datetime, time
from zoneinfo import ZoneInfo

import msgspec

from app.domain.days import BusinessDay
from app.domain.events import Event, PhoneVerified, Tick
from app.domain.floor import Floor
from app.domain.model import FloorState
from app.domain.view import QueueTile, Totals
from app.pbx.voicecloud import decode

MONDAY_10_O_CLOCK = "2026-03-02 10:00:00"
TICK_MS = 5000
UTC_ZONE = ZoneInfo("UTC")
SPANS = {"ms": 1, "s": 1000, "m": 60_000, "h": 3_600_000}

CALL_IN = "/api/callcenter/call_in"
CALLDATA = "/api/callcenter/calldata"
INIT = "/api/callcenter/init"
CALL, AGENT, QUEUE = r"(?P<callid>[\w.-]+)", r"(?P<extension>\d+)", r"(?: in (?P<queue>\w+))?"
# What is said → the webhook and the parameters that the words do not name.
REPORTS: tuple[tuple[str, str, dict[str, str]], ...] = (
    (rf"{AGENT} (?P<status>off|on|pause|ring|talk)", "/api/Agent/ChangeStatus", {}),
    (rf"{CALL} waits{QUEUE}", CALL_IN, {"event": "RING"}),
    (rf"{CALL} rings {AGENT}{QUEUE}", CALL_IN, {"event": "RING"}),
    (rf"{CALL} answered {AGENT}{QUEUE}", CALL_IN, {"event": "ANSWER"}),
    (rf"{CALL} hangs up", "/api/callcenter/hangup", {}),
    (
        rf"{CALL} abandons (?P<queue>\w+)(?: after (?P<holdtime>\d+))?",
        CALLDATA,
        {"status": "ABANDON"},
    ),
    (rf"{CALL} missed {AGENT}{QUEUE}", CALLDATA, {"status": "NOANSWER"}),
    (
        rf"{CALL} record (?P<status>[A-Z]+)(?: {AGENT})?(?: (?P<duration>\d+)/(?P<billsec>\d+))?"
        r"(?: (?P<direction>inbound|outbound))?(?: on (?P<calldate>[\d: -]+))?",
        CALLDATA,
        {},
    ),
    (rf"{AGENT} dials {CALL}", INIT, {"event": "RING"}),
    (rf"{AGENT} reaches {CALL}", INIT, {"event": "ANSWER"}),
)
PASSES = re.compile(r"([+~])(\d+)(ms|s|m|h)")
VERIFIED = re.compile(
    rf"{AGENT} verified(?: (?P<status>off|on|pause|ring|talk))?(?: (?P<paused>paused|unpaused))?"
    r"(?: in (?P<queues>[\w/]+))?"
)


class Story:
    """A floor and its time."""

    def __init__(
        self, at: str = MONDAY_10_O_CLOCK, zone: str = "UTC", starts: time = time(0)
    ) -> None:
        local = datetime.strptime(at, "%Y-%m-%d %H:%M:%S").replace(tzinfo=ZoneInfo(zone))
        self.now = self.began = round(local.astimezone(UTC).timestamp() * 1000)
        self.floor = Floor(BusinessDay(ZoneInfo(zone), starts))
        self.past: list[tuple[int, Event]] = []
        self._next_tick = self.now + TICK_MS

    @property
    def state(self) -> FloorState:
        return self.floor.state

    def tell(self, *parts: str | Event) -> "Story":
        """Let it happen: words, or events for which there are no words."""
        for part in parts:
            if isinstance(part, Event):
                self.happens(part)
            else:
                for step in part.split(","):
                    self._step(step.strip())
        return self

    def _step(self, words: str) -> None:
        passes = PASSES.fullmatch(words)
        if passes is None:
            self.happens(event_of(words, self.now, self.floor.days.zone))
            return
        until = self.now + int(passes[2]) * SPANS[passes[3]]
        while passes[1] == "+" and self._next_tick <= until:
            self.now = self._next_tick
            self.happens(Tick())
            self._next_tick += TICK_MS
        self.now, self._next_tick = until, max(self._next_tick, until)

    def happens(self, event: Event) -> None:
        self.past.append((self.now, event))
        self.floor.apply(self.state.seq + 1, self.now, event)

    def restart(self) -> "Story":
        """The program starts again from a snapshot."""
        self.floor = Floor(self.floor.days, restored(self.state))
        return self

    def replayed(self) -> FloorState:
        """What the events alone make of an empty floor, however often it restarted on the way."""
        floor = Floor(self.floor.days)
        for seq, (at, event) in enumerate(self.past, 1):
            floor.apply(seq, at, event)
        return floor.state


def after(*parts: str | Event) -> Story:
    """The story as it stands after all that."""
    return Story().tell(*parts)


def event_of(words: str, at: int = 0, zone: ZoneInfo = UTC_ZONE) -> Event:
    """The event that the words mean. Raises ValueError for words that mean nothing."""
    if words == "tick":
        return Tick()
    if verified := VERIFIED.fullmatch(words):
        return _verified(verified)
    for pattern, path, constants in REPORTS:
        if match := re.fullmatch(pattern, words):
            told = {name: value for name, value in match.groupdict().items() if value is not None}
            phone = {"phone": f"090{told['callid']}"} if "callid" in told else {}
            return decode(path, {**phone, **constants, **told}, now=at, zone=zone)
    raise ValueError(f"no story knows the words '{words}'")


def _verified(match: re.Match[str]) -> PhoneVerified:
    paused, queues = match["paused"], match["queues"]
    named = () if queues in {None, "none"} else tuple(queues.split("/"))
    return PhoneVerified(
        extension=match["extension"],
        status=match["status"],
        paused=None if paused is None else paused == "paused",
        queues=None if queues is None else named,
    )


def restored(state: FloorState) -> FloorState:
    """The state, out of a snapshot of it."""
    return msgspec.json.decode(msgspec.json.encode(state), type=FloorState)


def lies(story: Story, claims: str) -> list[str]:
    """Those of the claims (divided by commas) that are no facts, each with what is true instead."""
    facts = list(facts_of(story))
    false = [claim for claim in (part.strip() for part in claims.split(",")) if claim not in facts]
    return [f"{claim}; rather {_nearest(claim, facts)}" for claim in false]


def _nearest(claim: str, facts: list[str]) -> str:
    """The facts that begin like the claim; those about the same thing if nothing else."""
    for length in (2, 1):
        start = claim.split()[:length]
        if near := [fact for fact in facts if fact.split()[:length] == start]:
            return ", ".join(near)
    return "nothing"


def facts_of(story: Story) -> Iterator[str]:
    """Everything that can be said of the floor, in words."""
    yield from _agent_facts(story)
    yield from _call_facts(story)
    yield from _queue_facts(story)
    for row in story.floor.waiting_rows():
        yield f"{row.callid} waits in {row.queue or 'no queue'} for {span(story.now - row.since)}"
    for gone in story.floor.abandon_rows():
        exact = "exactly" if gone.exact else "as seen"
        yield f"{gone.callid} gave up {gone.queue} after {gone.waited_s}s {exact}"
        if gone.called_back:
            yield f"{gone.callid} called back"
    yield f"{len(story.floor.abandon_rows())} gave up"


def _agent_facts(story: Story) -> Iterator[str]:
    for card in story.floor.agent_cards():
        who, day = card.extension, story.state.agents[card.extension].day
        yield f"{who} {card.status}"
        yield f"{who} {card.status} for {span(story.now - card.since)}"
        yield f"{who} {'paused' if card.paused else 'not paused'}"
        yield f"{who} {'in doubt' if card.in_doubt else 'sure'}"
        yield f"{who} {'other call' if card.other_call else 'no other call'}"
        yield f"{who} in {'/'.join(card.calls) or 'no call'}"
        yield f"{who} serves {'/'.join(card.queues) or 'no queue'}"
        yield f"{who} heard by {'/'.join(row[0] for row in card.listeners) or 'nobody'}"
        yield f"{who} because {card.pause_reason or 'unsaid'}"
        for word in ("answered", "missed", "outbound", "direct"):
            yield f"{who} {word} {getattr(day, word)}"
        yield f"{who} talked {span(day.queue_talk_ms)}"
        for status, spent in day.status_ms.items():
            yield f"{who} was {status} {span(spent)}"


def _call_facts(story: Story) -> Iterator[str]:
    for call in story.state.calls.values():
        who = f"call {call.callid}"
        yield f"{who} {call.state}"
        yield f"{who} {call.direction}"
        yield f"{who} {'lost' if call.lost else 'not lost'}"
        yield f"{who} {'in doubt' if call.in_doubt else 'sure'}"
        for state in ("ringing", "talking"):
            legs = [ext for ext, leg in call.legs.items() if leg.state == state]
            yield f"{who} {state} {'/'.join(sorted(legs)) or 'nowhere'}"
        visits = ", ".join(f"{visit.queue} {visit.outcome}" for visit in call.visits)
        yield f"{who} visited {visits.replace(', ', ' then ') or 'nothing'}"
    yield f"{len(story.state.calls)} calls"
    yield f"{len(story.state.agents)} agents"
    yield f"{len(story.state.conflicts)} conflicts"


def _queue_facts(story: Story) -> Iterator[str]:
    tiles: dict[str, QueueTile | Totals] = {one.queue: one for one in story.floor.queue_tiles()}
    for name, tile in {**tiles, "all": story.floor.totals()}.items():
        today = tile.today
        yield f"{name} waiting {tile.waiting}"
        yield f"{name} talking {tile.talking}"
        for word in ("offered", "answered", "abandoned", "otherwise"):
            yield f"{name} {word} {getattr(today, word)}"
        yield f"{name} short {today.abandoned_short}"
        yield f"{name} in time {today.answered_in_t}"
        for word in ("asa_s", "aht_s", "max_wait_s"):
            value = getattr(today, word)
            yield f"{name} {word[:-2]} {'–' if value is None else span(round(value * 1000))}"


def span(ms: int) -> str:
    """1500 → 1.5s."""
    return f"{ms / 1000:g}s"
