"""Households that left the list of the poor, fell back or came onto it for the first time, by year."""

import pandas as pd

from evalkit.present import say, words, yearly
from evalkit.present.blocks import absent
from evalkit.present.tables.parts import block, plain
from evalkit.present.words import t

_MOVES = ("exit_rate_pct", "fall_back_pct", "newly_poor_pct")


def moves(place, *, lang):
    """Return exits from the list of the poor and falls back onto it, each with its counts, by year and standard."""
    title = t("On and off the list of the poor", lang)
    rows = yearly.of(place, _MOVES)
    if rows.empty:
        reason = t("No figure of households that left the list, fell back or came onto it.", lang)
        return absent(place, "moves", "poverty_income", lang, title, reason)
    shown, raw = [], []
    for (year, basis), own in rows.groupby(["year", "basis"], sort=True):
        own = own.drop_duplicates("indicator").set_index("indicator", drop=False)
        cells = [own.loc[m] if m in own.index else None for m in _MOVES]
        shown.append((str(int(year)), words.standard(basis, lang), *(_cell(c, lang) for c in cells)))
        raw.append((int(year), basis, *(None if c is None else plain(c["value"]) for c in cells)))
    columns = (
        ("year", t("Year", lang), False),
        ("basis", t("Standard", lang), False),
        *((m, words.indicator(m, lang), True) for m in _MOVES),
    )
    caption = t(
        "Left the list: among the households poor at the end of the year before. Fell back, newly poor: among those not poor then. In brackets the counts; the first year of a standard has none. A household leaves a list; why is another question.",
        lang,
    )
    notes = (
        t(
            "Counts of few households are hidden, and the rates and intervals that would give them away.",
            lang,
        ),
    )
    hidden = rows["flags"].fillna("").str.contains("hidden").any()
    return block(
        place, "table", "moves", "poverty_income", lang, title, caption=caption, columns=columns, rows=tuple(shown), raw=tuple(raw),
        notes=notes if hidden else (), level="L0",
    )  # fmt: skip


def _cell(row, lang):
    if row is None:
        return "–"
    if pd.isna(row["value"]):
        return say.value(row, lang)
    counts = f"{words.decimal(row['numerator'], lang, 0)}/{words.decimal(row['denominator'], lang, 0)}"
    return f"{words.rounded(row['value'], 'percent', lang)} ({counts})"
