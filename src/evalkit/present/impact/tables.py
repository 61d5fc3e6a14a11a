"""The parts of the report that are tables: conditions, what could be seen, estimates, how firm they are."""

import json

import pandas as pd

from evalkit.present.impact.data import block, nothing
from evalkit.present.impact.wording import GATES, design, figure, interval, listed, name, p_value, reasons
from evalkit.present.words import t


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
        "Per million VND of credit per household; for a change of supply itself, between communes with all and with none "
        "of their earlier lending in its programmes. A smaller association may exist and go unseen.",
        lang,
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
        failed = listed(GATES, [g["gate"] for g in found if g["passed"] is False], lang)
        untested = listed(GATES, [g["gate"] for g in found if g["passed"] is None], lang)
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
        ("estimate", t("Estimate", lang), True),
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
        "Change of the outcome for each million VND more of credit per household, a year before; for a change of supply "
        "itself, between communes with all and with none of their earlier lending in its programmes.",
        lang,
    )
    level = max(rows.loc[rows["design"] != "reduced_form", "level"], default="L2")
    return block(
        data, "table", "impact_estimates", lang, title, columns=columns, rows=tuple(shown), raw=raw, level=level,
        caption=" ".join(filter(None, [caption, bootstrap])), notes=tuple(dict.fromkeys(spoken)),
    )  # fmt: skip


# Warnings that must be said beside an estimate, whatever it is.
LOUD = (
    "bootstrap_disagrees",
    "opposite_signs",
    "later_dose",
    "starting_point",
    "weak_interval",
    "wild_unavailable",
    "set_aside",
)


def _number(value):
    return None if pd.isna(value) else float(value)


def elsewhere(data, *, lang):
    """Return the external evidence, to be read beside every estimate."""
    from evalkit.present.tables.evidence import evidence_elsewhere

    return evidence_elsewhere(data, lang=lang)
