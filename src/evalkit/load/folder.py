"""What belongs to a data set's folder: its own files, not links out of it, pipes or devices."""

import stat
from pathlib import Path

from evalkit.load.said import Said


def strange(path, folder):
    """What ``path`` is, in words, where it is no file of ``folder``; None where it is one."""
    try:
        kind = path.stat().st_mode
    except OSError:
        return Said("a link that leads nowhere")
    if stat.S_ISDIR(kind):
        return Said("a folder")
    if not stat.S_ISREG(kind):
        return Said("a pipe or a device")
    if not path.resolve().is_relative_to(Path(folder).resolve()):
        return Said("a link that leads out of the folder")
    return None
