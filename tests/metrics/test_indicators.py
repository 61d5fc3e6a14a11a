import math

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from indicator_tables import ROOT, dataset, headlines, simulated, simulated_rows
from statsmodels.stats.proportion import proportion_confint

from evalkit.load import reference
from evalkit.metrics import catalogue, credit, reviews, rollup
from evalkit.metrics.indicators import assemble

GOLDEN = pd.read_csv(
    ROOT / "tests/golden/simulated_province.csv",
    dtype={"place": str, "basis": str},
    keep_default_na=False,
    na_values={c: [""] for c in ("numerator", "denominator", "lower", "upper")},
)
DIGITS = 5e-8  # the golden table prints nine digits
INTERVAL_DIGITS = 5e-6  # and its limits six decimals


def communes(*rows):
    columns = [
        "code",
        "name",
        "type",
        "district_code",
        "district",
        "province_code",
        "province",
        "valid_from",
        "valid_to",
        "successor_code",
        "successor_name",
    ]
    return pd.DataFrame(
        [
            dict.fromkeys(columns, "")
            | {"type": "xã", "district_code": "901", "district": "A", "province_code": "99", "province": "B"}
            | r
            for r in rows
        ]
    )


def frame(text):
    header, *lines = text.split()
    return pd.DataFrame(
        [line.split(",") for line in lines], columns=header.split(","), dtype="string"
    ).replace("", pd.NA)


ONE = communes({"code": "99001", "name": "Một"})
TWO = communes({"code": "99001", "name": "Một"}, {"code": "99002", "name": "Hai"})


def values(rows, indicator, place="99001", **same):
    rows = rows[(rows["indicator"] == indicator) & (rows["place"] == place)]
    for column, value in same.items():
        rows = rows[rows[column] == value]
    return rows


def only(rows, indicator, place="99001", **same):
    rows = values(rows, indicator, place, **same)
    assert len(rows) == 1
    return rows.iloc[0]


@pytest.mark.parametrize(
    "line", GOLDEN.to_dict("records"), ids=lambda r: f"{r['place']}-{r['year']}-{r['indicator']}"
)
def test_golden_table(line):
    rows = simulated_rows()
    own = rows[
        (rows["place"] == line["place"])
        & (rows["year"] == line["year"])
        & (rows["indicator"] == line["indicator"])
    ]
    own = own[(own["basis"].fillna("") == line["basis"]) & (own["method"] != "survey")]
    assert len(own) == 1
    row = own.iloc[0]
    assert row["value"] == pytest.approx(line["value"], rel=DIGITS)
    for column in ("numerator", "denominator"):
        if not math.isnan(line[column]):
            assert row[column] == line[column]
    for column in ("lower", "upper"):
        if not math.isnan(line[column]):
            assert row[column] == pytest.approx(line[column], rel=INTERVAL_DIGITS)


def test_headlines_are_the_same_by_another_road():
    """Poverty rate, arrears ratio and outstanding per household of every place by one SQL query over the files."""
    other, rows = headlines(), simulated_rows()
    rows = rows[rows["indicator"].isin(other["indicator"].unique()) & (rows["method"] != "survey")]
    keys = ["place", "year", "indicator", "basis"]
    rows = rows.assign(basis=rows["basis"].fillna(""), year=rows["year"].astype(int))
    both = other.merge(rows[[*keys, "value"]], on=keys, how="outer", suffixes=("_sql", ""), indicator=True)
    assert len(both) > 10_000
    assert (both["_merge"] == "both").all()
    np.testing.assert_allclose(both["value"], both["value_sql"], rtol=1e-12)


def test_rows_are_unique_and_bounded():
    rows = simulated_rows()
    assert not rows.duplicated(["place", "period", "indicator", "basis", "method"]).any()
    assert rows["value"].notna().all()
    bounded = rows[rows["lower"].notna()]
    slack = bounded["value"].abs() * 1e-9 + 1e-12
    assert (bounded["lower"] <= bounded["value"] + slack).all()
    assert (bounded["value"] <= bounded["upper"] + slack).all()
    assert set(rows["indicator"]) <= set(reference.table("indicators")["indicator"])
    units = reference.table("indicators").set_index("indicator")["unit"]
    assert (rows["unit"] == rows["indicator"].map(units)).all()
    poverty = (
        rows["indicator"].str.contains("poor|poverty")
        & (rows["unit"] == "percent")
        & (rows["source"] == "poverty")
    )
    assert rows.loc[poverty, "basis"].notna().all()


def test_wilson_limits_are_those_of_statsmodels():
    rows = simulated_rows()
    own = rows[(rows["indicator"] == "poverty_rate_pct") & (rows["method"] == "review")]
    lower, upper = proportion_confint(
        own["numerator"].to_numpy(), own["denominator"].to_numpy(), method="wilson"
    )
    np.testing.assert_allclose(own["lower"], 100 * lower, rtol=1e-9, atol=1e-9)
    np.testing.assert_allclose(own["upper"], 100 * upper, rtol=1e-9)


def test_purposes_add_up_and_debt_is_whole():
    rows = simulated_rows()
    wide = rows[rows["source"] == "credit"].pivot(
        index=["place", "year"], columns="indicator", values="value"
    )
    purposes = wide[[f"share_{p}_pct" for p in credit.PURPOSES]].sum(axis=1)
    np.testing.assert_allclose(purposes, 100, rtol=1e-9)
    np.testing.assert_allclose(
        wide["current_share_pct"] + wide["overdue_frozen_extended_pct"], 100, rtol=1e-9
    )


CREDIT = """
code,year,programme,lent_vnd,collected_vnd,outstanding_vnd,overdue_vnd,frozen_vnd,extended_vnd,written_off_vnd,borrowers,loans
99001,2018,poor,10,5,100,2,3,5,0,4,5
99001,2018,water,10,5,100,0,0,0,0,3,3
99001,2018,total,20,10,200,2,3,5,0,5,8
99001,2019,poor,10,5,150,,3,5,0,4,5
99001,2019,water,10,5,100,1,0,0,0,3,3
99001,2020,poor,10,5,150,,3,5,0,4,5
99001,2020,water,10,5,100,1,0,0,0,3,3
99001,2020,total,20,10,300,6,3,5,0,7,8
"""


def test_a_total_stands_where_parts_are_missing_and_is_never_added():
    rows = assemble(dataset(ONE, credit=frame(CREDIT)))
    assert only(rows, "outstanding_loans_vnd", period="2018")["value"] == 200
    assert only(rows, "outstanding_loans_vnd", period="2019")["value"] == 250
    assert only(rows, "outstanding_loans_vnd", period="2020")["value"] == 300
    assert only(rows, "overdue_debt_vnd", period="2020")["value"] == 6
    assert len(values(rows, "overdue_debt_vnd", period="2019")) == 0
    assert len(values(rows, "overdue_share_pct", period="2019")) == 0


def test_what_the_programmes_leave_of_the_total_bounds_the_shares():
    share = only(assemble(dataset(ONE, credit=frame(CREDIT))), "share_water_pct", period="2020")
    assert share["value"] == pytest.approx(100 / 3)
    assert share["upper"] == pytest.approx(100 * 150 / 300)
    study = only(assemble(dataset(ONE, credit=frame(CREDIT))), "share_study_pct", period="2020")
    assert (study["value"], study["lower"]) == (0, 0)
    assert study["upper"] == pytest.approx(100 * 50 / 300)


def test_overdue_is_bounded_by_frozen_and_extended():
    row = only(assemble(dataset(ONE, credit=frame(CREDIT))), "overdue_share_pct", period="2018")
    assert (row["value"], row["lower"], row["upper"]) == (1.0, 1.0, 5.0)


def test_borrowers_are_households_only_where_they_are_counted_once():
    rows = assemble(
        dataset(
            ONE,
            credit=frame(CREDIT),
            poverty=frame(
                "code,year,standard,households,poor 99001,2018,2016-2020,10,2 99001,2020,2016-2020,10,2"
            ),
        )
    )
    assert only(rows, "borrower_households", period="2018")["value"] == 5
    assert only(rows, "household_coverage_pct", period="2018")["value"] == 50
    assert len(values(rows, "borrower_households", period="2020")) == 0  # the office's total is just the sum
    sure = only(rows, "household_coverage_pct", period="2020")
    assert sure["value"] == 70
    assert sure["lower"] == pytest.approx(100 * proportion_confint(4, 10, method="wilson")[0])
    assert "repeats" in sure["flags"].split(";")
    each = only(rows, "outstanding_per_borrower_vnd", period="2020")
    assert (each["lower"], each["upper"]) == (pytest.approx(300 / 7), 300 / 4)


def test_more_poor_than_households_make_no_rate_and_leave_the_district_without_the_commune():
    text = "code,year,standard,households,poor,near_poor 99001,2018,2016-2020,10,12,1 99002,2018,2016-2020,90,9,1"
    rows = assemble(dataset(TWO, poverty=frame(text)))
    rates = rows[rows["indicator"] == "poverty_rate_pct"].set_index("place")
    assert "99001" not in rates.index
    assert rates.loc["99002", "value"] == 10
    assert (rates.loc["99", "numerator"], rates.loc["99", "denominator"]) == (9, 90)
    assert "part" in rates.loc["99", "flags"].split(";")


def test_the_series_breaks_with_the_standard():
    text = "code,year,standard,households,poor,escaped 99001,2014,2011-2015,100,10, 99001,2015,2011-2015,100,8,3 99001,2015,2016-2020,100,20, 99001,2016,2016-2020,100,15,6"
    rows = assemble(dataset(ONE, poverty=frame(text)))
    assert only(rows, "exit_rate_pct", period="2015")["basis"] == "2011-2015"
    assert only(rows, "exit_rate_pct", period="2016")["value"] == 30  # of the 20 on its own standard


MERGED = communes(
    {
        "code": "99001",
        "name": "Một",
        "valid_to": "2019-12-31",
        "successor_code": "99001",
        "successor_name": "Mới",
    },
    {
        "code": "99002",
        "name": "Hai",
        "valid_to": "2019-12-31",
        "successor_code": "99001",
        "successor_name": "Mới",
    },
    {"code": "99001", "name": "Mới", "valid_from": "2020-01-01"},
    {"code": "99003", "name": "Ba"},
    {
        "code": "99004",
        "name": "Bốn",
        "valid_to": "2019-12-31",
        "successor_code": "99003",
        "successor_name": "Ba",
    },
)
OWED = "code,year,programme,outstanding_vnd 99001,2019,poor,100 99002,2019,poor,50 99001,2020,poor,300 99003,2019,poor,10 99003,2020,poor,44 "


def test_a_merged_commune_grows_on_the_sum_of_what_it_was():
    rows = assemble(dataset(MERGED, credit=frame(OWED + "99004,2019,poor,30")))
    assert only(rows, "outstanding_growth_pct", "99001-2020")["value"] == pytest.approx(100)
    assert only(rows, "outstanding_growth_pct", "99003")["value"] == pytest.approx(10)  # it took 99004 in


def test_no_growth_where_a_part_is_missing():
    rows = assemble(dataset(MERGED, credit=frame(OWED)))
    assert len(values(rows, "outstanding_growth_pct", "99003")) == 0


def test_areas_add_first_and_divide_after():
    text = "code,year,standard,households,poor 99001,2018,2016-2020,100,50 99002,2018,2016-2020,900,0 99001,2019,2016-2020,100,50"
    rows = assemble(dataset(TWO, poverty=frame(text)))
    for area in ("901", "99"):
        whole = only(rows, "poverty_rate_pct", area, period="2018")
        assert (whole["value"], whole["numerator"], whole["denominator"], whole["flags"]) == (
            5,
            50,
            1000,
            "computed",
        )
        part = only(rows, "poor_households", area, period="2019")
        assert (part["value"], part["lower"], part["upper"], part["flags"]) == (50, 50, math.inf, "part")


def test_income_is_never_converted_and_a_district_weighs_by_households():
    income = frame(
        "code,year,income_vnd,per,basis 99001,2018,10,year,self_survey 99002,2018,20,year,self_survey 99002,2018,3,month,survey"
    )
    poverty = frame(
        "code,year,standard,households,poor 99001,2018,2016-2020,100,5 99002,2018,2016-2020,300,5"
    )
    rows = assemble(dataset(TWO, income=income, poverty=poverty))
    year = only(rows, "income_year_vnd", "901")
    assert (year["value"], year["basis"], year["method"]) == (17.5, "current", "self_survey")
    assert "household_weights" in year["flags"].split(";")
    assert only(rows, "income_month_vnd", "99002")["value"] == 3
    assert len(values(rows, "income_month_vnd", "99001")) == 0
    index = reference.price_index(to=reference.last_price_year())
    assert only(rows, "income_year_real_vnd")["value"] == pytest.approx(10 * 100 / index[2018])


def test_a_table_alone_is_enough_and_none_gives_nothing():
    assert len(assemble(dataset(ONE))) == 0
    groups = frame(
        "code,year,group,union,members,outstanding_vnd,overdue_vnd,savings_vnd,rating 99001,2018,a,women,70,100,0,5,good 99001,2018,b,,30,100,1,5,"
    )
    rows = assemble(dataset(ONE, groups=groups))
    assert only(rows, "groups_outside_size")["value"] == 1
    assert only(rows, "groups_without_overdue")["value"] == 1
    assert (
        only(rows, "groups_good_share_pct")["numerator"],
        only(rows, "groups_good_share_pct")["denominator"],
    ) == (1, 1)
    assert only(rows, "entrusted_share_women_union_pct")["value"] == 100
    assert len(values(rows, "savings_to_loans_pct")) == 0


def test_the_survey_speaks_of_areas_with_enough_clusters():
    rows = simulated_rows()
    survey = rows[rows["source"] == "households"]
    assert "99" in set(survey["place"])
    assert survey["place"].str.len().isin([2, 3]).all()
    gaps = survey.pivot(index=["place", "year"], columns="indicator", values="value")
    assert (gaps["income_below_line_pct"] >= gaps["poverty_gap_pct"]).all()
    assert (gaps["poverty_gap_pct"] >= gaps["poverty_severity_pct"]).all()
    raw = simulated().tables["households"].query("year == 2018")
    weight, line = (
        raw["weight"] * raw["members"].astype(float),
        np.where(raw["area"] == "urban", 900_000, 700_000),
    )
    share = 100 * weight[raw["income_month_vnd"] <= line].sum() / weight.sum()
    assert only(rows, "income_below_line_pct", "99", year=2018)["value"] == pytest.approx(share)


def rate(place, standard, poor, households, year=2015):
    lower, upper = proportion_confint(poor, households, method="wilson")
    row = {
        "place": place,
        "year": year,
        "period": str(year),
        "indicator": "poverty_rate_pct",
        "basis": standard,
        "method": "review",
        "flags": "computed",
    }
    return row | {
        "value": 100 * poor / households,
        "lower": 100 * lower,
        "upper": 100 * upper,
        "numerator": poor,
        "denominator": households,
    }


def test_the_bridge_is_the_places_own():
    rows = simulated_rows()
    found = reviews.bridge(rows)
    one = found[
        (found["place"] == "99003") & (found["indicator"] == "poverty_rate_pct") & (found["year"] == 2015)
    ].iloc[0]
    assert (one["basis_from"], one["basis_to"]) == ("2011-2015", "2016-2020")
    assert one["ratio"] == pytest.approx(81 / 49)
    assert one["lower"] < 81 / 49 < one["upper"]
    assert set(found["year"]) == {2015, 2021}
    band = reviews.bridged(rows[rows["place"] == "99003"], found)
    assert set(band["place"]) == {"99003"}
    row = band[(band["year"] == 2014) & (band["indicator"] == "poverty_rate_pct")].iloc[0]
    assert (row["basis"], row["value"]) == ("2016-2020", pytest.approx(100 * 45 / 753 * 81 / 49))
    assert row["lower"] < row["value"] < row["upper"]
    assert "bridged" in row["flags"].split(";")


@given(st.integers(0, 60), st.integers(0, 60), st.integers(60, 2000))
def test_the_bridge_holds_its_ratio(old, new, households):
    found = reviews.bridge(
        pd.DataFrame([rate("a", "2011-2015", old, households), rate("a", "2016-2020", new, households)])
    ).iloc[0]
    assert found["lower"] >= 0
    if old:
        assert found["lower"] <= found["ratio"] + 1e-9
        assert found["ratio"] <= found["upper"] + 1e-9
    else:
        assert np.isnan(found["ratio"])
        assert found["upper"] == math.inf


def test_the_bridge_covers_the_true_ratio():
    """Counts drawn independently at known rates: the nominal 95 % must be met, less the error of 2,000 draws."""
    draws, households, rng = 2000, 900, np.random.default_rng(7)
    old, new = rng.binomial(households, 0.06, draws), rng.binomial(households, 0.11, draws)
    rows = pd.DataFrame(
        [
            rate(str(i), s, x, households)
            for i, (a, b) in enumerate(zip(old, new, strict=True))
            for s, x in (("2011-2015", a), ("2016-2020", b))
        ]
    )
    found = reviews.bridge(rows)
    covered = ((found["lower"] <= 0.11 / 0.06) & (found["upper"] >= 0.11 / 0.06)).mean()
    assert 0.935 < covered < 0.975


def test_districts_and_provinces_become_places():
    units = rollup.with_areas(simulated().places)
    assert units["place"].is_unique
    assert units["level"].value_counts().to_dict() == {"commune": 323, "district": 13, "province": 1}
    assert units.set_index("place").at["99", "name"] == "Giả Lập"
    assert len(rollup.with_areas(units)) == len(units)


def test_the_page_of_indicators_is_what_the_code_computes():
    assert (ROOT / "docs/indicators.md").read_text(encoding="utf-8") == catalogue.page()
    assert catalogue.names() <= set(reference.table("indicators")["indicator"])


def test_tables_are_left_as_they_were():
    tables = {"credit": frame(CREDIT)}
    data = dataset(ONE, **tables)
    before = data.tables["credit"].copy()
    assemble(data)
    pd.testing.assert_frame_equal(data.tables["credit"], before)
