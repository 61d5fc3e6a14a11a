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
        for y, (_, row) in enumerate(rows.iterrows()):
            _draw_row(axes, y, row, lang)
        labels = [
            fill(words.indicator(r["indicator"], lang), 44)
            + f"\n{words.period(r['period'], lang)}, n = {int(r['n'])}"
            for _, r in rows.iterrows()
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
        for _, r in rows.iterrows()
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
        for _, r in rows.iterrows()
    )
    raw = tuple(
        (r["indicator"], r["period"], _plain(r["value"]), float(r["median"]), int(r["n"]), None, r["verdict"])
        for _, r in rows.iterrows()
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
    keys = [(r["indicator"], r["year"]) for _, r in rows.iterrows()]
    rows["verdict"] = [main["verdict"].get(k, "not judged") for k in keys]
    absent_reason = "no test" if len(main) else "too few"
    rows["reason"] = [main["reason"].get(k, absent_reason) for k in keys]
    return rows.join(own[["value", "lower", "upper", "unit", "flags"]]).reset_index(drop=True)


def _plain(value):
    return None if pd.isna(value) else float(value)


def _draw_row(axes, y, row, lang):
    points = row[["lower_quartile", "median", "upper_quartile", "value"]].to_numpy(float)
    low, high = np.nanmin(points), np.nanmax(points)
    bounds = np.concatenate([points, row[["lower", "upper"]].to_numpy(float)])
    scaled = (bounds - low) / (high - low) if high > low else np.where(np.isnan(bounds), np.nan, 0.5)
    quarter1, median, quarter3, value, lower, upper = scaled
    axes.plot([0, 1], [y, y], color="#e6e8ec", lw=1, zorder=1)
    axes.plot([quarter1, quarter3], [y, y], lw=7, color="#c9ced6", solid_capstyle="butt", zorder=2)
    axes.plot([median], [y], "|", color=OTHERS, ms=13, mew=2, zorder=3)
    mark = _MARKS[row["verdict"]]
    if np.isfinite(upper) and upper > lower:
        ends = np.clip([lower, upper], -0.1, 1.1)
        axes.plot(ends, [y, y], color=mark["color"], lw=1.4, zorder=3.5)
    axes.plot([value], [y], linestyle="", **mark, zorder=4)
    if np.isinf(upper):
        axes.annotate(
            "", (value + 0.09, y), (value, y), arrowprops={"arrowstyle": "->", "color": PLACE, "lw": 1.6}
        )
    unit = "VND" if row["unit"].startswith("VND") else row["unit"]  # per person and year stands in the label
    beyond = row["upper"] if np.isinf(row["upper"]) else row["value"]
    said = say.value({**row, "unit": unit, "lower": row["value"], "upper": beyond}, lang)
    axes.text(1.14, y - 0.16, said, va="center", color=INK, fontweight="bold", fontsize=9)
    axes.text(1.14, y + 0.2, judgements.label(row["verdict"], lang), va="center", color=INK, fontsize=8)
