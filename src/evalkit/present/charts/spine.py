"""The place's figures among those of other places on the same basis, each with what may be said of it."""

from textwrap import fill

import numpy as np
import pandas as pd

from evalkit.metrics import compare
from evalkit.present import judgements, say, words
from evalkit.present.blocks import Block
from evalkit.present.charts.canvas import AREA, INK, OTHERS, PLACE, absent, canvas, svg
from evalkit.present.tables.comparison import own_rows, position
from evalkit.present.words import t

_LINES = 12
_MARKS = {  # form and colour both tell, for print and for colour-blind readers
    "better": {"marker": "^", "color": PLACE, "ms": 9},
    "worse": {"marker": "v", "color": AREA, "ms": 9},
    "higher": {"marker": "D", "color": PLACE, "ms": 7},
    "lower": {"marker": "s", "color": PLACE, "ms": 7},
    "similar": {"marker": "o", "color": INK, "mfc": "white", "ms": 8},
    "not judged": {"marker": "o", "color": OTHERS, "ms": 6},
}


def spine(place, *, lang):
    """Return, for each figure with enough comparators, the middle half of the others, their median and the place.

    Each row has its own scale, from the lowest to the highest of quartiles, median and place: position is
    shown, not size. The mark says what the test found beside the others of the province (or the comparator
    that the caption names); a whisker is the figure's interval, an arrow a bound that is printed as "over".
    """
    title = t("Among other places on the same basis", lang)
    rows = _rows(place)
    if rows.empty:
        return absent(
            place, "spine", "evaluation", lang, title, t("Too few other places on the same basis.", lang)
        )
    with canvas(0.62 * len(rows) + 1.1) as (figure, axes):
        _draw_rows(axes, rows.to_dict("records"), lang)
        labels = [
            fill(words.indicator(r["indicator"], lang), 44)
            + f"\n{words.period(r['period'], lang)}, n = {int(r['n'])}"
            for r in rows.to_dict("records")
        ]
        axes.set_yticks(range(len(rows)), labels)
        axes.set_ylim(len(rows) - 0.4, -0.6)
        axes.set_xlim(-0.12, 1.62)
        axes.set_xticks([])
        axes.grid(False)
        axes.plot([], [], lw=7, color="#c9ced6", label=t("middle half of the others", lang))
        axes.plot([], [], "|", color=OTHERS, ms=13, mew=2, label=t("their median", lang))
        for name in (m for m in _MARKS if m in set(rows["verdict"])):
            mark = _MARKS[name] | {"linestyle": ""}
            axes.plot([], [], **mark, label=f"{place.unit['name']}: {judgements.label(name, lang)}")
        figure.legend(loc="outside lower left", ncols=2, frameon=False, fontsize=8.5)
        drawing = svg(figure)
    said = [
        f"{words.indicator(r['indicator'], lang)}: {say.value(r, lang)}, {judgements.verdict(r, lang)} "
        f"({position(r, lang)})"
        for r in rows.to_dict("records")
    ]
    columns = (
        ("indicator", t("Indicator", lang), False),
        ("period", t("Date", lang), False),
        ("value", place.unit["name"], True),
        ("median", t("Their median", lang), True),
        ("n", t("Others (n)", lang), True),
        ("position", t("Position", lang), False),
        ("verdict", t("Judgement", lang), False),
    )
    shown = tuple(
        (
            words.indicator(r["indicator"], lang),
            words.period(r["period"], lang),
            say.value(r, lang),
            words.rounded(r["median"], r["unit"], lang),
            str(int(r["n"])),
            position(r, lang),
            judgements.verdict(r, lang),
        )
        for r in rows.to_dict("records")
    )
    raw = tuple(
        (r["indicator"], r["period"], _plain(r["value"]), float(r["median"]), int(r["n"]), None, r["verdict"])
        for r in rows.to_dict("records")
    )
    caption = t(
        "Each line has its own scale. An arrow: printed as “over”, so the value lies there or beyond.", lang
    )
    main = judgements.main_comparator(place.compared)
    if main:
        who = judgements.comparator(main, place.unit, lang)
        caption += " " + t("The mark says what the test found beside: {who}.", lang, who=who)
    return Block(
        kind="figure", id="spine", section="evaluation", lang=lang, audience=place.audience, title=title,
        caption=caption, alt="; ".join(said) + ".", svg=drawing, columns=columns, rows=shown, raw=raw, level="L1",
    )  # fmt: skip


def _rows(place):
    """The latest position of each indicator, those that are judged first, with the place's own row and verdict."""
    rows = place.among[place.among["median"].notna()]
    rows = rows.sort_values("year", kind="stable").drop_duplicates("indicator", keep="last")
    order = {name: i for i, name in enumerate(compare.TESTS)}
    rows = rows.assign(order=rows["indicator"].map(order).fillna(len(order)))
    rows = rows.sort_values("order", kind="stable").reset_index(drop=True)
    own = own_rows(place, rows)
    rows = rows[own["value"].notna()].head(_LINES).copy()
    main = place.compared[place.compared["comparator"] == judgements.main_comparator(place.compared)]
    main = main.set_index(["indicator", "year"])[["verdict", "reason"]]
    keys = [(r["indicator"], r["year"]) for r in rows.to_dict("records")]
    rows["verdict"] = [main["verdict"].get(k, "not judged") for k in keys]
    absent_reason = "no test" if len(main) else "too few"
    rows["reason"] = [main["reason"].get(k, absent_reason) for k in keys]
    return rows.join(own[["value", "lower", "upper", "unit", "flags"]]).reset_index(drop=True)


def _plain(value):
    return None if pd.isna(value) else float(value)


def _draw_rows(axes, rows, lang):
    scaled = np.array([_scaled(row) for row in rows])
    quarter1, median, quarter3, value, lower, upper = scaled.T
    lines, looks = np.arange(len(rows)), [_MARKS[row["verdict"]] for row in rows]
    axes.hlines(lines, 0, 1, color="#e6e8ec", lw=1, zorder=1)
    axes.hlines(lines, quarter1, quarter3, color="#c9ced6", lw=7, zorder=2)
    axes.plot(median, lines, "|", color=OTHERS, ms=13, mew=2, zorder=3)
    known = np.flatnonzero(np.isfinite(upper) & (upper > lower))
    ends = np.clip(scaled[known, 4:], -0.1, 1.1).T
    axes.hlines(known, *ends, color=[looks[n]["color"] for n in known], lw=1.4, zorder=3.5)
    for name, look in _MARKS.items():
        own = [n for n, row in enumerate(rows) if row["verdict"] == name]
        if own:
            axes.plot(value[own], own, linestyle="", **look, zorder=4)
    for n in np.flatnonzero(np.isinf(upper)):
        arrow = {"arrowstyle": "->", "color": PLACE, "lw": 1.6}
        axes.annotate("", (value[n] + 0.09, n), (value[n], n), arrowprops=arrow)
    for n, row in enumerate(rows):
        unit = "VND" if row["unit"].startswith("VND") else row["unit"]  # the rest stands in the label
        beyond = row["upper"] if np.isinf(row["upper"]) else row["value"]
        said = say.value({**row, "unit": unit, "lower": row["value"], "upper": beyond}, lang)
        axes.text(1.14, n - 0.16, said, va="center", color=INK, fontweight="bold", fontsize=9)
        axes.text(1.14, n + 0.2, judgements.label(row["verdict"], lang), va="center", color=INK, fontsize=8)


def _scaled(row):
    """Quartile, median, quartile, value and its bounds, on the line from the lowest to the highest of the first four."""
    bounds = np.array(
        [row[c] for c in ("lower_quartile", "median", "upper_quartile", "value", "lower", "upper")], float
    )
    low, high = np.nanmin(bounds[:4]), np.nanmax(bounds[:4])
    return (bounds - low) / (high - low) if high > low else np.where(np.isnan(bounds), np.nan, 0.5)
