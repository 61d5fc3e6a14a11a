"""The journal tells the truth about what is finished, whatever ended the run that wrote it."""

import json
import os

import pytest

from evalkit.batch import Job
from evalkit.batch import journal as journals
from evalkit.batch.journal import Journal, Row, write_atomically
from evalkit.errors import EvalkitError


@pytest.fixture
def output(tmp_path):
    path = tmp_path / "01001" / "credit.ipynb"
    write_atomically(path, b"{}")
    return path


def written(folder, output, *names):
    journal = Journal(folder)
    for name in names:
        journal.add(Row(name, "credit", "ok"), f"key of {name}", output)
    journal.close()


def finished(folder, output, name, key=None):
    job = Job(output, {}, output, (), name)
    return journals.finished(journals.read_entries(folder), job, key or f"key of {name}")


def test_an_unchanged_job_is_finished(tmp_path, output):
    written(tmp_path, output, "a")
    assert finished(tmp_path, output, "a").status == "ok"
    assert finished(tmp_path, output, "a", key="another") is None
    assert finished(tmp_path, output, "b") is None


def test_a_notebook_that_was_touched_or_removed_is_not_finished(tmp_path, output):
    written(tmp_path, output, "a")
    output.write_bytes(b"{} ")
    assert finished(tmp_path, output, "a") is None
    output.unlink()
    assert finished(tmp_path, output, "a") is None


def test_a_failed_job_is_not_finished(tmp_path, output):
    journal = Journal(tmp_path)
    journal.add(Row("a", "credit", "failed", error="ValueError"), "key of a", output)
    journal.close()
    assert finished(tmp_path, output, "a") is None


@pytest.mark.parametrize("cut", [2, 30, 150])
def test_a_line_cut_short_costs_only_its_job(tmp_path, output, cut):
    written(tmp_path, output, "a", "b")
    path = tmp_path / "journal.jsonl"
    os.truncate(path, path.stat().st_size - cut)
    written(tmp_path, output, "c")
    assert finished(tmp_path, output, "a")
    assert finished(tmp_path, output, "b") is None
    assert finished(tmp_path, output, "c")


def test_garbage_in_the_journal_is_passed_over(tmp_path, output):
    written(tmp_path, output, "a")
    with (tmp_path / "journal.jsonl").open("ab") as file:
        file.write(b'\x00\xff\n[1, 2]\n"text"\n{"name": "b"}\n')
    assert finished(tmp_path, output, "a")


def test_settling_leaves_one_line_per_job_in_order(tmp_path, output):
    written(tmp_path, output, "b", "a", "b")
    journal = Journal(tmp_path)
    journal.settle()
    journal.close()
    lines = (tmp_path / "journal.jsonl").read_text().splitlines()
    assert [json.loads(line)["name"] for line in lines] == ["a", "b"]


def test_two_runs_into_one_folder_are_refused(tmp_path):
    first = Journal(tmp_path)
    with pytest.raises(EvalkitError, match=r"another run \(process \d+\) is writing here"):
        Journal(tmp_path)
    first.close()
    Journal(tmp_path).close()


def test_a_file_is_replaced_whole_or_not_at_all(tmp_path):
    path = tmp_path / "page.html"
    write_atomically(path, b"old")
    with pytest.raises(TypeError):
        write_atomically(path, "no bytes")
    assert path.read_bytes() == b"old"
    assert [one.name for one in tmp_path.iterdir()] == ["page.html"]
