"""Room that is set aside on the disk, to be given up when it is full: then saving goes on at once.

Without it a full disk can't even be purged, because deleting rows needs room as well.
"""

import logging
import os
import shutil
from pathlib import Path

BYTES = 32 * 1024**2
# It is made only where it takes a small part of what is free.
ROOM = 4 * BYTES

logger = logging.getLogger(__name__)


class Ballast:
    """The file beside the database at `path`."""

    def __init__(self, path: Path) -> None:
        self._file = path.with_name(f"{path.name}.ballast")

    def make(self) -> bool:
        """Make the file where there is room for it; whether it is there now."""
        try:
            if self._is_whole():
                return True
            # Half of it, where the program was killed meanwhile.
            self._file.unlink(missing_ok=True)
            return self._has_room() and self._fill()
        except OSError:
            # A disk that fails altogether; others say so, and each minute this is tried again.
            return False

    def give_up(self) -> None:
        """The disk is full: let the room go. It is a matter of a moment, so it is done in place.

        On a disk that refuses everything there is nothing to give up.
        """
        try:
            self._file.unlink()
        except OSError:
            return
        logger.critical(
            "The disk is full. Pitwall gave up the %d MiB it had set aside, so that saving "
            "goes on for a while. Free some space now.",
            BYTES // 1024**2,
        )

    def _is_whole(self) -> bool:
        return self._file.exists() and self._file.stat().st_size == BYTES

    def _has_room(self) -> bool:
        return shutil.disk_usage(self._file.parent).free >= ROOM

    def _fill(self) -> bool:
        try:
            handle = os.open(self._file, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600)
            try:
                os.posix_fallocate(handle, 0, BYTES)
            finally:
                os.close(handle)
        except OSError:
            self._file.unlink(missing_ok=True)
            return False
        return True
