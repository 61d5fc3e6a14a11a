"""What a process takes of memory: limited, measured, and gathered before a fork (Linux)."""

import ctypes
import sys
from pathlib import Path

MB = 1 << 20
MADV_COLLAPSE = 25


def limit_memory(more_mb: float) -> None:
    """Let this process, and each that it starts, take no more private memory than ``more_mb`` beyond what it has."""
    if not sys.platform.startswith("linux"):
        return
    import resource

    _, hard = resource.getrlimit(resource.RLIMIT_DATA)
    wanted = _status_kb("VmData") * 1024 + int(more_mb * MB)
    soft = wanted if hard == resource.RLIM_INFINITY else min(wanted, hard)
    resource.setrlimit(resource.RLIMIT_DATA, (soft, hard))


def private_memory_mb(inherited_mb: float) -> float:
    """Memory that a forked process took for itself: pages copied or new, or the growth of its peak if that is more.

    Each page copied or new is a fault; large arrays come in large pages, which the peak tells. ``inherited_mb``: its
    peak when it was forked. To count the pages themselves, as Linux does in ``smaps_rollup``, takes it some 6 ms.
    """
    import resource

    pages = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
    return max(pages * resource.getpagesize() / MB, peak_mb() - inherited_mb)


def peak_mb() -> float:
    """The most memory that this process has had, shared memory included."""
    import resource

    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def gather_memory() -> None:
    """Put what the children will share into pages of 2 MB: a fork then copies one entry in place of 512.

    Kernels before Linux 6.1 refuse, and nothing changes.
    """
    advise = ctypes.CDLL(None).madvise
    for line in Path("/proc/self/maps").read_text().splitlines():
        extent, mode, _, _, file, *_ = line.split()
        if mode == "rw-p" and file == "0":
            start, end = (int(edge, 16) for edge in extent.split("-"))
            advise(ctypes.c_void_p(start), ctypes.c_size_t(end - start), MADV_COLLAPSE)


def _status_kb(name):
    with open("/proc/self/status") as file:
        return next(int(line.split()[1]) for line in file if line.startswith(f"{name}:"))
