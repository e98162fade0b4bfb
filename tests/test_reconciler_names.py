"""Names the PBX tells: read tolerantly, taken over where nobody gave one, never over one."""

import json
from zoneinfo import ZoneInfo

import pytest

from app.domain.days import BusinessDay
from app.domain.events import AgentNamed, CallRinging, PhoneReported, QueueNamed
from app.domain.floor import Floor
from app.log.memory import MemoryLog
from app.pbx import Member
from app.pbx.reading import entries_in, members_in
from app.pbx.unconfigured import UnconfiguredPbx
from app.reconciler import Reconciler

UTC = ZoneInfo("UTC")
NOW = 1_800_000_000_000


def members_of(*entries):
    return members_in(entries_in(json.loads(json.dumps({"result": entries}))))


class Namer(UnconfiguredPbx):
    """A PBX that only names its members."""

    def __init__(self, *members):
        self.told = list(members)

    async def members(self):
        return self.told

    async def phones(self, extensions):
        return []


async def floor_after(*members, before=()):
    """The floor after one round of questions, and how many events that took."""
    log, floor = MemoryLog(lambda: NOW), Floor(BusinessDay(UTC))
    for seq, event in enumerate(before, 1):
        floor.apply(seq, NOW, event)
    asked = Reconciler(Namer(*members), log, lambda: floor.state, lambda: NOW, UTC)
    await asked.everything()
    await follow(log, floor)
    seen = log.last_seq
    await asked.everything()
    await follow(log, floor)
    assert log.last_seq == seen + 1, "told twice is told once: only PbxAsked comes again"
    return floor


async def follow(log, floor):
    async for records in log.follow(0):
        for record in records:
            floor.apply(record.seq, record.at, record.event)
        if records[-1].seq >= log.last_seq:
            return


def test_an_entry_names_the_agent_and_the_queue():
    entry = {"queue": "901", "queue_name": "Sales", "extension": "101", "name": "Ann Lee"}

    assert members_of(entry) == [
        Member("101", ("901",), name="Ann Lee", queue_names=(("901", "Sales"),))
    ]


@pytest.mark.parametrize("name", ["Ann", "Lan", "O'Hara", "Anne-Marie", "Nguyễn Thị Lan", "Desk 4"])
def test_one_word_is_a_name_too(name):
    assert members_of({"queue": "901", "ext": "101", "name": name})[0].name == name


@pytest.mark.parametrize(
    "name",
    ["SIP/101", "SIP/desk", "Local/101@from-queue/n", "101", "a101", "", " ", "\u202ex"],
)
def test_a_channel_or_a_number_or_nothing_visible_is_no_name(name):
    assert members_of({"queue": "901", "ext": "101", "name": name})[0].name == ""


def test_an_extension_of_letters_is_no_name_of_its_own():
    assert members_of({"queue": "901", "ext": "desk", "name": "desk"})[0].name == ""


def test_two_names_for_one_phone_tell_none():
    [member] = members_of(
        {"queue": "1", "ext": "101", "name": "Sales"},
        {"queue": "2", "ext": "101", "name": "Support"},
    )

    assert member.name == ""


def test_an_entry_without_a_name_contradicts_none():
    [member] = members_of({"queue": "1", "ext": "101", "name": "Ann"}, {"queue": "2", "ext": "101"})

    assert member.name == "Ann"


@pytest.mark.anyio
async def test_two_names_for_one_queue_tell_none():
    floor = await floor_after(
        Member("101", ("901",), queue_names=(("901", "Sales"), ("902", "Support"))),
        Member("102", ("901",), queue_names=(("901", "Verkauf"), ("902", "Support"))),
    )

    assert (floor.queue_name("901"), floor.queue_name("902")) == ("901", "Support")


def test_a_queue_that_is_told_by_its_name_alone_has_no_other():
    assert members_of({"queue_name": "Sales", "ext": "101"})[0].queue_names == ()


@pytest.mark.anyio
async def test_who_has_no_name_gets_the_one_of_the_pbx():
    ann = Member("101", ("901",), name="Ann", queue_names=(("901", "Sales"),))
    floor = await floor_after(ann, before=[PhoneReported(extension="101", status="on")])

    assert floor.agent_cards()[0].name == "Ann"
    assert floor.queue_name("901") == "Sales"


@pytest.mark.anyio
async def test_names_and_settings_that_were_given_stay():
    ann = Member("101", ("901",), name="Ann", queue_names=(("901", "Sales"),))
    bob = Member("102", ("901",), name="Bob")
    floor = await floor_after(
        ann,
        bob,
        before=[
            AgentNamed(extension="101", name="Anna", team="A"),
            AgentNamed(extension="102", team="B", never_listen=True),
            QueueNamed(queue="901", service_level_s=45, variant="answered"),
        ],
    )
    anna, bob_card = floor.agent_cards()
    queue = floor.state.queues["901"]

    assert (anna.name, anna.team) == ("Anna", "A")
    assert (bob_card.name, bob_card.team, bob_card.never_listen) == ("Bob", "B", True)
    assert (queue.name, queue.service_level_s, queue.variant) == ("Sales", 45, "answered")


@pytest.mark.anyio
async def test_a_name_that_many_phones_have_is_nobodys():
    crowd = [Member(f"10{n}", ("901",), name="Sales") for n in range(3)]
    floor = await floor_after(*crowd)

    assert {card.name for card in floor.agent_cards()} == {""}


@pytest.mark.anyio
async def test_a_queue_with_two_names_gets_none():
    floor = await floor_after(
        Member("101", ("901",), queue_names=(("901", "Sales"),)),
        Member("102", ("901",), queue_names=(("901", "Service"),)),
        before=[CallRinging(callid="c", queue="901")],
    )

    assert floor.state.queues["901"].name == ""
