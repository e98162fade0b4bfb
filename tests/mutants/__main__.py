"""`make mutants`: breaks a copy of the code and lists what the tests of that part do not see.

`python -m tests.mutants [--sample N] [--only NAME …] [--seed N] [--minutes N] [--note FILE]`
"""

import argparse
import shutil
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from tests.mutants.breaks import Break, breaks_of, broken, sample
from tests.mutants.note import HEAD, kept_of
from tests.mutants.runner import MISSED, run_tests
from tests.mutants.targets import TARGETS, Target

ROOT = Path(__file__).parent.parent.parent
COPIED = ("app", "tests", "templates", "static", "translations", "pyproject.toml")


@dataclass(frozen=True)
class Outcome:
    """What the tests made of one break. A hang is seen: no test run would end."""

    target: str
    one: Break
    verdict: str


def copied(folder: Path) -> Path:
    """The project in a folder of its own, so that a break never reaches the real one."""
    place = folder / "project"
    place.mkdir()
    for name in COPIED:
        source = ROOT / name
        if source.is_dir():
            shutil.copytree(source, place / name, ignore=shutil.ignore_patterns("__pycache__"))
        elif source.exists():
            shutil.copyfile(source, place / name)
    return place


def tried(place: Path, target: Target, one: Break, patience_s: float) -> Outcome:
    """Break, test, repair."""
    path = place / one.path
    whole = path.read_text(encoding="utf-8")
    path.write_text(broken(whole, one), encoding="utf-8")
    try:
        return Outcome(target.name, one, run_tests(place, target.tests, patience_s))
    finally:
        path.write_text(whole, encoding="utf-8")


def all_breaks(target: Target, place: Path = ROOT) -> list[Break]:
    paths = [path for pattern in target.modules for path in sorted(place.glob(pattern))]
    return [
        one
        for path in paths
        for one in breaks_of(str(path.relative_to(place)), path.read_text(encoding="utf-8"))
    ]


def patience(place: Path, target: Target) -> float:
    """How long the tests may take (s): three times as long as unbroken, when they must pass."""
    began = time.monotonic()
    if run_tests(place, target.tests) != MISSED:
        sys.exit(f"The tests of {target.name} fail without any break; mend that first.")
    return 20 + 3 * (time.monotonic() - began)


def hunt(options: argparse.Namespace, place: Path) -> Iterator[Outcome]:
    """Target by target; each must pass unbroken, or nothing could be said."""
    deadline = time.monotonic() + options.minutes * 60
    for target in (one for one in TARGETS if one.name in options.only):
        patience_s = patience(place, target)
        count = min(options.sample, target.most)
        # Of the copy: the real files may be worked on meanwhile.
        for one in sample(all_breaks(target, place), count, options.seed):
            if time.monotonic() > deadline:
                return
            outcome = tried(place, target, one, patience_s)
            print(f"{outcome.verdict:6} {one.path}:{one.line} {one.what}: {one.code}", flush=True)
            yield outcome


def options_of(words: list[str] | None = None) -> argparse.Namespace:
    names = [target.name for target in TARGETS]
    parser = argparse.ArgumentParser(prog="python -m tests.mutants")
    parser.add_argument("--sample", type=int, default=40, help="breaks of each part")
    parser.add_argument("--only", nargs="+", choices=names, default=names)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--minutes", type=float, default=600)
    parser.add_argument("--note", type=Path, help="write the result into this file, too")
    return parser.parse_args(words)


def written(outcomes: list[Outcome], seed: int) -> str:
    """The page `docs/mutants.md`."""
    rows = []
    for target in TARGETS:
        own = [one for one in outcomes if one.target == target.name]
        if own:
            missed = sum(one.verdict == MISSED for one in own)
            share = 100 * (len(own) - missed) / len(own)
            possible = len(all_breaks(target))
            rows.append(f"| {target.name} | {possible} | {len(own)} | {missed} | {share:.0f} % |")
    listed = [
        f"- `{one.one.path}:{one.one.line}` ({one.one.what}): `{one.one.code}`"
        for one in outcomes
        if one.verdict == MISSED
    ]
    head = ["| part | possible breaks | tried | missed | seen |", "|---|---:|---:|---:|---:|"]
    run = f"{datetime.now(UTC):%Y-%m-%d %H:%M} UTC, seed {seed}."
    return "\n".join([*HEAD, run, "", *head, *rows, "", "Missed:", "", *(listed or ["none"]), ""])


def main() -> int:
    options = options_of()
    with tempfile.TemporaryDirectory(prefix="pitwall-mutants-") as folder:
        outcomes = list(hunt(options, copied(Path(folder))))
    text = written(outcomes, options.seed)
    print(text)
    if options.note is not None:
        options.note.write_text(text + kept_of(options.note), encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
