"""Whatever stands in the files, the checks answer with findings and never with an exception of their own."""

import csv
import io

import pandas as pd
import pytest
from dataset_sample import SETTINGS, communes, income, tables, write
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from evalkit.errors import DataError
from evalkit.load import schema, templates
from evalkit.load.dataset import check, open_dataset
from evalkit.load.findings import RULES

CELLS = st.one_of(
    st.sampled_from(
        ["", "0", "-1", "1.234", "1e400", "nan", "inf", "#REF!", "=A1", "10001", "10007", "08434", "x"]
    ),
    st.sampled_from(
        ["2015", "2021", "9999", "31/12/2020", "2020-13-45", "2016-2020", "poor", "total", "women", "có"]
    ),
    st.integers(-(10**12), 10**18).map(str),
    st.text(max_size=12),
)
FEW, MORE = (
    settings(max_examples=n, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
    for n in (8, 25)
)


@st.composite
def files(draw):
    """(name of a table, text of a CSV file with some of its columns, in any order, and any cells)."""
    table = draw(st.sampled_from(schema.tables()))
    names = list(schema.fields(table))
    must = schema.required(table) if draw(st.booleans()) else []
    header = list(dict.fromkeys([*must, *draw(st.lists(st.sampled_from(names), max_size=8))])) or ["code"]
    rows = draw(st.lists(st.lists(CELLS, min_size=len(header), max_size=len(header)), max_size=6))
    text = io.StringIO()
    csv.writer(text).writerows([header, *rows])
    return table, text.getvalue()


def answer(folder):
    """The findings, each of a known rule and with a sentence."""
    found = check(folder)
    assert set(found["rule"]) <= set(RULES)
    assert found["message"].str.len().gt(0).all()
    return found


@MORE
@given(files())
def test_any_cells(tmp_path, file):
    table, text = file
    beside = {name: tables()[name] for name in ("credit", "groups") if table in ("credit", "groups")}
    folder = write(tmp_path / table, **beside)
    (folder / f"{table}.csv").write_text(text, encoding="utf-8", errors="replace")
    answer(folder)


@FEW
@given(
    st.sampled_from(["credit.csv", "poverty.xlsx", "income.parquet", "corrections.csv", "dataset.toml"]),
    st.binary(max_size=60),
)
def test_any_bytes(tmp_path, name, content):
    folder = write(tmp_path / name.replace(".", "-"))
    (folder / name).write_bytes(content)
    answer(folder)


@FEW
@given(st.data())
def test_gaps_anywhere(tmp_path, data):
    """Missing figures are never an exception, whichever they are."""
    frames = {}
    for name, frame in tables().items():
        free = [c for c in frame if c not in schema.required(name) and c not in schema.key(name)]
        gaps = data.draw(
            st.lists(st.tuples(st.integers(0, len(frame) - 1), st.sampled_from(free)), max_size=12)
        )
        frame = frame.astype(object)
        for row, column in gaps:
            frame.loc[row, column] = None
        frames[name] = frame
    answer(write(tmp_path / "d", **frames))


@pytest.mark.parametrize("table", schema.tables())
def test_each_column_missing_in_turn(tmp_path, table):
    """Two rows lack each column, keys included: a comparison with an absent text is neither true nor false."""
    columns = list(schema.fields(table))
    example = pd.DataFrame(templates.example()[table], columns=columns, dtype=object)
    rows = pd.concat([example.iloc[[k % len(example)]] for k in range(2 * len(columns))], ignore_index=True)
    for k, column in enumerate(2 * columns):
        rows.loc[k, column] = None
    places = pd.DataFrame(templates.example()["communes"])
    found = answer(write(tmp_path / "d", **({"communes": places, table: rows})))
    missing = set(found.loc[found["rule"] == "missing_value", "column"])
    assert missing
    assert missing <= set(schema.required(table))


def test_opening_fails_where_and_only_where_the_checks_find_an_error(tmp_path):
    open_dataset(write(tmp_path / "sound", income=income()))
    folder = write(tmp_path / "broken", income=income().assign(code="55555"))
    with pytest.raises(DataError) as raised:
        open_dataset(folder)
    pd.testing.assert_frame_equal(raised.value.findings, answer(folder))


def test_tables_without_rows(tmp_path):
    answer(write(tmp_path / "d", **{name: frame.iloc[:0] for name, frame in tables().items()}))
    answer(write(tmp_path / "e", communes=communes().iloc[:0], **tables()))


def test_a_table_of_one_row_and_only_required_columns(tmp_path):
    for name, frame in tables().items():
        answer(write(tmp_path / name, **{name: frame[schema.required(name)].head(1)}))


def test_a_code_of_no_place_anywhere(tmp_path):
    frames = {name: frame.assign(code="55555") for name, frame in tables().items()}
    found = check(write(tmp_path / "d", settings=SETTINGS, **frames))
    assert set(found.query("severity == 'error'")["rule"]) >= {"unknown_place"}
    assert isinstance(found, pd.DataFrame)
