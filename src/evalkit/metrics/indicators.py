"""All indicator rows of a data set, assembled from the tables it has."""

import pandas as pd

from evalkit.load import reference
from evalkit.metrics import credit, facts, groups, households, incomes, reviews
from evalkit.metrics.rows import with_flag
from evalkit.metrics.tabulate import ALL_COLUMNS, rows

_TEXTS = ["place", "period", "indicator", "unit", "basis", "method", "source", "flags", "title", "note"]
_BANK = "bank"
_REVIEW = "review"


def assemble(dataset):
    """Return the indicator rows of every place and year at once, from whatever tables the data set has.

    One row per place, period, indicator, basis and method: see evalkit.metrics.rows. year: the calendar year
    of the period; title, note: of the source. Tables by commune also give rows of the districts and
    provinces that they add up to. Rows of tables come before published figures of the same.
    """
    tables, units = dataset.tables, dataset.places
    parts = of_tables(tables, units)
    if "facts" in tables:
        parts += [facts.rows(tables["facts"]), facts.derived(tables["facts"])]
    parts = [p for p in parts if len(p)]
    found = pd.concat(parts, ignore_index=True) if parts else pd.DataFrame(columns=ALL_COLUMNS)
    found = found.reindex(columns=ALL_COLUMNS).astype(dict.fromkeys(_TEXTS, "string") | {"year": "Int64"})
    return real_incomes(found)


def of_tables(tables, units):
    """Return the parts of :func:`assemble` that come from the yearly tables by commune."""
    lent, grouped, poor, every, found = None, None, None, None, []
    if "credit" in tables:
        lent = credit.sums(tables["credit"], units)
        found.append(rows(lent, credit.DEFINITIONS, units, method=_BANK, source="credit"))
    if "groups" in tables:
        grouped = groups.sums(tables["groups"])
        found.append(rows(grouped, groups.DEFINITIONS, units, method=_BANK, source="groups"))
    if "poverty" in tables:
        poor, every = reviews.sums(tables["poverty"], units), reviews.households(tables["poverty"])
        found.append(
            rows(poor, reviews.DEFINITIONS, units, method=_REVIEW, source="poverty", basis="standard")
        )
        found.append(rows(every, reviews.HOUSEHOLDS, units, method=_REVIEW, source="poverty"))
    if lent is not None and grouped is not None:
        both = grouped.merge(
            lent[["place", "year", "outstanding", "borrowers_most", "borrowers_least"]], on=["place", "year"]
        )
        found.append(rows(both, groups.WITH_CREDIT, units, method=_BANK, source="groups; credit"))
    if lent is not None and poor is not None:
        both = lent.merge(every, on=["place", "year"])
        found.append(rows(both, credit.PER_HOUSEHOLD, units, method=_BANK, source="credit; poverty"))
        both = lent[["place", "year", "borrowers_poor"]].merge(poor, on=["place", "year"])
        found.append(
            rows(
                both,
                credit.PER_POOR_HOUSEHOLD,
                units,
                method=_BANK,
                source="credit; poverty",
                basis="standard",
            )
        )
    if "income" in tables:
        found += _incomes(tables["income"], every, units)
    if "households" in tables:
        found.append(households.rows(tables["households"], units))
    return found


def _incomes(table, every, units):
    if every is None:
        every = pd.DataFrame(
            {"place": pd.array([], "string"), "year": pd.array([], "Int64"), "households": []}
        )
    sums = incomes.sums(table, every)
    for per, own in sums.groupby("per"):
        shared = {"method": "method", "source": "income"}
        yield rows(own, [incomes.DEFINITIONS[per]], units, levels=("commune",), **shared)
        yield rows(own, [incomes.OF_AREAS[per]], units, levels=("district", "province"), **shared)


def real_incomes(rows):
    """Add incomes in the prices of the last year for which the price index has every link.

    The deflator is the national consumer price index (annual average); its basis is said in the row.
    """
    nominal = rows[rows["indicator"].isin(["income_month_vnd", "income_year_vnd"]) & rows["year"].notna()]
    if nominal.empty:
        return rows
    to = int(reference.last_price_year())
    index = reference.price_index(to=to)
    factor = nominal["year"].astype(int).map(index)
    real = nominal[factor.notna()].copy()
    factor = factor[factor.notna()] / 100
    for column in ("value", "lower", "upper"):
        real[column] = real[column] / factor
    real["numerator"] = real["denominator"] = float("nan")
    real["indicator"] = real["indicator"].str.replace("_vnd", "_real_vnd")
    real["basis"] = f"prices of {to}"
    real["flags"] = with_flag(real["flags"], "computed")
    return pd.concat([rows, real], ignore_index=True)
