"""Who may see and change what only administrators may."""

import pytest
from starlette.routing import Route

from app.access.walls import Display
from app.domain.events import AgentNamed, QueueNamed
from app.rights import Role
from app.web.admin import ROUTES
from tests.admin_site import post

pytestmark = pytest.mark.anyio


def paths_of(method):
    routes = [route for route in ROUTES if isinstance(route, Route)]
    return sorted(route.path for route in routes if method in (route.methods or ()))


GETS, POSTS = paths_of("GET"), paths_of("POST")
FORMS = {
    "/admin/agents": {"extension": "101", "name": "Evil"},
    "/admin/queues": {"queue": "999", "name": "Evil"},
    "/admin/webhooks": {"rotate": "1"},
    "/admin/tokens": {"name": "Evil"},
    "/admin/pbx": {"pbx_url": "https://evil.example"},
    "/admin/alarms": {"rule": "1", "do": "remove"},
    "/admin/channels": {"channel": "1", "do": "remove"},
}


def test_every_post_has_a_form_to_try():
    assert set(POSTS) == set(FORMS)


@pytest.mark.parametrize("path", GETS)
@pytest.mark.parametrize("role", [Role.VIEWER, Role.SUPERVISOR, None])
async def test_only_administrators_see_the_pages(site, path, role):
    await site.happen(AgentNamed(extension="101", name="Hidden"))
    visitor = site.visitor() if role is None else await site.signed_in("x", role)
    answer = await visitor.get(path)

    assert answer.status_code == (303 if role is None else 403)
    assert "Hidden" not in answer.text


@pytest.mark.parametrize("path", POSTS)
@pytest.mark.parametrize("role", [Role.VIEWER, Role.SUPERVISOR, None])
async def test_only_administrators_change_anything(site, path, role):
    await site.happen(AgentNamed(extension="101"), QueueNamed(queue="999"))
    visitor = site.visitor() if role is None else await site.signed_in("x", role)
    before, token = site.log.last_seq, site.tokens.previous
    answer = await post(visitor, path, **FORMS[path])

    assert answer.status_code == (401 if role is None else 403)
    assert (site.log.last_seq, site.tokens.previous) == (before, token)
    assert site.access.tokens.all() == []
    assert site.pbx.tests == 0
    if role:
        assert (await site.audited())[0].kind == "denied"


@pytest.mark.parametrize("path", GETS)
async def test_a_wall_sees_none_of_the_pages(site, path):
    secret, pairing = site.access.pairings.begin("192.0.2.9")
    await site.access.pairings.approve(pairing.code, Display("Wall"), "boss")
    wall = site.visitor()
    wall.cookies.set("__Host-wall", site.access.pairings.collect(secret))

    assert (await wall.get(path)).status_code in (303, 403)


@pytest.mark.parametrize("path", POSTS)
async def test_a_change_asks_for_the_password_after_ten_minutes(site, boss, path):
    site.now += 11 * 60_000
    before = site.log.last_seq
    answer = await post(boss, path, **FORMS[path])

    assert answer.status_code == 403
    assert answer.headers["HX-Redirect"] == f"/confirm?next={path}"
    assert site.log.last_seq == before
    assert site.pbx.tests == 0


async def test_a_page_says_beforehand_that_the_password_will_be_asked_for(site, boss):
    fresh = await boss.get("/admin/agents")
    site.now += 11 * 60_000

    assert "/confirm?next=" not in fresh.text
    assert "/confirm?next=/admin/agents" in (await boss.get("/admin/agents")).text


@pytest.mark.parametrize("path", POSTS)
async def test_a_form_of_another_site_is_refused(site, boss, path):
    headers = {"Sec-Fetch-Site": "cross-site", "Origin": "https://evil.example"}
    answer = await boss.post(path, data=FORMS[path], headers=headers)

    assert answer.status_code == 403
