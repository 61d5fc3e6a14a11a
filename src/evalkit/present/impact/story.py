"""The question, the plan, the sceptic and the verdict: the parts of the report that are sentences."""

import pandas as pd

from evalkit.present import words
from evalkit.present.impact.data import block, nothing
from evalkit.present.impact.wording import DOSES, OUTCOMES, figure, interval, listed, modest
from evalkit.present.words import t

SKIPPED = {
    "one_district": "Nothing was estimated: all communes lie in one district, and uncertainty is reckoned from the differences between districts.",
    "no_tables": "Nothing was estimated: that needs yearly tables of credit and poverty for many communes, "
    "and this data set holds none. See the data to ask for.",
    "no_panel": "Nothing was estimated: the yearly tables cover too few communes or years, or lack a price index.",
}


def question(data, *, lang):
    """Return what is asked, of which data, and what no design here can see."""
    said = [
        t(
            "The question: where policy credit per household grew more than elsewhere, did poverty fall more and "
            "income grow more a year later? The bank lends in every commune, so what credit did for all communes "
            "alike can't be seen in any design.",
            lang,
        )
    ]
    if data.record["skipped"]:
        why = SKIPPED[data.record["skipped"]]
        said.append(t(why, lang))
    else:
        parts = {k: words.decimal(data.scope[k], lang, 0) for k in ("units", "districts", "rows")}
        said.append(
            t(
                "The data: {units} communes in {districts} districts, {first}–{last}, {rows} rows of one commune, year "
                "and poverty standard; a commune that a merger made counts as a new one. Credit is outstanding per "
                "household, of all households, a year earlier, at prices of {year}.",
                lang, **parts, first=data.scope["first"], last=data.scope["last"], year=data.record["price_year"],
            )
        )  # fmt: skip
    if not data.settings["data"]["real"]:
        said.append(t("These data are simulated: no figure here is about a real place.", lang))
    return block(data, "text", "impact_question", lang, t("Question and data", lang), paragraphs=tuple(said))


def plan(data, *, lang):
    """Return what was decided beforehand, when, under which hash, and whether the plan was changed."""
    record, title = data.record, t("What was decided beforehand", lang)
    digest = record["digest"][:12]
    if record["preregistered"]:
        day = words.date(record["decided_on"], lang)
        first = t(
            "The plan of analysis is dated {day} by the data set itself; its hash is {digest}. Nothing here can prove "
            "the date.",
            lang, day=day, digest=digest,
        )  # fmt: skip
    else:
        first = t(
            "The data set brings no plan of analysis: the default one was used (hash {digest}). Nothing was registered "
            "beforehand, so read every estimate as exploratory.",
            lang, digest=digest,
        )  # fmt: skip
    said = [first]
    if record["plan"]:
        said.append(
            t(
                "Planned: {outcomes}; credit: {doses}. What isn't in the plan is marked exploratory.",
                lang,
                outcomes=listed(OUTCOMES, record["plan"]["outcomes"], lang),
                doses=listed(DOSES, record["plan"]["doses"], lang),
            )
        )
    said += [
        t(
            "The plan was changed: an earlier release used another (hash {digest}, {day}).",
            lang,
            digest=old["digest"][:12],
            day=words.date(old["decided_on"], lang) if old["decided_on"] else t("not registered", lang),
        )
        for old in record["replaced"]
    ]
    return block(data, "text", "impact_plan", lang, title, paragraphs=tuple(said))


def sceptic(data, *, lang):
    """Return what a sceptic would say, from the design and from the data."""
    title = t("What a sceptic would say", lang)
    if data.effects.empty:
        return nothing(data, "impact_sceptic", lang, title)
    said = [
        t("Communes count their own poor, against targets that bring rewards; a list that shrinks on paper looks like "
          "poverty that falls.", lang),
        t("Credit arrives together with roads, subsidies and recognition as a New Rural commune. District and year are "
          "held, the rest is not.", lang),
        t("Whoever leaves the list of the poor moves to another programme: the list steers the lending, and a year's "
          "delay weakens that link without cutting it.", lang),
    ]  # fmt: skip
    made = data.effects[data.effects["estimate"].notna()]
    placebo = made[~made["planned"].astype(bool)]
    if len(placebo):
        seen = placebo[placebo["p_headline"] < 0.05]
        said.append(
            t(
                "Credit for study, water and housing earns nothing within a year; the main credit held, {seen} of {n} such "
                "estimates still differ from zero. By chance alone one in twenty would.",
                lang, seen=len(seen), n=len(placebo),
            )
        )  # fmt: skip
    refused = data.effects[(data.effects["refusals"] != "[]") & data.effects["planned"].astype(bool)]
    if len(refused):
        said.append(
            t(
                "{n} of {all} planned designs failed a condition and give no number. What remains is the weaker part.",
                lang, n=len(refused), all=int(data.effects["planned"].sum()),
            )
        )  # fmt: skip
    return block(data, "text", "impact_sceptic", lang, title, paragraphs=tuple(said))


def verdict(data, *, lang):
    """Return what may be said in the end, worded by the highest level that an estimate reached."""
    from evalkit.impact.evidence import may_say_cause

    title = t("Verdict", lang)
    if data.effects.empty:
        return nothing(data, "impact_verdict", lang, title)
    rows = data.effects[data.effects["planned"].astype(bool) & data.effects["estimate"].notna()]
    rows = rows[rows["design"] != "reduced_form"]
    if rows.empty:
        said = (
            t(
                "Every planned design was refused. From these data nothing can be said of the part credit played.",
                lang,
            ),
        )
        return block(data, "text", "impact_verdict", lang, title, paragraphs=said, level="L0")
    said, levels = [], []
    for outcome, same in rows.groupby("outcome", sort=False):
        best = same.sort_values("level", ascending=False, kind="stable").iloc[0]
        levels.append(best["level"])
        said.append(finding(best, outcome, lang))
    top = max(levels)
    if not may_say_cause(top):
        said.append(
            t("This is an association (level {level}). It doesn't show that credit is the reason: no design with a reason "
              "for more credit that is unrelated to poverty passed its conditions.", lang, level=top)
        )  # fmt: skip
    said.append(modest(lang))
    return block(data, "text", "impact_verdict", lang, title, paragraphs=tuple(said), level=top)


def finding(row, outcome, lang):
    from evalkit.impact.evidence import may_say_cause

    dose = row["dose"]
    parts = {
        "outcome": t(OUTCOMES[outcome], lang),
        "dose": t(DOSES[dose], lang),
        "x": figure(row["estimate"], outcome, lang),
        "span": interval(row, lang),
    }
    adjusted = row["p_adjusted"] if pd.notna(row["p_adjusted"]) else row["p_headline"]
    if row["lower"] <= 0 <= row["upper"] or adjusted >= 0.05:
        return t(
            "No association can be told apart from zero between {dose} and the {outcome}: {x} per million VND per "
            "household (95% interval {span}).",
            lang, **parts,
        )  # fmt: skip
    if may_say_cause(row["level"]):
        return t(
            "The design that passed its conditions puts the effect of {dose} on the {outcome} at {x} per million VND per "
            "household (95% interval {span}).",
            lang, **parts,
        )  # fmt: skip
    return t(
        "Where {dose} grew by one million VND per household more than in other communes of the same district, the "
        "{outcome} changed by {x} more a year later (95% interval {span}).",
        lang, **parts,
    )  # fmt: skip
