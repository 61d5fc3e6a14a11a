"""papermill engines: ordinary kernels whose death is written down truthfully, and cells run in this process."""

import nbformat
from nbclient.exceptions import CellTimeoutError, DeadKernelError
from papermill.engines import NBClientEngine, NotebookExecutionManager

from evalkit.batch.child import settle_parameters_id

ENDINGS = {CellTimeoutError.__name__: "timeout", DeadKernelError.__name__: "killed"}


class KernelEngine(NBClientEngine):
    """papermill's own engine, except that a dead or overdue kernel marks its cell as failed.

    papermill saves every cell of such a notebook as completed and leaves no error in it.
    """

    @classmethod
    def execute_managed_notebook(cls, nb_man, kernel_name, **kwargs):
        settle_parameters_id(nb_man.nb)
        try:
            super().execute_managed_notebook(nb_man, kernel_name, **kwargs)
        except (DeadKernelError, CellTimeoutError) as error:
            record_error(nb_man, type(error).__name__, str(error))


def record_error(nb_man, ename: str, message: str) -> None:
    """Put the error into the cell that was running, the way papermill marks a cell that raised."""
    line = message.strip().splitlines()[0]
    pending = NotebookExecutionManager.PENDING
    started = [cell for cell in nb_man.nb.cells if cell.metadata.papermill["status"] != pending]
    cell = started[-1]
    cell.outputs = [output for output in cell.outputs if output.output_type != "error"]
    cell.outputs.append(
        nbformat.v4.new_output("error", ename=ename, evalue=line, traceback=message.splitlines())
    )
    nb_man.cell_exception(cell, exception=message)


def register() -> None:
    """Make the engines known to papermill in this process."""
    from papermill.engines import papermill_engines

    papermill_engines.register("evalkit-kernel", KernelEngine)
