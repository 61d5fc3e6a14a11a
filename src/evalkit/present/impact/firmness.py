"""How firm the estimates are: what would have to be true for them to change."""

from evalkit.present import words
from evalkit.present.impact.data import block, nothing
from evalkit.present.impact.wording import change, figure, name, p_value
from evalkit.present.words import t

# How far paths may diverge after a change of supply, beside what they did before it.
ALLOWED = {
    "relative": "paths may part by {m} times the largest change before",
    "smoothness": "paths may bend by {m} times their largest bend before",
}
STRAIGHT = "paths go on parting in a straight line"


def checks(data, *, lang):
    """Return what would have to be true for the conclusions to change."""
    title = t("How firm the main estimate is", lang)
    rows = data.checks[~data.checks["check"].isin(ALLOWED)]
    if rows.empty:
        return nothing(data, "impact_checks", lang, title)
    outcomes = data.effects.set_index("name")["outcome"]
    shown, raw = [], []
    for r in rows.itertuples():
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


def bounds(data, *, lang):
    """Return what a change of supply did when the paths of communes may part as they did before it, or more."""
    title = t("How far paths may part", lang)
    rows = data.checks[data.checks["check"].isin(ALLOWED)]
    if rows.empty:
        return nothing(data, "impact_bounds", lang, title)
    estimates = data.effects.set_index("name")
    shown, raw = [], []
    for r in rows.itertuples():
        row = estimates.loc[r.name]
        said = STRAIGHT if (r.check, r.value) == ("smoothness", 0) else ALLOWED[r.check]
        said = t(said, lang, m=words.decimal(r.value, lang, 1))
        ends = (figure(end, row.outcome, lang) for end in (r.lower, r.upper))
        inside = t("yes", lang) if r.lower <= 0 <= r.upper else t("no", lang)
        shown.append(
            (
                name(row, lang),
                change(row.change, lang),
                said,
                t("{low} to {high}", lang, **dict(zip(("low", "high"), ends, strict=True))),
                inside,
            )
        )
        raw.append((r.name, row.change, r.value, None, None))
    columns = (
        ("analysis", t("Analysis", lang), False),
        ("change", t("Change of supply", lang), False),
        ("bound", t("What is allowed", lang), False),
        ("interval", t("95% interval", lang), True),
        ("zero", t("Zero inside", lang), False),
    )
    caption = t(
        "The mean difference after the change between communes with all and with none of their earlier lending in its "
        "programmes, where both might have gone different ways without it. Zero inside: the conclusion needs smaller "
        "differences (Rambachan and Roth). The covariance counts as known, so with few districts the intervals are "
        "somewhat narrow.",
        lang,
    )
    return block(
        data, "table", "impact_bounds", lang, title, columns=columns, rows=tuple(shown), raw=tuple(raw), level="L2",
        caption=caption,
    )  # fmt: skip
