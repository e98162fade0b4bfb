"""The VoiceCloud dialect: what the vendor prints, what was seen elsewhere, what is refused."""

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from app.domain.events import (
    CallAbandoned,
    CallAnswered,
    CallEnded,
    CallRecorded,
    CallRinging,
    Event,
    OutboundAnswered,
    OutboundRinging,
    PhoneReported,
    RingMissed,
)
from app.pbx import WebhookError
from app.pbx.parameters import GIVEN_TWICE, NOT_SCALAR, parse_body, parse_query
from app.pbx.voicecloud import WEBHOOKS, UnknownWebhook, decode

ZONE = ZoneInfo("Asia/Ho_Chi_Minh")
NOW = int(datetime(2024, 3, 1, 13, 16, 40, tzinfo=ZONE).timestamp()) * 1000
CALL = "5e012a75-121b-4c10-bdb4-c4b235b6a677"
CALLER = "0938363739"


def told(url: str, now: int = NOW, zone: ZoneInfo = ZONE) -> Event:
    path, _, query = url.partition("?")
    return decode(path, parse_query(query.encode()), now=now, zone=zone)


def record(**fields: str) -> CallRecorded:
    params = {"callid": CALL, "status": "ANSWER", **fields}
    event = decode("/api/callcenter/calldata", params, now=NOW, zone=ZONE)
    assert isinstance(event, CallRecorded)
    return event


VENDOR = [
    (
        f"/api/callcenter/call_in?phone={CALLER}&queue=999&extension=101&callid={CALL}"
        "&event=ANSWER&did=19002028",
        CallAnswered(callid=CALL, extension="101", queue="999", phone=CALLER, did="19002028"),
    ),
    (f"/api/callcenter/hangup?callid={CALL}", CallEnded(callid=CALL)),
    (
        f"/api/callcenter/calldata?callid={CALL}&calldate=2024-03-01 13:15:40&duration=50"
        "&billsec=37"
        f"&status=ANSWER&did=19002028&extension=101&phone={CALLER}&direction=Inbound"
        f"&recordingfile=https://portal.voicecloud.vn/play_audio/data/{CALL}",
        CallRecorded(
            callid=CALL,
            status="ANSWER",
            extension="101",
            phone=CALLER,
            did="19002028",
            direction="inbound",
            started=NOW - 60_000,
            duration=50,
            billsec=37,
            recording=f"https://portal.voicecloud.vn/play_audio/data/{CALL}",
        ),
    ),
    (
        f"/api/callcenter/calldata?callid={CALL}&holdtime=60&status=ABANDON&queue=999"
        f"&phone={CALLER}",
        CallAbandoned(callid=CALL, queue="999", phone=CALLER, holdtime=60),
    ),
    (
        f"/api/callcenter/calldata?callid={CALL}&status=NOANSWER&queue=999&extension=101"
        f"&phone={CALLER}",
        RingMissed(callid=CALL, extension="101", queue="999", phone=CALLER),
    ),
    (
        f"/api/callcenter/init?extension=101&phone={CALLER}&callid={CALL}&event=ANSWER",
        OutboundAnswered(callid=CALL, extension="101", phone=CALLER),
    ),
    (
        "/api/Agent/ChangeStatus?extension=101&status=talk",
        PhoneReported(extension="101", status="talk"),
    ),
]


@pytest.mark.parametrize(("url", "event"), VENDOR)
def test_the_vendors_examples_are_understood(url: str, event: Event) -> None:
    assert told(url) == event


def test_every_webhook_has_an_example() -> None:
    printed = {url.partition("?")[0].lower() for url, _ in VENDOR}

    assert printed == set(WEBHOOKS)


@pytest.mark.parametrize("event", ["RING", "ring", "RINGING", " Ring ", ""])
def test_every_word_for_ringing_means_ringing(event: str) -> None:
    call = {"callid": CALL, "phone": "1", "extension": "101", "event": event}

    assert isinstance(decode("/api/callcenter/call_in", call, now=NOW, zone=ZONE), CallRinging)
    assert isinstance(decode("/api/callcenter/init", call, now=NOW, zone=ZONE), OutboundRinging)


def test_without_event_and_extension_a_call_waits_in_the_queue() -> None:
    event = told(f"/api/callcenter/call_in?callid={CALL}&phone=1&queue=999")

    assert event == CallRinging(callid=CALL, queue="999", phone="1")


@pytest.mark.parametrize(
    "path",
    [
        "/api/CallCenter/HangUp",
        "/api/callcenter/hangup/",
        "//api//callcenter///hangup",
        "/API/callcenter/hangup",
    ],
)
def test_paths_match_whatever_their_case_and_slashes(path: str) -> None:
    assert told(f"{path}?callid=a") == CallEnded(callid="a")


def test_an_unknown_path_is_told_apart() -> None:
    with pytest.raises(UnknownWebhook):
        told("/api/callcenter/unknown?callid=a")


@pytest.mark.parametrize(
    ("word", "status"),
    [("ANSWERED", "ANSWER"), ("No Answer", "NOANSWER"), ("busy", "BUSY"), ("CANCEL", "CANCEL")],
)
def test_call_status_words_are_one_per_meaning(word: str, status: str) -> None:
    assert record(status=word).status == status


def test_a_missed_ring_without_a_queue_is_the_end_of_the_call() -> None:
    assert record(status="NOANSWER", extension="101") == CallRecorded(
        callid=CALL, status="NOANSWER", extension="101"
    )


def test_an_abandoned_call_needs_its_queue() -> None:
    with pytest.raises(WebhookError) as refused:
        told(f"/api/callcenter/calldata?callid={CALL}&status=ABANDON&holdtime=5")

    assert refused.value.field == "queue"


@pytest.mark.parametrize(
    "calldate", ["2024-03-01 13:15:40", "2024-03-01-13:15:40", "2024-03-01-13-15-40"]
)
def test_three_shapes_of_calldate_are_one_instant(calldate: str) -> None:
    event = record(calldate=calldate)

    assert (event.started, event.flags) == (NOW - 60_000, ())


def test_a_clock_that_is_off_is_flagged_and_kept() -> None:
    event = record(calldate="2024-03-01 12:15:40", duration="60")

    assert (event.started, event.flags) == (NOW - 3_660_000, ("calldate",))


def test_a_long_call_does_not_look_like_a_wrong_clock() -> None:
    assert record(calldate="2024-03-01 12:15:40", duration="3600").flags == ()


@pytest.mark.parametrize(
    "calldate", ["2024-03-03 00:00:00", "1999-12-31 23:59:59", "2024-02-30 00:00:00"]
)
def test_an_impossible_calldate_is_dropped(calldate: str) -> None:
    event = record(calldate=calldate)

    assert (event.started, event.flags) == (None, ("calldate",))


def test_the_hour_that_comes_twice_is_taken_nearest_to_the_receipt() -> None:
    zone = ZoneInfo("Europe/Berlin")
    for utc_hour in (0, 1):
        now = int(datetime(2026, 10, 25, utc_hour, 31, tzinfo=UTC).timestamp()) * 1000
        url = "/api/callcenter/calldata?callid=a&status=ANSWER&calldate=2026-10-25 02:30:00"
        event = told(url, now, zone)

        assert isinstance(event, CallRecorded)
        assert event.started == now - 60_000


def test_an_unencoded_plus_is_given_back() -> None:
    event = told(f"/api/callcenter/call_in?callid={CALL}&phone=+84912345678&did= 842871")

    assert event == CallRinging(callid=CALL, phone="+84912345678", did="+842871")


def test_a_queue_typed_two_ways_is_one_queue() -> None:
    composed, decomposed = (
        decode(
            "/api/callcenter/call_in",
            {"callid": CALL, "phone": "1", "queue": queue},
            now=NOW,
            zone=ZONE,
        )
        for queue in (" H\u1ed7 tr\u1ee3", "Ho\u0302\u0303 tro\u031b\u0323 ")
    )

    assert composed == decomposed


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("phone", "<b>"),
        ("did", "9" * 65),
        ("direction", "Sideways"),
        ("duration", "-1"),
        ("billsec", "1_000"),
        ("holdtime", "604801"),
        ("recordingfile", "javascript:alert(1)"),
        ("recordingfile", "https://user@host/x.wav"),
        ("recordingfile", "https://host:99999/x.wav"),
        ("recordingfile", "/etc/passwd"),
        ("phone", GIVEN_TWICE),
        ("duration", NOT_SCALAR),
    ],
)
def test_a_malformed_descriptive_field_is_dropped_and_named(name: str, value: str) -> None:
    assert record(**{name: value}) == CallRecorded(callid=CALL, status="ANSWER", flags=(name,))


@pytest.mark.parametrize("name", ["recordingfile", "direction", "duration", "calldate", "phone"])
def test_a_blank_descriptive_field_is_as_good_as_none(name: str) -> None:
    assert record(**{name: "  "}) == CallRecorded(callid=CALL, status="ANSWER")


def test_a_talk_longer_than_the_call_is_dropped() -> None:
    assert record(duration="10", billsec="15").billsec == 15
    assert record(duration="10", billsec="16").flags == ("billsec",)


def test_a_refusal_names_the_field_and_never_repeats_the_value() -> None:
    with pytest.raises(WebhookError) as refused:
        told("/api/callcenter/hangup?callid=%3Cscript%3E")

    assert refused.value.field == "callid"
    assert str(refused.value).startswith("callid must be ")
    assert "script" not in str(refused.value)


def test_a_field_that_is_missing_is_refused_in_those_words() -> None:
    with pytest.raises(WebhookError, match=r"^callid is missing$"):
        told("/api/callcenter/hangup?callid=")


def test_a_field_given_twice_is_refused_in_those_words() -> None:
    with pytest.raises(WebhookError, match="given twice with different values"):
        told("/api/callcenter/hangup?callid=a&callid=b")


@pytest.mark.parametrize("raw", ["callid=a&=b", "=b&callid=a", "&callid=a&", "callid=a&&="])
def test_a_value_without_a_name_is_passed_over(raw: str) -> None:
    assert parse_query(raw.encode()) == {"callid": "a"}


def test_json_numbers_are_text_exactly_as_written() -> None:
    body = b'{"callid":1700000000.10,"duration":1e3,"n":12345678901234567890123,"x":null}'

    assert parse_body(body, "application/json") == {
        "callid": "1700000000.10",
        "duration": "1e3",
        "n": "12345678901234567890123",
    }


def test_json_values_that_are_no_text_spoil_only_their_own_field() -> None:
    event = decode(
        "/api/callcenter/calldata",
        parse_body(b'{"callid":"a","status":"BUSY","duration":NaN,"did":[1],"x":{}}', ""),
        now=NOW,
        zone=ZONE,
    )

    assert event == CallRecorded(callid="a", status="BUSY", flags=("duration", "did"))


@pytest.mark.parametrize(
    "kind", ["application/json", "text/plain", "", "application/x-www-form-urlencoded"]
)
def test_a_json_object_is_one_whatever_the_header_says(kind: str) -> None:
    assert parse_body(b' {"callid":"a"}', kind) == {"callid": "a"}


ANY_TEXT = st.text(max_size=80) | st.sampled_from(
    ["", "101", "RING", "talk", CALL, "2024-03-01 13:15:40"]
)
NAMES = ["callid", "extension", "queue", "event", "status", "phone", "did", "calldate", "duration"]


# A shared machine may be slow; what is tested here is not speed.
unhurried = settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])


@unhurried
@given(st.sampled_from(sorted(WEBHOOKS)), st.dictionaries(st.sampled_from(NAMES), ANY_TEXT))
def test_no_text_makes_the_decoder_fail_otherwise(path: str, params: dict[str, str]) -> None:
    try:
        event: Event | None = decode(path, params, now=NOW, zone=ZONE)
        field = NAMES[0]
    except WebhookError as refused:
        event, field = None, refused.field

    assert event is None or isinstance(event, Event)
    assert field in NAMES


@unhurried
@given(st.binary(max_size=200), st.sampled_from(["application/json", ""]))
def test_no_bytes_make_the_parsers_fail_otherwise(raw: bytes, kind: str) -> None:
    for parse in (parse_query, lambda body: parse_body(body, kind)):
        try:
            params = parse(raw)
        except WebhookError:
            continue
        assert all(isinstance(value, str) for value in params.values())


def in_queue(queue: str) -> Event:
    params = {"callid": CALL, "phone": "1", "queue": queue}
    return decode("/api/callcenter/call_in", params, now=NOW, zone=ZONE)


@pytest.mark.parametrize("mark", ["\ufe0f", "\u034f", "\u180b", "\U000e0100", "\u17b4", "\u2800"])
@pytest.mark.parametrize("name", ["{}", "99{}9"])
def test_a_mark_that_shows_nothing_names_no_queue(name: str, mark: str) -> None:
    with pytest.raises(WebhookError, match="visible text"):
        in_queue(name.format(mark))


def test_a_queue_may_have_a_picture_in_its_name() -> None:
    event = in_queue("\u260e\ufe0f Sales")

    assert isinstance(event, CallRinging)
    assert event.queue == "\u260e\ufe0f Sales"
