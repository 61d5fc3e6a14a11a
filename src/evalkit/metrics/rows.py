"""The tidy row that every indicator is."""

import re

import pandas as pd

from evalkit.errors import BasisError

COLUMNS = [
    "place",
    "period",
    "indicator",
    "value",
    "lower",
    "upper",
    "numerator",
    "denominator",
    "unit",
    "basis",
    "method",
    "source",
    "flags",
]


def flags_of(flags, qualifier, scope, other):
    """Return the flags of a row: those of the fact, its qualifier, its scope, and whether other figures exist."""
    own = [] if pd.isna(flags) else [f for f in flags.split(";") if f]
    if pd.notna(qualifier) and qualifier != "exact":
        own.append(qualifier)
    if pd.notna(scope) and scope != "whole":
        own.append(scope)
    return ";".join(sorted({*own, *(["other_figures"] if other else [])}))


def with_flag(flags, flag):
    """Return a column of flags with ``flag`` once, at the end of each."""
    added = [
        ";".join([*(f for f in own.split(";") if f not in ("", flag)), flag]) for own in flags.fillna("")
    ]
    return pd.Series(added, index=flags.index, dtype=flags.dtype)


def difference(later, earlier):
    """Return ``later - earlier`` of two indicator rows (value, lower, upper), on one basis only.

    Bounds: the smallest and the largest difference that both rows' bounds allow. Unit: that of the rows
    (percentage points for rates).

    Raises BasisError where indicator, unit, basis or kind of statistic differ, or a poverty rate has no
    known standard: two rates on different standards can't be subtracted.
    """
    for column in ("indicator", "unit", "basis", "method"):
        a, b = later[column], earlier[column]
        needs_basis = column == "basis" and re.search("poor|poverty", later["indicator"])
        if pd.isna(a) and pd.isna(b) and not needs_basis:
            continue
        if pd.isna(a) or pd.isna(b) or a != b:
            raise BasisError(
                f"{later['indicator']}: {later['period']} stands on {column} “{a}”, {earlier['period']} on “{b}”. "
                "They can't be subtracted; show them apart, or use a year that is counted on both."
            )
    return (
        later["value"] - earlier["value"],
        later["lower"] - earlier["upper"],
        later["upper"] - earlier["lower"],
    )
