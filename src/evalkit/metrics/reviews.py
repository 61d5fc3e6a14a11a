"""The yearly review of poor households: rates by standard, exits and falls back, and the bridge over a break."""

from evalkit.metrics import rollup
from evalkit.metrics.definitions import Quantity, Ratio

_KEY = ["standard"]
_REVIEW = "Review of poor households (rà soát hộ nghèo); standards: data/reference/poverty_standards.csv"


def _share(name, column, meaning, under="households", over=None):
    return Ratio(
        name, over or (column,), (under,), "percent", meaning, scale=100, counts=True, source=_REVIEW
    )


HOUSEHOLDS = (
    Quantity("households_total", "households", "households", "All households of the review.", basis="households"),
)

DEFINITIONS = (
    Quantity("poor_households", "poor", "households", "Households on the list of the poor."),
    Quantity("near_poor_households", "near_poor", "households", "Households on the list of the near-poor."),
    Quantity("households_escaped_poverty", "escaped", "households", "Households that left the list in the year.", flags=("flow",)),
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
        "Households that fell back into poverty in the year among those not poor at the end of the year before, "
        "on one standard.",
        under="not_poor_before",
    ),
    _share(
        "newly_poor_pct",
        "newly_poor",
        "Households poor for the first time in the year among those not poor at the end of the year before, on "
        "one standard.",
        under="not_poor_before",
    ),
)


def sums(poverty, units):
    """Return counts by commune, year and standard, the columns that the definitions name."""
    counts = ("households", "poor", "near_poor", "escaped", "fell_back", "newly_poor")
    out = poverty.reindex(columns=["place", "year", *_KEY, *counts]).astype({c: "float64" for c in counts})
    out = rollup.before(out, units, ["poor", "households"], keys=_KEY)
    return out.assign(not_poor_before=out["households_before"] - out["poor_before"])


def households(poverty):
    """Return all households by commune and year; where two standards count them, the older one's count."""
    table = poverty.dropna(subset="households").sort_values("standard", kind="stable")
    table = table.drop_duplicates(["place", "year"])[["place", "year", "households"]]
    return table.astype({"households": "float64"})
