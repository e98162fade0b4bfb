"""The pages about the PBX: its connection, its test, drift, and what needs attention."""

import re
from datetime import UTC, datetime

import pytest

from app.domain.events import PbxAsked, PhoneReported, PhoneVerified, Tick
from app.log import LogUnavailable
from app.pbx import Finding, Unreadable
from app.pbx.unconfigured import UnconfiguredPbx
from app.web.admin.attention import concerns
from tests.admin_site import KEY, post, reasons

pytestmark = pytest.mark.anyio


# The PBX


async def test_the_page_of_the_pbx_tells_hosts_and_never_the_key_or_a_path(site, boss):
    page = (await boss.get("/admin/pbx")).text

    assert "https://pbx.example.test<" in page
    assert "centre.example.test" in page
    assert KEY not in page
    assert "company-secret-path" not in page


async def test_the_test_says_in_words_what_works(site, boss):
    site.pbx.findings = [
        Finding("reach", True, "The PBX answers."),
        Finding("key", False, "Nothing shows that the PBX accepts the key."),
    ]
    page = (await post(boss, "/admin/pbx", do="test")).text

    assert 'data-what="reach" data-ok="1"' in page
    assert 'data-what="key" data-ok="0"' in page
    assert "Nothing shows that the PBX accepts the key." in page
    assert await reasons(site, "test PBX connection") == ["1 of 2 work"]


async def test_without_a_pbx_the_test_says_what_is_missing(site, boss):
    site.parts.pbx = UnconfiguredPbx()
    page = (await post(boss, "/admin/pbx", do="test")).text

    assert "set PITWALL_PBX_URL" in page


@pytest.mark.parametrize("url", ["https://evil.example", "http://169.254.169.254/", "file:///x"])
async def test_the_connection_is_never_changed_from_a_page(site, boss, url):
    answer = await post(boss, "/admin/pbx", pbx_url=url)

    assert answer.status_code == 422
    assert "start Pitwall again" in answer.text
    assert url not in answer.text
    assert site.pbx.tests == 0
    assert (await site.audited())[0].action == "change PBX connection"


async def test_answers_nobody_understood_are_listed_as_text(site, boss):
    site.pbx.answers = [Unreadable("status", "HTTP 500", "<b>broken</b>", times=3)]
    page = (await boss.get("/admin/pbx")).text

    assert "&lt;b&gt;broken&lt;/b&gt;" in page
    assert "unreadable" in {concern.kind for concern in concerns(site.parts)}


# Drift and the overview


async def test_drift_lists_each_repair_with_before_after_and_source(site, boss):
    await site.happen(PhoneReported(extension="101", status="on"))
    await site.happen(PhoneVerified(extension="101", status="talk", source="status"))
    await site.happen(PbxAsked(phones=1))
    site.now += 8_000
    page = (await boss.get("/admin/drift")).text
    said = re.sub(r"<[^>]+>", "", page)

    assert "Agreed with the PBX 8 s ago, 1 repair today." in said
    cells = re.findall(r'The board had">(.*?)<.*?The PBX said">(.*?)<.*?<code>(.*?)<', page)
    assert cells == [("on", "talk", "status")]


async def test_a_pbx_that_fails_is_said_with_when_it_last_agreed(site, boss):
    await site.happen(PbxAsked(phones=1), PbxAsked(error="The PBX could not be reached."))
    page = (await boss.get("/admin/drift")).text

    assert 'data-state="failing"' in page
    assert "The PBX could not be reached." in page


async def test_every_concern_has_words(site, boss):
    old = site.tokens.made.encode()
    await site.tokens.rotate()
    site.tokens.accepts(old)
    site.pbx.answers = [Unreadable("status", "HTTP 500", "x")]
    site.journal.count_wrong_token("203.0.113.7")
    site.journal.count_bare("203.0.113.8")
    site.journal.unparsable.add("203.0.113.9")
    site.journal.count_unstored()
    site.parts.upkeep.found = "The disk lost what was written last."
    site.parts.upkeep.failure = "The backup was not made: no room."
    site.parts.upkeep.clock_behind_ms = 3_600_000
    site.parts.upkeep.damaged = ["pitwall.db.damaged-20260101-000000"]
    site.parts.tables.failure = "The nodes do not agree."
    for _ in range(20):
        site.journal.accept("10.0.0.1", "status", {}, 1, ())
    await site.happen(PhoneReported(extension="101", status="on"), PbxAsked(error="No answer."))
    site.now += 16 * 60_000
    kinds = [concern.kind for concern in concerns(site.parts)]
    page = (await boss.get("/admin")).text
    items = dict(re.findall(r'data-kind="([^"]+)">.*?</span><span>(.*?)</span>', page, re.S))

    assert kinds[:5] == ["pbx failing", "silence", "apart", "found", "clock"]
    assert kinds[5:7] == ["damaged", "no backup"]
    assert {"previous token", "one address", "wrong token", "bare", "unparsable"} <= set(kinds)
    assert {"unstored", "memory", "unreadable"} <= set(kinds)
    assert set(items) == set(kinds)
    assert all(len(words) > 20 for words in items.values())


async def test_a_healthy_centre_has_nothing_that_does_not_work(site):
    await site.happen(PhoneReported(extension="101", status="on"), PbxAsked(phones=1), Tick())

    assert [concern for concern in concerns(site.parts) if concern.is_bad] == []


async def test_signing_in_unencrypted_is_a_concern(site):
    site.set(public_url="http://board.example.test")
    far = {concern.kind for concern in concerns(site.parts)}
    site.set(public_url="http://127.0.0.1:8000")

    assert "plain http" in far
    assert "plain http" not in {concern.kind for concern in concerns(site.parts)}


@pytest.mark.parametrize(("hours", "words"), [(7, "420 minutes ahead"), (-1, "60 minutes behind")])
async def test_records_of_another_clock_are_a_concern(site, boss, hours, words):
    started = datetime.fromtimestamp(site.now / 1000 + hours * 3600, UTC)
    for _ in range(3):
        told = {"calldate": f"{started:%Y-%m-%d %H:%M:%S}"}
        site.journal.accept("10.0.0.1", "/api/callcenter/calldata", told, 1, ("calldate",))
    page = (await boss.get("/admin")).text

    assert words in page
    assert "PITWALL_TIMEZONE (UTC)" in page


async def test_a_full_disk_is_a_concern(site, tmp_path, monkeypatch):
    site.set(log=f"sqlite:{tmp_path / 'x.db'}")
    monkeypatch.setattr("app.keeping.room.LITTLE_BYTES", 2**62)

    assert "disk" in {concern.kind for concern in concerns(site.parts)}


async def test_a_log_that_can_not_store_is_said_and_nothing_claims_to_be_saved(site, boss):
    async def full(events, rid=None):
        raise LogUnavailable("The disk is full.")

    site.parts.log.append = full
    answer = await post(boss, "/admin/agents", extension="101", name="Ann")

    assert answer.status_code == 503
    assert "The disk is full." in answer.text
    assert await reasons(site, "describe agent") == []
