"""The poverty standards that a place's figures stand on, as the law has them."""

import pandas as pd

from evalkit.load import reference
from evalkit.present import words
from evalkit.present.tables.parts import Column, block, field, lines, table
from evalkit.present.words import t


def standards(place, *, lang):
    """Return the poverty standards that the place's figures stand on: period, lines, rule, law."""
    title = t("The poverty standards, as the law has them", lang)
    used = place.rows.loc[place.rows["indicator"].str.contains("poor|poverty"), "basis"].dropna().unique()
    rules = reference.table("poverty_standards")
    rules = rules[rules["standard"].isin(used) & (rules["class"] == "poor")]
    if rules.empty:
        text = t("No figure here stands on a known poverty standard.", lang)
        return block(place, "notice", "standards", "poverty_income", lang, title, paragraphs=(text,))
    areas = {"rural": t("rural", lang), "urban": t("urban", lang)}
    columns = (
        Column(
            "standard", t("Standard", lang), lambda r: words.standard(r["standard"], lang), field("standard")
        ),
        Column("area", t("Area", lang), lambda r: areas.get(r["area"], "–"), field("area")),
        Column("in_force", t("In force", lang), lambda r: _in_force(r, lang)),
        Column(
            "income", t("Income", lang), lambda r: _income(r, lang), field("income_max_vnd"), numeric=True
        ),
        Column(
            "deprivations",
            t("Deprivations", lang),
            lambda r: _deprivations(r, lang),
            field("deprivations_min"),
        ),
        Column("law", t("Law", lang), lambda r: _law(r, lang), field("legal_basis")),
    )
    caption = t("A household is poor by a standard where any of its rows holds for its area.", lang)
    several = len(set(used) - {"2011-2015-cpi"}) > 1
    return table(
        place, "standards", "poverty_income", lang, title, columns, lines(rules),
        caption=caption, notes=_breaks(used, lang) if several else (),
    )  # fmt: skip


def _in_force(rule, lang):
    return f"{words.date(rule['valid_from'], lang)} – {words.date(rule['valid_to'], lang)}"


def _income(rule, lang):
    low, high = rule["income_min_vnd"], rule["income_max_vnd"]
    if pd.notna(low) and low > 0:
        return t(
            "over {low} up to {high} per person per month",
            lang,
            low=words.money(low, lang),
            high=words.money(high, lang),
        )
    if pd.isna(high):
        return t("set by the statistical office", lang)
    return t("up to {x} per person per month", lang, x=words.money(high, lang))


def _deprivations(rule, lang):
    least = rule["deprivations_min"]
    if pd.isna(least) or least <= 0:
        return t("income alone", lang)
    return t("and at least {k} of {n} deprivations", lang, k=int(least), n=int(rule["of_deprivations"]))


def _law(rule, lang):
    return _cited(rule, lang) + ("" if rule["verified"] else f" ({t('not verified', lang)})")


def _cited(row, lang):
    return words.dated(reference.legal_basis(row["legal_basis"], lang), lang)


def _breaks(used, lang):
    """Return what changed with each standard that is used here, and the law that changed it."""
    breaks = reference.table("series_breaks")
    breaks = breaks[(breaks["series"] == "poverty") & breaks["standard_after"].isin(used)]
    return tuple(
        b[f"what_{lang}"] + (f" ({_cited(b, lang)})" if b["legal_basis"] else "") for b in lines(breaks)
    )
