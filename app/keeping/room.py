"""How much room a disk has left, and when that is little."""

import shutil
from pathlib import Path

# From here on an operator wants to know: of the disk, or in all.
LITTLE_SHARE, LITTLE_BYTES = 0.10, 500 * 1024**2


def little_room(folder: Path) -> int | None:
    """The free bytes of the disk that holds the folder, where they are few; None: they are not.

    Nor where the disk does not say: then it can't be written to either, and that is told.
    """
    try:
        disk = shutil.disk_usage(folder)
    except OSError:
        return None
    is_little = disk.free < LITTLE_BYTES or disk.free < LITTLE_SHARE * disk.total
    return disk.free if is_little else None
