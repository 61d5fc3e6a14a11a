"""Households that left the list of the poor, fell back or came onto it for the first time, by year."""

import pandas as pd

from evalkit.present import say, words, yearly
from evalkit.present.blocks import absent
from evalkit.present.tables.parts import Column, plain, table
from evalkit.present.words import t

_MOVES = ("exit_rate_pct", "fall_back_pct", "newly_poor_pct")


def moves(place, *, lang):
    """Return exits from the list of the poor and falls back onto it, each with its counts, by year and standard."""
    title = t("On and off the list of the poor", lang)
    rows = yearly.of(place, _MOVES)
    if rows.empty:
        reason = t("No figure of households that left the list, fell back or came onto it.", lang)
        return absent(place, "moves", "poverty_income", lang, title, reason)
    years = [
        own.drop_duplicates("indicator").set_index("indicator", drop=False)
        for _, own in rows.groupby(["year", "basis"], sort=True)
    ]
    columns = (
        Column("year", t("Year", lang), lambda f: str(_year(f)), _year),
        Column("basis", t("Standard", lang), lambda f: words.standard(_basis(f), lang), _basis),
        *(_rates(move, lang) for move in _MOVES),
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
    return table(
        place, "moves", "poverty_income", lang, title, columns, years,
        caption=caption, notes=notes if hidden else (), level="L0",
    )  # fmt: skip


def _year(figures):
    return int(figures["year"].iloc[0])


def _basis(figures):
    return figures["basis"].iloc[0]


def _rates(move, lang):
    """Return the column of one rate, from the figures of a year by indicator."""

    def cell(figures):
        return _cell(figures.loc[move], lang) if move in figures.index else "–"

    def value(figures):
        return plain(figures.loc[move, "value"]) if move in figures.index else None

    return Column(move, words.indicator(move, lang), cell, value, numeric=True)


def _cell(row, lang):
    if pd.isna(row["value"]):
        return say.value(row, lang)
    counts = f"{words.decimal(row['numerator'], lang, 0)}/{words.decimal(row['denominator'], lang, 0)}"
    return f"{words.rounded(row['value'], 'percent', lang)} ({counts})"
