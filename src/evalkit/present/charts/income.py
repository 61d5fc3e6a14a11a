"""Income per person over the years, as reported and in real terms."""

import pandas as pd

from evalkit.present import say, words, yearly
from evalkit.present.blocks import Block
from evalkit.present.charts.canvas import AREA, PLACE, absent, canvas, svg, ticks, years_axis
from evalkit.present.tables.checked import sentence
from evalkit.present.words import t


def income(place, *, lang):
    """Return income per person as reported and in prices of one year, per year or per month as reported.

    The two are never mixed: where both are known, the one with more years is drawn.
    """
    title = t("Income per person", lang)
    found = [
        (yearly.of(place, (f"income_{per}_vnd", f"income_{per}_real_vnd")), per) for per in ("year", "month")
    ]
    rows, per = max(found, key=lambda f: f[0].loc[f[0]["value"].notna(), "year"].nunique())
    rows = rows[rows["value"].notna()]
    if rows["year"].nunique() < 2:
        return absent(
            place, "income", "poverty_income", lang, title, t("No income of more than one year.", lang)
        )
    unit = {"year": t("million VND per year", lang), "month": t("million VND per month", lang)}[per]
    return _draw(place, rows, f"income_{per}", unit, title, lang)


def _draw(place, rows, kind, unit, title, lang):
    real, nominal = (
        rows[rows["indicator"] == f"{kind}{suffix}"].drop_duplicates("year")
        for suffix in ("_real_vnd", "_vnd")
    )
    year = yearly.prices(real)
    with canvas(3.0) as (figure, axes):
        if len(real):
            label = t("in prices of {year}", lang, year=year)
            axes.plot(real["year"].astype(float), real["value"] / 1e6, "-o", color=PLACE, lw=1.8, label=label)
        label = t("as reported, in the money of each year", lang)
        axes.plot(nominal["year"].astype(float), nominal["value"] / 1e6, "--s", color=AREA, mfc="white", ms=5, label=label)  # fmt: skip
        years_axis(axes, [int(nominal["year"].min()), int(nominal["year"].max())])
        axes.set_ylim(0, max(rows["value"]) / 1e6 * 1.15)
        axes.yaxis.set_major_formatter(ticks(lang))
        axes.set_ylabel(unit)
        figure.legend(loc="outside lower left", ncols=2, frameon=False, fontsize=8.5)
        drawing = svg(figure)
    columns = (
        ("period", t("Date", lang), False),
        ("indicator", t("Indicator", lang), False),
        ("value", t("Value", lang), True),
        ("basis", t("Basis", lang), False),
        ("method", t("Kind of statistic", lang), False),
    )
    shown = tuple(
        (
            words.period(r["period"], lang),
            words.indicator(r["indicator"], lang),
            say.value(r, lang),
            say.basis(r, lang),
            say.method(r["method"], lang),
        )
        for r in rows.to_dict("records")
    )
    raw = tuple(
        (
            r["period"],
            r["indicator"],
            float(r["value"]),
            None if pd.isna(r["basis"]) else r["basis"],
            r["method"],
        )
        for r in rows.to_dict("records")
    )
    said = [f"{words.period(r['period'], lang)}: {say.value(r, lang)}" for r in nominal.to_dict("records")]
    caption = yearly.deflator(year, lang) if year else ""
    heaped = place.findings[place.findings["rule"] == "heaping"]
    notes = dict.fromkeys(sentence(f, lang) for f in heaped.itertuples())
    return Block(
        kind="figure", id="income", section="poverty_income", lang=lang, audience=place.audience, title=title, caption=caption,
        alt=title + ": " + "; ".join(said) + ".", svg=drawing, columns=columns, rows=shown, raw=raw, notes=tuple(notes), level="L0",
    )  # fmt: skip
