"""A data set as it is opened: bad input gives one clear message, with file, row, column, value and mend."""

import pandas as pd
import pytest
from dataset_sample import SETTINGS, communes, credit, facts, income, poverty, rules, tables, write
from hypothesis import given
from hypothesis import strategies as st

from evalkit.errors import DataError
from evalkit.load import findings
from evalkit.load.dataset import check, open_dataset


def message(folder):
    with pytest.raises(DataError) as raised:
        open_dataset(folder)
    assert raised.value.findings["severity"].eq("error").any()
    return str(raised.value)


def test_a_missing_column_is_named_with_the_one_that_may_be_meant(tmp_path):
    folder = write(tmp_path / "d", credit=credit().rename(columns={"outstanding_vnd": "outstandng_vnd"}))
    said = message(folder)
    assert said.startswith("credit.csv: column “outstanding_vnd” is missing (is it “outstandng_vnd”?)")


def test_a_missing_column_of_a_vietnamese_sheet(tmp_path):
    folder = write(tmp_path / "d")
    (folder / "credit.csv").write_text("Mã xã,Năm,Chương trình\n10001,2020,Hộ nghèo\n", encoding="utf-8")
    assert "Tổng dư nợ" in message(folder)


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("credit.xlsx", b"this is no workbook"),
        ("credit.xlsx", b"PK\x03\x04 cut off"),
        ("credit.parquet", b"PAR1 damaged"),
        ("credit.dta", b"\x00\x01\x02"),
        ("credit.csv", b""),
        ("credit.csv", b"\x00\xff\x00\x01"),
    ],
)
def test_an_unreadable_file(tmp_path, name, content):
    folder = write(tmp_path / "d")
    (folder / name).write_bytes(content)
    assert name in message(folder)


def test_a_duplicate_key_names_both_rows(tmp_path):
    frame = pd.concat([income(), income().head(1).assign(income_vnd=41_000_000)])
    said = message(write(tmp_path / "d", income=frame))
    assert "income.csv, row 12: the same code + year + basis as in income.csv, row 2" in said
    assert "(10001, 2019, self_survey)" in said


@pytest.mark.parametrize(
    ("column", "value"),
    [
        ("outstanding_vnd", "many"),
        ("year", "last year"),
        ("borrowers", "61.5"),
        ("code", "1001x"),
        ("lent_vnd", "#REF!"),
    ],
)
def test_a_value_of_the_wrong_kind(tmp_path, column, value):
    frame = credit().astype(object)
    frame.iloc[3, frame.columns.get_loc(column)] = value
    folder = write(tmp_path / "d", credit=frame)
    errors = check(folder).query("severity == 'error'")
    assert errors[["file", "row", "column"]].values.tolist() == [["credit.csv", 5, column]]
    assert value in message(folder)
    assert "credit.csv, row 5" in message(folder)


def test_a_row_with_too_few_or_too_many_cells(tmp_path):
    folder = write(tmp_path / "d")
    lines = [
        "code,year,standard,poor",
        "10001,2019,2016-2020,12",
        "10001,2020,12",
        "10001,2021,2016-2020,9,9",
    ]
    (folder / "poverty.csv").write_text("\n".join(lines), encoding="utf-8")
    errors = check(folder).query("rule == 'ragged_row'")
    assert errors["row"].tolist() == [3, 4]
    assert "3 cells under a header of 4" in errors["message"].iloc[0]


def test_rows_are_numbered_as_in_the_file(tmp_path):
    """Empty lines and line breaks inside a cell don't shift the numbers: a row is a record of the file."""
    folder = write(tmp_path / "d")
    lines = [
        "code,year,programme,outstanding_vnd,note",
        '10001,2019,poor,5,"two\nlines"',
        "",
        ",,,,",
        "10001,2020,poor,-7,",
    ]
    (folder / "credit.csv").write_text("\n".join(lines), encoding="utf-8")
    assert check(folder).query("rule == 'out_of_bounds'")["row"].tolist() == [5]


def test_an_empty_folder_and_none_at_all(tmp_path):
    (tmp_path / "d").mkdir()
    assert rules(check(tmp_path / "d"), "error") == {"empty_folder", "settings"}
    assert "evalkit new" in message(tmp_path / "d")
    with pytest.raises(DataError, match="no such folder"):
        open_dataset(tmp_path / "nowhere")


def test_no_table_of_places(tmp_path):
    folder = write(tmp_path / "d", income=income())
    (folder / "communes.csv").unlink()
    assert "communes.csv: column “code” is missing" in message(folder)


def test_no_dataset_toml(tmp_path):
    folder = write(tmp_path / "d", income=income())
    (folder / "dataset.toml").unlink()
    assert message(folder) == "dataset.toml: is missing. `evalkit new` writes one."


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ("\n[publish]\nsuppresion_threshold = 5\n", "(is it “suppression_threshold”?)"),
        ("\n[publsh]\nsuppression_threshold = 5\n", "(is it “publish”?)"),
        ("\n[publish]\nsuppression_threshold = '5'\n", "should be of type int"),
        ("\nthis is not toml", "can't be read"),
        ("\n[[acknowledge]]\nrule = 'group_size'\nvalue = 3\nplace = '10001'\n", "reason is missing"),
        ("\n[[acknowledge]]\nrule = 'group_size'\nvalue = 3\nreason = 'x'\n", "say of what"),
        (
            "\n[[acknowledge]]\nrule = 'group_sise'\nvalue = 3\nplace = '10001'\nreason = 'x'\n",
            "(is it “group_size”?)",
        ),
    ],
)
def test_misspelt_settings(tmp_path, wrong, said):
    folder = write(tmp_path / "d", settings=SETTINGS + wrong, income=income())
    assert message(folder).startswith("dataset.toml: ")
    assert said in message(folder)


@pytest.mark.parametrize("line", ["title", "real", "years = [2019, 2023]"])
def test_settings_that_are_needed(tmp_path, line):
    settings = "\n".join(each for each in SETTINGS.splitlines() if line not in each)
    settings = settings.replace('vi = "Thử nghiệm"\nen = "A trial"\n', "") if line == "title" else settings
    assert "is missing" in message(write(tmp_path / "d", settings=settings, income=income()))


def test_an_unknown_code_with_the_nearest(tmp_path):
    said = message(write(tmp_path / "d", income=income(("10005",))))
    assert "“10005” is not in communes (is it “1000" in said


def test_several_errors_are_all_in_the_exception(tmp_path):
    folder = write(tmp_path / "d", credit=credit().drop(columns="year"), income=income().drop(columns="per"))
    with pytest.raises(DataError, match="1 more; `evalkit check") as raised:
        open_dataset(folder)
    assert set(raised.value.findings.query("severity == 'error'")["column"]) == {"year", "per"}


def test_a_code_used_twice_is_looked_up_by_date(tmp_path):
    """08434 was the town Hưng Hóa to June 2025 and is the commune Tam Nông since."""
    places = (
        communes()
        .head(2)
        .assign(
            code="08434",
            name=["Hưng Hóa", "Tam Nông"],
            valid_from=[None, "2025-07-01"],
            valid_to=["2025-06-30", None],
        )
    )
    rows = facts(
        {"code": "08434", "indicator": "population", "value": "5000", "as_of": "2019"},
        {"code": "08434", "indicator": "population", "value": "30000", "as_of": "2025-12-31"},
        {
            "code": "08434",
            "indicator": "population",
            "value": "5001",
            "as_of": None,
            "source_url": "https://example.org/b",
        },
    )
    data = open_dataset(write(tmp_path / "d", communes=places, facts=rows))
    assert data.tables["facts"]["place"].tolist() == ["08434-until-2025", "08434-2025", "08434-until-2025"]


def test_a_form_that_came_back_half_filled(tmp_path):
    """Rows that hold keys and no figure are set aside: missing is never zero."""
    frame = poverty(("10001",)).astype(object)
    frame.loc[2:, ["households", "poor", "near_poor", "poor_pct", "near_poor_pct"]] = None
    data = open_dataset(write(tmp_path / "d", poverty=frame))
    assert len(data.tables["poverty"]) == 2
    hit = data.findings.query("rule == 'empty_rows'").iloc[0]
    assert "4 rows hold no figure and are set aside: 4, 5, 6, 7" in hit["message"]


def test_opening_changes_nothing_in_the_folder(tmp_path):
    folder = write(tmp_path / "d", **tables())
    before = {p.name: p.read_bytes() for p in folder.iterdir()}
    open_dataset(folder)
    assert {p.name: p.read_bytes() for p in folder.iterdir()} == before


def test_findings_come_errors_first():
    found = [
        findings.finding(s, "settings", file="f", fault=s) for s in ("note", "error", "warning", "error")
    ]
    assert findings.table(found)["severity"].tolist() == ["error", "error", "warning", "note"]


@given(st.one_of(st.integers(-(10**15), 10**15), st.floats(allow_nan=False, allow_infinity=False)))
def test_plain_text_of_a_number_reads_back(value):
    assert float(findings.plain(value)) == value


def test_plain_text_does_not_tell_kinds_of_numbers_apart():
    assert findings.plain(26.5e9) == findings.plain(26_500_000_000) == "26500000000"
    assert findings.plain(pd.NA) == findings.plain(None) == findings.plain(float("nan")) == ""
