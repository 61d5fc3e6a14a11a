"""The in-process engine writes what papermill's own engine writes, and its failures tell the truth."""

import json
import os
import re

import nbformat
import papermill
import pytest

from evalkit.batch import engine, plan, run
from notebooks import REPORT, outputs, write_notebook

engine.register()

MORE = (
    "from IPython.display import HTML, clear_output, update_display\n"
    "display(HTML('<b>một</b>'), display_id='one')\nupdate_display(HTML('<b>hai</b>'), display_id='one')",
    "print('gone')\nclear_output()\nprint('kept')",
    "import sys\nprint('a')\nsys.stdout.flush()\nprint('b', file=sys.stderr)",
    # A kernel hears of a program's output through a thread of its own, when that gets its turn.
    "import os, time\nos.system('echo program')\ntime.sleep(0.5)",
    "!echo from the shell",
    "%matplotlib inline\nplt.hist([1, 1, 2])\nplt.show()\nplt.plot([3, 1])\nNone",
    "import asyncio\nawait asyncio.sleep(0)\nasyncio.get_running_loop().is_running()",
    "table.style.set_uuid('u')",
    "import warnings\nwarnings.warn('careful')",
    "1;",
    "_, __, len(In), place",
    "import numpy as np\nnp.set_printoptions(precision=2)",
    "np.array([1 / 3])",
    "raw: int = 3\nraw?",
)


def settled(cells):
    """Outputs without what differs between runs of papermill itself: cut streams, ids of objects."""
    for cell in cells:
        merged = []
        for output in cell:
            if merged and output["output_type"] == "stream" and merged[-1].get("name") == output["name"]:
                merged[-1]["text"] += output["text"]
            else:
                merged.append(output)
        text = re.sub(r"ipykernel_\d+/\d+\.py", "ipykernel/cell.py", json.dumps(merged))
        cell[:] = json.loads(re.sub(r"at 0x[0-9a-f]+", "at 0x0", text))
    return cells


def executed(notebook, name, engine_name, **parameters):
    path = notebook.with_name(f"{name}.ipynb")
    try:
        papermill.execute_notebook(
            notebook, path, parameters, engine_name=engine_name, cwd=notebook.parent, progress_bar=False
        )
    except papermill.PapermillExecutionError as error:
        return path, error.ename
    return path, None


def test_environment_and_folder_are_given_back(tmp_path):
    code = "import os\nos.environ['EVALKIT_TRIED'] = 'yes'\nos.chdir('/')"
    notebook = write_notebook(tmp_path / "moves.ipynb", code)
    before = dict(os.environ), os.getcwd()
    assert executed(notebook, "moved", "evalkit")[1] is None
    after = dict(os.environ), os.getcwd()
    for found in (before, after):
        found[0].pop("PYTEST_CURRENT_TEST", None)
    assert after == before


def test_outputs_equal_plain_papermill_cell_by_cell(tmp_path, monkeypatch):
    monkeypatch.delenv("PYTEST_CURRENT_TEST")  # under it a kernel leaves programs' output to pytest
    notebook = write_notebook(tmp_path / "report.ipynb", *REPORT, *MORE, "def f():\n    return 1 / 0\nf()")
    plain, plain_error = executed(notebook, "plain", None, place="01001")
    job = plan([notebook], [{"place": "01001"}], tmp_path / "out")[0]
    ours, row = job.output, run([job], engine="fork").rows[0]
    assert (row.error, plain_error) == ("ZeroDivisionError: division by zero", "ZeroDivisionError")
    for mine, theirs in zip(settled(outputs(ours)), settled(outputs(plain)), strict=True):
        assert mine == theirs

    mine, theirs = (nbformat.read(path, as_version=4) for path in (ours, plain))
    assert mine["metadata"].keys() == theirs["metadata"].keys()
    assert mine["metadata"]["language_info"] == theirs["metadata"]["language_info"]
    assert mine["metadata"]["papermill"].keys() == theirs["metadata"]["papermill"].keys()
    for mine_cell, theirs_cell in zip(mine["cells"], theirs["cells"], strict=True):
        assert mine_cell["source"] == theirs_cell["source"]
        assert mine_cell.get("execution_count") == theirs_cell.get("execution_count")
        assert mine_cell["metadata"].keys() == theirs_cell["metadata"].keys()
        assert (
            mine_cell["metadata"].get("execution", {}).keys()
            == theirs_cell["metadata"].get("execution", {}).keys()
        )
        papermill_mine, papermill_theirs = (
            one["metadata"].get("papermill", {}) for one in (mine_cell, theirs_cell)
        )
        assert papermill_mine.get("status") == papermill_theirs.get("status")


def test_figures_appear_after_the_forking_process_has_drawn(tmp_path):
    notebook = write_notebook(tmp_path / "report.ipynb", *REPORT, "plt.rcParams['font.size']")
    plain, _ = executed(notebook, "plain", None, place="01001")
    jobs = plan([notebook], [{"place": "01001"}, {"place": "01002"}], tmp_path / "out")
    summary = run(jobs, engine="fork", workers=1, preload=("matplotlib.pyplot", "warm:draw", "warm:draw:30"))
    assert summary.counts == {"ok": 2}
    assert outputs(jobs[0].output) == outputs(plain)
    assert [list(output["data"]) for output in outputs(jobs[1].output)[4]] == [
        ["text/plain"],
        ["image/png", "text/plain"],
    ]


def test_a_dead_kernel_is_a_failed_cell(tmp_path):
    """papermill alone saves this notebook with every cell completed and no error in it."""
    notebook = write_notebook(
        tmp_path / "report.ipynb", "print('before')", "import os\nos._exit(1)", "print('after')"
    )
    path, error = executed(notebook, "dead", "evalkit-kernel")
    assert error == "DeadKernelError"
    statuses = [
        cell["metadata"].get("papermill", {}).get("status") for cell in json.loads(path.read_text())["cells"]
    ]
    assert "failed" in statuses
    assert statuses[-1] == "pending"


@pytest.mark.parametrize("engine_name", ["evalkit", "evalkit-kernel"])
def test_a_notebook_that_exits_is_no_finished_notebook(tmp_path, engine_name):
    notebook = write_notebook(
        tmp_path / "report.ipynb", "exit()", "import time\ntime.sleep(1)", "print('after')"
    )
    path, error = executed(notebook, "ended", engine_name)
    assert error == "DeadKernelError"
    assert "after" not in json.dumps(outputs(path))


def test_widgets_get_an_ordinary_kernel(tmp_path):
    widget = (
        "import comm\nstate = {'_model_module': 'x', '_model_name': 'y'}\n"
        "channel = comm.create_comm(target_name='jupyter.widget', data={'state': state})"
    )
    notebook = write_notebook(
        tmp_path / "report.ipynb", "import os\nos.environ['SEEN'] = '1'", widget, "type(channel).__module__"
    )
    path, error = executed(notebook, "widgets", "evalkit")
    assert error is None
    assert outputs(path)[-1][0]["data"]["text/plain"] == "'ipykernel.comm.comm'"


def test_the_process_gets_its_streams_back(tmp_path, capfd):
    notebook = write_notebook(tmp_path / "report.ipynb", "print('inside')")
    executed(notebook, "one", "evalkit")
    print("outside")
    assert capfd.readouterr().out == "outside\n"
