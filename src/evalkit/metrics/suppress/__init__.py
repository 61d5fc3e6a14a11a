"""Statistical disclosure control: which figures of the whole data set may be shown, decided once, together."""

import numpy as np
import pandas as pd

from evalkit.metrics import rollup
from evalkit.metrics.suppress.cells import from_tables
from evalkit.metrics.suppress.primary import money_of_few_members, sensitive
from evalkit.metrics.suppress.secondary import protect
from evalkit.metrics.suppress.system import system

__all__ = ["KEY", "OVER_POOR", "beside", "decide", "holds", "is_hidden", "shown"]
_FIGURES = ("value", "lower", "upper", "numerator", "denominator")
_COUNTED = ("households", "customers", "borrowers", "persons", "loans", "cases")
_ORDER = ["place", "indicator", "period", "basis", "method", "value"]
KEY = ["place", "period", "indicator", "basis", "method", "source"]  # one figure, the same in every release
_SENSITIVE = ["place", "year", "standard", "expr", "width"]


def decide(rows, tables, units, publish, earlier=None):
    """Return (rows with the column ``hidden``, the sensitive cells) of a whole data set.

    rows: indicator rows of every place and level. tables: the tables of the data set; units: its places with
    districts and provinces. publish: the section of dataset.toml: suppression_threshold (0: hide nothing),
    hide_zeros, dominance_percent, hide_published. hidden: "primary" (few people, or money of few),
    "secondary" (would give such a figure back), or "". The sensitive cells say which quantities were
    protected and how wide the interval is that others must be left with; they stay in the build.

    Figures of the register are public already and stay, unless ``hide_published`` says otherwise; what is
    computed from them follows the primary rule.

    earlier: the figures of a release that readers have, as they were shown. What it hid stays hidden, even where
    a correction has made it harmless, for the earlier sums still hold; what it showed and still
    holds protects nothing any more, so other figures are hidden instead. Raises DisclosureError where a cell can't be protected.
    """
    rows = rows.assign(hidden="").reset_index(drop=True)
    if not publish["suppression_threshold"]:
        return rows, pd.DataFrame(columns=_SENSITIVE)
    unsaid, noughts = _unsaid(rows)
    every = pd.concat([rows, unsaid], ignore_index=True) if len(unsaid) else rows
    if publish["hide_zeros"]:
        every.loc[len(rows) :, "hidden"] = "primary"
    order = every.sort_values(_ORDER, kind="stable").index  # so that the order of the rows decides nothing
    decided, found = _decide(every.loc[order].reset_index(drop=True), tables, units, publish, earlier)
    every["hidden"] = decided.set_axis(order)
    needed = every["hidden"].to_numpy()[noughts] != ""
    every.loc[len(rows) :, "hidden"] = every.loc[len(rows) :, "hidden"].replace("", "secondary")
    return every[np.r_[np.ones(len(rows), bool), needed]].reset_index(drop=True), found


def _decide(rows, tables, units, publish, earlier):
    """Return for each row why it is hidden ("primary", "secondary" or ""), and the sensitive cells."""
    threshold = publish["suppression_threshold"]
    own = from_tables(rows)
    flags = rows["flags"].fillna("")
    judged = (
        ~own & (publish["hide_published"] | flags.str.contains("computed")) & ~flags.str.contains("sample")
    )
    rows.loc[judged & _few(rows, threshold), "hidden"] = "primary"
    before = _earlier(rows, earlier).to_numpy()
    rows.loc[(before == "hidden") & rows["hidden"].eq(""), "hidden"] = "secondary"
    if not own.any():
        return rows["hidden"], pd.DataFrame(columns=_SENSITIVE)
    number, found = rollup.apart(units), []
    of_places, of_rows = (x["place"].map(number).fillna(-1).to_numpy() for x in (units, rows))
    own_tables = {name: tables[name] for name in ("credit", "groups", "loans") if name in tables}
    for one in np.unique(of_rows[own]):
        there, here = units[of_places == one], np.flatnonzero(of_rows == one)
        of_part = {n: t[t["place"].isin(there["place"])] for n, t in own_tables.items()}
        part = rows.iloc[here].reset_index(drop=True)
        hidden, cells = _tied(part, of_part, there, publish, before[here])
        rows.loc[here, "hidden"] = hidden.to_numpy()
        found.append(cells)
    return rows["hidden"], pd.concat(found, ignore_index=True)


def _tied(rows, tables, units, publish, before):
    """Return why rows are hidden, and the sensitive cells, of places that are tied to each other and to no other."""
    threshold = publish["suppression_threshold"]
    whole = system(rows, units)
    width = sensitive(
        whole,
        tables,
        units,
        threshold=threshold,
        percent=publish["dominance_percent"],
        zeros=publish["hide_zeros"],
    )
    touched = whole.touches.assign(before=before[whole.touches["row"]])
    known, kept = (
        whole.cells.index.isin(touched.loc[touched["before"] == state, "cell"])
        for state in ("shown", "hidden")
    )
    hidden = protect(whole, width, known=known, kept=kept & ~known)
    for reason, cells in (("secondary", hidden), ("primary", hidden & (width > 0))):
        rows.loc[touched["row"][cells[touched["cell"].to_numpy()]].unique(), "hidden"] = reason
    if {"members", "union"} <= set(tables.get("groups", ())):
        rows.loc[money_of_few_members(rows, tables["groups"], units, threshold), "hidden"] = "primary"
    found = whole.cells.assign(width=width)[width > 0]
    return rows["hidden"], found[_SENSITIVE].reset_index(drop=True)


# Ratios over the poor households, of the same year or of the one before, and the count above the line.
OVER_POOR = {
    "poor_household_coverage_pct": ("borrower_households_poor_hh", 0),
    "exit_rate_pct": ("households_escaped_poverty", 1),
}


def _unsaid(rows):
    """Return a row without value for each ratio over no poor household, and the position of the row of that nought.

    Where the nought is hidden, that its ratio is missing would tell it.
    """
    own = rows[from_tables(rows)]
    none = own[(own["indicator"] == "poor_households") & (own["value"] == 0)].rename_axis("nought")
    found = [rows.iloc[:0].rename_axis("nought")]
    for name, (above, years) in OVER_POOR.items():
        made = own[own["indicator"] == name]
        counts = own[own["indicator"] == above]
        on = ["place", "year", *(["basis"] if years else [])]  # borrowers are counted whatever the standard
        counts = counts.drop_duplicates(on).set_index(on)["value"]
        at = pd.MultiIndex.from_frame(none.assign(year=none["year"] + years)[on])
        there = none[at.isin(counts.index)]
        if made.empty or there.empty:
            continue
        like = {c: made.iloc[0][c] for c in ("indicator", "unit", "method", "source", "flags")}
        there = there.assign(**like, **dict.fromkeys(_FIGURES, np.nan), year=there["year"] + years)
        over = counts.reindex(at[at.isin(counts.index)]).to_numpy()
        period = there["year"].astype("Int64").astype("string")
        found.append(there.assign(period=period, numerator=over, denominator=0.0))
    unsaid = pd.concat(found)
    return unsaid.reset_index(drop=True), unsaid.index.to_numpy(int)


def _earlier(rows, earlier):
    """Say of each row whether the earlier release hid it, showed it as it is now, or neither ("")."""
    state = pd.Series("", index=rows.index)
    if earlier is None:
        return state
    found = beside(rows, earlier)
    state[found["hidden"].eq(True).to_numpy()] = "hidden"
    state[holds(rows, found)] = "shown"
    return state


def beside(rows, earlier):
    """Return for each row the figures of the same figure in an earlier release, and whether it was hidden there."""
    keyed = earlier[[*_FIGURES]].astype(float).assign(hidden=is_hidden(earlier))
    keyed.index = pd.MultiIndex.from_frame(_keys(earlier))
    return keyed[~keyed.index.duplicated()].reindex(pd.MultiIndex.from_frame(_keys(rows)))


def holds(rows, found):
    """Return which rows have the figures that ``beside`` found."""
    own, other = (frame[list(_FIGURES)].to_numpy(float) for frame in (rows, found))
    same = np.isclose(own, other, rtol=1e-9, atol=0, equal_nan=True).all(axis=1)
    return same & rows["value"].notna().to_numpy()


def _keys(rows):
    return rows[KEY].astype(object).fillna("").astype(str)


def is_hidden(rows):
    """Return of which rows, as readers have them, the figures were withheld."""
    return rows["flags"].fillna("").str.contains(r"\bhidden\b").to_numpy(bool)


def shown(rows):
    """Return the rows as a reader may see them: figures of hidden rows are missing, their flags say ``hidden``.

    A table without the column ``hidden``, or in which nothing is hidden, comes back as it is, without it.
    """
    if "hidden" not in rows:
        return rows
    mask = rows["hidden"].fillna("").ne("").to_numpy()
    out = rows.drop(columns="hidden")
    if not mask.any():
        return out
    for column in _FIGURES:
        out[column] = out[column].mask(mask)
    out["flags"] = out["flags"].mask(mask, (out["flags"].fillna("") + ";hidden").str.strip(";"))
    return out


def _few(rows, threshold):
    """Rows of published figures whose count, or what it leaves of its whole, is of few people."""
    people = rows["unit"].isin(_COUNTED) | rows["basis"].isin(_COUNTED)
    count = rows["numerator"].where(rows["numerator"].notna(), rows["value"].where(people))
    rest = rows["denominator"] - rows["numerator"]
    few = count.between(0, threshold, inclusive="neither") | rest.between(0, threshold, inclusive="neither")
    return few & (people | rows["unit"].eq("percent"))
