"""Fifteen errors and ambiguities that were really printed, each with what is expected of the checks.

On the register where the row is there, else on a row made from what was printed.
"""

from pathlib import Path

import pandas as pd
import pytest
from dataset_sample import facts, rules, write

from evalkit.errors import BasisError, NumberError
from evalkit.load import reference
from evalkit.load.dataset import check
from evalkit.load.facts import read as read_facts
from evalkit.load.facts import together
from evalkit.load.numbers import parse_number

REGISTER = Path(__file__).resolve().parents[2] / "data" / "published"


@pytest.fixture(scope="module")
def register():
    rows = pd.read_csv(REGISTER / "facts.csv", dtype=str, keep_default_na=False)
    return rows.assign(row=range(2, len(rows) + 2))


@pytest.fixture(scope="module")
def found():
    return check(REGISTER)


def at(found, place, rule):
    return found[(found["place"] == place) & (found["rule"] == rule)]


def constructed(tmp_path, *rows):
    return check(write(tmp_path / "d", facts=facts(*rows)))


def test_1_yen_thuy_an_overdue_rate_that_is_not_the_ratio(found, register):
    hit = at(found, "yen-thuy-hoa-binh", "ratio_mismatch").iloc[0]
    assert (hit["severity"], hit["value"]) == ("warning", "0.01")
    assert "gives 0.155 %" in hit["message"]
    printed = register[register["row"] == hit["row"]].iloc[0]
    assert (printed["indicator"], printed["value"]) == ("overdue_pct", "0.01")


def test_2_mai_chau_a_thousands_dot_in_english():
    with pytest.raises(NumberError, match=r"246\.795.*reads as 246,795.* or as 246\.795"):
        parse_number("246.795")
    with pytest.raises(NumberError):
        parse_number("246.795 millions VND")
    assert parse_number("246.795 triệu đồng").value == 246_795_000_000


def test_3_phu_tho_more_poor_households_than_people(tmp_path):
    found = constructed(
        tmp_path,
        {"indicator": "poor_households", "value": "21000000000", "unit": "households", "qualifier": "nearly"},
        {"indicator": "population", "value": "1463726", "unit": "persons"},
    )
    hit = found[found["rule"] == "more_households_than_people"].iloc[0]
    assert (hit["severity"], hit["row"]) == ("error", 2)
    assert "A unit has slipped" in hit["message"]


def test_4_thai_nguyen_the_same_amount_nineteen_years_apart(tmp_path):
    rows = [
        {"indicator": "outstanding_loans_vnd", "value": "175000000000", "unit": "VND", "as_of": day}
        for day in ("2003-12-31", "2022-10-31")
    ]
    hit = constructed(tmp_path, *rows).query("rule == 'no_growth'").iloc[0]
    assert "the same on 2003-12-31 and 2022-10-31" in hit["message"]


def test_5_phu_hoa_a_lost_word_is_asked_about_not_dropped(found, register):
    assert len(at(found, "22319", "reading_inferred")) == 1
    kept = register[(register["code"] == "22319") & (register["indicator"] == "frozen_debt_vnd")]
    assert kept["value"].tolist() == ["102000000"]


def test_6_nghe_an_two_rates_with_two_denominators(found):
    hit = at(found, "40", "different_denominators").iloc[0]
    assert "998,564" in hit["message"]
    assert "1,025,701" in hit["message"]


def test_7_phu_thanh_rates_of_the_population_that_are_of_households(found):
    hits = at(found, "05398", "denominator_households")
    assert len(hits) == 2
    assert "290 at 13.3 % imply 2,180" in hits["message"].iloc[0]


def test_8_dong_nai_good_and_fair_is_not_good(register):
    printed = register[(register["code"] == "dong-nai-2025") & (register["value"] == "97.6")]
    assert printed["indicator"].tolist() == ["groups_rated_good_or_fair_pct"]
    known = reference.table("indicators").set_index("indicator")
    assert (
        known.loc["groups_rated_good_pct", "label_en"]
        != known.loc["groups_rated_good_or_fair_pct", "label_en"]
    )


def test_9_dan_hoa_poor_and_near_poor_is_no_poverty_rate(register):
    own = register[register["code"] == "18904"].set_index("indicator")["value"]
    assert own["poor_plus_near_poor_rate_pct"] == "82.18"
    assert "poverty_rate_pct" not in own.index


def test_10_three_counts_of_borrowers_are_never_combined(tmp_path):
    """12.9 million customers, 21.1 million households (turns) over ten years, 6.8 million current borrowers."""
    page = {"period_start": "2014", "period_end": "2024-07", "as_of": None}
    frame = facts(
        {"indicator": "borrowing_turns", "value": "21100000", "unit": "turns (lượt)", **page},
        {"indicator": "borrower_customers_cumulative", "value": "12900000", "unit": "customers", **page},
        {"indicator": "borrower_households", "value": "6800000", "unit": "households", "as_of": "2024-07-31"},
        {
            "indicator": "outstanding_loans_vnd",
            "value": "351000000000000",
            "unit": "VND",
            "as_of": "2024-07-31",
        },
    )
    turns, customers, current, debt = read_facts(frame.astype("string")).itertuples()
    assert together(current, debt, days=92)
    assert not together(turns, debt, days=92)
    assert not together(customers, current, days=92)
    found = check(write(tmp_path / "d", facts=frame))
    assert found.query("rule == 'turns_not_households'")["row"].tolist() == [2]


def test_11_vu_binh_one_union_is_not_the_commune(found):
    hits = found[found["place"].str.contains("vu-binh") & (found["rule"] == "partial_portfolio")]
    assert len(hits) >= 3
    assert set(hits["severity"]) == {"warning"}


def test_12_nation_2021_a_rate_needs_its_standard(tmp_path):
    with pytest.raises(BasisError, match="2021"):
        reference.standard_in_force(2021)
    rate = {"indicator": "poverty_rate_pct", "unit": "percent", "as_of": "2021", "method": "review"}
    found = constructed(
        tmp_path, rate | {"value": "2.23"}, rate | {"value": "4.4", "source_url": "https://example.org/b"}
    )
    assert found.query("rule == 'standard_unknown'")["row"].tolist() == [2, 3]


def test_13_two_dots_are_no_number_of_one_reading():
    for text in ("6.579.5", "6.579.5 million VND"):
        with pytest.raises(NumberError, match=r"6\.579\.5"):
            parse_number(text)


@pytest.mark.parametrize(("opening", "gap"), [(2_047_700_000_000, False), (1_900_000_000_000, True)])
def test_14_ha_nam_rounding_is_no_error(tmp_path, opening, gap):
    """Flow 1,819.2 − 1,191.9 − 0.8 = 626.5; with a true opening of 2,045.6 the gap is 3.0 of 2,675.1 (0.1 %)."""
    flow = {"unit": "VND", "as_of": None, "period_start": "2021-01", "period_end": "2022-12"}
    found = constructed(
        tmp_path,
        {
            "indicator": "outstanding_loans_vnd",
            "value": str(opening - 2_100_000_000),
            "unit": "VND",
            "as_of": "2020-12-31",
        },
        {
            "indicator": "outstanding_loans_vnd",
            "value": "2675100000000",
            "unit": "VND",
            "as_of": "2022-12-31",
        },
        {"indicator": "lending_turnover_vnd", "value": "1819200000000"} | flow,
        {"indicator": "debt_collection_turnover_vnd", "value": "1191900000000"} | flow,
        {"indicator": "write_off_vnd", "value": "800000000"} | flow,
    )
    assert ("stock_flow" in rules(found)) == gap


def test_15_bac_giang_nine_years_over_eight_values(tmp_path):
    """A header of nine years over eight rates, as a table of the schema: the row that is short is an error; and
    a series that runs on over the change of standard is on none that was in force."""
    folder = write(tmp_path / "d")
    header = "code,year,standard,poor,poor_pct"
    short = ["10001,2010,2011-2015,154,15.40", "10001,2011,2011-2015,9.1"]
    (folder / "poverty.csv").write_text("\n".join([header, *short]), encoding="utf-8")
    hit = check(folder).query("rule == 'ragged_row'").iloc[0]
    assert (hit["severity"], hit["row"]) == ("error", 3)
    run_on = ["10001,2015,2011-2015,70,7.00", "10001,2016,2011-2015,96,9.55", "10001,2017,2011-2015,85,8.5"]
    (folder / "poverty.csv").write_text("\n".join([header, *run_on]), encoding="utf-8")
    assert check(folder).query("rule == 'standard_not_in_force'")["row"].tolist() == [3, 4]
