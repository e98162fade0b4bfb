"""The webhook's address and the tokens of programs: shown once, replaced, ended."""

import re
from dataclasses import replace

import pytest

from app.web.admin.attention import concerns
from tests.admin_site import SETTINGS, post, reasons
from tests.site import PUBLIC, found

pytestmark = pytest.mark.anyio


# The webhook address


def address_in(answer):
    return re.search(rf"{PUBLIC}/hook/([\w-]+)", answer.text)


async def test_a_new_address_is_shown_once_and_the_old_one_works_for_the_time_of_grace(site, boss):
    old = site.tokens.made.encode()
    answer = await post(boss, "/admin/webhooks", rotate="1")
    new = address_in(answer)[1].encode()

    assert site.tokens.accepts(new)
    assert site.tokens.accepts(old)
    assert address_in(await boss.get("/admin/webhooks")) is None
    assert new.decode() not in str(await site.audited())
    site.now += 7 * 86_400_000
    assert site.tokens.accepts(new)
    assert not site.tokens.accepts(old)


async def test_the_page_says_whether_the_previous_address_is_still_used(site, boss):
    old = site.tokens.made.encode()
    unused = (await post(boss, "/admin/webhooks", days="3")).text
    site.tokens.accepts(old)
    used = (await boss.get("/admin/webhooks")).text

    assert "It was not used since this start" in unused
    assert "It is still used" in used
    assert "previous token" in {concern.kind for concern in concerns(site.parts)}


async def test_the_previous_address_is_ended_at_once(site, boss):
    old = site.tokens.made.encode()
    await post(boss, "/admin/webhooks", rotate="1")
    answer = await post(boss, "/admin/webhooks", do="revoke")
    again = await post(boss, "/admin/webhooks", do="revoke")

    assert answer.status_code == 200
    assert not site.tokens.accepts(old)
    assert again.status_code == 422
    assert len(await reasons(site, "revoke previous webhook token")) == 1


@pytest.mark.parametrize("days", ["-1", "31", "x", ""])
async def test_an_odd_time_of_grace_is_refused(site, boss, days):
    answer = await post(boss, "/admin/webhooks", days=days)

    assert answer.status_code == 422
    assert site.tokens.previous is None


async def test_an_address_from_the_environment_is_changed_there(site, boss):
    await site.furnish(replace(SETTINGS, webhook_token="given-by-the-environment"))
    page = (await boss.get("/admin/webhooks")).text
    answer = await post(boss, "/admin/webhooks", rotate="1")

    assert "PITWALL_WEBHOOK_TOKEN" in page
    assert "given-by-the-environment" not in page
    assert answer.status_code == 422
    assert "change it there" in answer.text


# API tokens


async def test_a_token_is_shown_once_listed_and_ended(site, boss):
    made = await post(boss, "/admin/tokens", name="Grafana")
    text = found(r"(pw_[\w-]+)", made.text)
    worked = site.access.tokens.accepts(text)
    listed = await boss.get("/admin/tokens")
    token = site.access.tokens.all()[0]
    ended = await post(boss, "/admin/tokens", do="remove", token=token.token_id)

    assert worked
    assert "Grafana" in listed.text
    assert text not in listed.text
    assert ended.status_code == 200
    assert not site.access.tokens.accepts(text)
    assert await reasons(site, "make API token") == ["Grafana"]
    assert await reasons(site, "remove API token") == ["Grafana"]


@pytest.mark.parametrize(
    "fields", [{"name": ""}, {"name": "x" * 65}, {"do": "remove", "token": "9"}]
)
async def test_what_can_not_be_done_with_tokens_is_said(site, boss, fields):
    answer = await post(boss, "/admin/tokens", **fields)

    assert answer.status_code == 422
    assert 'role="alert"' in answer.text
