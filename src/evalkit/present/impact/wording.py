"""Analyses, figures and reasons in words of the reader's language."""

import json
import re

import numpy as np
import pandas as pd

from evalkit.present import words
from evalkit.present.words import t

OUTCOMES = {
    "poor_pct": "share of poor households",
    "poor_near_poor_pct": "share of poor and near-poor households",
    "log_odds_poor": "log odds of being poor",
    "log_income": "real income per person",
}


DOSES = {
    "production": "production credit",
    "study": "credit for study",
    "water": "credit for water and sanitation",
    "housing": "credit for housing",
    "other": "other credit",
    "total": "all policy credit",
    "exposure": "the change of supply",
}


DESIGNS = {
    "fixed_effects": "changes within communes, same district and year",
    "long_differences": "change over the longest span of one standard",
    "shift_share": "change of supply, by earlier mix of lending",
    "reduced_form": "the change of supply itself: communes with all of their earlier lending in its programmes against none",
}


SUBGROUPS = {
    "rural": "rural communes",
    "urban": "urban communes",
    "poorer_at_first": "communes poorer than the median at first",
    "less_poor_at_first": "communes less poor than the median at first",
}


GATES = {
    "clusters": "enough districts",
    "treated_clusters": "more than one district reached",
    "mechanical_link": "no mechanical link",
    "one_basis": "one standard throughout",
    "merged_units": "no merged units",
    "first_stage": "supply moved credit",
    "pre_trends": "same paths before",
    "single_date": "one date",
    "comparison_group": "someone to compare with",
    "starting_point": "the start held, or no matter",
}


def name(row, lang):
    """Return an analysis in words: outcome and dose, then design, change of supply and sub-group."""
    said = t(
        "{outcome} and {dose}", lang, outcome=t(OUTCOMES[row.outcome], lang), dose=t(DOSES[row.dose], lang)
    )
    more = [t(SUBGROUPS[row.subgroup], lang)] if row.subgroup else []
    return said[0].upper() + said[1:] + (f" ({more[0]})" if more else "")


def design(row, lang):
    """Return the design of an analysis in words."""
    return t(DESIGNS[row.design], lang) + (f" ({change(row.change, lang)})" if row.change else "")


def change(id, lang):
    """Return a change of supply in a few words."""
    return {
        "ceiling_2019": t("loan ceiling of March 2019", lang),
        "package_2022": t("credit package of 2022", lang),
    }.get(id, id)


def figure(value, outcome, lang):
    """Return an estimate with its unit, per million VND of credit per household."""
    if pd.isna(value):
        return "–"
    if value in (float("inf"), float("-inf")):
        return "∞" if value > 0 else "−∞"
    if outcome == "log_income":
        return t("{x} %", lang, x=_signed(displayed(value, outcome), lang))
    if outcome == "log_odds_poor":
        return _signed(value, lang)
    return t("{x} points", lang, x=_signed(value, lang))


def displayed(value, outcome):
    """Return an estimate in the unit that readers see: points as they are, a change of log income in per cent."""
    return 100 * np.expm1(value) if outcome == "log_income" else value


def interval(row, lang):
    """Return the 95 % interval of a row in words."""
    low, high = (figure(getattr(row, end), row.outcome, lang) for end in ("lower", "upper"))
    return t("{low} to {high}", lang, low=low, high=high)


def _signed(value, lang):
    text = words.decimal(abs(value), lang, 2 if abs(value) >= 0.095 else 3)
    return f"−{text}" if value < 0 and re.search("[1-9]", text) else text


def p_value(value, lang):
    """Return a p-value as printed: three decimals, or below the last of them."""
    if pd.isna(value):
        return "–"
    return f"< {words.decimal(0.001, lang, 3)}" if value < 0.001 else words.decimal(value, lang, 3)


def reasons(text, lang):
    """Return recorded reasons as sentences of the language, columns named and numbers written as its readers do."""
    from evalkit.impact.effect import Reason

    found = []
    for r in json.loads(text):
        if r["code"] == "not_estimable":
            found.append(t("The data don't allow this design.", lang))
        elif r["code"] not in ("rows_left_out", "controls_dropped"):
            details = {k: _plain(v, lang) for k, v in r["details"].items()}
            found.append(Reason(r["code"], details).text(lang))
    return found


def _plain(value, lang):
    text = str(value)
    column = text.removeprefix("change of ").removesuffix("_credit_lag1")
    known = OUTCOMES | DOSES
    if column in known:
        return t(known[column], lang)
    if text.startswith(("rademacher", "webb")):
        return t("all sign patterns", lang) if "all patterns" in text else t("random sign patterns", lang)
    if lang == "vi" and re.fullmatch(r"-?\d+\.\d+(e[-+]\d+)?", text):
        return text.replace(".", ",").replace("-", "−")
    return text


def listed(labels, names, lang):
    return ", ".join(t(labels[name], lang) for name in names)


def modest(lang):
    """Return what every finding is to be read beside."""
    return t(
        "Experiments elsewhere found modest changes, not transformations. A result far above theirs should be doubted "
        "first.",
        lang,
    )
