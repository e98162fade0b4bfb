"""A run of compressed frames for all who keep up: each may repeat what the ones before it said.

RFC 7692 lets a message refer to what was sent before it on its connection, and a board says much
the same ten times a second. Whoever was sent the same bytes lately can read the same compressed
frame; and whoever is sent the end of the run once, behind a frame of its own, is one of those.
"""

from weakref import WeakKeyDictionary

from app.screen import Screen
from app.web.frames import WINDOW_BITS, deflated_frame, deflater, frame_of

WINDOW_BYTES = 1 << WINDOW_BITS
# The page takes a frame as far as this. No template writes it, and in what people write `<` is
# escaped.
CUT = "<\x1e"
# A run that nobody reads is not gone on with: whoever comes next begins another.
MOST_BEHIND = 16


class Stream:
    """The run of one screen, which is given each time, so that neither keeps the other alive."""

    _joined: tuple[str, bytes]

    def __init__(self, screen: Screen) -> None:
        self._begin(screen)

    def frame(self, screen: Screen, text: str) -> bytes | None:
        """The frame of this text, for who has read the run so far; None where it is another's.

        The screen gives the same text to all who lack the same, as long as it is fresh.
        """
        self._go_on(screen)
        return self._newest if text is self._text else None

    def joining(self, screen: Screen, text: str) -> bytes:
        """The frame of this text, which leads to the screen's version, and the run's end."""
        self._go_on(screen)
        if self._joined[0] is not text:
            whole = text.encode(errors="replace") + CUT.encode() + self._tail
            self._joined = (text, deflated_frame(deflater(), whole))
        return self._joined[1]

    def _begin(self, screen: Screen) -> None:
        self._deflate = deflater()
        self._tail = b""
        self._version = screen.version
        self._text, self._newest = "", b""
        self._joined = ("", b"")

    def _go_on(self, screen: Screen) -> None:
        if screen.version - self._version > MOST_BEHIND:
            self._begin(screen)
        elif screen.version > self._version:
            self._text = screen.since(self._version)
            payload = self._text.encode(errors="replace")
            self._newest = deflated_frame(self._deflate, payload)
            self._version = screen.version
            self._tail = _end_of(self._tail + payload)
            self._joined = ("", b"")


class Place:
    """Where one connection is in a screen's run, if it is in it at all."""

    __slots__ = ("_in_step", "_screen", "_stream")

    def __init__(self, screen: Screen) -> None:
        self._screen = screen
        self._stream = stream_of(screen)
        self._in_step = False

    def frame(self, text: str, *, keeps_up: bool) -> bytes:
        """The bytes of `text`, which is what the screen has that is new. Who keeps up may join."""
        if self._in_step and (frame := self._stream.frame(self._screen, text)) is not None:
            return frame
        self._in_step = keeps_up
        return self._stream.joining(self._screen, text) if keeps_up else frame_of(text).deflated


_streams: WeakKeyDictionary[Screen, Stream] = WeakKeyDictionary()


def stream_of(screen: Screen) -> Stream:
    """The one run of this screen."""
    stream = _streams.get(screen)
    if stream is None:
        stream = _streams[screen] = Stream(screen)
    return stream


def _end_of(payload: bytes) -> bytes:
    """As much as can be referred to, from the beginning of a character on."""
    end = payload[-WINDOW_BYTES:]
    at = next((at for at, byte in enumerate(end[:4]) if byte & 0xC0 != 0x80), 0)
    return end[at:]
