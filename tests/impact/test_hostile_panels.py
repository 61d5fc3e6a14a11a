"""Panels as people bring them: the same answer, or a refusal or DataError with the reason; never a wrong number."""

import numpy as np
import pandas as pd
import pytest

from evalkit import impact
from evalkit.errors import DataError, EvalkitError, ParameterError

UNITS, YEARS = 40, range(2010, 2018)


def plain(seed=1):
    """Forty units in ten districts, eight years; half of them start in 2014, a dose moves the outcome."""
    rng = np.random.default_rng(seed)
    unit = np.repeat(np.arange(UNITS), len(YEARS))
    frame = pd.DataFrame({"unit": unit, "year": np.tile(YEARS, UNITS), "district": unit // 4})
    treated = rng.permutation(UNITS) < UNITS // 2
    frame["first"] = np.where(treated, 2014, 0)[unit]
    frame["treated"], frame["post"] = treated[unit] * 1, (frame["year"] >= 2014) * 1
    frame["x"], frame["c"] = rng.normal(size=(2, len(frame)))
    frame["kind"] = rng.choice(list("abc"), len(frame))
    level, noise = rng.normal(size=UNITS)[unit], rng.normal(size=len(frame))
    frame["y"] = level + 0.5 * frame["x"] + 0.4 * frame["treated"] * frame["post"] + 0.5 * noise
    return frame


PLAIN = plain()
NAMES = {"outcome": "y", "unit": "unit", "time": "year"}
DESIGNS = {
    "fixed_effects": lambda f, **o: impact.fixed_effects(
        f, dose="x", controls=["c"], wild=False, **NAMES, **o
    ),
    "event_study": lambda f, **o: impact.event_study(f, first_treated="first", wild=False, **NAMES, **o),
    "difference_in_differences": lambda f, **o: impact.difference_in_differences(
        f, treated="treated", post="post", wild=False, **NAMES, **o
    ),
    "staggered": lambda f, **o: impact.staggered(f, first_treated="first", **NAMES, **o),
}
never = PLAIN["first"].replace(0, np.nan)
years = PLAIN["year"].astype(str)
starts = never.astype("Int64").astype("string")
SAME = {
    "text units": PLAIN.assign(unit="u" + PLAIN["unit"].astype(str)),
    "categories": PLAIN.assign(unit=PLAIN["unit"].astype("category")),
    "unsorted": PLAIN.sample(frac=1, random_state=3),
    "one index value": PLAIN.set_index(pd.Index(np.zeros(len(PLAIN), int))),
    "text index": PLAIN.set_index("kind", drop=False),
    "nullable types": PLAIN.convert_dtypes(),
    "objects": PLAIN.assign(y=PLAIN["y"].astype(object)),
    "years as text": PLAIN.assign(year=years),
    "dates": PLAIN.assign(year=pd.to_datetime(years + "-01-01"), first=pd.to_datetime(starts + "-01-01")),
    "periods": PLAIN.assign(year=pd.PeriodIndex(years, freq="Y"), first=pd.PeriodIndex(starts, freq="Y")),
    "quarters": PLAIN.assign(
        year=pd.PeriodIndex(
            [f"{2000 + (y - 2010) // 4}Q{(y - 2010) % 4 + 1}" for y in PLAIN["year"]], freq="Q"
        ),
        first=pd.PeriodIndex(never.map({2014: "2001Q1"}), freq="Q"),
    ),
    "never missing": PLAIN.assign(first=never),
    "never infinite": PLAIN.assign(first=PLAIN["first"].replace(0, np.inf)),
    "never NA": PLAIN.assign(first=never.astype("Int64")),
    "never None": PLAIN.assign(first=never.astype(object).where(never.notna(), None)),
    "true and false": PLAIN.assign(treated=PLAIN["treated"] == 1, post=PLAIN["post"] == 1),
    "columns named like ours": PLAIN.assign(
        **{"later x": 0.0, "first treated": 1.0, "time": 5, "event +1": 9.0}
    ),
    "a measure called basis": PLAIN.assign(basis=PLAIN["c"]),
}


@pytest.fixture(scope="module")
def answers():
    return {name: design(PLAIN) for name, design in DESIGNS.items()}


@pytest.mark.parametrize("design", DESIGNS)
@pytest.mark.parametrize("brought", SAME)
def test_the_same_panel_gives_the_same_answer(brought, design, answers):
    found, expected = DESIGNS[design](SAME[brought]), answers[design]
    assert found.estimate == pytest.approx(expected.estimate, rel=1e-6)
    assert found.std_error == pytest.approx(expected.std_error, rel=1e-6)
    assert (found.n, found.level) == (expected.n, expected.level)


SPOILT = {
    "infinite outcome": (PLAIN.assign(y=PLAIN["y"].mask(PLAIN.index == 3, np.inf)), "infinite"),
    "text outcome": (PLAIN.assign(y=PLAIN["y"].astype(str)), "not a number"),
    "constant outcome": (PLAIN.assign(y=1.0), "does not vary"),
    "outcome of units": (PLAIN.assign(y=PLAIN["unit"] / 7), "does not vary"),
    "outcome of years": (PLAIN.assign(y=PLAIN["year"] / 7), "does not vary"),
    "two columns of a name": (pd.concat([PLAIN, PLAIN[["y"]]], axis=1), "several columns"),
    "no frame": (PLAIN.to_dict("list"), "Give a pandas DataFrame"),
}


@pytest.mark.parametrize("design", DESIGNS)
@pytest.mark.parametrize("spoilt", SPOILT)
def test_a_spoilt_panel_is_named(spoilt, design):
    frame, said = SPOILT[spoilt]
    with pytest.raises(DataError, match=said):
        DESIGNS[design](frame)


def test_weights_of_zero_leave_rows_out():
    weights = pd.Series(np.random.default_rng(2).uniform(0.5, 2, len(PLAIN)))
    out = PLAIN.index % 7 == 0
    zero = DESIGNS["fixed_effects"](PLAIN.assign(w=weights.mask(out, 0.0)), weights="w")
    cut = DESIGNS["fixed_effects"](PLAIN.assign(w=weights)[~out], weights="w")
    assert zero.estimate == pytest.approx(cut.estimate, rel=1e-9)
    assert zero.std_error == pytest.approx(cut.std_error, rel=1e-9)
    assert zero.n == cut.n


def test_without_both_sides_before_and_after_nothing_is_estimated():
    """Treated alone would give a before-after comparison under the name of a difference in differences."""
    names = {"outcome": "y", "treated": "treated", "post": "post"}
    for more in ({}, {"unit": "unit"}, {"unit": "unit", "time": "year"}):
        alone = impact.difference_in_differences(PLAIN[PLAIN["treated"] == 1], **names, **more)
        assert [r.code for r in alone.refusals] == ["comparison_group"]
    late = PLAIN[(PLAIN["treated"] == 0) | (PLAIN["post"] == 1)]
    with pytest.raises(DataError, match="no treated row before"):
        impact.difference_in_differences(late, **names)


def test_roles_that_say_something_else_are_named():
    names = {"outcome": "y", "treated": "treated", "post": "post", "unit": "unit", "time": "year"}
    product = PLAIN.assign(treated=PLAIN["treated"] * PLAIN["post"])
    with pytest.raises(DataError, match="changes within a unit"):
        impact.difference_in_differences(product, **names)
    by_unit = PLAIN.assign(post=(PLAIN["year"] >= 2014 + PLAIN["unit"] % 2) * 1)
    with pytest.raises(DataError, match="use staggered"):
        impact.difference_in_differences(by_unit, **names)
    with pytest.raises(DataError, match="0 and 1"):
        impact.difference_in_differences(PLAIN.assign(treated="yes"), **names)
    with pytest.raises(DataError, match="leave missing what never happened"):
        impact.staggered(PLAIN.assign(first="never"), first_treated="first", **NAMES)
    with pytest.raises(DataError, match="several rows"):
        impact.staggered(pd.concat([PLAIN, PLAIN.iloc[[7]]]), first_treated="first", **NAMES)


@pytest.mark.parametrize("design", ["event_study", "staggered"])
def test_one_treated_cluster_has_no_error(design):
    one = PLAIN.assign(first=np.where(PLAIN["unit"] == 0, 2014, 0))
    assert "treated_clusters" in [r.code for r in DESIGNS[design](one).refusals]
    three = PLAIN.assign(first=np.where(PLAIN["unit"] < 3, 2014, 0))
    warned = DESIGNS[design](three, despite=("pre_trends",) if design == "event_study" else ())
    assert "few_treated_clusters" in [w.code for w in warned.warnings]


@pytest.mark.filterwarnings("ignore::RuntimeWarning")  # one cluster has no spread
@pytest.mark.parametrize("districts", [1, 2])
def test_one_or_two_clusters_are_refused(districts):
    few = PLAIN.assign(district=PLAIN["unit"] % districts)
    for name in ("fixed_effects", "difference_in_differences", "staggered"):
        assert "clusters" in [r.code for r in DESIGNS[name](few, cluster="district").refusals]


def test_controls_in_words_are_indicators_also_where_starts_are_staggered():
    rates = {"a": 0.0, "b": 0.2, "c": 0.5}
    fixed = PLAIN["unit"].map(lambda u: "abc"[u % 3])
    frame = PLAIN.assign(kind=fixed, y=PLAIN["y"] + fixed.map(rates) * (PLAIN["year"] - 2010))
    written = pd.get_dummies(fixed, prefix="kind", drop_first=True, dtype=float)
    words = impact.staggered(frame, first_treated="first", controls=["kind"], **NAMES)
    columns = impact.staggered(frame.join(written), first_treated="first", controls=list(written), **NAMES)
    assert words.estimate == pytest.approx(columns.estimate, rel=1e-9)
    assert words.std_error == pytest.approx(columns.std_error, rel=1e-9)


def test_households_may_bring_a_column_called_score():
    rng = np.random.default_rng(4)
    size = 400
    head = pd.DataFrame({"household": np.arange(size), "score": rng.normal(size=size)})
    head["borrowed"] = (rng.random(size) < 1 / (1 + np.exp(-head["score"]))) * 1
    start, noise = rng.normal(size=(2, size))
    rows = pd.concat(
        [head.assign(year=0, y=start), head.assign(year=1, y=start + head["score"] + 0.3 * noise)]
    )
    names = {
        "outcome": "y",
        "treated": "borrowed",
        "unit": "household",
        "time": "year",
        "before": 0,
        "after": 1,
    }
    ours = impact.household_difference(rows, covariates=["score"], as_of=0, **names)
    renamed = rows.rename(columns={"score": "rating"})
    assert (
        ours.estimate
        == impact.household_difference(renamed, covariates=["rating"], as_of=0, **names).estimate
    )
    assert abs(ours.estimate) < 3 * ours.std_error


def test_synthetic_designs_name_what_is_missing():
    names = {**NAMES, "start": 2014}
    for treated in ([], list(range(UNITS))):
        with pytest.raises(DataError, match="treated and others"):
            impact.synthetic_did(PLAIN, treated=treated, **names)
    with pytest.raises(ParameterError, match="Start between"):
        impact.synthetic_did(PLAIN, treated=[0, 1], **{**names, "start": 2030})
    with pytest.raises(EvalkitError, match="not a number"):
        impact.synthetic_control(PLAIN.assign(y="3"), treated=0, **names)
    counts = pd.DataFrame({"n": [3, 4, 5, 6, 7, 8], "t": range(6), "people": [9, 9, 0, 9, 9, 9]})
    with pytest.raises(DataError, match="exposure is positive"):
        impact.interrupted_series(counts, outcome="n", time="t", start=3, family="poisson", offset="people")
    with pytest.raises(DataError, match="no row"):
        impact.interrupted_series(PLAIN.iloc[:0], outcome="y", time="year", start=2014)
