"""The impact report: what was refused has no figure, words obey the level, the parts add up, the plan comes first."""

import json
import re
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from evalkit import impact as estimators
from evalkit.impact import estimates, plan
from evalkit.load import plan as planned
from evalkit.load import reference
from evalkit.present import charts, contribution, impact
from evalkit.present.disclose import Place

ROOT = Path(__file__).resolve().parents[2]
SETTINGS = {"data": {"real": False, "years": [2014, 2024]}, "title": {"en": "", "vi": ""}}
MAKERS = (
    impact.question,
    impact.plan,
    impact.gates,
    impact.detectable,
    impact.estimates,
    charts.curve,
    charts.around_supply,
    impact.bounds,
    impact.checks,
    impact.sceptic,
    impact.verdict,
)
CAUSAL = re.compile(
    r"\b(led to|caused|because of|thanks to|effect of|impact of)\b|tác động của|nhờ tín dụng|do tín dụng|dẫn đến"
)


def drawn(effect):
    """A small simulated province: its panel, its table of credit with the column place."""
    from evalkit import simulate
    from evalkit.load import places

    tables = simulate.draw(
        seed=3,
        communes=56,
        districts=7,
        years=(2013, 2024),
        tables=("communes", "credit", "poverty", "income"),
        effect=effect,
    )
    panel = estimators.intensity_panel(
        **{name: tables[name] for name in ("communes", "credit", "poverty", "income")},
        programmes=reference.programmes(),
        prices=reference.price_index(2013),
        price_year=2013,
    )
    units = places.units(tables["communes"])
    panel["area"] = panel["unit"].map(units.set_index("place")["area"]).astype(object)
    panel["started"] = "poorer_at_first"
    credit = tables["credit"].astype({"code": object})
    ends = pd.to_datetime(credit["year"].astype(str) + "-12-31")
    return panel, credit.assign(place=places.place_of(credit["code"], ends, ends, units))


@pytest.fixture(scope="module", params=["effect", "none"])
def tables(request):
    from evalkit import simulate

    effect = simulate.Effect() if request.param == "effect" else simulate.Effect.none()
    panel, credit = drawn(effect)
    return request.param, panel, estimates.tables(panel, credit, planned.DEFAULT)


def test_the_curve_holds_every_specification_that_the_panel_allows(tables):
    found = set(tables[2]["curve"]["specification"])
    assert {"main", "year_effects", "by_unit", "weighted", "no_baseline", "all_credit", "near_poor"} <= found
    assert "two_years" not in found  # this panel has no loans of two years before


def report(tables, panel):
    names = ("effects", "periods", "curve", "checks")
    scope = {"rows": len(panel), "units": 56, "districts": 7, "first": 2013, "last": 2024}
    record = plan.record(None) | {"skipped": "", "price_year": 2013}
    return impact.Impact(**{n: tables[n] for n in names}, scope=scope, record=record, settings=SETTINGS)


def text(block):
    return " ".join(
        [block.title, block.caption, block.alt, *block.paragraphs, *block.notes]
        + [str(c) for row in block.rows for c in row]
    )


def test_what_the_designs_could_see_stands_before_any_estimate():
    cells = json.loads((ROOT / "notebooks/province/impact.ipynb").read_text(encoding="utf-8"))["cells"]
    calls = [call for c in cells for call in re.findall(r"ek\.show\((?:\w+\.)+(\w+)\(", "".join(c["source"]))]
    figures = ("estimates", "elsewhere", "curve", "around_supply", "bounds", "checks")
    assert calls.index("detectable") < min(map(calls.index, figures))
    assert calls.index("elsewhere") == calls.index("estimates") + 1


def test_a_refused_estimate_leaves_no_figure(tables):
    _, _, made = tables
    refused = made["effects"][made["effects"]["refusals"] != "[]"]
    assert len(refused) > 0
    figures = ["estimate", "std_error", "lower", "upper", "p_value", "p_wild", "p_headline", "p_adjusted"]
    figures += ["detectable", "ols_estimate", "baseline_held"]
    assert refused[figures].isna().all(axis=None)
    assert set(refused["warnings"]) == {"[]"}
    after = made["periods"].merge(refused[["name"]], on="name")
    assert (after["event_time"] < 0).all()
    assert not set(made["checks"]["name"]) & set(refused["name"])


@pytest.mark.parametrize("lang", ["vi", "en"])
def test_below_level_three_no_block_speaks_of_causes(tables, lang):
    _, panel, made = tables
    data = report(made, panel)
    for make in MAKERS:
        block = make(data, lang=lang)
        said = text(block)
        assert "{" not in said, make
        assert "nan" not in said.lower().split(), make
        if block.level < "L3":
            assert not CAUSAL.search(said), (make, said)
        assert len(block.raw) in (0, len(block.rows))
        assert all(len(row) == len(block.columns) for row in (*block.rows, *block.raw))


def test_at_level_three_and_only_there_an_effect_is_named(tables):
    _, panel, made = tables
    data = report(made, panel)
    row = data.effects[data.effects["estimate"].notna()].iloc[0].copy()
    row[["lower", "upper", "p_adjusted", "level"]] = -0.4, -0.1, 0.001, "L3"
    assert "effect of" in impact.finding(row, row["outcome"], "en")
    row["level"] = "L2"
    assert "effect" not in impact.finding(row, row["outcome"], "en")


def test_planned_estimates_come_first_and_the_rest_is_exploratory(tables):
    _, panel, made = tables
    rows = [row[2] for row in impact.estimates(report(made, panel), lang="en").rows]
    assert rows == sorted(rows, key=["default plan", "exploratory"].index)
    assert set(rows) == {"default plan", "exploratory"}


def test_the_main_estimate_finds_an_effect_where_there_is_one(tables):
    kind, _, made = tables
    main = made["effects"].iloc[0]
    assert main["name"] == "fixed_effects:poor_pct:production"
    if kind == "effect":
        assert main["upper"] < 0
        assert main["lower"] < -0.3 < main["upper"]
    else:
        assert main["lower"] < 0 < main["upper"]


def test_the_parts_add_up_and_follow_their_definition(tables):
    _, panel, made = tables
    wide = (
        made["decomposition"]
        .query("outcome == 'poor_pct'")
        .pivot(index="place", columns="part", values="value")
    )
    known = wide.dropna(subset=["standard", "credit", "rest"])
    assert len(known) > 30
    np.testing.assert_allclose(
        known[["standard", "shared", "credit", "rest"]].sum(axis=1), known["change"], atol=1e-9
    )
    place = known.index[0]
    own = panel[panel["unit"] == place].dropna(subset=["poor_pct", "production_credit_lag1"])
    first, last = own.iloc[0], own.iloc[-1]
    assert known.at[place, "change"] == pytest.approx(last["poor_pct"] - first["poor_pct"])
    bridges = own[own.duplicated("year", keep=False)].groupby("year")["poor_pct"].agg(["first", "last"])
    assert known.at[place, "standard"] == pytest.approx((bridges["last"] - bridges["first"]).sum())


def test_one_commune_is_pulled_towards_the_mean(tables):
    _, panel, _ = tables
    rows = panel.dropna(subset=["poor_pct", "production_credit_lag1"])
    found = estimators.unit_effects(
        rows, outcome="poor_pct", dose="production_credit_lag1", **plan.level_options("poor_pct")
    )
    between = (found["shrunk"] - found["mean"]) * (found["own"] - found["mean"]) >= 0
    assert between.all()
    assert ((found["shrunk"] - found["mean"]).abs() <= (found["own"] - found["mean"]).abs() + 1e-12).all()


def place_of(made, code, rows):
    unit = pd.Series({"place": code, "name": "X"})
    parts = made["decomposition"][made["decomposition"]["place"] == code]
    empty = pd.DataFrame()
    return Place(unit, rows, *(empty for _ in range(5)), (), None, SETTINGS, "public", parts)


def test_parts_made_from_a_hidden_count_are_hidden(tables):
    _, _, made = tables
    parts = (
        made["decomposition"].query("outcome == 'poor_pct' and part == 'change' and crossed != ''").iloc[0]
    )
    rows = pd.DataFrame(
        {
            "indicator": ["poverty_rate_pct"],
            "year": [int(parts["crossed"].split(",")[0])],
            "flags": ["hidden"],
        }
    )
    assert contribution.parts(place_of(made, parts["place"], rows), "poor_pct") is None
    assert contribution.parts(place_of(made, parts["place"], rows.assign(flags="")), "poor_pct") is not None
    block = contribution.decomposition(place_of(made, parts["place"], rows), lang="en")
    assert block.kind == "absent"


@pytest.mark.parametrize("lang", ["vi", "en"])
def test_the_part_of_credit_stays_an_association(tables, lang):
    _, _, made = tables
    known = made["decomposition"].query("part == 'rest' and known and outcome == 'poor_pct'")
    rows = pd.DataFrame({"indicator": [], "year": [], "flags": []}).astype({"indicator": str, "flags": str})
    place = place_of(made, known["place"].iloc[0], rows)
    for make in (contribution.change, contribution.decomposition):
        block = make(place, lang=lang)
        assert block.level == "L2"
        assert not CAUSAL.search(text(block))


def test_press_data_are_skipped_with_a_reason():
    root = Path(__file__).resolve().parents[2]
    from evalkit.load.dataset import open_dataset

    made, record = estimates.of_dataset(open_dataset(root / "data" / "published"))
    assert record["skipped"] == "no_tables"
    assert all(len(table) == 0 for table in made.values())
    data = impact.Impact(
        *(made[n] for n in ("effects", "periods", "curve", "checks")), {"rows": 0}, record, SETTINGS
    )
    assert "Nothing was estimated" in text(impact.question(data, lang="en"))
    assert impact.verdict(data, lang="en").kind == "absent"


def test_a_change_of_plan_is_kept_in_later_records():
    first = plan.record(planned.DEFAULT | {"decided_on": "2024-01-15"})
    second = plan.record(planned.DEFAULT | {"decided_on": "2024-03-01"}, first)
    third = plan.record(planned.DEFAULT | {"decided_on": "2024-03-01"}, json.loads(json.dumps(second)))
    assert first["replaced"] == []
    assert [old["decided_on"] for old in second["replaced"]] == ["2024-01-15"]
    assert third["replaced"] == second["replaced"]
    assert not plan.record(None)["preregistered"]
    data = impact.Impact(*[pd.DataFrame()] * 4, {"rows": 0}, second | {"skipped": ""}, SETTINGS)
    assert "plan was changed" in text(impact.plan(data, lang="en"))


@pytest.mark.parametrize(
    ("spoilt", "said"),
    [
        ({"outcomes": ["poor_pc"]}, ["outcomes", "poor_pc", "poor_pct"]),
        ({"decided_on": "2024-01-15"}, ["decided_on", "without quotes"]),
        ({"designs": []}, ["designs", "at least one"]),
        ({"dose": ["production"]}, ["dose", "doses"]),
        ({"doses": ["production", "production"]}, ["doses", "twice"]),
    ],
)
def test_a_faulty_plan_names_key_fault_and_mend(spoilt, said):
    from datetime import date

    good = {key: planned.DEFAULT[key] for key in ("outcomes", "doses", "designs")} | {
        "decided_on": date(2024, 1, 15)
    }
    faults = []
    assert planned.read(good, faults) is not None
    assert faults == []
    assert planned.read(good | spoilt, faults) is None
    assert all(word in faults[0] for word in said), faults


def test_every_gate_of_the_planned_designs_has_words():
    """A gate that only some data fail would otherwise end the notebook for those data alone."""
    source = "".join(
        (ROOT / "src/evalkit/impact" / f"{name}.py").read_text(encoding="utf-8")
        for name in ("gates", "fixed_effects", "long_differences", "shift_share")
    )
    asked = set(re.findall(r'[Gg]ate\(\s*"([a-z_]+)"', source))
    # Designs that no plan names.
    elsewhere = {"years_before", "years_after", "overlap", "balance", "pre_fit", "comparison_clusters"}
    assert "starting_point" in asked
    assert asked - elsewhere <= set(impact.GATES)


@pytest.mark.parametrize(("lang", "said"), [("en", "10.52 %"), ("vi", "10,52%")])
def test_a_change_of_log_income_is_said_in_per_cent(lang, said):
    assert impact.figure(0.1, "log_income", lang) == said
    assert impact.figure(float("inf"), "log_income", lang) == "∞"


@pytest.mark.parametrize("lang", ["vi", "en"])
def test_bounds_stand_on_the_page_of_every_reduced_form_that_passes(tables, lang):
    """With seven districts a study of few periods passes: its bounds are shown, widening with what is allowed."""
    _, panel, made = tables
    effects = made["effects"].set_index("name")
    reduced = effects[effects["design"] == "reduced_form"]
    bounded = made["checks"][made["checks"]["check"].isin(["relative", "smoothness"])]
    assert set(bounded["name"]) <= set(reduced.index[reduced["refusals"] == "[]"])
    for _, rows in bounded.groupby(["name", "check"]):
        width = rows.sort_values("value").eval("upper - lower")
        assert width.is_monotonic_increasing
    block = impact.bounds(report(made, panel), lang=lang)
    assert len(block.rows) == len(bounded)
    full = made["periods"].merge(reduced.reset_index()[["name", "refusals"]], on="name")
    later = full[full["event_time"] >= 0]
    assert set(later["name"]) == set(reduced.index[reduced["refusals"] == "[]"])
