"""The yearly review of poor households: rates by standard, moves in and out, and the bridge over a break."""

import numpy as np

from evalkit.load import reference
from evalkit.metrics import intervals, rollup
from evalkit.metrics.definitions import Quantity, Ratio
from evalkit.metrics.rows import with_flag

RATES = ("poverty_rate_pct", "near_poor_rate_pct", "poor_plus_near_poor_rate_pct")
_KEY = ["standard"]
_REVIEW = "Review of poor households (rà soát hộ nghèo); standards: data/reference/poverty_standards.csv"


def _share(name, column, meaning, under="households", over=None):
    return Ratio(
        name, over or (column,), (under,), "percent", meaning, scale=100, counts=True, source=_REVIEW
    )


HOUSEHOLDS = (
    Quantity(
        "households_total", "households", "households", "All households of the review.", basis="households"
    ),
)

DEFINITIONS = (
    Quantity("poor_households", "poor", "households", "Households on the list of the poor."),
    Quantity("near_poor_households", "near_poor", "households", "Households on the list of the near-poor."),
    Quantity(
        "households_escaped_poverty",
        "escaped",
        "households",
        "Households that left the list in the year.",
        flags=("flow",),
    ),
    _share("poverty_rate_pct", "poor", "Poor households among all households."),
    _share("near_poor_rate_pct", "near_poor", "Near-poor households among all households."),
    _share(
        "poor_plus_near_poor_rate_pct",
        "",
        "Poor and near-poor households among all: from 2022 the closest to the older income headcount, for a "
        "household poor in income but little deprived is now called near-poor.",
        over=("poor", "near_poor"),
    ),
    _share(
        "exit_rate_pct",
        "escaped",
        "Households that left the list in the year among those poor at the end of the year before, on one "
        "standard. A household leaves a list; why is another question.",
        under="poor_before",
    ),
    _share(
        "fall_back_pct",
        "fell_back",
        "Households that fell back into poverty in the year among those not poor at the end of the year "
        "before, on one standard.",
        under="not_poor_before",
    ),
    _share(
        "newly_poor_pct",
        "newly_poor",
        "Households poor for the first time in the year among those not poor at the end of the year before, "
        "on one standard.",
        under="not_poor_before",
    ),
)


def sums(poverty, units):
    """Return counts by commune, year and standard, the columns that the definitions name."""
    counts = ("households", "poor", "near_poor", "escaped", "fell_back", "newly_poor")
    out = poverty.reindex(columns=["place", "year", *_KEY, *counts]).astype(dict.fromkeys(counts, "float64"))
    out = rollup.before(out, units, ["poor", "households"], keys=_KEY)
    return out.assign(not_poor_before=out["households_before"] - out["poor_before"])


def households(poverty):
    """Return all households by commune and year; where two standards count them, the older one's count."""
    table = poverty.dropna(subset="households").sort_values("standard", kind="stable")
    table = table.drop_duplicates(["place", "year"])[["place", "year", "households"]]
    return table.astype({"households": "float64"})


def bridge(rows):
    r"""Ratio of a rate on a new standard to that on the old one, where a place counted both in one year.

    .. math:: R = \hat p_{new} / \hat p_{old}

    rows: indicator rows with numerator and denominator. Interval: method of variance estimates recovery from
    the two Wilson intervals, as if the counts were independent; they are of the same households and move
    together, so it is rather too wide. Upper is inf where the old rate can't be told from zero.

    Returns place, year, indicator, basis_from, basis_to, ratio, lower, upper and the four counts; a place
    counted on one standard only has no row. For this place only: the ratio differs strongly between places.
    Source: Donner and Zou (2012), Statistical Methods in Medical Research 21, 347-359.
    """
    rates = rows[rows["indicator"].isin(RATES) & rows["numerator"].notna() & (rows["denominator"] > 0)]
    rates = rates[rates["basis"].notna() & rates["year"].notna() & (rates["method"] == "review")]
    rates = rates.assign(begins=rates["basis"].map(reference.standard_spans()["valid_from"]))
    keys = ["place", "year", "indicator"]
    columns = [*keys, "basis", "begins", "numerator", "denominator"]
    pairs = rates[columns].merge(rates[columns], on=keys, suffixes=("_from", "_to"))
    pairs = pairs[pairs["begins_from"] < pairs["begins_to"]].reset_index(drop=True)
    counts = ("numerator_to", "denominator_to", "numerator_from", "denominator_from")
    ratio, lower, upper = _ratio_interval(*(pairs[c].to_numpy(float) for c in counts))
    return pairs[[*keys, "basis_from", "basis_to", *counts]].assign(ratio=ratio, lower=lower, upper=upper)


def bridged(rows, bridges):
    """Return the older rates of each bridged place as they might have been on the newer standard: a band.

    Each rate of a place on ``basis_from`` is multiplied by the ratio; the bounds multiply the rate's own by
    the ratio's. The rows carry the newer basis and the flag ``bridged``: show them as a band between lower
    and upper, never as a point, and never for another place. Rates stay at most 100.
    """
    old = rows[rows["indicator"].isin(RATES)].rename(columns={"basis": "basis_from"})
    known = bridges.rename(columns={"lower": "least", "upper": "most"})
    known = known[["place", "indicator", "basis_from", "basis_to", "ratio", "least", "most"]]
    found = old.merge(known, on=["place", "indicator", "basis_from"])
    found["value"] = (found["value"] * found["ratio"]).clip(upper=100)
    found["lower"] = (found["lower"] * found["least"]).clip(upper=100)
    found["upper"] = (found["upper"] * found["most"]).clip(upper=100)
    found["numerator"] = found["denominator"] = np.nan
    found["flags"] = with_flag(found["flags"], "bridged")
    return found.rename(columns={"basis_to": "basis"})[list(rows.columns)]


def _ratio_interval(x1, n1, x2, n2):
    p1, p2 = x1 / n1, x2 / n2
    (l1, u1), (l2, u2) = intervals.wilson(x1, n1), intervals.wilson(x2, n2)
    product = p1 * p2
    with np.errstate(divide="ignore", invalid="ignore"):
        low = product**2 - l1 * (2 * p1 - l1) * u2 * (2 * p2 - u2)
        high = product**2 - u1 * (2 * p1 - u1) * l2 * (2 * p2 - l2)
        lower = (product - np.sqrt(np.maximum(low, 0))) / (u2 * (2 * p2 - u2))
        upper = (product + np.sqrt(np.maximum(high, 0))) / (l2 * (2 * p2 - l2))
        ratio = np.where(p2 > 0, p1 / p2, np.nan)
    lower = np.where(2 * p2 - u2 > 0, lower, l1 / u2)
    return ratio, np.maximum(lower, 0), np.where(l2 > 0, upper, np.inf)
