"""`evalkit lab`: copies that are one's own, set to a place, and a notebook that joins the next batch."""

import json
import subprocess

import nbformat
import pytest

from evalkit.cli import lab, suite
from evalkit.errors import ParameterError
from evalkit.publish.archive import notebooks_folder


def parameters(path):
    notebook = nbformat.read(path, as_version=4)
    cell = next(c for c in notebook.cells if "parameters" in c.metadata.get("tags", ()))
    values = {}
    exec(cell.source, values)
    return {name: values.get(name) for name in ("place", "build", "lang")}


def test_the_copies_are_set_to_the_place_and_the_originals_untouched(tmp_path):
    before = {path: path.read_bytes() for path in notebooks_folder().rglob("*.ipynb")}
    first = lab.copies(tmp_path / "lab", "05233", tmp_path / "out" / "build", "en")
    assert first == tmp_path / "lab" / "05233" / "credit.ipynb"
    assert sorted(p.stem for p in first.parent.iterdir()) == ["credit", "evaluation", "poverty_income"]
    assert parameters(first) == {"place": "05233", "build": "../../out/build", "lang": "en"}
    notebook = nbformat.read(first, as_version=4)
    nbformat.validate(notebook)
    assert not any(cell.get("outputs") for cell in notebook.cells)
    assert {path: path.read_bytes() for path in before} == before


def test_a_copy_that_somebody_changed_is_kept(tmp_path):
    first = lab.copies(tmp_path, "05233", tmp_path / "build", "vi")
    first.write_text("{}", encoding="utf-8")
    assert lab.copies(tmp_path, "05233", tmp_path / "build", "vi").read_text(encoding="utf-8") == "{}"


def test_without_a_place_the_notebooks_of_the_data_set_are_copied(tmp_path):
    first = lab.copies(tmp_path, None, tmp_path / "build", "vi")
    assert first.name == "comparison.ipynb"
    assert parameters(first) == {"place": None, "build": "../build", "lang": "vi"}


def test_a_notebook_of_ones_own_is_run_beside_the_others(tmp_path):
    path = lab.own(tmp_path, "câu hỏi", "08473", tmp_path / "build", "vi")
    assert path == tmp_path / "own" / "commune" / "câu hỏi.ipynb"
    names = [p.stem for p in suite("commune", tmp_path / "own")]
    assert names == ["credit", "câu hỏi", "evaluation", "poverty_income"]
    assert [p.stem for p in suite("province", tmp_path / "own")] == ["comparison", "data_quality", "impact"]


def test_a_notebook_of_the_same_name_takes_the_place_of_evalkits(tmp_path):
    (tmp_path / "commune").mkdir()
    (tmp_path / "commune" / "credit.ipynb").write_text("{}")
    assert suite("commune", tmp_path)[0] == tmp_path / "commune" / "credit.ipynb"


def test_a_folder_without_notebooks_is_refused(tmp_path):
    with pytest.raises(ParameterError, match="commune"):
        suite("commune", tmp_path)


def test_jupyterlab_opens_the_notebook_and_fetches_nothing(tmp_path, monkeypatch):
    """The command that would run, and the settings it would find: no news, no extension manager, Vietnamese menus."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("EVALKIT_LANG", "vi")
    seen = {}

    def call(command, env):
        folder = env["JUPYTER_CONFIG_PATH"].split(":")[0]
        with open(f"{folder}/labconfig/default_setting_overrides.json") as file:
            seen.update(command=command, settings=json.load(file))
        return 0

    monkeypatch.setattr(subprocess, "call", call)
    first = lab.copies(tmp_path / "lab", "05233", tmp_path / "build", "vi")
    assert lab._jupyter(first, ["--no-browser"]) == 0
    assert "--LabApp.default_url=/lab/tree/lab/05233/credit.ipynb" in seen["command"]
    assert f"--ServerApp.root_dir={tmp_path}" in seen["command"]
    assert seen["command"][-1] == "--no-browser"
    assert seen["settings"]["@jupyterlab/translation-extension:plugin"] == {"locale": "vi_VN"}
    assert seen["settings"]["@jupyterlab/apputils-extension:notification"]["fetchNews"] == "false"
