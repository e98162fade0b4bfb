"""Tables as files: complete, noted, masked like their pages, and never a formula."""

import io
import zipfile
from collections.abc import Iterator
from urllib.parse import urlencode

import pytest

from app.domain.events import AgentNamed, QueueNamed
from app.web.history import sheets
from app.web.history.sheets import Sheet, listed, workbook
from tests.past_site import PastSite, past_site

TABLES = [
    "abandons",
    "calls",
    "call?call=1",
    "day",
    "queues",
    "queue-agents?queue=900",
    "heat",
    "agent?agent=101",
    "agent-calls?agent=101",
]


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[PastSite]:
    with past_site(tmp_path_factory.mktemp("past")) as opened:
        yield opened


def path_of(table: str, form: str) -> str:
    return f"/export/{table}{'&' if '?' in table else '?'}form={form}"


def texts_of(body: bytes) -> str:
    """Everything that is written in a workbook."""
    with zipfile.ZipFile(io.BytesIO(body)) as book:
        return "".join(book.read(name).decode() for name in book.namelist())


@pytest.mark.parametrize("table", TABLES)
def test_every_table_is_a_csv_and_a_workbook_and_each_is_noted(site: PastSite, table: str) -> None:
    name = table.partition("?")[0]
    lines = site.get(path_of(table, "csv"))
    book = site.get(path_of(table, "xlsx"))

    assert len(lines.text.splitlines()) > 1
    assert lines.headers["content-disposition"].endswith('.csv"')
    assert "<sheetData>" in texts_of(book.content)
    assert site.audited()[:2] == [
        ("done", f"export {name} as xlsx"),
        ("done", f"export {name} as csv"),
    ]


def test_the_calls_of_a_file_are_those_of_the_filters(site: PastSite) -> None:
    lines = site.get("/export/calls?form=csv&outcome=abandoned").text.splitlines()

    assert len(lines) == 2
    assert "2026-03-02T10:00:42+00:00,inbound,abandoned,0906345678,900" in lines[1]


@pytest.mark.parametrize("form", ["csv", "xlsx"])
@pytest.mark.parametrize("table", TABLES)
def test_a_file_hides_what_its_page_hides(site: PastSite, table: str, form: str) -> None:
    body = site.get(path_of(table, form), "viewer").content
    text = texts_of(body) if form == "xlsx" and body.startswith(b"PK") else body.decode()

    assert "345678" not in text


def test_a_file_ends_at_the_queues_of_the_account(site: PastSite) -> None:
    lines = site.get("/export/calls?form=csv", "scoped").text.splitlines()

    assert len(lines) == 2
    assert ",901," in lines[1]


@pytest.mark.parametrize("form", ["csv", "xlsx"])
@pytest.mark.parametrize(
    ("agent", "plain", "whole"),
    [
        ("Đ", "_", "%C4%90"),
        ('a"b', "a_b", "a%22b"),
        ("a/[b]:*?'", "a__b_____", "a%2F%5Bb%5D%3A%2A%3F%27"),
        ("a\r\nSet-Cookie: x=1", "a__Set-Cookie__x_1", "a%0D%0ASet-Cookie%3A%20x%3D1"),
    ],
)
def test_a_file_is_named_whatever_the_agent_is_called(
    site: PastSite, agent: str, plain: str, whole: str, form: str
) -> None:
    answer = site.get(f"/export/agent?{urlencode({'agent': agent, 'form': form})}")
    name = answer.headers["content-disposition"].replace("2026-03-02", "DAY")

    assert answer.status_code == 200
    assert name == (
        f'attachment; filename="agent-{plain}-DAY.{form}"; '
        f"filename*=UTF-8''agent-{whole}-DAY.{form}"
    )


@pytest.mark.parametrize("text", ["=1+1|cmd", "+84", "-2", "@SUM(A1)", "\tx", "\rx"])
def test_no_cell_is_taken_for_a_formula(site: PastSite, text: str) -> None:
    site.append([QueueNamed(queue="900", name=text), AgentNamed(extension="101", name=text)])
    marked = f"'{text}"
    lines = site.get("/export/queues?form=csv").text
    book = texts_of(site.get("/export/queues?form=xlsx").content)

    assert marked in lines
    assert marked.replace("\r", "_x000D_") in book or f"'{text.strip()}" in book.replace("\t", "")
    assert "<f>" not in book


def test_a_workbook_holds_numbers_and_times_as_such() -> None:
    sheet = Sheet("x", ("a", "b"), listed([]))
    book = texts_of(workbook(sheet, [(1.5, True), ("=1", None)]))

    assert "<v>1.5</v>" in book
    assert "<f>" not in book
    assert "'=1" in book


def test_too_many_rows_for_a_workbook_are_refused_in_words(
    site: PastSite, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sheets, "MOST_IN_WORKBOOK", 2)
    refused = site.get("/export/calls?form=xlsx")

    assert refused.status_code == 422
    assert "take them as CSV" in refused.text
    assert site.get("/export/calls?form=csv").status_code == 200


@pytest.mark.parametrize(
    "path",
    ["/export/users", "/export/calls?form=exe", "/export/calls?from=x", "/export/heat?metric=x"],
)
def test_what_is_no_table_or_no_form_is_refused(site: PastSite, path: str) -> None:
    assert site.get(path).status_code == 422
