"""Files of sites: what they may say, every way to get them wrong, and commands for one of them."""

import io
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from app.__main__ import CONFIG, main
from app.settings import PROCESS_WIDE, VARIABLES, Settings, SettingsError
from app.sites.files import OF_A_SITE, host_of, read_sites, sign_of

URL = "PITWALL_PUBLIC_URL=https://acme.example.test\n"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    made = tmp_path / "sites"
    made.mkdir()
    return made


def installation(folder: Path, log: str = "sqlite:data/pitwall.db") -> Settings:
    return Settings.from_env({"PITWALL_SITES": str(folder), "PITWALL_LOG": log, "PORT": "8123"})


def write(folder: Path, name: str, text: str) -> None:
    (folder / f"{name}.env").write_text(text)


def test_each_file_is_a_site_with_settings_of_its_own(folder: Path) -> None:
    write(folder, "acme", f"# Acme, of Hue\n{URL}\n PITWALL_TIMEZONE = Asia/Ho_Chi_Minh \r\n")
    write(folder, "b2", 'PITWALL_PUBLIC_URL="https://B2.example.test:8443"\nPITWALL_LANGUAGE=vi')
    write(folder, "c", "PITWALL_PUBLIC_URL='https://c.example.test/'\nPITWALL_API_TOKEN=\n")
    (folder / "acme.env~").write_text("an editor's")

    sites = read_sites(installation(folder))

    assert list(sites) == ["acme", "b2", "c"]
    assert sites["acme"].timezone == ZoneInfo("Asia/Ho_Chi_Minh")
    assert (sites["b2"].language, host_of(sites["b2"])) == ("vi", "b2.example.test")
    assert sites["c"].public_url == "https://c.example.test"
    assert {site.port for site in sites.values()} == {8123}


def test_each_site_has_a_folder_for_its_database_and_backups(folder: Path) -> None:
    write(folder, "acme", URL)

    on_disk = read_sites(installation(folder))["acme"]
    in_memory = read_sites(installation(folder, "memory:"))["acme"]
    on_nats = read_sites(installation(folder, "nats://a,b,c?partitions=8"))["acme"]

    assert on_disk.database == "data/sites/acme/pitwall.db"
    assert on_disk.log == "sqlite:data/sites/acme/pitwall.db"
    assert in_memory.database == ":memory:"
    assert (on_nats.log, on_nats.database) == (
        "nats://a,b,c?partitions=8",
        "data/sites/acme/pitwall.db",
    )


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "acme.env: PITWALL_PUBLIC_URL is missing"),
        (f"{URL}PITWALL_TIMEZON=UTC\n", "acme.env, line 2: PITWALL_TIMEZON is no setting"),
        (f"\n\n{URL}\nTZ=UTC", "acme.env, line 5: TZ is no setting of a site"),
        (f"{URL}Hello\n", "acme.env, line 2: VARIABLE=value is expected"),
        (f"{URL}{URL}", "acme.env, line 2: PITWALL_PUBLIC_URL is there a second time"),
        ("PITWALL_PUBLIC_URL=acme.example.test", "acme.env, line 1: PITWALL_PUBLIC_URL: an addr"),
        (f"{URL}PITWALL_LANGUAGE=fr", "acme.env, line 2: PITWALL_LANGUAGE: en or vi is expected"),
        (f"{URL}PITWALL_TIMEZONE=Mars", "acme.env, line 2: PITWALL_TIMEZONE: a time zone"),
        (f"{URL}PITWALL_PBX_KEY_FILE=/no/such", "acme.env, line 2: PITWALL_PBX_KEY_FILE: a readab"),
        (f"{URL}PITWALL_WEBHOOK_TOKEN=short", "acme.env, line 2: PITWALL_WEBHOOK_TOKEN: at least"),
        ("PITWALL_PUBLIC_URL=https://hội.example.test", "acme.env, line 1: .* host in ASCII"),
        (f"{URL}#{'x' * 70_000}", "acme.env is larger than"),
    ],
)
def test_a_mistake_is_told_with_its_file_and_line(folder: Path, text: str, words: str) -> None:
    write(folder, "acme", text)

    with pytest.raises(SettingsError, match=words):
        read_sites(installation(folder))


@pytest.mark.parametrize("variable", sorted(PROCESS_WIDE))
def test_what_belongs_to_the_process_is_in_no_sites_file(folder: Path, variable: str) -> None:
    write(folder, "acme", f"{URL}{variable}=127.0.0.1\n")

    with pytest.raises(SettingsError, match=f"acme.env, line 2: {variable} belongs to the insta"):
        read_sites(installation(folder))


def test_a_variable_is_the_sites_or_the_processes() -> None:
    assert {variable.name for variable in VARIABLES} == OF_A_SITE | PROCESS_WIDE
    assert not OF_A_SITE & PROCESS_WIDE


@pytest.mark.parametrize("name", ["Acme", "acme_1", "-acme", "a" * 41, ".acme", "a b", "ácme"])
def test_a_strange_name_of_a_file_is_refused(folder: Path, name: str) -> None:
    write(folder, name, URL)

    with pytest.raises(SettingsError, match="the name of a site is 1 to 40 small letters"):
        read_sites(installation(folder))


@pytest.mark.parametrize(
    "other",
    ["https://ACME.example.test", "http://acme.example.test:81", "https://acme.example.test."],
)
def test_two_sites_can_not_have_one_host(folder: Path, other: str) -> None:
    write(folder, "acme", URL)
    write(folder, "beta", f"\nPITWALL_PUBLIC_URL={other}")

    words = r"beta.env, line 2: acme.example.test is the host of .*acme.env already"
    with pytest.raises(SettingsError, match=words):
        read_sites(installation(folder))


@pytest.mark.parametrize("variable", ["PITWALL_WEBHOOK_TOKEN", "PITWALL_API_TOKEN"])
def test_two_sites_can_not_be_opened_by_one_token(folder: Path, variable: str) -> None:
    token = "canary-of-sixteen-letters"
    write(folder, "acme", f"{URL}{variable}={token}")
    write(folder, "beta", f"PITWALL_PUBLIC_URL=https://b.example.test\n{variable}={token}")

    with pytest.raises(
        SettingsError, match=r"beta.env, line 2: .*acme.env has the same"
    ) as refused:
        read_sites(installation(folder))
    assert "canary" not in str(refused.value)


def test_a_folder_without_sites_is_refused(folder: Path, tmp_path: Path) -> None:
    for empty in (folder, tmp_path / "no-such-folder"):
        with pytest.raises(SettingsError, match=f"PITWALL_SITES: {empty} has no file NAME.env"):
            read_sites(installation(empty))


def test_a_file_that_is_no_text_is_refused(folder: Path) -> None:
    (folder / "acme.env").write_bytes(b"PITWALL_PUBLIC_URL=\xff\xfe")

    with pytest.raises(SettingsError, match=r"acme.env is not in UTF-8"):
        read_sites(installation(folder))


def test_every_change_of_the_files_is_seen(folder: Path) -> None:
    signs = [sign_of(str(folder))]
    write(folder, "acme", URL)
    signs.append(sign_of(str(folder)))
    write(folder, "acme", f"{URL}#")
    signs.append(sign_of(str(folder)))
    write(folder, "beta", URL)
    signs.append(sign_of(str(folder)))
    (folder / "acme.env").unlink()
    signs.append(sign_of(str(folder)))

    assert len(set(signs)) == len(signs)
    assert sign_of(str(folder)) == signs[-1]


@pytest.fixture
def two(folder: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    write(folder, "acme", URL)
    write(folder, "beta", "PITWALL_PUBLIC_URL=https://beta.example.test\n")
    for name in OF_A_SITE:
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("PITWALL_SITES", str(folder))
    monkeypatch.setenv("PITWALL_LOG", f"sqlite:{folder.parent / 'pitwall.db'}")
    return folder


Told = pytest.CaptureFixture[str]


def test_a_command_is_about_the_site_that_it_names(
    two: Path, capsys: Told, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sys.stdin", io.StringIO("seven grey herons\n"))

    assert main(["--site", "acme", "user", "add", "ann", "--role", "admin"]) == 0
    assert main(["--site", "acme", "user", "list"]) == 0
    assert main(["--site", "beta", "user", "list"]) == 0
    assert main(["--site", "acme", "backup", str(two / "acme.db")]) == 0

    assert capsys.readouterr().out.splitlines()[:3] == [
        "ann may sign in as admin.",
        "ann\tadmin\t",
        "Nobody has an account yet.",
    ]
    assert (two.parent / "sites" / "acme" / "pitwall.db").exists()
    assert (two / "acme.db").exists()


@pytest.mark.parametrize(
    ("words", "complaint"),
    [
        (["user", "list"], "say which: --site NAME, one of acme, beta."),
        (["rebuild"], "say which: --site NAME, one of acme, beta."),
        (["--site", "gamma", "user", "list"], "has no site 'gamma': acme, beta."),
    ],
)
def test_a_command_without_a_site_is_refused(
    two: Path, capsys: Told, words: list[str], complaint: str
) -> None:
    assert main(words) == CONFIG
    assert complaint in capsys.readouterr().err


def test_a_sites_own_setting_beside_the_folder_is_refused(
    two: Path, capsys: Told, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PITWALL_PBX_KEY", "canary")

    assert main(["serve"]) == CONFIG
    assert "PITWALL_PBX_KEY belongs to a site" in capsys.readouterr().err


def test_without_the_folder_there_is_only_the_main_site(
    two: Path, capsys: Told, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("PITWALL_SITES")

    assert main(["--site", "main", "user", "list"]) == 0
    assert main(["--site", "acme", "user", "list"]) == CONFIG
    assert "PITWALL_SITES is not set" in capsys.readouterr().err
