"""Whole data sets that lie: each is refused with its reason, or built into the right figures and said so."""

import re
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import evalkit as ek
from evalkit.errors import DataError
from evalkit.load.dataset import open_dataset
from evalkit.metrics.indicators import assemble

sys.path.append(str(Path(__file__).resolve().parents[1] / "load"))
import dataset_sample as sample

YEARS = (2020, 2021, 2022)


def tables(**changes):
    """The sound data set of two communes and three years, with the changed tables in place of its own."""
    sound = {"communes": sample.communes(), **sample.tables()}
    sound = {
        k: t[t["year"].isin(YEARS)].reset_index(drop=True) if "year" in t else t for k, t in sound.items()
    }
    return sound | {name: change(sound[name].copy()) for name, change in changes.items()}


def money(frame):
    return [column for column in frame if column.endswith("_vnd")]


def times(factor, years=YEARS):
    def change(frame):
        at = frame["year"].isin(years)
        frame[money(frame)] = frame[money(frame)].astype(float)
        frame.loc[at, money(frame)] *= factor
        return frame

    return change


def swapped(one, other):
    return lambda frame: frame.rename(columns={one: other, other: one})


def cell(column, value, row=0):
    def change(frame):
        frame[column] = frame[column].astype(object)
        frame.loc[row, column] = value
        return frame

    return change


def again(**changed):
    return lambda frame: pd.concat([frame, frame.iloc[:1].assign(**changed)])


def at(column, value, **where):
    def change(frame):
        rows = np.logical_and.reduce([frame[name] == asked for name, asked in where.items()])
        frame.loc[rows, column] = value
        return frame

    return change


def ended(frame):
    """The first commune went on into a new one at the start of 2021."""
    ends = frame.iloc[:1].assign(valid_to="2020-12-31", successor_code="10010", successor_name="Mới")
    new = frame.iloc[:1].assign(code="10010", name="Mới", valid_from="2021-01-01")
    return pd.concat([ends, frame.iloc[1:], new])


def beside_successor(frame):
    return pd.concat([frame, frame[(frame["code"] == "10001") & (frame["year"] > 2020)].assign(code="10010")])


REFUSED = {
    "a row twice, with other figures": (
        {"credit": again(outstanding_vnd=1)},
        "the same code + year + programme",
    ),
    "a total twice": (
        {"credit": lambda f: pd.concat([f, f[f.programme == "total"].assign(loans=1)])},
        "the same code",
    ),
    "amounts in thousands": ({"credit": times(1e-3)}, "probably in another unit"),
    "amounts in millions": ({"credit": times(1e-6)}, "probably in another unit"),
    "amounts a thousand times too large": ({"credit": times(1e3)}, "probably in another unit"),
    "one year a thousand times too large": (
        {"credit": times(1e3, [2022])},
        "outstanding_vnd of 2022 is typically",
    ),
    "income in thousands": ({"income": times(1e-3)}, "income_vnd of 2020 is typically 43,050"),
    "income per month, said to be per year": (
        {"income": times(1 / 12)},
        "income_vnd of 2020 is typically 3,587,500",
    ),
    "income per year, said to be per month": (
        {"income": lambda f: f.assign(per="month")},
        "probably in another unit",
    ),
    "no income at all": ({"income": times(0)}, "income_vnd: 0 is outside what is possible"),
    "outstanding and overdue exchanged": (
        {"credit": swapped("outstanding_vnd", "overdue_vnd")},
        "another unit",
    ),
    "outstanding missing": ({"credit": cell("outstanding_vnd", None)}, "empty, but every row needs it"),
    "outstanding below 0": ({"credit": cell("outstanding_vnd", -5e6)}, "outside what is possible"),
    "outstanding infinite": ({"credit": cell("outstanding_vnd", "inf")}, "“inf” is no number"),
    "outstanding no number": ({"credit": cell("outstanding_vnd", "NaN")}, "“NaN” is no number"),
    "a year to come": ({"credit": at("year", 2090, year=2022)}, "2090 is still to come"),
    "a date to come": ({"communes": cell("valid_from", "2090-01-01")}, "2090-01-01"),
    "the old standard after its end": (
        {"poverty": at("standard", "2016-2020", year=2022)},
        "2016-2020, which was in force",
    ),
    "the new standard before its time": (
        {"poverty": at("standard", "2022-2025", year=2020)},
        "2022-2025, which was in force",
    ),
    "a standard that there isn't": ({"poverty": lambda f: f.assign(standard="2013")}, "“2013” is not one of"),
    "a programme that there isn't": ({"credit": cell("programme", "poors")}, "“poors” is not one of"),
    "a code that there isn't": ({"credit": cell("code", "77777")}, "“77777” is not in communes"),
    "one code for two communes at a time": ({"communes": again(name="Khác")}, "the same code"),
    "a commune beside the one it went into": (
        {"communes": ended} | dict.fromkeys(("credit", "groups", "poverty", "income"), beside_successor),
        "when Hòa An did not exist",
    ),
}


@pytest.mark.parametrize(("changes", "reason"), REFUSED.values(), ids=REFUSED)
def test_a_lie_is_refused_with_its_reason(tmp_path, changes, reason):
    folder = sample.write(tmp_path / "data", **tables(**changes))
    with pytest.raises(DataError, match=re.escape(reason)):
        open_dataset(folder)


def test_a_refusal_leaves_nothing_built(tmp_path):
    folder = sample.write(tmp_path / "data", **tables(credit=again(outstanding_vnd=1)))
    with pytest.raises(DataError, match="Keep one of them"):
        ek.build(folder, tmp_path / "build")
    assert [path.name for path in tmp_path.iterdir()] == ["data"]


def test_a_standard_out_of_time_is_built_once_somebody_answers_for_it(tmp_path):
    data = tables(poverty=at("standard", "2016-2020", year=2022))
    said = "".join(
        f'[[acknowledge]]\nrule = "standard_not_in_force"\nkey = "code={code};year=2022;standard=2016-2020"\n'
        'value = "2016-2020"\nreason = "the office counted on the old standard once more"\n\n'
        for code in ("10001", "10004")
    )
    folder = sample.write(tmp_path / "data", sample.SETTINGS + said, **data)
    assert "2016-2020" in set(open_dataset(folder).tables["poverty"].query("year == 2022")["standard"])


def rows_of(folder):
    found = assemble(open_dataset(folder))
    return found.set_index(["place", "indicator", "year", "basis"]).sort_index()


def built(tmp_path, settings=sample.SETTINGS, **changes):
    data = tables(**changes)
    return rows_of(sample.write(tmp_path / "data", settings, **data))


def figure(rows, indicator, place="10001", year=2022):
    found = rows.xs((place, indicator, year))
    assert len(found) == 1
    return found.iloc[0]


def text(block):
    return " ".join([block.title, block.caption, block.alt, *block.paragraphs, *block.notes])


def report(build, code, *makers):
    place = ek.place(build, code)
    return [text(maker(place, lang="en")) for maker in makers]


def test_a_delivery_in_two_files_or_twice_is_one_delivery(tmp_path):
    whole = built(tmp_path / "whole")
    folder = sample.write(tmp_path / "twice" / "data", **tables())
    (folder / "credit_2.csv").write_bytes((folder / "credit.csv").read_bytes())
    pd.testing.assert_frame_equal(rows_of(folder), whole)
    credit = pd.read_csv(folder / "credit.csv", dtype=str)
    for name, part in (("credit", credit["year"] < "2022"), ("credit_2", credit["year"] >= "2022")):
        credit[part].to_csv(folder / f"{name}.csv", index=False)
    pd.testing.assert_frame_equal(rows_of(folder), whole)


def test_more_poor_than_households_is_a_finding_and_no_rate(tmp_path):
    folder = sample.write(tmp_path / "data", **tables(poverty=swapped("poor", "households")))
    findings = ek.check(folder)
    assert "poor (2,030) is more than households (130), of which it is a part." in set(findings["message"])
    build = ek.build(folder, tmp_path / "build")
    rows = ek.indicators(build, "10001")
    assert not rows["indicator"].isin(["poverty_rate_pct", "poor_plus_near_poor_rate_pct"]).any()
    poverty, chart = report(build, "10001", ek.texts.poverty, ek.charts.poverty)
    said = ek.tables.findings(ek.place(build, "10001"), lang="en").rows
    assert "no poverty rate for this place" in poverty
    assert not re.search(r"\d{3}(\.\d)? %", poverty + chart)
    assert "Poor households (2,030) is more than Households (130), of which it is a part." in [
        r[-1] for r in said
    ]


def test_everybody_poor_and_nobody_lending(tmp_path):
    everybody = lambda f: f.assign(poor=f["households"], near_poor=0, poor_pct=100, near_poor_pct=0)  # noqa: E731
    nothing = lambda f: times(0)(f).assign(borrowers=0, loans=0)  # noqa: E731
    data = tables(poverty=everybody, credit=nothing, groups=times(0))
    build = ek.build(sample.write(tmp_path / "data", **data), tmp_path / "build")
    rows = ek.indicators(build).set_index(["place", "indicator", "year", "basis"]).sort_index()
    rate = figure(rows, "poverty_rate_pct")
    assert (rate["value"], rate["upper"], rate["numerator"]) == (100, 100, rate["denominator"])
    assert 99 < rate["lower"] < 100
    assert figure(rows, "outstanding_loans_vnd")["value"] == 0
    undefined = [
        "overdue_share_pct",
        "outstanding_growth_pct",
        "outstanding_per_borrower_vnd",
        "share_poor_hh_pct",
    ]
    assert not rows.index.get_level_values("indicator").isin(undefined).any()  # a share of nothing
    poverty, portfolio = report(build, "10001", ek.texts.poverty, ek.texts.portfolio)
    assert "2022: 100 %" in poverty
    assert "not distinguishable from no change" in poverty
    assert "Outstanding loans: 0 VND (2022)" in portfolio
    assert "nan" not in (poverty + portfolio).lower()


def test_no_households_and_figures_all_missing_are_no_zero(tmp_path):
    rows = built(
        tmp_path,
        poverty=lambda f: f.assign(households=0, poor=0, near_poor=0, poor_pct=None, near_poor_pct=None),
        credit=lambda f: f.assign(overdue_vnd=None),
    )
    there = set(rows.index.get_level_values("indicator"))
    assert not there & {
        "poverty_rate_pct",
        "near_poor_rate_pct",
        "outstanding_per_household_vnd",
        "household_coverage_pct",
    }
    assert not there & {"overdue_debt_vnd", "overdue_share_pct", "overdue_or_frozen_pct", "current_debt_vnd"}
    assert figure(rows, "frozen_debt_vnd")["value"] == 4e6


def test_a_part_of_the_debt_above_the_whole_makes_no_share(tmp_path):
    rows = built(tmp_path, credit=at("overdue_vnd", 9e9, code="10001", year=2022))
    assert ("10001", "overdue_share_pct", 2022) not in rows.droplevel("basis").index
    assert ("10001", "current_debt_vnd", 2022) not in rows.droplevel("basis").index
    district = figure(rows, "overdue_share_pct", "101")
    assert district["value"] == pytest.approx(100 * 10e6 / 4.7e9)  # the other commune's alone
    assert "part" in district["flags"].split(";")


def test_one_commune_and_one_year_are_described_and_no_more(tmp_path):
    one = lambda f: f[(f["code"] == "10001") & (f["year"] == 2022)]  # noqa: E731
    data = tables(communes=lambda f: f.iloc[:1]) | {k: one(t) for k, t in tables().items() if "year" in t}
    build = ek.build(sample.write(tmp_path / "data", **data), tmp_path / "build")
    rows = ek.indicators(build)
    assert not rows["indicator"].str.contains("growth|turnover_pct|exit_rate").any()
    of_district = rows[rows["place"] == "101"].set_index("indicator")["value"]
    of_commune = rows[rows["place"] == "10001"].set_index("indicator")["value"]
    shared = ["outstanding_loans_vnd", "poverty_rate_pct", "income_year_vnd"]
    assert of_district[shared].tolist() == of_commune[shared].tolist()
    level, poverty, income = report(build, "10001", ek.texts.level, ek.texts.poverty, ek.texts.income)
    assert "L0: one place described" in level
    assert "from" not in poverty
    assert "real terms" not in income


def test_a_code_used_again_belongs_to_two_places(tmp_path):
    both = lambda f: pd.concat([f, f[f["code"] == "10001"].assign(code="10007")])  # noqa: E731
    data = {k: both(t) for k, t in sample.tables().items()}
    rows = rows_of(sample.write(tmp_path / "data", **data))
    years = (
        rows.xs("outstanding_loans_vnd", level="indicator").reset_index().groupby("place")["year"].unique()
    )
    assert years["10007-until-2019"].tolist() == [2019]
    assert years["10007-2020"].tolist() == [2020, 2021, 2022, 2023]
    growth = rows.xs("outstanding_growth_pct", level="indicator").reset_index()
    assert figure(rows, "outstanding_loans_vnd", "10007-2020", 2020)["value"] == 3.8e9
    assert growth.loc[growth["place"] == "10007-until-2019"].empty


def test_a_merged_commune_grows_from_all_that_it_was(tmp_path):
    def merged(frame):
        ends = frame.iloc[:2].assign(valid_to="2020-12-31", successor_code="10010", successor_name="Mới")
        return pd.concat([ends, frame.iloc[:1].assign(code="10010", name="Mới", valid_from="2021-01-01")])

    def delivered(frame):
        after = frame[frame["year"] > 2020]
        numbers = frame.select_dtypes("number").columns.difference(["year", "income_vnd"])
        keys = [c for c in frame if c not in numbers and c != "code"]
        if "income_vnd" in frame:
            return pd.concat(
                [frame[frame["year"] <= 2020], after[after["code"] == "10001"].assign(code="10010")]
            )
        summed = after.groupby(keys, dropna=False)[list(numbers)].sum().reset_index().assign(code="10010")
        return pd.concat(
            [
                frame[frame["year"] <= 2020],
                summed.drop(columns=["poor_pct", "near_poor_pct"], errors="ignore"),
            ]
        )

    rows = built(
        tmp_path, communes=merged, **dict.fromkeys(("credit", "poverty", "income", "groups"), delivered)
    )
    growth = figure(rows, "outstanding_growth_pct", "10010", 2021)
    assert (growth["numerator"], growth["denominator"]) == (8.5e9, 7.7e9)
    district = figure(rows, "outstanding_loans_vnd", "101", 2021)
    assert (district["value"], district["upper"]) == (8.5e9, 8.5e9)


def test_what_says_nothing_changes_no_sentence(tmp_path):
    """Rows and columns in another order, one delivery in two files, a commune of another province."""

    def said(folder):
        place = ek.place(ek.build(folder, folder.parent / "build"), "10001")
        blocks = [ek.texts.header, ek.texts.portfolio, ek.texts.poverty, ek.texts.income, ek.texts.level]
        shown = [text(block(place, lang=lang)) for block in blocks for lang in ("vi", "en")]
        return [
            *shown,
            ek.tables.figures(place, "credit", lang="en").rows,
            ek.tables.beside(place, lang="en").rows,
        ]

    stranger = {
        "code": "20001",
        "name": "Xa Lạ",
        "district_code": "201",
        "district": "Xa",
        "province_code": "98",
    }

    def changed(frame):
        own = {k: v for k, v in stranger.items() if k in frame}
        frame = pd.concat([frame, frame[frame["code"] == "10001"].assign(**own)])
        return frame.sample(frac=1, random_state=5)[frame.columns[::-1]]

    plain = said(sample.write(tmp_path / "plain" / "data", **tables()))
    folder = sample.write(tmp_path / "changed" / "data", **tables(**dict.fromkeys(tables(), changed)))
    groups = pd.read_csv(folder / "groups.csv", dtype=str)
    groups.iloc[:7].to_csv(folder / "groups_b.csv", index=False)
    groups.iloc[7:].to_csv(folder / "groups.csv", index=False)
    assert said(folder) == plain
