"""The README and the tutorials are done as they are read: every command typed, every line of Python run, in order.

Each page is a session in a folder of its own. What is too long for a test runs as its dry run, which the command
itself offers (tests/cli and tests/batch run it whole); what another program does (make, Dask) is held against its own
dry run or its options. A line that fits none of these ways fails, so that none is left out unseen.
"""

import re
import shlex
import subprocess
from pathlib import Path

import pytest

from evalkit import building
from evalkit.batch.summary import RunSummary
from evalkit.cli import speech

ROOT = Path(__file__).resolve().parents[2]
FENCE = re.compile(r"```(sh|python)\n(.*?)```", re.DOTALL)
PAGES = ("README.md", "docs/tutorial-officer.md", "docs/tutorial-researcher.md", "docs/tutorial-engineer.md")
USUAL = ("--out", "--lang", "--langs", "--dry-run", "--no-open")  # that every page may add or leave out
LONG = ("report", "run", "publish")


def steps(page):
    """(kind, text) of what the page has one do: a line of the shell, or a block of Python."""
    for kind, block in FENCE.findall((ROOT / page).read_text(encoding="utf-8")):
        if kind == "python":
            yield kind, block
        else:
            lines = (line.partition("#")[0].strip() for line in block.splitlines())
            yield from ((kind, line) for line in lines if line)


@pytest.mark.parametrize("page", PAGES)
def test_the_page_can_be_followed_from_its_first_line_to_its_last(page, tmp_path, typed, builds, monkeypatch):
    monkeypatch.setattr(building, "build", builds)
    values, done = {}, 0
    for kind, text in steps(page):
        if kind == "python":
            exec(text, values)
        else:
            {"evalkit": _evalkit, "make": _make, "dask": _dask}[shlex.split(text)[0]](text, typed, tmp_path)
        done += 1
    assert done >= 4
    if page == "docs/tutorial-researcher.md":
        _as_the_researcher_reads(values)


def _as_the_researcher_reads(values):
    assert values["controlled"].n < values["plain"].n  # not every commune surveys its income every year
    assert not values["controlled"].refused
    assert values["peers_only"]["comparator"].eq("peers").all()
    assert Path("figures/poverty.pdf").read_bytes().startswith(b"%PDF")
    assert "<svg" in Path("figures/portfolio.svg").read_text(encoding="utf-8")


def _evalkit(line, typed, folder):
    command = shlex.split(line)[1]
    if command == "lab" and "--no-open" not in line:
        line += " --no-open"
    if command in LONG and "--dry-run" not in line:
        line += " --dry-run"
    if command == "publish":  # needs the summary of a run, here of no notebook
        (folder / "out" / "private").mkdir(exist_ok=True)
        RunSummary(()).save(folder / "out" / "private")
    status, _, err = typed(line)
    assert status == 0, f"{line}\n{err}"


def _make(line, typed, folder):
    done = subprocess.run([*shlex.split(line), "--dry-run"], cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert done.stdout.strip()


def _dask(line, typed, folder):
    """The options named are those of the program, where the extra `cluster` is installed."""
    pytest.importorskip("distributed")
    from distributed.cli import dask_scheduler, dask_worker

    words = shlex.split(line)
    command = {"scheduler": dask_scheduler.main, "worker": dask_worker.main}[words[1]]
    known = {option for p in command.params for option in (*p.opts, *p.secondary_opts)}
    assert {word for word in words if word.startswith("--")} <= known


def test_a_page_types_every_example_of_the_help():
    """With other folders, places and numbers at most."""
    typed = {_shape(text) for page in PAGES for kind, text in steps(page) if text.startswith("evalkit")}
    examples = {_shape(line) for found in speech.EXAMPLES.values() for line, _ in found}
    assert sorted(examples - typed) == []


def _shape(line):
    words = shlex.split(line)
    return (words[1], *sorted(word for word in words if word.startswith("--") and word not in USUAL))
