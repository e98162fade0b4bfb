"""The documents against the code: every setting, webhook, command and metric is described."""

import re
from pathlib import Path

import pytest

from app.pbx.voicecloud import WEBHOOKS
from app.settings import VARIABLES

ROOT = Path(__file__).parent.parent
README = (ROOT / "README.md").read_text(encoding="utf-8")


def settings_table() -> dict[str, tuple[str, str]]:
    rows = re.findall(r"^\| `([A-Z_]+)` \| (.+?) \| (.+?) \|$", README, re.MULTILINE)
    return {name: (default.strip("`"), purpose) for name, default, purpose in rows}


def test_the_settings_table_is_the_codes_own():
    assert settings_table() == {
        variable.name: (variable.default, variable.purpose) for variable in VARIABLES
    }


@pytest.mark.parametrize("picture", re.findall(r"!\[[^]]*]\(([^)]+)\)", README))
def test_every_picture_is_there(picture):
    assert (ROOT / picture).is_file()


@pytest.mark.parametrize("target", re.findall(r"(?<!!)\[[^]]*]\(([^)]+)\)", README))
def test_every_link_leads_somewhere(target):
    assert (ROOT / target).exists()


@pytest.mark.parametrize("command", re.findall(r"^    make ([a-z-]+)", README, re.MULTILINE))
def test_every_make_command_in_the_readme_is_a_target(command):
    assert re.search(rf"^{command}:", (ROOT / "Makefile").read_text(), re.MULTILINE)


def test_the_readme_names_the_webhook_paths():
    assert all(path.lower().startswith(("/api/callcenter/", "/api/agent/")) for path in WEBHOOKS)
    assert "/api/callcenter/" in README
    assert "/api/Agent/" in README
