"""Notebooks that may share a process: they do while nothing can be seen that one left, and none sees another."""

import json

import pytest

from evalkit.batch import plan, run
from notebooks import outputs, write_notebook

SEEN = (
    "import os, random, sys, warnings, threading, decimal\nimport numpy as np, pandas as pd, matplotlib as mpl\n"
    "import matplotlib.pyplot as plt\n"
    "print(np.random.random(), random.random(), mpl.rcParams['font.size'], pd.get_option('display.precision'), "
    "os.environ.get('LEFT'), os.path.basename(os.getcwd()), plt.get_fignums(), np.get_printoptions()['precision'], "
    "len(warnings.filters), decimal.getcontext().prec, 'mine' in sys.modules, threading.active_count(), "
    "'value' in globals())"
)
FIGURE = "value = 1\nplt.plot([1, 2]);"
OWN = "import os\nprint(os.getpid())"
LEAVING = {
    "settings of Matplotlib": "mpl.rcParams['font.size'] = 33",
    "a setting that is an array": "dict.__setitem__(mpl.rcParams, 'font.size', np.ones(2))",
    "options of pandas": "pd.set_option('display.precision', 2)",
    "warnings": "warnings.simplefilter('error')",
    "numbers": "decimal.getcontext().prec = 3",
    "an open figure": "import matplotlib._pylab_helpers as helpers\nplt.close = lambda *_: None\nplt.figure()",
    "a module": "import mine",
    "a thread": "threading.Thread(target=lambda: __import__('time').sleep(5), daemon=True).start()",
    "a program": "import subprocess\nkept = subprocess.Popen(['sleep', '30'])",
    "the mask of new files": "os.umask(0o177)",
}
PRELOAD = ("numpy", "pandas", "matplotlib.pyplot", "decimal")


def printed(job):
    """What each code cell of an executed notebook printed, those of its parameters left out."""
    cells = outputs(job.output)[2:]
    return ["".join(one["text"] for one in cell if one["output_type"] == "stream") for cell in cells]


def jobs_of(folder, notebooks, places=3):
    """Jobs of notebooks (name → cells) for some places."""
    paths = [write_notebook(folder / f"{name}.ipynb", *cells) for name, cells in notebooks.items()]
    return plan(paths, [{"place": f"{number:05d}"} for number in range(places)], folder / "out"), paths


def run_together(jobs, paths, **options):
    return run(jobs, **{"engine": "fork", "workers": 1, "preload": PRELOAD, "together": paths} | options)


def processes(jobs):
    """Place → the process of each of its notebooks, which its last cell printed."""
    found = {}
    for job in jobs:
        found.setdefault(job.parameters["place"], []).append(printed(job)[-1])
    return found


def test_notebooks_of_a_place_share_a_process_and_write_what_they_write_alone(tmp_path):
    notebooks = dict.fromkeys(("one", "two", "three"), (SEEN, FIGURE, OWN))
    jobs, paths = jobs_of(tmp_path / "together" / "same", notebooks)
    assert run_together(jobs, paths).counts == {"ok": 9}
    shared = processes(jobs)
    first, *others = (len(set(of_place)) for of_place in shared.values())
    assert (first, others) == (3, [1, 1]), "the first place's notebooks taught what is imported"
    assert len(set().union(*shared.values())) == 5, "no process had notebooks of two places"
    alone, _ = jobs_of(tmp_path / "alone" / "same", notebooks)
    run(alone, engine="fork", workers=1, preload=PRELOAD)
    assert all(len(set(of_place)) == 3 for of_place in processes(alone).values())
    for mine, theirs in zip(jobs, alone, strict=True):
        assert outputs(mine.output)[:-1] == outputs(theirs.output)[:-1]


@pytest.mark.parametrize("what", LEAVING)
def test_where_something_is_left_behind_the_next_gets_a_process_of_its_own(tmp_path, what):
    (tmp_path / "mine.py").write_text("")
    notebooks = {"before": (SEEN, OWN), "leaves": (SEEN, LEAVING[what], OWN), "after": (SEEN, OWN)}
    jobs, paths = jobs_of(tmp_path, notebooks, places=2)
    assert run_together(jobs, paths).counts == {"ok": 6}
    before, leaves, after = jobs[3:]
    assert printed(before)[-1] == printed(leaves)[-1] != printed(after)[-1]
    assert printed(before)[0] == printed(leaves)[0] == printed(after)[0]


def test_environment_folder_and_context_are_given_back_within_a_process(tmp_path):
    leaving = "os.environ['LEFT'] = 'yes'\nos.chdir('/')\nsys.path.append('/left')\nnp.set_printoptions(precision=2)"
    jobs, paths = jobs_of(
        tmp_path, {"leaves": (SEEN, leaving, OWN), "after": (SEEN, "sys.path[-1]", OWN)}, places=2
    )
    run_together(jobs, paths)
    leaves, after = jobs[2:]
    assert printed(leaves)[-1] == printed(after)[-1]
    assert printed(leaves)[0] == printed(after)[0]
    assert "/left" not in json.dumps(outputs(after.output))


ENDS = {
    "failed": "1 / 0",
    "died": "import os\nos._exit(3)",
    "timeout": "import time\ntime.sleep(60)",
    "killed": "import os, signal\nos.kill(os.getpid(), signal.SIGKILL)",
}


@pytest.mark.parametrize("status", ENDS)
def test_an_end_in_the_middle_is_one_notebooks_own(tmp_path, status):
    notebooks = {
        "before": (OWN,),
        "ends": ("print('before')", ENDS[status], "print('after')"),
        "after": (OWN,),
    }
    jobs, paths = jobs_of(tmp_path, notebooks, places=2)
    summary = run_together(jobs, paths, cell_timeout=2)
    assert [row.status for row in summary.rows] == ["ok", status, "ok"] * 2
    assert {row.attempts for row in summary.rows if row.status == "ok"} == {1}
    assert {row.attempts for row in summary.failed} == {2 if status == "killed" else 1}
    for job in (jobs[1], jobs[4]):
        errors = [any(one["output_type"] == "error" for one in cell) for cell in outputs(job.output)[2:]]
        assert errors == [False, True, False], "the error stands in the cell that was running"


def test_time_counts_for_each_notebook_and_so_does_memory(tmp_path):
    """Three notebooks of 2.5 s each keep a limit of 6 s, and each may take 300 MB."""
    slow = "import numpy as np, time\nheld = np.ones(200 * 2**17)\ntime.sleep(2.5)"
    jobs, paths = jobs_of(tmp_path, dict.fromkeys(("one", "two", "three"), (slow, OWN)), places=2)
    summary = run_together(jobs, paths, timeout=6, memory_limit=300, workers=2)
    assert summary.counts == {"ok": 6}
    assert len(set(processes(jobs)["00001"])) == 1
    assert min(row.memory_mb for row in summary.rows) > 200


def test_what_a_notebook_left_to_do_at_its_end_is_done_before_the_next(tmp_path):
    looks = "import os\nprint(os.path.exists('name') and os.path.exists(open('name').read()))"
    makes = "import tempfile\nfolder = tempfile.TemporaryDirectory()\nprint(open('name', 'w').write(folder.name) > 0)"
    jobs, paths = jobs_of(tmp_path, dict.fromkeys(("one", "two", "three"), (looks, makes, OWN)), places=2)
    assert run_together(jobs, paths).counts == {"ok": 6}
    assert len(set(processes(jobs)["00001"])) == 1
    assert [printed(job)[:2] for job in jobs] == [["False\n", "True\n"]] * 6


def test_a_notebook_that_was_not_named_shares_with_none(tmp_path):
    jobs, paths = jobs_of(tmp_path, dict.fromkeys(("one", "own", "two", "three"), (OWN,)), places=2)
    run_together(jobs, [path for path in paths if path.stem != "own"])
    one, own, two, three = processes(jobs)["00001"]
    assert two == three
    assert len({one, own, two}) == 3


def test_few_notebooks_run_side_by_side_rather_than_in_one_process(tmp_path):
    jobs, paths = jobs_of(tmp_path, {"one": (OWN,), "two": (OWN,)}, places=1)
    run(jobs, engine="fork", workers=2, preload=(), together=paths)
    assert len(set(processes(jobs)["00000"])) == 2
