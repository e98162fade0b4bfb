"""The pages round signing in: what they answer, and what they must never do."""

import logging

import pytest

from app.rights import Role
from app.web.pages import local
from tests.site import OURS, PASSWORD, PUBLIC, opened

pytestmark = pytest.mark.anyio

WRONG = "The name or the password is not right."


@pytest.fixture
async def site(tmp_path):
    async with opened(str(tmp_path / "test.db")) as made:
        yield made


async def sup(site):
    return await site.access.accounts.create_user("sup", Role.SUPERVISOR, PASSWORD, name="Sup")


# Signing in


async def test_the_right_password_opens_the_board(site):
    await sup(site)
    visitor = site.visitor()
    answer = await visitor.post("/login", data={"username": " SUP ", "password": PASSWORD})
    cookie = answer.headers["set-cookie"]

    assert (answer.status_code, answer.headers["location"]) == (303, "/")
    assert cookie.startswith("__Host-sid=")
    for attribute in ("HttpOnly", "Secure", "SameSite=lax", "Path=/"):
        assert attribute in cookie
    assert "Domain" not in cookie
    assert (await visitor.get("/")).text == "the board of Sup"
    assert (await site.audited())[0].action == "sign in"


@pytest.mark.parametrize(
    ("username", "password"),
    [
        ("sup", "wrong"),
        ("nobody", "wrong"),
        ("' OR 1=1 --", "x"),
        ("sup\x00", PASSWORD),
        ("\u0455up", PASSWORD),
        ("sup", PASSWORD + "x" * 300),
        ("sup", ""),
        ("x" * 5000, "x"),
    ],
)
async def test_whatever_is_wrong_the_answer_is_the_same(site, username, password):
    await sup(site)
    answer = await site.visitor().post("/login", data={"username": username, "password": password})
    [row] = await site.audited()

    assert answer.status_code == 401
    assert WRONG in answer.text
    assert "set-cookie" not in answer.headers
    assert (row.kind, row.action, row.address) == ("denied", "sign in", "192.0.2.1")
    assert "wrong" not in row.reason


async def test_a_disabled_user_gets_that_answer_too(site):
    user = await sup(site)
    await site.access.accounts.disable(user.user_id)
    answer = await site.visitor().post("/login", data={"username": "sup", "password": PASSWORD})

    assert (answer.status_code, WRONG in answer.text) == (401, True)


async def test_a_name_that_nobody_has_is_not_written_down(site):
    await site.visitor().post("/login", data={"username": PASSWORD, "password": "x"})
    [row] = await site.audited()

    assert PASSWORD not in str(row)


@pytest.mark.parametrize(
    ("given", "statuses"),
    [
        ({"data": {"username": "sup", "password": "a" * 1_048_576}}, {413}),
        ({"json": {"username": "sup", "password": PASSWORD}}, {415}),
        ({"data": {f"f{number}": "1" for number in range(1000)}}, {400}),
        ({"data": {"username": ["sup", "admin"], "password": PASSWORD}}, {422}),
        (
            {
                "content": b"\xff\xfe",
                "headers": {"content-type": "application/x-www-form-urlencoded"},
            },
            {400},
        ),
        ({"files": {"username": b"sup"}}, {415}),
        ({}, {415}),
    ],
)
async def test_a_form_that_is_none_is_refused(site, given, statuses):
    await sup(site)
    answer = await site.visitor().post("/login", **given)

    assert answer.status_code in statuses
    assert "set-cookie" not in answer.headers


async def test_credentials_in_the_address_sign_nobody_in(site, caplog):
    caplog.set_level(logging.DEBUG)
    await sup(site)
    answer = await site.visitor().get("/login", params={"username": "sup", "password": PASSWORD})

    assert answer.status_code == 200
    assert "set-cookie" not in answer.headers
    assert PASSWORD not in answer.text
    assert PASSWORD not in " ".join(
        record.getMessage() for record in caplog.records if not record.name.startswith("httpx")
    )


@pytest.mark.parametrize(
    "target",
    [
        "https://evil.example/",
        "//evil.example",
        "/\\evil.example",
        "///evil.example",
        "https://board.example.test@evil.example",
        "/./\\evil.example",
        "/.//evil.example",
        "/%09/evil.example\t",
        "javascript:alert(1)",
        "/\r\nSet-Cookie: x=y",
        "/a/..//evil.example",
        "",
    ],
)
async def test_signing_in_never_leads_to_another_site(site, target):
    await sup(site)
    answer = await site.visitor().post(
        "/login", params={"next": target}, data={"username": "sup", "password": PASSWORD}
    )

    assert (answer.status_code, answer.headers["location"]) == (303, "/")


def test_a_page_of_ours_is_come_back_to():
    assert local("/admin/users?x=1&y=%C3%A9") == "/admin/users?x=1&y=%C3%A9"


async def test_another_site_can_not_sign_anybody_in(site):
    await sup(site)
    for headers in ({"Origin": "https://evil.example"}, {"Sec-Fetch-Site": "cross-site"}):
        answer = await site.visitor().post(
            "/login", data={"username": "sup", "password": PASSWORD}, headers=headers
        )
        assert answer.status_code == 403


async def test_who_came_by_a_bookmark_may_sign_in(site):
    await sup(site)
    answer = await site.visitor().post(
        "/login",
        data={"username": "sup", "password": PASSWORD},
        headers={"Sec-Fetch-Site": "none", "Cookie": "x=y"},
    )

    assert answer.status_code == 303


async def test_a_sign_in_that_brings_a_cookie_must_say_where_it_comes_from(site):
    await sup(site)
    answer = await site.visitor().post(
        "/login", data={"username": "sup", "password": PASSWORD}, headers={"Cookie": "x=y"}
    )

    assert answer.status_code == 403


async def test_each_sign_in_has_a_new_id_and_ends_the_one_before(site):
    visitor = await site.signed_in("sup", Role.SUPERVISOR)
    before = visitor.cookies["__Host-sid"]
    await visitor.post(
        "/login", data={"username": "sup", "password": PASSWORD}, headers={"Origin": PUBLIC}
    )

    assert visitor.cookies["__Host-sid"] != before
    assert site.access.sessions.find(before) is None


async def test_an_outsider_who_fails_a_thousand_times_locks_nobody_out(site):
    await sup(site)
    outsider = site.visitor("198.51.100.7")
    statuses = set()
    for _ in range(60):
        answer = await outsider.post("/login", data={"username": "sup", "password": "x"})
        statuses.add(answer.status_code)
    real = await site.visitor().post("/login", data={"username": "sup", "password": PASSWORD})

    assert statuses == {401, 429}
    assert int(answer.headers["retry-after"]) > 0
    assert real.status_code == 303
    assert len(await site.audited()) < 25


# Signing out


async def test_signing_out_ends_the_session(site):
    visitor = await site.signed_in("sup", Role.SUPERVISOR)
    secret = visitor.cookies["__Host-sid"]
    answer = await visitor.post("/logout", headers=OURS)

    assert answer.headers["hx-redirect"] == "/login"
    assert site.access.sessions.find(secret) is None
    assert (
        await site.visitor().get("/", headers={"Cookie": f"__Host-sid={secret}"})
    ).status_code == 303


async def test_no_link_or_image_signs_anybody_out(site):
    visitor = await site.signed_in("sup", Role.SUPERVISOR)

    assert (await visitor.get("/logout")).status_code == 405
    assert (await visitor.get("/")).status_code == 200


# The one-time link


async def test_the_first_administrator_is_made_by_the_link_and_nothing_else(site):
    path = await site.access.setup_path()
    visitor = site.visitor()
    assert (await visitor.get(path)).status_code == 200
    bad = await visitor.post(path, data={"username": "boss", "password": "short", "again": "short"})
    unlike = await visitor.post(
        path, data={"username": "boss", "password": PASSWORD, "again": PASSWORD + "!"}
    )
    good = await visitor.post(
        path, data={"username": "boss", "password": PASSWORD, "again": PASSWORD}
    )

    assert (bad.status_code, unlike.status_code, good.status_code) == (422, 422, 303)
    assert (await visitor.get("/admin/users")).status_code == 200
    assert (await site.visitor().get(path)).status_code == 404
    again = await site.visitor().post(path, data={"username": "other", "password": PASSWORD})
    assert again.status_code == 404
    assert await site.access.setup_path() is None


# One's own account


async def test_nobody_makes_themselves_an_administrator(site):
    visitor = await site.signed_in("vic", Role.VIEWER, name="Vic")
    answer = await visitor.post(
        "/account", data={"name": "x", "role": "admin", "is_admin": "1"}, headers=OURS
    )
    account = site.access.accounts.named("vic")

    assert answer.status_code == 200
    assert (account.role, account.name) == (Role.VIEWER, "Vic")


async def test_a_new_password_signs_the_other_browsers_out(site):
    here = await site.signed_in("sup", Role.SUPERVISOR)
    there = await site.signed_in("sup", Role.SUPERVISOR)
    fields = {"do": "password", "current": PASSWORD, "password": "eight blue herons"}
    wrong = await here.post(
        "/account", data={**fields, "current": "x", "again": fields["password"]}, headers=OURS
    )
    answer = await here.post(
        "/account", data={**fields, "again": "eight blue herons"}, headers=OURS
    )

    assert (wrong.status_code, answer.status_code) == (422, 200)
    assert (await here.get("/")).status_code == 200
    assert (await there.get("/")).status_code == 303


async def test_a_browser_is_signed_out_from_another_one_but_not_somebody_elses(site):
    here, there = [await site.signed_in("sup", Role.SUPERVISOR) for _ in range(2)]
    other = await site.signed_in("vic", Role.VIEWER)
    keys = {
        name: site.access.sessions.find(each.cookies["__Host-sid"]).key
        for name, each in {"there": there, "other": other}.items()
    }
    for key in keys.values():
        await here.post("/account", data={"do": "end", "session": key}, headers=OURS)

    assert (await there.get("/")).status_code == 303
    assert (await other.get("/")).status_code == 200


# When the disk is away


async def test_without_a_disk_nobody_signs_in_and_is_told_why(site):
    await sup(site)
    await site.database.close()
    answer = await site.visitor().post("/login", data={"username": "sup", "password": PASSWORD})

    assert answer.status_code == 503
    assert "set-cookie" not in answer.headers
    assert "database" in answer.text
