"""Files made by others are kept exactly as they were published, and none is unlisted."""

import hashlib
import json
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
FOLDERS = [ROOT / "static", ROOT / "tests" / "vendor"]


@pytest.fixture(params=FOLDERS, ids=lambda folder: str(folder.relative_to(ROOT)))
def folder(request: pytest.FixtureRequest) -> Path:
    chosen: Path = request.param
    return chosen


def listed_in(folder: Path) -> list[dict[str, str]]:
    rows: list[dict[str, str]] = json.loads((folder / "vendor.json").read_text())["files"]
    return rows


def test_vendored_files_are_as_published(folder: Path) -> None:
    listed = listed_in(folder)
    found = {row["file"]: sha256(folder / row["file"]) for row in listed}

    assert found == {row["file"]: row["sha256"] for row in listed}


def test_every_vendored_file_names_version_and_licence(folder: Path) -> None:
    for row in listed_in(folder):
        assert row["version"] in row["file"]
        assert row["licence"]


def test_every_minified_file_is_listed(folder: Path) -> None:
    minified = {path.relative_to(folder).as_posix() for path in folder.rglob("*.min.*")}

    assert minified == {row["file"] for row in listed_in(folder) if ".min." in row["file"]}


def sha256(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()
