"""The wild cluster bootstrap against its definition carried out draw by draw."""

from itertools import product

import numpy as np
import pandas as pd
import pytest

from evalkit import impact
from evalkit.errors import ParameterError
from evalkit.impact import bootstrap, regression


def by_definition(panel, null, absorb, controls=()):
    """Return |t| of every sign pattern: impose the null, flip residuals by cluster, fit again, studentise."""
    shared = {"absorb": absorb, "cluster": "district", "controls": controls}
    moved = panel.assign(left=panel["y"] - null * panel["x"])
    clean = np.column_stack([np.ones(len(panel)), *(panel[c] for c in controls)])
    blocks = [clean] + [np.eye(panel[a].nunique())[panel[a].factorize()[0]] for a in absorb]
    nuisance = np.hstack(blocks)
    fitted = nuisance @ np.linalg.lstsq(nuisance, moved["left"], rcond=None)[0]
    residual = moved["left"] - fitted
    districts = panel["district"].factorize()[0]
    t = []
    for signs in product((1.0, -1.0), repeat=districts.max() + 1):
        drawn = panel.assign(y=fitted + residual * np.array(signs)[districts])
        row = regression.fit(regression.prepare(drawn, outcome="y", regressors="x", **shared)).table().iloc[0]
        t.append(abs(row.estimate / row.std_error))
    return np.array(t)


@pytest.mark.parametrize(("absorb", "controls"), [((), ()), (("unit", "year"), ("c",))])
def test_every_sign_pattern_refitted(panel, absorb, controls):
    few = panel[panel["district"] < 5]
    design = regression.prepare(
        few, outcome="y", regressors="x", controls=controls, absorb=absorb, cluster="district"
    )
    fast = bootstrap.scores(design, draws=999)
    assert fast.enumerated
    for null in (0.0, 0.3):
        slow = by_definition(few, null, absorb, controls)
        both = np.repeat(np.abs(fast.t(null)), 2)  # a pattern and its mirror image
        assert np.sort(both) * slow[0] / both[0] == pytest.approx(np.sort(slow), rel=1e-6)
        assert fast.p_value(null) == pytest.approx((slow >= slow[0] * (1 - 1e-9)).mean())


def test_interval_holds_what_is_not_rejected(panel):
    design = regression.prepare(panel, outcome="y", regressors="x", absorb=("unit",), cluster="district")
    scores = bootstrap.scores(design)
    row = regression.fit(design).table().iloc[0]
    lower, upper = bootstrap.interval(scores, row.estimate, row.std_error)
    width = upper - lower
    assert lower < row.estimate < upper
    for bound, outward in ((lower, -1), (upper, 1)):
        assert scores.p_value(bound - outward * 1e-3 * width) > 0.05
        assert scores.p_value(bound + outward * 1e-3 * width) <= 0.05


def test_same_seed_same_draws_and_other_weights(panel):
    names = {"outcome": "y", "dose": "x", "cluster": "unit", "draws": 499}
    one, again = impact.wild_bootstrap(panel, **names), impact.wild_bootstrap(panel, **names)
    assert (one.p_wild, one.lower, one.upper) == (again.p_wild, again.lower, again.upper)
    webb = impact.wild_bootstrap(panel, kind="webb", **names)
    assert "webb" in webb.diagnostics["wild_draws"]
    assert webb.lower == pytest.approx(one.lower, abs=0.1)
    with pytest.raises(ParameterError, match="no such bootstrap weights"):
        impact.wild_bootstrap(panel, kind="gaussian", **names)


def test_webb_weights_have_unit_variance():
    assert bootstrap.WEBB.mean() == pytest.approx(0)
    assert (bootstrap.WEBB**2).mean() == pytest.approx(1)


def test_with_an_instrument_it_is_the_reduced_form_that_is_tested(panel):
    names = {"unit": "unit", "time": "year", "cluster": "district"}
    effect = impact.fixed_effects(panel, outcome="y", dose="x", instruments="z", **names)
    reduced = impact.fixed_effects(panel, outcome="y", dose="z", **names)
    assert effect.p_wild == reduced.p_wild


def test_an_irrelevant_instrument_leaves_the_interval_open(panel):
    noise = panel.assign(z=np.random.default_rng(3).normal(size=len(panel)))
    effect = impact.fixed_effects(
        noise, outcome="y", dose="x", instruments="z", unit="unit", cluster="district", despite="first_stage"
    )
    assert not np.isfinite([effect.lower, effect.upper]).all()


def test_level_of_the_test_is_right_with_few_clusters():
    """Eight clusters, no effect, shocks by cluster: about 5 % of samples are rejected at 5 %, not 15 %."""
    rng = np.random.default_rng(11)
    rejected = 0
    for _ in range(120):
        groups = np.repeat(np.arange(8), 12)
        x = rng.normal(size=8)[groups] + 0.3 * rng.normal(size=96)
        y = rng.normal(size=8)[groups] + rng.normal(size=96)
        design = regression.prepare(
            pd.DataFrame({"y": y, "x": x, "g": groups}), outcome="y", regressors="x", cluster="g"
        )
        rejected += bootstrap.scores(design).p_value() <= 0.05
    # Binomial(120, 0.05) exceeds 14 with probability 0.0007.
    assert rejected <= 14
