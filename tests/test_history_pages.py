"""The pages of the past: what they show, to whom, and what they keep from whom."""

import html
import itertools
import json
import re
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import quote

import pytest

from app.domain.events import (
    AgentNamed,
    CallAbandoned,
    CallEnded,
    CallRecorded,
    CallRinging,
    ListenStarted,
    OutboundAnswered,
    OutboundRinging,
    PhoneReported,
)
from app.rights import Role
from tests.past_site import HOST, RECORDING, PastSite, past_site
from tests.site import found

NUMBER, ENDING = "0906345678", "678"
OLD = itertools.count(1)
TEN = 1_772_445_600_000
PAGES = [
    "/abandons",
    "/abandons?show=closed",
    "/day",
    "/day/heat",
    "/queues/900",
    "/calls",
    "/agents",
    "/agents/101",
    "/rewind",
    "/rewind/board?at=2026-03-02T10:00:50",
]


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[PastSite]:
    """For tests that only look, or add what no other test looks at."""
    with past_site(tmp_path_factory.mktemp("past")) as opened:
        yield opened


@pytest.fixture
def fresh(tmp_path: Path) -> Iterator[PastSite]:
    """For tests after which the day is another one."""
    with past_site(tmp_path) as opened:
        yield opened


@pytest.mark.parametrize("path", PAGES)
def test_every_page_opens_and_needs_no_inline_style(site: PastSite, path: str) -> None:
    page = site.get(path)

    assert page.status_code == 200
    assert " style=" not in page.text
    assert "<style" not in page.text


def test_a_day_counts_its_callers_and_proves_each_figure(site: PastSite) -> None:
    page = " ".join(site.get("/day").text.split())

    assert "answered 2 + abandoned 1 + left otherwise 0" in page
    assert "abandoned ÷ offered = 1 ÷ 3" in page
    assert "2 in time; 2 answered, 1 abandoned, 0 of them short" in page


def test_the_charts_get_numbers_where_something_is_known_and_null_elsewhere(
    fresh: PastSite,
) -> None:
    fresh.clock.now += 2 * 3_600_000
    fresh.tell("9 rings 101 in 900, +5s, 9 answered 101 in 900, +9s, 9 hangs up, +2m")
    body = found(r'id="chart-data">(.*?)</script>', fresh.get("/day").text)
    chart = json.loads(body)
    offered = dict(zip(chart["x"], chart["day"]["offered"], strict=True))
    ten = TEN // 1000

    assert offered[ten] == 3
    assert offered[ten + 3600] is None
    assert any(kind == "down" and end - began > 6000 for began, end, kind in chart["gaps"])
    assert "not known" in fresh.get("/day").text


def test_a_queue_of_a_day_names_who_answered(site: PastSite) -> None:
    page = site.get("/queues/900").text

    assert "/agents/101?date=2026-03-02" in page
    assert "/agents/102" not in page


@pytest.mark.parametrize(
    ("query", "ids"),
    [
        ("direction=inbound", ["3", "6345678", "1"]),
        ("queue=901", ["3"]),
        ("agent=101", ["1"]),
        ("outcome=abandoned", ["6345678"]),
        ("phone=5678", ["6345678"]),
        ("phone=*3456", ["6345678"]),
        ("from=2026-03-02T10:00&to=2026-03-02", ["3", "6345678", "1"]),
        ("to=2026-03-01", []),
    ],
)
def test_calls_are_found_by_filters_that_the_address_carries(
    site: PastSite, query: str, ids: list[str]
) -> None:
    page = site.get(f"/calls?{query}").text

    assert re.findall(r'href="/calls/(\w+)"', page) == ids


@pytest.mark.parametrize(
    "query",
    [
        "from=yesterday",
        "to=2026-02-30",
        "cursor=x",
        "phone=%25_",
        "outcome=x';DROP",
        "from=99999-1",
    ],
)
def test_a_filter_that_makes_no_sense_is_refused_in_words(site: PastSite, query: str) -> None:
    page = site.get(f"/calls?{query}")

    assert page.status_code == 422
    assert 'role="alert"' in page.text


def test_pages_of_calls_follow_one_another(fresh: PastSite) -> None:
    calls = ", ".join(f"{n} waits in 900, +1s, {n} abandons 900 after 1" for n in range(100, 160))
    fresh.clock.now += 600_000
    fresh.tell(f"{calls}, +2m")
    first = fresh.get("/calls").text
    older = found(r'hx-get="(/calls\?[^"]+)"', first).replace("&amp;", "&")
    second = fresh.get(older).text
    ids = re.findall(r'href="/calls/(\w+)"', first + second)

    assert len(ids) == len(set(ids)) == 63


def test_a_call_tells_its_whole_story_in_order_with_its_sources(site: PastSite) -> None:
    page = site.get("/calls/1").text
    told = [page.index(words) for words in ("rings at 101", "101 talks", "the call is over")]

    assert told == sorted(told)
    assert page.count("PBX, pushed") == 4


@pytest.mark.parametrize(
    "queue",
    [
        "<script>alert(1)</script>",
        '" onmouseover=alert(1) x="',
        "' onfocus=alert(1) autofocus='",
        "</script><b>",
        "a/b?c=d&e#f",
        "{{ 7 * 7 }}",
        "=1+1|cmd",
    ],
)
def test_a_name_is_only_text_wherever_it_stands(site: PastSite, queue: str) -> None:
    callid = f"q{next(OLD)}"
    site.append(
        [
            CallRinging(callid=callid, queue=queue, phone="0900"),
            CallAbandoned(callid=callid, queue=queue, phone="0900", holdtime=5),
            CallEnded(callid=callid),
        ]
    )
    site.append([PhoneReported(extension="199", status="on")])
    name = html.escape(queue).replace("&#x27;", "&#39;").replace("&quot;", "&#34;")
    pages = [site.get(path).text for path in ("/day", "/calls", "/abandons", f"/calls/{callid}")]
    day = site.get(f"/queues/{quote(queue, safe='')}")

    assert day.status_code == 200
    assert all(name in page for page in [*pages, day.text])
    assert not any(queue in page for page in pages if queue != name)
    assert f'action="/queues/{quote(queue, safe="")}"' in day.text


# Who sees what


@pytest.mark.parametrize("path", [*PAGES, "/calls?outcome=abandoned", "/calls?phone=678"])
def test_who_may_not_see_numbers_gets_none_in_the_page(site: PastSite, path: str) -> None:
    page = site.get(path, "viewer").text

    assert "6345678" not in page
    assert "345678" not in page


def test_a_call_can_be_opened_without_its_id(site: PastSite) -> None:
    path = found(r'href="(/calls/~[^"]+)"', site.get("/calls?phone=678", "viewer").text)
    page = site.get(path, "viewer")

    assert page.status_code == 200
    assert f"•••{ENDING}" in page.text
    assert "345678" not in page.text.replace(path, "")


def test_what_is_wrong_with_a_search_is_in_what_the_search_replaces(site: PastSite) -> None:
    answer = site.get("/calls?phone=12", "supervisor")

    assert answer.status_code == 422
    assert 'class="problem"' in found(r'(?s)<div id="found">(.*?)</div>', answer.text)
    assert answer.text.count('class="problem"') == 1


@pytest.mark.parametrize("phone", ["5678", "*567", "*5", "0906345678", "67a8", "67-8"])
def test_who_may_not_see_numbers_cannot_find_them_out(site: PastSite, phone: str) -> None:
    assert site.get(f"/calls?phone={phone}", "viewer").status_code == 422


@pytest.mark.parametrize(
    ("path", "status"),
    [
        ("/calls/1", 404),
        ("/calls/3", 200),
        ("/calls/nope", 404),
        ("/queues/900", 404),
        ("/queues/901", 200),
        ("/day?queue=900", 403),
        ("/agents/101", 404),
        ("/agents/102", 200),
        ("/export/agent?agent=101", 403),
        ("/export/call?call=1", 404),
        ("/abandons?queue=900", 403),
    ],
)
def test_pages_end_at_the_queues_of_the_account(site: PastSite, path: str, status: int) -> None:
    assert site.get(path, "scoped").status_code == status


def test_lists_hold_only_what_is_in_scope(site: PastSite) -> None:
    day = " ".join(site.get("/day", "scoped").text.split())

    assert "answered 1 + abandoned 0" in day
    assert re.findall(r'href="/calls/(\w+)"', site.get("/calls", "scoped").text) == ["3"]
    assert "Nobody waits for a call back." in site.get("/abandons", "scoped").text
    assert "0 called back + 0 got through themselves" in site.get("/abandons", "scoped").text
    assert 'id="a-101"' not in site.get("/rewind", "scoped").text


@pytest.mark.parametrize("path", ["/calls/{}", "/export/call?call={}"])
@pytest.mark.parametrize(("who", "knows"), [("viewer", False), ("supervisor", True), ("aud", True)])
def test_who_listened_is_told_to_those_who_may_know(
    site: PastSite, path: str, who: str, knows: bool
) -> None:
    callid = f"h{next(OLD)}"
    ringing = CallRinging(callid=callid, queue="900", extension="101", phone="0900")
    listens = ListenStarted(
        supervisor="mai-of-day", extension="101", callid=callid, mode="whisper", phone="2099"
    )
    site.append([ringing, listens, CallEnded(callid=callid)])
    if who not in site.building.keys:
        site.add(who, Role.VIEWER, rights=frozenset({"read_audit", "see_numbers"}))
    story = site.get(path.format(callid), who)

    assert story.status_code == 200
    assert "101" in story.text
    assert [word in story.text for word in ("mai-of-day", "whisper", "2099")] == [knows] * 3


# Recordings


def recorded(site: PastSite, address: str, extension: str = "101") -> str:
    """The page of an outbound call of long ago with that recording."""
    callid = f"r{next(OLD)}"
    record = CallRecorded(
        callid=callid,
        status="ANSWER",
        extension=extension,
        direction="outbound",
        phone="0938363739",
        started=TEN - 3_600_000,
        recording=address,
    )
    site.append([record])
    return f"/calls/{callid}"


def test_a_recording_is_played_from_the_pbx_and_that_is_noted(site: PastSite) -> None:
    path = recorded(site, RECORDING)
    page, player = site.get(path), site.post(f"{path}/recording")

    assert f"media-src 'self' https://{HOST};" in page.headers["content-security-policy"]
    assert f'src="{RECORDING}"' in player.text
    assert site.audited()[0] == ("done", "play recording")


@pytest.mark.parametrize(
    "address",
    [
        "",
        "20260101-101.wav",
        "https://files.example.org/x.wav",
        "http://169.254.169.254/latest/meta-data/",
        "http://127.0.0.1:8000/admin",
        "http://[::ffff:127.0.0.1]/x",
        "http://10.0.0.1/x.wav",
        f"https://{HOST}:8443/x.wav",
        f"https://{HOST}.evil.example/x.wav",
        f"https://evil.example/?{HOST}",
        f"https://{HOST}@evil.example/x.wav",
        f"https://{HOST};script-src 'unsafe-inline'/x.wav",
        f"javascript://{HOST}/%0aalert(1)",
    ],
)
def test_a_recording_from_elsewhere_is_no_link(site: PastSite, address: str) -> None:
    path = recorded(site, address)
    page, player = site.get(path), site.post(f"{path}/recording")

    assert "media-src 'self';" in page.headers["content-security-policy"]
    assert "<audio" not in page.text + player.text
    assert not address or address not in page.text + player.text


def test_who_may_not_listen_plays_no_recording(site: PastSite) -> None:
    path = recorded(site, RECORDING)

    assert "may not listen" in site.get(path, "viewer").text
    assert site.post(f"{path}/recording", "viewer").status_code == 403


def test_nobody_plays_the_calls_of_an_agent_marked_never_listen(site: PastSite) -> None:
    path = recorded(site, RECORDING, "109")
    site.append([AgentNamed(extension="109", name="Bob", never_listen=True)])

    assert "may not listen" in site.get(path, "admin").text
    assert site.post(f"{path}/recording", "admin").status_code == 403
    assert site.audited()[0] == ("denied", "listen")


def test_a_recording_whose_address_holds_the_number_is_kept_from_some(site: PastSite) -> None:
    listener = frozenset({"listen"})
    site.add("ear", Role.SUPERVISOR, rights=listener)
    recorded(site, f"https://{HOST}/20260302-0938363739.wav", "108")
    path = found(r'href="(/calls/~[^"]+)"', site.get("/calls?agent=108", "ear").text)

    assert "holds a number" in site.get(path, "ear").text
    assert "0938363739" not in site.post(f"{path}/recording", "ear").text


# The worklist


def line_of(fresh: PastSite, who: str = "supervisor", view: str = "open") -> str:
    return found(r'name="line" value="([^"]+)"', fresh.get(f"/abandons?show={view}", who).text)


def test_a_caller_who_is_taken_on_is_nobody_elses(fresh: PastSite) -> None:
    line = line_of(fresh)
    mine = fresh.post("/abandons?show=mine", line=line, do="claim")
    other = fresh.post("/abandons", "second", line=line, do="claim")

    assert mine.status_code == 200
    assert line in mine.text
    assert other.status_code == 409
    assert "supervisor has taken this caller on already." in other.text
    assert line not in fresh.get("/abandons?show=mine", "second").text
    assert ("done", "claim abandoned caller") in fresh.audited()


def test_who_is_let_go_can_be_taken_on_again(fresh: PastSite) -> None:
    line = line_of(fresh)
    fresh.post("/abandons", line=line, do="claim")
    fresh.post("/abandons", line=line, do="release")

    assert fresh.post("/abandons", "second", line=line, do="claim").status_code == 200


def test_a_line_closes_by_hand_and_says_by_whom(fresh: PastSite) -> None:
    fresh.post("/abandons", line=line_of(fresh), do="close")
    closed = " ".join(fresh.get("/abandons?show=closed").text.split())

    assert "Nobody waits for a call back." in fresh.get("/abandons").text
    assert "closed by <bdi>supervisor</bdi>" in closed


def test_a_line_closes_by_itself_when_a_call_back_is_answered(fresh: PastSite) -> None:
    line = line_of(fresh)
    fresh.clock.now += 600_000
    rings = OutboundRinging(callid="out", extension="101", phone=NUMBER)
    fresh.append([rings, OutboundAnswered(callid="out", extension="101", phone=NUMBER)])
    closed = " ".join(fresh.get("/abandons?show=closed").text.split())

    assert fresh.post("/abandons", line=line, do="claim").status_code == 409
    assert "called back</span>" in closed
    assert "called back (1)" in closed


def test_without_an_exchange_calling_back_says_so_and_closes_nothing(fresh: PastSite) -> None:
    line = line_of(fresh, "second")
    answer = fresh.post("/abandons", "second", line=line, do="call")

    assert answer.status_code == 409
    assert 'role="alert"' in answer.text
    assert line_of(fresh) == line


@pytest.mark.parametrize("fields", [{"do": "burn"}, {"do": "claim", "line": "g-nope"}, {"do": ""}])
def test_a_deed_that_means_nothing_is_refused(site: PastSite, fields: dict[str, str]) -> None:
    assert site.post("/abandons", **fields).status_code in {409, 422}


# Looking back


def test_the_board_is_shown_as_it_was_without_anything_to_do(site: PastSite) -> None:
    then = site.get("/rewind?at=2026-03-02T10:00:20").text
    later = site.get("/rewind/board?at=2026-03-02T10:00:45").text

    assert 'data-status="talk"' in found(r'(<article id="a-101".*?>)', then)
    assert "0906345678" in later
    assert "0906345678" not in then
    assert "data-act=" not in then + later
    assert "The board as it was." in then


@pytest.mark.parametrize(
    ("query", "at"),
    [
        ("at=2026-03-02T10:00:20", 1_772_445_620_000),
        ("at=1772445620999", 1_772_445_620_000),
        ("date=2026-03-02&time=10:00:20", 1_772_445_620_000),
        ("date=2026-03-02&time=10:00", 1_772_445_600_000),
    ],
)
def test_a_moment_can_be_named_in_several_ways(site: PastSite, query: str, at: int) -> None:
    assert f'data-at="{at}"' in site.get(f"/rewind?{query}").text


def test_nobody_looks_into_the_future(site: PastSite) -> None:
    page = site.get("/rewind?at=2999-01-01T00:00:00").text

    assert int(found(r'data-at="(\d+)"', page)) <= site.clock.now


def test_before_anything_was_recorded_the_page_says_so(site: PastSite) -> None:
    page = site.get("/rewind?at=2026-03-01T10:00:00")

    assert page.status_code == 200
    assert "Nobody knows how the floor was at that moment." in page.text


@pytest.mark.parametrize(
    "at", ["x", "99999999999999999999", "2026-13-01T00:00", "0001-01-01T00:00"]
)
def test_a_moment_that_is_none_is_refused(site: PastSite, at: str) -> None:
    assert site.get(f"/rewind?at={at}").status_code == 422
