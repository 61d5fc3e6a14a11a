"""Tables of a report: the figures with basis and source, comparisons, findings, evidence, data to ask for."""

import json
import re

import pandas as pd

from evalkit.load import reference, schema
from evalkit.load.findings import RULES
from evalkit.present import say, words
from evalkit.present.blocks import Block
from evalkit.present.words import t

_SECTIONS = {
    "credit": ("credit", "groups", "quality", "outputs"),
    "poverty_income": ("poverty", "income", "context"),
}
LONG = 60  # rows beyond which a table of all years is cut to the latest of each
_ORDER = ("credit", "quality", "groups", "outputs", "poverty", "income", "context")


def _block(place, kind, id, section, lang, title, **content):
    return Block(
        kind=kind, id=id, section=section, lang=lang, audience=place.audience, title=title, **content
    )


def figures(place, section, *, lang):
    """Return every figure of a section with its date, basis, counts, remarks and source."""
    rows = place.rows[place.rows["indicator"].map(words.section).isin(_SECTIONS[section])]
    title = t("All figures with their sources", lang)
    if rows.empty:
        missing = {
            "credit": t("The data set holds no figure on credit for this place.", lang),
            "poverty_income": t("The data set holds no figure on poverty or income for this place.", lang),
        }
        return _block(place, "notice", "figures", section, lang, title, paragraphs=(missing[section],))
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
    shown, raw = [], []
    for _, row in rows.iterrows():
        remarks = "; ".join(say.remarks(row, lang))
        number = f"[{sources.index(row['source']) + 1}]"
        shown.append(
            (
                words.indicator(row["indicator"], lang),
                say.value(row, lang),
                words.period(row["period"], lang),
                say.basis(row, lang),
                say.fraction(row, lang),
                remarks,
                number,
            )
        )
        raw.append(
            (
                row["indicator"],
                _plain(row["value"]),
                _plain(row["period"]),
                _plain(row["basis"]),
                None,
                _plain(row["flags"]),
                row["source"],
            )
        )
    columns = (
        ("indicator", t("Indicator", lang), False),
        ("value", t("Value", lang), True),
        ("period", t("Date", lang), False),
        ("basis", t("Basis", lang), False),
        ("counts", t("Counts", lang), True),
        ("flags", t("Remarks", lang), False),
        ("source", t("Source", lang), False),
    )
    return _block(
        place,
        "table",
        "figures",
        section,
        lang,
        title,
        caption=caption,
        columns=columns,
        rows=tuple(shown),
        raw=tuple(raw),
    )


def _latest(rows, by):
    return rows.sort_values("year", kind="stable").drop_duplicates(by, keep="last")


def comparable():
    """Return the indicators that don't grow with the size of the place."""
    return set(reference.table("indicators").query("comparable == 'true'")["indicator"])


def _plain(value):
    return None if pd.isna(value) else value


def beside(place, *, lang):
    """Return the place's figures beside those of its district, province or the nation of the same year and standard."""
    title = t("Beside the province and the nation", lang)
    pairs = place.beside
    if pairs.empty:
        text = t(
            "No figure of the same year and on the same basis was found for a larger area that this place belongs to.",
            lang,
        )
        return _block(place, "notice", "beside", "evaluation", lang, title, paragraphs=(text,))
    if len(pairs) > LONG:
        pairs = _latest(pairs[pairs["indicator"].isin(comparable())], ["indicator", "parent"])
    shown, raw = [], []
    for _, pair in pairs.sort_values(["indicator", "year"], kind="stable").iterrows():
        parent = pd.Series(
            {c.removeprefix("parent_"): pair[c] for c in pairs.columns if c.startswith("parent_")}
            | {"indicator": pair["parent_indicator"]}
        )
        shown.append(
            (
                words.indicator(pair["indicator"], lang),
                words.period(pair["period"], lang),
                say.value(pair, lang),
                say.basis_and_method(pair, lang),
                pair["parent_name"],
                say.value(parent, lang),
                say.basis_and_method(parent, lang),
            )
        )
        raw.append(
            (
                pair["indicator"],
                _plain(pair["period"]),
                _plain(pair["value"]),
                _plain(pair["basis"]),
                pair["parent"],
                _plain(pair["parent_value"]),
                _plain(pair["parent_basis"]),
            )
        )
    columns = (
        ("indicator", t("Indicator", lang), False),
        ("period", t("Date", lang), False),
        ("value", place.unit["name"], True),
        ("basis", t("Standard and kind of statistic", lang), False),
        ("area", t("Area", lang), False),
        ("area_value", t("Area's figure", lang), True),
        ("area_basis", t("Standard and kind of statistic", lang), False),
    )
    notes = _beside_notes(pairs, lang)
    caption = t("Only figures of the same year and standard stand side by side; nothing is subtracted.", lang)
    return _block(
        place,
        "table",
        "beside",
        "evaluation",
        lang,
        title,
        caption=caption,
        columns=columns,
        rows=tuple(shown),
        raw=tuple(raw),
        notes=notes,
        level="L1",
    )


def _beside_notes(pairs, lang):
    differs = set(";".join(pairs["differs"].dropna()).split(";"))
    notes = []
    if "method" in differs:
        notes.append(
            t(
                "A household review lists the poor household by household, for eligibility; a survey estimates from a sample. The two are different statistics.",
                lang,
            )
        )
    if (
        pairs["parent_basis"].fillna("").str.endswith("-cpi")
        & ~pairs["basis"].fillna("").str.endswith("-cpi")
    ).any():
        notes.append(
            t(
                "The statistical office's income line of 2011–2015 was raised with prices each year; the review's was not.",
                lang,
            )
        )
    if "unit" in differs:
        notes.append(
            t(
                "A commune reports income per year, the statistical office per month: compare direction, not size.",
                lang,
            )
        )
    return tuple(notes)


def among(place, *, lang):
    """Return where the place stands among others of its level on the same basis, by indicator and date."""
    title = t("Among other places on the same basis", lang)
    minimum = place.settings["publish"]["minimum_comparators"]
    rows = place.among[place.among["median"].notna()]
    few = place.among[place.among["median"].isna()]
    if len(rows) > LONG:
        rows = _latest(rows, ["indicator"])
    note = (
        t(
            "Fewer than {n} other places on the same basis: no comparison for {k} further figures.",
            lang,
            n=minimum,
            k=len(few),
        )
        if len(few)
        else ""
    )
    if rows.empty:
        return _block(
            place,
            "notice",
            "among",
            "evaluation",
            lang,
            title,
            paragraphs=(note,) if note else (t("No comparison is possible.", lang),),
            level="L0",
        )
    shown, raw = [], []
    for _, row in rows.sort_values(["indicator", "year"], kind="stable").iterrows():
        own = place.rows[
            (place.rows["indicator"] == row["indicator"])
            & (place.rows["period"].fillna("") == (row["period"] or ""))
            & (place.rows["method"].fillna("") == (row["method"] or ""))
        ].iloc[0]
        low, mid, high = (
            words.rounded(row[c], own["unit"], lang) for c in ("lower_quartile", "median", "upper_quartile")
        )
        shown.append(
            (
                words.indicator(row["indicator"], lang),
                words.period(row["period"], lang),
                say.value(own, lang),
                words.decimal(row["n"], lang, 0),
                mid,
                f"{low} – {high}",
                position(row, lang),
            )
        )
        raw.append(
            (
                row["indicator"],
                _plain(row["period"]),
                _plain(own["value"]),
                int(row["n"]),
                _plain(row["median"]),
                None,
                f"{int(row['below'])}/{int(row['above'])}/{int(row['undecided'])}",
            )
        )
    columns = (
        ("indicator", t("Indicator", lang), False),
        ("period", t("Date", lang), False),
        ("value", place.unit["name"], True),
        ("n", t("Others (n)", lang), True),
        ("median", t("Their median", lang), True),
        ("middle_half", t("Middle half of them", lang), True),
        ("position", t("Position", lang), False),
    )
    caption = t(
        "Others: places of the same level with the same indicator, standard and kind of statistic, at most {y} year apart.",
        lang,
        y=place.settings["publish"]["comparison_years"],
    )
    return _block(
        place,
        "table",
        "among",
        "evaluation",
        lang,
        title,
        caption=caption,
        columns=columns,
        rows=tuple(shown),
        raw=tuple(raw),
        notes=(note,) if note else (),
        level="L1",
    )


def position(row, lang):
    """Return where a value lies among others, in words that obey the printed bounds."""
    n, below, above, undecided = (int(row[c]) for c in ("n", "below", "above", "undecided"))
    if undecided == n:
        return t("not distinguishable from any of the {n}", lang, n=n)
    said = t("higher than {below}, lower than {above} of {n}", lang, below=below, above=above, n=n)
    return said + (t("; {k} not distinguishable", lang, k=undecided) if undecided else "")


def findings(place, *, lang):
    """Return what the identity and plausibility checks found on this place, in words."""
    title = t("Checks of these figures", lang)
    rows = place.findings
    if rows.empty:
        text = t("The identity and plausibility checks found nothing to object to.", lang)
        return _block(place, "text", "checks", "evaluation", lang, title, paragraphs=(text,))
    grouped = {}
    for row in rows.itertuples():
        grouped.setdefault((row.rule, row.severity), []).append(sentence(row, lang))
    severities = {"error": t("error", lang), "warning": t("warning", lang), "note": t("note", lang)}
    shown = [
        (severities[severity], s) for (_, severity), all_ in grouped.items() for s in dict.fromkeys(all_)
    ]
    columns = (("severity", t("Weight", lang), False), ("finding", t("Finding", lang), False))
    raw = tuple((s, None) for s, _ in shown)
    return _block(
        place, "table", "checks", "evaluation", lang, title, columns=columns, rows=tuple(shown), raw=raw
    )


def sentence(found, lang):
    """Return a finding in the reader's language: indicators, standards, numbers and dates as elsewhere."""
    return t(
        RULES[found.rule], lang, **{k: _said(k, v, lang) for k, v in json.loads(found.arguments).items()}
    )


def _said(key, value, lang):
    if isinstance(value, float | int) and key != "row":
        return words.decimal(value, lang, 3)
    if key == "standard":
        return words.standard(value, lang)
    if isinstance(value, str) and re.fullmatch(r"\d{4}-\d{2}(-\d{2})?", value):
        return words.period(value, lang)
    return words.name_of(value, lang)


def standards(place, *, lang):
    """Return the poverty standards that the place's figures stand on: period, lines, rule, law."""
    title = t("The poverty standards, as the law has them", lang)
    used = place.rows.loc[place.rows["indicator"].str.contains("poor|poverty"), "basis"].dropna().unique()
    rules = reference.table("poverty_standards")
    rules = rules[rules["standard"].isin(used) & (rules["class"] == "poor")]
    if rules.empty:
        text = t("No figure here stands on a known poverty standard.", lang)
        return _block(place, "notice", "standards", "poverty_income", lang, title, paragraphs=(text,))
    shown, raw = [], []
    for rule in rules.itertuples():
        line = (
            t("up to {x} per person per month", lang, x=words.money(rule.income_max_vnd, lang))
            if pd.notna(rule.income_max_vnd)
            else t("set by the statistical office", lang)
        )
        if pd.notna(rule.income_min_vnd) and rule.income_min_vnd > 0:
            line = t(
                "over {low} up to {high} per person per month",
                lang,
                low=words.money(rule.income_min_vnd, lang),
                high=words.money(rule.income_max_vnd, lang),
            )
        lacking = (
            t(
                "and at least {k} of {n} deprivations",
                lang,
                k=int(rule.deprivations_min),
                n=int(rule.of_deprivations),
            )
            if pd.notna(rule.deprivations_min) and rule.deprivations_min > 0
            else t("income alone", lang)
        )
        area = t("rural", lang) if rule.area == "rural" else t("urban", lang) if rule.area == "urban" else "–"
        span = f"{words.date(rule.valid_from, lang)} – {words.date(rule.valid_to, lang)}"
        law = rule.legal_basis + ("" if rule.verified else f" ({t('not verified', lang)})")
        shown.append((words.standard(rule.standard, lang), area, span, line, lacking, law))
        raw.append(
            (
                rule.standard,
                rule.area,
                None,
                _plain(rule.income_max_vnd),
                _plain(rule.deprivations_min),
                rule.legal_basis,
            )
        )
    columns = (
        ("standard", t("Standard", lang), False),
        ("area", t("Area", lang), False),
        ("in_force", t("In force", lang), False),
        ("income", t("Income", lang), True),
        ("deprivations", t("Deprivations", lang), False),
        ("law", t("Law", lang), False),
    )
    caption = t("A household is poor by a standard where any of its rows holds for its area.", lang)
    notes = []
    if len(set(used) - {"2011-2015-cpi"}) > 1:
        notes = [
            b[f"what_{lang}"] + (f" ({b['legal_basis']})" if b["legal_basis"] else "")
            for _, b in reference.table("series_breaks")
            .query("series == 'poverty' and standard_after in @used")
            .iterrows()
        ]
    return _block(
        place,
        "table",
        "standards",
        "poverty_income",
        lang,
        title,
        caption=caption,
        columns=columns,
        rows=tuple(shown),
        raw=tuple(raw),
        notes=tuple(notes),
    )


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
    return _block(
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
    return _block(
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


def source_name(row, lang):
    """Return the title of a source; for the tables of a delivery, their names in words."""
    if pd.notna(row.title) and row.title:
        return row.title
    known = set(schema.tables())
    return "; ".join(schema.resource(p)["label"][lang] if p in known else p for p in row.source.split("; "))


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
    return _block(place, "sources", "sources", "evaluation", lang, t("Sources", lang), items=items)
