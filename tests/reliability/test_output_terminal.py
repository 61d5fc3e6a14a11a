"""What data put into messages, names and notes stays text: on a terminal, in figures and in downloads."""

import io

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from openpyxl import load_workbook
from rich.console import Console

from evalkit.batch.child import one_sentence
from evalkit.batch.journal import Row
from evalkit.batch.progress import Lines, Rich
from evalkit.batch.summary import RunSummary
from evalkit.errors import DataError, printable
from evalkit.load import forms
from evalkit.present.charts.canvas import canvas, svg
from evalkit.publish.download import safe, write_csv

HOSTILE = "[/foo] [red]x[/red] \x1b]8;;http://evil\x1b\\link\x1b[2J \u202eabc \x9b2J\r over\x07"
STEERING = [chr(n) for n in (*range(32), *range(127, 160), 0x202E, 0x2066, 0x200F) if chr(n) not in "\t\n"]


@given(st.text(st.sampled_from([*STEERING, "a", "ộ", "[", "\n"])))
def test_no_character_that_steers_a_terminal_is_left_and_nothing_else_changes(text):
    said = printable(text)
    assert not set(said) & set(STEERING)
    assert printable(said) == said
    assert [c for c in said if c in "ộ\n"] == [c for c in text if c in "ộ\n"]


def test_errors_and_the_sentences_of_failed_notebooks_steer_no_terminal():
    for said in (str(DataError(HOSTILE)), one_sentence("ValueError", HOSTILE)):
        assert not set(said) & set(STEERING)
        assert "\\x1b]8;;http://evil" in said


def row(**given):
    return Row(**{"name": "01001/vi/credit", "notebook": "credit", "status": "failed", "error": "x"} | given)


@pytest.mark.parametrize("text", ["[/foo]", "[red]x", "[link=http://evil]here[/link]", "KeyError: '[/]'"])
def test_brackets_in_an_error_are_no_markup_of_the_progress_or_the_summary(text, capsys):
    bar = Rich()
    bar.start(2, 0)
    bar.row(row(error=text, name=f"place/{text}"))
    bar.end()
    assert text in capsys.readouterr().err
    told = io.StringIO()
    Console(file=told, width=200).print(RunSummary((row(error=text),)))
    assert text in told.getvalue()


def test_progress_lines_stay_one_line_each(capsys):
    lines = Lines()
    lines.start(1, 0)
    lines.row(row(error=one_sentence("ValueError", "first\r\nsecond\x1b[2J")))
    told = capsys.readouterr().err
    assert told.count("\n") == 2
    assert "\x1b" not in told


FORMULAS = ["=1+1", "+84 912", "-2+3", "@SUM(A1)", "\t=1", "\r=1", "=HYPERLINK(\"http://evil\")"]  # fmt: skip


def test_texts_that_would_run_get_an_apostrophe_and_negative_numbers_stay_numbers(tmp_path):
    assert [safe(text)[0] for text in FORMULAS] == ["'"] * len(FORMULAS)
    frame = pd.DataFrame(
        {"text": FORMULAS, "number": [-1.5, 2, 3, 4, 5, 6, 7], "object": [-3, *FORMULAS[1:]]}
    )
    frame["category"] = frame["text"].astype("category")
    write_csv(tmp_path / "x.csv", frame)
    back = pd.read_csv(tmp_path / "x.csv", encoding="utf-8-sig", dtype={"object": str})
    assert back["number"].tolist() == [-1.5, 2, 3, 4, 5, 6, 7]
    assert back["object"][0] == "-3"
    for column in ("text", "category"):
        assert [value[0] for value in back[column]] == ["'"] * len(FORMULAS), column


def test_a_form_filled_in_from_data_holds_no_formula_and_nothing_that_a_sheet_cannot(tmp_path):
    book = forms.workbook()
    name = '=HYPERLINK("http://evil")\x1b[2J'
    rows = [{"code": "08473", "name": name, "type": "xã", "valid_from": None}]
    forms.add_sheet(book, "communes", rows, remark="=1+1")
    book.save(tmp_path / "form.xlsx")
    cells = [cell for row in load_workbook(tmp_path / "form.xlsx").active.iter_rows() for cell in row]
    assert [cell.value for cell in cells if cell.data_type == "f"] == []
    assert printable(name) in [cell.value for cell in cells]


def test_a_name_with_dollar_signs_is_no_formula_of_a_figure():
    with canvas(2) as (figure, axes):
        axes.set_title("Hương $\\frac$ Nộn")
        axes.text(0, 0, "$a_$")
        assert svg(figure)
