"""A place beside the areas that it belongs to, and among others on the same basis."""

import pandas as pd

from evalkit.present import say, words
from evalkit.present.tables.parts import LONG, block, comparable, latest, plain
from evalkit.present.words import t


def beside(place, *, lang):
    """Return the place's figures beside those of its district, province or the nation of the same year and standard."""
    title = t("Beside the province and the nation", lang)
    pairs = place.beside
    if pairs.empty:
        text = t(
            "No figure of the same year and on the same basis was found for a larger area that this place belongs to.",
            lang,
        )
        return block(place, "notice", "beside", "evaluation", lang, title, paragraphs=(text,))
    if len(pairs) > LONG:
        pairs = latest(pairs[pairs["indicator"].isin(comparable())], ["indicator", "parent"])
    shown, raw = [], []
    for _, pair in pairs.sort_values(["indicator", "year"], kind="stable").iterrows():
        parent = pd.Series(
            {c.removeprefix("parent_"): pair[c] for c in pairs.columns if c.startswith("parent_")}
            | {"indicator": pair["parent_indicator"]}
        )
        shown.append(
            (
                words.indicator(pair["indicator"], lang),
                words.period(pair["period"], lang),
                say.value(pair, lang),
                say.basis_and_method(pair, lang),
                pair["parent_name"],
                say.value(parent, lang),
                say.basis_and_method(parent, lang),
            )
        )
        raw.append(
            (
                pair["indicator"],
                plain(pair["period"]),
                plain(pair["value"]),
                plain(pair["basis"]),
                pair["parent"],
                plain(pair["parent_value"]),
                plain(pair["parent_basis"]),
            )
        )
    columns = (
        ("indicator", t("Indicator", lang), False),
        ("period", t("Date", lang), False),
        ("value", place.unit["name"], True),
        ("basis", t("Standard and kind of statistic", lang), False),
        ("area", t("Area", lang), False),
        ("area_value", t("Area's figure", lang), True),
        ("area_basis", t("Standard and kind of statistic", lang), False),
    )
    notes = _beside_notes(pairs, lang)
    caption = t("Only figures of the same year and standard stand side by side; nothing is subtracted.", lang)
    return block(
        place,
        "table",
        "beside",
        "evaluation",
        lang,
        title,
        caption=caption,
        columns=columns,
        rows=tuple(shown),
        raw=tuple(raw),
        notes=notes,
        level="L1",
    )


def _beside_notes(pairs, lang):
    differs = set(";".join(pairs["differs"].dropna()).split(";"))
    notes = []
    if "method" in differs:
        notes.append(
            t(
                "A household review lists the poor household by household, for eligibility; a survey estimates from a sample. The two are different statistics.",
                lang,
            )
        )
    if (
        pairs["parent_basis"].fillna("").str.endswith("-cpi")
        & ~pairs["basis"].fillna("").str.endswith("-cpi")
    ).any():
        notes.append(
            t(
                "The statistical office's income line of 2011–2015 was raised with prices each year; the review's was not.",
                lang,
            )
        )
    if "unit" in differs:
        notes.append(
            t(
                "A commune reports income per year, the statistical office per month: compare direction, not size.",
                lang,
            )
        )
    return tuple(notes)


def among(place, *, lang):
    """Return where the place stands among others of its level on the same basis, by indicator and date."""
    title = t("Among other places on the same basis", lang)
    minimum = place.settings["publish"]["minimum_comparators"]
    rows = place.among[place.among["median"].notna()]
    rows = rows[[pd.notna(own_row(place, row)["value"]) for _, row in rows.iterrows()]]
    few = place.among[place.among["median"].isna()]
    if len(rows) > LONG:
        rows = latest(rows, ["indicator"])
    note = (
        t(
            "Fewer than {n} other places on the same basis: no comparison for {k} further figures.",
            lang,
            n=minimum,
            k=len(few),
        )
        if len(few)
        else ""
    )
    if rows.empty:
        return block(
            place,
            "notice",
            "among",
            "evaluation",
            lang,
            title,
            paragraphs=(note,) if note else (t("No comparison is possible.", lang),),
            level="L0",
        )
    shown, raw = [], []
    for _, row in rows.sort_values(["indicator", "year"], kind="stable").iterrows():
        own = own_row(place, row)
        low, mid, high = (
            words.rounded(row[c], own["unit"], lang) for c in ("lower_quartile", "median", "upper_quartile")
        )
        shown.append(
            (
                words.indicator(row["indicator"], lang),
                words.period(row["period"], lang),
                say.value(own, lang),
                words.decimal(row["n"], lang, 0),
                mid,
                f"{low} – {high}",
                position(row, lang),
            )
        )
        raw.append(
            (
                row["indicator"],
                plain(row["period"]),
                plain(own["value"]),
                int(row["n"]),
                plain(row["median"]),
                None,
                f"{int(row['below'])}/{int(row['above'])}/{int(row['undecided'])}",
            )
        )
    columns = (
        ("indicator", t("Indicator", lang), False),
        ("period", t("Date", lang), False),
        ("value", place.unit["name"], True),
        ("n", t("Others (n)", lang), True),
        ("median", t("Their median", lang), True),
        ("middle_half", t("Middle half of them", lang), True),
        ("position", t("Position", lang), False),
    )
    caption = t(
        "Others: places of the same level with the same indicator, standard and kind of statistic, at most {y} year apart.",
        lang,
        y=place.settings["publish"]["comparison_years"],
    )
    return block(
        place,
        "table",
        "among",
        "evaluation",
        lang,
        title,
        caption=caption,
        columns=columns,
        rows=tuple(shown),
        raw=tuple(raw),
        notes=(note,) if note else (),
        level="L1",
    )


def own_row(place, row):
    """The place's own figure of a position; a row without its value is hidden, and so is its position."""
    same = place.rows["indicator"] == row["indicator"]
    for column in ("period", "method", "basis"):
        same &= place.rows[column].fillna("") == ("" if pd.isna(row[column]) else row[column])
    return place.rows[same].iloc[0]


def position(row, lang):
    """Return where a value lies among others, in words that obey the printed bounds."""
    n, below, above, undecided = (int(row[c]) for c in ("n", "below", "above", "undecided"))
    if undecided == n:
        return t("not distinguishable from any of the {n}", lang, n=n)
    said = t("higher than {below}, lower than {above} of {n}", lang, below=below, above=above, n=n)
    return said + (t("; {k} not distinguishable", lang, k=undecided) if undecided else "")
