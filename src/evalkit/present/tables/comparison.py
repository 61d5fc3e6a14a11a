"""A place beside the areas that it belongs to, and among others on the same basis."""

from evalkit.present import say, words
from evalkit.present.tables.parts import (
    LONG,
    Column,
    block,
    comparable,
    date,
    field,
    indicator,
    latest,
    lines,
    plain,
    table,
)
from evalkit.present.words import t


def beside(place, *, lang):
    """Return the place's figures beside those of its district, province or the nation of the same year and standard."""
    title = t("Beside the province and the nation", lang)
    pairs = place.beside
    if pairs.empty:
        text = t(
            "No figure of the same year and on the same basis was found for a larger area that this place belongs to.",
            lang,
        )
        return block(place, "notice", "beside", "evaluation", lang, title, paragraphs=(text,))
    if len(pairs) > LONG:
        pairs = latest(pairs[pairs["indicator"].isin(comparable())], ["indicator", "parent"])
    basis = t("Standard and kind of statistic", lang)
    columns = (
        indicator(lang),
        date(lang),
        Column("value", place.unit["name"], lambda r: say.value(r, lang), field("value"), numeric=True),
        Column("basis", basis, lambda r: say.basis_and_method(r, lang), field("basis")),
        Column("area", t("Area", lang), field("parent_name"), field("parent")),
        Column(
            "area_value",
            t("Area's figure", lang),
            lambda r: say.value(_parent(r), lang),
            field("parent_value"),
            numeric=True,
        ),
        Column("area_basis", basis, lambda r: say.basis_and_method(_parent(r), lang), field("parent_basis")),
    )
    ordered = pairs.sort_values(["indicator", "year"], kind="stable")
    caption = t("Only figures of the same year and standard stand side by side; nothing is subtracted.", lang)
    return table(
        place, "beside", "evaluation", lang, title, columns, lines(ordered),
        caption=caption, notes=_beside_notes(pairs, lang), level="L1",
    )  # fmt: skip


def _parent(pair):
    """Return the larger area's figure of a pair, as a row like any other."""
    own = {k.removeprefix("parent_"): v for k, v in pair.items() if k.startswith("parent_")}
    return own | {"indicator": pair["parent_indicator"]}


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
    own = own_rows(place, rows)
    rows = rows[own["value"].notna()]
    few = place.among[place.among["median"].isna()]
    if len(rows) > LONG:
        rows = latest(rows, ["indicator"])
    own = own.to_dict("index")
    rows = rows.assign(row=rows.index)
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
        return block(
            place,
            "notice",
            "among",
            "evaluation",
            lang,
            title,
            paragraphs=(note,) if note else (t("No comparison is possible.", lang),),
            level="L0",
        )
    columns = (
        indicator(lang),
        date(lang),
        Column(
            "value",
            place.unit["name"],
            lambda r: say.value(own[r["row"]], lang),
            lambda r: plain(own[r["row"]]["value"]),
            numeric=True,
        ),
        Column(
            "n",
            t("Others (n)", lang),
            lambda r: words.decimal(r["n"], lang, 0),
            lambda r: int(r["n"]),
            numeric=True,
        ),
        Column(
            "median",
            t("Their median", lang),
            lambda r: words.rounded(r["median"], own[r["row"]]["unit"], lang),
            field("median"),
            numeric=True,
        ),
        Column(
            "middle_half",
            t("Middle half of them", lang),
            lambda r: _middle_half(r, own[r["row"]]["unit"], lang),
            numeric=True,
        ),
        Column("position", t("Position", lang), lambda r: position(r, lang), _counts),
    )
    caption = t(
        "Others: places of the same level with the same indicator, standard and kind of statistic, at most {y} year apart.",
        lang,
        y=place.settings["publish"]["comparison_years"],
    )
    ordered = rows.sort_values(["indicator", "year"], kind="stable")
    return table(
        place, "among", "evaluation", lang, title, columns, lines(ordered),
        caption=caption, notes=(note,) if note else (), level="L1",
    )  # fmt: skip


def _middle_half(row, unit, lang):
    return " – ".join(words.rounded(row[q], unit, lang) for q in ("lower_quartile", "upper_quartile"))


def _counts(row):
    return f"{int(row['below'])}/{int(row['above'])}/{int(row['undecided'])}"


def own_rows(place, positions):
    """Return the place's own figure of each position; one without its value is hidden, and so is its position."""
    first = {key: n for n, key in reversed(list(enumerate(_keys(place.rows))))}
    return place.rows.iloc[[first[key] for key in _keys(positions)]].set_axis(positions.index)


def _keys(rows):
    named = (
        rows[c].astype(object).where(rows[c].notna(), "") for c in ("indicator", "period", "method", "basis")
    )
    return list(zip(*named, strict=True))


def position(row, lang):
    """Return where a value lies among others, in words that obey the printed bounds."""
    n, below, above, undecided = (int(row[c]) for c in ("n", "below", "above", "undecided"))
    if undecided == n:
        return t("not distinguishable from any of the {n}", lang, n=n)
    said = t("higher than {below}, lower than {above} of {n}", lang, below=below, above=above, n=n)
    return said + (t("; {k} not distinguishable", lang, k=undecided) if undecided else "")
