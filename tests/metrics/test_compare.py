"""Comparators by hand, the tests' error rates by simulation, printed funnel and rank rules."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from scipy import stats

from evalkit.errors import DataError
from evalkit.load import peers as peers_file
from evalkit.metrics import comparators, compare, intervals


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
def units(places):
    day = {"valid_from": pd.NaT, "valid_to": pd.NaT}
    return places.assign(place=places["code"], level="commune", **day)


def rows_of(counts, *, indicator="poverty_rate_pct", basis="2016-2020", unit="percent", method="review"):
    """Rows of counts: (place, year, numerator, denominator)."""
    rows = pd.DataFrame(counts, columns=["place", "year", "numerator", "denominator"])
    lower, upper = intervals.wilson(rows.numerator, rows.denominator)
    value = 100 * rows.numerator / rows.denominator
    return rows.assign(
        indicator=indicator, period=rows.year.astype(str), basis=basis, unit=unit, method=method, flags="",
        value=value, lower=100 * lower, upper=100 * upper,
    ).astype({"year": "Int64"})  # fmt: skip


def amounts(values, *, indicator="outstanding_per_household_vnd", year=2020, **more):
    """Rows of money without counts: {place: value}."""
    value = np.array(list(values.values()), float)
    rows = pd.DataFrame({"place": list(values), "year": pd.array([year] * len(value), "Int64")})
    base = {"indicator": indicator, "period": str(year), "basis": pd.NA, "unit": "VND", "method": "bank"}
    counts = {"numerator": np.nan, "denominator": np.nan, "flags": ""}
    return rows.assign(**base, **counts, value=value, lower=value, upper=value).assign(**more)


@pytest.fixture
def results():
    counts = {"00001": (10, 100), "00002": (30, 300), "00003": (0, 200), "00004": (90, 300)}
    latest = rows_of([(place, 2020, x, n) for place, (x, n) in counts.items()])
    older = rows_of([("00001", 2017, 40, 100)])
    other = rows_of([("00001", 2015, 5, 100)], basis="2011-2015")
    return pd.concat([latest, older, other], ignore_index=True)


def no_peers():
    return pd.DataFrame({"place": pd.array([], "string"), "peer": pd.array([], "string")})


def judged(rows, units, peers=None, minimum=1):
    return comparators.compared(rows, units, no_peers() if peers is None else peers, minimum=minimum)


def test_references_by_hand_leave_the_place_out(results, units):
    peers = pd.DataFrame({"place": ["00001", "00001"], "peer": ["00002", "00004"]})
    got = judged(results, units, peers).set_index(["comparator", "place"])
    assert got.reference["district", "00001"] == pytest.approx(100 * 30 / 500)
    assert got.reference["province", "00001"] == pytest.approx(100 * 120 / 800)
    assert ("type", "00003") not in got.index  # the only ward has nobody to stand beside
    assert got.reference["type", "00001"] == pytest.approx(100 * 120 / 600)
    assert got.reference["peers", "00001"] == pytest.approx(100 * 120 / 600)
    assert got.places["province", "00001"] == 3  # 00005 has no figure
    assert ("district", "00004") not in got.index
    # The past is the earliest year on the same standard: 2017, not 2015; the latest row alone is compared.
    past = got.loc[("own_past", "00001")]
    assert (past.reference, past.since, past.year) == (40, 2017, 2020)


def test_verdicts_obey_interval_polarity_and_missing(results, units):
    got = judged(results, units)
    province = got[got.comparator == "province"].set_index("place")
    # The province without the place: 15, 18.6, 6.7 and 15 per cent.
    assert province.verdict["00001"] == "similar"
    assert province.verdict["00003"] == "better"
    assert province.verdict["00004"] == "worse"
    assert got.set_index(["comparator", "place"]).verdict["own_past", "00001"] == "better"
    table = comparators.references(comparators.comparable(results, units), units, no_peers())
    plain = compare.judge(table, polarity={"poverty_rate_pct": 0})
    assert set(plain.verdict) == {"similar", "lower", "higher"}
    few = compare.judge(table, polarity=compare.polarity(), minimum=5)
    assert set(few[few.comparator != "own_past"].reason) == {"too few"}
    assert set(few[few.comparator == "own_past"].verdict) == {"better"}
    printed = results.assign(numerator=np.nan, denominator=np.nan)
    assert set(judged(printed, units).reason) == {"no counts"}
    with pytest.raises(DataError, match="polarity: none for poverty_rate_pct"):
        compare.judge(table, polarity={})
    with pytest.raises(DataError, match="test='guess'"):
        compare.judge(table.assign(test="guess"), polarity=compare.polarity())


def test_what_isnt_the_same_statistic_is_never_a_comparator(results, units):
    survey = rows_of([("00002", 2020, 30, 300)]).assign(method="survey")
    other_year = rows_of([("00003", 2019, 1, 200)])
    part = rows_of([("00004", 2020, 90, 300)]).assign(flags="computed;part")
    own = rows_of([("00001", 2020, 10, 100)])
    got = judged(pd.concat([own, survey, other_year, part], ignore_index=True), units)
    assert len(got) == 0
    unknown = results.assign(basis=pd.NA)
    assert len(judged(unknown, units)) == 0  # poverty on an unknown standard


def test_money_is_judged_by_the_spread_of_the_others(units):
    own = {"00001": 9.0, "00002": 2.0, "00003": 4.0, "00004": 8.0, "00005": 16.0}
    got = judged(amounts(own), units)
    row = got[(got.comparator == "province") & (got.place == "00001")].iloc[0]
    logs = np.log([2.0, 4.0, 8.0, 16.0])
    half = stats.t.ppf(0.975, 3) * logs.std(ddof=1) * np.sqrt(1 + 1 / 4)
    assert (row.limit_lower, row.limit_upper) == pytest.approx(
        np.exp([logs.mean() - half, logs.mean() + half])
    )
    assert (row.verdict, row.reference, row.pooled) == ("similar", 7.5, False)
    far = judged(amounts(own | {"00001": 500.0}), units).set_index(["comparator", "place"])
    assert far.verdict["province", "00001"] == "higher"  # nobody agreed that more credit is better
    printed = amounts(own | {"00001": 20.0}).assign(
        upper=lambda t: t["upper"].where(t["place"] != "00001", np.inf)
    )
    assert set(judged(printed, units)[lambda t: t.place == "00001"].verdict) == {"similar"}
    past = pd.concat([amounts(own), amounts(own, year=2018)], ignore_index=True)
    assert "own_past" not in set(judged(past, units).comparator)  # money in the prices of its year
    real = past.assign(indicator="income_year_real_vnd", unit="VND/person/year", basis="prices of 2024")
    real = judged(real, units)
    assert set(real[real.comparator == "own_past"].reason) == {"no spread"}


def test_bounds_decide_only_where_they_do_not_meet(units):
    own = amounts(dict.fromkeys(["00001", "00002", "00003", "00004"], 1.0), indicator="overdue_share_pct")
    own["lower"], own["upper"] = [0.1, 0.1, 0.2, 3.0], [2.0, 1.0, 0.9, 4.0]
    got = judged(own, units).set_index(["comparator", "place"])
    assert got.verdict["province", "00001"] == "similar"
    assert got.verdict["province", "00004"] == "worse"
    assert got.reference_upper["province", "00004"] == pytest.approx((2.0 + 1.0 + 0.9) / 3)


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.permutations(range(6)), st.floats(0.001, 1000), st.integers(0, 1000))
def test_order_currency_and_names_change_no_judgement(units, order, scale, seed):
    money = amounts({"00001": 9.0, "00002": 2.0, "00003": 4.0, "00004": 800.0, "00005": 16.0})
    poor = rows_of([("00001", 2020, 10, 100), ("00002", 2020, 60, 300), ("00003", 2020, 2, 200)])
    rows = pd.concat([money, poor], ignore_index=True)
    names = dict(zip(units["place"], np.random.default_rng(seed).permutation(list("vwxyz")), strict=True))
    peers = comparators.peers_of(units, 2020, outcomes=[], count=2)
    key = ["indicator", "comparator", "place"]
    before = judged(rows, units, peers).set_index(key)
    changed = rows.sample(frac=1, random_state=order[0] + seed).copy()
    for column in ("value", "lower", "upper"):
        changed[column] = changed[column].where(changed["unit"] != "VND", changed[column] * scale)
    after = judged(
        changed.assign(place=changed["place"].map(names)),
        units.assign(place=units["place"].map(names)).iloc[::-1],
        peers.assign(place=peers["place"].map(names), peer=peers["peer"].map(names)),
    )
    back = {v: k for k, v in names.items()}
    after = after.assign(place=after["place"].map(back)).set_index(key)
    pd.testing.assert_series_equal(before["verdict"].sort_index(), after["verdict"].sort_index())


@pytest.mark.parametrize("test", ["counts", "spread"])
def test_as_many_flags_as_chance_makes_where_nothing_differs(test):
    rng = np.random.default_rng(31)
    names = [f"{i:05d}" for i in range(4000)]
    if test == "counts":
        n = rng.integers(300, 3000, 4000)
        rows = rows_of(list(zip(names, [2020] * 4000, rng.binomial(n, 0.12), n, strict=True)))
    else:
        rows = amounts(dict(zip(names, np.exp(rng.normal(17, 0.5, 4000)), strict=True)))
    # Districts of 20 communes: the comparators' own noise counts as much as the place's.
    units = pd.DataFrame({"place": names, "level": "commune", "province_code": "25"})
    units["district_code"] = [f"{i // 20:03d}" for i in range(4000)]
    table = judged(rows, units)
    flags = compare.flags_by_chance(table).set_index("comparator")
    for comparator in ("district", "province"):
        seen = flags.loc[comparator]
        assert (seen.judged, seen.expected) == (4000, pytest.approx(200))
        assert seen.found == pytest.approx(200, abs=3.5 * np.sqrt(200 * 0.95))
    few = compare.flags_by_chance(table.assign(test="bounds"))
    assert len(few) == 0  # bounds that don't meet are no matter of chance
    moved = rows.assign(numerator=rows.numerator * 0.5, lower=rows.lower / 9, upper=rows.upper / 9)
    half = moved.where(rows.place.astype(int) % 20 < 5, rows).astype(rows.dtypes)
    table = compare.flags_by_chance(judged(half, units)).set_index("comparator")
    assert table.p_value["province"] < 1e-6


def test_the_funnel_holds_as_many_as_it_says():
    rng = np.random.default_rng(5)
    n = rng.integers(100, 3000, 20_000)
    share = rng.binomial(n, 0.05) / n
    limits = compare.funnel_limits(n, 0.05)
    for level, slack in (("95", 0.012), ("99.8", 0.002)):
        inside = (share >= limits[f"lower_{level}"]) & (share <= limits[f"upper_{level}"])
        # Shares of small places come in steps, so that a little less than the level may lie inside.
        assert inside.mean() == pytest.approx(float(level) / 100, abs=slack)


def test_peers_of_units_that_stood_on_one_day_are_kept_for_a_release(units, tmp_path):
    dated = units.assign(elevation_m=[1.0, 2.0, 3.0, 4.0, 5.0], type="xã", ethnic_minority_pct=1.0)
    dated.loc[0, "valid_to"] = pd.Timestamp("2019-12-31")
    dated.loc[1, "valid_from"] = pd.Timestamp("2020-01-01")
    got = comparators.peers_of(dated, 2024, outcomes=compare.TESTS, count=4)
    assert set(got[got.place == "00001"].peer) == {"00003", "00004", "00005"}
    assert set(got[got.place == "00002"].peer) == {"00003", "00004", "00005"}
    kept = pd.DataFrame({"place": ["00002"], "peer": ["00005"], "rank": [1], "distance": [0.5]})
    kept.to_csv(tmp_path / peers_file.FILE, index=False)
    again = comparators.peers_of(
        dated, 2024, outcomes=compare.TESTS, frozen=peers_file.frozen(tmp_path), count=4
    )
    assert again[again.frozen][["place", "peer"]].values.tolist() == [["00002", "00005"]]
    assert peers_file.frozen(tmp_path / "none") is None
    kept.drop(columns="peer").to_csv(tmp_path / peers_file.FILE, index=False)
    with pytest.raises(DataError, match="no column peer"):
        peers_file.frozen(tmp_path)


def test_peers_by_hand_and_never_by_outcome(places):
    got = comparators.peers(
        places, descriptors=["elevation_m", "distance_km"], outcomes=["poor_pct"], count=2
    )
    assert set(got.place) == {"00001", "00002", "00003", "00004"}  # 00005 lacks its elevation
    assert got[got.place == "00001"].peer.tolist() == ["00002", "00003"]
    known = places.dropna(subset=["elevation_m"])
    z = (known[["elevation_m", "distance_km"]] - known[["elevation_m", "distance_km"]].mean()) / known[
        ["elevation_m", "distance_km"]
    ].std(ddof=0)
    by_hand = np.sqrt((((z.iloc[0] - z.iloc[1]) ** 2).sum()) / 2)
    assert got.distance.iloc[0] == pytest.approx(by_hand)
    assert got[["place", "peer"]].apply(lambda r: r.place != r.peer, axis=1).all()
    alike = comparators.peers(
        places, descriptors=["distance_km"], outcomes=["poor_pct"], within=["type"], count=9
    )
    assert "00003" not in set(alike.place) | set(alike.peer)
    shuffled = comparators.peers(
        places.sample(frac=1, random_state=5),
        descriptors=["elevation_m", "distance_km"],
        outcomes=[],
        count=2,
    )
    pd.testing.assert_frame_equal(shuffled, got)
    with pytest.raises(DataError, match="poor_pct are outcomes"):
        comparators.peers(places, descriptors=["poor_pct"], outcomes=["poor_pct"])
    with pytest.raises(DataError, match="no column area_km2"):
        comparators.peers(places, descriptors=["area_km2"], outcomes=[])
    with pytest.raises(DataError, match="00001 occurs twice"):
        comparators.peers(pd.concat([places, places]), descriptors=["distance_km"], outcomes=[])


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
