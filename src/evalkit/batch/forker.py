"""The process that loads the libraries once and forks a child per notebook (Linux)."""

import contextlib
import ctypes
import gc
import importlib
import json
import os
import selectors
import signal
import threading
import time
import warnings
from dataclasses import dataclass, field
from pathlib import Path

from evalkit.batch import child
from evalkit.batch.memory import gather_memory
from evalkit.batch.trees import end_tree

PR_SET_PDEATHSIG, PR_SET_CHILD_SUBREAPER = 1, 36
GRACE_SECONDS = 2.0
GARBAGE = 20_000  # objects made before a child looks for cycles: it lives seconds
FROM_OUTSIDE = {signal.SIGKILL, signal.SIGTERM, signal.SIGHUP, signal.SIGINT}


@dataclass
class Running:
    """A child at work: its task, the pipe its report comes through, where it notes the cell it is at.

    result: its report on the last task it will do. cpu_seconds: what its earlier tasks took.
    """

    task: dict
    pipe: int
    notes: child.Notes
    started: float = field(default_factory=time.monotonic)
    said: bytes = b""
    result: dict | None = None
    cpu_seconds: float = 0.0
    ended_for: str = ""

    def overdue(self, now: float) -> str:
        """Why the child has to be ended, or nothing."""
        if now - self.started > self.task["timeout"] + GRACE_SECONDS:
            return f"the notebook ran over {self.task['timeout']:g} s"
        limit = self.task["cell_timeout"]
        if limit and now - max(self.started, self.notes.read()[1]) > limit + GRACE_SECONDS:
            return f"a cell ran over {limit:g} s and could not be interrupted"
        return ""


class Forker:
    """Reads tasks, forks a child for each, ends those that run too long, and reports how every one ended."""

    def __init__(self, channel):
        self.channel = channel
        self.running: dict[int, Running] = {}
        self.selector = selectors.DefaultSelector()
        self.commands = b""
        self.known_notebooks: set[str] = set()

    def serve(self) -> None:
        """Work until the supervisor closes its end, then end every child."""
        _prctl(PR_SET_CHILD_SUBREAPER, 1)
        wake_read, wake_write = os.pipe2(os.O_NONBLOCK | os.O_CLOEXEC)
        signal.signal(signal.SIGCHLD, lambda *_: None)
        signal.set_wakeup_fd(wake_write, warn_on_full_buffer=False)
        self.selector.register(self.channel.incoming, selectors.EVENT_READ, self._read_commands)
        self.selector.register(wake_read, selectors.EVENT_READ, lambda: os.read(wake_read, 4096))
        self.channel.send({"ready": os.getpid()})
        try:
            while not self.channel.closed:
                for key, _ in self.selector.select(timeout=0.5):
                    key.data()
                self._reap()
                self._end_overdue()
        finally:
            end_tree(os.getpid(), itself=False)

    def _read_commands(self):
        received = os.read(self.channel.incoming, 1 << 16)
        self.channel.closed = not received
        *lines, self.commands = (self.commands + received).split(b"\n")
        for line in lines:
            self._fork(json.loads(line))

    def _fork(self, task):
        for one in (task, *task.setdefault("then", [])):
            one["learn"] = one["notebook"] not in self.known_notebooks
            self.known_notebooks.add(one["notebook"])
        read, write = os.pipe()
        notes = child.Notes()
        pid = os.fork()
        if pid == 0:
            self._become_child(task, read, write, notes)
        os.close(write)
        os.set_blocking(read, False)
        self.running[pid] = Running(task, read, notes)
        self.selector.register(read, selectors.EVENT_READ, lambda: self._hear(pid))

    def _become_child(self, task, read, write, notes):
        forker = os.getppid()
        _prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
        if os.getppid() != forker:
            os._exit(1)
        signal.set_wakeup_fd(-1)
        signal.signal(signal.SIGCHLD, signal.SIG_DFL)
        self.selector.close()
        for descriptor in (read, self.channel.incoming, self.channel.outgoing, *self._pipes()):
            os.close(descriptor)
        child.run_forked(task, write, notes)

    def _pipes(self):
        return [one.pipe for one in self.running.values()]

    def _hear(self, pid):
        one = self.running[pid]
        with contextlib.suppress(BlockingIOError):
            while received := os.read(one.pipe, 1 << 16):
                one.said += received
        *lines, one.said = one.said.split(b"\n")
        for line in lines:
            result = json.loads(line)
            if result["goes_on"]:
                self._go_on(one, result)
            else:
                one.result = result
        return one

    def _go_on(self, one, result):
        """The child has done its task and is at the next of those that follow."""
        self._end_orphans()
        one.cpu_seconds += result["cpu_seconds"]
        self._tell(one, result)
        following, *rest = one.task["then"]
        one.task, one.started = following | {"then": rest}, time.monotonic()

    def _tell(self, one, result):
        import_harmless(result.pop("imported", []))
        self.channel.send({"id": one.task["id"], "seconds": time.monotonic() - one.started, **result})

    def _reap(self):
        while True:
            try:
                pid, status, usage = os.wait4(-1, os.WNOHANG)
            except ChildProcessError:
                return
            if pid == 0:
                return
            if pid in self.running:
                self._finish(pid, status, usage)

    def _finish(self, pid, status, usage):
        one = self._hear(pid)
        del self.running[pid]
        self.selector.unregister(one.pipe)
        os.close(one.pipe)
        self._end_orphans()
        result = one.result or _death(one, os.waitstatus_to_exitcode(status))
        self._tell(one, result | {"cpu_seconds": usage.ru_utime + usage.ru_stime - one.cpu_seconds})

    def _end_orphans(self):
        """What a child left behind has become ours: while it lives, each child adopts its own orphans."""
        for pid in _children():
            if pid not in self.running:
                end_tree(pid)

    def _end_overdue(self):
        now = time.monotonic()
        for pid, one in self.running.items():
            if reason := one.overdue(now):
                one.ended_for = reason
                end_tree(pid)


def import_harmless(modules: list[str]) -> None:
    """Import what a notebook imported, so that the next child finds it loaded.

    A child tries it first: modules that start a thread, or fail, are left to the notebooks.
    """
    if not modules:
        return
    pid = os.fork()
    if pid == 0:
        _import_all(modules)
        os._exit(0 if _single_threaded() else 1)
    if os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) == 0:
        _import_all(modules)
        gc.collect()
        gc.freeze()


def load(preload: list[str]) -> None:
    """Import modules, call ``module:function`` or ``module:function:argument``; no thread may result."""
    for entry in preload:
        module, _, call = entry.partition(":")
        function, _, argument = call.partition(":")
        loaded = importlib.import_module(module)
        if function:
            with _figures_settings():
                getattr(loaded, function)(*filter(None, [argument]))
    if not _single_threaded():
        names = ", ".join(thread.name for thread in threading.enumerate()[1:]) or "made by a library"
        raise RuntimeError(
            f"a thread is running ({names}), and a process that forks may have none: {preload}"
        )
    gc.collect()
    gc.freeze()
    gc.set_threshold(GARBAGE)
    gather_memory()


def _import_all(modules):
    with _figures_settings(), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        for module in modules:
            with contextlib.suppress(Exception):  # the notebook itself may have lived with that
                importlib.import_module(module)


def _single_threaded():
    return len(os.listdir("/proc/self/task")) == 1


def _death(one, code):
    """What to say of a child that ended without a result."""
    status, error = _cause_of_death(one, code)
    return {"status": status, "error": error, "cell": one.notes.read()[0]}


def _cause_of_death(one, code):
    if one.ended_for:
        return "timeout", one.ended_for
    if code >= 0:
        return "died", f"the process ended itself with exit status {code}"
    name = signal.Signals(-code).name
    if -code not in FROM_OUTSIDE:
        return "died", f"the process crashed with {name}"
    reason = "; the system does so when memory runs out" if -code == signal.SIGKILL else ""
    return "killed", f"the process was ended by {name}{reason}"


@contextlib.contextmanager
def _figures_settings():
    import matplotlib

    with matplotlib.rc_context():
        yield


def _children():
    return [int(pid) for pid in Path(f"/proc/self/task/{os.getpid()}/children").read_text().split()]


def _prctl(option, value):
    ctypes.CDLL(None, use_errno=True).prctl(option, int(value), 0, 0, 0)
