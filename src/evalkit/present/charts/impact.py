"""Figures of the impact report: all defensible specifications, and the years around a change of supply."""

from evalkit.present import impact
from evalkit.present.charts.canvas import AREA, INK, OTHERS, PLACE, canvas, panels, svg, ticks
from evalkit.present.words import t

SPECIFICATIONS = {
    "main": "as planned",
    "year_effects": "same year, any district",
    "by_unit": "errors by commune",
    "weighted": "weighted by households",
    "no_baseline": "starting point not held",
    "two_years": "credit two years before",
    "all_credit": "all policy credit",
    "near_poor": "near-poor counted too",
    **{name: impact.SUBGROUPS[name] for name in ("rural", "poorer_at_first", "less_poor_at_first")},
}


def curve(data, *, lang):
    """Return the main estimate under every specification, sorted, with intervals."""
    title = t("The main estimate under other reasonable choices", lang)
    rows = data.curve[data.curve["estimate"].notna()].sort_values("estimate", ignore_index=True)
    if rows.empty:
        return impact.nothing(data, "impact_curve", lang, title)
    outcome = data.effects.loc[data.effects["design"] == "fixed_effects", "outcome"].iloc[0]
    rows = rows.assign(outcome=outcome)
    labels = [_specification(s, lang) for s in rows["specification"]]
    with canvas(0.32 * len(rows) + 0.9) as (figure, axes):
        for y, r in enumerate(rows.itertuples()):
            colour = PLACE if r.specification == "main" else OTHERS
            low, value, high = (impact.displayed(v, outcome) for v in (r.lower, r.estimate, r.upper))
            axes.plot([low, high], [y, y], color=colour, lw=2)
            axes.plot(value, y, "o", color=colour, ms=7 if r.specification == "main" else 5)
        axes.axvline(0, color=INK, lw=0.8)
        axes.set_yticks(range(len(rows)), labels)
        axes.invert_yaxis()
        axes.xaxis.set_major_formatter(ticks(lang))
        axes.set_xlabel(t("Per million VND", lang))
        drawing = svg(figure)
    said = [impact.figure(r.estimate, outcome, lang) for r in rows.itertuples()]
    shown = tuple(
        (label, figure, impact.interval(r, lang))
        for label, figure, r in zip(labels, said, rows.itertuples(), strict=True)
    )
    raw = tuple((r.specification, float(r.estimate), None) for r in rows.itertuples())
    columns = (
        ("specification", t("Choice", lang), False),
        ("estimate", t("Per million VND", lang), True),
        ("interval", t("95% interval", lang), True),
    )
    below = int((rows["upper"] < 0).sum())
    above = int((rows["lower"] > 0).sum())
    caption = t(
        "{n} choices: {below} lie wholly below zero, {above} wholly above.",
        lang,
        n=len(rows),
        below=below,
        above=above,
    )
    return impact.block(
        data, "figure", "impact_curve", lang, title, svg=drawing, columns=columns, rows=shown, raw=raw, level="L2",
        caption=caption, alt=caption + " " + "; ".join(f"{a}: {b}" for a, b in zip(labels, said, strict=True)) + ".",
    )  # fmt: skip


def _specification(name, lang):
    if name.startswith("only:"):
        return t("standard {standard} only", lang, standard=name.removeprefix("only:").replace("-", "–"))
    return t(SPECIFICATIONS[name], lang)


def around_supply(data, *, lang):
    """Return, for each change of supply, how credit and the outcome went by earlier mix; refused: only before."""
    title = t("Years around each change of supply", lang)
    rows = data.periods.merge(data.effects[["name", "outcome", "change", "refusals"]], on="name")
    if rows.empty:
        return impact.nothing(data, "impact_supply", lang, title)
    rows = rows[rows["part"] == "reduced_form"]
    names = list(dict.fromkeys(rows["name"]))
    with canvas(2.9 if len(names) < 3 else 5.2) as (figure, axes):
        axes.remove()
        grid = panels(figure, (len(names) + 1) // 2, min(len(names), 2), squeeze=False).ravel()
        for axis, name in zip(grid, names, strict=False):
            _around(axis, rows[rows["name"] == name], lang)
        for axis in grid[len(names) :]:
            axis.remove()
        drawing = svg(figure)
    shown, raw = [], []
    for r in rows.itertuples():
        label = f"{t(impact.OUTCOMES[r.outcome], lang)}, {impact.change(r.change, lang)}"
        value = impact.figure(r.estimate, r.outcome, lang)
        shown.append((label, f"{r.event_time:+.0f}".replace("-", "−"), value))
        raw.append((r.name, r.event_time, float(r.estimate)))
    columns = (
        ("analysis", t("Analysis", lang), False),
        ("years", t("Years since the change", lang), True),
        ("estimate", t("Difference", lang), True),
    )
    refused = int(rows.loc[rows["refusals"] != "[]", "name"].nunique())
    caption = t(
        "Communes whose earlier lending lay more in the programmes that changed, against the others, relative to the year "
        "before. {n} of {all} were refused: only the years before are shown, as the reason.",
        lang, n=refused, all=len(names),
    )  # fmt: skip
    return impact.block(
        data, "figure", "impact_supply", lang, title, svg=drawing, columns=columns, rows=tuple(shown),
        raw=tuple(raw), level="L2", caption=caption, alt=caption,
    )  # fmt: skip


def _around(axis, rows, lang):
    first = rows.iloc[0]
    refused, kind = first["refusals"] != "[]", first["outcome"]
    rows = rows.assign(**{c: impact.displayed(rows[c], kind) for c in ("estimate", "lower", "upper")})
    axis.axhline(0, color=INK, lw=0.8)
    axis.axvline(-0.5, color=AREA, lw=1, ls=":")
    known = rows.dropna(subset=["lower"])
    colour = OTHERS if refused else PLACE
    axis.vlines(known["event_time"], known["lower"], known["upper"], color=colour, lw=1.6)
    axis.plot(rows["event_time"], rows["estimate"], "o-", color=colour, ms=4, lw=1)
    axis.xaxis.get_major_locator().set_params(integer=True)
    outcome = t(impact.OUTCOMES[kind], lang)
    head = f"{outcome[0].upper()}{outcome[1:]}\n{impact.change(first['change'], lang)}"
    axis.set_title(head + (f" ({t('refused', lang)})" if refused else ""), fontsize=8.5, loc="left")
    axis.set_ylabel("%" if kind == "log_income" else t("percentage points", lang), fontsize=8.5)
