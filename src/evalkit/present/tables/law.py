"""The poverty standards that a place's figures stand on, as the law has them."""

import pandas as pd

from evalkit.load import reference
from evalkit.present import words
from evalkit.present.tables.parts import block, plain
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
    shown, raw = [], []
    for rule in rules.itertuples():
        line = (
            t("up to {x} per person per month", lang, x=words.money(rule.income_max_vnd, lang))
            if pd.notna(rule.income_max_vnd)
            else t("set by the statistical office", lang)
        )
        if pd.notna(rule.income_min_vnd) and rule.income_min_vnd > 0:
            line = t(
                "over {low} up to {high} per person per month",
                lang,
                low=words.money(rule.income_min_vnd, lang),
                high=words.money(rule.income_max_vnd, lang),
            )
        lacking = (
            t(
                "and at least {k} of {n} deprivations",
                lang,
                k=int(rule.deprivations_min),
                n=int(rule.of_deprivations),
            )
            if pd.notna(rule.deprivations_min) and rule.deprivations_min > 0
            else t("income alone", lang)
        )
        area = t("rural", lang) if rule.area == "rural" else t("urban", lang) if rule.area == "urban" else "–"
        span = f"{words.date(rule.valid_from, lang)} – {words.date(rule.valid_to, lang)}"
        law = rule.legal_basis + ("" if rule.verified else f" ({t('not verified', lang)})")
        shown.append((words.standard(rule.standard, lang), area, span, line, lacking, law))
        raw.append(
            (
                rule.standard,
                rule.area,
                None,
                plain(rule.income_max_vnd),
                plain(rule.deprivations_min),
                rule.legal_basis,
            )
        )
    columns = (
        ("standard", t("Standard", lang), False),
        ("area", t("Area", lang), False),
        ("in_force", t("In force", lang), False),
        ("income", t("Income", lang), True),
        ("deprivations", t("Deprivations", lang), False),
        ("law", t("Law", lang), False),
    )
    caption = t("A household is poor by a standard where any of its rows holds for its area.", lang)
    notes = []
    if len(set(used) - {"2011-2015-cpi"}) > 1:
        notes = [
            b[f"what_{lang}"] + (f" ({b['legal_basis']})" if b["legal_basis"] else "")
            for _, b in reference.table("series_breaks")
            .query("series == 'poverty' and standard_after in @used")
            .iterrows()
        ]
    return block(
        place,
        "table",
        "standards",
        "poverty_income",
        lang,
        title,
        caption=caption,
        columns=columns,
        rows=tuple(shown),
        raw=tuple(raw),
        notes=tuple(notes),
    )
