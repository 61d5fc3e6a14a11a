"""Whatever stands in the files, the checks answer with findings and never with an exception of their own."""

import csv
import io

import pandas as pd
from dataset_sample import SETTINGS, communes, tables, write
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from evalkit.errors import DataError
from evalkit.load import schema
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
QUIET = settings(max_examples=8, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])


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
    """The findings, each of a known rule; opening fails where, and only where, one is an error."""
    found = check(folder)
    assert set(found["rule"]) <= set(RULES)
    assert found["message"].str.len().gt(0).all()
    try:
        open_dataset(folder)
    except DataError:
        assert found["severity"].eq("error").any()
    else:
        assert not found["severity"].eq("error").any()


@QUIET
@given(files())
def test_any_cells(tmp_path, file):
    table, text = file
    folder = write(tmp_path / "d", **tables())
    (folder / f"{table}.csv").write_text(text, encoding="utf-8", errors="replace")
    answer(folder)


@QUIET
@given(
    st.sampled_from(["credit.csv", "poverty.xlsx", "income.parquet", "corrections.csv", "dataset.toml"]),
    st.binary(max_size=60),
)
def test_any_bytes(tmp_path, name, content):
    folder = write(tmp_path / name.replace(".", "-"))
    (folder / name).write_bytes(content)
    answer(folder)


@QUIET
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
