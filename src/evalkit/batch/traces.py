"""What a notebook can leave behind in its process: where nothing is left, the next may run there (Linux)."""

import builtins
import decimal
import locale
import logging
import os
import signal
import sys
import warnings

ANEW = {"backend": None, "interactive": None}  # a notebook's shell sets them when it begins


def traces() -> tuple | None:
    """What can be seen of this process's state, None where the system doesn't tell.

    Environment, folder, modules, threads and started programs; settings of Python, pandas and Matplotlib, and its open
    figures. NumPy's settings end with their notebook, and random numbers begin anew in each. A function that was put
    in another's place is not seen, nor what a library keeps for itself.
    """
    try:
        return *_of_process(), *_of_python(), *_of_libraries()
    except OSError:
        return None


def nothing_left(before: tuple | None) -> bool:
    """Whether the state that can be seen is still what ``traces`` gave before."""
    try:
        return before is not None and traces() == before
    except ValueError:  # arrays among the settings have no one answer
        return False


def _of_process():
    own = f"/proc/self/task/{os.getpid()}/children"
    with open(own) as file:
        programs = file.read()
    mask = os.umask(0o077)
    os.umask(mask)
    return dict(os.environ), os.getcwd(), programs, mask, len(os.listdir("/proc/self/task"))


def _of_python():
    handlers = [signal.getsignal(one) for one in (signal.SIGINT, signal.SIGTERM, signal.SIGALRM)]
    log = logging.root
    return (
        (len(sys.modules), len(vars(builtins)), sys.path[:], sys.getrecursionlimit()),
        (sys.stdin, sys.stdout, sys.stderr, sys.displayhook, sys.excepthook, handlers),
        (warnings.filters[:], log.level, log.handlers[:], log.manager.disable),
        (locale.setlocale(locale.LC_ALL), repr(decimal.getcontext())),
    )


def _of_libraries():
    found = []
    if pandas := sys.modules.get("pandas"):
        found.append(repr(pandas.options.d))
    if matplotlib := sys.modules.get("matplotlib"):
        found.append(dict.copy(matplotlib.rcParams) | ANEW)
    if figures := sys.modules.get("matplotlib._pylab_helpers"):
        found.append(len(figures.Gcf.figs))
    return found
