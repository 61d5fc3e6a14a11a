"""All indicator rows of a data set, assembled from the tables it has."""

import pandas as pd

from evalkit.load import reference
from evalkit.metrics import facts
from evalkit.metrics.rows import COLUMNS

_EXTRA = ["year", "title", "note"]


def assemble(dataset):
    """Return the indicator rows of every place and year at once, from whatever tables the data set has.

    One row per place, period, indicator, basis and method: see evalkit.metrics.rows. year: the calendar year
    of the period; title, note: of the source.
    """
    parts = []
    if "facts" in dataset.tables:
        table = dataset.tables["facts"]
        parts += [facts.rows(table), facts.derived(table)]
    rows = pd.concat([p for p in parts if len(p)], ignore_index=True) if parts else pd.DataFrame(columns=[*COLUMNS, *_EXTRA])
    return real_incomes(rows)


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
    real["indicator"] = real["indicator"].str.replace("_vnd", "_real_vnd")
    real["basis"] = f"prices of {to}"
    real["flags"] = (real["flags"].fillna("") + ";computed").str.strip(";")
    return pd.concat([rows, real], ignore_index=True)
