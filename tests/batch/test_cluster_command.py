"""`evalkit run --cluster` with a scheduler and workers started as docs/batch.md says, one of them killed."""

import json
import os
import subprocess
import sys
import time
from pathlib import Path

import pytest
from faults import wait_until_gone

from evalkit.building import build, read
from notebooks import instead_of_evalkits, write_notebook

pytest.importorskip("distributed", reason="needs the extra `cluster`")
ROOT = Path(__file__).resolve().parents[2]
PLACES = 8


@pytest.fixture
def start():
    """Start Python programs that find evalkit; whatever still runs is ended with the test."""
    running = []

    def start(*arguments, **streams):
        running.append(
            subprocess.Popen(
                [sys.executable, *map(str, arguments)],
                env=os.environ | {"PYTHONPATH": str(ROOT / "src")},
                **({"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL} | streams),
            )
        )
        return running[-1]

    yield start
    for process in reversed(running):
        process.kill()
        process.wait(timeout=30)


@pytest.fixture
def cluster(start, tmp_path):
    """Return a scheduler's address and its two workers, each a process without a nurse that restarts it."""
    where = tmp_path / "scheduler.json"
    start("-m", "dask", "scheduler", "--port", "0", "--no-dashboard", "--scheduler-file", where)
    options = ("--scheduler-file", where, "--no-nanny", "--no-dashboard", "--nthreads", "2")
    workers = [start("-m", "dask", "worker", *options, "--local-directory", tmp_path) for _ in range(2)]
    deadline = time.monotonic() + 60
    while not (where.exists() and where.read_text().strip().endswith("}")):
        assert time.monotonic() < deadline, "the scheduler did not start"
        time.sleep(0.1)
    address = json.loads(where.read_text())["address"]
    _wait_for(address, len(workers))
    return address, workers


def _wait_for(address, workers):
    from distributed import Client

    with Client(address, timeout=60) as client:
        client.wait_for_workers(workers, timeout=60)


def test_a_run_on_a_cluster_outlives_one_of_its_workers(tmp_path, start, cluster):
    address, (victim, _) = cluster
    out = tmp_path / "out"
    build(ROOT / "data/published", out / "build")
    units = read(out / "build", "places")
    places = list(units.loc[units["reported"], "place"])[:PLACES]
    suite = instead_of_evalkits(tmp_path / "notebooks")
    write_notebook(suite / "commune" / "steady.ipynb", "import time\ntime.sleep(0.4)\nprint(place)")

    asked = [part for place in places for part in ("--place", place)]
    command = ["run", "--out", out, "--notebooks", suite, "--langs", "vi", "--json", *asked]
    process = start(
        "-c", "from evalkit.cli import main; main()", *command, "--cluster", address,
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
    )  # fmt: skip
    events = []
    for line in process.stdout:
        events.append(json.loads(line))
        if sum(event["event"] == "job" for event in events) == 1:
            victim.kill()
    errors = process.stderr.read()

    assert process.wait(timeout=60) == 0, errors
    jobs = [event for event in events if event["event"] == "job" and event["notebook"] == "steady"]
    assert sorted(job["parameters"]["place"] for job in jobs) == sorted(places)
    assert {job["status"] for job in jobs} == {"ok"}
    printed = (out / "private" / places[-1] / "vi" / "steady.ipynb").read_text()
    assert places[-1] in json.dumps(json.loads(printed)["cells"][-1]["outputs"])
    assert victim.wait(timeout=10) != 0
    assert not wait_until_gone(out / "private")
