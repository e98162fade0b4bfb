"""A call back from the worklist's page, through a PBX that does it."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from anyio.from_thread import start_blocking_portal

from app.rights import Role
from tests.fake_pbx import FakePbx, running_pbx
from tests.past_site import past_site
from tests.site import found


@pytest.fixture
def pbx() -> Iterator[FakePbx]:
    """A PBX in a thread of its own."""
    with start_blocking_portal() as portal, portal.wrap_async_context_manager(running_pbx()) as one:
        yield one


@pytest.mark.parametrize(
    ("language", "words"),
    [
        ("en", "Your phone 203 rings; then the caller is called back."),
        ("vi", "Máy 203 của bạn đổ chuông; sau đó gọi lại cho khách."),
    ],
)
def test_what_was_done_is_told_in_their_language(
    tmp_path: Path, pbx: FakePbx, language: str, words: str
) -> None:
    known = {"PITWALL_PBX_URL": pbx.url, "PITWALL_PBX_DOMAIN": "x.example"}
    with past_site(tmp_path, PITWALL_PBX_KEY="a-key-of-tests", **known) as site:
        site.add("lan", Role.SUPERVISOR, extension="203", language=language)
        line = found(r'name="line" value="([^"]+)"', site.get("/abandons", "lan").text)
        answer = site.post("/abandons", "lan", line=line, do="call")

    assert words in answer.text
