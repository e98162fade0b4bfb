"""The codec: every event comes back equal, and old logs stay readable."""

import json
from typing import get_type_hints

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.domain import events, table_changes
from app.domain.events import Event
from app.log.codec import KINDS, EventUnreadable, decode, encode

ODD_TEXTS = ("Nguyễn Thị Ánh", "👩‍💻 nghe máy", '"\\/\u2028\x00\x7f', "Straße", "مرحبا")
TEXT = st.text() | st.sampled_from(ODD_TEXTS)


def any_event() -> st.SearchStrategy[Event]:
    st.register_type_strategy(str, TEXT)
    st.register_type_strategy(int, st.integers(-(2**63), 2**63 - 1))
    # Limits of alarms are typed as digits.
    st.register_type_strategy(float, st.floats(allow_nan=False, allow_infinity=False))
    return st.one_of([every_field(kind) for kind in KINDS.values()])


def every_field(kind: type[Event]) -> st.SearchStrategy[Event]:
    hints = get_type_hints(kind)
    return st.builds(kind, **{name: st.from_type(hint) for name, hint in hints.items()})


def test_every_event_has_a_kind_of_its_own() -> None:
    named = vars(events) | vars(table_changes)
    classes = [value for value in named.values() if isinstance(value, type)]
    every = {kind for kind in classes if issubclass(kind, Event)} - {Event}

    assert set(KINDS.values()) == every
    assert len(KINDS) == len(every)


def test_kinds_are_snake_case_words() -> None:
    assert [kind for kind in KINDS if not kind.replace("_", "").islower()] == []


@given(any_event())
def test_what_is_stored_comes_back_equal(event: Event) -> None:
    kind, body = encode(event)

    assert decode(kind, body) == event
    assert decode(kind, body.decode()) == event
    assert type(decode(kind, body)) is type(event)


def test_a_row_is_small_and_readable() -> None:
    event = events.CallAbandoned(callid="c-1", queue="600", phone="", holdtime=0)

    assert encode(event) == ("call_abandoned", b'{"callid":"c-1","queue":"600","holdtime":0}')


def test_a_field_at_its_default_is_not_written() -> None:
    assert encode(events.Tick()) == ("tick", b"{}")
    assert encode(events.Tick(flags=("odd phone",))) == ("tick", b'{"flags":["odd phone"]}')


def test_a_field_of_a_newer_version_is_ignored() -> None:
    body = json.dumps({"callid": "c-1", "mood": "good"})

    assert decode("call_ended", body) == events.CallEnded(callid="c-1")


def test_an_unknown_kind_is_refused_in_words() -> None:
    with pytest.raises(EventUnreadable, match="'moon_landed', which this version does not know"):
        decode("moon_landed", b"{}")


@pytest.mark.parametrize("body", [b"{}", b'{"callid":1}', b"[]", b"{", b""])
def test_a_damaged_body_is_refused_in_words(body: bytes) -> None:
    with pytest.raises(EventUnreadable, match="'call_ended' can't be read"):
        decode("call_ended", body)


def test_half_a_character_is_refused_before_it_is_stored() -> None:
    with pytest.raises(ValueError, match="surrogates"):
        encode(events.CallEnded(callid="\ud800"))
