"""The place's ratios among those of other places on the same basis."""

import numpy as np
import pandas as pd

from evalkit.present import say, words
from evalkit.present.blocks import Block
from evalkit.present.charts.canvas import OTHERS, PLACE, absent, canvas, svg
from evalkit.present.tables import position
from evalkit.present.words import t


def spine(place, *, lang):
    """Return, for each figure with enough comparators, the middle half of the others, their median and the place.

    Each row has its own scale, from the lowest to the highest of quartiles, median and place: position is
    shown, not size. An arrow shows that a figure is printed as "over": the value lies there or further on.
    """
    title = t("Among other places on the same basis", lang)
    rows = place.among[place.among["median"].notna()].copy()
    if rows.empty:
        return absent(
            place, "spine", "evaluation", lang, title, t("Too few other places on the same basis.", lang)
        )
    rows = rows.sort_values("year", kind="stable").drop_duplicates("indicator", keep="last").tail(10)
    own = [_own(place, row) for _, row in rows.iterrows()]
    with canvas(0.62 * len(rows) + 0.9) as (figure, axes):
        for y, ((_, row), value) in enumerate(zip(rows.iterrows(), own, strict=True)):
            _draw_row(axes, y, row, value, lang)
        labels = [
            words.indicator(r["indicator"], lang) + f"\n{words.period(r['period'], lang)}, n = {int(r['n'])}"
            for _, r in rows.iterrows()
        ]
        axes.set_yticks(range(len(rows)), labels)
        axes.set_ylim(len(rows) - 0.4, -0.6)
        axes.set_xlim(-0.12, 1.5)
        axes.set_xticks([])
        axes.grid(False)
        axes.spines["bottom"].set_visible(False)
        axes.plot([], [], "o", color=PLACE, label=place.unit["name"])
        axes.plot([], [], lw=7, color="#c9ced6", label=t("middle half of the others", lang))
        axes.plot([], [], "|", color=OTHERS, ms=13, mew=2, label=t("their median", lang))
        figure.legend(loc="outside lower left", ncols=3, frameon=False, fontsize=8.5)
        drawing = svg(figure)
    said = [
        f"{words.indicator(r['indicator'], lang)}: {say.value(o, lang)}, {position(r, lang)}"
        for (_, r), o in zip(rows.iterrows(), own, strict=True)
    ]
    columns = (
        ("indicator", t("Indicator", lang), False),
        ("period", t("Date", lang), False),
        ("value", place.unit["name"], True),
        ("median", t("Their median", lang), True),
        ("n", t("Others (n)", lang), True),
        ("position", t("Position", lang), False),
    )
    shown = tuple(
        (
            words.indicator(r["indicator"], lang),
            words.period(r["period"], lang),
            say.value(o, lang),
            words.rounded(r["median"], o["unit"], lang),
            str(int(r["n"])),
            position(r, lang),
        )
        for (_, r), o in zip(rows.iterrows(), own, strict=True)
    )
    raw = tuple(
        (r["indicator"], r["period"], float(o["value"]), float(r["median"]), int(r["n"]), None)
        for (_, r), o in zip(rows.iterrows(), own, strict=True)
    )
    return Block(
        kind="figure", id="spine", section="evaluation", lang=lang, audience=place.audience, title=title,
        caption=t("Each line has its own scale. An arrow: printed as “over”, so the value lies there or beyond.", lang),
        alt="; ".join(said) + ".", svg=drawing, columns=columns, rows=shown, raw=raw, level="L1",
    )  # fmt: skip


def _own(place, row):
    same = (place.rows["indicator"] == row["indicator"]) & (place.rows["year"] == row["year"])
    same &= (place.rows["basis"].fillna("") == ("" if pd.isna(row["basis"]) else row["basis"])) & (
        place.rows["method"] == row["method"]
    )
    return place.rows[same].iloc[0]


def _draw_row(axes, y, row, own, lang):
    points = np.array(
        [row["lower_quartile"], row["median"], row["upper_quartile"], own["value"]], dtype=float
    )
    low, high = np.nanmin(points), np.nanmax(points)
    quarter1, median, quarter3, value = (points - low) / (high - low) if high > low else np.full(4, 0.5)
    axes.plot([0, 1], [y, y], color="#e6e8ec", lw=1, zorder=1)
    axes.plot([quarter1, quarter3], [y, y], lw=7, color="#c9ced6", solid_capstyle="butt", zorder=2)
    axes.plot([median], [y], "|", color=OTHERS, ms=13, mew=2, zorder=3)
    axes.plot([value], [y], "o", color=PLACE, ms=8, zorder=4)
    if np.isinf(own["upper"]):
        axes.annotate(
            "", (value + 0.09, y), (value, y), arrowprops={"arrowstyle": "->", "color": PLACE, "lw": 1.6}
        )
    axes.text(1.14, y, say.value(own, lang), va="center", color=PLACE, fontweight="bold", fontsize=9)
