"""Texts of a report: which place this is, what stands out, the evidence level, and what can't be said."""

import pandas as pd

from evalkit.present import say, words
from evalkit.present.brief import income, portfolio, poverty
from evalkit.present.brief import text as _text
from evalkit.present.contribution import change
from evalkit.present.missing import missing
from evalkit.present.opened import refusing
from evalkit.present.words import t

__all__ = ["cannot_say", "change", "header", "income", "level", "missing", "portfolio", "poverty"]


def header(place, *, lang):
    """Return which place this is: type, code, district and province, since and until when, what it came from and became."""
    unit = place.unit
    where = ", ".join(
        say.unit_name({"type": kind, "name": unit[column]}, lang)
        for kind, column in (("huyện", "district"), ("tỉnh", "province"))
        if pd.notna(unit[column]) and unit[column] and unit[column] != unit["name"]
    )
    name = say.unit_name(unit, lang)
    code = (
        t("code {code}", lang, code=unit["code"])
        if unit["code"].isdigit()
        else t("no official code was found", lang)
    )
    first = f"{name[0].upper()}{name[1:]} ({code})" + (f", {where}." if where else ".")
    span = say.span(unit, lang)
    said = [first, t("The unit existed {span}.", lang, span=span) if span else ""]
    if place.after is not None:
        after = place.after
        said.append(
            t(
                "It became part of {name} (code {code}, {span}).",
                lang,
                name=say.unit_name(after._asdict(), lang),
                code=after.code,
                span=say.span(after._asdict(), lang),
            )
        )
    elif pd.notna(unit["successor_name"]):
        said.append(
            t(
                "Its territory passed to {name} (code {code}).",
                lang,
                name=unit["successor_name"],
                code=unit["successor_code"],
            )
        )
    if place.before:
        parts = ", ".join(f"{say.unit_name(p._asdict(), lang)} ({p.code})" for p in place.before)
        said.append(
            t(
                "It was formed from {parts}; figures before that day are theirs, not this unit's.",
                lang,
                parts=parts,
            )
        )
    if not unit["verified"] if pd.notna(unit["verified"]) else False:
        said.append(t("The match of name and code is not verified.", lang))
    simulated = (
        ""
        if place.settings["data"]["real"]
        else t("These data are simulated: no figure here is about a real place.", lang)
    )
    return _text(
        place,
        "header",
        "credit",
        lang,
        t("The place", lang),
        [" ".join(filter(None, said)), simulated],
        kind="place",
    )


def level(place, *, lang):
    """Return the evidence level of what the report says of this place, and why it isn't higher."""
    got = place.unit["evidence"]
    names = {
        "L0": t("L0: one place described", lang),
        "L1": t("L1: compared with others on the same basis", lang),
    }
    why = {
        "L0": t(
            "The figures describe this place alone. Too few other places are known on the same basis to compare it with.",
            lang,
        ),
        "L1": t(
            "At least one figure can be compared with others of the same year, standard and kind of statistic.",
            lang,
        ),
    }
    said = [f"{names[got]}. {why[got]}"]
    if place.settings["data"]["press"]:
        said.append(
            t(
                "The register is a convenience sample: newspapers and offices chose which communes and which figures to print, mostly good news. A position among them is no rank in the country.",
                lang,
            )
        )
    said.append(
        t(
            "From these figures nothing can be said of the part that credit played. That would need many communes over many years, and a reason why credit changed that has nothing to do with poverty (level L3), or an experiment (L4).",
            lang,
        )
    )
    return _text(place, "level", "evaluation", lang, t("How far the evidence goes", lang), said, level=got)


def cannot_say(place, *, lang):
    """Return what can't be said from these figures, and why."""
    have = set(place.rows["indicator"])
    rates = place.rows[(place.rows["indicator"] == "poverty_rate_pct") & place.rows["basis"].notna()]
    standards = rates["basis"].unique()
    counted = rates[rates["value"].notna()].groupby("year")["basis"].nunique()
    both = [str(year) for year in counted[counted > 1].index]
    said = [
        t(
            "That credit lifted households out of poverty: the bank lends in every commune, so there is none without credit to compare with; and the list of the poor decides who may borrow, so poverty drives lending as much as the other way round.",
            lang,
        )
    ]
    if both:
        said.append(
            t(
                "By how much poverty fell: the first and the last rate stand on different standards ({standards}). In {years} this place was counted on two; what one standard is to the other in that year needn't hold in another.",
                lang,
                standards="; ".join(words.standard(s, lang) for s in standards),
                years=words.enumeration(both, lang),
            )
        )
    elif len(standards) > 1:
        said.append(
            t(
                "By how much poverty fell: the first and the last rate stand on different standards ({standards}), and no year counted on both is known here.",
                lang,
                standards="; ".join(words.standard(s, lang) for s in standards),
            )
        )
    if "households_served_cumulative" in have or "borrowing_turns" in have:
        said.append(t("How many households were ever reached: turns of borrowing repeat households.", lang))
    if "jobs_created" in have:
        said.append(
            t(
                "That jobs were created: the number comes from loan files; jobs that would exist anyway, or were lost elsewhere, are not known.",
                lang,
            )
        )
    if "overdue_pct" in have:
        said.append(
            t(
                "How risky the loans are: the overdue ratio leaves out frozen and extended debt and what is not yet due.",
                lang,
            )
        )
    if {"groups_rated_good_pct", "groups_rated_good"} & have:
        said.append(
            t(
                "That the groups differ from others: where nearly all groups are rated good, the rating tells none apart.",
                lang,
            )
        )
    return _text(
        place, "cannot", "evaluation", lang, t("What can't be said from these figures, and why", lang), said
    )


globals().update(refusing({name: globals()[name] for name in __all__}))
