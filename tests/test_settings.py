"""The environment: defaults, every kind of wrong value, and secrets that stay out of texts."""

from datetime import time

import pytest

from app.settings import VARIABLES, Settings, SettingsError


def test_an_empty_environment_gives_the_documented_defaults():
    settings = Settings.from_env({"TZ": "UTC"})

    assert (settings.host, settings.port) == ("127.0.0.1", 8000)
    assert settings.log == "sqlite:data/pitwall.db"
    assert settings.public_url == "http://127.0.0.1:8000"
    assert settings.day_start == time(0, 0)
    assert settings.pbx_url is None
    assert settings.webhook_allow == ()


def test_the_public_url_follows_host_and_port():
    assert Settings.from_env({"HOST": "::1", "PORT": "9"}).public_url == "http://[::1]:9"


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("PORT", "http"),
        ("PORT", "70000"),
        ("PITWALL_LOG", "postgres:x"),
        ("PITWALL_LOG", "sqlite:"),
        ("PITWALL_PUBLIC_URL", "wall.example.com"),
        ("PITWALL_PBX_URL", "ftp://pbx"),
        ("PITWALL_OIDC_ISSUER", "http://id.example.com"),
        ("PITWALL_OIDC_ISSUER", "id.example.com"),
        ("PITWALL_PBX_URL", "https://user@pbx.example.com"),
        ("PITWALL_ALLOW_INSECURE_LAN", "true"),
        ("PITWALL_TIMEZONE", "Mars/Olympus"),
        ("PITWALL_TIMEZONE", "../../etc/passwd"),
        ("PITWALL_DAY_START", "25:00"),
        ("PITWALL_ABANDON_DAYS", "0"),
        ("PITWALL_ABANDON_DAYS", "a week"),
        ("PITWALL_MOST_AGENTS", "0"),
        ("PITWALL_MOST_AGENTS", "100001"),
        ("PITWALL_LANGUAGE", "fr"),
        ("PITWALL_WEBHOOK_TOKEN", "short"),
        ("PITWALL_WEBHOOK_TOKEN", "with/slash-and-more-letters"),
        ("PITWALL_WEBHOOK_ALLOW", "10.0.0.0/33"),
        ("PITWALL_WEBHOOK_FROM", "the office"),
        ("PITWALL_DIAL_ALLOW", "0[1-9]"),
        ("PITWALL_DIAL_ALLOW", ","),
        ("PITWALL_PBX_KEY_FILE", "/does/not/exist"),
    ],
)
def test_a_wrong_value_is_refused_with_the_name_of_its_variable(name, value):
    with pytest.raises(SettingsError, match=f"^{name}: .* expected"):
        Settings.from_env({name: value})


def test_a_misspelt_variable_is_named():
    with pytest.raises(SettingsError, match="PITWALL_TIMEZON is no setting"):
        Settings.from_env({"PITWALL_TIMEZON": "UTC"})


def test_the_key_may_be_in_a_file(tmp_path):
    file = tmp_path / "key"
    file.write_text("from-the-file\n")

    assert Settings.from_env({"PITWALL_PBX_KEY_FILE": str(file)}).pbx_key == "from-the-file"


def test_no_secret_is_in_the_settings_text():
    secrets = {
        "PITWALL_PBX_KEY": "canary-key",
        "PITWALL_API_TOKEN": "canary-api",
        "PITWALL_WEBHOOK_TOKEN": "canary-webhook-token",
    }

    settings = Settings.from_env(secrets)

    assert "canary" not in f"{settings} {settings!r}"


def test_every_variable_is_described():
    assert all(variable.purpose and variable.default for variable in VARIABLES)
    assert len({variable.name for variable in VARIABLES}) == len(VARIABLES)


def test_the_targets_of_walls_are_read_one_by_one() -> None:
    read = Settings.from_env({"PITWALL_TARGETS": "level=90, callbacks=2"})

    assert dict(read.targets) == {"level": 90, "callbacks": 2}
    with pytest.raises(SettingsError, match="PITWALL_TARGETS"):
        Settings.from_env({"PITWALL_TARGETS": "speed=9"})


def test_a_centre_may_have_its_own_reasons():
    settings = Settings.from_env({"PITWALL_LISTEN_REASONS": "Training; Complaint of a customer ;"})

    assert settings.listen_reasons == ("Training", "Complaint of a customer")
    assert settings.pause_reasons == ()


@pytest.mark.parametrize("text", [" ; ", "x" * 61, "a\u200b", ";".join(["a"] * 31)])
def test_reasons_that_fit_no_list_are_refused(text):
    with pytest.raises(SettingsError, match=r"PITWALL_PAUSE_REASONS: .* expected"):
        Settings.from_env({"PITWALL_PAUSE_REASONS": text})
