"""Figures of the comparison page: how places are spread, the funnel, and the years within each standard."""

import numpy as np
import pandas as pd

from evalkit.load import reference
from evalkit.metrics import compare
from evalkit.present import province, words
from evalkit.present.charts.canvas import AREA, INK, OTHERS, PLACE, canvas, svg, ticks
from evalkit.present.words import t

_MOST_GROUPS = 40  # rows of a figure beyond which districts give way to one row for all


def distribution(data, indicator, *, lang):
    """Return how the places of each district are spread in the latest year: middle half, median, every place.

    A diamond is the district's own figure, a whisker its bounds. Hidden figures aren't drawn; how many is said.
    """
    title = words.indicator(indicator, lang)
    areas, own = data.latest(indicator)
    if data.settings["data"]["press"] or own.empty:
        return province.absent(
            data, f"spread_{indicator}", lang, title, t("Too few other places on the same basis.", lang)
        )
    hidden = int(own["value"].isna().sum())
    own = own[own["value"].notna()]
    groups = _groups(data, own, lang)
    whole = areas[areas["level"] == "province"]
    whole = whole if len(whole) == 1 else whole.iloc[:0]
    pooled = areas[areas["level"] == "district"].set_index("place")
    scale, unit = _scale(own, lang)
    with canvas(0.34 * len(groups) + 1.5) as (figure, axes):
        for y, (code, _, values) in enumerate(groups):
            shaken = (
                y + 0.22 * np.linspace(-1, 1, len(values))[np.random.default_rng(y).permutation(len(values))]
            )
            axes.plot(values / scale, shaken, ".", color=OTHERS, ms=4, alpha=0.7, zorder=2)
            if len(values) >= 4:
                low, mid, high = province.quartiles(values) / scale
                axes.plot([low, high], [y, y], lw=8, color="#c9ced6", solid_capstyle="butt", zorder=1)
                axes.plot([mid], [y], "|", color=INK, ms=13, mew=2, zorder=3)
            if code in pooled.index:
                _area(axes, y, pooled.loc[code], scale)
        for row in whole.itertuples():
            axes.axvline(
                row.value / scale,
                color=PLACE,
                lw=1.4,
                ls="--",
                label=t("{name}, all together", lang, name=row.name),
            )
        axes.set_yticks(range(len(groups)), [name for _, name, _ in groups])
        axes.set_ylim(len(groups) - 0.4, -0.6)
        axes.set_xlabel(unit)
        axes.xaxis.set_major_formatter(ticks(lang))
        axes.plot([], [], lw=7, color="#c9ced6", label=t("middle half of the places", lang))
        axes.plot([], [], "|", color=INK, ms=13, mew=2, label=t("median", lang))
        axes.plot([], [], ".", color=OTHERS, label=t("one place", lang))
        if len(pooled) and len(groups) > 1:
            axes.plot(
                [], [], "D", color=AREA, ms=6, label=t("the district's own figure, with its bounds", lang)
            )
        figure.legend(loc="outside lower left", ncols=3, frameon=False, fontsize=8.5)
        drawing = svg(figure)
    low, mid, high = province.quartiles(own["value"])
    said = {
        k: words.rounded(v, own["unit"].iloc[0], lang)
        for k, v in (("low", low), ("mid", mid), ("high", high))
    }
    spread = t(
        "Of {n} places half lie between {low} and {high}; the median is {mid}.", lang, n=len(own), **said
    )
    finding = " ".join(filter(None, [spread, _extremes(groups, own, lang)]))
    columns, shown, raw = _table(groups, pooled, own["unit"].iloc[0], lang)
    return province.block(
        data, "figure", f"spread_{indicator}", lang, title, svg=drawing, alt=finding,
        caption=f"{finding} {province.basis(own.iloc[0], lang)}", columns=columns, rows=shown, raw=raw,
        notes=_notes(indicator, hidden, lang), level="L1",
    )  # fmt: skip


def funnel(data, *, lang):
    """Return every place's poverty rate against its households, with the limits of chance around the whole's rate."""
    indicator = "poverty_rate_pct"
    title = t("Poverty rate against the number of households: what chance alone can do", lang)
    areas, own = data.latest(indicator)
    hidden = int(own["value"].isna().sum())
    own = own[own["value"].notna() & own["numerator"].notna()]
    if data.settings["data"]["press"] or len(own) < 2:
        return province.absent(
            data, "funnel", lang, title, t("Published without the counts behind it.", lang)
        )
    whole = areas[areas["level"] == "province"]
    whole = whole if len(whole) == 1 else own  # with what is hidden, where the whole is one province
    rate = whole["numerator"].sum() / whole["denominator"].sum()
    limits = compare.funnel_limits(own["denominator"], rate)
    value = own["value"].to_numpy() / 100
    inside = (value >= limits["lower_95"]) & (value <= limits["upper_95"])
    far = (value < limits["lower_99.8"]) | (value > limits["upper_99.8"])
    drawing = _draw_funnel(own, rate, inside.to_numpy(), lang)
    finding = t(
        "Around the common rate of {rate}, {out} of {n} places lie outside the 95% limits where chance alone would put about {expected}, and {far} outside the 99.8% limits.",
        lang, rate=words.rounded(100 * rate, "percent", lang), out=int((~inside).sum()), n=len(own),
        expected=words.decimal(0.05 * len(own), lang, 0), far=int(far.sum()),
    )  # fmt: skip
    small = t(
        "A place of {n} households can show anything between {low} and {high} by chance alone; one of {big} only between {low2} and {high2}.",
        lang, **_ends(own, rate, lang),
    )  # fmt: skip
    columns, shown, raw = _outside(own, limits, ~inside.to_numpy(), lang)
    return province.block(
        data, "figure", "funnel", lang, title, svg=drawing, alt=finding, columns=columns, rows=shown, raw=raw,
        caption=f"{finding} {small} {province.basis(own.iloc[0], lang)}", level="L1",
        notes=(t("The table lists the places outside the 95% limits, in the order of their rate; it is no ranking.", lang), *_notes(indicator, hidden, lang)),
    )  # fmt: skip


def _draw_funnel(own, rate, inside, lang):
    size = np.unique(
        np.geomspace(max(own["denominator"].min() * 0.9, 20), own["denominator"].max() * 1.05, 200).round()
    )
    curve = compare.funnel_limits(size, rate)
    with canvas(4.6) as (figure, axes):
        axes.axhline(
            100 * rate,
            color=PLACE,
            lw=1.4,
            ls="--",
            label=t("all places together: {rate}", lang, rate=words.rounded(100 * rate, "percent", lang)),
        )
        for level, style in (("95", "-"), ("99.8", ":")):
            label = t(
                "limits within which {level}% would lie by chance",
                lang,
                level=words.decimal(float(level), lang, 1),
            )
            axes.plot(size, 100 * curve[f"upper_{level}"], style, color=AREA, lw=1.2, label=label)
            axes.plot(size, 100 * curve[f"lower_{level}"], style, color=AREA, lw=1.2)
        axes.plot(
            own["denominator"][inside],
            own["value"][inside],
            "o",
            color=OTHERS,
            ms=4,
            label=t("place within the 95% limits", lang),
        )
        axes.plot(
            own["denominator"][~inside],
            own["value"][~inside],
            "D",
            color=INK,
            ms=4,
            label=t("place outside them", lang),
        )
        axes.set_xlabel(t("Households", lang))
        axes.set_ylabel(t("% of households", lang))
        for axis in (axes.xaxis, axes.yaxis):
            axis.set_major_formatter(ticks(lang))
        figure.legend(loc="outside lower left", ncols=2, frameon=False, fontsize=8.5)
        return svg(figure)


def _outside(own, limits, outside, lang):
    """Table of the places outside the limits of chance, in the order of their rate."""
    columns = (
        ("place", t("Place", lang), False),
        ("district", t("District", lang), False),
        ("households", t("Households", lang), True),
        ("rate", words.indicator("poverty_rate_pct", lang), True),
        ("limits", t("95% limits of chance", lang), True),
    )
    listed = own.assign(low=100 * limits["lower_95"].to_numpy(), high=100 * limits["upper_95"].to_numpy())
    listed = listed[outside].sort_values("value", ascending=False)
    shown = tuple(
        (
            r.name,
            "–" if pd.isna(r.district) else r.district,
            words.decimal(r.denominator, lang, 0),
            words.rounded(r.value, "percent", lang),
            f"{words.rounded(r.low, 'percent', lang)} – {words.rounded(r.high, 'percent', lang)}",
        )
        for r in listed.itertuples()
    )
    raw = tuple(
        (r.place, r.district_code, float(r.denominator), float(r.value), None) for r in listed.itertuples()
    )
    return columns, shown, raw


def years(data, *, lang):
    """Return the middle half and the median of the places' poverty rates by year, with a gap where the standard changes."""
    title = t("Poverty rates of the places over the years, each standard apart", lang)
    rows = data.rows[(data.rows["indicator"] == "poverty_rate_pct") & (data.rows["level"] == data.level)]
    rows = rows[rows["basis"].notna()]
    hidden = int(rows["value"].isna().sum())
    rows = rows[rows["value"].notna()]
    keys = ["basis", "method", "year"]
    table = rows.groupby(keys)["value"].agg(
        n="size", low=lambda v: v.quantile(0.25), mid="median", high=lambda v: v.quantile(0.75)
    )
    table = table[table["n"] >= data.settings["publish"]["minimum_comparators"] * 2].reset_index()
    if data.settings["data"]["press"] or table.empty:
        return province.absent(data, "years", lang, title, t("No dated poverty rate.", lang))
    starts = reference.standard_spans()["valid_from"]
    table = table.sort_values(
        ["year", "basis"], key=lambda c: c.map(starts) if c.name == "basis" else c, kind="stable"
    )
    said = []
    with canvas(3.6) as (figure, axes):
        shades = (PLACE, AREA, "#3d7a3d", "#7a3d7a", "#555555")
        for colour, ((name, _), own) in zip(
            shades, table.groupby(["basis", "method"], sort=False), strict=False
        ):
            axes.fill_between(
                own["year"].astype(float), own["low"], own["high"], color=colour, alpha=0.18, lw=0
            )
            axes.plot(
                own["year"].astype(float),
                own["mid"],
                "o-",
                color=colour,
                ms=5,
                lw=1.4,
                label=words.standard(name, lang),
            )
            said.append(_course(own, name, lang))
        axes.set_ylim(bottom=0)
        axes.xaxis.get_major_locator().set_params(integer=True)
        axes.yaxis.set_major_formatter(ticks(lang))
        axes.set_ylabel(t("% of households", lang))
        figure.legend(loc="outside lower left", ncols=2, frameon=False, fontsize=8.5)
        drawing = svg(figure)
    columns = (
        ("year", t("Year", lang), False),
        ("basis", t("Standard", lang), False),
        ("n", t("Number of places", lang), True),
        ("lower", t("Lower quarter", lang), True),
        ("median", t("Median", lang), True),
        ("upper", t("Upper quarter", lang), True),
    )
    shown = tuple(
        (
            str(int(r.year)),
            words.standard(r.basis, lang),
            str(r.n),
            *(words.rounded(x, "percent", lang) for x in (r.low, r.mid, r.high)),
        )
        for r in table.itertuples()
    )
    raw = tuple(
        (int(r.year), r.basis, int(r.n), float(r.low), float(r.mid), float(r.high))
        for r in table.itertuples()
    )
    caption = t(
        "Line: the median of the places; band: their middle half. Standards are not joined: a new standard counts other households.",
        lang,
    )
    left_out = t(
        "{n} figures are hidden to protect households and left out, mostly the lowest.", lang, n=hidden
    )
    return province.block(
        data, "figure", "years", lang, title, svg=drawing, alt=" ".join(said), caption=caption, columns=columns,
        rows=shown, raw=raw, notes=(left_out,) if hidden else (), level="L1",
    )  # fmt: skip


def _course(own, standard, lang):
    """Where the median began and ended on one standard, or where it stood in its only year."""
    first, last = own.iloc[0], own.iloc[-1]
    named = {
        "standard": words.standard(standard, lang),
        "first": words.rounded(first["mid"], "percent", lang),
        "year": int(first["year"]),
    }
    if len(own) == 1:
        return t("{standard}: the median was {first} in {year}.", lang, **named)
    return t(
        "{standard}: the median went from {first} in {year} to {last} in {until}.",
        lang,
        **named,
        last=words.rounded(last["mid"], "percent", lang),
        until=int(last["year"]),
    )


def _groups(data, own, lang):
    """The rows of a figure: districts of communes, or all places as one where there are none or too many."""
    named = own[own["district_code"].notna()]
    if data.level == "commune" and 1 < named["district_code"].nunique() <= _MOST_GROUPS:
        groups = [
            (
                code,
                g["district"].iloc[0] if pd.notna(g["district"].iloc[0]) else code,
                g["value"].to_numpy(float),
            )
            for code, g in named.groupby("district_code", sort=False)
        ]
        return sorted(groups, key=lambda g: np.median(g[2]))
    return [("", t("all places", lang), own["value"].to_numpy(float))]


def _scale(own, lang):
    unit = own["unit"].iloc[0]
    if unit.startswith("VND"):
        return 1e6, t("million VND", lang)
    return 1, "%" if unit == "percent" else unit


def _area(axes, y, row, scale):
    ends = np.array([row["lower"], row["upper"]], float) / scale
    if np.isfinite(ends).all() and ends[1] > ends[0]:
        axes.plot(ends, [y, y], color=AREA, lw=1.6, zorder=4)
    if pd.notna(row["value"]):
        axes.plot([row["value"] / scale], [y], "D", color=AREA, ms=6, zorder=5)


def _extremes(groups, own, lang):
    if len(groups) < 2:
        return ""
    unit = own["unit"].iloc[0]
    (_, low, lows), (_, high, highs) = groups[0], groups[-1]
    return t(
        "By district the median runs from {low} ({a}) to {high} ({b}).",
        lang, low=words.rounded(np.median(lows), unit, lang), a=low, high=words.rounded(np.median(highs), unit, lang), b=high,
    )  # fmt: skip


def _notes(indicator, hidden, lang):
    said = t("{n} places aren't drawn: their figure is hidden to protect households.", lang, n=hidden)
    return (*([said] if hidden else []), province.caveat(indicator, lang))


def _ends(own, rate, lang):
    sizes = own["denominator"].min(), own["denominator"].max()
    limits = compare.funnel_limits(np.array(sizes), rate)
    low, high = 100 * limits["lower_95"], 100 * limits["upper_95"]
    said = {"low": low[0], "high": high[0], "low2": low[1], "high2": high[1]}
    return {k: words.rounded(v, "percent", lang) for k, v in said.items()} | {
        "n": words.decimal(sizes[0], lang, 0),
        "big": words.decimal(sizes[1], lang, 0),
    }


def _table(groups, pooled, unit, lang):
    columns = (
        ("district", t("District", lang), False),
        ("n", t("Number of places", lang), True),
        ("lower", t("Lower quarter", lang), True),
        ("median", t("Median", lang), True),
        ("upper", t("Upper quarter", lang), True),
    )
    shown, raw = [], []
    for code, name, values in groups:
        figures = province.quartiles(values) if len(values) >= 4 else (np.nan, np.median(values), np.nan)
        shown.append((name, str(len(values)), *(words.rounded(x, unit, lang) for x in figures)))
        raw.append((code, len(values), *(None if np.isnan(x) else float(x) for x in figures)))
    return columns, tuple(shown), tuple(raw)
