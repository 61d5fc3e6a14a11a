"""The ledger: what goes in comes out, faults are set aside with reasons, nothing personal is kept."""

import csv
import re
from datetime import date
from pathlib import Path

import duckdb
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from evalkit.errors import DataError, PlaceError
from evalkit.load.ledger import ingest, open_ledger
from evalkit.load.ledger.statements import pseudonym_key
from evalkit.metrics import loans as measures
from evalkit.metrics import portfolio
from evalkit.simulate.ledger import FAULTS, PROGRAMMES, LoanBook, write_loans, write_repayments, year_ends

KEY = bytes(range(32))
NAMES = {printed: code for code, (printed, _) in PROGRAMMES.items()}
YEARS = year_ends(2021, 2023)
BOOK = LoanBook(6_000, 5, snapshots=YEARS, communes=40)


def take(store, sources, **options):
    options = {"key": KEY, "communes": BOOK.places(), "programmes": NAMES, "threads": 2} | options
    return ingest(store, sources, **options)


def rows_of(store):
    with open_ledger(store) as ledger:
        return ledger.loans().order("as_of, loan").df()


@pytest.fixture(scope="module")
def dumps(tmp_path_factory):
    return write_loans(BOOK, tmp_path_factory.mktemp("dumps"))


@pytest.fixture(scope="module")
def store(dumps, tmp_path_factory):
    folder = tmp_path_factory.mktemp("ledger") / "store"
    take(folder, dumps)
    return folder


LOAN = {
    "loan": "1",
    "code": "00001",
    "household": "H1",
    "name": "Lò Thị Páo",
    "programme": "poor",
    "disbursed_on": "2020-03-01",
    "due_on": "2025-03-01",
    "amount_vnd": "50000000",
    "as_of": "2022-12-31",
    "outstanding_vnd": "30000000",
    "overdue_vnd": "0",
    "days_past_due": "0",
    "status": "current",
}


def write_csv(path, *rows, header=None, delimiter=","):
    with open(path, "w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, delimiter=delimiter)
        writer.writerow(header or LOAN)
        writer.writerows([{**LOAN, **row}.values() for row in rows])
    return path


# What goes in comes out.


def test_every_row_of_a_vietnamese_dump_comes_out_as_it_was_simulated(store):
    found = rows_of(store)
    expected = pd.concat([block.assign(as_of=day) for day in YEARS for block in BOOK.loan_blocks(day)])
    expected = expected.sort_values(["as_of", "k"]).reset_index(drop=True)
    assert len(found) == len(expected) == 6_000
    assert (found["loan"] == expected["k"].map("L{:010d}".format)).all()
    assert (found["code"] == (1 + 3 * expected["commune"]).map("{:05d}".format)).all()
    assert (found["programme"] == expected["programme"].map(list(PROGRAMMES).__getitem__)).all()
    for name in ("amount_vnd", "outstanding_vnd", "overdue_vnd", "days_past_due"):
        assert (found[name] == expected[name]).all(), name
    for name in ("disbursed_on", "due_on", "as_of"):
        assert (pd.to_datetime(found[name]) == pd.to_datetime(expected[name])).all(), name
    assert found["household"].nunique() == expected["household"].nunique()


@pytest.mark.parametrize("compression", [None, "gzip", "zstd"])
def test_language_and_compression_change_nothing(compression, store, tmp_path):
    files = write_loans(BOOK, tmp_path / "dumps", language="en", compression=compression)
    take(tmp_path / "store", files)
    pd.testing.assert_frame_equal(rows_of(tmp_path / "store"), rows_of(store))


def test_parquet_and_json_lines_come_out_as_the_csv_does(dumps, store, tmp_path):
    english = write_loans(BOOK, tmp_path / "dumps", language="en")
    for path in english:
        duckdb.read_csv(str(path), dtype={"code": "VARCHAR"}).write_parquet(
            str(tmp_path / f"{path.stem}.parquet")
        )
        duckdb.sql(
            f"COPY (FROM read_csv('{path}', all_varchar = true)) "
            f"TO '{tmp_path / path.stem}.jsonl' (FORMAT json)"
        )
    for suffix in ("parquet", "jsonl"):
        take(tmp_path / suffix, sorted(tmp_path.glob(f"*.{suffix}")))
        pd.testing.assert_frame_equal(rows_of(tmp_path / suffix), rows_of(store))


def test_a_commune_reads_its_own_loans(store):
    whole = rows_of(store)
    with open_ledger(store) as ledger:
        for code in ("00001", "00061", "00118"):
            expected = whole[whole["code"] == code].reset_index(drop=True)
            assert len(expected)
            pd.testing.assert_frame_equal(ledger.commune(code), expected)
        one = ledger.commune("00061", as_of="2021-12-31")
        assert set(one["as_of"].dt.date) == {date(2021, 12, 31)}
        with pytest.raises(PlaceError, match="61"):
            ledger.commune("61")


def test_the_store_is_plain_hive_parquet_sorted_by_commune(store):
    folder = store / "0001" / "loans"
    path = folder / "as_of=2021-12-31" / "province=01"
    assert path.is_dir()
    rel = duckdb.sql(f"FROM read_parquet('{folder}/**/*.parquet', hive_partitioning = true)")
    assert rel.count("*").fetchall() == [(6_000,)]
    import pyarrow.dataset as ds

    whole = ds.dataset(folder, partitioning=ds.partitioning(flavor="hive"))
    assert whole.count_rows() == 6_000
    for file in folder.rglob("*.parquet"):
        codes = [row[0] for row in duckdb.sql(f"SELECT code FROM read_parquet('{file}')").fetchall()]
        assert codes == sorted(codes)


def test_units_in_headers_and_a_semicolon(tmp_path):
    header = [*LOAN]
    header[header.index("amount_vnd")] = "Số tiền vay (triệu đồng)"
    header[header.index("outstanding_vnd")] = "Dư nợ (nghìn đồng)"
    path = write_csv(
        tmp_path / "a.csv", {"amount_vnd": "62,5", "outstanding_vnd": "62.500"}, header=header, delimiter=";"
    )
    take(tmp_path / "store", path, programmes={})
    [row] = rows_of(tmp_path / "store").to_dict("records")
    assert (row["amount_vnd"], row["outstanding_vnd"]) == (62_500_000, 62_500_000)


# What is wrong is set aside, with its reason.

BAD = [
    ({"loan": ""}, "loan", "required"),
    ({"code": "99999"}, "code", "reference"),
    ({"programme": " "}, "programme", "required"),
    ({"disbursed_on": "31/02/2020"}, "disbursed_on", "type"),
    ({"disbursed_on": ""}, "disbursed_on", "required"),
    ({"amount_vnd": "1.234"}, "amount_vnd", "type"),
    ({"amount_vnd": "12 triệu"}, "amount_vnd", "type"),
    ({"amount_vnd": "1e9"}, "amount_vnd", "type"),
    ({"amount_vnd": "0.5"}, "amount_vnd", "type"),
    ({"amount_vnd": "99999999999999999999"}, "amount_vnd", "type"),
    ({"amount_vnd": "NaN"}, "amount_vnd", "type"),
    ({"outstanding_vnd": "-5"}, "outstanding_vnd", "minimum"),
    ({"outstanding_vnd": ".."}, "outstanding_vnd", "required"),
    ({"days_past_due": "-1"}, "days_past_due", "minimum"),
    ({"days_past_due": "x"}, "days_past_due", "type"),
    ({"as_of": "2999-12-31"}, "as_of", "future"),
    ({"status": "lost"}, "status", "enum"),
]


@pytest.mark.parametrize(("cells", "column", "rule"), BAD)
def test_a_broken_cell_sets_its_row_aside(cells, column, rule, tmp_path):
    path = write_csv(tmp_path / "a.csv", {"loan": "good", "amount_vnd": "50000000"}, cells)
    delivery = take(tmp_path / "store", path, programmes={})
    assert (delivery.rows_read, delivery.rows_accepted, delivery.rows_set_aside) == (2, 1, 1)
    errors = delivery.findings.query("severity == 'error'")
    assert errors[["column", "rule", "count"]].to_numpy().tolist() == [[column, rule, 1]]
    with open_ledger(tmp_path / "store") as ledger:
        assert ledger.rejected().project("faults").fetchall() == [(f"{column}:{rule}",)]
        assert ledger.loans().project("loan").fetchall() == [("good",)]


def test_every_fault_of_a_row_is_named(tmp_path):
    path = write_csv(
        tmp_path / "a.csv", {"amount_vnd": "-1", "status": "lost", "due_on": "soon"}, {"loan": "2"}
    )
    findings = take(tmp_path / "store", path, programmes={}).findings.query("severity == 'error'")
    assert set(zip(findings["column"], findings["rule"], findings["value"], strict=True)) == {
        ("amount_vnd", "minimum", "-1"),
        ("status", "enum", "lost"),
        ("due_on", "type", "soon"),
    }


@settings(max_examples=5, deadline=None)
@given(st.integers(0, 10_000), st.floats(0, 0.3))
def test_rows_read_are_rows_accepted_and_rows_set_aside(tmp_path_factory, seed, share):
    folder = tmp_path_factory.mktemp("faulty")
    book = LoanBook(600, seed, snapshots=YEARS[:2], communes=10, faulty=share)
    faults = pd.concat([block for day in book.snapshots for block in book.loan_blocks(day)])["fault"]
    delivery = take(folder / "store", write_loans(book, folder / "dumps"), communes=book.places())
    assert delivery.rows_read == 600
    assert delivery.rows_set_aside == (faults > 0).sum()
    counted = delivery.findings.query("severity == 'error'").groupby("rule")["count"].sum()
    names = {i + 1: fault.split(":")[0] for i, fault in enumerate(FAULTS)}
    expected = faults[faults > 0].map(names).replace("pattern", "reference").value_counts()
    assert counted.to_dict() == expected.to_dict()


def test_lines_that_are_no_rows(tmp_path):
    path = write_csv(tmp_path / "a.csv", {"loan": "1"})
    with open(path, "ab") as file:
        file.write(b"2,00001\r\n")
        file.write(b"3" + b",x" * 30 + b"\r\n")
        file.write(b"\xff\xfe" + b",x" * (len(LOAN) - 1) + b"\r\n")
    delivery = take(tmp_path / "store", path, programmes={})
    assert (delivery.rows_read, delivery.rows_accepted) == (4, 1)
    assert set(delivery.findings["rule"]) == {"missing_columns", "too_many_columns", "invalid_encoding"}
    assert delivery.findings.set_index("rule")["row"].to_dict() == {
        "missing_columns": 3,
        "too_many_columns": 4,
        "invalid_encoding": 5,
    }


def test_contradictions_between_columns_are_remarked_and_kept(tmp_path):
    path = write_csv(tmp_path / "a.csv", {"overdue_vnd": "40000000", "days_past_due": "9"}, {"loan": "2"})
    delivery = take(tmp_path / "store", path, programmes={})
    assert delivery.rows_accepted == 2
    [finding] = delivery.findings.to_dict("records")
    assert (finding["severity"], finding["rule"], finding["value"]) == (
        "warning",
        "overdue_within_outstanding",
        "1",
    )


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "no header"),
        ("loan,code\n1,2\n", "no column for programme"),
        ("loan,loan id\n1,2\n", "are both loan"),
        (
            ",".join(LOAN)
            + "\n"
            + ",".join({**LOAN, "amount_vnd": "50.000", "outstanding_vnd": "30.000"}.values())
            + "\n",
            "two figures",
        ),
        (",".join(LOAN) + "\n" + ",".join({**LOAN, "due_on": "03/28/2020"}.values()) + "\n", "month first"),
    ],
)
def test_a_file_that_cannot_be_read_is_refused_and_the_store_is_as_before(text, said, store, tmp_path):
    path = tmp_path / "bad.csv"
    path.write_text(text, encoding="utf-8")
    before = rows_of(store)
    with pytest.raises(DataError, match=said):
        take(store, path, programmes={})
    pd.testing.assert_frame_equal(rows_of(store), before)


@pytest.mark.parametrize("name", ["a.xlsx", "absent.csv"])
def test_a_path_that_is_no_delivery(name, tmp_path):
    (tmp_path / "a.xlsx").write_bytes(b"PK")
    with pytest.raises(DataError, match=name):
        take(tmp_path / "store", tmp_path / name)


@pytest.mark.parametrize("content", [b"\x1f\x8b\x08\x00broken", b"not packed at all"])
def test_a_damaged_archive(content, tmp_path):
    (tmp_path / "a.csv.gz").write_bytes(content)
    with pytest.raises(DataError, match=r"a\.csv\.gz"):
        take(tmp_path / "store", tmp_path / "a.csv.gz")


HOSTILE = "'; DROP TABLE plan; --"


def test_hostile_text_is_only_text(tmp_path):
    folder = tmp_path / 'it\'s "a" folder'
    folder.mkdir()
    header = [*LOAN, "\"); ATTACH 'x'; --"]
    path = write_csv(folder / "a';b.csv", header=header)
    with open(path, "a", encoding="utf-8", newline="") as file:
        csv.writer(file).writerow([*{**LOAN, "loan": HOSTILE, "programme": "=cmd()"}.values(), "x"])
    delivery = take(folder / "store's", path, programmes={})
    assert delivery.rows_accepted == 1
    [row] = rows_of(folder / "store's").to_dict("records")
    assert (row["loan"], row["programme"]) == (HOSTILE, "=cmd()")


def test_a_query_on_the_ledger_reaches_no_other_file(store, tmp_path):
    (tmp_path / "secret.csv").write_text("a\n1\n")
    with open_ledger(store) as ledger:
        with pytest.raises(duckdb.PermissionException):
            ledger.connection.sql(f"FROM read_csv('{tmp_path / 'secret.csv'}')").fetchall()
        with pytest.raises(duckdb.Error):
            ledger.connection.execute("SET enable_external_access = true")


# Personal data.


def bytes_of(folder):
    for path in Path(folder).rglob("*"):
        if path.is_file():
            yield path.read_bytes()
            if path.suffix == ".parquet":
                yield duckdb.sql(f"FROM read_parquet('{path}')").df().to_csv().encode()


def test_the_store_keeps_no_name_no_identity_number_and_no_key(tmp_path):
    book = LoanBook(600, 3, snapshots=YEARS[:1], communes=10, faulty=0.2)
    [dump] = write_loans(book, tmp_path / "dumps")
    take(tmp_path / "store", dump, communes=book.places())
    with open(dump, encoding="utf-8") as file:
        people = [(row["Họ và tên"], row["Số CCCD"], row["Mã khách hàng"]) for row in csv.DictReader(file)]
    secrets = {text.encode() for person in people for text in person} | {KEY, KEY.hex().encode()}
    secrets.add(pseudonym_key(KEY).encode())
    for content in bytes_of(tmp_path / "store"):
        assert not [secret for secret in secrets if secret in content]


def test_pseudonyms_are_equal_for_equal_households_and_need_the_key(tmp_path):
    import hashlib

    path = write_csv(tmp_path / "a.csv", {"loan": "1"}, {"loan": "2"}, {"loan": "3", "household": "H2"})
    found = {}
    for name, key in (("a", KEY), ("b", KEY[::-1]), ("c", None)):
        take(tmp_path / name, path, programmes={}, key=key)
        found[name] = rows_of(tmp_path / name)["household"].tolist()
    assert found["a"][0] == found["a"][1] != found["a"][2]
    assert found["a"][0] == hashlib.sha256((pseudonym_key(KEY) + "H1").encode()).hexdigest()[:16]
    assert not set(found["a"]) & set(found["b"])
    assert pd.isna(found["c"]).all()


def test_another_key_is_refused(dumps, tmp_path):
    take(tmp_path / "store", dumps[0])
    with pytest.raises(DataError, match="another key"):
        take(tmp_path / "store", dumps[1], key=KEY[::-1])
    with pytest.raises(DataError, match="32"):
        take(tmp_path / "store", dumps[1], key=b"short")


# Deliveries upon deliveries.


def test_snapshots_one_by_one_give_the_store_of_all_at_once(dumps, store, tmp_path):
    for dump in dumps:
        take(tmp_path / "store", dump)
    found, expected = rows_of(tmp_path / "store"), rows_of(store)
    pd.testing.assert_frame_equal(found, expected)
    with open_ledger(tmp_path / "store") as ledger:
        assert ledger.received["file"].tolist() == [dump.name for dump in dumps]
        assert ledger.snapshots == list(YEARS)


def test_the_same_bytes_again_change_nothing(dumps, tmp_path):
    take(tmp_path / "store", dumps[0])
    before = {path: path.stat().st_mtime_ns for path in (tmp_path / "store").rglob("*") if path.is_file()}
    copy = tmp_path / "renamed.csv"
    copy.write_bytes(dumps[0].read_bytes())
    delivery = take(tmp_path / "store", [copy, dumps[0]])
    assert delivery.skipped == ("renamed.csv", dumps[0].name)
    after = {path: path.stat().st_mtime_ns for path in (tmp_path / "store").rglob("*") if path.is_file()}
    assert after == before


def test_a_correction_replaces_its_rows_and_says_where_they_came_from(tmp_path):
    first = write_csv(tmp_path / "a.csv", {"loan": "1"}, {"loan": "2"}, {"loan": "3"})
    second = write_csv(
        tmp_path / "b.csv", {"loan": "2", "outstanding_vnd": "7", "code": "00118"}, {"loan": "4"}
    )
    take(tmp_path / "store", first, programmes={})
    delivery = take(tmp_path / "store", second, programmes={})
    assert (delivery.generation, delivery.rows_replaced) == (2, 1)
    found = rows_of(tmp_path / "store").set_index("loan")
    assert found["source"].to_dict() == {"1": 1, "2": 2, "3": 1, "4": 2}
    assert found.loc["2", ["outstanding_vnd", "code"]].tolist() == [7, "00118"]
    take(tmp_path / "store", first, programmes={})
    assert rows_of(tmp_path / "store").set_index("loan").loc["2", "outstanding_vnd"] == 7


def test_a_whole_delivery_removes_what_it_does_not_hold(tmp_path):
    other = {"as_of": "2021-12-31"}
    take(
        tmp_path / "store",
        write_csv(tmp_path / "a.csv", {"loan": "1"}, {"loan": "2"}, {"loan": "1", **other}),
        programmes={},
    )
    delivery = take(
        tmp_path / "store", write_csv(tmp_path / "b.csv", {"loan": "2"}), programmes={}, whole=True
    )
    assert delivery.rows_replaced == 2
    found = rows_of(tmp_path / "store")
    assert sorted(zip(found["as_of"].dt.year, found["loan"], strict=True)) == [(2021, "1"), (2022, "2")]


def test_repeated_rows_of_one_delivery(tmp_path):
    path = write_csv(
        tmp_path / "a.csv",
        {"loan": "1"},
        {"loan": "1"},
        {"loan": "2"},
        {"loan": "2", "overdue_vnd": "1", "days_past_due": "1"},
        {"loan": "3"},
    )
    delivery = take(tmp_path / "store", path, programmes={})
    assert (delivery.rows_read, delivery.rows_accepted, delivery.rows_set_aside) == (5, 2, 3)
    assert delivery.findings.set_index("rule")["count"].to_dict() == {"contradicted": 2, "repeated": 1}
    assert rows_of(tmp_path / "store")["loan"].tolist() == ["1", "3"]


def test_no_communes_no_provinces(dumps, store, tmp_path):
    take(tmp_path / "store", dumps, communes=None)
    found = rows_of(tmp_path / "store")
    assert found["province"].isna().all()
    pd.testing.assert_frame_equal(found.drop(columns="province"), rows_of(store).drop(columns="province"))


def test_an_absent_store(tmp_path):
    with pytest.raises(DataError, match="no ledger here"):
        open_ledger(tmp_path)


# Measures: the store and a frame of the same rows.


def test_measures_over_the_store_equal_those_over_a_frame(store):
    whole = rows_of(store)
    with open_ledger(store) as ledger:
        at = portfolio.annual_of(ledger).set_index(["code", "programme", "as_of"])
        total = portfolio.annual(ledger.loans(), by=())
        shared = portfolio.overlap(ledger.loans(), by=())
        pd.testing.assert_frame_equal(
            measures.vintages(ledger.loans()), measures.vintages(whole), check_dtype=False
        )
    for day in YEARS:
        for days in (0, 30, 90):
            frame = measures.portfolio_at_risk(whole, days=days, as_of=day, by=("code", "programme"))
            mine = at.xs(pd.Timestamp(day), level="as_of")
            expected = frame.set_index(["code", "programme"])
            assert (mine.loc[expected.index, f"at_risk_{days}_vnd"] == expected["numerator"]).all()
            assert (mine.loc[expected.index, "outstanding_vnd"] == expected["denominator"]).all()
    arrears = measures.arrears_ratio(whole, as_of=YEARS[-1]).iloc[0]
    last = total[total["as_of"] == pd.Timestamp(YEARS[-1])].iloc[0]
    assert last["overdue_vnd"] == arrears["numerator"] > 0
    held = whole[~whole["status"].isin(["repaid", "written_off"]) & (whole["outstanding_vnd"] > 0)]
    sets = held.groupby(["as_of", "household"])["programme"].nunique()
    for row in shared.itertuples():
        programmes = sets.loc[row.as_of]
        assert row.households == len(programmes)
        assert (row.in_one, row.in_two) == ((programmes == 1).sum(), (programmes == 2).sum())
        assert row.programme_households == programmes.sum()


@pytest.fixture(scope="module")
def with_instalments(store, tmp_path_factory):
    dump = write_repayments(BOOK, tmp_path_factory.mktemp("instalments"))
    delivery = ingest(store, dump, table="repayments", key=KEY, threads=2)
    return store, delivery


def test_instalments_stand_with_their_commune(with_instalments):
    store, delivery = with_instalments
    expected = pd.concat(BOOK.instalment_blocks())
    assert delivery.rows_accepted == delivery.rows_read == len(expected)
    with open_ledger(store) as ledger:
        whole = ledger.repayments().df()
        one = ledger.repayments(code="00061").df()
        loans = set(ledger.commune("00061")["loan"])
    assert whole["paid_vnd"].sum() == expected["paid_vnd"].sum()
    assert set(one["loan"]) <= loans
    assert len(one) == whole["loan"].isin(loans).sum() > 0


def test_the_book_on_a_reporting_day_follows_from_the_instalments(with_instalments):
    store, _ = with_instalments
    with open_ledger(store) as ledger:
        for day in YEARS:
            stood = portfolio.standing_on(ledger.loans(), ledger.repayments(), day).df().set_index("loan")
            table = ledger.loans(as_of=day).df().set_index("loan")
            plain = table[~table["status"].isin(["frozen", "extended", "written_off"])]
            mine = stood.loc[plain.index]
            for name in ("outstanding_vnd", "overdue_vnd", "days_past_due", "status"):
                assert (mine[name] == plain[name]).all(), (day, name)


def test_the_page_on_scale_does_what_it_says(with_instalments, monkeypatch):
    page = (Path(__file__).parents[2] / "docs" / "scale.md").read_text(encoding="utf-8")
    block = next(b for b in re.findall(r"```python\n(.*?)```", page, re.DOTALL) if "annual_of" in b)
    monkeypatch.chdir(with_instalments[0].parent)
    values = {}
    exec(block, values)
    assert set(values["table"]["as_of"].dt.date) == set(YEARS)
    assert 0 < values["par"]["value"].max() < 0.2


def test_instalments_of_unknown_loans_are_set_aside(store, tmp_path):
    path = tmp_path / "r.csv"
    path.write_text("loan,due_on,due_vnd,paid_on,paid_vnd\nnone,2021-01-01,5,,\n", encoding="utf-8")
    delivery = ingest(tmp_path / "copy", write_csv(tmp_path / "a.csv", {}), communes=BOOK.places())
    delivery = ingest(tmp_path / "copy", path, table="repayments")
    assert delivery.findings[["column", "rule", "count"]].to_numpy().tolist() == [["loan", "reference", 1]]
    with pytest.raises(DataError, match="Deliver the loans first"):
        ingest(tmp_path / "empty", path, table="repayments")


def test_programmes_are_read_by_the_reference_table_unless_told_otherwise(tmp_path):
    path = write_csv(
        tmp_path / "a.csv",
        {"loan": "1", "programme": "Cho vay hộ cận nghèo"},
        {"loan": "2", "programme": "Poor households"},
        {"loan": "3", "programme": "Cho vay mua tàu"},
    )
    delivery = take(tmp_path / "store", path, programmes=None)
    assert (delivery.rows_accepted, delivery.rows_set_aside) == (2, 1)
    with open_ledger(tmp_path / "store") as ledger:
        stored = ledger.loans().order("loan").df()
    assert stored["programme"].tolist() == ["near_poor", "poor"]
