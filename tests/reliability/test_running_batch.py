"""Runs in odd places and odd companies: what a notebook inherits, where it writes, who else is there."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "batch"))
from faults import contents, resumed

from evalkit.batch import plan, run
from evalkit.batch.local import GRACE_SECONDS, LocalWorkers
from notebooks import write_notebook

ROOT = Path(__file__).resolve().parents[2]
OWNER = "import atexit, os, pathlib, tempfile\n\ndef take(folder):\n    pathlib.Path(folder).mkdir()\n    atexit.register(os.rmdir, folder)\n    take.kept = tempfile.TemporaryDirectory(dir=os.path.dirname(folder), prefix='kept-')\n"  # fmt: skip
LEAVES = (
    "import atexit, pathlib, tempfile\nbelow = pathlib.Path(build)",
    "assert (below / 'shared').is_dir() and list(below.glob('kept-*'))",
    "atexit.register((below / f'ended-{place}').touch)\nown = tempfile.TemporaryDirectory(dir=below, prefix='own-')",
)


@pytest.fixture
def importable(tmp_path, monkeypatch):
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join([str(tmp_path), str(ROOT / "src")]))
    return tmp_path


def test_a_notebooks_end_does_what_the_notebook_left_to_do_and_nothing_of_the_forking_process(importable):
    """Previously the first notebook to end removed the folder where all others found their fonts."""
    (importable / "owner.py").write_text(OWNER)
    notebook = write_notebook(importable / "credit.ipynb", *LEAVES)
    places = [{"place": f"{number:05d}", "build": str(importable)} for number in range(3)]
    jobs = plan([notebook], places, importable / "out")
    summary = run(jobs, engine="fork", workers=1, preload=[f"owner:take:{importable / 'shared'}"])
    assert summary.counts == {"ok": 3}, [row.error for row in summary.rows]
    assert len(list(importable.glob("ended-*"))) == 3
    assert not list(importable.glob("own-*"))


NAMES = ["tỉnh Phú Thọ", "100 %d #1 & co", "a 'b' \"c\"", "{x} $HOME `y`", "-rf", "x" * 200]


def test_folders_of_any_name_are_written_and_resumed(tmp_path):
    folder = tmp_path.joinpath(*NAMES)
    folder.mkdir(parents=True)
    notebook = write_notebook(folder / "tín dụng %s {place}.ipynb", "print(place, build)")
    jobs = plan([notebook], [{"place": "01001", "build": str(folder)}], folder / "out")
    first = run(jobs, engine="fork", workers=1, preload=())
    assert first.counts == {"ok": 1}, first.rows
    assert run(jobs, engine="fork", workers=1, preload=()).counts == {"skipped": 1}


def test_a_run_that_was_moved_resumes_where_it_lies_now(tmp_path):
    before, after = tmp_path / "before", tmp_path / "after"
    before.mkdir()
    resumed(before, count=2)
    before.rename(after)
    assert resumed(after, count=2).counts == {"skipped": 6}
    assert not before.exists()


def test_a_clock_set_back_changes_nothing(tmp_path):
    resumed(tmp_path, count=2)
    for path in [*tmp_path.rglob("*.ipynb"), tmp_path / "out" / "journal.jsonl"]:
        os.utime(path, (4e9, 4e9))  # written in 2096, as it now seems
    was = contents(tmp_path / "out")
    assert resumed(tmp_path, count=2).counts == {"skipped": 6}
    now = contents(tmp_path / "out")
    assert {name: now[name] for name in now.keys() - {"summary.json"}} == {
        name: was[name] for name in was.keys() - {"summary.json"}
    }


def test_neither_hash_seed_nor_zone_nor_language_of_the_system_changes_a_byte(tmp_path):
    code = f"import sys; sys.path.insert(0, {str(ROOT / 'tests' / 'batch')!r})\nfrom faults import resumed\nresumed(sys.argv[1], 2)"  # fmt: skip
    settings = (
        {"TZ": "Asia/Ho_Chi_Minh", "LC_ALL": "C.UTF-8", "PYTHONHASHSEED": "1"},
        {"TZ": "America/St_Johns", "LC_ALL": "tr_TR.UTF-8", "PYTHONHASHSEED": "4242", "COLUMNS": "20"},
    )
    found = []
    for number, setting in enumerate(settings):
        (tmp_path / str(number)).mkdir()
        command = [sys.executable, "-c", code, str(tmp_path / str(number))]
        subprocess.run(command, env=os.environ | setting, check=True)
        found.append(contents(tmp_path / str(number) / "out"))
        del found[-1]["summary.json"]
    assert found[0] == found[1]


def test_notebooks_that_a_suspended_process_kept_too_long_each_end_as_overdue(importable):
    """Previously a run whose processes had been stopped for longer than its limits ended with a traceback."""
    workers = LocalWorkers("fork", 2, f"suspended-{os.getpid()}", ())
    try:
        while workers.workers[0].began is None:
            assert list(workers.results()) == []
        workers.workers[0].process.send_signal(signal.SIGSTOP)
        limits = {"timeout": 0.1 - GRACE_SECONDS, "cell_timeout": 9, "memory_limit": None}
        for number in range(2):
            workers.submit({"id": number, "notebook": "x.ipynb", "parameters": {}, **limits})
        time.sleep(0.3)
        found = dict(workers.results(wait_seconds=0))
        assert {number: one["status"] for number, one in found.items()} == {0: "timeout", 1: "timeout"}
        assert workers.free == 2
    finally:
        workers.close()
