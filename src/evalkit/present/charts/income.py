"""Income per person over the years, as printed and in real terms."""

from evalkit.present import say, words
from evalkit.present.blocks import Block
from evalkit.present.charts.canvas import OTHERS, PLACE, absent, canvas, svg
from evalkit.present.words import t


def income(place, *, lang):
    """Return income per person as printed and in the prices of the last year, per year or per month as printed."""
    title = t("Income per person", lang)
    for kind, unit in (
        ("income_year", t("million VND per year", lang)),
        ("income_month", t("million VND per month", lang)),
    ):
        chosen = (
            place.rows["indicator"].isin([f"{kind}_vnd", f"{kind}_real_vnd"]) & place.rows["year"].notna()
        )
        rows = place.rows[chosen & place.rows["value"].notna()].sort_values("year", kind="stable")
        if rows["year"].nunique() > 1:
            return _draw(place, rows, kind, unit, title, lang)
    return absent(place, "income", "poverty_income", lang, title, t("No income of more than one year.", lang))


def _draw(place, rows, kind, unit, title, lang):
    real = rows[rows["indicator"] == f"{kind}_real_vnd"].drop_duplicates("year")
    nominal = rows[rows["indicator"] == f"{kind}_vnd"].drop_duplicates("year")
    with canvas(3.0) as (figure, axes):
        if len(real):
            year = real["basis"].iloc[0].removeprefix("prices of ")
            axes.plot(
                real["year"].astype(float),
                real["value"] / 1e6,
                "-o",
                color=PLACE,
                lw=1.8,
                label=t("in prices of {year}", lang, year=year),
            )
        axes.plot(
            nominal["year"].astype(float),
            nominal["value"] / 1e6,
            "--s",
            color=OTHERS,
            ms=5,
            label=t("as printed", lang),
        )
        axes.set_xlim(nominal["year"].min() - 1, nominal["year"].max() + 1)
        axes.set_ylim(0, max(rows["value"]) / 1e6 * 1.2)
        axes.xaxis.get_major_locator().set_params(integer=True)
        axes.yaxis.set_major_formatter(lambda x, _: words.decimal(x, lang, 1))
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
        for _, r in rows.iterrows()
    )
    raw = tuple(
        (
            r["period"],
            r["indicator"],
            float(r["value"]),
            r["basis"] if isinstance(r["basis"], str) else None,
            r["method"],
        )
        for _, r in rows.iterrows()
    )
    said = [f"{words.period(r['period'], lang)}: {say.value(r, lang)}" for _, r in nominal.iterrows()]
    caption = t(
        "Real values are deflated by the national consumer price index (annual average); provinces' prices can rise differently.",
        lang,
    )
    return Block(
        kind="figure", id="income", section="poverty_income", lang=lang, audience=place.audience, title=title, caption=caption,
        alt=title + ": " + "; ".join(said) + ".", svg=drawing, columns=columns, rows=shown, raw=raw, level="L0",
    )  # fmt: skip
