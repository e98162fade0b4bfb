"""The pages in Vietnamese, in a real browser: nothing English is left, and long words fit."""

import socket
from collections.abc import Iterable, Iterator

import pytest
from babel.messages.pofile import read_po
from playwright.sync_api import Browser, Page, expect

from app.language import catalogue_path
from tests.forked import ForkedPitwall
from tests.running import PASSWORD, Pitwall

pytestmark = pytest.mark.browser

SIZES = [(1920, 1080), (390, 844)]
PAGES = (
    "/ /wall /wall?layout=agents /day /calls /agents /agents/101 /queues/902 /abandons /alarms "
    "/rewind /account /admin /admin/agents /admin/queues /admin/alarms /admin/channels "
    "/admin/users /admin/walls /admin/webhooks /admin/pbx /admin/drift /admin/availability "
    "/admin/tokens /admin/audit /diagnostics /agents/nobody"
).split()
NAMES = (
    "101;Nguyễn Hoàng Phương Thảo Nguyên Ngọc;Nhóm nghiệp vụ",
    "102;Trương Nghiêng Nghiêng Khuỷu Ngoằn Ngoèo;Nhóm nghiệp vụ",
    "103;Ứng Thị Ẫm Ỡm Ễnh Ướng;",
    "104;Tôn Nữ Thị Ninh;",
)
QUEUE = "Chăm sóc khách hàng doanh nghiệp miền Tây Nam Bộ"
# What is the same word in both languages, and the names that the test gave.
EITHER = {"PBX", "SL", "ASA", "Pitwall", "CSV", "Excel"}

TEXTS = """() => {
  const texts = new Set();
  const add = text => texts.add((text || "").replace(/\\s+/g, " ").trim());
  const walker = document.createTreeWalker(document.documentElement, NodeFilter.SHOW_TEXT);
  for (let node = walker.nextNode(); node; node = walker.nextNode())
    if (!node.parentElement.closest("script, style, code")) add(node.nodeValue);
  for (const element of document.querySelectorAll("*"))
    for (const { name, value } of element.attributes)
      if (["title", "aria-label", "placeholder", "alt", "data-tip"].includes(name)) add(value);
  return [...texts];
}"""
# A name may end in an ellipsis; a figure, a state or a label may not, and nothing leaves its tile.
NAMED = "h2, h3, .queues, .queue, .reason, .name, .what, bdi, select"
TILES = ".card, .tile, .hero, .agent, .line, .alarm, .row, .head"
SPILT = """([tiles, names]) => {
  const seen = element => element.checkVisibility() && element.clientWidth > 1
    && !element.closest(".unseen, [hidden]") && getComputedStyle(element).clipPath === "none";
  const found = [];
  for (const tile of [...document.querySelectorAll(tiles)].filter(seen)) {
    const box = tile.getBoundingClientRect();
    if (tile.scrollWidth > tile.clientWidth + 1) found.push(`tile ${tile.id} ${tile.className}`);
    for (const part of [...tile.querySelectorAll("*")].filter(seen)) {
      const inner = part.getBoundingClientRect();
      const cut = part.scrollWidth > part.clientWidth + 1 && !part.closest(names);
      const out = inner.right > box.right + 1.5 || inner.left < box.left - 1.5;
      const text = part.textContent.trim().slice(0, 60);
      if ((cut || out) && !part.closest(".menu > div")) found.push(`${part.className}: ${text}`);
    }
  }
  return found;
}"""


@pytest.fixture(scope="module")
def pitwall(tmp_path_factory: pytest.TempPathFactory, unused_port: int) -> Iterator[Pitwall]:
    running = ForkedPitwall(unused_port, tmp_path_factory.mktemp("vi"), PITWALL_LANGUAGE="vi")
    running.add_user("boss", "admin", "900")
    running.start()
    for extension, status in (("101", "on"), ("102", "pause"), ("103", "off"), ("104", "on")):
        running.hook("/Agent/ChangeStatus", extension=extension, status=status)
    for number, event in enumerate(("RING", "ANSWER", "RING")):
        extension = ("101", "104", "104")[number]
        called(running, f"c{number}", extension, event)
    yield running
    running.stop()


@pytest.fixture(scope="module")
def unused_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return int(listener.getsockname()[1])


def called(pitwall: Pitwall, callid: str, extension: str, event: str) -> None:
    pitwall.hook(
        "/callcenter/call_in",
        callid=callid,
        phone="0938363739",
        extension=extension,
        queue="902",
        event=event,
    )


@pytest.fixture
def boss(page: Page, pitwall: Pitwall) -> Page:
    """Signed in, on a floor of long names."""
    page.goto(pitwall.url)
    page.get_by_label("Tên đăng nhập").fill("boss")
    page.get_by_label("Mật khẩu").fill(PASSWORD)
    page.get_by_role("button", name="Đăng nhập", exact=True).click()
    page.wait_for_selector("body[data-link=live]")
    ours = {"HX-Request": "true", "Sec-Fetch-Site": "same-origin"}
    forms: list[tuple[str, dict[str, str | float | bool]]] = [
        ("agents", {"do": "import", "lines": "\n".join(NAMES)}),
        ("queues", {"queue": "902", "name": QUEUE}),
    ]
    for path, form in forms:
        answer = page.request.post(f"{pitwall.url}/admin/{path}", form=form, headers=ours)
        assert answer.ok, answer.text()
    return page


@pytest.fixture(scope="module")
def english() -> frozenset[str]:
    """The texts of the catalogue that say something else in Vietnamese."""
    with catalogue_path("vi").open("rb") as file:
        pairs = [(each.id, each.string) for each in read_po(file, locale="vi") if each.id]
    every = {one for said, shown in pairs if said != shown for one in texts_of(said)}
    return frozenset(" ".join(text.split()) for text in every) - EITHER


def texts_of(said: str | Iterable[str]) -> tuple[str, ...]:
    return (said,) if isinstance(said, str) else tuple(said)


def test_no_page_in_vietnamese_has_an_english_text(
    boss: Page, pitwall: Pitwall, english: frozenset[str], complaints: list[str]
) -> None:
    left = {}
    for path in PAGES:
        boss.goto(pitwall.url + path)
        if path == "/":
            boss.wait_for_selector("body[data-link=live]")
        if found := english & set(boss.evaluate(TEXTS)):
            left[path] = found
        assert boss.get_attribute("html", "lang") == "vi"

    complaints[:] = [one for one in complaints if "404" not in one]
    assert left == {}


@pytest.mark.parametrize("size", SIZES, ids=lambda size: f"{size[0]}x{size[1]}")
@pytest.mark.parametrize(
    "path", ["/", "/wall", "/wall?layout=agents", "/wall?layout=queue&queue=902"]
)
def test_long_vietnamese_words_stay_in_their_tiles(
    boss: Page, pitwall: Pitwall, path: str, size: tuple[int, int]
) -> None:
    boss.set_viewport_size({"width": size[0], "height": size[1]})
    boss.goto(pitwall.url + path)
    boss.wait_for_selector("body[data-link=live]")
    expect(boss.locator("#agents > *").first).to_be_visible()

    assert boss.evaluate(SPILT, [TILES, NAMED]) == []
    assert boss.evaluate("document.documentElement.scrollWidth <= innerWidth")


def test_each_person_and_each_wall_has_a_language_of_its_own(
    boss: Page, pitwall: Pitwall, browser: Browser
) -> None:
    boss.goto(f"{pitwall.url}/account")
    boss.get_by_label("Ngôn ngữ").select_option("en")
    boss.get_by_role("button", name="Lưu").click()
    expect(boss.locator(".done")).to_have_text("Saved.")
    boss.goto(pitwall.url)
    expect(boss.locator("#a-102")).to_contain_text("Paused")

    stranger = browser.new_page()
    stranger.goto(f"{pitwall.url}/pair")
    expect(stranger.locator("h1")).to_have_text("Ghép nối màn hình này")
    stranger.close()
    boss.goto(f"{pitwall.url}/account")
    boss.get_by_label("Language").select_option("")
    boss.get_by_role("button", name="Save").click()
    expect(boss.locator(".done")).to_have_text("Đã lưu.")


def test_letters_with_two_marks_are_drawn_from_the_stack_of_fonts(boss: Page) -> None:
    # A letter that no font of the stack has is drawn as wide as the sign for a missing one.
    widths = boss.evaluate(
        """() => {
          const pen = document.createElement("canvas").getContext("2d");
          pen.font = `32px ${getComputedStyle(document.body).fontFamily}`;
          const wide = text => pen.measureText(text).width;
          const bare = letter => letter.normalize("NFD").replace(/[\\u0300-\\u036f]/g, "");
          return [..."ẪộỮằĐỹ"].map(letter => Math.abs(wide(letter) - wide(bare(letter))));
        }"""
    )

    assert all(width < 8 for width in widths), widths
