"""Versions that must not be fallen behind, whoever makes the lists again."""

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
LISTS = sorted(ROOT.glob("requirements*.txt"))
# Starlette's took the path from a bad Host header (CVE-2026-48710); uvicorn's had no write flow
# control, so that one page which reads nothing filled the memory.
LEAST = {"starlette": (1, 3, 1), "uvicorn": (0, 52)}


def pinned(text: str, name: str) -> list[tuple[int, ...]]:
    """The versions that the text pins of that package."""
    found = re.findall(rf"^{name}==([0-9.]+)", text, re.MULTILINE)
    return [tuple(int(part) for part in version.split(".")) for version in found]


@pytest.mark.parametrize("name", LEAST)
def test_no_list_goes_back_to_a_version_with_a_known_hole(name: str) -> None:
    versions = {path.name: pinned(path.read_text(), name) for path in LISTS}

    assert versions["requirements.txt"]
    assert [each for each, found in versions.items() if found and min(found) < LEAST[name]] == []
