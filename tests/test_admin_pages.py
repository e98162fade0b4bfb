"""The administrators' pages: users, walls, and the audit; and who may not see or change them."""

import re

import pytest

from app.access.pairing import PER_ADDRESS
from app.rights import Role
from app.web.walls import PER_MINUTE
from tests.site import OURS, PASSWORD, PUBLIC, code_in, found, opened

pytestmark = pytest.mark.anyio


@pytest.fixture
async def site(tmp_path):
    async with opened(str(tmp_path / "test.db")) as made:
        yield made


PAGES = ["/admin/users", "/admin/walls", "/admin/audit", "/admin/audit/export"]


@pytest.mark.parametrize("path", PAGES)
@pytest.mark.parametrize("role", [Role.VIEWER, Role.SUPERVISOR, None])
async def test_only_administrators_see_these_pages(site, path, role):
    await site.signed_in("hidden-user", Role.VIEWER)
    visitor = site.visitor() if role is None else await site.signed_in("x", role)
    answer = await visitor.get(path)

    assert answer.status_code in (303, 403)
    assert "hidden-user" not in answer.text


@pytest.mark.parametrize("path", ["/admin/users", "/admin/walls"])
@pytest.mark.parametrize("role", [Role.VIEWER, Role.SUPERVISOR, None])
async def test_only_administrators_change_things(site, path, role):
    visitor = site.visitor() if role is None else await site.signed_in("x", role)
    fields = {"username": "x", "role": "admin", "name": "x", "code": "x"}
    answer = await visitor.post(path, data=fields, headers=OURS)

    assert answer.status_code == (401 if role is None else 403)
    assert not any(account.is_admin for account in site.access.accounts.all())


async def test_an_administrator_adds_a_user_who_chooses_a_password(site):
    boss = await site.signed_in("boss", Role.ADMIN)
    answer = await boss.post(
        "/admin/users",
        data={
            "do": "add",
            "username": "new",
            "role": "supervisor",
            "extension": "500",
            "scope": "some",
            "queues": "999, Bán hàng",
            "which_rights": "own",
            "rights": ["listen", "pause"],
        },
        headers=OURS,
    )
    link = found(rf"{PUBLIC}(/setup/[\w-]+)", answer.text)
    new = site.visitor()
    await new.post(link, data={"password": PASSWORD, "again": PASSWORD})
    account = site.access.accounts.named("new")

    assert account.queues == {"999", "Bán hàng"}
    assert account.rights == {"listen", "pause"}
    assert (await new.get("/")).status_code == 200
    actions = [row.action for row in (await site.audited())[:3]]
    assert actions == ["sign in by link", "choose password by link", "add user"]


@pytest.mark.parametrize(
    ("fields", "statuses"),
    [
        ({"do": "add", "username": "new", "password": "1234567"}, {422}),
        ({"do": "add", "username": "new", "password": "password123"}, {422}),
        ({"do": "add", "username": "new", "role": "wall"}, {422}),
        ({"do": "add", "username": "new", "role": "god"}, {422}),
        ({"do": "add", "username": "new", "which_rights": "own", "rights": "fly"}, {422}),
        ({"username": "new", "do": "fly"}, {422}),
        ({"username": "new", "role": "viewer"}, {422}),
        ({"username": "boss", "role": "viewer"}, {409, 422}),
        ({"username": "boss", "disabled": "1"}, {409, 422}),
        ({"do": "link", "username": "nobody"}, {422}),
    ],
)
async def test_a_change_that_makes_no_sense_changes_nothing(site, fields, statuses):
    boss = await site.signed_in("boss", Role.ADMIN)
    before = site.access.accounts.all()
    answer = await boss.post("/admin/users", data=fields, headers=OURS)

    assert answer.status_code in statuses
    assert site.access.accounts.all() == before


async def test_what_the_form_does_not_say_stays(site):
    boss = await site.signed_in("boss", Role.ADMIN)
    await site.signed_in("ann", Role.SUPERVISOR, queues=frozenset({"1"}), extension="500")
    await boss.post("/admin/users", data={"username": "ann", "name": "Ann"}, headers=OURS)
    account = site.access.accounts.named("ann")

    assert (account.name, account.queues, account.extension) == ("Ann", {"1"}, "500")
    assert account.role is Role.SUPERVISOR


async def test_to_add_somebody_who_is_there_already_changes_nothing(site):
    boss = await site.signed_in("boss", Role.ADMIN)
    await site.signed_in("lan", Role.SUPERVISOR, queues=frozenset({"1"}), extension="500")
    before = site.access.accounts.named("lan")
    fields = fields_to_add((await boss.get("/admin/users")).text)
    given = {**fields, "username": "Lan", "password": "another long one"}
    answer = await boss.post("/admin/users", data=given, headers=OURS)

    assert answer.status_code == 422
    assert "Somebody has this user name already." in answer.text
    assert site.access.accounts.named("lan") == before


def fields_to_add(page):
    """What the page's form to add a user sends when nothing was typed or chosen."""
    form = found(r'(?s)<h2 id="add">.*?<form(.*?)</form>', page)
    hidden = re.findall(r'type="hidden" name="(\w+)" value="(\w*)"', form)
    ticked = re.findall(r'type="radio" name="(\w+)" value="(\w+)" checked', form)
    typed = dict.fromkeys(re.findall(r'type="(?:text|password)" name="(\w+)"', form), "")
    return {**typed, **dict(hidden), **dict(ticked), "role": "viewer", "language": ""}


async def test_administration_asks_for_the_password_again(site):
    boss = await site.signed_in("boss", Role.ADMIN)
    site.now += 11 * 60_000
    fields = {"do": "add", "username": "new", "role": "viewer"}
    late = await boss.post("/admin/users", data=fields, headers=OURS)
    assert late.headers["hx-redirect"] == "/confirm?next=/admin/users"
    assert site.access.accounts.named("new") is None

    ours = {"Origin": PUBLIC}
    wrong = await boss.post("/confirm", data={"password": "x"}, headers=ours)
    right = await boss.post("/confirm?next=/admin/users", data={"password": PASSWORD}, headers=ours)
    assert (wrong.status_code, right.headers["location"]) == (401, "/admin/users")

    assert (await boss.post("/admin/users", data=fields, headers=OURS)).status_code == 200


async def test_names_of_users_are_text_on_every_page(site):
    evil = "<img src=x onerror=alert(1)>"
    boss = await site.signed_in("boss", Role.ADMIN, name=evil)
    await boss.post(
        "/admin/users", data={"do": "add", "username": "new", "name": evil}, headers=OURS
    )
    pages = [(await boss.get(path)).text for path in (*PAGES[:3], "/account")]

    assert all(evil not in page for page in pages)
    assert "&lt;img" in pages[0]


# Walls


async def test_a_wall_is_paired_by_its_code_and_turned_off(site):
    boss, screen = await site.signed_in("boss", Role.ADMIN), site.visitor("192.0.2.9")
    code = code_in((await screen.get("/pair")).text)
    assert code_in((await screen.get("/pair", headers={"HX-Request": "true"})).text) == code
    assert "192.0.2.9" in (await boss.get("/admin/walls")).text

    fields = {"code": code.lower(), "name": "Hall", "scope": "some", "queues": "999"}
    assert (await boss.post("/admin/walls", data=fields, headers=OURS)).status_code == 200
    answer = await screen.get("/pair", headers={"HX-Request": "true"})
    [wall] = site.access.walls.all()

    assert answer.headers["hx-redirect"] == "/wall"
    assert "Max-Age=15552000" in answer.headers["set-cookie"]
    assert wall.display.queues == {"999"}
    assert (await screen.get("/pair")).headers["location"] == "/wall"

    fields = {"do": "remove", "wall": str(wall.wall_id)}
    await boss.post("/admin/walls", data=fields, headers=OURS)
    assert code_in((await screen.get("/pair")).text)


async def test_a_screen_is_let_in_by_its_own_cookie_only(site):
    boss, screen, other = await site.signed_in("boss", Role.ADMIN), site.visitor(), site.visitor()
    code = code_in((await screen.get("/pair")).text)
    await other.get("/pair")
    await boss.post("/admin/walls", data={"code": code, "name": "Hall"}, headers=OURS)

    assert (await other.get("/pair")).status_code == 200
    assert (await screen.get("/pair")).status_code == 303


async def test_as_many_screens_as_may_wait_ask_every_three_seconds_and_keep_their_codes(site):
    screens = [site.visitor() for _ in range(PER_ADDRESS)]
    codes = [code_in((await screen.get("/pair")).text) for screen in screens]
    for second in range(3, 60, 3):
        site.now += 3000
        pages = [(await screen.get("/pair")).text for screen in screens]
        assert [code_in(page) for page in pages] == codes, f"after {second} s"


async def test_who_shows_no_code_is_heard_so_often_a_minute(site):
    screen = site.visitor()
    code = code_in((await screen.get("/pair")).text)
    guesses = [{"Cookie": f"__Host-pairing=guess-{number}"} for number in range(PER_MINUTE)]
    answers = [await site.visitor().get("/pair", headers=guess) for guess in guesses]

    assert {answer.status_code for answer in answers[:-1]} == {200, 503}
    assert answers[-1].status_code == 429
    assert "Too many requests" in answers[-1].text
    assert code_in((await screen.get("/pair")).text) == code


@pytest.mark.parametrize(
    "fields",
    [
        {"code": "WRONG234", "name": "Hall"},
        {"code": "", "name": ""},
        {"do": "remove", "wall": "999"},
        {"do": "remove", "wall": "\u0661"},
        {"do": "change", "wall": "1", "name": "x"},
        {"do": "fly"},
    ],
)
async def test_a_wall_that_is_none_is_not_changed(site, fields):
    boss = await site.signed_in("boss", Role.ADMIN)

    assert (await boss.post("/admin/walls", data=fields, headers=OURS)).status_code == 422


# The audit


async def test_the_audit_is_read_exported_and_checked_and_that_is_noted(site):
    boss = await site.signed_in("boss", Role.ADMIN)
    await site.visitor().post("/login", data={"username": "boss", "password": "x"})
    page = await boss.get("/admin/audit?check=1&before=x")
    table = await boss.get("/admin/audit/export?form=csv")
    lines = await boss.get("/admin/audit/export?form=json&action=sign%20in")
    newest = [row.action for row in await site.audited()]

    assert "Every row is as it was written." in page.text
    assert table.headers["content-disposition"] == 'attachment; filename="audit.csv"'
    assert table.text.startswith("seq,at,kind,")
    assert len(lines.text.splitlines()) == 2
    assert newest[:3] == ["export audit as json", "export audit as csv", "read audit"]


async def test_an_auditor_reads_and_administers_nothing(site):
    auditor = await site.signed_in("aud", Role.VIEWER, rights=frozenset({"read_audit"}))

    assert (await auditor.get("/admin/audit")).status_code == 200
    assert (await auditor.get("/admin/users")).status_code == 403
