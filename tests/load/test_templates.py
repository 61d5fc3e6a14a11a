"""`evalkit new`: the starter passes the checks, explains itself in two languages, and destroys nothing."""

import re

import openpyxl
import pytest

from evalkit.errors import DataError, ParameterError
from evalkit.load import forms, reference, schema, templates
from evalkit.load.dataset import check, open_dataset


@pytest.fixture(scope="module")
def starter(tmp_path_factory):
    return templates.new(tmp_path_factory.mktemp("new") / "starter", "all")


@pytest.mark.parametrize("tables", [("credit", "poverty", "income"), ("groups",), ("repayments", "loans")])
def test_a_starter_of_any_tables_passes_the_checks(tmp_path, tables):
    folder = templates.new(tmp_path / "d", tables)
    assert {path.stem for path in folder.glob("*.xlsx")} == {"communes", *tables}
    assert check(folder).empty


def test_the_starter_passes_the_checks(starter):
    found = check(starter)
    assert found.empty, found["message"].tolist()
    dataset = open_dataset(starter)
    assert set(dataset.tables) == set(schema.tables()) - {"communes"}
    assert dataset.settings["data"]["real"] is False


def test_the_example_reads_back_as_it_was_filled_in(starter):
    tables = open_dataset(starter).tables
    for table, rows in templates.example().items():
        if table == "communes":
            continue
        frame = tables[table]
        assert len(frame) == len(rows)
        for k, row in enumerate(rows):
            for column, value in row.items():
                if column in schema.fields(table):
                    assert frame[column].iloc[k] == value, (table, column)


@pytest.mark.parametrize("table", schema.tables())
def test_a_form_has_units_lists_and_explanations(starter, table):
    book = openpyxl.load_workbook(starter / f"{table}.xlsx")
    assert book.sheetnames[:2] == ["Hướng dẫn", schema.resource(table)["label"]["vi"]]
    sheet = book.worksheets[1]
    head = {name: sheet.cell(3, j) for j, name in enumerate(forms.columns(table), start=1)}
    prompts = {str(rule.sqref).split(":")[0]: rule for rule in sheet.data_validations.dataValidation}
    for name, field in schema.fields(table).items():
        if field.get("constraints", {}).get("personal") == "drop":
            assert name not in head
            continue
        cell = head[name]
        assert field["label"]["en"] in cell.value
        assert ("(triệu đồng)" in cell.value) == (field.get("unit") == "VND")
        vietnamese, english = cell.comment.text.split("\n")
        assert vietnamese.startswith(field["label"]["vi"])
        assert english.startswith(field["label"]["en"])
        rule = prompts[f"{cell.column_letter}4"]
        assert (rule.type == "list") == bool(forms.options(table, name))
        assert rule.prompt
    guide = "\n".join(str(c.value) for row in book["Hướng dẫn"] for c in row if c.value)
    assert all(field["label"]["vi"] in guide for n, field in schema.fields(table).items() if n in head)


@pytest.mark.parametrize(
    ("table", "column"), [("credit", "programme"), ("poverty", "standard"), ("groups", "union")]
)
def test_a_drop_down_names_what_the_reader_understands(starter, table, column):
    book = openpyxl.load_workbook(starter / f"{table}.xlsx")
    lists = {column[0].value: [c.value for c in column[1:] if c.value] for column in book["Danh mục"].columns}
    assert lists[column] == forms.options(table, column)
    if column == "programme":
        assert set(reference.programmes()["name_vi"]) < set(lists[column])


def test_settings_are_explained_in_both_languages(starter):
    text = (starter / "dataset.toml").read_text(encoding="utf-8")
    assert len(re.findall(r"#.* · ", text)) >= 8


def test_a_table_that_is_none_is_refused_before_anything_is_written(tmp_path):
    with pytest.raises(ParameterError, match="--tables loan: no such table"):
        templates.new(tmp_path / "d", ["credit", "loan"])
    assert not (tmp_path / "d").exists()


def test_a_folder_with_files_is_left_alone(tmp_path):
    (tmp_path / "mine.csv").write_text("x")
    with pytest.raises(DataError, match="isn't empty; nothing was written"):
        templates.new(tmp_path)
    assert [p.name for p in tmp_path.iterdir()] == ["mine.csv"]
