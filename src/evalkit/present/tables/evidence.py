"""What was found elsewhere, and which data would allow to say more."""

from operator import attrgetter

import pandas as pd

from evalkit.load import reference, schema
from evalkit.present.tables.parts import Column, table
from evalkit.present.words import t


def evidence_elsewhere(place, *, lang):
    """Return what experiments and studies elsewhere found, one row per study, the strongest designs first."""
    rows = reference.evidence()
    designs = {
        "experiment": t("experiment", lang),
        "quasi-experiment": t("quasi-experiment", lang),
        "observational": t("observational", lang),
    }
    rank = rows["design"].map({"experiment": 0, "quasi-experiment": 1}).fillna(2)
    rows = rows.assign(rank=rank).sort_values(["rank", "year"], kind="stable")
    studies = [found for _, found in rows.groupby(["study", "design"], sort=False)]
    columns = (
        Column("study", t("Study", lang), lambda s: _who(s, lang), lambda s: s["study"].iloc[0]),
        Column("place", t("Where", lang), lambda s: s[f"place_{lang}"].iloc[0]),
        Column(
            "design",
            t("Design", lang),
            lambda s: designs.get(s["design"].iloc[0], s["design"].iloc[0]),
            lambda s: s["design"].iloc[0],
        ),
        Column("finding", t("Finding", lang), lambda s: _found(s, lang)),
    )
    title = t("What experiments and studies found elsewhere", lang)
    caption = t(
        "Six experiments together: modestly positive, not transformative. A claim far above that needs stronger proof than figures of one place.",
        lang,
    )
    linked = {(_who(s, lang), s["source_url"].iloc[0]): bool(s["verified"].all()) for s in studies}
    items = tuple({"text": who, "url": url, "verified": v} for (who, url), v in linked.items() if url)
    return table(
        place, "elsewhere", "evaluation", lang, title, columns, studies,
        caption=caption, items=items, level="L4",
    )  # fmt: skip


def _who(study, lang):
    first = study.iloc[0]
    if first["authors"] == "several":
        return t("several authors", lang)
    year = f" ({first['year']})" if pd.notna(first["year"]) and str(first["year"]) else ""
    return first["authors"].replace("; ", ", ").replace("et al.", t("et al.", lang)) + year


def _found(study, lang):
    said = " ".join(study[f"finding_{lang}"])
    return said if study["verified"].all() else f"{said} ({t('not verified', lang)})"


def data_to_ask(place, *, lang):
    """Return which data would allow the report to say more: what, of whom, and what it would add."""
    have = _delivered(place)
    missing = [a for a in reference.table("data_requests").itertuples() if a.table not in have]
    columns = (
        Column(
            "table", t("Table", lang), lambda a: ask_label(a.table, lang), lambda a: ask_label(a.table, lang)
        ),
        Column("what", t("What", lang), attrgetter(f"what_{lang}")),
        Column("whom", t("Of whom", lang), attrgetter(f"whom_{lang}")),
        Column("adds", t("What it would add", lang), attrgetter(f"adds_{lang}")),
    )
    return table(place, "ask", "evaluation", lang, t("Data to ask for", lang), columns, missing)


def _delivered(place):
    """The tables from which figures of the place come; "comparison" where other communes brought the same ones."""
    sources = place.rows["source"].dropna().str.split("; ").explode()
    tables = set(sources) & set(schema.tables())
    own = place.rows.loc[place.rows["source"].isin(tables), ["indicator", "year", "method"]]
    others = place.among[place.among["median"].notna()].merge(own, on=["indicator", "year", "method"])
    return tables | ({"comparison"} if len(others) else set())


def ask_label(table, lang):
    """Return the name of a table of the schema, or of the whole set of them."""
    if table == "comparison":
        return t("All tables, all communes", lang)
    return schema.resource(table)["label"][lang]
