"""What a page says, read the short way: only whole small texts, and nothing that hides in them."""

import random
import zlib

import pytest
from websockets.frames import Frame, Opcode

from app.web.words import ends_whole, small_text


def sent(opcode: Opcode, data: bytes, *, fin: bool = True, rsv1: bool = False) -> bytes:
    """The bytes in which a client sends this."""
    plain = Frame(opcode, data, fin=fin).serialize(mask=True)
    return bytes([plain[0] | 0x40]) + plain[1:] if rsv1 else plain


def deflated(data: bytes) -> bytes:
    deflate = zlib.compressobj(wbits=-15)
    return (deflate.compress(data) + deflate.flush(zlib.Z_SYNC_FLUSH))[:-4]


@pytest.mark.parametrize("text", ["7", "123456789", "", "x" * 125])
def test_a_small_text_is_read(text: str) -> None:
    assert small_text(sent(Opcode.TEXT, text.encode()), inflates=False) == text


def test_a_compressed_one_is_read_where_that_was_agreed() -> None:
    data = sent(Opcode.TEXT, deflated(b"4711"), rsv1=True)

    assert small_text(data, inflates=True) == "4711"
    assert small_text(data, inflates=False) is None


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"\x81",
        b"\x81\x80",
        sent(Opcode.TEXT, b"7")[:-1],
        sent(Opcode.TEXT, b"7") + sent(Opcode.TEXT, b"8"),
        sent(Opcode.TEXT, b"7", fin=False),
        sent(Opcode.BINARY, b"7"),
        sent(Opcode.CLOSE, b"\x03\xe8"),
        sent(Opcode.PING, b"7"),
        sent(Opcode.TEXT, b"x" * 126),
        sent(Opcode.TEXT, "\u0667".encode()),
        b"\x81\x017",  # not masked, which a client may not do
        b"\xf1" + sent(Opcode.TEXT, b"7")[1:],
    ],
    # Masks are made by chance, and names of tests must not be.
    ids=len,
)
def test_everything_else_is_left_to_the_parser(data: bytes) -> None:
    assert small_text(data, inflates=True) is None


@pytest.mark.parametrize("body", [b"\xff\xff\xff", deflated(b"9" * 5000), deflated(b"\xff7")])
def test_what_is_broken_or_a_bomb_is_left_to_the_parser(body: bytes) -> None:
    assert small_text(sent(Opcode.TEXT, body, rsv1=True), inflates=True) is None


def test_where_frames_end_is_known_for_any_of_their_sizes() -> None:
    chance = random.Random(7)
    for size in (0, 1, 125, 126, 65_535, 65_536):
        data = sent(Opcode.TEXT, b"7") + sent(Opcode.BINARY, b"x" * size)
        assert ends_whole(data)
        # What is not masked is refused by the parser, which must be given all of it.
        assert ends_whole(data + Frame(Opcode.TEXT, b"x" * size).serialize(mask=False))
        for cut in {1, 3, len(data) - 1, chance.randrange(8, len(data))}:
            assert ends_whole(data[:cut]) == (data[:cut] == sent(Opcode.TEXT, b"7"))
