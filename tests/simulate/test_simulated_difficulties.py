"""Each difficulty, switched alone, changes what it should and nothing else."""

import numpy as np
import pandas as pd
import pytest

from evalkit import simulate
from evalkit.load import reference
from evalkit.simulate.province import TABLES

_SIZE = {
    "communes": 30,
    "districts": 3,
    "seed": 11,
    "survey_communes": 12,
    "press_communes": 8,
    "loan_communes": 2,
}
_SWITCHES = sorted(simulate.Difficulties.__dataclass_fields__)
# By switch: the tables that may change against the easy province. Everything else must stay the same.
_CHANGES = {
    "list_steers_lending": {
        "credit",
        "groups",
        "poverty",
        "income",
        "households",
        "loans",
        "repayments",
        "facts",
    },
    "mean_reversion": {"poverty", "income", "households", "facts"},
    "floor": {"poverty", "households", "facts"},
    "standards_break": {
        "credit",
        "groups",
        "poverty",
        "income",
        "households",
        "loans",
        "repayments",
        "facts",
    },
    "supply_2019": {"credit", "groups", "poverty", "income", "households", "loans", "repayments", "facts"},
    "supply_2022": {"credit", "groups", "poverty", "income", "households", "loans", "repayments", "facts"},
    "district_shocks": {
        "credit",
        "groups",
        "poverty",
        "income",
        "households",
        "loans",
        "repayments",
        "facts",
    },
    "mergers_2020": {"communes", "credit", "groups", "poverty", "income", "households", "loans"},
    "missing_years": {"credit", "poverty", "income"},
    "heaping": {"income"},
    "concurrent_programmes": {
        "credit",
        "groups",
        "poverty",
        "income",
        "households",
        "loans",
        "repayments",
        "facts",
    },
    "hidden_overdue": {"credit", "groups", "loans", "repayments", "facts"},
    "press_rounding": {"facts"},
}


@pytest.fixture(scope="module")
def whole_province():
    """Return a small province with every table and every difficulty but missing years."""
    kept = [f for f in simulate.Difficulties.__dataclass_fields__ if f != "missing_years"]
    difficulties = simulate.Difficulties.only(*kept)
    return simulate.draw(tables=TABLES, communes=40, districts=5, seed=7, difficulties=difficulties)


@pytest.fixture(scope="module")
def easy():
    return simulate.draw(tables=TABLES, difficulties=simulate.Difficulties.none(), **_SIZE)


@pytest.fixture(scope="module")
def with_one(easy):
    return {
        name: simulate.draw(tables=TABLES, difficulties=simulate.Difficulties.only(name), **_SIZE)
        for name in _SWITCHES
    }


@pytest.mark.parametrize("name", _SWITCHES)
def test_a_switch_changes_its_tables_and_no_other(easy, with_one, name):
    changed = {t for t in TABLES if not easy[t].equals(with_one[name][t])}
    assert changed <= _CHANGES[name]
    assert changed


_TOLD = {  # the part of truth.json that speaks of a switch
    "heaping": "recognised_early",
    "concurrent_programmes": "concurrent_programme",
    "mergers_2020": "merged",
}


@pytest.mark.parametrize("name", _SWITCHES)
def test_the_truth_says_which_switches_are_on(easy, with_one, name):
    stated = with_one[name].truth["parameters"]["difficulties"]
    assert {switch for switch, on in stated.items() if on} == {name}
    assert not any(easy.truth["parameters"]["difficulties"].values())
    for switch, part in _TOLD.items():
        assert bool(with_one[name].truth[part]) == (switch == name)
        assert not easy.truth[part]
    bridges = with_one[name].truth["bridges"]
    assert bool(bridges) == (name == "standards_break"), bridges


def _total(province):
    credit = province["credit"]
    return credit[credit["programme"] == "total"].set_index(["code", "year"])


def test_the_standards_break_where_the_law_does(with_one, whole_province):
    poverty = with_one["standards_break"]["poverty"]
    per_year = poverty.groupby("year")["standard"].unique().map(sorted)
    assert {y: tuple(s) for y, s in per_year.items()} == {
        y: reference.standards_of_year(y) for y in per_year.index
    }
    both = (
        whole_province["poverty"].query("year == 2015").pivot(index="code", columns="standard", values="poor")
    )
    ratio = both["2016-2020"] / both["2011-2015"]
    assert (ratio >= 1).mean() > 0.9
    assert ratio.quantile(0.9) > 1.3 * ratio.quantile(0.1)
    assert with_one["floor"]["poverty"]["standard"].nunique() == 1


def test_the_floor_holds_rates_at_zero(easy, with_one):
    assert easy["poverty"]["poor_pct"].min() > 5
    floor = with_one["floor"].truth["floor"]["2011-2015"]["share_at_zero"]
    assert 0 < floor < 0.5
    assert (with_one["floor"]["poverty"]["poor"] == 0).any()


def test_high_rates_fall_faster_only_where_the_mean_reverts(easy, with_one):
    def slope(province):
        pct = province["poverty"].pivot(index="code", columns="year", values="poor_pct")
        return np.polyfit(pct[2012], pct[2024] - pct[2012], 1)[0]

    assert slope(easy) > -0.2
    assert slope(with_one["mean_reversion"]) < -0.4


def test_the_list_of_the_poor_steers_lending(easy, with_one):
    def correlation(province):
        credit = province["credit"].query("programme == 'poor'").groupby("code")["lent_vnd"].sum()
        poverty = province["poverty"].groupby("code")["poor"].sum()
        return np.log(credit).corr(np.log(poverty), method="spearman")

    assert correlation(with_one["list_steers_lending"]) > correlation(easy) + 0.1


@pytest.mark.parametrize(("name", "programmes", "year"), [
    ("supply_2019", ["poor", "near_poor", "escaped"], 2019),
    ("supply_2022", ["jobs"], 2022),
])  # fmt: skip
def test_a_shift_in_supply_starts_in_its_year_and_follows_the_earlier_mix(
    easy, with_one, name, programmes, year
):
    shifted, plain = (
        p["credit"].pivot_table(
            index=["code", "programme"], columns="year", values="outstanding_vnd", fill_value=0
        )
        for p in (with_one[name], easy)
    )
    more = (shifted - plain).reindex(shifted.index, fill_value=0)
    assert (more.loc[:, : year - 1] == 0).all(axis=None)
    programme = more.index.get_level_values("programme")
    others = more.loc[~programme.isin([*programmes, "total"])]
    assert (others <= 0).all(axis=None)  # less where no household is left to lend to
    assert -others.sum().sum() < 0.1 * more.loc[programme == "total"].sum().sum()
    gain = more.loc[programme == "total", 2024].droplevel("programme")
    earlier = plain[programme.isin(programmes)].groupby("code")[year - 1].sum()
    assert gain.min() > 0
    assert gain.corr(earlier) > 0.7


def test_mergers_only_relabel_and_add_up(easy, with_one):
    """The parts of a merged commune sum to what it would have reported; from 2020 nothing differs."""
    merged = with_one["mergers_2020"]
    successor = {p["code"]: m["code"] for m in merged.truth["merged"] for p in m["from"]}
    money = ["lent_vnd", "collected_vnd", "outstanding_vnd", "borrowers", "loans"]
    relabelled = _total(merged).reset_index().assign(code=lambda d: d["code"].replace(successor))
    pd.testing.assert_frame_equal(relabelled.groupby(["code", "year"])[money].sum(), _total(easy)[money])


def test_merged_communes_have_successors_and_codes_live_on(whole_province):
    communes = whole_province["communes"]
    gone = communes[communes["valid_to"].notna()]
    assert (gone["valid_to"] == pd.Timestamp("2019-12-31")).all()
    assert set(gone["code"]) == {p["code"] for m in whole_province.truth["merged"] for p in m["from"]}
    begun = communes[communes["valid_from"] == pd.Timestamp("2020-01-01")].set_index("code")
    assert set(gone["successor_code"]) == set(begun.index)
    assert communes["valid_to"].isna().sum() == whole_province.parameters.communes
    reused = gone.join(begun["name"].rename("now"), on="code", how="inner")
    assert (reused["name"] != reused["now"]).any()


def test_incomes_are_heaped_over_the_threshold_in_the_year_of_recognition(easy, with_one):
    before, after = (
        p["income"].set_index(["code", "year"])["income_vnd"] for p in (easy, with_one["heaping"])
    )
    heaped = with_one["heaping"].truth["recognised_early"]
    moved = after[after != before]
    assert set(moved.index) == {(row["code"], row["year"]) for row in heaped}
    criteria = reference.table("nrd_criteria").query("criterion == 'income' and area == 'northern_mountains'")
    over = [min(v - t for t in criteria["threshold"] if t <= v) for v in moved]
    assert max(over) < 600_000
    assert (moved > before[moved.index]).all()


def test_hidden_debt_is_the_same_debt_under_another_name(easy, with_one):
    shown, hidden = _total(easy), _total(with_one["hidden_overdue"])
    doubtful = ["overdue_vnd", "frozen_vnd", "extended_vnd"]
    assert (shown[doubtful].sum(axis=1) == hidden[doubtful].sum(axis=1)).all()
    assert (shown["outstanding_vnd"] == hidden["outstanding_vnd"]).all()
    assert (hidden["overdue_vnd"] <= shown["overdue_vnd"]).all()
    assert hidden["overdue_vnd"].sum() < 0.6 * shown["overdue_vnd"].sum()
    assert (shown[["frozen_vnd", "extended_vnd"]] == 0).all(axis=None)


def test_missing_years_are_absent_rows(easy, with_one):
    for name in ("credit", "poverty", "income"):
        full, gaps = easy[name], with_one["missing_years"][name]
        kept = gaps.merge(full, how="left", indicator=True)
        assert (kept["_merge"] == "both").all()
        assert 0 < len(full) - len(gaps) < 0.15 * len(full)


def test_press_figures_bound_the_exact_ones(easy, with_one):
    key = ["code", "indicator"]
    exact = easy["facts"].set_index(key)["value"].astype(float)
    printed = with_one["press_rounding"]["facts"].set_index(key)
    value = printed["value"].astype(float)
    assert (easy["facts"]["qualifier"] == "exact").all()
    assert (value[printed["qualifier"] == "over"] < exact[printed["qualifier"] == "over"]).all()
    assert (value[printed["qualifier"] == "nearly"] > exact[printed["qualifier"] == "nearly"]).all()
    assert (value == exact)[printed["qualifier"] == "exact"].all()
    assert set(printed["qualifier"]) == {"over", "nearly", "exact"}


def test_the_concurrent_programme_lowers_poverty_where_it_works(easy, with_one):
    exposed = with_one["concurrent_programmes"].truth["concurrent_programme"]
    a, b = (
        p["poverty"].query("year == 2024").set_index("code")["poor_pct"]
        for p in (easy, with_one["concurrent_programmes"])
    )
    change = b - a
    assert exposed
    assert change[change.index.isin(exposed)].mean() < -0.5
    assert change[~change.index.isin(exposed)].abs().mean() < 0.2


def test_districts_move_together_only_with_district_shocks(easy, with_one):
    """Without shocks of districts the change of a commune says nothing of its neighbours'."""

    def between(province):
        district = province["communes"].set_index("code")["district_code"]
        pct = (
            province["poverty"]
            .pivot(index="code", columns="year", values="poor_pct")
            .diff(axis=1)
            .iloc[:, 1:]
        )
        pct = pct - pct.mean()
        means = pct.groupby(district).mean()
        return (means**2).mean().mean() / (pct**2).mean().mean()

    assert between(with_one["district_shocks"]) > 1.5 * between(easy)
