"""Who may import whom, how long a file may be, and what no file may say."""

import ast
import re
import subprocess
import sys
from collections.abc import Iterator
from graphlib import CycleError, TopologicalSorter
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
MODULES = {
    ".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__"): path
    for path in sorted((ROOT / "app").rglob("*.py"))
}
EVERYTHING = frozenset(name.split(".")[1] for name in MODULES if "." in name)
STARTS = {
    *("ground", "hands", "assembly", "site", "sites", "log_format"),
    *("main", "server", "demo", "people", "__main__"),
}

# A part is a folder or a module of app/. What a part may import, besides itself, is its row; a
# part without a row is a decision nobody has made yet. A row may only shrink without a reason.
MAY_IMPORT: dict[str, frozenset[str]] = {
    # the floor and what carries it
    "domain": frozenset(),
    "log": frozenset({"domain", "database", "ending", "faults", "inserting", "sentences"}),
    "pbx": frozenset({"domain", "sentences"}),
    "screen": frozenset(),
    "screens": frozenset({"screen"}),
    "audience": frozenset({"domain"}),
    "escaping": frozenset(),
    "filters": frozenset({"escaping"}),
    "memo": frozenset(),
    "drawing": frozenset({"domain", "audience", "filters", "memo"}),
    "render": frozenset(
        {
            "domain",
            "audience",
            "compiled",
            "drawing",
            "escaping",
            "filters",
            "language",
            "memo",
        }
    ),
    "compiled": frozenset(),
    "pace": frozenset(),
    "packing": frozenset(),
    "projector": frozenset(
        {"audience", "domain", "log", "ownership", "pace", "packing", "render", "screen", "screens"}
    ),
    "reconciler": frozenset({"domain", "log", "missing_records", "pbx"}),
    "missing_records": frozenset({"domain", "log", "pbx"}),
    "ownership": frozenset({"domain", "ending", "log", "sentences"}),
    "commanding": frozenset({"domain", "log", "ownership", "pbx", "sentences"}),
    "replay": frozenset({"domain", "pbx"}),
    "alerting": frozenset(
        {"database", "domain", "log", "projector", "render", "sentences", "tables"}
    ),
    "history": frozenset({"database", "domain", "log", "packing", "sentences"}),
    "rewind": frozenset({"database", "domain", "history", "log"}),
    # what is said to people
    "sentences": frozenset(),
    "language": frozenset({"sentences"}),
    # stores and the ground they stand on
    "database": frozenset(
        {
            *("database_connections", "database_faults", "database_files", "database_turn"),
            *("faults", "sentences"),
        }
    ),
    "database_connections": frozenset({"database_faults"}),
    "database_faults": frozenset({"sentences"}),
    "database_turn": frozenset({"database_faults"}),
    "database_files": frozenset({"database_faults", "sentences"}),
    "tables": frozenset(),
    "sharing": frozenset(
        {
            "access",
            "alerting",
            "audit",
            "database",
            "domain",
            "faults",
            "log",
            "sentences",
            "webhook_tokens",
        }
    ),
    "faults": frozenset(),
    "ending": frozenset(),
    "clock": frozenset(),
    "setting_values": frozenset({"log"}),
    "settings": frozenset({"setting_values"}),
    "service_manager": frozenset(),
    "tuning": frozenset(),
    "protocol": frozenset({"admission", "draining"}),
    "leaving": frozenset({"protocol"}),
    "admission": frozenset(),
    "draining": frozenset(),
    "keeping": frozenset(
        {"audit", "database", "domain", "history", "log", "masking", "packing", "settings"}
        | {"webhook_journal"}
    ),
    "masking": frozenset(),
    "log_format": frozenset({"masking", "setting_values", "sites"}),
    "peers": frozenset(),
    "webhook_tokens": frozenset({"database", "sentences", "tables"}),
    "received": frozenset({"masking", "pbx"}),
    "unparsable": frozenset({"masking", "pbx", "peers", "received"}),
    "inserting": frozenset(),
    "webhook_journal": frozenset({"database", "inserting", "masking", "pbx", "peers", "received"}),
    # who somebody is and what they may do
    "rights": frozenset({"sentences"}),
    "access": frozenset({"audit", "database", "rights", "sentences", "tables"}),
    "audit": frozenset({"masking", "tables"}),
    # what supervisors do
    "actions": frozenset({"audit", "database", "domain", "log", "pbx", "rights", "sentences"}),
    # the edges
    "simulator": frozenset(),
    "web": EVERYTHING - STARTS - {"web", "simulator"},
    "ground": frozenset(
        {"database", "ending", "log", "ownership", "settings", "sharing", "tables"}
    ),
    "hands": frozenset(
        {
            "actions",
            "alerting",
            "commanding",
            "ground",
            "log",
            "ownership",
            "pbx",
            "projector",
            "reconciler",
        }
    ),
    "assembly": EVERYTHING - STARTS - {"simulator"} | {"ground", "hands"},
    "site": EVERYTHING - STARTS - {"simulator"} | {"assembly", "ground"},
    "sites": frozenset({"ownership", "settings", "web"}),
    "main": frozenset(
        {
            "clock",
            "ground",
            "peers",
            "render",
            "service_manager",
            "settings",
            "site",
            "sites",
            "web",
        }
    ),
    "server": frozenset(
        {
            "clock",
            "leaving",
            "log",
            "log_format",
            "main",
            "pbx",
            "protocol",
            "service_manager",
            "settings",
            "sites",
            "tuning",
            "unparsable",
            "web",
        }
    ),
    "people": EVERYTHING - STARTS - {"simulator", "web"} | {"ground", "main"},
    "demo": frozenset({"rights", "server", "settings", "simulator", "web"}),
    "__main__": EVERYTHING,
}

LONGEST_FILE = 300
MACHINE_PATH = re.compile(r"(?<![\w./~*-])/(?:work|root|home|Users)/\w")
INDEX_HOST = re.compile(r"pypi\.org|pythonhosted\.org|npmjs\.(?:org|com)|index-url[ =]*http")


def test_every_part_has_a_row() -> None:
    assert EVERYTHING - set(MAY_IMPORT) == set()


def test_parts_import_only_what_their_row_allows() -> None:
    forbidden = [
        f"{module} imports {target}"
        for module in MODULES
        for target in imports_of(module)
        if target in MODULES and not allowed(part_of(module), part_of(target))
    ]

    assert forbidden == []


def test_the_rows_themselves_make_no_circle() -> None:
    assert circle_in({part: set(row) - {part} for part, row in MAY_IMPORT.items()}) == []


def test_no_modules_import_each_other_in_a_circle() -> None:
    graph = {module: imports_of(module) & set(MODULES) - {module} for module in MODULES}

    assert circle_in(graph) == []


def test_the_domain_knows_the_standard_library_only() -> None:
    foreign = {
        f"{module} imports {target}"
        for module in MODULES
        if part_of(module) == "domain"
        for target in imports_of(module)
        if target.split(".")[0] not in sys.stdlib_module_names | {"app"}
    }

    assert foreign == set()


def test_nothing_waits_by_what_may_lose_a_cancellation() -> None:
    """Before Python 3.12 `wait_for` does; `asyncio.timeout` does not."""
    assert [name for name, path in MODULES.items() if "asyncio.wait_for" in path.read_text()] == []


def test_every_module_says_what_it_is_for() -> None:
    silent = [module for module in MODULES if not ast.get_docstring(tree_of(MODULES[module]))]
    silent += [
        path.name for path in (ROOT / "tests").rglob("*.py") if not ast.get_docstring(tree_of(path))
    ]

    assert silent == []


def test_no_file_has_grown_too_long() -> None:
    lengths = {module: len(path.read_text().splitlines()) for module, path in MODULES.items()}

    assert {module: n for module, n in lengths.items() if n > LONGEST_FILE} == {}


# A block of data is no code. What is written to people elsewhere is plain text (.txt).
NOT_IN_A_TEMPLATE = {
    "what is not escaped": r"\|\s*safe\b|autoescape\s+false|Markup",
    "a script in the page": r"<script(?![^>]*\s(?:src=|type=\"application/json\"))",
    "code in an attribute": r"\shx-on|\son[a-z]+=[\"'{]",
    "style in the page": r"<style|\sstyle=",
    "an attribute without quotes": r"\s[a-z-]+=\{\{",
}


@pytest.mark.parametrize(
    "template", sorted((ROOT / "templates").glob("*.html")), ids=lambda p: p.name
)
def test_a_template_escapes_everything_and_carries_no_code(template):
    text = template.read_text()

    assert [what for what, written in NOT_IN_A_TEMPLATE.items() if re.search(written, text)] == []


@pytest.mark.parametrize("unwanted", [MACHINE_PATH, INDEX_HOST], ids=["machine path", "index host"])
def test_no_file_names_the_machine_it_was_written_on(unwanted: re.Pattern[str]) -> None:
    found = [
        f"{path.relative_to(ROOT)}: {match.group()}"
        for path in tracked_files()
        if path != Path(__file__)
        for match in unwanted.finditer(path.read_text(errors="replace"))
    ]

    assert found == []


def test_requirements_name_no_address() -> None:
    assert not [path for path in ROOT.glob("requirements*.txt") if "://" in path.read_text()]


def allowed(part: str, target: str) -> bool:
    return target in {part, ""} or target in MAY_IMPORT.get(part, EVERYTHING)


def part_of(module: str) -> str:
    """`log` for `app.log.sqlite`; the package `app` itself is no part, it holds the version."""
    return module.split(".")[1] if "." in module else ""


def imports_of(module: str) -> set[str]:
    """Every module named in an import, wherever in the file it stands."""
    return {name for node in ast.walk(tree_of(MODULES[module])) for name in names_in(node)}


def names_in(node: ast.AST) -> Iterator[str]:
    if isinstance(node, ast.Import):
        yield from (alias.name for alias in node.names)
    elif isinstance(node, ast.ImportFrom):
        # `from app.log import sqlite` means the module, `from app.log import Record` the package
        full = {f"{node.module}.{alias.name}" for alias in node.names}
        yield from (full & set(MODULES)) or {str(node.module)}


def circle_in(graph: dict[str, set[str]]) -> list[str]:
    try:
        TopologicalSorter(graph).prepare()
    except CycleError as error:
        return list(error.args[1])
    return []


def tree_of(path: Path) -> ast.Module:
    return ast.parse(path.read_text())


def tracked_files() -> list[Path]:
    if not (ROOT / ".git").exists():
        pytest.skip("not a checkout")
    listed = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, check=True)
    paths = [ROOT / name for name in listed.stdout.decode().split("\0") if name]
    return [path for path in paths if path.is_file()]
