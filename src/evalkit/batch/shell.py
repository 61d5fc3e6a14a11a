"""A kernel's shell inside this process: the same shell, displays and messages, without sockets or threads."""

import asyncio
import atexit
import builtins
import contextvars
import io
import math
import os
import sys
import tempfile
import zlib
from collections.abc import Callable
from pathlib import Path

import comm
from ipykernel.jsonutil import json_clean
from ipykernel.zmqshell import ZMQInteractiveShell
from IPython.core.compilerop import CachingCompiler
from IPython.core.error import StdinNotImplementedError, UsageError
from jupyter_client.session import Session
from traitlets import Any
from traitlets.config import Config

INLINE = "module://matplotlib_inline.backend_inline"


class NeedsKernel(BaseException):
    """The notebook opened a channel to a front end (widgets), which only an ordinary kernel has."""


class Recorder(Session):
    """A session that hands each message over in place of sending it, as it would arrive after the journey."""

    deliver = Any()

    def send(self, stream, msg_or_type, content=None, parent=None, ident=None, **kwargs):
        message = msg_or_type if isinstance(msg_or_type, dict) else self.msg(msg_or_type, content, parent)
        try:
            message["content"] = _arrived(message["content"])
        except ValueError:
            message["content"] = self.unpack(self.pack(message["content"]))
        self.deliver(message)
        return message


class Stream(io.TextIOBase):
    """Standard output or error of a cell: what is printed becomes a message when flushed.

    What a library in C or a started program writes to the file descriptor itself is collected as well.
    """

    encoding = "UTF-8"

    def __init__(self, session, name, descriptor):
        self.session, self.name, self.descriptor = session, name, descriptor
        self.parts = []
        self.file = tempfile.TemporaryFile()  # noqa: SIM115
        self.position = 0
        self.saved = os.dup(descriptor)
        os.dup2(self.file.fileno(), descriptor)

    def writable(self):
        return True

    def fileno(self):
        return self.descriptor

    def write(self, text):
        if not isinstance(text, str):
            raise TypeError(f"write() argument must be str, not {type(text)}")
        self._collect()
        self.parts.append(text)
        return len(text)

    def flush(self):
        self._collect()
        if text := "".join(self.parts):
            self.parts.clear()
            self.session.send(None, "stream", {"name": self.name, "text": text})

    def restore(self):
        """Give the file descriptor back."""
        os.dup2(self.saved, self.descriptor)
        os.close(self.saved)
        self.file.close()

    def _collect(self):
        file = self.file.fileno()
        if (size := os.fstat(file).st_size) > self.position:
            self.parts.append(os.pread(file, size - self.position, self.position).decode(errors="replace"))
            self.position = size


class Compiler(CachingCompiler):
    """Names a cell's code after its text alone: warnings then print the same in every run."""

    def get_code_name(self, raw_code, code, number):
        return f"{tempfile.gettempdir()}/ipykernel_0/{zlib.crc32(raw_code.encode())}.py"


class InProcessShell(ZMQInteractiveShell):
    """The kernel's shell without a kernel behind it."""

    def enable_gui(self, gui=None):
        """``%matplotlib inline`` asks for no window; there is none to be had."""
        if gui not in (None, "inline"):
            raise UsageError(f"a batch has no screen for {gui}")

    def _update_exit_now(self, change):
        """``exit`` in a cell: the engine looks at ``exit_now`` and runs no further cell."""


def make_shell() -> InProcessShell:
    """The shell of this process; made before forking, it is ready in every child."""
    settings = Config({"HistoryManager": {"enabled": False}})
    shell = InProcessShell.instance(compiler_class=Compiler, config=settings)
    # Without history there is nothing to keep at its end, where it would collect garbage for 6 ms.
    atexit.unregister(shell.atexit_operations)
    return shell


class InProcessKernel:
    """Executes cells one after the other in a namespace of its own and delivers a kernel's messages."""

    def __init__(self):
        os.environ.setdefault("MPLBACKEND", INLINE)
        self.session = Recorder(deliver=lambda message: None)
        self.shell = make_shell()
        self.shell.history_manager.dir_hist[:] = [Path.cwd()]
        self.shell.displayhook.session = self.shell.display_pub.session = self.session
        self.shell.displayhook.topic = b"execute_result"
        self.loop = asyncio.new_event_loop()
        self.context = contextvars.copy_context()  # one for all cells: NumPy keeps its settings there
        self.needs_kernel = False
        connect_figures(self.shell)

    def __enter__(self):
        self.before = (sys.stdout, sys.stderr, sys.displayhook, builtins.input, sys.path[:])
        self.streams = [Stream(self.session, "stdout", 1), Stream(self.session, "stderr", 2)]
        sys.stdout, sys.stderr = self.streams
        sys.displayhook = self.shell.displayhook
        builtins.input = _no_input
        if "" not in sys.path:
            sys.path.insert(0, "")
        asyncio.set_event_loop(self.loop)
        self.create_comm, comm.create_comm = comm.create_comm, self._refuse_comm
        return self

    def __exit__(self, *exception):
        sys.stdout, sys.stderr, sys.displayhook, builtins.input, sys.path[:] = self.before
        for stream in self.streams:
            stream.restore()
        asyncio.set_event_loop(None)
        self.loop.close()
        comm.create_comm = self.create_comm
        InProcessShell.clear_instance()

    def execute(self, code: str, deliver: Callable[[dict], None]) -> dict:
        """Execute one cell; returns the content of the reply a kernel would send, or raises NeedsKernel."""
        parent = self.session.msg("execute_request")
        self.session.deliver = lambda message: deliver(message | {"parent_header": parent["header"]})
        self.shell.set_parent(parent)
        self._publish("status", {"execution_state": "busy"})
        self._publish("execute_input", {"code": code, "execution_count": self.shell.execution_count})
        result = self.loop.run_until_complete(self.loop.create_task(self._run(code), context=self.context))
        if self.needs_kernel:
            raise NeedsKernel
        for stream in self.streams:
            stream.flush()
        reply = json_clean(self._reply(result))
        self.shell.payload_manager.clear_payload()
        self._publish("status", {"execution_state": "idle"})
        return reply

    async def _run(self, code):
        self.shell._last_traceback = None
        self.shell._last_traceback_during_displayhook = False
        result, failure = None, None
        try:
            transformed = self.shell.transform_cell(code)
        except Exception:
            transformed, failure = code, sys.exc_info()
        try:
            result = await self.shell.run_cell_async(
                code, store_history=True, transformed_cell=transformed, preprocessing_exc_tuple=failure
            )
        finally:
            self.shell.events.trigger("post_execute")
            self.shell.events.trigger("post_run_cell", result)
        return result

    def _reply(self, result):
        error = result.error_before_exec if result.error_before_exec is not None else result.error_in_exec
        if result.success and not self.shell._last_traceback_during_displayhook:
            return {"status": "ok"}
        traceback = self.shell._last_traceback or []
        return {
            "status": "error",
            "traceback": traceback,
            "ename": type(error).__name__,
            "evalue": str(error),
        }

    def _refuse_comm(self, *args, **kwargs):
        self.needs_kernel = True
        raise NeedsKernel("widgets need an ordinary kernel")

    def _publish(self, kind, content):
        self.session.deliver(self.session.msg(kind, content))


def connect_figures(shell) -> None:
    """Show figures after each cell even where Matplotlib was loaded before there was a shell.

    Its inline backend looks for a shell once, when first used; a process that has drawn before forking would
    otherwise show no figure and raise no error.
    """
    backend = sys.modules.get("matplotlib_inline.backend_inline")
    if backend is None:
        return
    import matplotlib
    from IPython.core.pylabtools import activate_matplotlib

    if matplotlib.get_backend(auto_select=False) in ("inline", INLINE):
        backend.configure_inline_support.current_backend = "unset"
        backend.configure_inline_support(shell, INLINE)  # first, so that figures are shown and closed before
        activate_matplotlib(INLINE)  # pyplot's own hook would draw them once more for nobody


def _arrived(value):
    """A copy of a value as JSON would bring it, without writing and reading large figures for it.

    Raises ValueError for what is not made of plain dictionaries, lists, tuples, texts, numbers and None.
    """
    kind = type(value)
    if kind is dict and all(type(key) is str for key in value):
        return {_arrived(key): _arrived(one) for key, one in value.items()}
    if kind in (list, tuple):
        return [_arrived(one) for one in value]
    if kind is str:
        value.isascii() or value.encode()  # half a surrogate pair can't travel
    elif value is not None and kind not in (bool, int) and not (kind is float and math.isfinite(value)):
        raise ValueError(f"{kind.__name__} changes on its way")
    return value


def _no_input(prompt=""):
    raise StdinNotImplementedError("raw_input was called, but this frontend does not support input requests.")
