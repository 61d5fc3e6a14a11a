"""Figures on the portfolio: group size against the law, lending by programme."""

from textwrap import fill

import numpy as np

from evalkit.load import reference
from evalkit.metrics.credit import STEMS
from evalkit.present import say, words
from evalkit.present.blocks import Block
from evalkit.present.charts.canvas import AREA, OTHERS, PLACE, absent, canvas, svg, ticks
from evalkit.present.words import t

_PROGRAMMES = {
    *(f"outstanding_loans_{STEMS.get(code, code)}_vnd" for code in reference.programmes().index),
    "outstanding_loans_poor_near_poor_vnd",
}
_WHOLE = 0.001  # of the total: what rounding may leave of the programmes
_LABEL = 44  # letters in a line of a programme's name: longer ones reach beyond the paper
_MOST = 6  # lines of the chart of group sizes: beyond, the latest of each figure
_SIZES = ("borrowers_per_group", "members_per_group_computed", "members_per_group")


def groups(place, *, lang):
    """Return the average size of the place's savings-and-loan groups beside the legal least and most."""
    title = t("Size of the savings-and-loan groups", lang)
    rows = place.rows[place.rows["indicator"].isin(_SIZES) & place.rows["value"].notna()]
    rows = rows.sort_values("year", kind="stable").drop_duplicates(["indicator", "year"])
    if len(rows) > _MOST:
        rows = rows.drop_duplicates("indicator", keep="last")
    if rows.empty:
        return absent(
            place,
            "groups",
            "credit",
            lang,
            title,
            t("No figure from which the size of a group follows.", lang),
        )
    low, high = say.group_limits()
    with canvas(0.42 * len(rows) + 1.15) as (figure, axes):
        axes.axvspan(low, high, color="#e8eef5", zorder=0)
        for x, word in ((low, t("least: {n}", lang, n=low)), (high, t("most: {n}", lang, n=high))):
            axes.plot([x, x], [-0.5, len(rows) - 0.45], color=OTHERS, lw=1.2, ls="--")
            axes.text(x, -0.62, word, ha="center", va="bottom", fontsize=8.5)
        for y, row in enumerate(rows.to_dict("records")):
            axes.plot(row["value"], y, "o", color=PLACE, ms=8)
            axes.text(
                row["value"] + 1.6,
                y,
                say.value(row, lang),
                va="center",
                fontsize=9,
                color=PLACE,
                fontweight="bold",
            )
        axes.set_yticks(
            range(len(rows)),
            [
                f"{words.indicator(r['indicator'], lang)}\n{words.period(r['period'], lang)}"
                for r in rows.to_dict("records")
            ],
        )
        axes.set_ylim(len(rows) - 0.45, -1.0)
        axes.set_xlim(0, max(high * 1.22, rows["value"].max() * 1.3))
        axes.grid(axis="y", visible=False)
        drawing = svg(figure)
    last = rows.iloc[-1]
    inside = low <= last["value"] <= high
    alt = t(
        "{label}: {x}; the law allows {low} to {high}.",
        lang,
        label=words.indicator(last["indicator"], lang),
        x=say.value(last, lang),
        low=low,
        high=high,
    )
    caption = (
        t("Within what the law allows; the average says nothing of single groups.", lang)
        if inside
        else t(
            "Outside what the law allows: one of the two counts is wrong, or they count different things.",
            lang,
        )
    )
    return _figure(place, "groups", lang, title, caption, alt, drawing, rows)


def mix(place, *, lang):
    """Return outstanding loans by programme at the latest date for which a part of the portfolio is known."""
    title = t("Outstanding loans by programme", lang)
    parts = place.rows[place.rows["indicator"].isin(_PROGRAMMES) & place.rows["value"].notna()]
    if parts.empty:
        return absent(place, "mix", "credit", lang, title, t("No figure by programme.", lang))
    latest = parts["period"].fillna("").max()
    parts = parts[parts["period"].fillna("") == latest].sort_values("value", ascending=False)
    total = place.rows[
        (place.rows["indicator"] == "outstanding_loans_vnd") & (place.rows["period"].fillna("") == latest)
    ]
    scale = 1e9 if parts["value"].max() >= 1e9 else 1e6
    with canvas(0.42 * len(parts) + 1.0) as (figure, axes):
        y = np.arange(len(parts))
        axes.barh(y, parts["value"] / scale, color=PLACE, height=0.6)
        for i, row in enumerate(parts.to_dict("records")):
            axes.text(row["value"] / scale, i, "  " + say.value(row, lang), va="center", fontsize=9)
        axes.set_yticks(y, [fill(words.indicator(i, lang), _LABEL) for i in parts["indicator"]])
        axes.invert_yaxis()
        top = float(total["value"].iloc[0]) / scale if len(total) else parts["value"].max() / scale
        if len(total):
            axes.axvline(top, color=AREA, lw=1.4, ls="--")
            axes.text(
                top,
                -0.55,
                t("all programmes: {x}", lang, x=say.value(total.iloc[0], lang)),
                ha="right",
                va="bottom",
                fontsize=8.5,
                color=AREA,
            )
        axes.set_xlim(0, top * (1.05 if len(total) else 1.35))
        axes.xaxis.set_major_formatter(ticks(lang))
        axes.set_xlabel(t("billion VND", lang) if scale == 1e9 else t("million VND", lang))
        axes.grid(axis="y", visible=False)
        drawing = svg(figure)
    alt = (
        "; ".join(
            f"{words.indicator(r['indicator'], lang)}: {say.value(r, lang)}" for r in parts.to_dict("records")
        )
        + "."
    )
    whole = len(total) and abs(parts["value"].sum() / total["value"].iloc[0] - 1) < _WHOLE
    caption = (
        t("All programmes of the place; a household with two programmes is in both.", lang)
        if whole
        else t("Only programmes that the source names; a household with two programmes is in both.", lang)
    )
    return _figure(place, "mix", lang, title, caption, alt, drawing, parts)


def _figure(place, id, lang, title, caption, alt, drawing, rows):
    columns = (
        ("indicator", t("Indicator", lang), False),
        ("value", t("Value", lang), True),
        ("period", t("Date", lang), False),
        ("counts", t("Counts", lang), True),
    )
    shown = tuple(
        (
            words.indicator(r["indicator"], lang),
            say.value(r, lang),
            words.period(r["period"], lang),
            say.fraction(r, lang),
        )
        for r in rows.to_dict("records")
    )
    raw = tuple(
        (r["indicator"], float(r["value"]), r["period"] if isinstance(r["period"], str) else None, None)
        for r in rows.to_dict("records")
    )
    return Block(
        kind="figure", id=id, section="credit", lang=lang, audience=place.audience, title=title, caption=caption,
        alt=alt, svg=drawing, columns=columns, rows=shown, raw=raw, level="L0",
    )  # fmt: skip
