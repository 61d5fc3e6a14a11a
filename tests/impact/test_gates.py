"""What is refused, how it is said, and what setting a gate aside does."""

import csv
import re
import string
from importlib.resources import files
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from evalkit import impact
from evalkit.errors import DataError, ParameterError
from evalkit.impact import gates
from evalkit.impact.effect import Effect, Reason, messages

SOURCE = Path(impact.__file__).parent


def codes(reasons):
    return [reason.code for reason in reasons]


def test_fewer_than_six_clusters_are_refused(panel):
    few = panel[panel["district"] < 5]
    effect = impact.fixed_effects(few, outcome="y", dose="x", unit="unit", cluster="district")
    assert effect.refused
    assert codes(effect.refusals) == ["clusters"]
    assert effect.refusals[0].details["clusters"] == 5
    assert np.isnan([effect.estimate, effect.std_error, effect.lower, effect.p_value, effect.p_wild]).all()
    assert effect.coefficients.empty
    assert not effect.publishable
    six = impact.fixed_effects(
        panel[panel["district"] < 6], outcome="y", dose="x", unit="unit", cluster="district"
    )
    assert not six.refused


def test_a_gate_set_aside_by_name_is_said_and_caps_the_level(medicaid):
    tilted = medicaid.assign(
        dins=medicaid["dins"] + 0.02 * medicaid["yexp2"].eq(2014) * (medicaid["year"] - 2013)
    )
    names = {"outcome": "dins", "unit": "stfips", "time": "year", "first_treated": "yexp2"}
    refused = impact.event_study(tilted, **names)
    assert codes(refused.refusals) == ["pre_trends"]
    assert np.isnan(refused.estimate)
    assert (refused.periods["event_time"] < 0).all()
    assert refused.covariance.shape == (5, 5)
    kept = impact.event_study(tilted, despite=("pre_trends",), **names)
    assert kept.despite == ("pre_trends",)
    assert kept.level == "L2"
    assert not kept.publishable
    assert "set_aside" in codes(kept.warnings)
    assert np.isfinite(kept.estimate)
    with pytest.raises(ParameterError, match="no gate 'pretrends'"):
        impact.event_study(tilted, despite="pretrends", **names)


def test_few_clusters_make_the_bootstrap_the_headline(panel):
    effect = impact.fixed_effects(panel, outcome="y", dose="x", unit="unit", cluster="district")
    assert effect.headline == "p_wild"
    assert effect.p_headline == effect.p_wild
    assert (effect.lower, effect.upper) == (
        effect.diagnostics["wild_lower"],
        effect.diagnostics["wild_upper"],
    )
    assert "few_clusters" in codes(effect.warnings)
    assert "all patterns" in effect.method
    many = pd.concat([panel.assign(unit=panel["unit"] + 100 * k) for k in range(2)])
    assert impact.fixed_effects(many, outcome="y", dose="x", unit="unit", draws=99).headline == "p_value"


def test_disagreement_of_bootstrap_and_convention_is_said():
    one = Effect(1.0, p_value=0.01, p_wild=0.2)
    from evalkit.impact.estimation import disagreement

    assert codes(disagreement(one)) == ["bootstrap_disagrees"]
    assert disagreement(Effect(1.0, p_value=0.01, p_wild=0.02)) == []
    assert disagreement(Effect(1.0, p_value=0.01)) == []


def test_opposite_signs_of_least_squares_and_instrument_are_said(panel):
    hidden = panel["y"] - 0.5 * panel["x"]
    turned = panel.assign(y=3 * hidden - 0.4 * panel["x"])
    effect = impact.fixed_effects(turned, outcome="y", dose="x", instruments="z", unit="unit", time="year")
    assert effect.diagnostics["ols_estimate"] > 0 > effect.estimate
    assert "opposite_signs" in codes(effect.warnings)


def test_a_weak_instrument_is_refused(panel):
    noise = panel.assign(z=np.random.default_rng(3).normal(size=len(panel)))
    effect = impact.fixed_effects(noise, outcome="y", dose="x", instruments="z", unit="unit")
    assert codes(effect.refusals) == ["first_stage"]
    assert effect.diagnostics["first_stage_f"] < 10


def test_outcome_and_dose_made_of_the_same_counts_are_refused(panel):
    panel.attrs["made_of"] = {"y": ("poor", "households"), "x": ("outstanding_vnd", "poor")}
    effect = impact.fixed_effects(panel, outcome="y", dose="x", unit="unit")
    assert codes(effect.refusals) == ["mechanical_link"]
    assert effect.refusals[0].details["shared"] == "poor"
    panel.attrs["made_of"] = {"y": ("poor", "households"), "x": ("outstanding_vnd", "households")}
    assert not impact.fixed_effects(panel, outcome="y", dose="x", unit="unit").refused


def test_the_same_figure_twice_is_refused(panel):
    twice = panel.assign(x=3 - 2 * panel["y"])
    assert codes(impact.fixed_effects(twice, outcome="y", dose="x", unit="unit").refusals) == [
        "mechanical_link"
    ]


def test_a_series_across_standards_is_refused_unless_effects_are_by_standard(panel):
    broken = panel.assign(standard=np.where(panel["year"] < 3, "2011-2015", "2016-2020"))
    effect = impact.fixed_effects(broken, outcome="y", dose="x", unit="unit", time="year")
    assert codes(effect.refusals) == ["one_basis"]
    assert effect.refusals[0].details["units"] == 40
    split = broken.assign(unit_standard=broken["unit"].astype(str) + broken["standard"])
    assert not impact.fixed_effects(
        split, outcome="y", dose="x", unit="unit_standard", time="year", wild=False
    ).refused


def test_merged_units_without_crosswalk_are_refused(panel):
    merged = panel.assign(merged=panel["unit"] < 3)
    effect = impact.fixed_effects(merged, outcome="y", dose="x", unit="unit")
    assert codes(effect.refusals) == ["merged_units"]
    assert effect.refusals[0].details["units"] == 3


def test_several_dates_or_nobody_to_compare_with(counties):
    names = {"outcome": "lemp", "unit": "countyreal", "time": "year", "first_treated": "first.treat"}
    assert codes(impact.event_study(counties, **names).refusals) == ["single_date"]
    everyone = counties[counties["first.treat"] > 0]
    assert codes(impact.staggered(everyone, **names).refusals) == ["comparison_group"]
    assert "comparison_group" in codes(impact.event_study(everyone, **names).refusals)
    assert not impact.staggered(everyone, control_group="not_yet", **names).refused


def test_what_could_not_be_tested_caps_the_level(counties):
    pair = counties[counties["year"].isin([2005, 2006]) & counties["first.treat"].isin([0, 2006])]
    pair = pair.assign(treated=(pair["first.treat"] > 0) * 1, after=(pair["year"] == 2006) * 1)
    effect = impact.difference_in_differences(
        pair, outcome="lemp", treated="treated", post="after", unit="countyreal", time="year"
    )
    assert effect.level == "L2"
    assert "pre_trends_untested" in codes(effect.warnings)


def test_pre_trends_of_a_difference_in_differences_are_refused(counties):
    frame = counties[counties["first.treat"].isin([0, 2006])]
    frame = frame.assign(treated=(frame["first.treat"] > 0) * 1, after=(frame["year"] >= 2006) * 1)
    tilted = frame.assign(lemp=frame["lemp"] + 0.2 * frame["treated"] * (frame["year"] - 2003))
    names = {"outcome": "lemp", "treated": "treated", "post": "after", "unit": "countyreal", "time": "year"}
    assert impact.difference_in_differences(frame, **names).level == "L3"
    assert codes(impact.difference_in_differences(tilted, **names).refusals) == ["pre_trends"]


def test_level_of_one_series_stays_a_comparison(smoking):
    series = smoking[smoking["state"] == "California"]
    effect = impact.interrupted_series(series, outcome="cigsale", time="year", start=1989)
    assert effect.level == "L1"
    assert "no_comparison" in codes(effect.warnings)


def test_every_code_in_the_source_has_its_two_sentences():
    used = set()
    for path in SOURCE.glob("*.py"):
        text = path.read_text(encoding="utf-8")
        used |= set(re.findall(r'Reason\(\s*"(\w+)"', text)) | set(re.findall(r'\bgate\(\s*"(\w+)"', text))
    assert used <= set(messages()) | {"pre_trends_untested"}
    assert {"clusters", "one_basis", "few_clusters"} <= used


def test_both_languages_ask_for_the_same_details():
    with files("evalkit.impact").joinpath("messages.csv").open(encoding="utf-8", newline="") as stream:
        rows = list(csv.DictReader(stream))
    assert len({row["msgid"] for row in rows}) == len(rows)
    for row in rows:
        names = [
            {name for _, name, _, _ in string.Formatter().parse(row[lang]) if name} for lang in ("vi", "en")
        ]
        assert names[0] == names[1], row["msgid"]
        assert row["vi"].endswith((".", "}")), row["msgid"]


def test_a_reason_is_a_sentence_with_its_record():
    reason = Reason("clusters", {"clusters": 4, "needed": 6})
    assert str(reason).startswith("clusters: There are only 4 clusters")
    assert reason.text("vi").startswith("Chỉ có 4 cụm")
    import copy
    import pickle

    for twin in (copy.deepcopy(reason), pickle.loads(pickle.dumps(reason))):
        assert (twin, twin.code, twin.details) == (reason, "clusters", {"clusters": 4, "needed": 6})


def test_an_effect_shows_itself_in_one_row(panel):
    effect = impact.fixed_effects(panel, outcome="y", dose="x", unit="unit", draws=99)
    row = effect.summary()
    assert len(row) == 1
    assert row["estimate"].iloc[0] == effect.estimate
    assert "<table" in effect._repr_html_()
    with pytest.raises(AttributeError):
        effect.estimate = 0.0


def test_figures_are_plain_numbers_whatever_computed_them(panel, smoking):
    series = smoking[smoking["state"] == "California"]
    found = [
        impact.fixed_effects(panel, outcome="y", dose="x", instruments="z", cluster="district", draws=99),
        impact.interrupted_series(series, outcome="cigsale", time="year", start=1989),
        impact.Effect(np.float64(1), n=np.int64(3), diagnostics={"f": np.float32(2)}),
    ]
    for effect in found:
        assert "np." not in repr(effect)
        assert not [v for v in effect.diagnostics.values() if isinstance(v, np.generic)]


def test_judge_knows_only_the_gates_of_the_design():
    with pytest.raises(ParameterError, match="there are clusters"):
        gates.judge(Effect(1.0), [gates.clusters(10)], level="L2", despite=("pre_trends",))
    assert gates.judge(Effect(1.0), [gates.clusters(10)], level="L3").level == "L3"
    assert gates.lower_of("L3", "L1", "L2") == "L1"


def test_errors_name_the_fault_and_the_mend(panel):
    with pytest.raises(DataError, match="other than 0 and 1"):
        impact.difference_in_differences(panel, outcome="y", treated="x", post="year", unit="unit")
    with pytest.raises(ParameterError, match="when does it start"):
        impact.event_study(panel, outcome="y", unit="unit", time="year")
    with pytest.raises(DataError, match="changes within a unit"):
        impact.event_study(panel, outcome="y", unit="unit", time="year", dose="x", first_treated=3)
