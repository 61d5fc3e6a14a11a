"""The impact report of a data set, and the part of it that concerns one place.

Sentences follow the level: below L3 an estimate "goes with" credit. What was refused has no figure here, because
the build keeps none.
"""

import json
import re
from dataclasses import dataclass

import numpy as np
import pandas as pd

from evalkit import building as built
from evalkit.errors import ParameterError
from evalkit.present import disclose, words
from evalkit.present.blocks import Block
from evalkit.present.words import LANGUAGES, t

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
}
DESIGNS = {
    "fixed_effects": "changes within communes, same district and year",
    "long_differences": "change over the longest span of one standard",
    "shift_share": "change of supply, by earlier mix of lending",
}
SUBGROUPS = {
    "rural": "rural communes",
    "urban": "urban communes",
    "poorer_at_first": "communes poorer than the median at first",
    "less_poor_at_first": "communes less poor than the median at first",
}
SKIPPED = {
    "one_district": "Nothing was estimated: all communes lie in one district, and uncertainty is reckoned from the differences between districts.",
    "no_tables": "Nothing was estimated: that needs yearly tables of credit and poverty for many communes, "
    "and this data set holds none. See the data to ask for.",
    "no_panel": "Nothing was estimated: the yearly tables cover too few communes or years, or lack a price index.",
}
GATES = {
    "clusters": "enough districts",
    "mechanical_link": "no mechanical link",
    "one_basis": "one standard throughout",
    "merged_units": "no merged units",
    "first_stage": "supply moved credit",
    "pre_trends": "same paths before",
    "single_date": "one date",
    "comparison_group": "someone to compare with",
    "starting_point": "the start held, or no matter",
}


@dataclass(frozen=True)
class Impact:
    """The estimates of one build as tables (see ``evalkit.impact.estimates``), and what is known of its plan."""

    effects: pd.DataFrame
    periods: pd.DataFrame
    curve: pd.DataFrame
    checks: pd.DataFrame
    scope: dict
    record: dict
    settings: dict
    audience: str = "public"

    def _repr_html_(self):
        return (
            f"<p>{len(self.effects)} estimates, {int((self.effects['refusals'] != '[]').sum())} refused</p>"
        )


def impact(build_folder):
    """Return the ``Impact`` of a build. Raises DataError where the folder is no build."""
    settings = built.manifest(build_folder)["settings"]
    names = ("effects", "periods", "curve", "checks")
    tables = {name: disclose.estimates(built.read(build_folder, name)) for name in names}
    panel = built.read(build_folder, "panel")
    scope = {"rows": len(panel)}
    if len(panel):
        scope |= {
            name: int(panel[c].nunique()) for name, c in (("units", "unit"), ("districts", "district_code"))
        }
        scope |= {"first": int(panel["year"].min()), "last": int(panel["year"].max())}
    return Impact(**tables, scope=scope, record=built.plan_record(build_folder), settings=settings)


def block(data, kind, id, lang, title, **content):
    """Return one block of the impact report."""
    if lang not in LANGUAGES:
        raise ParameterError(f"lang = {lang!r}: write one of {', '.join(LANGUAGES)}.")
    return Block(
        kind=kind, id=id, section="evaluation", lang=lang, audience=data.audience, title=title, **content
    )


def nothing(data, id, lang, title):
    """Return the block that stands where nothing was estimated; it isn't published."""
    said = (t("There is nothing to show here.", lang),)
    return Block(
        kind="absent",
        id=id,
        section="evaluation",
        lang=lang,
        audience="private",
        title=title,
        paragraphs=said,
    )


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
                outcomes=_listed(OUTCOMES, record["plan"]["outcomes"], lang),
                doses=_listed(DOSES, record["plan"]["doses"], lang),
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


def _listed(labels, names, lang):
    return ", ".join(t(labels[name], lang) for name in names)


def detectable(data, *, lang):
    """Return, before any estimate, the smallest association that each design would see."""
    title = t("What these designs could see", lang)
    rows = data.effects[data.effects["detectable"].notna()]
    if rows.empty:
        return nothing(data, "impact_detectable", lang, title)
    shown = [
        (name(r, lang), design(r, lang), figure(r.detectable, r.outcome, lang), f"{r.clusters:.0f}")
        for r in rows.itertuples()
    ]
    columns = (
        ("analysis", t("Analysis", lang), False),
        ("design", t("Design", lang), False),
        ("detectable", t("Smallest size seen with 80% probability", lang), True),
        ("clusters", t("Districts", lang), True),
    )
    raw = tuple((r.name, r.design, r.detectable, r.clusters) for r in rows.itertuples())
    caption = t(
        "Per million VND of credit per household. A smaller association may exist and go unseen.", lang
    )
    return block(
        data,
        "table",
        "impact_detectable",
        lang,
        title,
        columns=columns,
        rows=tuple(shown),
        raw=raw,
        caption=caption,
    )


def gates(data, *, lang):
    """Return what each design needs to hold, what failed, and why a number was refused."""
    title = t("Conditions, and what was refused", lang)
    if data.effects.empty:
        return nothing(data, "impact_gates", lang, title)
    rows = data.effects[data.effects["planned"].astype(bool)]
    shown, raw = [], []
    for r in rows.itertuples():
        found = json.loads(r.gates)
        failed = _listed(GATES, [g["gate"] for g in found if g["passed"] is False], lang)
        untested = _listed(GATES, [g["gate"] for g in found if g["passed"] is None], lang)
        refused = reasons(r.refusals, lang)
        verdict = t("refused", lang) if refused else t("estimated", lang)
        shown.append(
            (
                name(r, lang),
                design(r, lang),
                verdict,
                failed or "–",
                untested or "–",
                " ".join(refused) or "–",
            )
        )
        raw.append((r.name, r.design, "refused" if refused else "estimated", None, None, None))
    columns = (
        ("analysis", t("Analysis", lang), False),
        ("design", t("Design", lang), False),
        ("verdict", t("Outcome of the checks", lang), False),
        ("failed", t("Failed", lang), False),
        ("untested", t("Can't be tested", lang), False),
        ("why", t("Why", lang), False),
    )
    return block(
        data, "table", "impact_gates", lang, title, columns=columns, rows=tuple(shown), raw=tuple(raw)
    )


def estimates(data, *, lang):
    """Return the estimates, the planned ones first, with intervals, p-values for many outcomes, and their level."""
    title = t("Estimates", lang)
    rows = data.effects[data.effects["estimate"].notna()].sort_values(
        "planned", ascending=False, kind="stable"
    )
    if rows.empty:
        return nothing(data, "impact_estimates", lang, title)
    kinds = {
        True: t("planned", lang) if data.record["preregistered"] else t("default plan", lang),
        False: t("exploratory", lang),
    }
    shown = [
        (
            name(r, lang), design(r, lang), kinds[bool(r.planned)], figure(r.estimate, r.outcome, lang),
            interval(r, lang), p_value(r.p_headline, lang), p_value(r.p_adjusted, lang), r.level,
        )
        for r in rows.itertuples()
    ]  # fmt: skip
    columns = (
        ("analysis", t("Analysis", lang), False),
        ("design", t("Design", lang), False),
        ("kind", t("Plan", lang), False),
        ("estimate", t("Per million VND", lang), True),
        ("interval", t("95% interval", lang), True),
        ("p", "p", True),
        ("p_adjusted", t("p, for all planned together", lang), True),
        ("level", t("Level", lang), False),
    )
    raw = tuple(
        (
            r.name,
            r.design,
            kinds[bool(r.planned)],
            r.estimate,
            None,
            r.p_headline,
            _number(r.p_adjusted),
            r.level,
        )
        for r in rows.itertuples()
    )
    first = rows.iloc[0]
    bootstrap = (
        t(
            "With {n} districts, p-values and intervals are those of the wild cluster bootstrap.",
            lang, n=f"{first['clusters']:.0f}",
        )
        if first["headline"] == "p_wild"
        else ""
    )  # fmt: skip
    spoken = []
    for r in rows.itertuples():
        loud = [w for w in json.loads(r.warnings) if w["code"] in LOUD]
        spoken += [f"{name(r, lang)}: {said}" for said in reasons(json.dumps(loud), lang)]
    caption = t(
        "Change of the outcome for each million VND more of credit per household, a year before.", lang
    )
    level = max(rows["level"])
    return block(
        data, "table", "impact_estimates", lang, title, columns=columns, rows=tuple(shown), raw=raw, level=level,
        caption=" ".join(filter(None, [caption, bootstrap])), notes=tuple(dict.fromkeys(spoken)),
    )  # fmt: skip


# Warnings that must be said beside an estimate, whatever it is.
LOUD = (
    "bootstrap_disagrees",
    "opposite_signs",
    "later_dose",
    "baseline_matters",
    "weak_interval",
    "wild_unavailable",
    "set_aside",
)


def _number(value):
    return None if pd.isna(value) else float(value)


def checks(data, *, lang):
    """Return what would have to be true for the conclusions to change."""
    title = t("How firm the main estimate is", lang)
    if data.checks.empty:
        return nothing(data, "impact_checks", lang, title)
    outcomes = data.effects.set_index("name")["outcome"]
    shown, raw = [], []
    for r in data.checks.itertuples():
        said = _check(r, outcomes[r.name], lang)
        shown.append(said)
        raw.append((r.check, None, None))
    columns = (
        ("check", t("Check", lang), False),
        ("found", t("Found", lang), False),
        ("meaning", t("How to read it", lang), False),
    )
    return block(
        data,
        "table",
        "impact_checks",
        lang,
        title,
        columns=columns,
        rows=tuple(shown),
        raw=tuple(raw),
        level="L2",
    )


def _check(r, outcome, lang):
    low, high = figure(r.lower, outcome, lang), figure(r.upper, outcome, lang)
    span = t("{low} to {high}", lang, low=low, high=high)
    if r.check == "leave_one_out":
        read = t("If one district carried the result, leaving it out would move it far.", lang)
        return t("Each district left out in turn", lang), span, read
    if r.check == "oster":
        found = t(
            "{delta} times; at equal strength {bound}", lang, delta=words.decimal(r.value, lang, 1), bound=low
        )
        read = t(
            "How strong unobserved differences would have to be, beside the starting point, to explain it away (Oster). "
            "Below 1: weak.",
            lang,
        )
        return t("Selection on what wasn't observed", lang), found, read
    if r.check == "later_dose":
        read = t(
            "A small p means lending reacts to poverty, and the estimate mixes cause and response.", lang
        )
        return t("Credit of the following year", lang), f"p = {p_value(r.p_value, lang)}", read
    if r.check == "mean_reversion":
        found = words.decimal(r.value, lang, 2).replace("-", "−")
        read = t(
            "Poor communes fall faster everywhere ({span}); the starting point is held for that reason.",
            lang,
            span=r.label,
        )
        return t("Return to the mean", lang), found, read
    bound = t(
        "paths may part by {m} times the largest change before", lang, m=words.decimal(r.value, lang, 1)
    )
    return bound, span, t("Zero inside: the conclusion needs smaller differences (Rambachan and Roth).", lang)


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
        said.append(_finding(best, outcome, lang))
    top = max(levels)
    if not may_say_cause(top):
        said.append(
            t("This is an association (level L2). It doesn't show that credit is the reason: no design with a reason for "
              "more credit that is unrelated to poverty passed its conditions.", lang)
        )  # fmt: skip
    said.append(
        t("Experiments elsewhere found modest changes, not transformations. A result far above theirs should be doubted "
          "first.", lang)
    )  # fmt: skip
    return block(data, "text", "impact_verdict", lang, title, paragraphs=tuple(said), level=top)


def _finding(row, outcome, lang):
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


def elsewhere(data, *, lang):
    """Return the external evidence, to be read beside every estimate."""
    from evalkit.present.tables.evidence import evidence_elsewhere

    return evidence_elsewhere(data, lang=lang)
