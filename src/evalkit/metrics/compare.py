"""Places against named comparators: what is compared, by which test, and how many flags chance alone makes.

Results are rows of the result table (place, period, indicator, value, lower, upper, numerator, denominator,
unit, basis). Every comparison stays within one indicator, period and basis. Comparators leave the place
itself out, so a large commune isn't compared with itself inside its district.
"""

import numpy as np
import pandas as pd
from scipy import stats
from scipy.spatial import cKDTree

from evalkit.errors import BasisError, DataError
from evalkit.metrics import intervals

KEYS = ["period", "indicator", "basis"]
SCALE = {"percent": 100.0, "proportion": 1.0}


def peers(places, *, descriptors, outcomes, count=10, within=(), key="code"):
    r"""The ``count`` places most like each place by published descriptors.

    .. math:: d_{ij} = \sqrt{\tfrac1m \sum_k (z_{ik} - z_{jk})^2}

    z: descriptor in units of its standard deviation over all places; m descriptors. within: columns that
    peers must share exactly (type, region). outcomes: the indicators that will be compared; a descriptor
    among them would choose peers by the result, and is refused. A place that lacks a descriptor has no peers
    and is none. Ties go to the lower code.

    Returns one row per place and peer: place, peer, rank, distance (in standard deviations). Publish it with
    the comparison and keep it for the release.
    Raises DataError where a descriptor is an outcome or missing from the table, or a place occurs twice.
    """
    chosen = sorted(set(descriptors) & set(outcomes))
    if chosen:
        raise DataError(
            f"descriptors: {', '.join(chosen)} are outcomes. Peers must be alike before the result."
        )
    lacking = [name for name in (key, *descriptors, *within) if name not in places]
    if lacking:
        raise DataError(f"places: no column {', '.join(lacking)}; there are {', '.join(places)}.")
    known = places.dropna(subset=[key, *descriptors, *within]).sort_values(key).reset_index(drop=True)
    if known[key].duplicated().any():
        twice = known[key][known[key].duplicated()].iloc[0]
        raise DataError(f"places, {key}: {twice} occurs twice. Choose the rows valid at one date.")
    values = known[list(descriptors)].astype(float)
    spread = values.std(ddof=0)
    values = ((values - values.mean()) / spread.where(spread > 0, 1)).to_numpy() / np.sqrt(len(descriptors))
    groups = known.groupby(list(within)).indices.values() if within else [np.arange(len(known))]
    codes = known[key].to_numpy()
    tables = [_nearest(codes[rows], values[rows], count) for rows in groups]
    empty = pd.DataFrame({"place": [], "peer": [], "rank": [], "distance": []})
    return pd.concat(tables or [empty], ignore_index=True).sort_values(["place", "rank"], ignore_index=True)


def benchmarks(results, places, *, peers=None, groups=("district_code", "province_code", "type"), key="code"):
    """Reference values of the named comparators for every row of ``results``.

    own_past: the same place in the earliest period on the same basis. Each column of ``groups`` (of
    ``places``): the other places that share it. peers (the table of :func:`peers`): the place's peers. Where
    all places give numerator and denominator the reference is the pooled ratio, otherwise the mean of their
    values; ``reference_method`` says which. Places without a value are in neither.

    Returns place, period, indicator, basis, comparator, reference, reference_numerator,
    reference_denominator, places (how many), reference_method; no row where nobody is left to compare with.
    Raises DataError where a place occurs twice in one period, indicator and basis.
    """
    rows = results[results.value.notna()].reset_index(drop=True)
    rows = rows.assign(basis=rows.basis.fillna(""))
    if rows.duplicated(["place", *KEYS]).any():
        first = rows[rows.duplicated(["place", *KEYS])].iloc[0]
        raise DataError(
            f"results: {first.place}, {first.period}, {first.indicator} occurs twice on one basis. "
            "Keep one row."
        )
    rows["scale"] = rows.unit.map(SCALE).fillna(1.0)
    tables = [_own_past(rows)]
    for group in groups:
        member = places.drop_duplicates(key).set_index(key)[group]
        tables.append(_others(rows.assign(member=rows.place.map(member)).dropna(subset=["member"]), group))
    if peers is not None:
        tables.append(_of_peers(rows, peers))
    return pd.concat(tables, ignore_index=True)


def judge(results, references, *, polarity, test="interval", at_least=0, confidence=0.95):
    """Each result beside each reference: better, similar, worse, lower, higher, or not judged, and why.

    test: "interval" asks whether the reference lies outside the result's own interval, the reference taken
    as known (right for large comparators and for bounds of printed figures); "difference" whether Newcombe's
    interval of the difference of the two proportions leaves out 0 (for counts on both sides). polarity: by
    indicator 1 (higher is better), -1 (lower is better) or 0 (not agreed: lower or higher, without praise).
    at_least: denominators below it aren't judged.

    Returns one row per result and comparator with verdict, reason (of "not judged") and test; a result
    without a reference keeps its row.
    Raises DataError where an indicator has no polarity or the test is another, BasisError where the
    references of a result stand on other bases only.
    """
    unknown = sorted(set(results.indicator) - set(polarity))
    if unknown:
        raise DataError(f"polarity: none for {', '.join(unknown)}. Say 1, -1, or 0 where none is agreed.")
    rows = results.assign(basis=results.basis.fillna(""))
    _refuse_other_bases(rows, references)
    table = rows.merge(references, on=["place", *KEYS], how="left")
    if test == "interval":
        above, below = table.lower > table.reference, table.upper < table.reference
        usable = table.lower.notna() & table.upper.notna()
    elif test == "difference":
        counts = [table.numerator, table.denominator, table.reference_numerator, table.reference_denominator]
        low, high = intervals.newcombe_difference(*(c.astype(float) for c in counts), confidence=confidence)
        above, below, usable = low > 0, high < 0, ~np.isnan(low)
    else:
        raise DataError(f'test={test!r}: choose "interval" or "difference".')
    reason = np.select(
        [
            table.value.isna(),
            table.reference.isna(),
            table.denominator.notna() & (table.denominator < at_least),
            ~usable,
        ],
        ["no value", "no reference", f"fewer than {at_least} at risk", "no interval"],
        default="",
    )
    sign = np.where(above, 1, np.where(below, -1, 0))
    direction = table.indicator.map(polarity).fillna(0).to_numpy()
    agreed = pd.Series(sign * direction).map({1: "better", -1: "worse", 0: "similar"})
    plain = pd.Series(sign).map({1: "higher", -1: "lower", 0: "similar"})
    verdict = np.where(direction == 0, plain, agreed)
    return table.assign(
        verdict=np.where(reason == "", verdict, "not judged"),
        reason=reason,
        test=_test_name(test, confidence),
    )


def flags_by_chance(judged, *, confidence=0.95, by=("indicator", "comparator")):
    r"""Number of flags found beside the number that chance alone would raise.

    .. math:: \text{expected} = m (1 - \text{confidence})

    m: places judged, if none differed from its reference. p_value: the probability of as many flags or more
    by chance, for independent places. Returns one row per ``by``: judged, found, expected, p_value.
    """
    seen = judged[judged.verdict != "not judged"]
    table = (
        seen.assign(found=seen.verdict != "similar")
        .groupby(list(by))
        .agg(judged=("found", "size"), found=("found", "sum"))
        .reset_index()
    )
    chance = 1 - confidence
    return table.assign(
        expected=table.judged * chance, p_value=stats.binom.sf(table.found - 1, table.judged, chance)
    )


def funnel_limits(denominator, rate, *, levels=(0.95, 0.998)):
    r"""Limits within which a share of ``denominator`` lies at the true ``rate``, for a funnel plot.

    .. math:: (r_p - \alpha) / n, \quad \alpha = \frac{F(r_p) - p}{F(r_p) - F(r_p - 1)}

    r_p: the smallest count whose binomial distribution function F reaches p, interpolated, so that the
    limits are smooth in n. Unit: proportion. Returns denominator and lower and upper of each level, such as
    lower_95 and upper_99.8.

    Raises DataError where the rate or a level lies outside 0 to 1.
    Source: Spiegelhalter (2005), Statistics in Medicine 24, 1185-1202, appendix A.1.
    """
    n = np.asarray(denominator, float)
    if not 0 <= rate <= 1 or not all(0 < level < 1 for level in levels):
        raise DataError(f"rate={rate!r}, levels={levels!r}: all must lie between 0 and 1.")
    table = {"denominator": n}
    for level in levels:
        for side, p in (("lower", (1 - level) / 2), ("upper", (1 + level) / 2)):
            table[f"{side}_{100 * level:g}"] = _binomial_limit(p, n, rate)
    return pd.DataFrame(table)


def ranks(value, *, numerator=None, denominator=None, std_error=None, highest_first=True, confidence=0.95):
    r"""Rank of each place with the ranks that its uncertainty and that of the others allow.

    Rank 1 is the highest value (the lowest with ``highest_first=False``); equal values share the best rank.
    Each place gets an interval at the level (confidence)^(1/places), Clopper-Pearson for counts and normal
    for standard errors, so that all hold together; its best rank counts the places surely ahead, its worst
    those surely behind. The whole table of ranks is right with probability ``confidence`` or more.

    Returns rank, rank_best, rank_worst, places. A place without a value or interval has none, and isn't
    counted. Raises DataError where neither counts nor standard errors are given.
    Source: Klein, Wright and Wieczorek (2020), JRSS A 183, 589-606.
    """
    value = np.asarray(value, float)
    count = int(np.isfinite(value).sum())
    level = confidence ** (1 / max(count, 1))
    if numerator is not None and denominator is not None:
        lower, upper = intervals.clopper_pearson(numerator, denominator, confidence=level)
    elif std_error is not None:
        half = stats.norm.ppf((1 + level) / 2) * np.asarray(std_error, float)
        lower, upper = value - half, value + half
    else:
        raise DataError(
            "ranks: give numerator and denominator, or std_error. A rank has an interval or isn't shown."
        )
    if not highest_first:
        value, lower, upper = -value, -upper, -lower
    known = ~(np.isnan(value) | np.isnan(lower) | np.isnan(upper))
    ordered, lowest, highest = (np.sort(a[known]) for a in (value, lower, upper))
    places = int(known.sum())
    table = {
        "rank": 1 + places - np.searchsorted(ordered, value, side="right"),
        "rank_best": 1 + places - np.searchsorted(lowest, upper, side="right"),
        "rank_worst": places - np.searchsorted(highest, lower, side="left"),
    }
    return pd.DataFrame({name: np.where(known, rank, np.nan) for name, rank in table.items()}).assign(
        places=places
    )


def _refuse_other_bases(rows, references):
    without_basis = ["place", "period", "indicator"]
    found = rows[["place", *KEYS]].merge(
        references[["place", *KEYS]].drop_duplicates(), how="left", indicator="on"
    )
    lonely = found[found["on"] == "left_only"]
    other = lonely.merge(references[["place", *KEYS]], on=without_basis, suffixes=("", "_of_reference"))
    if len(other):
        one = other.iloc[0]
        raise BasisError(
            f"{one.place}, {one.period}, {one.indicator}: {one.basis!r} against {one.basis_of_reference!r}. "
            "Compare on one basis."
        )


def _nearest(codes, values, count):
    near = min(count + 1, len(codes))
    distance, index = cKDTree(values).query(values, k=near)
    distance, index = distance.reshape(len(codes), -1), index.reshape(len(codes), -1)
    table = pd.DataFrame(
        {
            "place": np.repeat(codes, near),
            "peer": codes[index.ravel()],
            "distance": distance.ravel(),
        }
    )
    table = table[table.place != table.peer].sort_values(["place", "distance", "peer"])
    table["rank"] = table.groupby("place").cumcount() + 1
    return table[table["rank"] <= count][["place", "peer", "rank", "distance"]]


def _own_past(rows):
    first = rows.sort_values("period").drop_duplicates(["place", "indicator", "basis"])
    table = rows.merge(first, on=["place", "indicator", "basis"], suffixes=("", "_past"))
    table = table[table.period_past < table.period]
    return table[["place", *KEYS]].assign(
        comparator="own_past",
        reference=table.value_past,
        reference_numerator=table.numerator_past,
        reference_denominator=table.denominator_past,
        places=1,
        reference_method="value of " + table.period_past.astype(str),
    )


def _others(rows, comparator):
    """The other places of each group, by subtracting the place from its group's sums."""
    rows = _with_ratio(rows)
    grouped = rows.groupby([*KEYS, "member"])
    sums = {
        name: grouped[name].transform("sum") - rows[name] for name in ("numerator", "denominator", "value")
    }
    others = grouped.value.transform("size") - 1
    pooled = grouped.ratio.transform("all")
    return _references(rows, comparator, sums, others, pooled)


def _of_peers(rows, peers):
    """The peers of each place that have a value in the same period, indicator and basis."""
    rows = _with_ratio(rows)
    pairs = rows[["place", *KEYS, "scale"]].merge(peers[["place", "peer"]], on="place")
    values = rows[["place", *KEYS, "numerator", "denominator", "value", "ratio"]]
    pairs = pairs.merge(values, left_on=["peer", *KEYS], right_on=["place", *KEYS], suffixes=("", "_of_peer"))
    grouped = pairs.groupby(["place", *KEYS, "scale"])
    sums = grouped[["numerator", "denominator", "value"]].sum().reset_index()
    others = grouped.size().to_numpy()
    return _references(sums, "peers", sums, pd.Series(others), grouped.ratio.all().reset_index(drop=True))


def _with_ratio(rows):
    ratio = rows.numerator.notna() & rows.denominator.gt(0)
    return rows.assign(
        ratio=ratio,
        numerator=rows.numerator.where(ratio, 0.0),
        denominator=rows.denominator.where(ratio, 0.0),
    )


def _references(rows, comparator, sums, others, pooled):
    denominator = sums["denominator"].where(lambda d: d > 0)
    ratio = sums["numerator"] / denominator * rows.scale
    average = sums["value"] / others.where(others > 0)
    return (
        rows[["place", *KEYS]]
        .assign(
            comparator=comparator,
            reference=ratio.where(pooled, average),
            reference_numerator=sums["numerator"].where(pooled),
            reference_denominator=denominator.where(pooled),
            places=others,
            reference_method=np.where(pooled, "pooled ratio of the others", "mean of the others"),
        )[others > 0]
        .reset_index(drop=True)
    )


def _binomial_limit(p, n, rate):
    count = stats.binom.ppf(p, n, rate)
    at, before = stats.binom.cdf(count, n, rate), stats.binom.cdf(count - 1, n, rate)
    with np.errstate(divide="ignore", invalid="ignore"):
        limit = (count - (at - p) / (at - before)) / n
    return np.where(n > 0, np.clip(limit, 0, 1), np.nan)


def _test_name(test, confidence):
    level = f"{100 * confidence:g} %"
    if test == "interval":
        return f"reference outside the {level} interval"
    return f"{level} interval of the difference of two proportions (Newcombe) without 0"
