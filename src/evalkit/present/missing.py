"""What a section can't show of a place because the figures aren't there, and what they would add."""

from evalkit.present import yearly
from evalkit.present.blocks import Block
from evalkit.present.words import t

_YEARS = 3


def missing(place, section, *, lang):
    """Return which figures the section lacks and what each would show; an absent block where it lacks none."""
    wanted = {"credit": _credit, "poverty_income": _poverty_income}[section]
    said = tuple(t(sentence, lang) for sentence, held in wanted(place) if not held)
    return Block(
        kind="text" if said else "absent", id="missing", section=section, lang=lang, audience=place.audience if said else "private",
        title=t("What these figures can't show", lang), items=tuple({"text": s, "url": "", "verified": None} for s in said),
    )  # fmt: skip


def _years(place, *indicators):
    return min(yearly.of(place, (i,)).dropna(subset="value")["year"].nunique() for i in indicators)


def _credit(place):
    return (
        (
            "Outstanding, lending and collection of each year: how the portfolio grew, in money and in real terms.",
            _years(place, "outstanding_loans_vnd", "lending_turnover_vnd") >= _YEARS,
        ),
        (
            "Outstanding by programme: how much is lent for production, study, water and housing.",
            _years(place, "share_production_pct") > 0,
        ),
        (
            "Frozen, extended and written-off debt: whether little overdue means that loans are repaid, or that debt was put aside.",
            _years(place, "overdue_frozen_extended_pct") > 0,
        ),
        (
            "All households, and borrower households counted once: which share of households credit reaches.",
            _years(place, "household_coverage_pct") > 0,
        ),
    )


def _poverty_income(place):
    rows = yearly.of(place, ("poverty_rate_pct",))
    own = rows[rows["value"].notna()]
    both = own.groupby("year")["basis"].nunique().gt(1).any()
    return (
        (
            "Counts of poor households and of all households of each year's review: without them a rate has no interval.",
            own["numerator"].notna().any(),
        ),
        (
            "Near-poor households: without them the later rates can't be set beside the older income headcount.",
            _years(place, "poor_plus_near_poor_rate_pct") > 0,
        ),
        (
            "The reviews of the ends of 2015 and 2021 on both standards: without them nothing can be said of change across the standards.",
            both or own["basis"].nunique() < 2,
        ),
        (
            "Households that left the list, fell back or were newly poor in each year.",
            _years(place, "households_escaped_poverty") > 0,
        ),
        (
            "Income per person of several years, counted in one way: how it changed in real terms.",
            max(_years(place, "income_year_vnd"), _years(place, "income_month_vnd")) >= 2,
        ),
    )
