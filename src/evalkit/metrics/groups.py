"""Savings-and-loan groups: size, rating, unions and savings, from the table of groups."""

import pandas as pd

from evalkit.load import reference
from evalkit.metrics.definitions import Quantity, Ratio

RATINGS = ("good", "fair", "average", "weak")
UNIONS = ("women", "farmers", "veterans", "youth")

DEFINITIONS = (
    Quantity("savings_loan_groups", "groups", "groups", "Savings-and-loan groups at the year's end."),
    Quantity(
        "group_members",
        "members",
        "persons",
        "Members of the groups, one for each household.",
        basis="persons",
    ),
    Quantity("savings_deposits_vnd", "savings", "VND", "Savings deposited through the groups."),
    Quantity("groups_without_overdue", "without_overdue", "groups", "Groups in which nothing is overdue."),
    Quantity(
        "groups_outside_size",
        "outside_size",
        "groups",
        "Groups with fewer or more members than the rule in force at the year's end allows "
        "(data/reference/group_rules.csv).",
    ),
    *(
        Quantity(f"groups_rated_{r}", r, "groups", f"Groups rated {r} by the bank and the unions.")
        for r in RATINGS
    ),
    Ratio(
        "members_per_group_computed",
        ("members",),
        ("groups",),
        "members per group",
        "Members over groups.",
    ),
    Ratio(
        "outstanding_per_group_computed_vnd",
        ("outstanding_of_groups",),
        ("groups",),
        "VND",
        "Outstanding of the groups over their number.",
    ),
    Ratio(
        "groups_good_share_pct",
        ("good",),
        ("rated",),
        "percent",
        "Groups rated good among those rated. At 100 it can't tell groups apart.",
        scale=100,
        counts=True,
    ),
    *(
        Ratio(
            f"groups_rated_{r}_pct",
            (r,),
            ("rated",),
            "percent",
            f"Groups rated {r} among those rated.",
            scale=100,
            counts=True,
        )
        for r in RATINGS[1:]
    ),
    Ratio(
        "groups_rated_good_or_fair_pct",
        ("good", "fair"),
        ("rated",),
        "percent",
        "Groups rated good or fair among those rated; another figure than the share rated good.",
        scale=100,
        counts=True,
    ),
    *(
        Ratio(
            f"entrusted_share_{u}_union_pct",
            (f"outstanding_{u}",),
            ("outstanding_of_unions",),
            "percent",
            f"Share of the outstanding of groups that runs through the {u} union.",
            scale=100,
        )
        for u in UNIONS
    ),
)

WITH_CREDIT = (
    Ratio(
        "borrowers_per_group",
        ("borrowers_most",),
        ("groups",),
        "households per group",
        "Borrower households over groups.",
        over_least="borrowers_least",
        basis="households",
    ),
    Ratio(
        "savings_to_loans_pct",
        ("savings",),
        ("outstanding",),
        "percent",
        "Savings deposited through the groups over all outstanding loans.",
        scale=100,
    ),
)


def sums(groups):
    """Return counts and money by commune and year, the columns that the definitions name.

    A figure that one group of the commune lacks is missing for the commune; groups without a rating are left
    out of the ratings' denominator, and those without a union out of the unions'.
    """
    table = groups.copy()
    figures = {
        "members": "members",
        "outstanding_vnd": "outstanding_of_groups",
        "savings_vnd": "savings",
        "overdue_vnd": "overdue_of_groups",
    }
    table = table.rename(columns=figures)
    for name in figures.values():
        table[name] = table[name].astype("float64") if name in table else float("nan")
    rating, union = (
        table[c] if c in table else pd.Series(pd.NA, index=table.index) for c in ("rating", "union")
    )
    table["rated"] = rating.notna().astype(float)
    for r in RATINGS:
        table[r] = (rating == r).fillna(False).astype(float)
    for u in UNIONS:
        table[f"outstanding_{u}"] = table["outstanding_of_groups"].where((union == u).fillna(False), 0.0)
    table["outstanding_of_unions"] = table["outstanding_of_groups"].where(union.notna(), 0.0)
    table["without_overdue"] = (
        (table["overdue_of_groups"] == 0).astype(float).where(table["overdue_of_groups"].notna())
    )
    table["outside_size"] = _outside_size(table["members"], table["year"])
    every = [*figures.values(), "without_overdue", "outside_size"]
    counted = ["rated", *RATINGS, *(f"outstanding_{u}" for u in UNIONS), "outstanding_of_unions"]
    grouped = table.groupby(["place", "year"])
    size = grouped.size()
    out = grouped[[*every, *counted]].sum(min_count=1)
    out[every] = out[every].where(grouped[every].count().eq(size, axis=0))
    out[list(RATINGS)] = out[list(RATINGS)].where(out["rated"] > 0)
    return out.assign(groups=size.astype(float)).reset_index()


def _outside_size(members, year):
    limits = {int(y): reference.group_size(int(y)) for y in year.dropna().unique()}
    low = year.map({y: low if low is not None else 0 for y, (low, _) in limits.items()}).astype(float)
    high = year.map(
        {y: high if high is not None else float("inf") for y, (_, high) in limits.items()}
    ).astype(float)
    return ((members < low) | (members > high)).astype(float).where(members.notna())
