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

Every row says its basis (poverty standard or price year) and method; rows of different basis are never subtracted.
Communes are computed from their own row; for districts and provinces the columns of a formula are added over the
communes first. Shares are in per cent. Intervals of full counts aren't sampling error: they say how far the
figure could have come out otherwise at the same underlying rate. An indicator without a formula is a published
figure, read as it is printed; “as printed” beside “computed” keeps the two apart.
"""


def page():
    """Return docs/indicators.md as text."""
    defined = {}
    for table, definitions in _TABLES:
        for definition in definitions:
            defined.setdefault(definition.name, []).append(_of_table(table, definition))
    for ratio in facts.RATIOS:
        defined.setdefault(ratio.name, []).append(_of_facts(ratio))
    labels = reference.table("indicators")
    lines = [_HEAD]
    for section, title in _SECTIONS.items():
        own = labels[labels["section"] == section]
        lines += [f"## {title}\n", *(_entry(row, defined.get(row.indicator, [])) for row in own.itertuples())]
    return "\n".join(lines)


def names():
    """Return the names of all indicators that are computed from tables."""
    return {definition.name for _, definitions in _TABLES for definition in definitions}


def _entry(row, definitions):
    better = {"higher": "higher is better", "lower": "lower is better"}.get(row.better, "no polarity agreed")
    compared = "compared among places" if row.comparable == "true" else "not compared: it grows with the place"
    head = f"### `{row.indicator}`\n\n{row.label_en} · {row.label_vi}\n\n- unit: {row.unit}; {better}; {compared}"
    return "\n".join([head, *definitions]) + "\n"


def _of_table(table, definition):
    lines = [f"- from the tables {table}: {definition.meaning}" if "," in table else f"- from the table {table}: {definition.meaning}"]
    lines += [f"  - formula: `{definition.formula}`", f"  - interval: {definition.interval}"]
    if definition.source:
        lines.append(f"  - source: {definition.source}")
    return "\n".join(lines)


def _of_facts(ratio):
    over = " + ".join(ratio.numerators)
    over = f"({over})" if len(ratio.numerators) > 1 else over
    scale = f"{ratio.scale:g} × " if ratio.scale != 1 else ""
    return (
        f"- from published figures of one place and date:\n  - formula: `{scale}{over} / {ratio.denominator}`\n"
        "  - interval: from the bounds of the printed figures"
    )


if __name__ == "__main__":
    print(page(), end="")
