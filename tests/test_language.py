"""Every text that people read is in the catalogue, translated, and shown in their language."""

import ast
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from babel.messages.catalog import Catalog, Message
from babel.messages.pofile import read_po

from app.language import DATES, LANGUAGES, Writing, catalogue, catalogue_path
from app.render import Renderer
from app.sentences import Sentence, joined, wording
from tests.visible_text import hard_coded

ROOT = Path(__file__).parent.parent
TEMPLATES = sorted((ROOT / "templates").iterdir())
SCRIPTS = [path for path in sorted((ROOT / "static").glob("*.js")) if ".min." not in path.name]
FIELD = re.compile(r"%\(\w+\)s|\{\w+\}|%%")
SENTENCE = re.compile(r"[A-Z][^\n]* [^\n]*[a-z][.?]")
VIETNAM = ZoneInfo("Asia/Ho_Chi_Minh")
# 2026-11-24 15:05:09 in Vietnam.
MOMENT = 1_795_507_509_000

# Calls whose sentence is shown to people, and which argument it is.
SAYING = {
    "Sentence": 0, "FormProblem": 0, "AdminProblem": 0, "AccountProblem": 0, "WallProblem": 0,
    "TokenProblem": 0, "OidcProblem": 0, "ChannelProblem": 0, "PasswordsBusy": 0, "Gone": 0,
    "Taken": 0, "NothingRecorded": 0, "NoTarget": 1, "Outcome": 1, "PbxError": 1, "Finding": 2,
}  # fmt: skip
# What speaks English: the command line, the simulator, the API, the log of the program.
ENGLISH = {
    "simulator", "people.py", "__main__.py", "history_api.py", "health.py", "sentences.py",
    "follower.py",
}  # fmt: skip


@pytest.fixture(scope="module")
def used(tmp_path_factory) -> Catalog:
    """What the code and the templates say now."""
    found = tmp_path_factory.mktemp("texts") / "pitwall.pot"
    extract = ["extract", "-F", "pyproject.toml", "--no-location", "-o", str(found), "."]
    command = [sys.executable, "-m", "babel.messages.frontend", "-q", *extract]
    subprocess.run(command, cwd=ROOT, check=True, capture_output=True)
    with found.open("rb") as file:
        return read_po(file)


@pytest.fixture(scope="module", params=[language for language in LANGUAGES if language != "en"])
def translated(request) -> Catalog:
    with catalogue_path(request.param).open("rb") as file:
        return read_po(file, locale=request.param)


def messages(texts: Catalog) -> Iterator[Message]:
    return (message for message in texts if message.id)


def strings(message: Message) -> tuple[str, ...]:
    string = message.string
    return (string,) if isinstance(string, str) else tuple(string or ("",))


def test_the_catalogue_has_every_text_that_is_used(used, translated) -> None:
    missing = [each.id for each in messages(used) if not translated.get(each.id, each.context)]

    assert missing == [], "run `make translations`, and translate what it adds"


def test_the_catalogue_has_no_text_that_is_not_used(used, translated) -> None:
    assert [each.id for each in messages(translated) if not used.get(each.id, each.context)] == []


def test_every_text_of_the_catalogue_is_translated(translated) -> None:
    bare = [message.id for message in messages(translated) if not all(strings(message))]
    fuzzy = [message.id for message in messages(translated) if message.fuzzy]

    assert (bare, fuzzy) == ([], [])


def test_texts_of_the_catalogue_keep_their_fields(translated) -> None:
    different = [
        message.id
        for message in messages(translated)
        for string in strings(message)
        if set(fields(string)) != set(fields(last_of(message)))
    ]

    assert different == []


def fields(text: str) -> list[str]:
    return FIELD.findall(text)


def last_of(message: Message) -> str:
    return message.id if isinstance(message.id, str) else message.id[-1]


def test_the_catalogue_is_written_in_composed_letters() -> None:
    text = catalogue_path("vi").read_text()
    decomposed = re.findall(r"\w*[\u0300-\u036f]\w*", text)

    assert decomposed == []
    assert "Đang chờ" in text


@pytest.mark.parametrize("path", TEMPLATES, ids=lambda path: path.name)
def test_no_template_has_a_text_outside_of_the_catalogue(path) -> None:
    assert hard_coded(path) == []


@pytest.mark.parametrize("path", TEMPLATES, ids=lambda path: path.name)
def test_no_template_writes_dates_in_one_language_only(path) -> None:
    assert re.findall(r"clock\(\s*['\"][^'\"]*%[dmYbB]", path.read_text()) == []


def test_a_text_outside_of_the_catalogue_would_be_found(tmp_path) -> None:
    page = tmp_path / "page.html"
    page.write_text(
        '<p title="Late by far">Hello {{ name }}</p>{{ "Not so" if late else _("So") }}'
        '<b aria-label="{{ _("Fine") }}">Pitwall {{ _("Good day") }}</b>'
    )

    assert hard_coded(page) == ["Late by far", "Hello", "Not so"]


@pytest.mark.parametrize("path", SCRIPTS, ids=lambda path: path.name)
def test_scripts_take_their_words_from_the_page(path) -> None:
    code = re.sub(r"^\s*//.*$|\s//.*$", "", path.read_text(), flags=re.MULTILINE)
    texts = re.findall(r"\"([^\"\n]*)\"|'([^'\n]*)'|`([^`]*)`", code)
    spoken = [
        text for found in texts for text in found if re.search(r"(?:^|\s)[A-Z][a-z]+ [a-z]", text)
    ]

    assert spoken == []


def modules() -> list[Path]:
    return [path for path in sorted((ROOT / "app").rglob("*.py")) if not ENGLISH & set(path.parts)]


def test_what_code_says_to_people_can_be_looked_up(used) -> None:
    wrong = [
        f"{path.relative_to(ROOT)}:{call.lineno}: {ast.unparse(call)[:90]}"
        for path in modules()
        for call in ast.walk(ast.parse(path.read_text()))
        if isinstance(call, ast.Call) and not can_be_said(call, used)
    ]

    assert wrong == []


def can_be_said(call: ast.Call, used: Catalog) -> bool:
    """Not an f-string or another text that the catalogue can't have."""
    name = call.func.id if isinstance(call.func, ast.Name) else ""
    place = SAYING.get(name)
    if place is None or len(call.args) <= place:
        return True
    said = call.args[place]
    if isinstance(said, ast.Constant):
        return not said.value or str(said.value) in used
    made = isinstance(said, ast.JoinedStr | ast.BinOp)
    by_format = isinstance(said, ast.Call) and ast.unparse(said.func).endswith((".format", ".join"))
    return not made and not by_format and name != "Sentence"


def test_no_sentence_of_the_pages_code_is_out_of_the_catalogue(used) -> None:
    wrong = [
        f"{path.relative_to(ROOT)}: {text}"
        for path in modules()
        if path.parent.name in {"actions", "access", "admin", "history", "web"}
        for text in sentences_in(path)
        if text not in used
    ]

    assert wrong == []


def sentences_in(path: Path) -> Iterator[str]:
    """Texts that look like one, but for those of docstrings and of the log of the program."""
    tree = ast.parse(path.read_text())
    apart = [node for node in ast.walk(tree) if is_for_programmers(node)]
    quiet = {id(part) for node in apart for part in ast.walk(node)}
    for node in ast.walk(tree):
        if not isinstance(node, ast.Constant) or id(node) in quiet:
            continue
        if isinstance(node.value, str) and SENTENCE.fullmatch(node.value):
            yield node.value


def is_for_programmers(node: ast.AST) -> bool:
    if isinstance(node, ast.Expr):
        return isinstance(node.value, ast.Constant)
    return isinstance(node, ast.Call) and ast.unparse(node.func).startswith("logger.")


def test_a_sentence_is_english_until_it_is_shown() -> None:
    sentence = Sentence("There is no agent {extension} on the floor.", extension="107")
    there = Writing.of("vi")

    assert sentence == "There is no agent 107 on the floor."
    assert there.say(sentence) == "Không có điện thoại viên 107 trên sàn."
    assert Writing.of("en").say(sentence) == sentence


def test_values_that_are_sentences_are_translated_too() -> None:
    right = Sentence("Your account does not have the right “{right}”.", right=Sentence("listen"))
    both = joined(" ", [right, "A. Nguyễn"])

    assert Writing.of("vi").say(both) == "Tài khoản của bạn không có quyền “nghe”. A. Nguyễn"


def test_an_exception_keeps_its_sentence_and_its_text_is_plain() -> None:
    error = ValueError(Sentence("At most {most} agents at once.", most=3))

    assert type(str(error)) is str
    assert Writing.of("vi").say(wording(error)) == "Tối đa 3 điện thoại viên cùng lúc."


def test_a_value_with_braces_is_not_taken_for_a_field() -> None:
    sentence = Sentence("The field “{field}” is missing.", field="{most}{0}")

    assert Writing.of("vi").say(sentence) == "Thiếu trường “{most}{0}”."


@pytest.mark.parametrize(
    ("kept", "shown"),
    [
        ("The PBX could not be reached.", "Không kết nối được tổng đài."),
        (
            "failed: The PBX did not answer within 4 s; whether the agent is paused is unknown.",
            "thất bại: Tổng đài không trả lời trong 4 giây; "
            "không biết điện thoại viên đã tạm dừng hay chưa.",
        ),
        ("Break", "Nghỉ giải lao"),
        ("a reason {of} one's own", "a reason {of} one's own"),
        ("", ""),
    ],
)
def test_what_the_log_keeps_in_english_is_shown_in_the_language(kept, shown) -> None:
    assert Writing.of("vi").say(kept) == shown


@pytest.mark.parametrize(
    ("language", "percent", "amount", "moment", "day"),
    [
        ("en", "78.9", "79.3", "2026-11-24 15:05", "11-24"),
        ("vi", "78,9", "79,3", "24/11/2026 15:05", "24/11"),
    ],
)
def test_numbers_and_dates_are_written_by_language(language, percent, amount, moment, day) -> None:
    there = Writing.of(language, VIETNAM)

    assert there.percent(0.7891) == percent
    assert there.amount(79.26) == amount
    assert there.amount(5.0) == "5"
    assert there.clock(MOMENT, "{date} %H:%M") == moment
    assert there.clock(MOMENT, "{day}") == day
    assert there.day("2026-11-24") == moment[:10]
    assert there.span(3725) == "1:02:05"
    assert there.percent(None) == there.span(None) == "–"


def test_plurals_follow_the_language() -> None:
    english, vietnamese = (Renderer()._in(language) for language in LANGUAGES)
    source = '{{ ngettext("%(num)s day", "%(num)s days", n) }}'

    assert [english.from_string(source).render(n=n) for n in (1, 2)] == ["1 day", "2 days"]
    assert [vietnamese.from_string(source).render(n=n) for n in (1, 2)] == ["1 ngày", "2 ngày"]


def test_every_language_has_what_a_language_needs() -> None:
    assert set(DATES) == set(LANGUAGES)
    assert all(catalogue_path(language).exists() for language in LANGUAGES if language != "en")
    assert catalogue("xx").gettext("Waiting") == "Waiting"
