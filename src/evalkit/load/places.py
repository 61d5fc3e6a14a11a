"""Places in time: units with dates of validity, looked up by code or name without guessing."""

import difflib
import re

import numpy as np
import pandas as pd

from evalkit.errors import PlaceError
from evalkit.load.said import Said, joined
from evalkit.load.text import fold

_TYPE = re.compile(r"^(xa|phuong|thi tran|thi xa|huyen|quan|tinh|thanh pho|tp|tt) (?=.)")
_LEVELS = {5: "commune", 3: "district", 2: "province"}
_TYPE_LEVELS = {
    "xã": "commune",
    "phường": "commune",
    "thị trấn": "commune",
    "đặc khu": "commune",
    "huyện": "district",
    "quận": "district",
    "thị xã": "district",
    "thành phố": "district",
    "tỉnh": "province",
    "vùng": "region",
    "quốc gia": "national",
    "thôn": "village",
    "tổ": "group",
}


def units(communes):
    """Add to the table of communes the identity ``place`` and the ``level`` of each unit.

    The identity is the code. Where a code was re-used, no unit has the bare code: the first is written
    code-until-year with the year in which it ended, a later one code-year with the year in which it began
    ("08434-until-2025", "08434-2025"), so that a re-used code joins nothing and means nothing by itself.
    """
    out = communes.sort_values(["code", "valid_from"], na_position="first", kind="stable").copy()
    shared, later = out.duplicated("code", keep=False), out.duplicated("code")
    begins = out["valid_from"].dt.strftime("%Y").astype("string")
    ends = out["valid_to"].dt.strftime("%Y").astype("string")
    suffix = ("-until-" + ends).fillna("-first").mask(later, ("-" + begins).fillna("-later"))
    out["place"] = out["code"] + suffix.where(shared, "")
    by_code = out["code"].where(out["code"].str.fullmatch(r"\d+")).str.len().map(_LEVELS)
    out["level"] = by_code.fillna(out["type"].map(_TYPE_LEVELS)).fillna("commune").astype("string")
    return out.sort_index().reset_index(drop=True)


def place_of(codes, starts, ends, units):
    """Return for each code and span of days the identity of the unit that it meant, missing where unknown.

    Where a code was re-used, the first unit valid on those days is meant; without a date, the first one.
    """
    rows = pd.DataFrame({"code": codes.array, "starts": np.asarray(starts), "ends": np.asarray(ends)})
    asked = rows.drop_duplicates(ignore_index=True)
    known = units[["code", "place", "valid_from", "valid_to"]].assign(
        once=~units.duplicated("code", keep=False)
    )
    met = asked.merge(known, on="code")
    outside = (met["starts"] > met["valid_to"]) | (met["ends"] < met["valid_from"])
    met = met[met["once"] | ~outside].drop_duplicates(["code", "starts", "ends"])
    place = rows.merge(met, on=["code", "starts", "ends"], how="left")["place"]
    return place.set_axis(codes.index).astype("string")


def successor(unit, units):
    """Return the unit that took over ``unit`` (a row): of that code and name, begun when ``unit`` ended; or None."""
    if pd.isna(unit.successor_code):
        return None
    later = units[(units["code"] == unit.successor_code) & (units["place"] != unit.place)]
    later = later[~(later["valid_from"] <= unit.valid_to) if pd.notna(unit.valid_to) else slice(None)]
    later = later.sort_values("valid_from", kind="stable")
    return next((u for u in later.itertuples() if fold(u.name) == fold(unit.successor_name)), None)


def predecessors(unit, units):
    """Return the units (rows) that name ``unit`` as their successor."""
    same = (units["successor_code"] == unit.code) & (units["place"] != unit.place)
    named = units[same & (units["successor_name"].fillna("").map(fold) == fold(unit.name))]
    return list(named.itertuples())


def find(query, units, reported):
    """Return the one place meant by a code, an identity (code-year, code-until-year) or a name.

    units: all places; reported: identities of those that the data set has figures for. Raises PlaceError
    for an unknown, ambiguous or not reported place, with the nearest names and what stood or stands in its
    place: a default never chooses a place.
    """
    query = str(query).strip()
    exact = units[units["place"] == query]
    if len(exact) == 1 and query in reported:
        return query
    named = _named(query, units)
    hits = units[(units["code"] == query) | exact.index.to_series().reindex(units.index).notna() | named]
    if hits.empty:
        raise PlaceError(_unknown(query, units, reported))
    usable = hits[hits["place"].isin(reported)]
    if len(usable) == 1 and len(hits) == 1:
        return usable["place"].iloc[0]
    if len(usable) == 1 and not named.any():
        return usable["place"].iloc[0]
    raise PlaceError(_ambiguous(query, hits, units, reported))


def bare_name(name):
    """Return the folded name of a unit without the word for its kind: "Xã Hương Nộn" is "huong non"."""
    return _TYPE.sub("", fold(name))


def _named(query, units):
    return units["name"].map(fold).isin({fold(query), bare_name(query)})


def _unknown(query, units, reported):
    usable = units[units["place"].isin(reported)]
    digits = query.isdigit()
    hint = "A commune's code has five digits, with its leading zero." if digits and len(query) != 5 else ""
    names = usable["code"] if digits else usable["name"]
    close = difflib.get_close_matches(fold(query), list(dict.fromkeys(names.map(fold))), n=4, cutoff=0.6)
    listed = usable[names.map(fold).isin(close)]
    near = "; ".join(f"{u.place} {u.name} ({u.district}, {u.province})" for u in listed.head(6).itertuples())
    return joined(
        [
            Said("“{query}” is no place of this data set.", query=query),
            hint and Said(hint),
            near and Said("Nearest: {near}.", near=near),
        ]
    )


def _describe(unit, units, reported):
    where = [str(x) for x in (unit.district, unit.province) if pd.notna(x) and fold(x) != fold(unit.name)]
    within = joined([joined(where, ", "), _span(unit)], "; ")
    named = Said("{place} {type} {name} ({within})", **_named_as(unit), within=within)
    parts, after = predecessors(unit, units), successor(unit, units)
    if unit.place in reported:
        return Said("{unit}: has figures", unit=named)
    if parts:
        before = ", ".join(f"{p.code} {p.type} {p.name}" for p in parts)
        return Said("{unit}: formed from {before}", unit=named, before=before)
    if after is not None:
        return Said("{unit}: became {place} {type} {name}", unit=named, **_named_as(after))
    return Said("{unit}: no figures", unit=named)


def _named_as(unit):
    return {"place": unit.place, "type": unit.type, "name": unit.name}


def _span(unit):
    ends = [
        Said(word, date=f"{day:%d/%m/%Y}")
        for word, day in (("from {date}", unit.valid_from), ("to {date}", unit.valid_to))
        if pd.notna(day)
    ]
    return joined(ends) if ends else Said("throughout")


def _ambiguous(query, hits, units, reported):
    lines = joined([_describe(u, units, reported) for u in hits.itertuples()], "; ")
    named_parts = [p for u in hits.itertuples() for p in predecessors(u, units)]
    usable = [p.place for p in named_parts if p.place in reported] + [
        u for u in hits["place"] if u in reported
    ]
    what = (
        "“{query}” is more than one place: {lines}."
        if len(hits) > 1
        else "“{query}” has no figures in the years of this data set: {lines}."
    )
    codes = ", ".join(dict.fromkeys(usable))
    return joined(
        [Said(what, query=query, lines=lines), codes and Said("Ask by code: {codes}.", codes=codes)]
    )
