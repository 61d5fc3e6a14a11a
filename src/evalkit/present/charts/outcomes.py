"""What became of the loans: the year's flows and every state of debt side by side, so that none hides another."""

import numpy as np

from evalkit.present import words, yearly
from evalkit.present.blocks import Block
from evalkit.present.charts.canvas import (
    AREA,
    INK,
    OTHERS,
    PLACE,
    absent,
    canvas,
    fill,
    svg,
    ticks,
    years_axis,
)
from evalkit.present.words import t

_STATES = {"overdue": "overdue debt", "frozen": "frozen debt", "extended": "extended debt"}
_OF_WHICH = {
    "current": "of which current",
    "overdue": "of which overdue",
    "frozen": "of which frozen",
    "extended": "of which extended",
}
_STOCK, _CURRENT = "outstanding_loans_vnd", "current_debt_vnd"
_FLOWS = ("lending_turnover_vnd", "debt_collection_turnover_vnd", "write_off_vnd")
_RATIO, _WITH_FROZEN, _BOUND = "overdue_share_pct", "overdue_or_frozen_pct", "overdue_frozen_extended_pct"
_GAP = 0.001  # of the closing stock: what rounding may leave between flows and stocks


def outcomes(place, *, lang):
    """Return the debt of the last year from opening to closing and by state, and the states' shares over the years."""
    title = t("What became of the loans", lang)
    debts = [f"{s}_debt_vnd" for s in _STATES]
    rows = yearly.of(place, (_STOCK, _CURRENT, *debts, *_FLOWS, _RATIO, _WITH_FROZEN, _BOUND))
    bound = yearly.series(rows, _BOUND)
    if bound.empty:
        reason = t("Frozen and extended debt are not known beside the overdue debt.", lang)
        return absent(place, "outcomes", "credit", lang, title, reason)
    last = int(bound.index.max())
    steps, gap = _steps(rows, last, lang)
    shares = {s: yearly.series(rows, f"{s}_debt_vnd") / yearly.series(rows, _STOCK) * 100 for s in _STATES}
    with canvas(3.9, 2, width_ratios=(1.15, 1)) as (figure, (left, right)):
        _waterfall(left, steps, last, lang)
        _states(right, {s: x.reindex(bound.index).dropna() for s, x in shares.items()}, lang)
        handles, names = right.get_legend_handles_labels()
        figure.legend(
            handles, names, loc="outside lower right", frameon=False, fontsize=8.5, ncols=3, columnspacing=1.2
        )
        drawing = svg(figure)
    labels = {_RATIO: t("Arrears ratio (the bank's overdue ratio)", lang), _BOUND: t("If all frozen and extended debt were overdue", lang)}  # fmt: skip
    columns, shown, raw = yearly.table(
        _exact(rows),
        (_STOCK, _CURRENT, *debts, *_FLOWS[1:], _RATIO, _WITH_FROZEN, _BOUND),
        lang,
        labels=labels,
    )
    ratio = yearly.series(rows, _RATIO)
    alt = t(
        "At the end of {year}, {overdue} of the outstanding was overdue; with frozen and extended debt it was {bound}.",
        lang,
        year=last,
        overdue=words.rounded(ratio.get(last), "percent", lang),
        bound=words.rounded(bound[last], "percent", lang),
    )
    caption = t(
        "The bank's overdue ratio is an arrears ratio (Decision 976/QĐ-TTg): only amounts already due and unpaid count, so it is no portfolio at risk and can't be compared with one. Debt that is frozen (khoanh) or extended (gia hạn) leaves it without being repaid: the top of each bar is the ratio if all of it were overdue.",
        lang,
    )
    notes = [_highest(bound, ratio, lang)]
    if gap:
        notes.append(
            t(
                "The flows of {year} miss the closing balance by {gap}: ask the office for the difference.",
                lang,
                year=last,
                gap=words.money(gap, lang),
            )
        )
    return Block(
        kind="figure", id="outcomes", section="credit", lang=lang, audience=place.audience, title=title, caption=caption,
        alt=alt, svg=drawing, columns=columns, rows=shown, raw=raw, notes=tuple(notes), level="L0",
    )  # fmt: skip


def _exact(rows):
    """The arrears ratio without its bound, which has a column of its own."""
    own = rows["indicator"] == _RATIO
    return rows.assign(**{c: rows[c].where(~own, rows["value"]) for c in ("lower", "upper")})


def _highest(bound, ratio, lang):
    year = int(bound.idxmax())
    return t(
        "Highest in {year}: {overdue} overdue, {bound} with frozen and extended debt.",
        lang,
        year=year,
        overdue=words.rounded(ratio.get(year), "percent", lang),
        bound=words.rounded(bound[year], "percent", lang),
    )


def _steps(rows, year, lang):
    """Return the bars of the waterfall (label, from, to, kind) and the gap between flows and stocks."""
    stock = yearly.series(rows, _STOCK)
    closing, opening = stock[year], stock.get(year - 1)
    lent, collected, written = (yearly.series(rows, f).get(year) for f in _FLOWS)
    steps, gap = [], 0
    if None not in (opening, lent, collected, written):
        after = opening + lent
        steps = [
            (t("owed at the end of {year}", lang, year=year - 1), 0, opening, "stock"),
            (t("+ lent", lang), opening, after, "in"),
            (t("− repaid", lang), after - collected, after, "out"),
            (t("− written off", lang), after - collected - written, after - collected, "lost"),
        ]
        gap = closing - (after - collected - written)
        gap = gap if abs(gap) > _GAP * closing else 0
    steps.append((t("owed at the end of {year}", lang, year=year), 0, closing, "stock"))
    foot = 0.0
    for state, label in _OF_WHICH.items():
        amount = yearly.series(rows, f"{state}_debt_vnd").get(year)
        if amount is not None:
            steps.append((t(label, lang), foot, foot + amount, state))
            foot += amount
    return steps, gap


_LOOKS = {
    "stock": {"facecolor": PLACE},
    "in": {"facecolor": "#9cc3e6"},
    "out": fill(1),
    "lost": {"facecolor": INK},
    "current": {"facecolor": "#9cc3e6"},
    "overdue": {"facecolor": AREA},
    "frozen": fill(3),
    "extended": fill(4),
}


def _waterfall(axes, steps, year, lang):
    top = max(end for _, _, end, _ in steps)
    scale = 1e9 if top >= 1e9 else 1e6
    for y, (_, start, end, kind) in enumerate(steps):
        axes.barh(y, max(end - start, top * 0.003) / scale, left=start / scale, height=0.66, **_LOOKS[kind])
        axes.text(end / scale, y, "  " + words.money(end - start, lang), va="center", fontsize=8.5)
    axes.set_yticks(range(len(steps)), [label for label, *_ in steps])
    axes.invert_yaxis()
    axes.set_xlim(0, top / scale * 1.42)
    axes.xaxis.set_major_formatter(ticks(lang))
    axes.grid(axis="y", visible=False)
    axes.set_xlabel(t("billion VND", lang) if scale == 1e9 else t("million VND", lang))
    axes.set_title(t("Where the money of {year} stands", lang, year=year), fontsize=9.5, loc="left")


def _states(axes, shares, lang):
    years = shares["overdue"].index
    foot = np.zeros(len(years))
    for state, share in shares.items():
        height = share.reindex(years).fillna(0).to_numpy()
        axes.bar(years, height, bottom=foot, width=0.72, label=t(_STATES[state], lang), **_LOOKS[state])
        foot = foot + height
    if foot.max() == 0:
        axes.text(0.5, 0.5, t("none in any year", lang), transform=axes.transAxes, ha="center", color=OTHERS)
    axes.set_ylim(0, max(foot.max() * 1.08, 0.1))
    years_axis(axes, [int(years.min()), int(years.max())], most=6)
    axes.yaxis.set_major_formatter(ticks(lang, "%"))
    axes.grid(axis="x", visible=False)
    axes.set_title(t("Share of the outstanding, by year", lang), fontsize=9.5, loc="left")
