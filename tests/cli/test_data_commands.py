"""`evalkit check`, `new` and `request` as a user runs them: what is printed, what is written, the exit status."""

import json
import sys
from pathlib import Path

import pytest
import typer
from typer.testing import CliRunner

from evalkit.cli import data as of_data
from evalkit.errors import EvalkitError, ParameterError

sys.path.insert(0, str(Path(__file__).parents[1] / "load"))
from dataset_sample import credit, income, write

app = typer.Typer()
for command in (of_data.check, of_data.new, of_data.request):
    app.command()(command)


def run(*arguments):
    return CliRunner().invoke(app, [str(a) for a in arguments])


def test_check_prints_findings_and_counts(tmp_path):
    folder = write(tmp_path / "d", credit=credit().assign(borrowers=-1))
    result = run("check", folder)
    assert result.exit_code == 1
    assert "out_of_bounds" not in result.output
    assert "errors" in result.output
    assert run("check", write(tmp_path / "good", income=income())).exit_code == 0


def test_check_as_json(tmp_path):
    result = run("check", write(tmp_path / "d", income=income().assign(income_vnd=-5)), "--json")
    first = json.loads(result.stdout)[0]
    assert {"severity", "file", "row", "column", "value", "rule", "message", "place", "key"} <= set(first)
    assert (first["rule"], first["row"], first["value"]) == ("out_of_bounds", 2, "-5")


def test_check_of_a_folder_that_is_not_there(tmp_path):
    result = run("check", tmp_path / "nowhere")
    assert isinstance(result.exception, EvalkitError)


def test_new_then_check(tmp_path):
    assert run("new", tmp_path / "starter").exit_code == 0
    assert run("check", tmp_path / "starter").exit_code == 0


def test_new_simulated_then_check(tmp_path):
    result = run("new", tmp_path / "simulated", "--simulated", "--communes", 13, "--seed", 3)
    assert result.exit_code == 0, result.exception
    assert (tmp_path / "simulated" / "truth.json").is_file()
    assert run("check", tmp_path / "simulated").exit_code == 0


def test_new_writes_the_forms_that_are_asked_for(tmp_path):
    for asked, written in (([], "credit,poverty,income"), (["--tables", "groups, loans"], "groups,loans")):
        folder = tmp_path / written
        assert run("new", folder, *asked).exit_code == 0
        assert {path.stem for path in folder.glob("*.xlsx")} == {"communes", *written.split(",")}


@pytest.mark.parametrize("options", [("--seed", 3), ("--simulated", "--tables", "groups")])
def test_options_of_forms_and_of_the_simulation_do_not_mix(tmp_path, options):
    result = run("new", tmp_path / "starter", *options)
    assert isinstance(result.exception, ParameterError)
    assert not (tmp_path / "starter").exists()


def test_request_prints_what_it_wrote(tmp_path):
    folder = write(tmp_path / "d", income=income())
    result = run("request", "10001", "--data", folder, "--out", tmp_path / "out")
    written = result.stdout.split()
    assert [Path(p).suffix for p in written] == [".xlsx", ".md"]
    assert all(Path(p).is_file() for p in written)
