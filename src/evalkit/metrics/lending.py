"""The table of credit added up by commune and year: the columns that the definitions of evalkit.metrics.credit name."""

import numpy as np
import pandas as pd

from evalkit.load import reference
from evalkit.metrics import rollup

TOTAL = "total"
PURPOSES = ("production", "study", "water", "housing", "other")
PROGRAMMES = tuple(reference.programmes().index)
PRICE_YEAR = reference.last_price_year()
_MONEY = {
    f"{name}_vnd": name
    for name in ("lent", "collected", "outstanding", "overdue", "frozen", "extended", "written_off")
}


def sums(credit, units):
    """Return money and counts by commune and year, the columns that the definitions name.

    credit: rows by place, year and programme. The sum of the programmes stands, unless one of them lacks the
    figure or the office's own total (programme ``total``) is larger: then the total stands, and ``rest`` is
    what the programmes leave of it. A total is never added to its parts. Where one part lacks a figure and
    there is no total, the figure is missing. A programme without a row owes nothing where others have rows.
    """
    table = credit.rename(columns=_MONEY)
    columns = [c for c in (*_MONEY.values(), "loans", "borrowers") if c in table]
    table = table.astype(dict.fromkeys(columns, "float64"))
    own = table["programme"] == TOTAL
    parts, total = table[~own], table[own].set_index(["place", "year"])[columns]
    grouped = parts.groupby(["place", "year"])
    added = grouped[columns].sum(min_count=1).where(grouped[columns].count().eq(grouped.size(), axis=0))
    index = added.index.union(total.index)
    added, total = added.reindex(index), total.reindex(index)
    out = added.where(~(added < total) & added.notna(), total)
    out = out.reindex(columns=[*_MONEY.values(), "loans", "borrowers"])
    current = out["outstanding"] - out["overdue"] - out["frozen"] - out["extended"]
    out["current"] = current.where(current >= 0)
    out = (
        out.join(_borrowers(parts, added["borrowers"], total["borrowers"])) if "borrowers" in columns else out
    )
    out = _real(_by_programme(out, parts).reset_index())
    out = rollup.before(out, units, ["outstanding", "outstanding_real"])
    return out.assign(outstanding_mean=(out["outstanding"] + out["outstanding_before"]) / 2)


def _real(sums):
    """Add outstanding amounts in the prices of ``PRICE_YEAR``; missing for a year that the price index lacks."""
    level = sums["year"].astype(float).map(reference.price_index(to=PRICE_YEAR)) / 100
    return sums.assign(**{f"{c}_real": sums[c] / level for c in ("outstanding", "production", "rest")})


def _borrowers(parts, added, total):
    """Return distinct households where they are known, and the most and the least that there can be."""
    counts = parts.loc[parts["borrowers"] > 0].groupby(["place", "year"])["borrowers"]
    largest, programmes = counts.max().reindex(added.index), counts.size().reindex(added.index)
    distinct = total.where((total < added) & (total >= largest)).fillna(added.where(programmes == 1))
    most = distinct.fillna(added).fillna(total)
    least = distinct.fillna(largest).fillna(0.0).where(most.notna())
    return pd.DataFrame({"borrower_households": distinct, "borrowers_most": most, "borrowers_least": least})


def _by_programme(out, parts):
    """Add the outstanding of each programme and purpose, the rest, and the borrowers of two programmes."""
    there = out.index.isin(parts.set_index(["place", "year"]).index)
    wide = parts.pivot(index=["place", "year"], columns="programme", values="outstanding")
    wide = wide.reindex(index=out.index, columns=list(PROGRAMMES)).fillna(0.0)
    wide = wide.where(pd.Series(there, index=out.index), axis=0)
    purpose = reference.programmes()["purpose"]
    by_purpose = {p: wide[list(purpose.index[purpose == p])].sum(axis=1, skipna=False) for p in PURPOSES}
    extra = wide.rename(columns="outstanding_{}".format).assign(
        **by_purpose,
        rest=(out["outstanding"] - wide.sum(axis=1, skipna=False)).clip(lower=0),
    )
    for code in ("poor", "near_poor"):
        own = (
            parts.loc[parts["programme"] == code].set_index(["place", "year"])
            if "borrowers" in parts
            else None
        )
        counted = np.nan if own is None else own["borrowers"].reindex(out.index)
        extra[f"borrowers_{code}"] = counted
    return out.join(extra)
