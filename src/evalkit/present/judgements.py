"""How a judgement is put into words: whom a place stands beside, why, by which test, and what came out."""

import pandas as pd

from evalkit.metrics import compare
from evalkit.present import words
from evalkit.present.words import t

COMPARATORS = ("own_past", "district", "province", "nation", "type", "peers")
_VERDICTS = {
    "better": "better",
    "worse": "worse",
    "higher": "higher",
    "lower": "lower",
    "similar": "not distinguishable",
    "not judged": "not judged",
}
_REASONS = {
    "hidden": "hidden to protect households",
    "no value": "no figure",
    "no test": "no test is agreed",
    "no reference": "nobody to compare with",
    "too few": "too few to compare with",
    "no counts": "published without the counts behind it",
    "no spread": "two full counts, no test",
    "no bounds": "bounds not known",
}
_WHY = {
    "own_past": "Own past: the earliest year on the same standard and the same kind of statistic; the same land and mostly the same households.",
    "district": "District: the same district office of the bank, the same markets and roads.",
    "province": "Province: the same provincial programme and budget.",
    "nation": "Other provinces: the same law, the same bank, the same survey.",
    "type": "Same type: communes with communes, wards with wards, for poverty lines and credit programmes differ between town and country.",
    "peers": "Peers: places of the same type most alike in elevation, distance to the centre and share of ethnic minorities; what is judged here had no say in choosing them.",
}
_TESTS = {
    "counts": "Shares of households and groups: a difference is said only where the 95% interval of the difference of the two shares (Newcombe) leaves out 0.",
    "spread": "Money: a difference is said only where the figure lies outside the range in which 95% of places like the others would lie.",
    "bounds": "Overdue debt: a difference is said only where the bounds (frozen and extended debt counted as overdue or not) don't meet.",
}


def verdict(row, lang):
    """Return what came out: better, worse, higher, lower, not distinguishable, or not judged and why."""
    if row["verdict"] == "not judged":
        why = _REASONS[row["reason"]]
        return t("not judged: {reason}", lang, reason=t(why, lang))
    return label(row["verdict"], lang)


def label(name, lang):
    """Return a verdict by its name, as it stands in a legend or the head of a column."""
    return t(_VERDICTS[name], lang)


def reference(row, lang):
    """Return the comparator's figure, rounded, with the year where it is the place's own past."""
    said = words.rounded(row["reference"], row["unit"], lang)
    return f"{said} ({row['since']})" if row["comparator"] == "own_past" else said


def comparator(name, unit, lang):
    """Return whom a comparator stands for, seen from a place."""
    said = {
        "own_past": t("Its own past", lang),
        "district": t("Others of {name}", lang, name=unit["district"]),
        "province": t("Other districts of {name}", lang, name=unit["province"])
        if unit["level"] == "district"
        else t("Others of {name}", lang, name=unit["province"]),
        "nation": t("Other provinces", lang),
        "type": t("Same type in the province", lang),
        "peers": t("Peers", lang),
    }
    return said[name]


def reasons(names, lang):
    """Return why each of the comparators ``names`` was chosen, one sentence each."""
    return tuple(t(_WHY[name], lang) for name in COMPARATORS if name in set(names))


def tests(names, lang):
    """Return what each of the tests ``names`` asks, one sentence each."""
    return tuple(t(_TESTS[name], lang) for name in _TESTS if name in set(names))


def chance(compared, name, lang):
    """Return how many figures differ from one comparator beside how many chance alone would make differ."""
    flags = compare.flags_by_chance(compared[compared["comparator"] == name], by=("comparator",))
    if flags.empty:
        return ""
    row = flags.iloc[0]
    return t(
        "Of {judged} figures tested beside the province's others, {found} differ; if none truly did, chance alone would make about {expected} differ. The figures hang together, so this is a guide, no test.",
        lang,
        judged=int(row["judged"]),
        found=int(row["found"]),
        expected=words.decimal(row["expected"], lang, 1),
    )


def main_comparator(compared):
    """Return the one comparator that a figure shows: the province's others, or the nearest thing there is."""
    there = set(compared.loc[compared["verdict"] != "not judged", "comparator"])
    return next((name for name in ("province", "nation", "type", "district", "peers") if name in there), None)


def named(peers, units):
    """Return a place's peers with their names and districts."""
    listed = units.loc[units["place"].isin(peers["peer"]), ["place", "name", "type", "district"]]
    listed = listed.drop_duplicates("place").set_index("place")
    return peers.merge(listed.add_prefix("peer_"), left_on="peer", right_index=True, how="left").assign(
        frozen=lambda table: table["frozen"].astype(bool) if len(table) else pd.Series(dtype=bool)
    )
