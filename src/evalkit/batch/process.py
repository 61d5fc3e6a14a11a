"""The supervisor's hold on one worker process: tasks to it, results from it, and its end."""

import contextlib
import json
import os
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterable

from evalkit.batch.trees import MARK, end_tree

# One thread per process: the notebooks already run side by side, and a process that forks may have no others.
# A fixed hash seed makes the order of sets, and so the notebooks' text, the same in every run.
ENVIRONMENT = {
    "OMP_NUM_THREADS": "1",
    "OPENBLAS_NUM_THREADS": "1",
    "MKL_NUM_THREADS": "1",
    "NUMEXPR_NUM_THREADS": "1",
    "JE_ARROW_MALLOC_CONF": "background_thread:false",  # the thread that importing pyarrow would start
    "ARROW_DEFAULT_MEMORY_POOL": "system",  # Arrow's own takes each child several MB of its own
    "GLIBC_TUNABLES": "glibc.malloc.hugetlb=1",  # large pages: a fork has fewer entries to copy
    "PYTHONHASHSEED": "0",
}


class WorkerProcess:
    """One ``evalkit.batch.worker`` process and the tasks it holds.

    ``report(worker, message)`` is called from a thread for every message, and with None once the process has
    ended. ``mark`` is found in the environment of everything the process starts.
    """

    def __init__(self, mode: str, slots: int, mark: str, preload: Iterable[str], report: Callable):
        self.slots = slots
        self.tasks = {}
        self.limits = {}
        self.began = None
        self.process = subprocess.Popen(
            [sys.executable, "-m", "evalkit.batch.worker", mode, *preload],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            env={**os.environ, **ENVIRONMENT, MARK: mark},
            **_own_group(),
        )
        threading.Thread(target=self._listen, args=(report,), daemon=True).start()

    @property
    def free(self) -> int:
        return self.slots - len(self.tasks)

    def submit(self, task: dict, seconds: float) -> None:
        """Hand over a task; after ``seconds`` without a result it counts as overdue."""
        self.hold(task, seconds)
        with contextlib.suppress(OSError):  # a dead process reports itself
            self.process.stdin.write((json.dumps(task) + "\n").encode())
            self.process.stdin.flush()

    def hold(self, task: dict, seconds: float) -> None:
        """The process has the task, handed over now or as one that followed another; its time counts from now."""
        self.tasks[task["id"]] = task
        self.limits[task["id"]] = (time.monotonic(), seconds)

    def finish(self, task_id: int) -> dict:
        """Forget a task whose result has come, or will not; returns it."""
        del self.limits[task_id]
        return self.tasks.pop(task_id)

    def begin(self) -> None:
        """The process has loaded its libraries; the tasks' time counts from now."""
        self.began = time.monotonic()

    def overdue(self) -> list[int]:
        if self.began is None:
            return []
        now = time.monotonic()
        late = (
            task for task, (since, seconds) in self.limits.items() if now - max(since, self.began) > seconds
        )
        return list(late)

    def close(self, patience_seconds: float = 1.0) -> None:
        """Let the process end, with all it started, by closing its input; kill it if it takes too long."""
        with contextlib.suppress(OSError):
            self.process.stdin.close()
        try:
            self.process.wait(patience_seconds)
        except subprocess.TimeoutExpired:
            self.kill()

    def kill(self) -> None:
        end_tree(self.process.pid)
        self.process.wait()

    def _listen(self, report):
        for line in self.process.stdout:
            with contextlib.suppress(ValueError):  # a line cut short by the process's death
                report(self, json.loads(line))
        report(self, None)


def _own_group():
    """Ctrl-C at the terminal is for the supervisor alone."""
    if sys.platform == "win32":
        return {"creationflags": subprocess.CREATE_NEW_PROCESS_GROUP}
    return {"start_new_session": True}
