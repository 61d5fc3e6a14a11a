"""The panel of intensity by hand count, and the designs on a simulated province whose truth is known."""

import numpy as np
import pandas as pd
import pytest

from evalkit import impact, simulate
from evalkit.errors import DataError, ParameterError
from evalkit.load import reference
from evalkit.simulate import Difficulties

DOSE = "production_credit_lag1"


def communes(*rows):
    frame = pd.DataFrame(rows, columns=["code", "name", "district_code", "valid_from", "valid_to"])
    dates = {c: pd.to_datetime(frame[c]) for c in ("valid_from", "valid_to")}
    return frame.assign(type="xã", **dates).astype({"code": "string"})


@pytest.fixture
def tables():
    """Two communes; 00002 was dissolved at the end of 2019 and its code given to another territory."""
    land = communes(
        ("00001", "An", "001", None, None),
        ("00002", "Ba", "001", None, "2019-12-31"),
        ("00002", "Tư", "001", "2020-01-01", None),
    )
    years = [2018, 2019, 2020, 2021]
    lists = [
        (c, y, "2016-2020", h, 20 - (y - 2018), 10)
        for c, h in (("00001", 200), ("00002", 400))
        for y in years
    ]
    lists.append(("00001", 2021, "2022-2025", 200, 30, 10))
    poverty = pd.DataFrame(lists, columns=["code", "year", "standard", "households", "poor", "near_poor"])
    book = [
        (c, y, p, v)
        for c, y in [("00001", 2018), ("00001", 2019), ("00001", 2020), ("00002", 2018), ("00002", 2019)]
        for p, v in (("poor", 1e9), ("jobs", 5e8), ("total", 9e9))
    ] + [("00001", 2019, "water", 4e8)]
    credit = pd.DataFrame(book, columns=["code", "year", "programme", "outstanding_vnd"])
    income = pd.DataFrame(
        {
            "code": "00001",
            "year": [2020, 2021],
            "income_vnd": [24e6, 36e6],
            "per": "year",
            "basis": "self_survey",
        }
    )
    return {"communes": land, "poverty": poverty, "credit": credit, "income": income}


def build(tables, **options):
    prices = pd.Series({2018: 100.0, 2019: 110.0, 2020: 120.0, 2021: 125.0})
    return impact.intensity_panel(
        **tables, programmes=reference.programmes(), prices=prices, price_year=2018, **options
    )


def test_dose_by_hand(tables):
    row = build(tables).set_index(["unit", "year", "standard"]).loc[("00001", 2020, "2016-2020")]
    assert row[DOSE] == pytest.approx(1.5e9 / 1.1 / 200 / 1e6)
    assert row["water_credit_lag1"] == pytest.approx(4e8 / 1.1 / 200 / 1e6)
    assert row["study_credit_lag1"] == 0
    assert row["total_credit_lag1"] == pytest.approx(1.9e9 / 1.1 / 200 / 1e6)
    assert row["poor_pct"] == 9.0
    assert row["poor_near_poor_pct"] == 14.0
    assert row["log_odds_poor"] == pytest.approx(np.log(18.5 / 182.5))
    assert row["log_income"] == pytest.approx(np.log(2e6 / 1.2))


def test_a_code_given_to_another_territory_is_another_unit(tables):
    panel = build(tables)
    assert set(panel["unit"]) == {"00001", "00002-until-2019", "00002-2020"}
    later = panel[panel["unit"] == "00002-2020"]
    assert set(later["year"]) == {2020, 2021}
    assert later[DOSE].isna().all()


def test_years_without_a_delivery_are_missing_and_bridges_stand_twice(tables):
    panel = build(tables)
    assert panel.loc[panel["year"] == 2018, DOSE].isna().all()
    bridge = panel[(panel["unit"] == "00001") & (panel["year"] == 2021)]
    assert bridge["standard"].to_list() == ["2016-2020", "2022-2025"]
    assert bridge["log_income"].notna().to_list() == [True, False]


def test_lending_by_the_list_in_the_same_year_is_mechanical(tables):
    panel = build(tables, lag=0)
    assert "poor" in panel.attrs["made_of"]["production_credit_lag0"]
    assert "poor" not in build(tables).attrs["made_of"][DOSE]
    assert "poor" not in panel.attrs["made_of"]["water_credit_lag0"]


def test_what_is_unknown_is_named(tables):
    strange = tables["credit"].assign(programme="lottery")
    with pytest.raises(DataError, match="no purpose known for lottery"):
        build({**tables, "credit": strange})
    with pytest.raises(DataError, match="'00001' is not in the table of communes"):
        build({**tables, "communes": tables["communes"].query("code != '00001'")})
    with pytest.raises(DataError, match="two rows for one year and standard"):
        build({**tables, "poverty": pd.concat([tables["poverty"]] * 2)})


def test_exposure_is_a_share_of_the_earlier_book(tables):
    share = impact.exposure(tables["credit"], programmes=["jobs"], years=[2018, 2019])
    assert share["00002"] == pytest.approx(1 / 3)
    assert share["00001"] == pytest.approx((5 / 15 + 5 / 19) / 2)


@pytest.fixture(scope="module")
def easy():
    """A province without difficulties, in which credit lowers poverty by 0.3 points per million VND."""
    return simulate.draw(
        seed=5, communes=150, districts=13, years=(2013, 2022), difficulties=Difficulties.none()
    )


@pytest.fixture(scope="module")
def easy_panel(easy):
    names = ("credit", "poverty", "communes", "income")
    return impact.intensity_panel(
        **{name: easy[name] for name in names},
        programmes=reference.programmes(),
        prices=reference.price_index(2013),
        price_year=2013,
    )


def test_the_true_effect_of_an_easy_province_is_found(easy_panel):
    names = {
        "dose": DOSE,
        "unit": "unit",
        "time": "year",
        "within": "district_code",
        "cluster": "district_code",
    }
    poverty = impact.fixed_effects(easy_panel, outcome="poor_pct", **names)
    income = impact.fixed_effects(easy_panel, outcome="log_income", **names)
    # Four standard errors, so that one seed in sixteen thousand would fail by chance.
    assert abs(poverty.estimate + 0.3) < 4 * poverty.std_error
    assert abs(income.estimate - 0.01) < 4 * income.std_error
    assert poverty.upper < 0
    assert poverty.level == "L2"
    long = impact.long_differences(
        easy_panel,
        outcome="poor_pct",
        dose=DOSE,
        unit="unit",
        time="year",
        start=2014,
        end=2022,
        within="district_code",
    )
    assert abs(long.estimate + 0.3) < 4 * long.std_error
    with pytest.raises(ParameterError, match="the earlier one first"):
        impact.long_differences(
            easy_panel, outcome="poor_pct", dose=DOSE, unit="unit", time="year", start=2022, end=2014
        )


def test_parts_of_a_change_add_up_to_it(easy_panel):
    effect = impact.fixed_effects(
        easy_panel, outcome="poor_pct", dose=DOSE, unit="unit", time="year", cluster="district_code"
    )
    parts = impact.decompose(easy_panel, effect, outcome="poor_pct", dose=DOSE, start=2014, end=2022)
    wide = parts.pivot(index="unit", columns="part", values="value")
    assert (wide["standard"] == 0).all()
    assert wide["credit"].mean() == pytest.approx(0, abs=1e-12)
    total = wide[["standard", "shared", "credit", "rest"]].sum(axis=1)
    assert total.to_numpy() == pytest.approx(wide["change"].to_numpy())
    credit = parts[parts["part"] == "credit"]
    assert ((credit["lower"] <= credit["value"]) & (credit["value"] <= credit["upper"])).all()
    refused = impact.fixed_effects(
        easy_panel[easy_panel["district_code"] < "904"],
        outcome="poor_pct",
        dose=DOSE,
        unit="unit",
        cluster="district_code",
    )
    assert refused.refused
    bare = impact.decompose(easy_panel, refused, outcome="poor_pct", dose=DOSE, start=2014, end=2022)
    assert not bare.loc[bare["part"] == "credit", "known"].any()


def test_a_bridge_is_taken_out_and_a_missing_one_leaves_the_parts_unknown():
    rows = [
        ("a", 2015, "old", 5.0, 1.0),
        ("a", 2016, "old", 4.0, 1.0),
        ("a", 2016, "new", 9.0, 1.0),
        ("a", 2017, "new", 8.0, 2.0),
    ]
    rows += [("b", 2015, "old", 6.0, 1.0), ("b", 2016, "new", 9.0, 1.0), ("b", 2017, "new", 7.0, 1.0)]
    rows += [
        ("c", 2015, "old", 6.0, 1.0),
        ("c", 2016, "old", 5.0, 1.0),
        ("c", 2016, "new", 9.0, 1.0),
        ("c", 2017, "new", 5.0, 1.0),
    ]
    panel = pd.DataFrame(rows, columns=["unit", "year", "standard", "poor_pct", "dose"])
    effect = impact.Effect(-1.0, lower=-1.5, upper=-0.5, level="L2")
    parts = impact.decompose(panel, effect, outcome="poor_pct", dose="dose", start=2015, end=2017)
    value = parts.set_index(["unit", "part"])["value"]
    assert value["a", "change"] == 3.0
    assert value["a", "standard"] == 5.0
    assert value["c", "standard"] == 4.0
    assert value["a", "shared"] == value["c", "shared"] == -3.5
    assert value["a", "credit"] == -0.5
    assert value["a", "rest"] == 2.0
    assert value["b", "change"] == 1.0
    assert np.isnan([value["b", part] for part in ("standard", "shared", "credit", "rest")]).all()


def test_a_shift_that_reaches_units_by_their_earlier_mix():
    rng = np.random.default_rng(8)
    units, years = 120, np.arange(2014, 2024)
    frame = pd.DataFrame({"unit": np.repeat(np.arange(units), 10), "year": np.tile(years, units)})
    frame["district"] = frame["unit"] // 10
    mix = rng.uniform(0, 1, units)[frame["unit"]]
    hidden = rng.normal(size=len(frame))
    frame["mix"] = mix
    frame["dose"] = 2 + 3 * mix * (frame["year"] >= 2019) + 0.5 * hidden + rng.normal(0, 0.3, len(frame))
    frame["y"] = (
        10
        - 0.8 * frame["dose"]
        + hidden
        + rng.normal(0, 0.3, len(frame))
        + rng.normal(size=units)[frame["unit"]]
    )
    names = {
        "outcome": "y",
        "dose": "dose",
        "exposure": "mix",
        "unit": "unit",
        "time": "year",
        "start": 2019,
        "cluster": "district",
    }
    result = impact.shift_share(frame, **names)
    assert result.effect.lower < -0.8 < result.effect.upper
    assert result.effect.level == "L3"
    assert result.effect.diagnostics["first_stage_f"] > 10
    assert (result.first_stage.periods.query("event_time >= 0")["estimate"] > 2).all()
    assert len(result.summary()) == 3
    earlier = impact.placebo_dates(
        impact.shift_share, frame, dates=[2017], **{**names, "draws": 99, "despite": ("first_stage",)}
    ).iloc[0]
    before = impact.shift_share(
        frame[frame["year"] < 2019], **{**names, "start": 2017, "draws": 99, "despite": ("first_stage",)}
    )
    assert earlier.estimate == before.effect.estimate
    drifting = frame.assign(y=frame["y"] + 0.5 * mix * (frame["year"] - 2014))
    refused = impact.shift_share(drifting, **names)
    assert "pre_trends" in [r.code for r in refused.effect.refusals]
    assert np.isnan(refused.effect.estimate)
    kept = impact.shift_share(drifting, despite=("pre_trends",), **names)
    assert (kept.effect.level, kept.effect.despite) == ("L2", ("pre_trends",))


def test_the_digest_of_a_plan_ignores_the_order_of_its_keys():
    plan = {"outcomes": ["poor_pct"], "decided_on": "2024-01-15"}
    assert impact.plan_digest(dict(reversed(plan.items()))) == impact.plan_digest(plan)
    assert impact.plan_digest(plan | {"decided_on": "2024-02-01"}) != impact.plan_digest(plan)


def test_evidence_from_elsewhere_stands_beside_the_estimate():
    effect = impact.Effect(
        -0.4, lower=-0.6, upper=-0.2, level="L2", outcome="poor_pct", method="fixed effects"
    )
    table = impact.beside(effect, reference.evidence(), lang="en")
    assert table.loc[0, "estimate"] == -0.4
    assert table.loc[1, "design"] == "experiment"
    assert len(table) == len(reference.evidence()) + 1
    assert not impact.may_say_cause("L2")
    assert impact.may_say_cause("L3")


@pytest.fixture(scope="module")
def hard_panel():
    """A province with every difficulty, in which credit changes nothing."""
    names = ("communes", "credit", "poverty", "income")
    drawn = simulate.draw(seed=4, years=(2013, 2024), tables=names, effect=simulate.Effect.none())
    return impact.intensity_panel(
        **{name: drawn[name] for name in names},
        programmes=reference.programmes(),
        prices=reference.price_index(2013),
        price_year=2013,
    )


def test_where_high_units_fall_faster_the_baseline_is_asked_for(hard_panel):
    names = {
        "outcome": "poor_pct",
        "dose": DOSE,
        "unit": "unit_standard",
        "time": "year_standard",
        "within": "district_code",
        "cluster": "district_code",
    }
    plain = impact.fixed_effects(hard_panel, **names)
    held = impact.fixed_effects(hard_panel, baseline="poor_pct", **names)
    assert plain.upper < 0  # an effect is seen where there is none
    assert "starting_point" in [w.code for w in plain.warnings]
    assert (plain.level, held.level) == ("L1", "L2")  # not even an association is claimed
    assert plain.diagnostics["baseline_held"] == pytest.approx(held.estimate)
    assert held.lower < 0 < held.upper
    assert impact.fixed_effects(hard_panel, **{**names, "unit": "unit", "time": "year"}).refused


def test_lending_that_reacts_to_the_outcome_is_said(panel):
    follows = panel.assign(x=panel.groupby("unit")["y"].shift() + 0.1 * panel["c"])
    effect = impact.fixed_effects(follows, outcome="y", dose="x", unit="unit", time="year", wild=False)
    assert effect.diagnostics["later_dose_p"] < 0.01
    assert "later_dose" in [w.code for w in effect.warnings]
    assert "later_dose" not in [
        w.code
        for w in impact.fixed_effects(
            panel, outcome="y", dose="x", unit="unit", time="year", wild=False
        ).warnings
    ]
