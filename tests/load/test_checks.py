"""Checks of tables: a data set that agrees with itself is quiet; each spoiled figure is found at its place."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from dataset_sample import communes, credit, groups, income, poverty, rules, tables, write
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import evalkit as ek
from evalkit.load import clean, deliveries, schema
from evalkit.load.dataset import check, open_dataset
from evalkit.load.spreadsheet import read_spreadsheet

ROOT = Path(__file__).resolve().parents[2]


def found_in(tmp_path, **frames):
    return check(write(tmp_path / "data", **frames))


def one(found, rule):
    """The one finding of a rule."""
    rows = found[found["rule"] == rule]
    assert len(rows) == 1, found[["rule", "message"]].to_string()
    return rows.iloc[0]


def spoiled(frame, row, **values):
    """``frame`` with other values in the row at a position."""
    frame = frame.copy()
    for column, value in values.items():
        frame[column] = frame[column].astype(object)
        frame.iloc[row, frame.columns.get_loc(column)] = value
    return frame


def test_figures_that_agree_are_not_objected_to(tmp_path):
    found = found_in(tmp_path, **tables())
    assert found.empty, found["message"].tolist()
    dataset = open_dataset(tmp_path / "data")
    assert {name: len(t) for name, t in dataset.tables.items()} == {
        "credit": 30,
        "groups": 40,
        "poverty": 12,
        "income": 10,
    }
    assert dataset.tables["credit"]["place"].notna().all()


def test_a_figure_of_which_only_a_bound_is_printed_is_doubtful(tmp_path):
    found = found_in(tmp_path, **tables() | {"poverty": spoiled(poverty(), 3, near_poor="<5")})
    hit = one(found, "inexact_figures")
    assert (hit["severity"], hit["file"], hit["column"]) == ("warning", "poverty.csv", "near_poor")
    assert "less than the figure" in hit["message"]


def test_stock_and_flow(tmp_path):
    found = found_in(
        tmp_path, credit=spoiled(credit().query("programme != 'total'"), 2, collected_vnd=290_000_000)
    )
    hit = one(found, "stock_flow")
    assert (hit["severity"], hit["file"], hit["row"], hit["column"]) == (
        "warning",
        "credit.csv",
        4,
        "outstanding_vnd",
    )
    assert hit["key"] == "code=10001;year=2020;programme=poor"
    assert hit["place"] == "10001"
    assert "a gap of -10,000,000" in hit["message"]


def test_rounding_to_a_million_is_no_gap(tmp_path):
    rounded = credit().query("programme != 'total'")
    rounded = spoiled(rounded, 2, lent_vnd=499_600_000, collected_vnd=300_400_000)
    assert "stock_flow" not in rules(found_in(tmp_path, credit=rounded))


def test_a_unit_that_took_over_another_starts_anew(tmp_path):
    frame = credit(codes=("10007",)).query("programme == 'poor'")
    frame.loc[frame["year"] >= 2020, "outstanding_vnd"] += 900_000_000
    assert "stock_flow" not in rules(found_in(tmp_path, credit=frame))


def test_programmes_against_the_offices_total(tmp_path):
    found = found_in(tmp_path, credit=spoiled(credit(), 2, outstanding_vnd=3_900_000_000))
    hit = found[(found["rule"] == "sum_mismatch")].iloc[0]
    assert (hit["row"], hit["column"], hit["value"]) == (4, "outstanding_vnd", "3900000000")


def test_a_year_without_the_offices_total_that_other_years_have(tmp_path):
    hit = one(found_in(tmp_path, credit=credit().drop(index=5)), "missing_total")
    assert (hit["severity"], hit["row"], hit["key"]) == ("warning", 5, "code=10001;year=2020;programme=poor")
    assert "total of 2020 is missing, which other years have (4)" in hit["message"]
    assert "listed (2)" in hit["message"]


def test_an_office_that_gives_no_totals_lacks_none(tmp_path):
    frame = credit()
    without = frame.drop(index=frame.index[(frame["programme"] == "total") & (frame["code"] == "10001")])
    assert "missing_total" not in rules(found_in(tmp_path, credit=without))


def test_more_distinct_borrowers_than_the_programmes_have(tmp_path):
    found = found_in(tmp_path, credit=spoiled(credit(), 2, borrowers=141, loans=144))
    assert one(found, "sum_mismatch")["column"] == "borrowers"


@pytest.mark.parametrize(
    ("table", "frame", "column"),
    [
        ("credit", spoiled(credit(), 0, overdue_vnd=3_000_000_000), "overdue_vnd"),
        ("credit", spoiled(credit(), 0, frozen_vnd=3_000_000_000), "frozen_vnd"),
        ("credit", spoiled(credit(), 0, extended_vnd=3_000_000_000), "extended_vnd"),
        ("credit", spoiled(credit(), 0, overdue_vnd=1_200_000_000, frozen_vnd=1_200_000_000), "overdue_vnd"),
        ("credit", spoiled(credit(), 0, borrowers=63), "borrowers"),
        ("groups", spoiled(groups(), 0, overdue_vnd=2_000_000_000), "overdue_vnd"),
        ("poverty", spoiled(poverty(), 0, poor=1950, poor_pct=97.5), "poor"),
        ("poverty", spoiled(poverty(), 0, near_poor=2001, near_poor_pct=None), "near_poor"),
    ],
)
def test_a_part_is_no_more_than_its_whole(tmp_path, table, frame, column):
    hit = one(found_in(tmp_path, **{table: frame}), "part_exceeds_whole")
    assert (hit["severity"], hit["row"], hit["column"]) == ("warning", 2, column)


def test_parts_whose_whole_is_missing_are_not_judged(tmp_path):
    frame = spoiled(poverty(), 0, households=None, poor_pct=None, near_poor_pct=None, poor=5000)
    assert "part_exceeds_whole" not in rules(found_in(tmp_path, poverty=frame))


@pytest.mark.parametrize(("members", "wrong"), [(4, True), (5, False), (60, False), (61, True)])
def test_group_size_by_law(tmp_path, members, wrong):
    found = found_in(tmp_path, groups=spoiled(groups(), 0, members=members))
    assert ("group_size" in rules(found)) == wrong


def test_groups_against_credit(tmp_path):
    some = groups()
    found = found_in(tmp_path / "a", credit=credit(), groups=some[some["group"].isin(["T0", "T1"])])
    assert len(found[found["rule"] == "groups_against_credit"]) == 10
    assert "(50 %)" in found["message"].iloc[0]
    doubled = some.assign(outstanding_vnd=some["outstanding_vnd"] * 2)
    assert "part_exceeds_whole" in rules(found_in(tmp_path / "b", credit=credit(), groups=doubled))


def test_printed_rate_against_counts(tmp_path):
    hit = one(found_in(tmp_path, poverty=spoiled(poverty(), 0, poor_pct=0.6)), "ratio_mismatch")
    assert (hit["row"], hit["column"], hit["value"]) == (2, "poor_pct", "0.6")
    assert "gives 6 %" in hit["message"]


def test_two_rates_of_one_row_have_one_denominator(tmp_path):
    frame = spoiled(
        poverty(), 0, households=None, poor=41_041, poor_pct=4.11, near_poor=75_389, near_poor_pct=7.35
    )
    assert "998,564" in one(found_in(tmp_path, poverty=frame), "different_denominators")["message"]


def test_the_two_counts_of_a_bridge_year_have_one_total(tmp_path):
    frame = spoiled(poverty(), 3, households=2050, poor_pct=None, near_poor_pct=None)
    assert one(found_in(tmp_path, poverty=frame), "bridge_households")["row"] == 5


def test_flows_of_the_review(tmp_path):
    frame = poverty(("10001",)).assign(escaped=25, fell_back=0, newly_poor=5)
    assert "review_flow" not in rules(found_in(tmp_path / "a", poverty=frame))
    assert one(found_in(tmp_path / "b", poverty=spoiled(frame, 1, escaped=20)), "review_flow")["row"] == 3


@pytest.mark.parametrize(
    ("year", "standard", "wrong"),
    [
        (2015, "2011-2015", False),
        (2015, "2016-2020", False),
        (2021, "2022-2025", False),
        (2021, "2016-2020", False),
        (2014, "2016-2020", True),
        (2016, "2011-2015", True),
        (2022, "2016-2020", True),
        (2020, "2022-2025", True),
    ],
)
def test_standards_belong_to_years(tmp_path, year, standard, wrong):
    frame = poverty(("10001",)).head(1).assign(year=year, standard=standard)
    assert ("standard_not_in_force" in rules(found_in(tmp_path, poverty=frame))) == wrong


def test_a_cell_in_another_unit(tmp_path):
    frame = credit().query("programme != 'total'").drop(columns=["lent_vnd"])
    hit = one(found_in(tmp_path, credit=spoiled(frame, 4, outstanding_vnd=2_600_000)), "jump_thousand")
    assert (hit["row"], hit["value"], hit["severity"]) == (6, "2600000", "warning")


def test_growth_from_first_loans_is_no_slip(tmp_path):
    frame = credit(("10001",)).query("programme == 'poor'").drop(columns=["lent_vnd"])
    frame["outstanding_vnd"] = [10_000_000, 4_000_000_000, 4_100_000_000, 4_200_000_000, 4_300_000_000]
    frame["borrowers"] = [1, 100, 100, 100, 100]
    frame["loans"] = 200
    assert not {"jump_thousand", "unit_slip"} & rules(found_in(tmp_path, credit=frame))


def test_a_year_delivered_in_another_unit(tmp_path):
    frame = income()
    frame.loc[frame["year"] == 2021, "income_vnd"] //= 1000
    hit = one(found_in(tmp_path, income=frame), "unit_slip")
    assert (hit["severity"], hit["row"]) == ("error", 4)
    assert "income_vnd of 2021" in hit["message"]


def test_a_whole_table_in_another_unit(tmp_path):
    frame = credit().assign(**{c: credit()[c] // 10**6 for c in credit() if c.endswith("_vnd")})
    assert "unit_slip" in rules(found_in(tmp_path, credit=frame), "error")


def test_a_copied_year(tmp_path):
    codes = [f"2{n:04d}" for n in range(5)]
    places = pd.concat([communes(), communes().head(1).loc[[0] * 5].assign(code=codes, name=codes)])
    frame = income(codes, range(2020, 2023))
    frame.loc[frame["year"] == 2022, "income_vnd"] = frame.loc[frame["year"] == 2021, "income_vnd"].to_numpy()
    hit = one(check(write(tmp_path / "d", communes=places, income=frame)), "copied_year")
    assert "5 of 5 rows of 2022 repeat every figure of 2021" in hit["message"]


def test_fast_growth_of_income(tmp_path):
    hit = one(found_in(tmp_path, income=spoiled(income(("10001",)), 4, income_vnd=90_000_000)), "fast_growth")
    assert "84 % a year" in hit["message"]


def recognised(incomes):
    """Communes recognised in 2020, when the threshold of the northern mountains was 36 million."""
    codes = [f"3{n:04d}" for n in range(len(incomes))]
    places = communes().head(1).loc[[0] * len(codes)].assign(code=codes, name=codes, province_code="25")
    before = pd.DataFrame({"code": codes, "year": 2019, "income_vnd": 33_000_000, "nrd_status": "none"})
    after = pd.DataFrame({"code": codes, "year": 2020, "income_vnd": incomes, "nrd_status": "basic"})
    frame = pd.concat([before, after]).assign(per="year", basis="self_survey")
    return {"communes": places, "income": frame}


def test_incomes_heaped_at_the_threshold(tmp_path):
    heaped = [36_000_000 + 100_000 * (n % 4) for n in range(10)] + [36_900_000]
    found = check(write(tmp_path / "a", **recognised(heaped)))
    assert found.loc[found["rule"] == "heaping", "place"].tolist() == [f"3{n:04d}" for n in range(10)]
    hit = found[found["rule"] == "heaping"].iloc[0]
    # exact binomial by hand: P(X ≥ 10 | n = 11, p = 1/2) = (11 + 1) / 2**11 = 0.00586
    assert "p = 0.006" in hit["message"]
    assert hit["severity"] == "note"
    even = [36_000_000 + 100_000 * n for n in range(14)]
    assert "heaping" not in rules(check(write(tmp_path / "b", **recognised(even))))


def test_a_delivery_that_came_twice(tmp_path):
    folder = write(tmp_path / "data", credit=credit())
    credit().to_csv(folder / "credit-copy.csv", index=False)
    found = check(folder)
    hit = one(found, "repeated_delivery")
    assert (hit["file"], hit["severity"]) == ("credit.csv", "warning")
    assert len(open_dataset(folder).tables["credit"]) == 30


@pytest.mark.parametrize(
    ("column", "value", "rule"),
    [("outstanding_vnd", -1, "out_of_bounds"), ("year", 2999, "out_of_bounds"), ("year", 2090, "in_future")],
)
def test_impossible_values(tmp_path, column, value, rule):
    hit = one(found_in(tmp_path, credit=spoiled(credit(), 0, **{column: value})).query("rule == @rule"), rule)
    assert (hit["severity"], hit["row"], hit["column"], hit["value"]) == ("error", 2, column, str(value))


def test_infinite_figures_of_a_typed_file(tmp_path):
    folder = write(tmp_path / "data")
    spoiled(credit(), 0, lent_vnd=np.inf).astype({"lent_vnd": float}).to_parquet(folder / "credit.parquet")
    hit = one(check(folder), "out_of_bounds")
    assert (hit["file"], hit["row"], hit["column"]) == ("credit.parquet", 2, "lent_vnd")


def test_a_code_that_lives_on_under_another_name(tmp_path):
    """10007 was Tân Lập to 2019 and is Đông Phú from 2020: a row is of the unit of its own date."""
    data = open_dataset(write(tmp_path / "a", income=income(("10007",))))
    assert data.tables["income"]["place"].tolist() == ["10007-until-2019"] + ["10007-2020"] * 4
    named = income(("10007",)).assign(**{"Tên xã": "Tân Lập"})
    found = check(write(tmp_path / "b", income=named))
    errors = found[found["rule"] == "code_under_other_name"]
    assert errors["row"].tolist() == [3, 4, 5, 6]
    assert "10007 is Đông Phú on 2020-12-31, not “Tân Lập”" in errors["message"].iloc[0]


def test_a_name_nobody_bears_is_asked_about(tmp_path):
    named = income(("10001",)).assign(**{"Tên xã": "xã Hoà An"})
    assert not rules(found_in(tmp_path / "a", income=named), "warning")
    hits = found_in(tmp_path / "b", income=named.assign(**{"Tên xã": "Hòa Ân Đông"}))
    assert rules(hits, "warning") == {"name_differs"}


def test_names_that_are_missing_in_some_rows(tmp_path):
    named = income(("10001",)).assign(**{"Tên xã": [None, "Hòa An", "Nơi Khác", None, "Hòa An"]})
    assert one(found_in(tmp_path, income=named), "name_differs")["row"] == 4


def test_a_unit_that_did_not_exist_joins_nothing(tmp_path):
    places = communes().assign(valid_from=[None, "2021-07-01", None, "2020-01-01"])
    found = check(write(tmp_path / "d", communes=places, income=income(("10004",))))
    assert found[found["rule"] == "place_not_valid"]["row"].tolist() == [2, 3]
    assert rules(found, "error") == {"place_not_valid"}


def test_merged_communes_are_not_counted_twice(tmp_path):
    places = communes()
    places.loc[1, ["valid_to", "successor_code", "successor_name"]] = ["2019-12-31", "10007", "Đông Phú"]
    frame = income(("10004", "10007"), [2019, 2020])
    found = check(write(tmp_path / "d", communes=places, income=frame))
    hit = one(found, "counted_twice")
    assert (hit["row"], hit["severity"]) == (3, "error")
    assert (
        "Bình Minh has figures of 2020, and so has Đông Phú, into which it went on 2020-01-01"
        in hit["message"]
    )


def test_the_table_of_places(tmp_path):
    places = communes()
    places.loc[2, "valid_to"] = "2020-06-30"
    assert "units_overlap" in rules(check(write(tmp_path / "a", communes=places, income=income())), "error")
    places.loc[2, ["valid_from", "valid_to"]] = ["2019-12-31", "2019-01-01"]
    assert "dates_reversed" in rules(check(write(tmp_path / "b", communes=places, income=income())), "error")


def test_rows_without_a_code_are_found_by_a_name_that_is_unique(tmp_path):
    folder = write(tmp_path / "data")
    frame = income(("x",)).drop(columns="code").assign(**{"Tên xã": "Hòa An"})
    frame.to_csv(folder / "income.csv", index=False)
    assert set(open_dataset(folder).tables["income"]["place"]) == {"10001"}
    frame.assign(**{"Tên xã": "Hòa Ân"}).to_csv(folder / "income.csv", index=False)
    assert set(open_dataset(folder).tables["income"]["code"]) == {"10001"}
    frame.assign(**{"Tên xã": "Nơi Khác"}).to_csv(folder / "income.csv", index=False)
    assert rules(check(folder), "error") == {"unknown_place"}


def test_loans_that_contradict_their_status(tmp_path):
    loans = pd.DataFrame(
        {
            "loan": ["a", "b"],
            "code": "10001",
            "household": ["h1", "h2"],
            "programme": "poor",
            "disbursed_on": "2019-03-01",
            "amount_vnd": 50_000_000,
            "as_of": "2020-12-31",
            "outstanding_vnd": [50_000_000, 10_000_000],
            "overdue_vnd": [1_000_000, 0],
            "status": ["current", "repaid"],
            "name": ["Nguyễn Văn A", "Trần Thị B"],
        }
    )
    folder = write(tmp_path / "data", loans=loans)
    found = check(folder)
    assert found[found["rule"] == "status_mismatch"]["column"].tolist() == ["overdue_vnd", "outstanding_vnd"]
    assert one(found, "personal_data")["column"] == "name"
    assert not found.astype(str).apply(lambda c: c.str.contains("Nguyễn")).any(axis=None)
    assert open_dataset(folder).tables["loans"]["name"].isna().all()


@pytest.mark.parametrize("name", ["published", "provinces", "simulated-province"])
def test_the_short_way_reads_what_the_full_reader_reads(name):
    """Clean files are read without the full reader; the result is the same to the type."""
    folder, compared = ROOT / "data" / name, 0
    if not folder.is_dir():
        pytest.skip(f"data/{name} is made by `evalkit new --simulated`")
    for table in schema.tables():
        path = folder / f"{table}.csv"
        if not path.is_file() or path.stat().st_size > 400_000:
            continue
        short = clean.read_clean(path, table)
        if short is None:
            continue
        reading = read_spreadsheet(path, table=table)
        full, _ = clean.as_declared(reading.frame, table)
        pd.testing.assert_frame_equal(short[0], full)
        assert short[1].tolist() == reading.origin["row"].tolist()
        compared += 1
    assert compared


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    st.lists(
        st.one_of(
            st.integers(0, 10**7).map(str),
            st.decimals(0, 9999, places=2).map(str),
            st.sampled_from(["1.234", "12.500", "1,5", "1e3", "0012", "-3", "", "2.0", "abc", "3.1415"]),
        ),
        min_size=1,
        max_size=5,
    )
)
def test_the_short_way_never_reads_another_number(tmp_path, cells):
    """For any figures: either both ways give the same rows, or the short way leaves the file to the full one."""
    path = tmp_path / "poverty.csv"
    lines = [f'10001,{2000 + i},2016-2020,50,"{cell}"' for i, cell in enumerate(cells)]
    path.write_text("\n".join(["code,year,standard,poor,poor_pct", *lines]), encoding="utf-8")
    short = clean.read_clean(path, "poverty")
    if short is not None:
        full, _ = clean.as_declared(read_spreadsheet(path, table="poverty").frame, "poverty")
        pd.testing.assert_frame_equal(short[0], full)


def test_every_row_of_a_file_is_accounted_for(tmp_path):
    """A messy sheet: title, unit, stacked header, total row; amounts come out in đồng, the rest is a note."""
    openpyxl = pytest.importorskip("openpyxl")
    book = openpyxl.Workbook()
    sheet = book.active
    for row in [
        ["BÁO CÁO DƯ NỢ NĂM 2020"],
        ["Đơn vị: triệu đồng"],
        ["Mã xã", "Tên xã", "Chương trình", "Doanh số cho vay", "Doanh số thu nợ", "Tổng dư nợ"],
        ["10001", "Hòa An", "Hộ nghèo", 500, 300, 2200],
        ["10001", "Hòa An", "Nước sạch và vệ sinh môi trường nông thôn", 500, 300, 1200],
        [None, "Tổng số", None, 1000, 600, 3400],
    ]:
        sheet.append(row)
    folder = write(tmp_path / "data")
    book.save(folder / "credit-2020.xlsx")
    found = check(folder)
    assert not rules(found, "error"), found["message"].tolist()
    credit_rows = open_dataset(folder).tables["credit"]
    assert credit_rows["programme"].tolist() == ["poor", "water"]
    assert credit_rows["outstanding_vnd"].tolist() == [2.2e9, 1.2e9]
    aside = found[found["rule"] == "rows_set_aside"]["message"].str.cat(sep=" ")
    assert aside == "credit-2020.xlsx (Sheet): 1 rows are set aside. total: 6."


def test_amounts_without_a_unit_are_an_error(tmp_path):
    folder = write(tmp_path / "data")
    text = "Mã xã,Năm,Chương trình,Tổng dư nợ\n10001,2020,Hộ nghèo,2200\n"
    (folder / "credit.csv").write_text(text, encoding="utf-8")
    hit = one(check(folder), "unit_unknown")
    assert (hit["severity"], hit["column"]) == ("error", "Tổng dư nợ")
    assert "“Tổng dư nợ (triệu đồng)”" in hit["message"]


def test_a_workbook_of_any_name_is_read_by_the_names_of_its_sheets(tmp_path):
    folder = write(tmp_path / "data")
    with pd.ExcelWriter(folder / "giao-nop.xlsx") as book:
        income().to_excel(book, sheet_name="Thu nhập", index=False)
        poverty().to_excel(book, sheet_name="poverty", index=False)
        pd.DataFrame({"a": ["ghi chú"]}).to_excel(book, sheet_name="Khác", index=False)
    dataset = open_dataset(folder)
    assert {name: len(t) for name, t in dataset.tables.items()} == {"poverty": 12, "income": 10}
    hit = one(dataset.findings.query("rule == 'sheet_not_read'"), "sheet_not_read")
    assert "giao-nop.xlsx (Khác)" in hit["message"]


def test_file_names_are_not_guessed(tmp_path):
    folder = write(tmp_path / "data", income=income())
    credit().to_csv(folder / "credits.csv", index=False)
    hit = one(check(folder), "file_not_read")
    assert (hit["severity"], "is it “credit”?" in hit["message"]) == ("warning", True)


def test_a_programme_by_any_of_its_names(tmp_path):
    frame = credit().replace(
        {"programme": {"poor": "Cho vay hộ nghèo", "water": "NS&VSMTNT", "total": "Tổng cộng"}}
    )
    data = open_dataset(write(tmp_path / "a", credit=frame))
    assert set(data.tables["credit"]["programme"]) == {"poor", "water", "total"}
    assert data.findings.empty
    found = check(write(tmp_path / "b", credit=spoiled(credit(), 0, programme="watr")))
    assert "(is it “water”?)" in one(found.query("severity == 'error'"), "not_allowed")["message"]


def test_files_of_several_kinds_make_one_table(tmp_path):
    folder = write(tmp_path / "data")
    frame = income()
    frame[frame["year"] < 2021].to_csv(folder / "income-1.csv", index=False)
    frame[frame["year"] == 2021].to_excel(folder / "income 2021.xlsx", index=False)
    (folder / "income").mkdir()
    frame[frame["year"] > 2021].to_parquet(folder / "income" / "later.parquet", index=False)
    own = open_dataset(folder).tables["income"].sort_values(["code", "year"])
    assert own["income_vnd"].tolist() == frame.sort_values(["code", "year"])["income_vnd"].tolist()


def test_sources_are_assigned_by_name(tmp_path):
    folder = write(tmp_path / "data", credit=credit(), income=income())
    found = []
    assigned = deliveries.sources(folder, found)
    assert {t: [p.name for p, _ in files] for t, files in assigned.items() if files} == {
        "communes": ["communes.csv"],
        "credit": ["credit.csv"],
        "income": ["income.csv"],
    }
    assert not found


def test_public_names():
    assert ek.check is check
    assert ek.open_dataset is open_dataset
