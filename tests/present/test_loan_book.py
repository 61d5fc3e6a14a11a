"""A commune's notebook reads its own loans from the ledger: hand counts, for the researcher alone."""

import sys
from pathlib import Path

import pandas as pd
import pytest

import evalkit as ek
from evalkit.building import build
from evalkit.load.ledger import ingest

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "load"))
from dataset_sample import SETTINGS, credit, income, tables, write

HEADER = "loan,code,household,programme,disbursed_on,due_on,amount_vnd,as_of,outstanding_vnd,overdue_vnd,days_past_due,status"
# 10001 at the end of 2022: 100 million outstanding, 2 million of instalments late on a loan of 20 million.
LOANS = """\
1,10001,H1,poor,2020-03-01,2025-03-01,50000000,2022-12-31,50000000,0,0,current
2,10001,H1,water,2021-04-01,2026-04-01,20000000,2022-12-31,20000000,2000000,45,overdue
3,10001,H2,poor,2022-05-01,2027-05-01,30000000,2022-12-31,30000000,0,0,frozen
1,10001,H1,poor,2020-03-01,2025-03-01,50000000,2023-12-31,40000000,0,0,current
3,10001,H2,poor,2022-05-01,2027-05-01,30000000,2023-12-31,30000000,30000000,400,overdue
4,10007,H3,poor,2018-05-01,2023-05-01,10000000,2018-12-31,10000000,0,0,current
4,10007,H3,poor,2018-05-01,2023-05-01,10000000,2022-12-31,5000000,0,0,current
"""
KEY = bytes(range(32))


def delivery(path, rows):
    path.write_text(f"{HEADER}\n{rows}", encoding="utf-8")
    return path


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    home = tmp_path_factory.mktemp("loans")
    taken = ingest(home / "ledger", delivery(home / "loans.csv", LOANS), key=KEY)
    assert taken.rows_accepted == 7
    codes = ("10001", "10004", "10007")
    figures = tables() | {"credit": credit(codes), "income": income(codes)}
    return write(home / "data", SETTINGS + 'ledger = "../ledger"\n', **figures)


@pytest.fixture(scope="module")
def built(folder):
    return build(folder, folder.parent / "build")


def cells(block):
    return [list(row) for row in block.raw]


def test_the_loan_book_by_hand(built):
    block = ek.tables.loan_book(ek.place(built, "10001"), lang="en")
    million = 1_000_000
    assert cells(block) == [
        ["2022-12-31", 3, 2, 1, 100 * million, 30 * million, 2.0, 20.0, 30 * million, 0],
        ["2023-12-31", 2, 2, 0, 70 * million, 0, pytest.approx(100 * 3 / 7), pytest.approx(100 * 3 / 7), 0, 0],
    ]  # fmt: skip


def test_what_became_of_each_years_loans(built):
    block = ek.tables.lending_years(ek.place(built, "10001"), lang="vi")
    assert cells(block) == [
        [2020, 1, 50_000_000, 40_000_000, 0.0, 0],
        [2022, 1, 30_000_000, 30_000_000, 100.0, 0],
    ]
    assert "31/12/2023" in block.caption


def test_the_loans_of_a_code_that_lives_on_belong_to_who_had_it(built):
    units = pd.read_parquet(built / "places.parquet")
    for name, dates in (("Tân Lập", ["2018-12-31"]), ("Đông Phú", ["2022-12-31"])):
        place = ek.place(built, units.loc[units["name"] == name, "place"].iloc[0])
        assert [row[0] for row in ek.tables.loan_book(place, lang="en").raw] == dates


def test_households_that_are_not_known_are_not_zero(folder, tmp_path):
    nameless = LOANS.replace(",H1,", ",,")
    ingest(tmp_path / "ledger", delivery(tmp_path / "loans.csv", nameless), key=KEY)
    build_ = build(write(tmp_path / "data", SETTINGS + 'ledger = "../ledger"\n', **tables()), tmp_path / "b")
    first = ek.tables.loan_book(ek.place(build_, "10001"), lang="en")
    assert first.rows[0][2:4] == ("–", "–")
    assert first.raw[0][2:4] == (None, None)


@pytest.mark.parametrize("make", [ek.tables.loan_book, ek.tables.lending_years])
def test_it_is_never_marked_for_publishing(built, make, capsys):
    from IPython.core.interactiveshell import InteractiveShell
    from IPython.utils.capture import capture_output

    InteractiveShell.instance()
    with capture_output() as shown:
        ek.show(make(ek.place(built, "10001"), lang="vi"))
        ek.show(ek.texts.header(ek.place(built, "10001"), lang="vi"))
    private, public = (set(output.data) for output in shown.outputs)
    assert private == {"text/html", "text/plain"}
    assert public - private, "a public block is marked, so that this test can fail"


def test_without_a_ledger_and_without_loans_it_says_so(built, tmp_path):
    assert "no loans of this place" in ek.tables.loan_book(ek.place(built, "10004"), lang="en").paragraphs[0]
    plain = build(write(tmp_path / "data", **tables()), tmp_path / "b")
    said = ek.tables.lending_years(ek.place(plain, "10001"), lang="en")
    assert said.kind == "absent"
    assert "names no ledger" in said.paragraphs[0]


def test_a_ledger_that_is_not_there_is_an_error(tmp_path):
    found = ek.check(write(tmp_path / "data", SETTINGS + 'ledger = "../nowhere"\n', **tables()))
    assert found.loc[found["rule"] == "settings", "severity"].tolist() == ["error"]


def test_only_reports_that_new_loans_may_concern_run_again(folder, built, tmp_path):
    def slices():
        made = build(folder, tmp_path / "again")
        return {f.stem: f.read_text() for f in (made / "places").iterdir()}

    before = slices()
    assert before == slices()
    elsewhere = "9,20001,H9,poor,2020-03-01,2025-03-01,50000000,2024-12-31,50000000,0,0,current\n"
    ingest(folder.parent / "ledger", delivery(tmp_path / "elsewhere.csv", elsewhere), key=KEY)
    assert slices() == before
    ingest(
        folder.parent / "ledger",
        delivery(tmp_path / "here.csv", elsewhere.replace("20001", "10001")),
        key=KEY,
    )
    after = slices()
    assert {place for place in before if before[place] != after[place]} == {"10001"}
