"""The page that lists every indicator, made from the definitions that compute them.

Print it with ``python -m evalkit.metrics.catalogue``; a test keeps docs/indicators.md equal to it.
"""

from evalkit.load import reference
from evalkit.metrics import credit, facts, groups, households, incomes, reviews

_TABLES = (
    ("credit", credit.DEFINITIONS),
    ("credit, poverty", (*credit.PER_HOUSEHOLD, *credit.PER_POOR_HOUSEHOLD)),
    ("groups", groups.DEFINITIONS),
    ("groups, credit", groups.WITH_CREDIT),
    ("poverty", (*reviews.DEFINITIONS, *reviews.HOUSEHOLDS)),
    ("income", tuple(incomes.DEFINITIONS.values())),
    ("income, poverty", tuple(incomes.OF_AREAS.values())),
    ("households", households.MEASURES),
)
_SECTIONS = {
    "credit": "Credit",
    "quality": "Quality of debt",
    "groups": "Groups",
    "poverty": "Poverty",
    "income": "Income",
    "context": "Context",
    "outputs": "Outputs",
}
_HEAD = """# Indicators

Made from the definitions in `evalkit.metrics`; `python -m evalkit.metrics.catalogue > docs/indicators.md`.

Every row says its basis (poverty standard or price year) and method; rows of different basis are never
subtracted. Communes are computed from their own row; for districts and provinces the columns of a formula are
added over the communes first. Shares are in per cent. Intervals of full counts aren't sampling error: they say
how far the figure could have come out otherwise at the same underlying rate. An indicator without a formula is
a published figure, read as it is printed; “as printed” beside “computed” keeps the two apart.

A figure that a commune lacks isn't zero: the commune is left out of numerator and denominator, and the area's
row is flagged `part`, or `nearly_whole` where a ratio rests on at least four fifths of its communes; a sum is
then at least what is known. Columns of the formulas that the tables don't hold
themselves:
"""
_COLUMNS = {
    "…_before": "the figure at the end of the year before, on the same standard; of a merged commune "
    "the sum of what it was, missing where one of them is",
    "outstanding_mean": "mean of the outstanding at the start and the end of the year",
    "…_real": "in the prices of the last year of the price index: amount × 100 / national consumer price index",
    "current": "outstanding − overdue − frozen − extended",
    "outstanding_CODE": "outstanding of one programme; 0 where the commune has rows for others only",
    "production, study, water, housing, other": "outstanding of the programmes of that purpose",
    "rest": "what the office's own total has more than its programmes",
    "borrower_households": "households counted once: the office's total where below the sum of the programmes",
    "borrowers_most, borrowers_least": "both borrower_households where known, else the sum of the "
    "programmes and the largest of them (flag `repeats`)",
    "rated": "groups that have a rating",
    "outstanding_of_groups, outstanding_of_unions": "outstanding of all groups; of those with a union",
    "not_poor_before": "households_before − poor_before",
    "income_times_households": "income per person × households of the commune",
}


def page():
    """Return docs/indicators.md as text."""
    defined = {}
    for table, definition in definitions():
        defined.setdefault(definition.name, []).append(_of_table(table, definition))
    for ratio in facts.RATIOS:
        defined.setdefault(ratio.name, []).append(_of_facts(ratio))
    labels = reference.table("indicators")
    lines = [_HEAD, *(f"- `{name}`: {meaning}" for name, meaning in _COLUMNS.items()), ""]
    for section, title in _SECTIONS.items():
        own = labels[labels["section"] == section]
        lines += [f"## {title}\n", *(_entry(row, defined.get(row.indicator, [])) for row in own.itertuples())]
    return "\n".join(lines)


def definitions():
    """Return (table, definition) of every indicator that is computed from tables, in the order of the page."""
    return [(table, definition) for table, group in _TABLES for definition in group]


def names():
    """Return the names of all indicators that are computed from tables."""
    return {definition.name for _, definition in definitions()}


def _entry(row, definitions):
    better = {"higher": "higher is better", "lower": "lower is better"}.get(row.better, "no polarity agreed")
    compared = (
        "compared among places" if row.comparable == "true" else "not compared: it grows with the place"
    )
    head = f"### `{row.indicator}`\n\n{row.label_en} · {row.label_vi}\n\n"
    head += f"- unit: {row.unit}; {better}; {compared}"
    return "\n".join([head, *definitions]) + "\n"


def _of_table(table, definition):
    which = "tables" if "," in table else "table"
    lines = [f"- from the {which} {table}: {definition.meaning}"]
    lines += [f"  - formula: `{definition.formula}`", f"  - interval: {definition.interval}"]
    if definition.source:
        lines.append(f"  - source: {definition.source}")
    return "\n".join(lines)


def _of_facts(ratio):
    over = " + ".join(ratio.numerators)
    over = f"({over})" if len(ratio.numerators) > 1 else over
    scale = f"{ratio.scale:g} × " if ratio.scale != 1 else ""
    return (
        "- from published figures of one place and date:\n"
        f"  - formula: `{scale}{over} / {ratio.denominator}`\n"
        "  - interval: from the bounds of the printed figures"
    )


if __name__ == "__main__":
    print(page(), end="")
