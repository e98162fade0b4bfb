"""Where a test makes the process die: PITWALL_TEST_FAULT=NAME:N, at the N-th time NAME is reached.

Without that variable nothing here does anything.
"""

import os
import signal

_name, _, _times = os.environ.get("PITWALL_TEST_FAULT", "").partition(":")
_left = int(_times or "1")


def reach(name: str) -> None:
    """The process came to this point; here a power cut may be tried."""
    if name == _name:
        _die_when_due()


def _die_when_due() -> None:
    global _left
    _left -= 1
    if _left == 0:
        # Not sys.exit and not an exception: nobody may tidy up.
        os.kill(os.getpid(), signal.SIGKILL)
