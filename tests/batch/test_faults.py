"""A run killed at any moment resumes to the same files, and leaves no process behind.

``benchmarks/faults.py`` kills at many more moments, and fills a disk.
"""

import json
import os
import subprocess
import sys
import time
from pathlib import Path

import pytest
from faults import contents, disturbed_run, jobs_for, resumed, wait_until_gone

from evalkit.batch import run
from evalkit.batch.process import ENVIRONMENT
from notebooks import write_notebook


@pytest.fixture(scope="module")
def undisturbed(tmp_path_factory):
    folder = tmp_path_factory.mktemp("undisturbed")
    run(jobs_for(folder), engine="fork", workers=2, preload=())
    return contents(folder / "out")


@pytest.mark.parametrize("together", [False, True])
@pytest.mark.parametrize("victim", ["child", "forker", "supervisor"])
def test_a_killed_run_resumes_to_the_same_files(tmp_path, undisturbed, victim, together):
    disturbed_run(tmp_path, victim, seed=victim, together=together)
    assert not wait_until_gone(tmp_path / "out")
    resumed(tmp_path, together=together)
    found = contents(tmp_path / "out")
    assert found.keys() == undisturbed.keys()
    for name, content in undisturbed.items():
        if name != "summary.json":
            assert found[name] == content, name
    assert not wait_until_gone(tmp_path / "out")


def test_a_result_that_nobody_hears_leaves_no_process(tmp_path):
    """The supervisor is killed while a notebook ends: its worker still ends what others have started."""
    started = tmp_path / "started"
    start = f"import subprocess, time\nopen({str(started)!r}, 'w').write(str(subprocess.Popen(['sleep', '99']).pid))"
    slow = write_notebook(tmp_path / "slow.ipynb", start, "time.sleep(99)")
    quick = write_notebook(tmp_path / "quick.ipynb", "1")
    worker = subprocess.Popen(
        [sys.executable, "-m", "evalkit.batch.worker", "fork"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        env=os.environ | ENVIRONMENT,
    )
    worker.stdout.readline()
    worker.stdout.close()
    for number, notebook in enumerate((slow, quick)):
        paths = dict.fromkeys(("output", "spool"), str(tmp_path / "out" / notebook.name))
        limits = {"timeout": 60, "cell_timeout": 60, "memory_limit": None}
        task = {"id": number, "notebook": str(notebook), "parameters": {}, **paths, **limits}
        worker.stdin.write((json.dumps(task) + "\n").encode())
        worker.stdin.flush()
        wait_for(started if notebook == slow else tmp_path / "out" / "quick.ipynb")
    time.sleep(0.5)
    worker.stdin.close()
    worker.wait(20)
    assert not alive(int(started.read_text()))


def wait_for(path):
    deadline = time.monotonic() + 30
    while not (path.exists() and path.stat().st_size):
        assert time.monotonic() < deadline, path
        time.sleep(0.05)


def alive(pid):
    stat = Path(f"/proc/{pid}/stat")
    return stat.exists() and ") Z" not in stat.read_text()
