"""A run: every end is told, nothing leaks, nothing is done twice, nothing is left behind."""

import json
import signal
import subprocess
import sys
from pathlib import Path

import nbformat
import pytest
from faults import jobs_for, wait_until_gone

from evalkit.batch import RunSummary, plan, run
from evalkit.errors import EvalkitError, ParameterError
from notebooks import REPORT, outputs, write_notebook

ENDLESS = "import signal\nsignal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGALRM])\nwhile True:\n    pass"
ENDS = {
    "good": ("print(place)", "ok", ""),
    "raises": ("{}['không có']", "failed", "KeyError: 'không có'"),
    "exits": ("import os\nos._exit(3)", "died", "the process ended itself with exit status 3"),
    "crashes": ("import ctypes\nctypes.string_at(0)", "died", "the process crashed with SIGSEGV"),
    "killed": ("import os, signal\nos.kill(os.getpid(), signal.SIGKILL)", "killed", "ended by SIGKILL"),
    "sleeps": ("import time\ntime.sleep(60)", "timeout", "a cell ran over 3 s"),
    "endless": (ENDLESS, "timeout", "could not be interrupted"),
    "greedy": ("import numpy as np\nnp.ones(10**9)", "failed", "MemoryError"),
    "waits": ("value = input()", "failed", "StdinNotImplementedError"),
}


@pytest.fixture(scope="module")
def ended(tmp_path_factory):
    """One run of notebooks that end in every way there is."""
    folder = tmp_path_factory.mktemp("ends")
    notebooks = [write_notebook(folder / f"{name}.ipynb", "x = 1", code) for name, (code, *_) in ENDS.items()]
    jobs = plan(notebooks, [{"place": "01001"}], folder / "out")
    summary = run(jobs, engine="fork", workers=3, cell_timeout=3, memory_limit=1000, preload=("numpy",))
    return folder / "out", {row.notebook: row for row in summary.rows}


@pytest.mark.parametrize("name", ENDS)
def test_every_end_is_told(ended, name):
    out, rows = ended
    code, status, error = ENDS[name]
    assert rows[name].status == status
    assert error in rows[name].error
    notebook = nbformat.read(out / "01001" / f"{name}.ipynb", as_version=4)
    nbformat.validate(notebook)
    failed = [
        cell.source
        for cell in notebook.cells
        if any(output.output_type == "error" for output in cell.get("outputs", []))
    ]
    assert failed == ([] if status == "ok" else [code]), "the error stands in the cell that was running"


def test_only_an_end_from_outside_is_tried_again(ended):
    assert {name for name, row in ended[1].items() if row.attempts > 1} == {"killed"}


def test_the_summary_can_be_read_again(ended):
    out, rows = ended
    summary = RunSummary.read(out)
    assert summary.rows == tuple(rows.values())
    assert {row.notebook for row in summary.failed} == ENDS.keys() - {"good"}
    assert summary.to_frame().set_index("notebook").loc["good", "place"] == "01001"
    assert json.loads(summary.to_json())["counts"] == {
        "ok": 1,
        "failed": 3,
        "died": 2,
        "killed": 1,
        "timeout": 2,
    }


LEAK = (
    "import os, random, sys, numpy as np, pandas as pd, matplotlib.pyplot as plt",
    "seen = [plt.rcParams['font.size'], os.environ.get('LEAK'), os.getcwd(),"
    " pd.get_option('display.max_rows'), len(plt.get_fignums()),"
    " 'leaked' in globals(), hasattr(os, 'leaked')]\nprint(seen)",
    "print(random.random(), np.random.random(), list({'a', 'b', 'c'}))",
    "leaked = os.leaked = True\nplt.rcParams['font.size'] = 40\nos.environ['LEAK'] = place\nos.chdir('/')\n"
    "pd.set_option('display.max_rows', 3)\nplt.ioff()\nplt.figure()\nNone",
)


def texts(job):
    cells = outputs(job.output)
    return ["".join(output["text"]) for cell in cells for output in cell if output["output_type"] == "stream"]


def test_nothing_leaks_and_order_does_not_matter(tmp_path):
    notebook = write_notebook(tmp_path / "leak.ipynb", *LEAK)
    places = [{"place": f"{number:05d}"} for number in range(4)]
    one = plan([notebook], places, tmp_path / "one")
    two = plan([notebook], places[::-1], tmp_path / "two")
    run(one, engine="fork", workers=1)
    run(two, engine="fork", workers=3)
    assert len({texts(job)[0] for job in one + two}) == 1, "every child finds the same state"
    drawn = {job.name: texts(job)[1] for job in one}
    assert drawn == {job.name: texts(job)[1] for job in two}
    assert len(set(drawn.values())) == len(drawn), "each place has random numbers of its own"


def test_only_what_changed_runs_again(tmp_path):
    notebook = write_notebook(tmp_path / "credit.ipynb", "print(open(f'{place}.csv').read())")
    for place in ("01001", "01002", "01003"):
        (tmp_path / f"{place}.csv").write_text(place)

    def again():
        jobs = plan(
            [notebook],
            [{"place": place} for place in ("01001", "01002", "01003")],
            tmp_path / "out",
            inputs=lambda parameters: [tmp_path / f"{parameters['place']}.csv"],
        )
        return {row.name: row.status for row in run(jobs, engine="fork", preload=()).rows}

    assert set(again().values()) == {"ok"}
    assert set(again().values()) == {"skipped"}
    (tmp_path / "01002.csv").write_text("new")
    assert again() == {"01001/credit": "skipped", "01002/credit": "ok", "01003/credit": "skipped"}
    assert "new" in (tmp_path / "out" / "01002" / "credit.ipynb").read_text()


def test_ordinary_kernels_in_a_process_pool(tmp_path):
    notebook = write_notebook(tmp_path / "credit.ipynb", *REPORT[:2], "import random\nprint(random.random())")
    stuck = write_notebook(tmp_path / "stuck.ipynb", "import time\ntime.sleep(600)")
    jobs = plan([notebook], [{"place": "01001"}, {"place": "01002"}], tmp_path / "out")
    assert run(jobs, engine="kernels", workers=2).counts == {"ok": 2}
    overdue = plan([stuck], [{"place": "01001"}], tmp_path / "out")
    row = run(overdue, engine="kernels", timeout=5).rows[0]
    assert (row.status, row.error) == ("timeout", "the notebook ran over 5 s")
    forked = plan([notebook], [{"place": "01001"}], tmp_path / "forked")[0]
    run([forked], engine="fork")
    assert outputs(forked.output) == outputs(jobs[0].output), "the same notebook, seed and hash order"
    assert not wait_until_gone(jobs[0].output.parents[1])


def test_started_processes_are_ended(tmp_path):
    start = (
        "import os, subprocess, sys\n"
        "daemon = 'import os, time; os.fork() and os._exit(0); os.setsid(); '\n"
        "daemon += 'os.fork() and os._exit(0); time.sleep(99)'\n"
        "subprocess.run([sys.executable, '-c', daemon])\n"
        "sleeper = subprocess.Popen(['sleep', '99'], start_new_session=True)\n"
        "print(sleeper.pid)"
    )
    notebook = write_notebook(tmp_path / "starts.ipynb", start)
    jobs = plan([notebook], [{"place": "01001"}], tmp_path / "out")
    assert run(jobs, engine="fork", preload=()).counts == {"ok": 1}
    sleeper = int(texts(jobs[0])[0])
    assert not Path(f"/proc/{sleeper}").exists()
    assert not wait_until_gone(tmp_path / "out")


def test_jobs_of_two_folders_are_refused(tmp_path):
    notebook = write_notebook(tmp_path / "credit.ipynb", "1")
    jobs = plan([notebook], [{}], tmp_path / "a") + plan([notebook], [{}], tmp_path / "b")
    with pytest.raises(ParameterError, match="2 folders"):
        run(jobs)


def test_a_preload_that_cannot_be_had_is_told(tmp_path):
    notebook = write_notebook(tmp_path / "credit.ipynb", "1")
    with pytest.raises(EvalkitError, match=r"no notebook can be run.*no_such_module"):
        run(plan([notebook], [{}], tmp_path / "out"), engine="fork", preload=("no_such_module",))


SCRIPT = """
import sys
sys.path.insert(0, sys.argv[1])
from faults import jobs_for
from evalkit.batch import run
run(jobs_for(sys.argv[2]), engine="fork", workers=2, preload=(), progress="json")
"""


def test_ctrl_c_ends_cleanly_and_resumes(tmp_path):
    process = subprocess.Popen(
        [sys.executable, "-c", SCRIPT, str(Path(__file__).parent), str(tmp_path)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    events = (json.loads(line)["event"] for line in process.stdout)
    assert "job" in events
    process.send_signal(signal.SIGINT)
    _, errors = process.communicate(timeout=30)
    assert process.returncode == -signal.SIGINT
    assert errors.rstrip().endswith("KeyboardInterrupt")
    assert not wait_until_gone(tmp_path / "out")
    summary = run(jobs_for(tmp_path), engine="fork", preload=())
    assert summary.counts.keys() == {"ok", "skipped", "failed"}
