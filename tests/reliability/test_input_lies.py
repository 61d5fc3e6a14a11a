"""Deliveries that lie: each lie is an error, or a finding of the right weight at its place; never accepted in silence."""

import sys

import hostile_files as made
import pandas as pd
import pytest

sys.path.insert(0, str(made.TESTS / "load"))
from dataset_sample import communes, credit, groups, income, poverty, tables, write

from evalkit.load.dataset import check, open_dataset


def told(folder, rule, severity):
    lines = check(folder).query("rule == @rule and severity == @severity")
    assert len(lines), check(folder)[["severity", "rule", "message"]].to_string()
    return lines


def test_without_a_lie_there_is_nothing_to_tell(tmp_path):
    assert check(write(tmp_path / "d", **tables())).query("severity != 'note'").empty


# The same delivery again.


def again(folder, kind):
    frame = credit()
    if kind == "xlsx":
        made.workbook(folder / "credit-lan-2.xlsx", [list(frame), *frame.astype(object).to_numpy().tolist()])
    elif kind == "parquet":
        frame.to_parquet(folder / "credit-lan-2.parquet")
    elif kind == "dta":
        frame.to_stata(folder / "credit-lan-2.dta", write_index=False)
    elif kind == "folder":
        (folder / "credit").mkdir()
        frame.sample(frac=1, random_state=1).to_csv(folder / "credit" / "huyen.csv", index=False)
    else:  # in million đồng, Vietnamese headers and digits
        amounts = [c for c in frame if c.endswith("_vnd")]
        text = frame.assign(
            **{c: (frame[c] / 1e6).map("{:.1f}".format).str.replace(".", ",") for c in amounts}
        )
        names = {c: f"{c} (triệu đồng)" for c in amounts}
        text.rename(columns=names).to_csv(folder / "credit-lan-2.csv", index=False, sep=";")


@pytest.mark.parametrize("kind", ["xlsx", "parquet", "million"])
def test_a_delivery_that_comes_twice_counts_once(tmp_path, kind):
    folder = write(tmp_path / "d", credit=credit())
    once = open_dataset(folder).tables["credit"]
    again(folder, kind)
    assert told(folder, "repeated_delivery", "warning")["message"].str.contains(f"all {len(once)} rows").all()
    twice = open_dataset(folder).tables["credit"]
    assert len(twice) == len(once)
    assert twice["outstanding_vnd"].sum() == once["outstanding_vnd"].sum()


def test_the_same_delivery_with_other_figures_is_an_error(tmp_path):
    folder = write(tmp_path / "d", credit=credit())
    credit().assign(outstanding_vnd=lambda f: f["outstanding_vnd"] * 1000).to_csv(
        folder / "credit-2.csv", index=False
    )
    assert len(told(folder, "duplicate_key", "error")) == len(credit())


# Columns changed for one another.


@pytest.mark.parametrize(
    ("table", "first", "second", "rule"),
    [
        ("credit", "outstanding_vnd", "overdue_vnd", "part_exceeds_whole"),
        ("credit", "lent_vnd", "collected_vnd", "stock_flow"),
        ("credit", "borrowers", "loans", "part_exceeds_whole"),
        ("poverty", "households", "poor", "part_exceeds_whole"),
        ("poverty", "poor", "near_poor", "ratio_mismatch"),
    ],
)
def test_columns_in_each_others_place(tmp_path, table, first, second, rule):
    frame = tables()[table].rename(columns={first: second, second: first})
    lines = told(write(tmp_path / "d", **{table: frame}), rule, "warning")
    assert len(lines) >= 2


def test_code_and_year_in_each_others_place(tmp_path):
    frame = credit().rename(columns={"code": "year", "year": "code"})
    assert not check(write(tmp_path / "d", credit=frame)).query("severity == 'error'").empty


# Units.


def scaled(frame, column, factor, rows=None):
    rows = frame.index if rows is None else frame.query(rows).index
    return frame.astype({column: float}).assign(
        **{column: lambda f: f[column].where(~f.index.isin(rows), f[column] * factor)}
    )


@pytest.mark.parametrize(
    ("table", "column"),
    [("credit", "outstanding_vnd"), ("groups", "outstanding_vnd"), ("income", "income_vnd")],
)
@pytest.mark.parametrize(
    ("factor", "rows"), [(1000, None), (1 / 1000, "year == 2021"), (1e-6, "year == 2023")]
)
def test_a_year_or_a_whole_table_in_another_unit_is_an_error(tmp_path, table, column, factor, rows):
    frame = scaled(tables()[table], column, factor, rows)
    lines = told(write(tmp_path / "d", **{table: frame}), "unit_slip", "error")
    assert set(lines["column"]) == {column}


@pytest.mark.parametrize(
    ("column", "factor", "rows"),
    [
        ("lent_vnd", 1 / 1000, None),
        ("collected_vnd", 1 / 1000, "year == 2021"),
        ("overdue_vnd", 1000, None),
        ("overdue_vnd", 1 / 1000, None),
        ("frozen_vnd", 1 / 1000, "year == 2021"),
        ("extended_vnd", 1 / 1000, None),
    ],
)
def test_one_column_of_credit_in_another_unit_than_the_others(tmp_path, column, factor, rows):
    frame = scaled(credit(), column, factor, rows)
    found = check(write(tmp_path / "d", credit=frame)).query("severity != 'note'")
    assert len(found.query("column == @column or rule in ('stock_flow', 'part_exceeds_whole')")), found


@pytest.mark.parametrize(
    ("rows", "factor"),
    [("code == '10001' and year == 2021", 1000), ("code == '10001' and year == 2023", 1 / 1000)],
)
def test_one_cell_in_another_unit(tmp_path, rows, factor):
    for table, column in (("income", "income_vnd"), ("poverty", "households")):
        frame = scaled(tables()[table], column, factor, rows).round()
        assert len(check(write(tmp_path / table, **{table: frame})).query("severity != 'note'"))


def test_income_of_a_year_called_income_of_a_month(tmp_path):
    frame = income().assign(per=lambda f: f["per"].where(f["year"] != 2021, "month"))
    lines = check(write(tmp_path / "d", income=frame)).query("severity != 'note'")
    assert set(lines["column"]) & {"income_vnd", "per"}, lines


@pytest.mark.parametrize("counts", [True, False])
@pytest.mark.parametrize("rows", [None, "year == 2021"])
def test_rates_as_fractions(tmp_path, counts, rows):
    frame = scaled(scaled(poverty(), "poor_pct", 0.01, rows), "near_poor_pct", 0.01, rows)
    if not counts:
        frame = frame.drop(columns=["households"])
    lines = check(write(tmp_path / "d", poverty=frame)).query("severity != 'note'")
    assert set(lines["rule"]) & {"ratio_mismatch", "rates_as_fractions"}, lines


# Standards, places, times.


@pytest.mark.parametrize(
    ("year", "standard"), [(2019, "2011-2015"), (2023, "2016-2020"), (2019, "2022-2025")]
)
def test_a_standard_that_was_not_in_force(tmp_path, year, standard):
    frame = poverty().drop_duplicates(["code", "year"])
    frame.loc[frame["year"] == year, "standard"] = standard
    lines = told(write(tmp_path / "d", poverty=frame), "standard_not_in_force", "error")
    assert len(lines) == 2


def test_a_code_used_again_without_dates_is_an_error(tmp_path):
    frame = communes().assign(valid_from=None, valid_to=None)
    told(write(tmp_path / "d", communes=frame, credit=credit()), "units_overlap", "error")


def test_a_figure_under_a_re_used_code_belongs_to_the_unit_of_its_year_or_to_none(tmp_path):
    frame = credit(codes=("10001", "10007"))
    read = open_dataset(write(tmp_path / "d", credit=frame)).tables["credit"]
    by_year = read[read["code"] == "10007"].groupby("year")["place"].unique()
    assert list(by_year[2019]) == ["10007-until-2019"]
    assert all(list(by_year[year]) == ["10007-2020"] for year in range(2020, 2024))
    named = income(codes=("10007",)).assign(name="Đông Phú")
    told(write(tmp_path / "e", income=named), "code_under_other_name", "error")


def test_a_unit_and_what_it_went_into_are_not_counted_both(tmp_path):
    frame = communes()
    frame.loc[0, ["valid_to", "successor_code", "successor_name"]] = ["2021-12-31", "10004", "Bình Minh"]
    told(write(tmp_path / "d", communes=frame, credit=credit()), "place_not_valid", "error")
    frame.loc[0, "valid_to"] = (
        "2023-12-31"  # it still exists on the days of its figures, and so does the other
    )
    told(write(tmp_path / "e", communes=frame, credit=credit()), "counted_twice", "error")


@pytest.mark.parametrize(
    ("column", "value", "rule"),
    [
        ("outstanding_vnd", "inf", "wrong_kind"),
        ("outstanding_vnd", "1e999", "wrong_kind"),
        ("outstanding_vnd", "9" * 400, "out_of_bounds"),
        ("outstanding_vnd", "NaN", "wrong_kind"),
        ("outstanding_vnd", "-5", "out_of_bounds"),
        ("outstanding_vnd", "−5", "out_of_bounds"),
        ("borrowers", "0.5", "wrong_kind"),
        ("borrowers", "1e30", "wrong_kind"),
        ("year", "2999", "in_future"),
        ("year", "1899", "out_of_bounds"),
        ("outstanding_vnd", "１２３", "wrong_kind"),
        ("outstanding_vnd", "١٢٣", "wrong_kind"),
    ],
)  # fmt: skip
def test_impossible_figures_are_errors_at_their_cell(tmp_path, column, value, rule):
    frame = credit().astype({column: object})
    frame.loc[3, column] = value
    lines = told(write(tmp_path / "d", credit=frame), rule, "error")
    assert lines["row"].tolist() == [5]
    assert lines["column"].tolist() == [column]


def test_infinite_figures_in_a_parquet_file_are_errors(tmp_path):
    folder = write(tmp_path / "d")
    credit().assign(outstanding_vnd=float("inf")).to_parquet(folder / "credit.parquet")
    assert set(told(folder, "out_of_bounds", "error")["column"]) == {"outstanding_vnd"}


@pytest.mark.parametrize(("column", "day"), [("as_of", "2999-12-31"), ("disbursed_on", "2999-01-01")])
def test_loans_of_the_future(tmp_path, column, day):
    loan = {
        "loan": "1",
        "code": "10001",
        "programme": "poor",
        "disbursed_on": "2020-01-01",
        "amount_vnd": 5e7,
    }
    loan |= {"as_of": "2023-12-31", "outstanding_vnd": 4e7}
    folder = write(tmp_path / "d", loans=pd.DataFrame([loan | {column: day}]))
    told(folder, "in_future", "error")


def test_two_columns_of_one_name_are_an_error(tmp_path):
    folder = write(tmp_path / "d", credit=credit())
    text = (folder / "credit.csv").read_text().replace("overdue_vnd", "outstanding_vnd")
    (folder / "credit.csv").write_text(text)
    lines = check(folder).query("severity == 'error'")
    assert lines["message"].str.contains("outstanding_vnd").any()


def test_groups_of_another_commune_than_the_credit(tmp_path):
    swapped = groups().assign(code=lambda f: f["code"].map({"10001": "10004", "10004": "55555"}))
    told(write(tmp_path / "d", credit=credit(), groups=swapped), "unknown_place", "error")
