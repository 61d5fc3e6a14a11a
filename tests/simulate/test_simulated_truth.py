"""What truth.json says is what the tables hold."""

import numpy as np
import pandas as pd
import pytest

from evalkit import simulate
from evalkit.load import reference
from evalkit.simulate import Difficulties, Effect
from evalkit.simulate.province import TABLES as ALL_TABLES

_EASY = {"difficulties": Difficulties.none(), "communes": 120, "districts": 6, "loan_communes": 0}
_TABLES = ("credit", "poverty", "income")


def _panel(province):
    """Build outcome and dose from the published tables alone, by the words of truth.json."""
    effect, first = province.truth["effect"], province.parameters.years[0]
    households = (
        province["poverty"].drop_duplicates(["code", "year"]).set_index(["code", "year"])["households"]
    )
    credit = province["credit"]
    production = credit[credit["programme"].isin(effect["dose_programmes"])]
    owed = production.groupby(["code", "year"])["outstanding_vnd"].sum() / 1e6
    level = reference.price_index(first) / 100
    panel = pd.DataFrame({"real": owed / households}).reset_index()
    panel["real"] /= panel["year"].map(level)
    panel["year"] += effect["lag_years"]
    poor = province["poverty"][["code", "year", "poor_pct"]]
    income = province["income"].assign(log_income=lambda d: np.log(d["income_vnd"] / d["year"].map(level)))
    return panel.merge(poor, on=["code", "year"]).merge(
        income[["code", "year", "log_income"]], on=["code", "year"]
    )


def _within(panel, outcome):
    """Regress the outcome on the dose with commune and year effects (balanced panel: demeaned twice)."""
    wide = {v: panel.pivot(index="code", columns="year", values=v).to_numpy() for v in (outcome, "real")}
    y, x = (v - v.mean(0) - v.mean(1, keepdims=True) + v.mean() for v in wide.values())
    return (x * y).sum() / (x * x).sum()


@pytest.fixture(scope="module")
def whole_province():
    """Return a small province with every table and every difficulty but missing years."""
    kept = [f for f in simulate.Difficulties.__dataclass_fields__ if f != "missing_years"]
    difficulties = simulate.Difficulties.only(*kept)
    return simulate.draw(tables=ALL_TABLES, communes=40, districts=5, seed=7, difficulties=difficulties)


@pytest.mark.parametrize("effect", [Effect.none(), Effect(-0.5, 0.02), Effect(0.4, -0.01)])
def test_fixed_effects_find_the_stated_effect_in_an_easy_province(effect):
    """Mean of six provinces against the truth, within four standard errors of that mean."""
    drawn = [_panel(simulate.draw(seed=s, effect=effect, tables=_TABLES, **_EASY)) for s in range(6)]
    for outcome, true in (("poor_pct", effect.poverty_pp), ("log_income", effect.log_income)):
        found = np.array([_within(p, outcome) for p in drawn])
        assert abs(found.mean() - true) < 4 * found.std(ddof=1) / np.sqrt(len(found)), (outcome, found)


def test_the_effect_is_the_only_difference_between_two_worlds():
    """With lending left alone, poverty and income differ by the effect times the published dose."""
    with_effect = simulate.draw(seed=2, effect=Effect(-1.0, 0.02), tables=_TABLES, **_EASY)
    without = simulate.draw(seed=2, effect=Effect.none(), tables=_TABLES, **_EASY)
    pd.testing.assert_frame_equal(with_effect["credit"], without["credit"])
    pd.testing.assert_series_equal(with_effect["poverty"]["near_poor"], without["poverty"]["near_poor"])
    a, b = (_panel(p).set_index(["code", "year"]) for p in (with_effect, without))
    points = (a["poor_pct"] - b["poor_pct"]).mean() / a["real"].mean()
    assert points == pytest.approx(-1.0, abs=0.02)
    logs = np.polyfit(a["real"], a["log_income"] - b["log_income"], 1)[0]
    assert logs == pytest.approx(0.02, abs=0.002)


def test_with_zero_effect_supply_moves_no_outcome():
    """Two worlds that differ in lending alone have the same poverty and the same income."""
    worlds = [
        simulate.draw(
            seed=3, effect=Effect.none(), tables=_TABLES, **(_EASY | {"difficulties": Difficulties.only(*on)})
        )
        for on in ((), ("supply_2019", "supply_2022"))
    ]
    assert not worlds[0]["credit"].equals(worlds[1]["credit"])
    for table in ("poverty", "income"):
        pd.testing.assert_frame_equal(worlds[0][table], worlds[1][table])


def test_other_purposes_have_no_effect():
    """The dose of the truth leaves out loans for study, water, housing and others."""
    purposes = reference.programmes()["purpose"]
    stated = simulate.draw(tables=("communes",), **_EASY).truth["effect"]["dose_programmes"]
    assert set(stated) == set(purposes[purposes == "production"].index)


def test_the_floor_leaves_the_stated_share_of_the_effect():
    """At zero a rate can't fall: the mean difference of two worlds is the average effect of the truth."""
    size = _EASY | {"difficulties": Difficulties.only("floor", "mean_reversion"), "communes": 225}
    with_effect, without = (
        simulate.draw(seed=4, effect=e, tables=_TABLES, **size) for e in (Effect(-0.2, 0), Effect.none())
    )
    dose = _panel(with_effect).set_index(["code", "year"])
    change = (
        (dose["poor_pct"] - _panel(without).set_index(["code", "year"])["poor_pct"]).groupby("year").mean()
    )
    late = change.loc[2022:].mean() / dose["real"].groupby("year").mean().loc[2022:].mean()
    assert -0.2 < late < -0.1


def test_what_it_takes_to_borrow_has_no_effect_within_a_commune(whole_province):
    """Within cluster, round and class, borrowers and others have the same income on average."""
    survey = whole_province["households"].query("not poor and not near_poor")
    logs = np.log(survey["income_month_vnd"])
    cell = [survey["cluster"], survey["year"]]
    y = logs - logs.groupby(cell).transform("mean")
    x = survey["borrowed"] - survey["borrowed"].groupby(cell).transform("mean")
    slope = (x * y).sum() / (x * x).sum()
    error = np.sqrt((y**2).mean() / (x**2).sum())
    assert abs(slope) < 4 * error
