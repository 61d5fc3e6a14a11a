"""A place beside its named comparators: what each figure is, what theirs is, and what the test found."""

from evalkit.metrics import compare
from evalkit.present import judgements, say, words
from evalkit.present.tables import parts
from evalkit.present.tables.parts import Column, block, date, field, indicator, lines
from evalkit.present.words import t


def judged(place, *, lang):
    """Return the place's latest figures beside those of each comparator: better, similar, worse, or why not judged."""
    title = t("Beside named comparators", lang)
    table = place.compared
    if table.empty or (table["verdict"] == "not judged").all():
        text = t(
            "None of the figures can be judged beside others: too few are known on the same basis.", lang
        )
        return block(place, "notice", "judged", "evaluation", lang, title, paragraphs=(text,))
    table = table[table["indicator"].isin(table.loc[table["verdict"] != "not judged", "indicator"])]
    names = [n for n in judgements.COMPARATORS if n in set(table["comparator"])]
    cells = table.set_index(["indicator", "comparator"], drop=False)
    judged_here = [i for i in compare.TESTS if i in set(table["indicator"])]
    columns = (
        indicator(lang),
        date(lang),
        Column("value", place.unit["name"], lambda r: say.value(r, lang), field("value"), numeric=True),
        *(_verdicts(place, name, cells, lang) for name in names),
    )
    caption = t(
        "In each cell the comparators' figure, the place itself left out, then what may be said of the place beside it. “Not distinguishable” doesn't mean equal: the figures can't tell.",
        lang,
    )
    return parts.table(
        place, "judged", "evaluation", lang, title, columns, [_own(cells, i, names) for i in judged_here],
        caption=caption, notes=_notes(place, table, names, lang), level="L1",
    )  # fmt: skip


def _own(cells, indicator, names):
    """Return the place's figure of an indicator: the same in each of its comparisons."""
    name = next(n for n in names if (indicator, n) in cells.index)
    return cells.loc[(indicator, name)]


def _verdicts(place, name, cells, lang):
    """Return the column of one comparator."""

    def cell(row):
        key = (row["indicator"], name)
        return _cell(cells.loc[key], lang) if key in cells.index else "–"

    def verdict(row):
        key = (row["indicator"], name)
        return cells.loc[key]["verdict"] if key in cells.index else None

    return Column(name, judgements.comparator(name, place.unit, lang), cell, verdict)


def _cell(row, lang):
    said = judgements.verdict(row, lang)
    return said if row["reason"] == "hidden" else f"{judgements.reference(row, lang)}: {said}"


def _notes(place, table, names, lang):
    main = judgements.main_comparator(table)
    return tuple(
        note
        for note in (
            judgements.chance(table, main, lang) if main else "",
            _funnel(place, table, lang),
            *judgements.tests(table["test"], lang),
            *judgements.reasons(names, lang),
        )
        if note
    )


def _funnel(place, table, lang):
    """How far chance alone carries the poverty rate of a place of this size."""
    row = table[(table["indicator"] == "poverty_rate_pct") & table["limit_lower"].notna()]
    if row.empty:
        return ""
    row = row.iloc[0]
    return t(
        "Of {n} households, a place whose true rate were the others' {rate} would show between {low} and {high} in 95 cases of 100, by chance alone.",
        lang,
        n=words.decimal(row["denominator"], lang, 0),
        rate=words.rounded(row["reference"], "percent", lang),
        low=words.rounded(row["limit_lower"], "percent", lang),
        high=words.rounded(row["limit_upper"], "percent", lang),
    )


def peers(place, *, lang):
    """Return which places are the place's peers, and how far each is from it."""
    title = t("The peers", lang)
    if place.peers.empty:
        text = t(
            "No peers are named: elevation, distance to the centre and share of ethnic minorities aren't all known of this place.",
            lang,
        )
        return block(place, "notice", "peers", "evaluation", lang, title, paragraphs=(text,))
    rows = place.peers.sort_values("rank")
    columns = (
        Column("rank", t("No.", lang), lambda r: str(r["rank"]), lambda r: int(r["rank"])),
        Column("peer", t("Place", lang), lambda r: _peer(r, lang), field("peer")),
        Column("district", t("District", lang), field("peer_district"), field("peer_district")),
        Column(
            "distance",
            t("Distance", lang),
            lambda r: words.decimal(r["distance"], lang, 2),
            lambda r: float(r["distance"]),
            numeric=True,
        ),
    )
    caption = t(
        "Distance: how far two places of the same type lie apart in elevation, distance to the centre and share of ethnic minorities, in standard deviations. Poverty, income and credit play no part in it.",
        lang,
    )
    kept = t("The list is kept from an earlier release.", lang) if rows["frozen"].any() else ""
    return parts.table(
        place, "peers", "evaluation", lang, title, columns, lines(rows),
        caption=caption, notes=(kept,) if kept else (), level="L1",
    )  # fmt: skip


def _peer(row, lang):
    return say.unit_name({"type": row["peer_type"], "name": row["peer_name"]}, lang)
