"""Comparisons by their plain definitions, on a few rows of every kind: what mutation testing asked for beside the laws."""

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from evalkit.errors import DataError
from evalkit.metrics import benchmarks, changes, comparators, compare, intervals

NAN = float("nan")


def figures(*rows, indicator, **more):
    """Rows of 2020: (place, value, lower, upper, numerator, denominator, hidden)."""
    names = ["place", "value", "lower", "upper", "numerator", "denominator", "hidden"]
    table = pd.DataFrame(rows, columns=names).astype(dict.fromkeys(names[1:6], float))
    base = {"indicator": indicator, "period": "2020", "unit": "percent", "basis": "b", "method": "m"}
    table = table.assign(**(base | {"flags": "", "year": pd.array([2020] * len(table), "Int64")} | more))
    return table.assign(level="commune", test=compare.TESTS[indicator])


UNITS = pd.DataFrame(
    {"place": list("abcdefg"), "level": "commune", "district_code": list("1111222"), "province_code": "9"}
).assign(type="xã")
NOBODY = pd.DataFrame({"place": pd.array([], "string"), "peer": pd.array([], "string")})
COUNTS = figures(
    ("a", 10, 5, 15, 1, 10, False),
    ("b", 100, 20, 100, 1, 1, False),
    ("c", 50, 40, 60, 50, 100, True),
    ("d", 20, 10, 30, 2, 10, False),
    indicator="poverty_rate_pct",
)
SPREAD = figures(
    ("a", 0.5, 0.5, 0.5, NAN, 10, False),
    ("b", 0.25, 0.25, 0.25, 1, 4, False),
    ("c", 0.125, 0.125, 0.125, 1, 8, True),
    ("d", 0.8, 0.8, 0.8, NAN, NAN, False),
    indicator="outstanding_per_household_vnd",
    unit="VND",
)
POOLED = figures(
    ("a", 30, 30, 30, 300, 10, False),
    ("b", 20, 20, 20, 20, 1, False),
    ("c", 5, 5, 5, 50, 10, True),
    ("d", 0, 0, 0, 0, 4, False),
    indicator="outstanding_per_household_vnd",
    unit="VND",
)
BOUNDS = figures(
    ("a", 2, 1, 3, 2, 100, False),
    ("b", 4, 3, np.inf, 4, 100, False),
    ("c", 1, 0, 2, NAN, NAN, False),
    ("d", 3, NAN, NAN, 6, 200, False),
    ("e", 5, 4, 6, NAN, NAN, False),
    indicator="overdue_share_pct",
)


def by_definition(own, others):
    """The reference of one row by the definition, its comparators taken one after another."""
    shares = own["test"] == "counts"
    seen = others[~others["hidden"]]
    counted = seen["numerator"].notna() & (seen["denominator"] > 0)
    pool = others if shares else seen
    found = {"places": len(pool), "unseen": len(others) - len(seen), "pooled": bool(counted.all())}
    found["reference"] = seen["value"].mean()
    if counted.all():
        scale = 100 if own["unit"] == "percent" else 1
        found["reference"] = scale * pool["numerator"].sum() / pool["denominator"].sum()
    weight = seen["denominator"].where(counted, 1.0)
    if own["test"] == "bounds" and seen[["lower", "upper"]].notna().all(axis=None):
        for side in ("lower", "upper"):
            found[f"reference_{side}"] = (seen[side] * weight).sum() / weight.sum()
    if (seen["value"] > 0).all() and len(seen) > 1:
        found |= {"log_mean": np.log(seen["value"]).mean(), "log_sd": np.log(seen["value"]).std()}
    return found


@pytest.mark.parametrize(
    "rows", [COUNTS, SPREAD, POOLED, BOUNDS], ids=["counts", "spread", "pooled", "bounds"]
)
@pytest.mark.parametrize("comparator", ["district", "peers"])
def test_a_reference_is_that_of_its_definition(rows, comparator):
    peers = pd.DataFrame([(a, b) for a in "abcde" for b in "abcde" if a != b], columns=["place", "peer"])
    units = UNITS.assign(district_code="1")
    found = comparators.references(rows, units, peers if comparator == "peers" else NOBODY)
    assert "index" not in found
    found = found[found["comparator"] == comparator].set_index("place")
    assert list(found.index) == list(rows.loc[~rows["hidden"], "place"])
    for place, row in found.iterrows():
        own = rows[rows["place"] == place].iloc[0]
        wanted = by_definition(own, rows[rows["place"] != place])
        for name in ("reference", "reference_lower", "reference_upper", "log_mean", "log_sd"):
            assert row[name] == pytest.approx(wanted.get(name, NAN), nan_ok=True), (place, name)
        assert (row["places"], row["unseen"], row["pooled"]) == tuple(
            wanted[name] for name in ("places", "unseen", "pooled")
        )


def test_nobody_left_gives_no_reference_and_one_other_no_spread():
    one = comparators.references(SPREAD.iloc[:1], UNITS, NOBODY)
    assert one.empty
    two = comparators.references(SPREAD.iloc[:2], UNITS, NOBODY).query("comparator == 'district'")
    assert two["places"].tolist() == [1, 1]
    assert two[["log_mean", "log_sd"]].isna().all(axis=None)


def test_of_several_figures_the_one_with_counts_stands_then_the_exact_one():
    rows = figures(
        ("a", 11, 10, 12, NAN, NAN, False),
        ("a", 12, 12, 12, NAN, NAN, False),
        ("b", 13, 13, 13, NAN, NAN, False),
        ("b", 14, 10, 20, 14, 100, False),
        indicator="poverty_rate_pct",
        hidden="",
    )
    rows = rows.drop(columns=["level", "test"])
    assert comparators.comparable(rows, UNITS)["value"].tolist() == [12, 14]


@pytest.mark.parametrize("comparator", ["district", "province"])
def test_others_that_are_hidden_are_no_secret_where_the_figure_of_their_area_is_shown(comparator):
    rows = COUNTS.drop(columns=["level", "test"]).assign(hidden=["", "", "small", ""])
    area = rows.iloc[:1].assign(place={"district": "1", "province": "9"}[comparator], numerator=54.0)
    units = pd.concat(
        [UNITS, pd.DataFrame({"place": ["1", "9"], "level": ["district", "province"], "district_code": ["1", None], "province_code": ["9", "9"]})],
        ignore_index=True,
    )  # fmt: skip
    for shown, secret in ((rows, True), (pd.concat([rows, area], ignore_index=True), False)):
        found = comparators.compared(shown, units, NOBODY, minimum=1)
        found = found[(found["comparator"] == comparator) & (found["place"] == "a")]
        assert (found["reason"] == "hidden").tolist() == [secret]
        assert found["reference"].isna().tolist() == [secret]


def test_peers_kept_from_a_release_are_places_of_today_and_a_place_without_descriptors_has_none():
    day = {"valid_from": pd.NaT, "valid_to": pd.NaT}
    units = UNITS.assign(
        elevation_m=[1.0, 2, 3, 4, 5, 6, NAN], distance_km=5.0, ethnic_minority_pct=1.0, **day
    )
    frozen = pd.DataFrame(
        {"place": ["a", "a", "z"], "peer": ["g", "z", "a"], "rank": [1, 2, 1], "distance": 0.5}
    )
    found = comparators.peers_of(units, 2020, outcomes=[], frozen=frozen, count=2)
    assert set(found["place"]) == set("abcdef")
    assert found.loc[found["place"] == "a", ["peer", "frozen"]].to_numpy().tolist() == [["g", True]]
    assert found.loc[found["place"] == "b", ["peer", "rank"]].to_numpy().tolist() == [["a", 1], ["c", 2]]


def table(**columns):
    base = {"indicator": "overdue_share_pct", "comparator": "district", "test": "bounds", "places": 9}
    base |= {"numerator": NAN, "denominator": NAN, "reference_numerator": NAN, "reference_denominator": NAN}
    base |= {"value": 5.0, "lower": 4.0, "upper": 6.0, "reference": 2.0, "reference_lower": 1.0}
    return pd.DataFrame([base | {"reference_upper": 3.0, "log_mean": NAN, "log_sd": NAN} | columns])


@pytest.mark.parametrize(
    ("changed", "verdict"),
    [
        ({}, "worse"),
        ({"reference_upper": 4.0}, "similar"),
        ({"reference_lower": 6.0, "reference_upper": 9.0}, "similar"),
        ({"reference_lower": 6.5, "reference_upper": 9.0}, "better"),
        ({"upper": NAN}, "not judged"),
        ({"lower": NAN}, "not judged"),
        ({"reference_lower": NAN}, "not judged"),
    ],
)
def test_bounds_that_touch_or_are_missing_decide_nothing(changed, verdict):
    assert compare.judge(table(**changed), polarity={"overdue_share_pct": -1}).verdict.tolist() == [verdict]


def test_a_rank_needs_both_counts_and_a_value():
    with pytest.raises(DataError, match="give numerator and denominator, or std_error"):
        compare.ranks([0.1, 0.2], numerator=[1, 2])
    found = compare.ranks([NAN, 0.5, 0.25], numerator=[1, 5, 25], denominator=[10, 10, 100])
    assert found["places"].tolist() == [2, 2, 2]
    assert found["rank"].tolist()[1:] == [1, 2]
    assert found.loc[0, ["rank", "rank_best", "rank_worst"]].isna().all()


@pytest.mark.parametrize("n", [4, 5, 6, 7])
def test_a_position_in_one_year_is_that_of_the_plain_definition(n):
    value = np.array([1, 2, 2, 4, 7, 3, 5, 9], float)[: n + 1]
    lower = np.array([1, 2, 1, 4, NAN, 3, 5, 8])[: n + 1]
    upper = np.array([1, 2, 3, 4, NAN, 3, 5, 9])[: n + 1]
    found = benchmarks._one_year(np.arange(n + 1), value, lower, upper)
    for i, (number, *quartiles, below, above, undecided) in enumerate(found):
        others = np.arange(n + 1) != i
        under, over = (upper[others] < lower[i]).sum(), (lower[others] > upper[i]).sum()
        assert (number, below, above, undecided) == (n, under, over, n - under - over)
        assert quartiles == pytest.approx(np.percentile(value[others], [25, 50, 75]))


def test_a_funnel_limit_is_where_the_distribution_reaches_its_level_between_two_counts():
    for n, rate in ((40, 0.2), (300, 0.05)):
        limits = compare.funnel_limits([n], rate, levels=(0.9,)).iloc[0]
        reached = stats.binom.cdf(np.arange(n + 1), n, rate)
        for name, level in (("lower_90", 0.05), ("upper_90", 0.95)):
            assert limits[name] * n == pytest.approx(np.interp(level, reached, np.arange(n + 1)))


def test_others_alike_in_another_year_are_neither_below_nor_above():
    years, place = np.array([2019.0, 2020, 2020]), np.arange(3)
    value = np.array([5.0, 5, 9])
    found = benchmarks._near_in_time(years, place, value, value, value, 1)
    assert found[:, [0, 4, 5, 6]].tolist() == [[2, 0, 1, 1], [2, 0, 1, 1], [2, 2, 0, 0]]


def test_a_share_and_an_amount_change_side_by_side_each_with_its_own_bounds():
    share = figures(("a", 10, 0, 0, 10, 100, False), indicator="poverty_rate_pct")
    money = figures(("a", 30, 28, 33, 3, 1, False), indicator="outstanding_per_household_vnd")
    later = pd.concat([share, money], ignore_index=True)
    earlier = later.assign(year=2019, value=[20.0, 10.0], lower=9.0, upper=11.0, numerator=[20.0, 1.0])
    found = changes.yearly(pd.concat([later, earlier], ignore_index=True)).set_index("indicator")
    low, high = intervals.newcombe_difference(10, 100, 20, 100)
    assert found.loc["poverty_rate_pct", ["lower", "upper"]].tolist() == pytest.approx(
        [100 * low, 100 * high]
    )
    assert found.loc["outstanding_per_household_vnd", ["lower", "upper"]].tolist() == [28 - 11, 33 - 9]
