"""Comparators by hand, the tests' error rates by simulation, printed funnel and rank rules."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from evalkit.errors import BasisError, DataError
from evalkit.metrics import compare, intervals


@pytest.fixture
def places():
    return pd.DataFrame(
        {
            "code": ["00001", "00002", "00003", "00004", "00005"],
            "district_code": ["001", "001", "001", "002", "002"],
            "province_code": ["25"] * 5,
            "type": ["xã", "xã", "phường", "xã", "xã"],
            "elevation_m": [10.0, 12.0, 15.0, 900.0, np.nan],
            "distance_km": [5.0, 6.0, 1.0, 60.0, 50.0],
            "poor_pct": [1.0, 9.0, 2.0, 30.0, 20.0],
        }
    )


@pytest.fixture
def results():
    counts = {
        "00001": (10, 100),
        "00002": (30, 300),
        "00003": (0, 200),
        "00004": (90, 300),
        "00005": (np.nan, np.nan),
    }
    rows = pd.DataFrame(
        [(place, 2020, "poor_pct", x, n, "2016-2020", "percent") for place, (x, n) in counts.items()]
        + [("00001", 2017, "poor_pct", 40, 100, "2016-2020", "percent")]
        + [("00001", 2015, "poor_pct", 5, 100, "2011-2015", "percent")],
        columns=["place", "period", "indicator", "numerator", "denominator", "basis", "unit"],
    )
    lower, upper = intervals.wilson(rows.numerator, rows.denominator)
    return rows.assign(value=100 * rows.numerator / rows.denominator, lower=100 * lower, upper=100 * upper)


def test_references_by_hand_leave_the_place_out(results, places):
    peers = pd.DataFrame({"place": ["00001", "00001"], "peer": ["00002", "00004"]})
    got = compare.benchmarks(results, places, peers=peers).set_index(["comparator", "place", "period"])
    assert got.reference["district_code", "00001", 2020] == pytest.approx(100 * 30 / 500)
    assert got.reference["province_code", "00001", 2020] == pytest.approx(100 * 120 / 800)
    assert ("type", "00003", 2020) not in got.index  # the only ward has nobody to stand beside
    assert got.reference["type", "00001", 2020] == pytest.approx(100 * 120 / 600)
    assert got.reference["peers", "00001", 2020] == pytest.approx(100 * 120 / 600)
    assert got.places["province_code", "00001", 2020] == 3  # 00005 has no value
    assert ("district_code", "00004", 2020) not in got.index
    # The past is the earliest year on the same standard: 2017, not 2015.
    past = got.loc[("own_past", "00001", 2020)]
    assert (past.reference, past.reference_method) == (40, "value of 2017")


def test_means_where_there_are_no_counts(results, places):
    income = results.assign(indicator="income", numerator=np.nan, denominator=np.nan, unit="VND")
    income = income.assign(value=[10.0, 20.0, 30.0, 40.0, np.nan, 5.0, 1.0])
    got = compare.benchmarks(income, places).set_index(["comparator", "place", "period"])
    assert got.reference["province_code", "00001", 2020] == pytest.approx(30)
    assert got.reference_method["province_code", "00001", 2020] == "mean of the others"
    with pytest.raises(DataError, match="00001, 2020, income occurs twice"):
        compare.benchmarks(pd.concat([income, income]), places)


def test_verdicts_obey_interval_polarity_and_missing(results, places):
    references = compare.benchmarks(results, places, groups=("province_code",))
    got = compare.judge(results, references, polarity={"poor_pct": -1})
    got = got[got.comparator == "province_code"].set_index(["place", "period"])
    # The province without the place: 15, 18.6 and 6.7 per cent.
    assert got.verdict["00001", 2020] == "similar"
    assert got.verdict["00003", 2020] == "better"
    assert got.verdict["00004", 2020] == "worse"
    plain = compare.judge(results, references, polarity={"poor_pct": 0})
    assert set(plain.verdict) == {"similar", "lower", "higher", "not judged"}
    alone = compare.judge(results, references[references.place == "00001"], polarity={"poor_pct": -1})
    assert set(alone[alone.place != "00001"].reason) == {"no reference", "no value"}
    bridge = results[results.place == "00001"].assign(period=2015).drop_duplicates("basis")
    both = compare.benchmarks(pd.concat([bridge, bridge.assign(place="00002")]), places, groups=("type",))
    judged = compare.judge(bridge, both, polarity={"poor_pct": -1})
    assert sorted(judged.basis) == ["2011-2015", "2016-2020"]  # counted on both standards, each with its own
    few = compare.judge(results, references, polarity={"poor_pct": -1}, at_least=150)
    few = few[few.comparator == "province_code"].set_index("place")
    assert (few.verdict["00001"], few.reason["00001"]) == ("not judged", "fewer than 150 at risk")
    blind = compare.judge(results.assign(lower=np.nan), references, polarity={"poor_pct": -1})
    assert set(blind.reason[blind.comparator.notna()]) == {"no interval"}
    counted = compare.judge(results, references, polarity={"poor_pct": -1}, test="difference")
    assert counted.test.iloc[0].endswith("(Newcombe) without 0")
    assert counted.set_index(["comparator", "place", "period"]).verdict["own_past", "00001", 2020] == "better"
    with pytest.raises(DataError, match="polarity: none for poor_pct"):
        compare.judge(results, references, polarity={})
    with pytest.raises(DataError, match="test='guess'"):
        compare.judge(results, references, polarity={"poor_pct": 1}, test="guess")
    other = references.assign(basis="2022-2025")
    with pytest.raises(BasisError, match="'2016-2020' against '2022-2025'"):
        compare.judge(results[results.period == 2020], other, polarity={"poor_pct": -1})


def test_a_printed_bound_is_judged_by_what_it_says():
    row = {
        "place": "08473",
        "period": 2024,
        "indicator": "x",
        "basis": "",
        "numerator": np.nan,
        "denominator": np.nan,
    }
    over = pd.DataFrame([row | {"value": 26.5, "lower": 26.5, "upper": np.inf}])
    reference = pd.DataFrame([row | {"reference": 20.0}, row | {"reference": 30.0}])
    reference = reference[["place", "period", "indicator", "basis", "reference"]]
    assert compare.judge(over, reference, polarity={"x": 1}).verdict.tolist() == ["better", "similar"]


@pytest.mark.parametrize("test", ["interval", "difference"])
def test_as_many_flags_as_chance_makes_where_nothing_differs(test):
    rng = np.random.default_rng(31)
    n = rng.integers(300, 3000, 4000)
    x = rng.binomial(n, 0.12)
    lower, upper = intervals.wilson(x, n)
    rows = pd.DataFrame({"place": np.arange(4000).astype(str), "period": 2020, "indicator": "p", "basis": ""})
    rows = rows.assign(numerator=x, denominator=n, value=x / n, lower=lower, upper=upper, unit="proportion")
    places = pd.DataFrame({"code": rows.place, "province_code": "25"})
    references = compare.benchmarks(rows, places, groups=("province_code",))
    judged = compare.judge(rows, references, polarity={"p": -1}, test=test)
    flags = compare.flags_by_chance(judged).iloc[0]
    assert (flags.judged, flags.expected) == (4000, pytest.approx(200))
    assert flags.found == pytest.approx(200, abs=3 * np.sqrt(200 * 0.95))
    assert 0.001 < flags.p_value < 0.999
    worse = rows.assign(lower=rows.lower + 0.1, upper=rows.upper + 0.1)
    assert compare.flags_by_chance(compare.judge(worse, references, polarity={"p": -1})).p_value.item() < 1e-6


def test_peers_by_hand_and_never_by_outcome(places):
    got = compare.peers(places, descriptors=["elevation_m", "distance_km"], outcomes=["poor_pct"], count=2)
    assert set(got.place) == {"00001", "00002", "00003", "00004"}  # 00005 lacks its elevation
    assert got[got.place == "00001"].peer.tolist() == ["00002", "00003"]
    known = places.dropna(subset=["elevation_m"])
    z = (known[["elevation_m", "distance_km"]] - known[["elevation_m", "distance_km"]].mean()) / known[
        ["elevation_m", "distance_km"]
    ].std(ddof=0)
    by_hand = np.sqrt((((z.iloc[0] - z.iloc[1]) ** 2).sum()) / 2)
    assert got.distance.iloc[0] == pytest.approx(by_hand)
    assert got[["place", "peer"]].apply(lambda r: r.place != r.peer, axis=1).all()
    alike = compare.peers(
        places, descriptors=["distance_km"], outcomes=["poor_pct"], within=["type"], count=9
    )
    assert "00003" not in set(alike.place) | set(alike.peer)
    shuffled = compare.peers(
        places.sample(frac=1, random_state=5),
        descriptors=["elevation_m", "distance_km"],
        outcomes=[],
        count=2,
    )
    pd.testing.assert_frame_equal(shuffled, got)
    with pytest.raises(DataError, match="poor_pct are outcomes"):
        compare.peers(places, descriptors=["poor_pct"], outcomes=["poor_pct"])
    with pytest.raises(DataError, match="no column area_km2"):
        compare.peers(places, descriptors=["area_km2"], outcomes=[])
    with pytest.raises(DataError, match="00001 occurs twice"):
        compare.peers(pd.concat([places, places]), descriptors=["distance_km"], outcomes=[])


def test_funnel_limits_hold_what_they_say_and_narrow():
    got = compare.funnel_limits([0, 50, 500, 5000], 0.1)
    assert np.isnan(got.lower_95[0])
    width = (got.upper_95 - got.lower_95)[1:]
    assert width.is_monotonic_decreasing
    assert (got["upper_99.8"] >= got.upper_95)[1:].all()
    # At 5,000 the binomial is normal: 0.1 and 1.96 standard errors.
    assert got.upper_95[3] == pytest.approx(0.1 + 1.96 * np.sqrt(0.09 / 5000), abs=2e-4)
    n = 37
    limit = compare.funnel_limits([n], 0.3).lower_95[0] * n
    cdf = stats.binom.cdf([np.floor(limit), np.ceil(limit)], n, 0.3)
    assert cdf[0] <= 0.025 <= cdf[1]
    with pytest.raises(DataError, match="rate=2"):
        compare.funnel_limits([10], 2)


def test_ranks_by_hand():
    got = compare.ranks([10.0, 30.0, 29.0, np.nan], std_error=[1.0, 1.0, 1.0, 1.0])
    assert got["rank"].tolist()[:3] == [3, 1, 2]
    assert got.rank_best.tolist()[:3] == [3, 1, 1]
    assert got.rank_worst.tolist()[:3] == [3, 2, 2]
    assert got.iloc[3, :3].isna().all()
    assert got.places.unique().tolist() == [3]
    lowest = compare.ranks([0.1, 0.5], numerator=[10, 50], denominator=[100, 100], highest_first=False)
    assert lowest[["rank", "rank_best", "rank_worst"]].values.tolist() == [[1, 1, 1], [2, 2, 2]]
    with pytest.raises(DataError, match="give numerator and denominator"):
        compare.ranks([1.0, 2.0])


def test_the_whole_ranking_is_right_as_often_as_it_says():
    rng = np.random.default_rng(41)
    truth = np.sort(rng.normal(0, 1, 25))[::-1]
    true_rank = np.arange(1, 26)
    held = 0
    for _ in range(400):
        got = compare.ranks(truth + rng.normal(0, 0.4, 25), std_error=np.full(25, 0.4))
        held += ((got.rank_best <= true_rank) & (true_rank <= got.rank_worst)).all()
    assert held / 400 >= 0.95


@given(st.lists(st.tuples(st.floats(-100, 100), st.floats(0, 10)), min_size=1, max_size=30))
def test_a_rank_lies_in_its_interval(rows):
    value, error = map(np.array, zip(*rows, strict=True))
    got = compare.ranks(value, std_error=error)
    assert ((got.rank_best <= got["rank"]) & (got["rank"] <= got.rank_worst)).all()
    assert got.rank_best.min() == 1
    mirrored = compare.ranks(-value, std_error=error, highest_first=False)
    pd.testing.assert_frame_equal(got, mirrored)
