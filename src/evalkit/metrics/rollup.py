"""From communes to districts and provinces: counts and money are added first, ratios taken after."""

import pandas as pd
from scipy import sparse
from scipy.sparse.csgraph import connected_components

from evalkit.load.text import fold

LEVELS = ("commune", "district", "province")


def with_areas(units):
    """Return ``units`` with one more row for every district and province that its communes name.

    Areas that have a row of their own keep it. The row's place is the area's code; type is missing for a
    district, whose kind the communes' table doesn't say.
    """
    known, found = set(units["place"]), []
    for level, code, name in (
        ("district", "district_code", "district"),
        ("province", "province_code", "province"),
    ):
        if code not in units:
            continue
        own = [c for c in (code, name, "province_code", "province") if c in units]
        areas = units.loc[units["level"] == "commune", list(dict.fromkeys(own))].dropna(subset=[code])
        areas = areas.drop_duplicates(code)
        areas = areas[~areas[code].isin(known)].assign(
            place=lambda a, c=code: a[c], code=lambda a, c=code: a[c], level=level
        )
        found.append(areas.assign(name=areas[name] if name in areas else areas[code]))
    return pd.concat([units, *found], ignore_index=True)[units.columns]


def areas(units, level):
    """Return the code of the area of each commune, by place: itself, its district or its province."""
    communes = units[units["level"] == "commune"].set_index("place")
    if level == "commune":
        return pd.Series(communes.index, index=communes.index, dtype="string")
    return communes[f"{level}_code"] if f"{level}_code" in communes else pd.Series(dtype="string")


def apart(units):
    """Return for each place a number that it shares with all that its sums are tied to; mostly one a province.

    Ties are a district, a province, a code that was used again and a successor. Communes without any share one
    number, so that a country is done in as many parts as it has provinces.
    """
    columns = [c for c in ("district_code", "province_code", "code", "successor_code") if c in units]
    kinds = {"code": "code ", "successor_code": "code "}  # a code is no place: one was used for several
    ties = [(units["place"], kinds.get(c, "") + units[c].astype(object)) for c in columns]
    places, others = (pd.concat(x, ignore_index=True).astype(object) for x in zip(*ties, strict=True))
    places, others = places[others.notna()], others[others.notna()]
    number, names = pd.factorize(pd.concat([places, others, units["place"].astype(object)]))
    one, other = number[: len(places)], number[len(places) : 2 * len(places)]
    links = sparse.coo_matrix((one >= 0, (one, other)), shape=(len(names),) * 2)
    found = pd.Series(connected_components(links, directed=False)[1], index=names)
    found = found[found.index.isin(units["place"])]
    return found.where(found.duplicated(keep=False), -1)


def standing(units, years):
    """Return which communes existed at the end of each year: a frame with place and year."""
    communes = units[units["level"] == "commune"]
    parts = []
    for year in years:
        day = pd.Timestamp(year, 12, 31)
        there = pd.Series(True, index=communes.index)
        if {"valid_from", "valid_to"} <= set(communes):
            there = ~(communes["valid_from"] > day) & ~(communes["valid_to"] < day)
        parts.append(pd.DataFrame({"place": communes.loc[there, "place"], "year": year}))
    return pd.concat(parts, ignore_index=True) if parts else pd.DataFrame({"place": [], "year": []})


def before(sums, units, columns, *, keys=()):
    """Return ``columns`` of the year before, on this year's communes, named ``<column>_before``.

    A commune that others merged into has the sum of theirs, missing where one of them is; successors are
    those that the table of communes names. keys: columns (the standard) that must be the same in both years.
    """
    earlier = sums[["place", "year", *keys, *columns]].assign(year=sums["year"] + 1)
    heir = _heirs(units)
    merged = earlier.merge(heir, on=["place", "year"])
    apart = earlier.merge(heir, on=["place", "year"], how="left", indicator="found")
    apart = apart[apart["found"] == "left_only"]
    parts = heir.groupby(["heir", "year"]).size().rename("parts").reset_index()
    summed = merged.groupby(["heir", "year", *keys])[list(columns)].agg(lambda x: x.sum(skipna=False))
    summed = summed.assign(seen=merged.groupby(["heir", "year", *keys]).size()).reset_index()
    summed = summed.merge(parts, on=["heir", "year"])
    summed = summed[summed["seen"] == summed["parts"]].rename(columns={"heir": "place"})
    known = pd.concat([apart, summed], ignore_index=True)[["place", "year", *keys, *columns]]
    known = known.rename(columns={c: f"{c}_before" for c in columns})
    return sums.merge(known, on=["place", "year", *keys], how="left")


def _heirs(units):
    """Return place, year and heir: which communes made up the heir at the end of the year before.

    A successor is the unit of the named code and name that existed on the day after; one that had existed
    before and took others in is a part of itself.
    """
    if not {"successor_code", "successor_name", "valid_from", "valid_to"} <= set(units):
        return pd.DataFrame({"place": [], "year": [], "heir": []})
    ended = units[units["successor_code"].notna() & units["valid_to"].notna()]
    ended = ended.assign(day=ended["valid_to"] + pd.Timedelta(days=1))
    later = units[["code", "place", "name", "valid_from", "valid_to"]]
    pairs = ended.merge(later, left_on="successor_code", right_on="code", suffixes=("", "_heir"))
    same = pairs["successor_name"].fillna("").map(fold) == pairs["name_heir"].map(fold)
    begun = ~(pairs["valid_from_heir"] > pairs["day"])
    pairs = pairs[same & begun & ~(pairs["valid_to_heir"] < pairs["day"])]
    took_in = pairs[~(pairs["valid_from_heir"] >= pairs["day"])]
    pairs = pd.concat([pairs, took_in.assign(place=took_in["place_heir"])]).drop_duplicates(["place", "day"])
    return pd.DataFrame(
        {"place": pairs["place"], "year": pairs["day"].dt.year.astype("Int64"), "heir": pairs["place_heir"]}
    )
