"""Published figures as indicator rows, and what follows from two of them by interval arithmetic."""

from dataclasses import dataclass

import numpy as np
import pandas as pd

from evalkit.load import facts as printed
from evalkit.load import reference
from evalkit.metrics.intervals import add_bounds, divide_bounds, multiply_bounds
from evalkit.metrics.rows import COLUMNS, flags_of

# The same quantity is called differently by the register and by the statistical office.
_NAMES = {
    "monthly_income_per_capita": "income_month_vnd",
    "income_per_capita_vnd": "income_year_vnd",
    "population_average": "population",
    "population_average_rural": "population_rural",
    "scoli": "price_level_index",
    **{f"monthly_income_per_capita_q{q}": f"income_month_q{q}_vnd" for q in range(1, 6)},
}


@dataclass(frozen=True)
class RatioOfFacts:
    """A derived indicator: ``scale`` × Σ numerators / denominator, on the basis of what is counted."""

    name: str
    numerators: tuple[str, ...]
    denominator: str
    unit: str
    scale: float = 1.0


RATIOS = (
    RatioOfFacts("outstanding_per_borrower_vnd", ("outstanding_loans_vnd",), "borrower_households", "VND"),
    RatioOfFacts(
        "borrowers_per_group", ("borrower_households",), "savings_loan_groups", "households per group"
    ),
    RatioOfFacts(
        "members_per_group_computed", ("group_members",), "savings_loan_groups", "members per group"
    ),
    RatioOfFacts(
        "outstanding_per_group_computed_vnd", ("outstanding_loans_vnd",), "savings_loan_groups", "VND"
    ),
    RatioOfFacts("savings_to_loans_pct", ("savings_deposits_vnd",), "outstanding_loans_vnd", "percent", 100),
    RatioOfFacts("overdue_share_pct", ("overdue_debt_vnd",), "outstanding_loans_vnd", "percent", 100),
    RatioOfFacts("frozen_share_pct", ("frozen_debt_vnd",), "outstanding_loans_vnd", "percent", 100),
    RatioOfFacts(
        "overdue_or_frozen_pct",
        ("overdue_debt_vnd", "frozen_debt_vnd"),
        "outstanding_loans_vnd",
        "percent",
        100,
    ),
    RatioOfFacts("groups_good_share_pct", ("groups_rated_good",), "savings_loan_groups", "percent", 100),
    RatioOfFacts("poor_share_pct", ("poor_households",), "households_total", "percent", 100),
    RatioOfFacts("near_poor_share_pct", ("near_poor_households",), "households_total", "percent", 100),
    *(
        RatioOfFacts(
            f"share_{p}_pct", (f"outstanding_loans_{p}_vnd",), "outstanding_loans_vnd", "percent", 100
        )
        for p in (
            "poor_hh",
            "near_poor_hh",
            "escaped_poor_hh",
            "water_sanitation",
            "job_creation",
            "students",
        )
    ),
)
_COUNTED = {"households", "borrowers", "customers", "persons"}


def rows(facts):
    """Return one indicator row per fact that is a number.

    The value and its bounds are those of the print: "over 26.5 billion" is value 26.5e9, lower 26.5e9,
    upper inf. Where a preliminary and a final figure of one quantity exist, the final one stands; where
    several remain, the first of the table stands and the row is flagged ``other_figures``.
    Rates of poverty without a known standard have no basis and stand with nothing else.
    """
    read = printed.read(facts)
    read = read[read["number"].notna() & (read["unit"] != "date")].copy()
    read["indicator"] = read["indicator"].replace(_NAMES)
    preliminary = printed.has_flag(read, "preliminary")
    read = read.assign(preliminary=preliminary).sort_values("preliminary", kind="stable")
    same = ["place", "indicator", "as_of", "period_start", "period_end", "basis", "method", "scope"]
    repeated = read.duplicated(same, keep=False) & ~read["preliminary"]
    differs = (
        read[repeated].groupby(same, dropna=False)["number"].transform("nunique").reindex(read.index) > 1
    )
    read = read.assign(other=differs).drop_duplicates(same).sort_index()
    out = pd.DataFrame(
        {
            "place": read["place"],
            "period": read["as_of"].fillna(read["period_start"] + "/" + read["period_end"]),
            "indicator": read["indicator"],
            "value": read["number"],
            "lower": read["lower"],
            "upper": read["upper"],
            "numerator": np.nan,
            "denominator": np.nan,
            "unit": read["unit"],
            "basis": read["basis"].fillna(_own_basis(read)),
            "method": read["method"],
            "source": read["source_url"],
            "flags": [
                flags_of(f, q, s, o)
                for f, q, s, o in zip(
                    read["flags"], read["qualifier"], read["scope"], read["other"], strict=True
                )
            ],
            "year": read["year"],
            "title": read["source_title"],
            "note": read["note"],
        }
    )
    return out.reset_index(drop=True)


def _own_basis(read):
    """What a figure without a standard stands on: current prices for incomes, the thing counted for counts."""
    counted = read["unit"].where(read["unit"].isin(_COUNTED))
    return counted.mask(read["indicator"].str.startswith("income_"), "current")


def derived(facts):
    """Return the indicator rows that follow from several facts of one place: ratios and sums.

    Only facts that :func:`evalkit.load.facts.together` allows are combined: the whole place, one page or
    dates at most a quarter apart, never a flow with a stock, never turns of borrowing as households.
    Bounds follow by interval arithmetic; ``value`` is the ratio of the printed values. numerator and
    denominator are kept in the row. poor_plus_near_poor adds the two printed rates of one standard.
    """
    read = printed.read(facts)
    days = float(reference.parameter("plausibility", "date_tolerance"))
    found = []
    for place, own in read[read["number"].notna()].groupby("place", sort=False):
        by = {name: list(f.itertuples()) for name, f in own.groupby("indicator", sort=False)}
        for ratio in RATIOS:
            found += [_ratio(place, ratio, parts, d) for parts, d in _matches(by, ratio, days)]
        found += _poor_plus_near_poor(place, by, days)
    return pd.DataFrame(found, columns=[*COLUMNS, "year", "title", "note"])


def _usable(fact):
    return "flow" not in str(fact.flags).split(";") and not str(fact.unit).startswith("turns")


def _matches(by, ratio, days):
    for d in filter(_usable, by.get(ratio.denominator, ())):
        parts = [
            next((n for n in filter(_usable, by.get(name, ())) if printed.together(n, d, days=days)), None)
            for name in ratio.numerators
        ]
        if all(p is not None for p in parts) and d.number > 0:
            yield parts, d


def _ratio(place, ratio, parts, d):
    lower, upper = parts[0].lower, parts[0].upper
    for part in parts[1:]:
        lower, upper = add_bounds(lower, upper, part.lower, part.upper)
    low, high = divide_bounds(*multiply_bounds(ratio.scale, ratio.scale, lower, upper), d.lower, d.upper)
    total = sum(p.number for p in parts)
    basis = parts[0].basis if pd.notna(parts[0].basis) else d.basis
    if pd.isna(basis):
        basis = next((f.unit for f in (d, parts[0]) if f.unit in _COUNTED), pd.NA)
    return _row(
        place,
        ratio.name,
        ratio.scale * total / d.number,
        low,
        high,
        total,
        d.number,
        ratio.unit,
        basis,
        [*parts, d],
    )


def _poor_plus_near_poor(place, by, days):
    for poor in by.get("poverty_rate_pct", ()):
        for near in by.get("near_poor_rate_pct", ()):
            same = (
                poor.basis == near.basis
                if pd.notna(poor.basis) and pd.notna(near.basis)
                else pd.isna(poor.basis) and pd.isna(near.basis)
            )
            if same and poor.method == near.method and printed.together(poor, near, days=days):
                low, high = add_bounds(poor.lower, poor.upper, near.lower, near.upper)
                value = poor.number + near.number
                yield _row(
                    place,
                    "poor_plus_near_poor_rate_pct",
                    value,
                    low,
                    high,
                    np.nan,
                    np.nan,
                    "percent",
                    poor.basis,
                    [poor, near],
                )


def _row(place, name, value, lower, upper, numerator, denominator, unit, basis, used):
    last = max(used, key=lambda f: f.ends if pd.notna(f.ends) else pd.Timestamp.min)
    period = last.as_of if pd.notna(last.as_of) else pd.NA
    flags = {flag for f in used for flag in flags_of(f.flags, f.qualifier, f.scope, False).split(";") if flag}
    return {
        "place": place,
        "period": period,
        "indicator": name,
        "value": value,
        "lower": float(lower),
        "upper": float(upper),
        "numerator": numerator,
        "denominator": denominator,
        "unit": unit,
        "basis": basis,
        "method": used[0].method,
        "source": used[0].source_url,
        "flags": ";".join(sorted(flags | {"computed"})),
        "year": last.year,
        "title": used[0].source_title,
        "note": pd.NA,
    }
