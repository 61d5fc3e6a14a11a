"""Poverty by standard: points joined only where standard and kind of statistic are the same."""

import pandas as pd

from evalkit.load import reference
from evalkit.present import say, words
from evalkit.present.blocks import Block
from evalkit.present.charts.canvas import AREA, INK, PLACE, absent, canvas, svg
from evalkit.present.words import t

_MARKS = {"review": "o", "survey": "s", "yearbook": "^"}


def poverty(place, *, lang):
    """Return the place's poverty rates by standard, with its province's of the same years.

    A vertical line marks each change of standard; no line joins points across it, nor a review with a survey.
    """
    title = t("Poverty rate by standard", lang)
    rows = place.rows[
        place.rows["indicator"].isin(["poverty_rate_pct", "poor_plus_near_poor_rate_pct"])
        & place.rows["year"].notna()
        & place.rows["value"].notna()
    ]
    if rows.empty:
        return absent(place, "poverty", "poverty_income", lang, title, t("No dated poverty rate.", lang))
    areas = place.beside[
        (place.beside["indicator"] == "poverty_rate_pct") & place.beside["parent_value"].notna()
    ]
    with canvas(3.5) as (figure, axes):
        years = [*rows["year"], *areas["year"]]
        first, last = int(min(years)) - 1, int(max(years)) + 1
        highest = max([*rows["value"], *areas["parent_value"], 1]) * 1.22
        _breaks(axes, first, last, highest, lang)
        for area, own in areas.groupby("parent_name", sort=False):
            own = own.assign(basis=own["parent_basis"], method=own["parent_method"])
            _series(
                axes,
                own,
                "parent_value",
                AREA if own["parent_level"].iloc[0] == "province" else "#7f6000",
                area,
                filled=False,
            )
        _series(
            axes,
            rows[rows["indicator"] == "poor_plus_near_poor_rate_pct"],
            "value",
            "#6fa8dc",
            t("{name}, poor and near-poor", lang, name=place.unit["name"]),
        )
        _series(
            axes,
            rows[rows["indicator"] == "poverty_rate_pct"],
            "value",
            PLACE,
            t("{name}, poor", lang, name=place.unit["name"]),
            label_points=len(rows) <= 8,
            lang=lang,
        )
        axes.set_xlim(first, last)
        axes.set_ylim(0, highest)
        axes.xaxis.get_major_locator().set_params(integer=True)
        axes.set_ylabel(t("% of households", lang))
        handles, labels = axes.get_legend_handles_labels()
        unique = dict(zip(labels, handles, strict=True))
        figure.legend(
            unique.values(), unique.keys(), loc="outside lower left", ncols=3, frameon=False, fontsize=8.5
        )
        drawing = svg(figure)
    return _block(place, rows, areas, drawing, title, lang)


def _series(axes, rows, column, colour, label, *, filled=True, label_points=False, lang="vi"):
    for (_, method), group in rows.groupby([rows["basis"].fillna(""), "method"], sort=False):
        group = group.sort_values("year").drop_duplicates("year")
        joined = "-" if group["basis"].notna().all() else ""
        face = colour if filled else "white"
        axes.plot(
            group["year"].astype(float),
            group[column],
            joined,
            marker=_MARKS.get(method, "o"),
            color=colour,
            mfc=face,
            mec=colour,
            ms=7,
            lw=1.4,
            label=label,
        )
        if label_points:
            for _, row in group.iterrows():
                axes.annotate(
                    say.value(row, lang),
                    (row["year"], row[column]),
                    xytext=(7, 5),
                    textcoords="offset points",
                    fontsize=9,
                    fontweight="bold",
                    color=colour,
                )


def _breaks(axes, first, last, highest, lang):
    spans = reference.standard_spans()
    for standard, span in spans.iterrows():
        if str(standard).endswith("-cpi"):
            continue
        start, end = max(first, span["valid_from"].year - 0.5), min(last, span["valid_to"].year + 0.5)
        if start >= end:
            continue
        if start > first:
            axes.axvline(start, color=INK, lw=1, ls=":")
        axes.text(
            (start + end) / 2,
            highest * 0.985,
            str(standard).replace("-", "–"),
            ha="center",
            va="top",
            fontsize=8,
            color="#555555",
            wrap=True,
        )


def _block(place, rows, areas, drawing, title, lang):
    columns = (
        ("who", t("Area", lang), False),
        ("period", t("Date", lang), False),
        ("indicator", t("Indicator", lang), False),
        ("value", t("Value", lang), True),
        ("basis", t("Standard", lang), False),
        ("method", t("Kind of statistic", lang), False),
    )
    shown, raw = [], []
    for _, row in rows.sort_values("year", kind="stable").iterrows():
        shown.append(
            (
                place.unit["name"],
                words.period(row["period"], lang),
                words.indicator(row["indicator"], lang),
                say.value(row, lang),
                say.basis(row, lang),
                say.method(row["method"], lang),
            )
        )
        raw.append(
            (
                place.unit["place"],
                row["period"],
                row["indicator"],
                float(row["value"]),
                None if pd.isna(row["basis"]) else row["basis"],
                row["method"],
            )
        )
    for _, row in areas.sort_values("year", kind="stable").iterrows():
        area = pd.Series(
            {
                "indicator": row["parent_indicator"],
                "basis": row["parent_basis"],
                "flags": row["parent_flags"],
                **{c: row[f"parent_{c}"] for c in ("value", "lower", "upper", "unit")},
            }
        )
        shown.append(
            (
                row["parent_name"],
                words.period(row["parent_period"], lang),
                words.indicator(row["parent_indicator"], lang),
                say.value(area, lang),
                say.basis(area, lang),
                say.method(row["parent_method"], lang),
            )
        )
        raw.append(
            (
                row["parent"],
                row["parent_period"],
                row["parent_indicator"],
                float(row["parent_value"]),
                row["parent_basis"],
                row["parent_method"],
            )
        )
    poor = rows[rows["indicator"] == "poverty_rate_pct"].sort_values("year", kind="stable")
    said = [
        f"{words.period(r['period'], lang)}: {say.value(r, lang)} ({words.standard(r['basis'], lang)})"
        for _, r in poor.iterrows()
    ]
    caption = t(
        "Dotted lines: a new standard came into force. Points on different standards are not joined, for they don't count the same households. Circles: household review; squares: survey.",
        lang,
    )
    return Block(
        kind="figure", id="poverty", section="poverty_income", lang=lang, audience=place.audience, title=title,
        caption=caption, alt="; ".join(said) + ".", svg=drawing, columns=columns, rows=tuple(shown), raw=tuple(raw), level="L0",
    )  # fmt: skip
