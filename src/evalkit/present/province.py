"""All places of a data set side by side for a reader: distribution, districts, change within a standard, chance.

The one disclosed object of the comparison page: its rows and judgements have passed the same door as a place's.
"""

from dataclasses import dataclass

import numpy as np
import pandas as pd

from evalkit import building as built
from evalkit.metrics import benchmarks, compare, intervals
from evalkit.present import blocks, disclose, judgements, say, words
from evalkit.present.blocks import Block
from evalkit.present.words import t

MAIN = (
    "poverty_rate_pct",
    "household_coverage_pct",
    "outstanding_per_household_vnd",
    "overdue_share_pct",
    "income_year_real_vnd",
    "income_month_real_vnd",
)
_FEWEST = 10  # places below which a distribution says nothing
_SURELY_MORE = 0.001  # chance of so many flags, below which more differ than chance makes
_CAVEATS = {
    "poverty_rate_pct": "Communes classify their own households, and the list decides who may borrow: the rate is an administrative count on one standard, no survey.",
    "household_coverage_pct": "A household with two loans counts once; where only the programmes' sums are known it may count twice (marked).",
    "outstanding_per_household_vnd": "More credit per household isn't better or worse in itself.",
    "overdue_share_pct": "An arrears ratio (Decision 976/QĐ-TTg), not portfolio at risk: the upper bound counts frozen and extended debt as overdue.",
    "income_year_real_vnd": "Communes compute this figure themselves, against a target that brings a reward; it is deflated by the national consumer price index.",
    "income_month_real_vnd": "Estimated by the living-standards survey; deflated by the national consumer price index, not by each province's own prices.",
}


@dataclass(frozen=True)
class Province:
    """What may be shown of all places of a build: figures, judgements, names, settings.

    units: the places. rows: figures of the main indicators, one per place, year, basis and kind of statistic.
    compared: the judged figures. level: which places are compared (commune, or province). audience: who looks.
    """

    units: pd.DataFrame
    rows: pd.DataFrame
    compared: pd.DataFrame
    settings: dict
    level: str
    audience: str

    def _repr_html_(self):
        return f"<p>{self.rows['place'].nunique()} places, {len(self.rows)} figures</p>"

    def latest(self, indicator):
        """Return the rows of an indicator in its latest year: of its areas, and of the places compared."""
        rows = self.rows[self.rows["indicator"] == indicator]
        own = rows[rows["level"] == self.level]
        keys = ["year", "basis", "method"]
        size = own.groupby(keys, dropna=False, as_index=False)["place"].nunique()
        size = size[size["place"] >= _FEWEST].sort_values(["year", "place"], kind="stable")
        if size.empty:
            return rows.iloc[:0], own.iloc[:0]
        last = size.iloc[-1]
        same = (rows["year"] == last["year"]) & (rows["method"] == last["method"])
        same &= rows["basis"].isna() if pd.isna(last["basis"]) else rows["basis"] == last["basis"]
        cut = rows[same]
        return cut[cut["level"] != self.level], cut[cut["level"] == self.level]


def province(build_folder, audience="public"):
    """Return the ``Province`` of a build. For the public, what is hidden in a place's own report is hidden here.

    Raises DataError where the folder is no build.
    """
    settings = built.manifest(build_folder)["settings"]
    units = built.read(build_folder, "places")
    compared = built.read(build_folder, "compared")
    rows = (disclose.rows if audience == "public" else built.read)(build_folder, "indicators")
    rows = rows[rows["indicator"].isin(MAIN) & rows["year"].notna() & benchmarks.whole(rows)]
    named = units.drop_duplicates("place").set_index("place")
    rows = rows.assign(
        **{c: rows["place"].map(named[c]) for c in ("level", "name", "district_code", "district")}
    )
    rows = rows.assign(rank=rows["numerator"].isna() * 1).sort_values("rank", kind="stable")
    rows = rows.drop_duplicates(["place", "indicator", "year", "basis", "method"]).drop(columns="rank")
    level = "commune" if (rows["level"] == "commune").any() else "province"
    return Province(units, rows.sort_index(), compared, settings, level, audience)


def overview(data, *, lang):
    """Return what is compared, by which rules, and what the page can't say."""
    said = []
    if data.settings["data"]["press"]:
        said.append(
            t(
                "These are figures that newspapers and offices chose to print, of scattered places and years: no distribution is drawn from them, and no place has a rank among them.",
                lang,
            )
        )
    else:
        said.append(
            t(
                "Places are compared in the same year only, on the same standard and kind of statistic. A difference is said only where a test says it; every value has its bounds, and no place has a rank without the ranks that it could also have.",
                lang,
            )
        )
    said.append(
        t(
            "A difference between places doesn't say what credit did: they differ in much else, and lending follows need.",
            lang,
        )
    )
    if not data.settings["data"]["real"]:
        said.append(t("These data are simulated: no figure here is about a real place.", lang))
    return block(data, "text", "overview", lang, t("Comparison of the places", lang), paragraphs=tuple(said))


def districts(data, indicator, *, lang):
    """Return the latest figure of each district with its bounds, its ranks, and how many of its communes are known."""
    title = words.indicator(indicator, lang)
    areas, own = data.latest(indicator)
    areas = areas[(areas["level"] == "district") & areas["value"].notna()]
    if data.level != "commune" or len(areas) < 2:
        return absent(data, f"districts_{indicator}", lang, title, t("No districts to compare.", lang))
    counted = areas["numerator"].notna().all() and compare.TESTS[indicator] == "counts"
    lowest_first = compare.polarity()[indicator] < 0
    areas = areas.sort_values("value", ascending=lowest_first, kind="stable")
    known = own[own["value"].notna() | own["flags"].fillna("").str.contains("hidden")]
    known = known.groupby("district_code")["place"].nunique()
    ranks = (
        compare.ranks(
            areas["value"],
            numerator=areas["numerator"],
            denominator=areas["denominator"],
            highest_first=not lowest_first,
        )
        if counted
        else None
    )
    shown, raw = [], []
    for i, (_, row) in enumerate(areas.iterrows()):
        rank = f"{ranks['rank_best'][i]:.0f}–{ranks['rank_worst'][i]:.0f}" if counted else ""
        n = int(known.get(row["place"], 0))
        remarks = "; ".join(r for r in say.remarks(row, lang) if r != t("computed here", lang))
        shown.append(
            (row["name"], say.value(row, lang), *([rank] if counted else []), str(n), remarks or "–")
        )
        raw.append((row["place"], float(row["value"]), *([rank] if counted else []), n, None))
    columns = (
        ("district", t("District", lang), False),
        ("value", t("Value", lang), True),
        *([("ranks", t("Ranks it could have", lang), True)] if counted else []),
        ("communes", t("Communes with a figure", lang), True),
        ("remarks", t("Remarks", lang), False),
    )
    notes = [t(_CAVEATS[indicator], lang)]
    if counted:
        notes.append(t("Rank 1 is the lowest.", lang) if lowest_first else t("Rank 1 is the highest.", lang))
        notes.append(
            t(
                "Ranks: all of them together are right in 95 cases of 100 or more (Klein, Wright and Wieczorek 2020).",
                lang,
            )
        )
    return block(
        data, "table", f"districts_{indicator}", lang,
        t("{indicator}, by district, {year}", lang, indicator=title, year=int(areas["year"].iloc[0])),
        columns=columns, rows=tuple(shown), raw=tuple(raw), notes=tuple(notes), caption=basis(areas.iloc[0], lang), level="L1",
    )  # fmt: skip


def changes(data, *, lang):
    """Return how each district's poverty rate changed from the first to the last year of each standard."""
    title = t("Change of the poverty rate within each standard, by district", lang)
    rows = data.rows[
        (data.rows["indicator"] == "poverty_rate_pct") & data.rows["level"].isin(["district", "province"])
    ]
    rows = rows[rows["value"].notna() & rows["basis"].notna() & rows["numerator"].notna()]
    rows = rows.sort_values("year", kind="stable")
    keys = ["place", "basis", "method"]
    pairs = rows.drop_duplicates(keys).merge(
        rows.drop_duplicates(keys, keep="last"), on=keys, suffixes=("_first", "")
    )
    pairs = pairs[pairs["year_first"] < pairs["year"]].sort_values(["basis", "level", "place"], kind="stable")
    if pairs.empty:
        return absent(data, "changes", lang, title, t("No standard covers two years.", lang))
    low, high = intervals.newcombe_difference(
        *(
            pairs[c].to_numpy(float)
            for c in ("numerator", "denominator", "numerator_first", "denominator_first")
        )
    )
    shown, raw = [], []
    for row, a, b in zip(pairs.itertuples(), 100 * low, 100 * high, strict=True):
        change = row.value - row.value_first
        shown.append(
            (
                row.name,
                words.standard(row.basis, lang),
                f"{row.year_first}–{row.year}",
                words.rounded(row.value_first, "percent", lang),
                words.rounded(row.value, "percent", lang),
                t(
                    "{x} (between {low} and {high})",
                    lang,
                    **{k: words.decimal(v, lang, 1) for k, v in (("x", change), ("low", a), ("high", b))},
                ),
                judgements.label("similar" if a <= 0 <= b else "lower" if b < 0 else "higher", lang),
            )
        )
        raw.append(
            (row.place, row.basis, f"{row.year_first}/{row.year}", row.value_first, row.value, change, None)
        )
    columns = (
        ("area", t("Area", lang), False),
        ("basis", t("Standard", lang), False),
        ("years", t("Years", lang), False),
        ("first", t("First year", lang), True),
        ("last", t("Last year", lang), True),
        ("change", t("Change, percentage points", lang), True),
        ("verdict", t("Judgement", lang), False),
    )
    caption = t(
        "From the first to the last year of one standard; across standards nothing is subtracted. Interval: Newcombe, as if the households of the two years were independent, so rather too wide.",
        lang,
    )
    return block(data, "table", "changes", lang, title, columns=columns, rows=tuple(shown), raw=tuple(raw), caption=caption, level="L1")  # fmt: skip


def chance(data, *, lang):
    """Return by indicator how many places differ from the others of their province, beside chance's number."""
    title = t("Places that differ, and how many chance alone would make differ", lang)
    main = judgements.main_comparator(data.compared)
    judged = data.compared[data.compared["comparator"] == main]
    level = judged["place"].map(data.units.drop_duplicates("place").set_index("place")["level"])
    newest = judged.groupby("indicator")["year"].transform("max")
    judged = judged[(level == data.level) & (judged["year"] == newest)]
    flags = compare.flags_by_chance(judged, by=("indicator",)).set_index("indicator")
    flags = flags[flags["judged"] >= _FEWEST]
    if flags.empty:
        return absent(data, "chance", lang, title, t("Too few other places on the same basis.", lang))
    counts = pd.crosstab(judged["indicator"], judged["verdict"]).reindex(
        columns=["better", "worse", "higher", "lower", "similar"], fill_value=0
    )
    shown, raw = [], []
    for name in (i for i in compare.TESTS if i in flags.index):
        row, own = flags.loc[name], counts.loc[name]
        figures = [int(row["judged"]), *(int(own[c]) for c in own.index), int(row["found"])]
        expected = words.decimal(row["expected"], lang, 1)
        shown.append((words.indicator(name, lang), *map(str, figures), expected))
        raw.append((name, *figures, float(row["expected"])))
    columns = (
        ("indicator", t("Indicator", lang), False),
        ("judged", t("Judged", lang), True),
        *((name, judgements.label(name, lang), True) for name in counts.columns),
        ("found", t("Differ", lang), True),
        ("expected", t("Expected by chance", lang), True),
    )
    more = (flags["p_value"] < _SURELY_MORE).any()
    far_more = t(
        "More places differ than chance makes: they truly differ, and neighbouring households resemble each other, which a binomial test doesn't know. Single flags are a reason to look, no finding.",
        lang,
    )
    notes = (
        *([far_more] if more else []),
        *judgements.tests(judged["test"], lang),
    )
    return block(data, "table", "chance", lang, title, columns=columns, rows=tuple(shown), raw=tuple(raw), notes=notes, level="L1")  # fmt: skip


def caveat(indicator, lang):
    """Return what a reader must know of an indicator before comparing it."""
    return t(_CAVEATS[indicator], lang)


def basis(row, lang):
    """Return on what a row stands: year, standard or price year, kind of statistic."""
    return f"{int(row['year'])}; {say.basis_and_method(row, lang)}."


def quartiles(values):
    """Return the quartiles of known values."""
    return np.percentile(values, [25, 50, 75])


def block(data, kind, id, lang, title, **content):
    """Return a block of the comparison page."""
    return Block(
        kind=kind, id=id, section="comparison", lang=lang, audience=data.audience, title=title, **content
    )


def absent(data, id, lang, title, reason):
    """Return the block that stands where nothing can be compared; it isn't published."""
    return blocks.absent(data, id, "comparison", lang, title, reason)
