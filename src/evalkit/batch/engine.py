"""papermill's engines of this project: cells run in this process, or in a kernel whose end is told truly."""

import math
import os
import signal
import sys
import tempfile
import threading
import time
from contextlib import contextmanager, suppress

import nbformat
from ipykernel.ipkernel import IPythonKernel
from IPython.core.interactiveshell import InteractiveShell
from nbclient.client import timestamp
from nbclient.exceptions import CellExecutionComplete, CellTimeoutError, DeadKernelError
from papermill.clientwrap import PapermillNotebookClient
from papermill.engines import NBClientEngine, NotebookExecutionManager, papermill_engines
from papermill.log import logger

from evalkit.batch.child import begin, execute
from evalkit.batch.notebook import settle_ids
from evalkit.batch.schema import check_by_compiled_schema
from evalkit.batch.shell import InProcessKernel, InProcessShell, NeedsKernel, make_shell

PYTHON = {"name": "python3", "display_name": "Python 3", "language": "python"}
SMALL = "print(x)\ndisplay({'text/html': 'x'}, raw=True)\nx"
ENDINGS = {CellTimeoutError.__name__: "timeout", DeadKernelError.__name__: "killed"}


class KernelEngine(NBClientEngine):
    """papermill's own engine, except that a dead or overdue kernel marks its cell as failed.

    papermill saves every cell of such a notebook as completed and leaves no error in it.
    """

    @classmethod
    def execute_managed_notebook(cls, nb_man, kernel_name, **kwargs):
        settle_ids(nb_man.nb)
        try:
            cls.execute_cells(nb_man, kernel_name, **kwargs)
        except (DeadKernelError, CellTimeoutError) as error:
            _record_error(nb_man, type(error).__name__, str(error))

    @classmethod
    def execute_cells(cls, nb_man, kernel_name, begin=None, **kwargs):
        client = _client(KernelClient, nb_man, kernel_name=kernel_name, **kwargs)
        client.begin = begin
        client.execute()


class Engine(KernelEngine):
    """Executes a Python notebook's cells in this process: no kernel to start, to talk to, or to wait for.

    Meant for one notebook per process, as ``papermill --engine evalkit`` or a forked child. Where that can't
    be (another language or environment, widgets, a process that has an IPython shell already, a thread,
    Windows) an ordinary kernel does it.
    """

    @classmethod
    def execute_cells(cls, nb_man, kernel_name, begin=None, notebook_timeout=None, on_cell=None, **kwargs):
        if _can_run_here(nb_man.nb, kernel_name):
            client = _client(InProcessClient, nb_man, **kwargs)
            client.begin, client.notebook_timeout, client.on_cell = begin, notebook_timeout, on_cell
            with suppress(NeedsKernel), _surroundings_kept():
                return client.execute()
        return super().execute_cells(nb_man, kernel_name, begin=begin, **kwargs)


class KernelClient(PapermillNotebookClient):
    """papermill's client, whose kernel begins with its seed and its memory limit."""

    begin = None

    def papermill_execute_cells(self):
        if self.begin:
            code = f"__import__('evalkit.batch.child', fromlist=['child']).begin{self.begin}"
            self.wait_for_reply(self.kc.execute(code, silent=True, store_history=False))
        super().papermill_execute_cells()


class InProcessClient(PapermillNotebookClient):
    """papermill's client with a kernel that is a part of this process."""

    begin = None
    notebook_timeout = None
    on_cell = None

    def execute(self):
        self.reset_execution_trackers()
        self.owner, self.started = os.getpid(), time.monotonic()
        with InProcessKernel() as self.kernel:
            if self.begin:
                begin(*self.begin)
            self.papermill_execute_cells()
        self.nb.metadata["language_info"] = IPythonKernel.language_info
        return self.nb

    def execute_cell(self, cell, cell_index):
        skipped = self.skip_cells_with_tag in cell.metadata.get("tags", [])
        if cell.cell_type != "code" or not cell.source.strip() or skipped:
            return cell
        if self.kernel.shell.exit_now:
            raise DeadKernelError("Kernel died")
        if self.on_cell:
            self.on_cell(cell_index)
        cell.metadata["execution"] = {}
        cell.outputs = []
        self.clear_before_next_output = False
        self.code_cells_executed += 1
        with _time_limit(*self._limit(cell)) as over:
            reply = self.kernel.execute(cell.source, lambda message: self._receive(message, cell, cell_index))
        cell.metadata["execution"]["shell.execute_reply"] = timestamp()
        struck_while_an_error_was_told = reply.get("ename") not in (None, CellTimeoutError.__name__)
        if over and struck_while_an_error_was_told:
            raise CellTimeoutError(over[0])
        if os.getpid() != self.owner:  # the cell forked, and this is its copy
            os._exit(0)
        self.kernel.loop.run_until_complete(self._check_raise_for_error(cell, cell_index, {"content": reply}))
        self.nb.cells[cell_index] = cell
        return cell

    def _limit(self, cell):
        """Seconds this cell may take, and what to say once they are over."""
        seconds = self._get_timeout(cell) or math.inf
        left = (self.notebook_timeout or math.inf) - (time.monotonic() - self.started)
        if left < seconds:
            return max(left, 0.001), f"the notebook ran over {self.notebook_timeout:g} s"
        return seconds, f"a cell ran over {seconds:g} s"

    def _receive(self, message, cell, cell_index):
        with suppress(CellExecutionComplete):
            self.process_message(message, cell, cell_index)


def _client(kind, nb_man, execution_timeout=None, start_timeout=60, **kwargs):
    """papermill's client with those of an engine's arguments that it knows."""
    known = PapermillNotebookClient.class_trait_names()
    options = {name: value for name, value in kwargs.items() if name in known}
    options |= {"timeout": execution_timeout or kwargs.get("timeout"), "startup_timeout": start_timeout}
    return kind(nb_man, log=logger, **options)


@contextmanager
def _surroundings_kept():
    """Give back the environment and the working directory, which a shell and a notebook change."""
    environment, folder = dict(os.environ), os.getcwd()
    try:
        yield
    finally:
        os.chdir(folder)
        os.environ.clear()
        os.environ.update(environment)


@contextmanager
def _time_limit(seconds, message):
    """Raise in the cell itself once its time is over; code that can't be interrupted is the supervisor's."""
    over = []
    if seconds == math.inf:
        yield over
        return

    def interrupt(*_):
        over.append(message)
        raise CellTimeoutError(message)

    previous = signal.signal(signal.SIGALRM, interrupt)
    signal.setitimer(signal.ITIMER_REAL, seconds)
    try:
        yield over
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, previous)


def _can_run_here(notebook, kernel_name):
    python = (
        kernel_name in (None, "", "python3", "python")
        and notebook.metadata.get("kernelspec", {}).get("language", "python") == "python"
    )
    main_thread = threading.current_thread() is threading.main_thread()
    return python and main_thread and sys.platform != "win32" and not _inside_another_shell()


def _inside_another_shell():
    return InteractiveShell.initialized() and not isinstance(InteractiveShell.instance(), InProcessShell)


def _record_error(nb_man, ename, message):
    """Put the error into the cell that was running, the way papermill marks a cell that raised."""
    pending = NotebookExecutionManager.PENDING
    cell = [cell for cell in nb_man.nb.cells if cell.metadata.papermill["status"] != pending][-1]
    line = message.strip().splitlines()[0]
    cell.outputs = [output for output in cell.outputs if output.output_type != "error"]
    cell.outputs.append(
        nbformat.v4.new_output("error", ename=ename, evalue=line, traceback=message.splitlines())
    )
    nb_man.cell_exception(cell, exception=message)


def register() -> None:
    """Make the engines known to papermill in this process."""
    papermill_engines.register("evalkit", Engine)
    papermill_engines.register("evalkit-kernel", KernelEngine)


def warm_up() -> None:
    """Do once, before forking, what every notebook needs: compile the schema, run a small one, make the shell."""
    check_by_compiled_schema()
    parameters = nbformat.v4.new_code_cell("x = 0", metadata={"tags": ["parameters"]})
    cells = [parameters, nbformat.v4.new_code_cell(SMALL)]
    small = nbformat.v4.new_notebook(cells=cells, metadata={"kernelspec": PYTHON})
    with tempfile.TemporaryDirectory() as folder:
        paths = {name: f"{folder}/{name}.ipynb" for name in ("notebook", "output", "spool")}
        nbformat.write(small, paths["notebook"])
        limits = {"timeout": None, "cell_timeout": None, "memory_limit": None}
        execute({**paths, **limits, "parameters": {"x": 1}}, "evalkit")
    make_shell()
