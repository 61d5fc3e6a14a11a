"""Places beside their comparators: which test judges what, how many flags chance alone makes, and which ranks hold."""

import numpy as np
import pandas as pd
from scipy import special

from evalkit.errors import DataError
from evalkit.load import reference
from evalkit.metrics import intervals

TESTS = {  # which indicators are judged, and by which test; every other one is shown without a judgement
    "poverty_rate_pct": "counts",
    "poor_plus_near_poor_rate_pct": "counts",
    "exit_rate_pct": "counts",
    "fall_back_pct": "counts",
    "household_coverage_pct": "counts",
    "groups_good_share_pct": "counts",
    "outstanding_per_household_vnd": "spread",
    "outstanding_per_borrower_vnd": "spread",
    "income_year_real_vnd": "spread",
    "income_month_real_vnd": "spread",
    "overdue_share_pct": "bounds",
}
OF_CHANCE = ("counts", "spread")  # the tests that flag by chance alone in (1 - confidence) of places
CONFIDENCE = 0.95


def polarity():
    """Return for each indicator 1 (higher is better), -1 (lower is better) or 0 (not agreed)."""
    better = reference.table("indicators").set_index("indicator")["better"]
    return better.map({"higher": 1, "lower": -1}).fillna(0).astype(int).to_dict()


def judge(table, *, polarity, minimum=0, confidence=CONFIDENCE):
    r"""Each figure beside each of its references: better, similar, worse, lower, higher, or not judged, and why.

    table: rows of :func:`evalkit.metrics.comparators.references`. The column test says how:

    counts: both sides are counts of households or groups; they differ where Newcombe's interval of the
    difference of the two proportions leaves out 0.

    spread: a mean or ratio of money, known in full. It differs where it lies outside the range in which 95 %
    of places like the comparators would lie, on the logarithmic scale:

    .. math:: \exp\left(\bar y \pm t_{n-1} s \sqrt{1 + 1/n}\right)

    y: logarithms of the comparators' values, n of them, with mean and standard deviation s. A figure printed as
    "over" lies outside only where its bound does. The place's own past is one value and has no spread: it
    isn't judged.

    bounds: both sides are known between bounds (printed as "over", or debt that could be overdue as well);
    they differ where the bounds don't meet.

    polarity: by indicator 1 (higher is better), -1 (lower is better) or 0 (not agreed: lower or higher,
    without praise). minimum: with fewer comparators nothing is judged; the own past is one and enough.

    Returns the table with verdict, reason (of "not judged": hidden, no reference, too few, no counts, no
    spread, no bounds) and, for spread, limit_lower and limit_upper.
    Raises DataError where an indicator has no polarity or the test is another.
    Source: Newcombe (1998), Statistics in Medicine 17, 873-890, method 10; the range is the prediction
    interval of a normal sample, Whitmore (1986), The American Statistician 40, 141-143.
    """
    unknown = sorted(set(table.indicator) - set(polarity))
    if unknown:
        raise DataError(f"polarity: none for {', '.join(unknown)}. Say 1, -1, or 0 where none is agreed.")
    other = sorted(set(table.test) - {"counts", "spread", "bounds"})
    if other:
        raise DataError(f"test={other[0]!r}: choose counts, spread or bounds.")
    counts, spread, bounds = (table.test == name for name in ("counts", "spread", "bounds"))
    sides = ("numerator", "denominator", "reference_numerator", "reference_denominator")
    low, high = intervals.newcombe_difference(
        *(table[c].where(counts).to_numpy(float) for c in sides), confidence=confidence
    )
    least, most = _range(table, confidence)
    known = table.lower.notna() & table.upper.notna() & table.reference_lower.notna()
    above = np.select(
        [counts, spread, bounds], [low > 0, table.lower > most, table.lower > table.reference_upper], False
    )
    below = np.select(
        [counts, spread, bounds], [high < 0, table.upper < least, table.upper < table.reference_lower], False
    )
    reason = np.select(
        [
            table.value.isna(),
            table.reference.isna(),
            (table.comparator != "own_past") & (table.places < minimum),
            counts & np.isnan(low),
            spread & np.isnan(least),
            bounds & ~known,
        ],
        ["no value", "no reference", "too few", "no counts", "no spread", "no bounds"],
        default="",
    )
    sign = np.where(above, 1, np.where(below, -1, 0))
    direction = table.indicator.map(polarity).to_numpy(float)
    verdict = np.where(
        direction == 0,
        np.array(["lower", "similar", "higher"])[sign + 1],
        np.array(["worse", "similar", "better"])[(sign * direction).astype(int) + 1],
    )
    return table.assign(
        verdict=np.where(reason == "", verdict, "not judged"),
        reason=reason,
        limit_lower=np.where(spread, least, np.nan),
        limit_upper=np.where(spread, most, np.nan),
    )


def flags_by_chance(judged, *, confidence=0.95, by=("indicator", "comparator")):
    r"""Number of flags found beside the number that chance alone would raise.

    .. math:: \text{expected} = m (1 - \text{confidence})

    m: places judged, if none differed from its reference. p_value: the probability of as many flags or more
    by chance, for independent places. Only tests of chance are counted (see :func:`judge`).
    Returns one row per ``by``: judged, found, expected, p_value.
    """
    from scipy import stats

    seen = judged[(judged.verdict != "not judged") & judged.test.isin(OF_CHANCE)]
    table = (
        seen.assign(found=seen.verdict != "similar")
        .groupby(list(by))
        .agg(judged=("found", "size"), found=("found", "sum"))
        .reset_index()
    )
    chance = 1 - intervals.fraction(confidence)
    return table.assign(
        expected=table.judged * chance, p_value=stats.binom.sf(table.found - 1, table.judged, chance)
    )


def funnel_limits(denominator, rate, *, levels=(0.95, 0.998)):
    r"""Limits within which a share of ``denominator`` lies at the true ``rate``, for a funnel plot.

    .. math:: (r_p - \alpha) / n, \quad \alpha = \frac{F(r_p) - p}{F(r_p) - F(r_p - 1)}

    r_p: the smallest count whose binomial distribution function F reaches p, interpolated, so that the
    limits are smooth in n. rate: one for all, or one each. Unit: proportion. Returns denominator and lower and upper of each level, such as
    lower_95 and upper_99.8.

    Raises DataError where the rate or a level lies outside 0 to 1.
    Source: Spiegelhalter (2005), Statistics in Medicine 24, 1185-1202, appendix A.1.
    """
    n, rate = np.asarray(denominator, float), np.asarray(rate, float)
    if not ((rate >= 0) & (rate <= 1)).all() or not all(0 < level < 1 for level in levels):
        raise DataError(f"rate={rate}, levels={levels!r}: all must lie between 0 and 1.")
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
    level = intervals.fraction(confidence) ** (1 / max(count, 1))
    if numerator is not None and denominator is not None:
        lower, upper = intervals.clopper_pearson(numerator, denominator, confidence=level)
    elif std_error is not None:
        half = special.ndtri((1 + level) / 2) * np.asarray(std_error, float)
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


def _range(table, confidence):
    """The range in which a share ``confidence`` of places like the comparators would lie."""
    n = table.places.to_numpy(float)
    n = np.where(n > 1, n, np.nan)
    half = (
        special.stdtrit(n - 1, (1 + intervals.fraction(confidence)) / 2) * table.log_sd * np.sqrt(1 + 1 / n)
    )
    return np.exp(table.log_mean - half).to_numpy(), np.exp(table.log_mean + half).to_numpy()


def _binomial_limit(p, n, rate):
    from scipy import stats

    count = stats.binom.ppf(p, n, rate)
    at, before = stats.binom.cdf(count, n, rate), stats.binom.cdf(count - 1, n, rate)
    with np.errstate(divide="ignore", invalid="ignore"):
        limit = (count - (at - p) / (at - before)) / n
    return np.where(n > 0, np.clip(limit, 0, 1), np.nan)
