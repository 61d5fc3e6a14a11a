"""Notebooks written and checked by our own fast ways are those that nbformat would write and accept."""

import nbformat
import pytest
from nbformat import v4, validator

from evalkit.batch.notebook import write
from evalkit.batch.schema import check_by_compiled_schema

OUTPUTS = {
    "a stream": ("stream", {"text": "xong\n"}),
    "lines": ("stream", {"text": ["xong\n", "rồi"]}),
    "marked": ("display_data", {"data": {"application/vnd.evalkit+json": {"rows": [1, None]}}}),
    "an error": ("error", {"ename": "KeyError", "evalue": "không có", "traceback": ["1", "2"]}),
    "no text": ("display_data", {"data": {"text/plain": 3}}),
    "a stranger": ("stream", {"colour": "red"}),
    "no number": ("execute_result", {"execution_count": "one"}),
    "half an error": ("error", {"traceback": "no list"}),
}


def verdict(kind, fields):
    try:
        v4.new_output(kind, **fields)
    except nbformat.ValidationError as error:
        return str(error)
    return "valid"


def test_an_output_is_accepted_or_refused_in_the_words_of_nbformat(monkeypatch):
    monkeypatch.setattr(validator, "validators", {})
    wanted = {name: verdict(*output) for name, output in OUTPUTS.items()}
    check_by_compiled_schema()
    assert {name: verdict(*output) for name, output in OUTPUTS.items()} == wanted
    assert sum(said == "valid" for said in wanted.values()) == 4


@pytest.fixture
def notebook():
    cells = [
        v4.new_markdown_cell("# Tín dụng\n\nmột  hai", id="heading"),
        v4.new_code_cell('print("\\u2028 </script>")', id="first", execution_count=1),
        v4.new_code_cell("", id="random", metadata={"tags": ["injected-parameters"]}),
    ]
    cells[1].outputs = [v4.new_output("stream", text="a\nb\r\nc"), v4.new_output("display_data")]
    cells[1].metadata["trusted"] = True
    return v4.new_notebook(cells=cells, metadata={"papermill": {"duration": 0.25, "exception": None}})


def test_what_is_written_is_what_nbformat_would_read_of_its_own(tmp_path, notebook):
    path, own = tmp_path / "ours" / "credit.ipynb", tmp_path / "own.ipynb"
    nbformat.write(notebook, own)
    write(notebook, path)
    found, wanted = (nbformat.read(one, as_version=4) for one in (path, own))
    nbformat.validate(found)
    assert found.cells[2].id == "injected-parameters"
    wanted.cells[2]["id"] = found.cells[2].id
    assert found == wanted


def test_a_cell_is_a_line(tmp_path, notebook):
    write(notebook, tmp_path / "credit.ipynb")
    lines = (tmp_path / "credit.ipynb").read_text(encoding="utf-8").split("\n")
    assert [cell["id"] in line for cell, line in zip(notebook.cells, lines[1:], strict=False)] == [True] * 3
