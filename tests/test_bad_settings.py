"""Hostile settings: the PBX's address, zones, networks, passwords, on the page and at the start."""

from collections.abc import Iterator
from typing import Any

import pytest

from app.main import wall_clock
from app.settings import Settings, SettingsError
from tests.bad_cases import BY_NAME, Case, group, run_here, runs, statuses
from tests.building import Building, opened_building

OURS = {"Sec-Fetch-Site": "same-origin", "HX-Request": "true"}
KEY = "canary-key-51f0"
CASES = {
    case["name"]: case
    for case in group("ui-actions")
    if case["path"] in {"{route:settings}", "{route:users}"}
}
PATHS = {"{route:settings}": "/admin/pbx", "{route:users}": "/admin/users"}
run_here(CASES, f"{__name__}.test_no_page_takes_it")
# Of the addresses, those that the environment may set: an exchange may be on this very machine,
# have a path, and be without TLS, which the page of the PBX warns of.
TAKEN = {
    "settings-pbx-url-not-https",
    "settings-pbx-url-loopback",
    "settings-pbx-url-with-key-in-path",
}


@pytest.fixture(scope="module")
def building(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Building]:
    pbx = {"PITWALL_PBX_URL": "http://pbx.example.test", "PITWALL_PBX_KEY": KEY}
    with opened_building(tmp_path_factory.mktemp("settings"), wall_clock, **pbx) as opened:
        yield opened


def posted(building: Building, case: Case) -> Any:
    building.client.cookies.clear()
    headers = {**case["headers"], **building.keys["admin"]}
    path = PATHS[case["path"]]
    # The cases know nothing of what a form of ours is for.
    form = {"do": "add", **case["form"]} if path == "/admin/users" else case["form"]
    return building.client.post(path, data=form, headers=headers, follow_redirects=False)


@pytest.mark.parametrize("name", CASES)
def test_no_page_takes_it(building: Building, name: str):
    case, users = CASES[name], len(building.access.accounts.all())
    rows = len(building.call(building.access.audit.page))
    answer = posted(building, case)

    assert answer.status_code in statuses(name)
    assert len(building.access.accounts.all()) == users
    assert KEY not in answer.text
    if "audit_row" in case["must_hold"]:
        assert len(building.call(building.access.audit.page)) == rows + 1


@pytest.mark.parametrize("name", [name for name in CASES if "pbx-url" in name])
def test_no_start_takes_it_either_except_what_can_be_a_pbx(name: str):
    environ = {"PITWALL_PBX_URL": CASES[name]["form"]["pbx_url"]}
    if name in TAKEN:
        assert Settings.from_env(environ).pbx_url == environ["PITWALL_PBX_URL"]
    else:
        with pytest.raises(SettingsError, match="PITWALL_PBX_URL"):
            Settings.from_env(environ)


@pytest.mark.parametrize(
    "address", ["http://169.254.169.254/", "http://[fe80::1]/", "http://0.0.0.0/", "http://[::]/"]
)
def test_the_address_of_call_records_can_not_be_aimed_there_either(address: str):
    with pytest.raises(SettingsError, match="PITWALL_PBX_DATA_URL"):
        Settings.from_env({"PITWALL_PBX_DATA_URL": address})


@pytest.mark.parametrize(
    ("variable", "case"),
    [("PITWALL_TIMEZONE", "settings-timezone-bad"), ("PITWALL_WEBHOOK_ALLOW", "settings-cidr-bad")],
)
def test_a_zone_is_a_name_and_a_network_is_one(variable: str, case: str):
    [value] = BY_NAME[case]["form"].values()
    with pytest.raises(SettingsError, match=variable):
        Settings.from_env({variable: value})


@runs("settings-key-shown-again", "settings-pbx-url-not-https")
def test_the_page_warns_of_a_plain_address_and_keeps_the_key(building: Building):
    page = building.client.get("/admin/pbx", headers=building.keys["admin"]).text

    assert "unencrypted" in page
    assert KEY not in page
    assert KEY[-8:] not in page
