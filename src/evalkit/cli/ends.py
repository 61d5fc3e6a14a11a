"""How a command speaks and ends where the system sets limits: in one line, with nothing half-written."""

import codecs
import errno
import json
import os
import signal
import sys

from evalkit.cli.speech import N_, t
from evalkit.errors import printable

_SPACE = N_("{file}: No space left on the disk. Free some space and give the same command again.")
_RIGHT = N_(
    "{file}: Permission denied. Choose a folder that you may read and write, or ask for the right to."
)
# What the user can mend; any other error of the system is a fault of evalkit's and keeps its traceback.
_MENDS = {
    errno.ENOSPC: _SPACE,
    errno.EDQUOT: _SPACE,
    errno.EROFS: N_("{file}: Read-only file system. Choose a folder that can be written (--out)."),
    errno.EACCES: _RIGHT,
    errno.EPERM: _RIGHT,
    errno.EMFILE: N_(
        "{file}: Too many open files. Allow more (`ulimit -n 1024`) and give the same command again."
    ),
    errno.ENAMETOOLONG: N_("{file}: File name too long. Choose a shorter path (--out)."),
    errno.EIO: N_("{file}: Input/output error. Look at the disk, then give the same command again."),
}


def speak_to_any_terminal():
    r"""Write what a terminal's encoding lacks as \u escapes, which JSON knows too, instead of ending with an error.

    What is said to a stream that is closed is lost: it would go to standard output, or into the next file opened.
    """
    for number in range(3):
        try:
            os.fstat(number)
        except OSError:
            os.open(os.devnull, os.O_RDWR)  # takes the lowest number that is free
    sys.stdout, sys.stderr = (stream or open(os.devnull, "w") for stream in (sys.stdout, sys.stderr))  # noqa: SIM115
    codecs.register_error(
        "escaped", lambda fault: (json.dumps(fault.object[fault.start : fault.end])[1:-1], fault.end)
    )
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="escaped")


def sentence(error):
    """Return an error of the system as one line with its mend. Raises the error where there is none."""
    if error.errno not in _MENDS:
        raise error
    return printable(t(_MENDS[error.errno], file=error.filename or "").removeprefix(": "))


def end_cleanly_when_told():
    """Let a command that is told to end (Ctrl-C, SIGTERM), or whose terminal closes (SIGHUP), clean up undisturbed.

    Told again while it does so, it goes on cleaning up: what it was writing would stay half-written.
    """
    for number in _told():
        if signal.getsignal(number) in (signal.SIG_DFL, signal.default_int_handler):
            signal.signal(number, _end)


def _told():
    return [getattr(signal, name) for name in ("SIGINT", "SIGTERM", "SIGHUP") if hasattr(signal, name)]


def _end(number, _frame):
    for one in _told():
        signal.signal(one, signal.SIG_IGN)
    raise KeyboardInterrupt if number == signal.SIGINT else SystemExit(128 + number)
