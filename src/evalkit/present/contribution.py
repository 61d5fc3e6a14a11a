"""What goes with credit in one place's change, as far as the level allows."""

import pandas as pd

from evalkit.present import impact, words
from evalkit.present.blocks import Block
from evalkit.present.words import t

PARTS = ("standard", "shared", "credit", "rest")
LABELS = {
    "change": "Whole change",
    "standard": "change of standard",
    "shared": "shared by all communes",
    "credit": "goes with its credit intensity",
    "rest": "the rest",
}


def parts(place, outcome):
    """Return the place's parts of an outcome that may be shown, one row each; None where there is none.

    Where a poverty figure that the parts are made from is hidden from this reader, so are the parts.
    """
    table = place.parts
    table = table[table["outcome"] == outcome] if table is not None else None
    if table is None or table.empty:
        return None
    if outcome != "log_income":
        span = table.dropna(subset=["start"]).iloc[0]
        crossed = [int(year) for year in str(span["crossed"]).split(",") if year]
        used = place.rows["year"].isin([span["start"], span["end"], *crossed])
        hidden = place.rows["flags"].fillna("").str.contains("hidden")
        poor = place.rows["indicator"].str.contains("poor|poverty")
        if (used & hidden & poor).any():
            return None
    return table.set_index("part")


def change(place, *, lang):
    """Return the place's change of poverty and income taken apart, in sentences."""
    title = t("What goes with credit, and what doesn't", lang)
    said, level = [], "L0"
    for outcome in ("poor_pct", "log_income"):
        own = parts(place, outcome)
        if own is not None:
            said.append(_sentences(own, outcome, lang))
            level = max(level, own["level"].iloc[0])
    if not said:
        said = [
            t(
                "This place's change can't be taken apart here: that needs its own yearly figures on credit and poverty, "
                "those of many other communes, and none of the figures hidden.",
                lang,
            )
        ]
        return _block(place, "text", "parts_text", lang, title, paragraphs=tuple(said))
    if level == "L2":
        said.append(
            t("What goes with credit is an association across communes, applied to this one. It doesn't show that credit is "
              "the reason, and what credit did for all communes alike is in the shared part.", lang)
        )  # fmt: skip
    said.append(impact.modest(lang))
    return _block(place, "text", "parts_text", lang, title, paragraphs=tuple(said), level=level)


def _sentences(own, outcome, lang):
    figure = lambda part, column="value": impact.figure(own.at[part, column], outcome, lang)  # noqa: E731
    years = {"first": int(own.at["change", "start"]), "last": int(own.at["change", "end"])}
    said = [
        t("{first}–{last}: the {outcome} changed by {x}.", lang, **years, outcome=t(impact.OUTCOMES[outcome], lang),
          x=figure("change"))
    ]  # fmt: skip
    if pd.isna(own.at["standard", "value"]):
        said.append(
            t("The standard changed in between and no year was counted on both, so neither the part of the new line nor "
              "the rest is known.", lang)
        )  # fmt: skip
        return " ".join(said)
    if outcome != "log_income":
        said.append(t("Changes of standard account for {x}.", lang, x=figure("standard")))
    said.append(t("Communes on average changed by {x} over the same years.", lang, x=figure("shared")))
    if pd.isna(own.at["credit", "value"]):
        said.append(t("What goes with its credit isn't known: the estimate was refused.", lang))
    else:
        span = t("{low} to {high}", lang, low=figure("credit", "lower"), high=figure("credit", "upper"))
        said.append(
            t("Its credit grew differently from others'; {x} goes with that (95% interval {span}).", lang,
              x=figure("credit"), span=span)
        )  # fmt: skip
    said.append(t("The rest, {x}, is its own and unexplained.", lang, x=figure("rest")))
    if outcome == "log_income":
        said.append(t("Parts of a change in income multiply: 10 % and 10 % make 21 %.", lang))
    if "pooled" in own.index:
        low, high = (impact.figure(own.at["pooled", end], outcome, lang) for end in ("lower", "upper"))
        said.append(
            t("Its own years alone, pulled towards the mean of all communes as far as noise warrants, give {x} per million "
              "VND per household ({low} to {high}).", lang, x=figure("pooled"), low=low, high=high)
        )  # fmt: skip
    return " ".join(said)


def decomposition(place, *, lang):
    """Return the bars of the place's change of poverty taken apart, with the interval of the part of credit."""
    from evalkit.present.charts.canvas import AREA, INK, OTHERS, PLACE, absent, canvas, svg

    title = t("The change of the poverty rate taken apart", lang)
    own = parts(place, "poor_pct")
    if own is None or pd.isna(own.at["standard", "value"]):
        why = t("There is nothing to show here.", lang)
        return absent(place, "parts", "evaluation", lang, title, why)
    shown = [p for p in ("change", *PARTS) if pd.notna(own.at[p, "value"])]
    colours = {"change": INK, "standard": OTHERS, "shared": AREA, "credit": PLACE, "rest": "#c9ced6"}
    label = {p: t(LABELS[p], lang) for p in shown}
    said = {p: impact.figure(own.at[p, "value"], "poor_pct", lang) for p in shown}
    with canvas(0.5 * len(shown) + 1.0) as (figure, axes):
        reached = 0.0
        for y, part in enumerate(shown):
            value = own.at[part, "value"]
            left = 0.0 if part == "change" else reached
            axes.barh(y, value, left=left, color=colours[part], height=0.55)
            if part != "change":
                reached += value
            if part == "credit":
                ends = [left + own.at[part, end] for end in ("lower", "upper")]
                axes.plot(ends, [y, y], color=INK, lw=1.5, marker="|", ms=9)
            axes.annotate(
                said[part],
                (max(left, left + value), y),
                xytext=(8, 0),
                textcoords="offset points",
                va="center",
            )
        axes.axvline(0, color=INK, lw=0.8)
        axes.set_yticks(range(len(shown)), [label[p][0].upper() + label[p][1:] for p in shown])
        axes.invert_yaxis()
        axes.use_sticky_edges = False
        axes.margins(x=0.18)
        axes.xaxis.set_major_formatter(lambda x, _: words.decimal(x, lang))
        axes.grid(axis="y", visible=False)
        axes.set_xlabel(t("percentage points", lang))
        drawing = svg(figure)
    ends = {p: [impact.figure(own.at[p, e], "poor_pct", lang) for e in ("lower", "upper")] for p in shown}
    rows = tuple((label[p], said[p], *(ends[p] if p in ("credit", "rest") else ("", ""))) for p in shown)
    raw = tuple((p, *(float(own.at[p, c]) for c in ("value", "lower", "upper"))) for p in shown)
    columns = (
        ("part", t("Part", lang), False),
        ("value", t("Change", lang), True),
        ("lower", t("From", lang), True),
        ("upper", t("To", lang), True),
    )
    years = {"first": int(own.at["change", "start"]), "last": int(own.at["change", "end"])}
    return _block(
        place, "figure", "parts", lang, title, svg=drawing, columns=columns, rows=rows, raw=raw,
        level=own["level"].iloc[0], alt="; ".join(f"{label[p]}: {said[p]}" for p in shown) + ".",
        caption=t("{first}–{last}. The parts add up to the whole change; the line is the 95% interval of what goes with "
                  "credit.", lang, **years),
    )  # fmt: skip


def _block(place, kind, id, lang, title, **content):
    return Block(
        kind=kind, id=id, section="evaluation", lang=lang, audience=place.audience, title=title, **content
    )
