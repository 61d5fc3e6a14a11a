"""`evalkit run` as a user meets it: what would run, what a machine reads, and Ctrl-C."""

import contextlib
import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from faults import wait_until_gone

from evalkit.building import build
from evalkit.present import warm
from evalkit.present.blocks import Block
from notebooks import instead_of_evalkits, write_notebook

ROOT = Path(__file__).resolve().parents[2]
PLACES = ("--place", "08473", "--place", "05233")


def started(out, suite, *arguments):
    command = ["run", "--out", out, "--notebooks", suite, "--langs", "vi", *PLACES, "--json", *arguments]
    code = "from evalkit.cli import main; main()"
    return subprocess.Popen(
        [sys.executable, "-c", code, *map(str, command)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env=os.environ | {"PYTHONPATH": str(ROOT / "src")},
    )


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    """A build, and a suite of one quick notebook and one that sleeps for ever in one place."""
    folder = tmp_path_factory.mktemp("command")
    build(ROOT / "data/published", folder / "out" / "build")
    suite = instead_of_evalkits(folder / "notebooks")
    write_notebook(suite / "commune" / "quick.ipynb", "print(place)")
    write_notebook(suite / "commune" / "slow.ipynb", "import time\ntime.sleep(99)")
    return folder / "out", suite


def test_a_place_of_which_there_is_no_report_is_refused_by_name(made):
    process = started(*made, "--dry-run", "--place", "02230")
    _, said = process.communicate(timeout=120)
    assert process.returncode == 2
    assert "--place 02230" in said
    assert "minimum_kinds" in said
    assert "Traceback" not in said


def test_the_warm_up_makes_every_part_of_a_report_once(made, monkeypatch):
    kinds = set()
    monkeypatch.setattr(warm, "suppress", lambda *_: contextlib.nullcontext())
    monkeypatch.setattr(Block, "_repr_html_", lambda block: kinds.add(block.kind))
    warm.of_build(made[0] / "build")
    assert {"figure", "table", "text", "sources"} <= kinds


def test_a_dry_run_tells_the_plan_and_writes_nothing(made, tmp_path):
    out, suite = made
    (tmp_path / "build").symlink_to(out / "build")
    told, _ = started(tmp_path, suite, "--dry-run").communicate(timeout=60)
    found = json.loads(told)
    commune = ("credit", "evaluation", "poverty_income", "quick", "slow")
    assert sorted(found["planned"]) == [
        *(f"{place}/vi/{notebook}" for place in ("05233", "08473") for notebook in commune),
        *(f"dataset/vi/{notebook}" for notebook in ("comparison", "data_quality", "impact")),
    ]
    assert found["unchanged"] == []
    assert not (tmp_path / "private").exists()


def test_ctrl_c_ends_in_seconds_with_130_and_a_journal_that_resumes(made):
    out, suite = made
    process = started(out, suite, "--workers", "3")
    assert any(json.loads(line)["event"] == "job" for line in process.stdout)
    began = time.monotonic()
    process.send_signal(signal.SIGINT)
    _, errors = process.communicate(timeout=30)
    assert time.monotonic() - began < 20, "the notebook would sleep for 99 s"
    assert process.returncode == 130
    assert "Traceback" not in errors
    assert "the same command resumes" in errors
    assert not wait_until_gone(out / "private")
    told, errors = started(out, suite, "--cell-timeout", "1").communicate(timeout=60)
    events = [json.loads(line) for line in told.splitlines()]
    assert events[0]["skipped"] >= 1
    ends = {event["notebook"]: event["status"] for event in events if event["event"] == "job"}
    assert ends["slow"] == "timeout"
    assert str(out / "private") in errors
