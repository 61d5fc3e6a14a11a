"""Poverty by standard: points joined only where standard and kind of statistic are the same."""

from itertools import pairwise

import pandas as pd

from evalkit.load import reference
from evalkit.metrics import reviews
from evalkit.present import say, words, yearly
from evalkit.present.blocks import Block
from evalkit.present.charts.canvas import AREA, INK, PLACE, absent, canvas, svg
from evalkit.present.words import t

_POOR, _BOTH = "poverty_rate_pct", "poor_plus_near_poor_rate_pct"
_MARKS = {"review": "o", "survey": "s", "yearbook": "^"}
_BOTH_COLOUR = "#5b9bd5"


def poverty(place, *, lang):
    """Return the place's rates of poor, and of poor and near-poor, households by standard, with its areas'.

    A dotted line marks each change of standard; no line joins points across it, nor a review with a survey.
    Shading: intervals. Where the place counted one year on both standards, a hatched band shows its older
    rates as they might have been on the newer one.
    """
    title = t("Poverty rate by standard", lang)
    rows = yearly.of(place, (_POOR, _BOTH))
    known = rows[rows["value"].notna()]
    if known.empty:
        return absent(place, "poverty", "poverty_income", lang, title, t("No dated poverty rate.", lang))
    areas = place.beside[(place.beside["indicator"] == _POOR) & place.beside["parent_value"].notna()]
    band = _bridged(known)
    with canvas(3.8) as (figure, axes):
        years = [*known["year"], *areas["year"]]
        first, last = int(min(years)) - 0.8, int(max(years)) + 0.8
        highest = max([*known["value"], *areas["parent_value"], 1]) * 1.22
        _breaks(axes, first, last, highest)
        _bands(axes, band, lang)
        for area, own in areas.groupby("parent_name", sort=False):
            own = own.assign(
                basis=own["parent_basis"], method=own["parent_method"], value=own["parent_value"]
            )
            colour = AREA if own["parent_level"].iloc[0] == "province" else "#7f6000"
            _series(axes, own, colour, area, style="--", filled=False)
        both, poor = (known[known["indicator"] == i] for i in (_BOTH, _POOR))
        label = t("{name}, poor and near-poor", lang, name=place.unit["name"])
        _series(axes, both, _BOTH_COLOUR, label, style="-.", interval=True)
        label = t("{name}, poor", lang, name=place.unit["name"])
        _series(axes, poor, PLACE, label, interval=True)
        if len(known) <= 8:
            _values(axes, poor, lang)
        axes.set_xlim(first, last)
        axes.set_ylim(0, highest)
        axes.xaxis.get_major_locator().set_params(integer=True)
        axes.set_ylabel(t("% of households", lang))
        handles, labels = axes.get_legend_handles_labels()
        unique = dict(zip(labels, handles, strict=True))
        figure.legend(unique.values(), unique.keys(), loc="outside lower left", ncols=2, frameon=False, fontsize=8.5)  # fmt: skip
        drawing = svg(figure)
    return _block(place, pd.concat([rows, band]), areas, drawing, title, lang)


def _bridged(rows):
    """Older rates of poor households on the next standard, where the place counted a year on both."""
    rates = rows[(rows["indicator"] == _POOR) & rows["numerator"].notna()]
    counted = rates.groupby("year")["basis"].agg(set)
    if (counted.map(len) < 2).all():
        return rates.iloc[:0]
    order = [s for s in reference.standard_spans().sort_values("valid_from").index if not s.endswith("-cpi")]
    older = {new: old for old, new in pairwise(order)}
    made = reviews.bridged(rates, reviews.bridge(rates))
    on = made["year"].map(counted)
    adjacent = [older.get(b) in own and b not in own for b, own in zip(made["basis"], on, strict=True)]
    return made[pd.Series(adjacent, index=made.index, dtype=bool)]


def _bands(axes, band, lang):
    for basis, own in band.groupby("basis", sort=False):
        own = own.sort_values("year")
        label = t("carried over to the {standard}: a band", lang, standard=words.standard(basis, lang))
        axes.fill_between(
            own["year"].astype(float), own["lower"], own["upper"], facecolor="none", hatch="////", edgecolor="#b4b9c0", lw=0, label=label
        )  # fmt: skip


def _series(axes, rows, colour, label, *, style="-", filled=True, interval=False):
    for (_, method), group in rows.groupby([rows["basis"].fillna(""), "method"], sort=False):
        group = group.sort_values("year").drop_duplicates("year")
        year = group["year"].astype(float)
        if interval and len(group) > 1 and (group["upper"] > group["lower"]).any():
            axes.fill_between(year, group["lower"], group["upper"], color=colour, alpha=0.15, lw=0)
        axes.plot(
            year,
            group["value"],
            style if group["basis"].notna().all() else "",
            marker=_MARKS.get(method, "o"),
            color=colour,
            mfc=colour if filled else "white",
            ms=5.5,
            lw=1.4,
            label=label,
        )


def _values(axes, rows, lang):
    for _, row in rows.iterrows():
        axes.annotate(
            words.rounded(row["value"], row["unit"], lang),
            (row["year"], row["value"]),
            xytext=(7, 5),
            textcoords="offset points",
            fontsize=9,
            fontweight="bold",
            color=PLACE,
        )


def _breaks(axes, first, last, highest):
    for standard, span in reference.standard_spans().iterrows():
        if str(standard).endswith("-cpi"):
            continue
        start, end = max(first, span["valid_from"].year - 0.5), min(last, span["valid_to"].year + 0.5)
        if start >= end:
            continue
        if start > first:
            axes.axvline(start, color=INK, lw=1, ls=":")
        if end - start > 0.8:
            axes.text(
                (start + end) / 2, highest * 0.985, str(standard).replace("-", "–"), ha="center", va="top", fontsize=8, color="#555555", bbox={"facecolor": "white", "edgecolor": "none", "pad": 1}
            )  # fmt: skip


def _block(place, rows, areas, drawing, title, lang):
    columns = (
        ("period", t("Date", lang), False),
        ("who", t("Area", lang), False),
        ("indicator", t("Indicator", lang), False),
        ("value", t("Value", lang), True),
        ("counts", t("Counts", lang), True),
        ("basis", t("Standard", lang), False),
        ("method", t("Kind of statistic", lang), False),
    )
    unit = place.unit
    lines = [
        (row["year"], unit["name"], unit["place"], row)
        for row in rows.sort_values(["year", "indicator"], kind="stable").to_dict("records")
    ]
    for row in areas.to_dict("records"):
        own = {c.removeprefix("parent_"): row[c] for c in row if c.startswith("parent_")}
        own = {"numerator": None, "denominator": None} | own
        lines.append((row["year"], row["parent_name"], row["parent"], own))
    lines.sort(key=lambda line: line[0])
    shown = tuple(_shown(name, row, lang) for _, name, _, row in lines)
    raw = tuple(_raw(code, row) for _, _, code, row in lines)
    poor = rows[(rows["indicator"] == _POOR) & ~rows["flags"].fillna("").str.contains("bridged")]
    said = [
        f"{words.period(r['period'], lang)}: {say.value(r, lang)} ({words.standard(r['basis'], lang)})"
        for r in poor.to_dict("records")
    ]
    caption = t(
        "Dotted lines: a new standard came into force. Points on different standards are not joined, for they don't count the same households. Circles: household review; squares: survey.",
        lang,
    )
    return Block(
        kind="figure", id="poverty", section="poverty_income", lang=lang, audience=place.audience, title=title, caption=caption,
        alt="; ".join(said) + ".", svg=drawing, columns=columns, rows=shown, raw=raw, notes=_notes(rows, lang), level="L0",
    )  # fmt: skip


def _shown(name, row, lang):
    remark = say.remarks(row, lang) if "bridged" in say.flags_of(row) else []
    return (
        words.period(row["period"], lang),
        name,
        words.indicator(row["indicator"], lang),
        say.value(row, lang),
        say.fraction(row, lang),
        "; ".join([say.basis(row, lang), *remark[-1:]]),
        say.method(row["method"], lang),
    )


def _raw(code, row):
    value = None if pd.isna(row["value"]) else float(row["value"])
    basis = None if pd.isna(row["basis"]) else row["basis"]
    return (row["period"], code, row["indicator"], value, None, basis, row["method"])


def _notes(rows, lang):
    notes = []
    if ((rows["upper"] > rows["lower"]) & rows["denominator"].notna()).any():
        notes.append(interval_meaning(lang))
    if (rows["indicator"] == _BOTH).any():
        notes.append(
            t(
                "Since 2022 a household poor in income that lacks fewer than three services is called near-poor: poor and near-poor together are the closest to the older income headcount.",
                lang,
            )
        )
    if rows["flags"].fillna("").str.contains("bridged").any():
        notes.append(
            t(
                "Hatched: the older rates times the ratio of the two counts of the year that this place counted on both standards. The ratio is this place's own and was another in other years; only the band is meant, not a line in it.",
                lang,
            )
        )
    if rows["flags"].fillna("").str.contains("hidden").any():
        notes.append(
            t(
                "Counts of few households are hidden, and the rates and intervals that would give them away.",
                lang,
            )
        )
    return tuple(notes)


def interval_meaning(lang):
    """Return what an interval means where every household was counted."""
    return t(
        "Shaded, and in brackets in the table: 95 % interval. The review counts every household, so this is no sampling error. It says how far the figure could have come out otherwise had the same chances been at work once more: among few households, two or three more or fewer already move the rate. A change that small can't be told from chance.",
        lang,
    )
