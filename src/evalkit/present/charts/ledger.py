"""The ledger: what changed from year to year in loans, poverty and income, side by side and no more than that."""

import numpy as np
import pandas as pd

from evalkit.metrics import changes
from evalkit.present import say, words, yearly
from evalkit.present.blocks import Block
from evalkit.present.charts.canvas import AREA, INK, absent, canvas, fill, svg, ticks, years_axis
from evalkit.present.words import t

_LOANS, _POOR = "outstanding_per_household_real_vnd", "poverty_rate_pct"
_INCOMES = ("income_year_real_vnd", "income_month_real_vnd")


def ledger(place, *, lang):
    """Return the yearly changes of real outstanding per household, the poverty rate and real income.

    A change across a break of standard isn't computed: the year stays empty and the table says why. A change
    in poverty whose interval holds zero is drawn hollow and called not distinguishable from none.
    """
    title = t("Year by year: loans, poverty and income", lang)
    rows = yearly.of(place, (_LOANS, _POOR, *_INCOMES))
    income = next((i for i in _INCOMES if len(yearly.series(rows, i)) > 1), None)
    rows = rows[rows["indicator"].isin([_LOANS, _POOR, income]) & ~rows["method"].eq("survey").fillna(False)]
    first = rows.drop_duplicates(["indicator", "year", "basis", "method"])
    made = changes.yearly(first)
    loans, poor, earned = (
        made[made["indicator"] == i].drop_duplicates("year") for i in (_LOANS, _POOR, income)
    )
    if loans.empty or (poor.empty and earned.empty):
        reason = t("Loans and poverty or income are not known for two years in a row.", lang)
        return absent(place, "ledger", "poverty_income", lang, title, reason)
    years = list(range(int(rows["year"].min()) + 1, int(rows["year"].max()) + 1))
    gaps = {y: _gap(first, y, lang) for y in years if y not in set(poor["year"])}
    drawing = _draw(loans, poor, earned, years, gaps, yearly.prices(rows), lang)
    columns, shown, raw = _table(rows, loans, poor, earned, years, gaps, income, lang)
    said = _summary(loans, poor, earned, lang)
    caption = t(
        "Changes on the year before. Side by side doesn't mean one by the other: the list of the poor also decides who may borrow, and much else changed in these years. Hollow: not distinguishable from no change.",
        lang,
    )
    notes = [
        said,
        t(
            "The interval of a change in poverty takes the two counts as independent; they are largely of the same households, so it is rather too wide. Where the standard changed, the year stays empty, unless the place counted the year before on the new standard too.",
            lang,
        ),
        yearly.deflator(yearly.prices(rows), lang),
    ]
    return Block(
        kind="figure", id="ledger", section="poverty_income", lang=lang, audience=place.audience, title=title, caption=caption,
        alt=said, svg=drawing, columns=columns, rows=shown, raw=raw, notes=tuple(notes), level="L0",
    )  # fmt: skip


def _gap(rows, year, lang):
    """Return why the rate of a year has no change on the year before."""
    own, before = (rows[(rows["indicator"] == _POOR) & (rows["year"] == y)] for y in (year, year - 1))
    if own.empty:
        return t("no review of this year", lang)
    if before.empty:
        return t("no review of the year before", lang)
    if not set(own["basis"].dropna()) & set(before["basis"].dropna()):
        return t("the standard changed", lang)
    return t("hidden", lang)


def _summary(loans, poor, earned, lang):
    """Return how many years each figure rose and fell, as far as intervals allow to say."""
    said = [
        t(
            "Outstanding per household, in real terms, rose in {up} and fell in {down} of {n} years.",
            lang,
            up=int((loans["change"] > 0).sum()),
            down=int((loans["change"] < 0).sum()),
            n=len(loans),
        )
    ]
    if len(poor):
        up, down = int((poor["lower"] > 0).sum()), int((poor["upper"] < 0).sum())
        said.append(
            t(
                "The poverty rate fell in {down} and rose in {up} of {n} years that can be compared; in {rest} the change can't be told from none.",
                lang,
                up=up,
                down=down,
                n=len(poor),
                rest=len(poor) - up - down,
            )
        )
    if len(earned):
        said.append(
            t(
                "Real income per person rose in {up} of {n} years.",
                lang,
                up=int((earned["change"] > 0).sum()),
                n=len(earned),
            )
        )
    return " ".join(said)


def _draw(loans, poor, earned, years, gaps, price_year, lang):
    panels = [(loans, _loans), (poor, _poverty), (earned, _income)]
    panels = [(own, draw) for own, draw in panels if len(own)]
    with canvas(1.75 * len(panels) + 0.2, rows=len(panels), sharex=True) as (figure, axes):
        for panel, (own, draw) in zip(axes, panels, strict=True):
            draw(panel, own.set_index(own["year"].astype(int)), price_year, lang)
            panel.axhline(0, color=INK, lw=0.9)
            panel.grid(axis="x", visible=False)
            if draw is _poverty:
                _mark(panel, gaps, lang)
        years_axis(axes[-1], [years[0], years[-1]])
        return svg(figure)


def _loans(axes, own, price_year, lang):
    axes.bar(own.index, own["change"] / 1e6, width=0.6, **fill(0))
    axes.yaxis.set_major_formatter(ticks(lang))
    said = t("Change in outstanding per household, million VND in prices of {year}", lang, year=price_year)
    axes.set_title(said, fontsize=9.5, loc="left")


def _poverty(axes, own, price_year, lang):
    told = changes.distinguishable(own)
    below, above = own["change"] - own["lower"], own["upper"] - own["change"]
    axes.errorbar(
        own.index, own["change"], yerr=[below, above], fmt="none", ecolor=AREA, elinewidth=1.2, capsize=3
    )
    axes.plot(own.index[told], own["change"][told], "o", color=AREA, ms=7)
    axes.plot(own.index[~told], own["change"][~told], "o", color=AREA, mfc="white", ms=7)
    axes.yaxis.set_major_formatter(ticks(lang))
    axes.set_title(
        t("Change in the poverty rate, percentage points, with its 95 % interval", lang),
        fontsize=9.5,
        loc="left",
    )


def _mark(axes, gaps, lang):
    for year, reason in gaps.items():
        axes.axvspan(year - 0.42, year + 0.42, facecolor="#f0f0f0", hatch="////", edgecolor="#c9ccd1", lw=0)
        axes.text(year, 0.5, reason, rotation=90, ha="center", va="center", fontsize=7.5, color="#444444", transform=axes.get_xaxis_transform())  # fmt: skip


def _income(axes, own, price_year, lang):
    axes.bar(own.index, own["growth_pct"], width=0.6, **fill(2))
    axes.yaxis.set_major_formatter(ticks(lang, "%"))
    axes.set_title(t("Change in real income per person", lang), fontsize=9.5, loc="left")


def _table(rows, loans, poor, earned, years, gaps, income, lang):
    columns = (
        ("year", t("Year", lang), False),
        (_LOANS, words.indicator(_LOANS, lang), True),
        ("loans_change", t("Change", lang), True),
        (_POOR, words.indicator(_POOR, lang), True),
        ("poverty_change", t("Change, percentage points", lang), True),
        ("verdict", t("Poverty against the year before", lang), False),
        *(((income, words.indicator(income, lang), True), ("income_change", t("Change", lang), True)) if income else ()),
    )  # fmt: skip
    shown, raw, held = [], [], yearly.by_year(rows)
    loans, poor, earned = (
        {int(r["year"]): r for r in own.to_dict("records")} for own in (loans, poor, earned)
    )
    poverty = rows[rows["indicator"] == _POOR].to_dict("records")
    for year in [years[0] - 1, *years]:
        lent, moved, got = (own.get(year) for own in (loans, poor, earned))
        rates = [row for row in poverty if row["year"] == year]
        line = [
            str(year),
            _level(held.get((_LOANS, year)), lang),
            "–" if lent is None else _percent(lent, lang),
            "; ".join(f"{_rate(r, lang)} ({_short(r)})" for r in rates) or "–",
            "–" if moved is None else _points(moved, lang),
            gaps.get(year, "–") if moved is None else say.verdict(moved, lang),
        ]
        numbers = [
            year,
            _number(held.get((_LOANS, year))),
            None if lent is None else float(lent["growth_pct"]),
            None if moved is None and len(rates) != 1 else _number(held.get((_POOR, year))),
            None if moved is None else float(moved["change"]),
            None,
        ]
        if income:
            line += [
                _level(held.get((income, year)), lang),
                "–" if got is None else _percent(got, lang),
            ]
            numbers += [_number(held.get((income, year))), None if got is None else float(got["growth_pct"])]
        shown.append(tuple(line))
        raw.append(tuple(numbers))
    return columns, tuple(shown), tuple(raw)


def _level(row, lang):
    return "–" if row is None else say.value(row, lang)


def _number(row):
    return None if row is None or pd.isna(row["value"]) else float(row["value"])


def _rate(row, lang):
    return say.value(row, lang) if pd.isna(row["value"]) else words.rounded(row["value"], "percent", lang)


def _short(row):
    """A standard's years, as the table's head has no room for its name."""
    return "?" if pd.isna(row["basis"]) else str(row["basis"]).replace("-", "–")


def _percent(change, lang):
    if pd.isna(change["growth_pct"]):
        return "–"
    said = say.signed(change["growth_pct"], lang) + ("%" if lang == "vi" else " %")
    return t("over {x}", lang, x=said) if np.isinf(change["upper"]) else said


def _points(change, lang):
    said = {k: say.signed(change[c], lang) for k, c in (("x", "change"), ("low", "lower"), ("high", "upper"))}
    return (
        said["x"] if change["lower"] == change["upper"] else t("{x} (between {low} and {high})", lang, **said)
    )
