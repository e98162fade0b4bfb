"""Files made by others are in static/ exactly as they were published, and none unlisted."""

import hashlib
import json
from pathlib import Path

STATIC = Path(__file__).parent.parent / "static"
VENDORED = json.loads((STATIC / "vendor.json").read_text())["files"]


def test_vendored_files_are_as_published() -> None:
    found = {row["file"]: sha256(STATIC / row["file"]) for row in VENDORED}

    assert found == {row["file"]: row["sha256"] for row in VENDORED}


def test_every_vendored_file_names_version_and_licence() -> None:
    for row in VENDORED:
        assert row["version"] in row["file"]
        assert row["licence"]


def test_every_minified_file_is_listed() -> None:
    minified = {path.relative_to(STATIC).as_posix() for path in STATIC.rglob("*.min.*")}

    assert minified == {row["file"] for row in VENDORED}


def sha256(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()
