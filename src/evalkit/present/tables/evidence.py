"""What was found elsewhere, and which data would allow to say more."""

import pandas as pd

from evalkit.load import reference, schema
from evalkit.present.tables.parts import block
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
    shown, raw, items = [], [], []
    for (study, _), found in rows.groupby(["study", "design"], sort=False):
        first = found.iloc[0]
        who = first["authors"].replace("; ", ", ") + (
            f" ({first['year']})" if pd.notna(first["year"]) and str(first["year"]) else ""
        )
        verified = bool(found["verified"].all())
        said = " ".join(found[f"finding_{lang}"]) + ("" if verified else f" ({t('not verified', lang)})")
        shown.append((who, first[f"place_{lang}"], designs.get(first["design"], first["design"]), said))
        raw.append((study, None, first["design"], None))
        if first["source_url"]:
            items.append({"text": who, "url": first["source_url"], "verified": verified})
    columns = (
        ("study", t("Study", lang), False),
        ("place", t("Where", lang), False),
        ("design", t("Design", lang), False),
        ("finding", t("Finding", lang), False),
    )
    title = t("What experiments and studies found elsewhere", lang)
    caption = t(
        "Six experiments together: modestly positive, not transformative. A claim far above that needs stronger proof than figures of one place.",
        lang,
    )
    items = list({(i["text"], i["url"]): i for i in items}.values())
    return block(
        place,
        "table",
        "elsewhere",
        "evaluation",
        lang,
        title,
        caption=caption,
        columns=columns,
        rows=tuple(shown),
        raw=tuple(raw),
        items=tuple(items),
        level="L4",
    )


def data_to_ask(place, *, lang):
    """Return which data would allow the report to say more: what, of whom, and what it would add."""
    have = set(place.rows["indicator"])
    asked = reference.table("data_requests").itertuples()
    missing = [a for a in asked if not a.satisfied_by or not have & set(a.satisfied_by.split("|"))]
    cells = ("what", "whom", "adds")
    rows = [(ask_label(a.table, lang), *(getattr(a, f"{c}_{lang}") for c in cells)) for a in missing]
    columns = (
        ("table", t("Table", lang), False),
        ("what", t("What", lang), False),
        ("whom", t("Of whom", lang), False),
        ("adds", t("What it would add", lang), False),
    )
    title = t("Data to ask for", lang)
    return block(
        place,
        "table",
        "ask",
        "evaluation",
        lang,
        title,
        columns=columns,
        rows=tuple(rows),
        raw=tuple((r[0], None, None, None) for r in rows),
    )


def ask_label(table, lang):
    """Return the name of a table of the schema, or of the whole set of them."""
    if table == "comparison":
        return t("All tables, all communes", lang)
    return schema.resource(table)["label"][lang]
