"""One frame for everybody: the websockets library, which is the browser here, must read it."""

import pytest
from websockets.extensions import Extension
from websockets.extensions.permessage_deflate import ClientPerMessageDeflateFactory
from websockets.frames import Frame, Opcode
from websockets.streams import StreamReader

from app.web.frames import DEFLATE, TextFrame, deflating, frame_of

LENGTHS = (125, 126, 65_535, 65_536)
TEXTS = ["", "7", *("x" * length for length in LENGTHS), "ü" * 400, "<p>card</p>" * 9000]


def read(data: bytes, extensions: list[Extension]) -> Frame:
    reader = StreamReader()
    reader.feed_data(data)
    parsing = Frame.parse(reader.read_exact, mask=False, extensions=extensions)
    with pytest.raises(StopIteration) as done:
        next(parsing)
    assert isinstance(done.value.value, Frame)
    return done.value.value


def agreed(server_max_window_bits: int | None = None) -> tuple[Extension, Extension]:
    """What server and client hold after a client offered compression."""
    factory = ClientPerMessageDeflateFactory(
        server_max_window_bits=server_max_window_bits, client_max_window_bits=True
    )
    answer, ours = DEFLATE.process_request_params(list(factory.get_request_params()), [])
    return ours, factory.process_response_params(answer, [])


@pytest.mark.parametrize("text", TEXTS)
def test_a_plain_frame_is_read(text: str) -> None:
    frame = read(frame_of(text).plain, [])

    assert frame.opcode is Opcode.TEXT
    assert bytes(frame.data).decode() == text


@pytest.mark.parametrize("text", TEXTS)
def test_the_same_compressed_frame_is_read_by_each_client_and_again(text: str) -> None:
    frame = TextFrame(text.encode())
    for _ in range(2):
        _, theirs = agreed()
        for _ in range(3):
            assert bytes(read(frame.deflated, [theirs]).data).decode() == text


def test_cards_become_much_smaller() -> None:
    frame = frame_of(TEXTS[-1])

    assert len(frame.deflated) < len(frame.plain) / 20


def test_only_a_connection_that_agreed_gets_compressed_frames() -> None:
    ours, _ = agreed()
    small_window, _ = agreed(server_max_window_bits=9)

    assert deflating([ours]) is ours
    assert deflating([small_window]) is None
    assert deflating([]) is None


def test_text_that_is_not_unicode_is_shown_with_a_question_mark() -> None:
    assert frame_of("a\ud800b").payload == b"a?b"
