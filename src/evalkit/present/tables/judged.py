"""A place beside its named comparators: what each figure is, what theirs is, and what the test found."""

from evalkit.metrics import compare
from evalkit.present import judgements, say, words
from evalkit.present.tables.parts import block, plain
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
    cells = table.set_index(["indicator", "comparator"])
    shown, raw = [], []
    for indicator in (i for i in compare.TESTS if i in set(table["indicator"])):
        beside = [cells.loc[(indicator, n)] if (indicator, n) in cells.index else None for n in names]
        own = next(row for row in beside if row is not None)
        own = own.copy()
        own["indicator"] = indicator
        head = (words.indicator(indicator, lang), words.period(own["period"], lang), say.value(own, lang))
        shown.append((*head, *(_cell(row, name, lang) for row, name in zip(beside, names, strict=True))))
        raw.append(
            (
                indicator,
                own["period"],
                plain(own["value"]),
                *(None if row is None else row["verdict"] for row in beside),
            )
        )
    columns = (
        ("indicator", t("Indicator", lang), False),
        ("period", t("Date", lang), False),
        ("value", place.unit["name"], True),
        *((name, judgements.comparator(name, place.unit, lang), False) for name in names),
    )
    caption = t(
        "In each cell the comparators' figure, the place itself left out, then what may be said of the place beside it. “Not distinguishable” doesn't mean equal: the figures can't tell.",
        lang,
    )
    return block(
        place, "table", "judged", "evaluation", lang, title, caption=caption, columns=columns,
        rows=tuple(shown), raw=tuple(raw), notes=_notes(place, table, names, lang), level="L1",
    )  # fmt: skip


def _cell(row, name, lang):
    if row is None:
        return "–"
    row = row.copy()
    row["comparator"] = name
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
    shown = tuple(
        (
            str(r.rank),
            say.unit_name({"type": r.peer_type, "name": r.peer_name}, lang),
            r.peer_district,
            words.decimal(r.distance, lang, 2),
        )
        for r in rows.itertuples()
    )
    columns = (
        ("rank", t("No.", lang), False),
        ("peer", t("Place", lang), False),
        ("district", t("District", lang), False),
        ("distance", t("Distance", lang), True),
    )
    caption = t(
        "Distance: how far two places of the same type lie apart in elevation, distance to the centre and share of ethnic minorities, in standard deviations. Poverty, income and credit play no part in it.",
        lang,
    )
    kept = t("The list is kept from an earlier release.", lang) if rows["frozen"].any() else ""
    return block(
        place, "table", "peers", "evaluation", lang, title, caption=caption, columns=columns, rows=shown,
        raw=tuple((int(r.rank), r.peer, plain(r.peer_district), float(r.distance)) for r in rows.itertuples()),
        notes=(kept,) if kept else (), level="L1",
    )  # fmt: skip
