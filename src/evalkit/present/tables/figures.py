"""Every figure of a place with its date, basis, counts and remarks, and the sources behind them."""

import pandas as pd

from evalkit.load import schema
from evalkit.present import say, words
from evalkit.present.tables.parts import LONG, Column, block, date, field, indicator, lines, table
from evalkit.present.words import t

_SECTIONS = {
    "credit": ("credit", "groups", "quality", "outputs"),
    "poverty_income": ("poverty", "income", "context"),
}
_ORDER = ("credit", "quality", "groups", "outputs", "poverty", "income", "context")


def figures(place, section, *, lang):
    """Return every figure of a section with its date, basis, counts, remarks and source."""
    rows = place.rows[place.rows["indicator"].map(words.section).isin(_SECTIONS[section])]
    title = t("All figures with their sources", lang)
    if rows.empty:
        missing = {
            "credit": t("The data set holds no figure on credit for this place.", lang),
            "poverty_income": t("The data set holds no figure on poverty or income for this place.", lang),
        }
        return block(place, "notice", "figures", section, lang, title, paragraphs=(missing[section],))
    caption = t("The numbers in brackets lead to the sources at the end of the page.", lang)
    if len(rows) > LONG:
        rows = rows.sort_values("year", kind="stable").drop_duplicates(
            ["indicator", "basis", "method"], keep="last"
        )
        caption = t(
            "The latest figure of each indicator and standard; the charts show the years before.", lang
        )
    rank = rows["indicator"].map(words.section).map(_ORDER.index)
    rows = rows.assign(rank=rank).sort_values(["rank", "indicator", "year"], kind="stable")
    sources = list(dict.fromkeys(place.rows["source"].dropna()))
    columns = (
        indicator(lang),
        Column("value", t("Value", lang), lambda r: say.value(r, lang), field("value"), numeric=True),
        date(lang),
        Column("basis", t("Basis", lang), lambda r: say.basis(r, lang), field("basis")),
        Column("counts", t("Counts", lang), lambda r: say.fraction(r, lang), numeric=True),
        Column("flags", t("Remarks", lang), lambda r: "; ".join(say.remarks(r, lang)), field("flags")),
        Column("source", t("Source", lang), lambda r: f"[{sources.index(r['source']) + 1}]", field("source")),
    )
    return table(place, "figures", section, lang, title, columns, lines(rows), caption=caption)


def sources(place, *, lang):
    """Return every source of the place's figures, numbered as in the tables."""
    own = place.rows[["source", "title"]]
    areas = place.beside[["parent_source", "parent_title"]].set_axis(["source", "title"], axis=1)
    rows = pd.concat([own, areas]).dropna(subset="source").drop_duplicates("source")
    items = tuple(
        {
            "text": f"[{n}] {source_name(r, lang)}",
            "url": r.source if "://" in r.source else "",
            "verified": True,
        }
        for n, r in enumerate(rows.itertuples(), 1)
    )
    return block(place, "sources", "sources", "evaluation", lang, t("Sources", lang), items=items)


def source_name(row, lang):
    """Return the title of a source; for the tables of a delivery, their names in words."""
    if pd.notna(row.title) and row.title:
        return row.title
    known = set(schema.tables())
    return "; ".join(schema.resource(p)["label"][lang] if p in known else p for p in row.source.split("; "))
