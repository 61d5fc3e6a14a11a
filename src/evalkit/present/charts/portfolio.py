"""The loan portfolio over the years: what is owed by purpose, what is lent and collected, whom it reaches."""

import numpy as np

from evalkit.load import reference
from evalkit.present import words, yearly
from evalkit.present.blocks import Block
from evalkit.present.charts.canvas import (
    AREA,
    INK,
    PLACE,
    absent,
    apart,
    canvas,
    fill,
    svg,
    ticks,
    years_axis,
)
from evalkit.present.words import t

_PURPOSES = {
    "production": "production and business",
    "study": "study",
    "water": "water and sanitation",
    "housing": "housing",
    "other": "other purposes",
}
_TOTAL, _REAL = "outstanding_loans_vnd", "outstanding_loans_real_vnd"
_TRACE = 0.005  # a part of the total below which nothing is said to be left over


def portfolio(place, *, lang):
    """Return outstanding loans at each year's end, stacked by purpose, and the total in prices of one year."""
    title = t("The loan portfolio over the years", lang)
    shares = {p: f"share_{p}_pct" for p in _PURPOSES}
    rows = yearly.of(
        place, (_TOTAL, _REAL, "outstanding_growth_pct", "outstanding_real_growth_pct", "programme_concentration", *shares.values())
    )  # fmt: skip
    total = yearly.series(rows, _TOTAL)
    if len(total) < 3:
        reason = t("Outstanding loans are known for fewer than three years.", lang)
        return absent(place, "portfolio", "credit", lang, title, reason)
    parts = {p: yearly.series(rows, i, "numerator").reindex(total.index) for p, i in shares.items()}
    parts = {p: amounts for p, amounts in parts.items() if amounts.fillna(0).gt(0).any()}
    parts["rest"] = (total - sum(a.fillna(0) for a in parts.values())).clip(lower=0)
    if (parts["rest"] <= _TRACE * total).all():
        del parts["rest"]
    names = {p: t(_PURPOSES[p], lang) for p in parts if p in _PURPOSES}
    names["rest"] = t("purpose not known", lang)
    breaks = reference.breaks_between("credit", int(total.index.min()) - 1, int(total.index.max()))
    price_year = yearly.prices(rows)
    drawing = _stack(total, yearly.series(rows, _REAL), parts, names, breaks, price_year, lang)
    columns, shown, raw = _amounts(rows, total, parts, names, lang)
    last = int(total.index.max())
    mix = ", ".join(
        f"{names[p]} {words.rounded(100 * a[last] / total[last], 'percent', lang)}"
        for p, a in parts.items()
        if a.get(last, 0) > 0
    )
    alt = t(
        "Outstanding loans went from {first} at the end of {start} to {last} at the end of {end}; then by purpose: {mix}.",
        lang,
        first=words.money(total.iloc[0], lang),
        start=int(total.index[0]),
        last=words.money(total[last], lang),
        end=last,
        mix=mix,
    )
    caption = t(
        "At each year's end. A programme's purpose decides where its loans stand; loans for study, water and housing have no short way to income.",
        lang,
    )
    notes = [yearly.deflator(price_year, lang)] if price_year else []
    concentration = yearly.series(rows, "programme_concentration")
    if len(concentration):
        notes.append(_concentration(concentration, lang))
    notes += [
        _break(letter, b, lang) for letter, (_, b) in zip("abcdefghij", breaks.iterrows(), strict=False)
    ]
    return Block(
        kind="figure", id="portfolio", section="credit", lang=lang, audience=place.audience, title=title, caption=caption,
        alt=alt, svg=drawing, columns=columns, rows=shown, raw=raw, notes=tuple(notes), level="L0",
    )  # fmt: skip


def _concentration(index, lang):
    first, last = (words.decimal(index.iloc[i], lang, 2) for i in (0, -1))
    named = {"last": last, "end": int(index.index[-1]), "n": words.decimal(1 / index.iloc[-1], lang, 1)}
    if len(index) == 1:
        return t(
            "Concentration of the programmes (Herfindahl): {last} in {end}, as if all were lent equally in {n} programmes.",
            lang,
            **named,
        )
    return t(
        "Concentration of the programmes (Herfindahl): {first} in {start}, {last} in {end}, as if all were lent equally in {n} programmes.",
        lang,
        **named,
        first=first,
        start=int(index.index[0]),
    )


def _break(letter, row, lang):
    said = f"({letter}) {words.date(row['date'], lang)}: {row[f'what_{lang}']}"
    return said if row["verified"] else f"{said} ({t('not verified', lang)})"


def _stack(total, real, parts, names, breaks, price_year, lang):
    from matplotlib.patches import Patch

    years, scale = total.index.to_numpy(), 1e9 if total.max() >= 1e9 else 1e6
    with canvas(3.9) as (figure, axes):
        foot, middles = np.zeros(len(total)), {}
        for n, (purpose, amounts) in enumerate(parts.items()):
            height = amounts.fillna(0).to_numpy() / scale
            axes.bar(years, height, bottom=foot, width=0.72, **fill(5 if purpose == "rest" else n))
            middles[purpose] = foot[-1] + height[-1] / 2
            foot = foot + height
        top = max(total.max(), real.max() if len(real) else 0) / scale
        if len(real):
            label = t("total in prices of {year}", lang, year=price_year)
            axes.plot(real.index, real / scale, "--o", color=INK, mfc="white", ms=4.5, lw=1.3, label=label)
        shown = [p for p, a in parts.items() if a.iloc[-1] > 0]
        heights = apart([middles[p] for p in shown], top * 0.062)
        for purpose, y in zip(shown, heights, strict=True):
            share = words.rounded(100 * parts[purpose].iloc[-1] / total.iloc[-1], "percent", lang)
            axes.text(years[-1] + 0.62, y, f"{names[purpose]} {share}", va="center", fontsize=8.5)
        for x, letters in _marks(breaks["date"]):
            axes.text(x, top * 1.1, letters, ha="center", fontsize=8, color=AREA, fontweight="bold")
            axes.axvline(x, color=AREA, lw=0.7, ls=":", zorder=0)
        years_axis(axes, [int(years[0]), int(years[-1])])
        axes.set_xlim(years[0] - 0.6, years[-1] + 0.25 * len(years) + 0.6)
        axes.set_ylim(0, top * 1.18)
        axes.yaxis.set_major_formatter(ticks(lang))
        axes.set_ylabel(t("billion VND", lang) if scale == 1e9 else t("million VND", lang))
        axes.grid(axis="x", visible=False)
        handles = [Patch(**fill(5 if p == "rest" else n), label=names[p]) for n, p in enumerate(parts)]
        lines, _ = axes.get_legend_handles_labels()
        figure.legend(
            handles=[*handles, *lines], loc="outside lower left", ncols=3, frameon=False, fontsize=8.5
        )
        return svg(figure)


def _marks(dates):
    """Return where the letters of the changes in law stand on the axis of years; those of one half-year together."""
    found = {}
    for letter, day in zip("abcdefghij", dates, strict=False):
        found.setdefault(day.year - 0.5 + (0.25 if day.month <= 6 else 0.75), []).append(letter)
    return [(x, " ".join(letters)) for x, letters in found.items()]


def _amounts(rows, total, parts, names, lang):
    """Table of amounts: total, each purpose, total in real terms, growth."""
    columns, shown, raw = yearly.table(
        rows, (_TOTAL, _REAL, "outstanding_growth_pct", "outstanding_real_growth_pct"), lang
    )
    extra = tuple((p, names[p], True) for p in parts)
    cells = {int(y): tuple(words.money(a.get(y), lang) for a in parts.values()) for y in total.index}
    numbers = {int(y): tuple(_plain(a.get(y)) for a in parts.values()) for y in total.index}
    none = ("–",) * len(parts), (None,) * len(parts)
    return (
        (*columns[:2], *extra, *columns[2:]),
        tuple((*r[:2], *cells.get(int(r[0]), none[0]), *r[2:]) for r in shown),
        tuple((*r[:2], *numbers.get(int(r[0]), none[1]), *r[2:]) for r in raw),
    )


def _plain(amount):
    return None if amount is None or np.isnan(amount) else float(amount)


def flows(place, *, lang):
    """Return what was lent and collected in each year, and how fast the outstanding grew."""
    title = t("Lending and collection", lang)
    lent, collected = "lending_turnover_vnd", "debt_collection_turnover_vnd"
    nominal, real = "outstanding_growth_pct", "outstanding_real_growth_pct"
    turnover = ("lending_turnover_pct", "collection_turnover_pct")
    rows = yearly.of(place, (lent, collected, "write_off_vnd", nominal, real, *turnover))
    given, back = yearly.series(rows, lent), yearly.series(rows, collected)
    if len(given) < 3 or len(back) < 3:
        reason = t("Lending and collection are known for fewer than three years.", lang)
        return absent(place, "flows", "credit", lang, title, reason)
    with canvas(3.1, 2, width_ratios=(1.35, 1)) as (figure, (left, right)):
        _bars(left, given, back, lang)
        for name, style, label in (
            (real, {"color": PLACE, "marker": "o", "lw": 1.8}, t("in real terms", lang)),
            (nominal, {"color": AREA, "marker": "s", "ls": "--", "mfc": "white"}, t("in the money of each year", lang)),
        ):  # fmt: skip
            own = yearly.series(rows, name)
            right.plot(own.index, own, ms=4.5, label=label, **style)
        right.axhline(0, color=INK, lw=0.8)
        years_axis(right, [int(given.index.min()), int(given.index.max())])
        right.yaxis.set_major_formatter(ticks(lang, "%"))
        right.set_title(t("Growth of the outstanding on the year before", lang), fontsize=9.5, loc="left")
        for axes, side in ((left, "left"), (right, "right")):
            handles, names = axes.get_legend_handles_labels()
            figure.legend(handles, names, loc=f"outside lower {side}", ncols=2, frameon=False, fontsize=8.5)
        drawing = svg(figure)
    columns, shown, raw = yearly.table(
        rows, (lent, collected, "write_off_vnd", nominal, real, *turnover), lang
    )
    last = int(given.index.max())
    alt = t(
        "In {year}, {lent} were lent and {collected} collected.",
        lang,
        year=last,
        lent=words.money(given[last], lang),
        collected=words.money(back.get(last), lang),
    )
    caption = t(
        "Turnover: lent or collected in the year over the mean of the outstanding at its start and its end. Collection says how fast money comes back, not how well loans are repaid.",
        lang,
    )
    price_year = yearly.prices(rows)
    return Block(
        kind="figure", id="flows", section="credit", lang=lang, audience=place.audience, title=title, caption=caption, alt=alt,
        svg=drawing, columns=columns, rows=shown, raw=raw, notes=(yearly.deflator(price_year, lang),) if price_year else (), level="L0",
    )  # fmt: skip


def _bars(axes, given, back, lang):
    scale = 1e9 if given.max() >= 1e9 else 1e6
    axes.bar(given.index - 0.2, given / scale, width=0.38, label=t("lent", lang), **fill(0))
    axes.bar(back.index + 0.2, back / scale, width=0.38, label=t("collected", lang), **fill(1))
    years_axis(axes, [int(given.index.min()), int(given.index.max())])
    axes.grid(axis="x", visible=False)
    axes.yaxis.set_major_formatter(ticks(lang))
    unit = t("billion VND", lang) if scale == 1e9 else t("million VND", lang)
    axes.set_title(t("Lent and collected, {unit}", lang, unit=unit), fontsize=9.5, loc="left")


def reach(place, *, lang):
    """Return which share of households borrows, and how much a borrower household owes, by year."""
    title = t("Whom credit reaches, and with how much", lang)
    share, each, real = (
        "household_coverage_pct",
        "outstanding_per_borrower_vnd",
        "outstanding_per_borrower_real_vnd",
    )
    names = (
        share, "households_total", "borrower_households", "borrowers", "loans_count", "poor_household_coverage_pct",
        each, real, "outstanding_per_household_vnd",
    )  # fmt: skip
    rows = yearly.of(place, names)
    covered, owed = yearly.series(rows, share), yearly.series(rows, each)
    if len(covered) < 3 or len(owed) < 3:
        reason = t("The share of households that borrow is known for fewer than three years.", lang)
        return absent(place, "reach", "credit", lang, title, reason)
    with canvas(2.9, 2) as (figure, (left, right)):
        low, high = (yearly.series(rows, share, c).reindex(covered.index) for c in ("lower", "upper"))
        left.fill_between(covered.index, low, high, color=PLACE, alpha=0.18, lw=0)
        left.plot(covered.index, covered, "-o", color=PLACE, ms=4.5)
        left.set_ylim(0, min(100, high.max() * 1.15))
        left.yaxis.set_major_formatter(ticks(lang, "%"))
        left.set_title(t("Borrower households among all households", lang), fontsize=9.5, loc="left")
        constant = yearly.series(rows, real)
        year = yearly.prices(rows)
        if len(constant):
            label = t("in prices of {year}", lang, year=year)
            right.plot(constant.index, constant / 1e6, "-o", color=PLACE, lw=1.8, ms=4.5, label=label)
        label = t("in the money of each year", lang)
        right.plot(owed.index, owed / 1e6, "--s", color=AREA, mfc="white", ms=4.5, label=label)
        right.set_ylim(0, max(owed.max(), constant.max() if len(constant) else 0) / 1e6 * 1.15)
        right.set_title(t("Outstanding per borrower household, million VND", lang), fontsize=9.5, loc="left")
        right.legend(frameon=False, fontsize=8.5, loc="lower right")
        for axes in (left, right):
            years_axis(axes, [int(covered.index.min()), int(covered.index.max())])
        drawing = svg(figure)
    labels = {
        share: t("Share of households that borrow", lang),
        "borrower_households": t("Borrower households, each once", lang),
        "borrowers": t("Borrowers of the programmes, added up", lang),
        "poor_household_coverage_pct": t(
            "Borrowers of the programme for the poor per 100 households on the list", lang
        ),
    }
    columns, shown, raw = yearly.table(rows, names, lang, labels=labels)
    last = int(covered.index.max())
    alt = t(
        "In {year}, {share} of households borrowed; each owed {each}.",
        lang,
        year=last,
        share=words.rounded(covered[last], "percent", lang),
        each=words.money(owed.get(last), lang),
    )
    caption = t(
        "Households, borrowers and loans are three counts: a household with two programmes is two borrowers, and may hold more loans. The band: 95 % interval of the share, or between the least and the most households where borrowers of several programmes can't be told apart.",
        lang,
    )
    notes = [
        t(
            "Borrowers of the programme for the poor per 100 households on the list isn't a share: who left the list owes until the loan is due, so it can exceed 100, and it changes with the standard.",
            lang,
        )
    ] if (rows["indicator"] == "poor_household_coverage_pct").any() else []  # fmt: skip
    notes += [yearly.deflator(year, lang)] if year else []
    return Block(
        kind="figure", id="reach", section="credit", lang=lang, audience=place.audience, title=title, caption=caption,
        alt=alt, svg=drawing, columns=columns, rows=shown, raw=raw, notes=tuple(notes), level="L0",
    )  # fmt: skip
