"""Places in tables: which unit a row's code meant on its date, and what can't be so."""

import unicodedata

import pandas as pd

from evalkit.load import facts as printed
from evalkit.load import places
from evalkit.load.findings import finding
from evalkit.load.text import like, nearest


def of_units(delivery):
    """Yield findings about the table of places itself: letters of names, dates, overlaps, successors."""
    units = delivery.frame
    for column in ("name", "district", "province"):
        for index, name in units[column].dropna().items():
            if strange := _foreign_letters(name):
                yield delivery.finding("warning", "foreign_letters", index, column, letters=strange)
    reversed_ = units["valid_to"] < units["valid_from"]
    hits = units.loc[reversed_, ["name", "valid_from", "valid_to"]].set_axis(["name", "start", "end"], axis=1)
    yield from delivery.findings("error", "dates_reversed", hits, "valid_to")
    shared = units[units.duplicated("code", keep=False)].sort_values(
        ["code", "valid_from"], na_position="first"
    )
    for _, same in shared.groupby("code", sort=False):
        for earlier, later in zip(same.index, same.index[1:], strict=False):
            end, start = same.at[earlier, "valid_to"], same.at[later, "valid_from"]
            if pd.isna(end) or pd.isna(start) or end >= start:
                values = {"name": same.at[earlier, "name"], "other": same.at[later, "name"]}
                yield delivery.finding(
                    "error", "units_overlap", later, "code", code=same.at[later, "code"], **values
                )
    lost = units["successor_code"].notna() & ~units["successor_code"].isin(units["code"])
    if lost.any():
        said = ", ".join(f"{unit.successor_code} ({unit.name})" for unit in units[lost].itertuples())
        file = delivery.origin.loc[units.index[lost][0], "file"]
        where = {"file": file, "column": "successor_code"}
        yield finding("note", "unknown_successor", **where, count=int(lost.sum()), rows=said)


def _foreign_letters(name):
    """The letters of a name that aren't Latin, called by their Unicode names; full-width ones aren't either."""
    letters = [c for c in dict.fromkeys(name) if not c.isascii() and unicodedata.category(c)[0] == "L"]
    names = [unicodedata.name(c, "?") for c in letters if unicodedata.category(c) != "Lm"]
    return ", ".join(name for name in names if not name.startswith("LATIN "))


def assign(delivery, units, successor, found):
    """Return the delivery with ``place``, the identity of the unit that each row's code meant on its date.

    A row of a table that meant a unit which did not exist then, or bears the name of another unit of its code,
    has no place: it joins nothing. ``successor``: ``successions(units)``. A published fact, whose date is often vague, keeps its place with a warning.
    """
    if "code" not in delivery.frame:
        return delivery
    frame = delivery.frame
    starts, ends = days(delivery)
    frame = frame.assign(place=places.place_of(frame["code"], starts, ends, units))
    delivery = delivery.with_frame(frame)
    known = list(units["code"].dropna())
    for index in frame.index[frame["code"].notna() & ~frame["code"].isin(set(known))]:
        near = like(nearest(frame.at[index, "code"], known))
        found.append(delivery.finding("error", "unknown_place", index, "code", near=near))
    unit = units.set_index("place").reindex(frame["place"])
    unit.index = frame.index
    outside = (starts > unit["valid_to"]) | (ends < unit["valid_from"])
    found += _not_valid(delivery, unit, starts, outside)
    if delivery.table == "facts":
        return delivery
    found += _twice(delivery, units, successor)
    other = _other_name(delivery, units, unit, starts, found)
    frame = frame.assign(place=frame["place"].mask(outside | other))
    return delivery.with_frame(frame.drop(columns="printed_name", errors="ignore"))


def days(delivery):
    """Return the first and the last day that each row of a delivery speaks of; missing where it bears no date."""
    frame = delivery.frame
    if delivery.table == "facts":
        read = printed.read(frame)
        return read["starts"], read["ends"]
    if "year" in frame:
        day = pd.to_datetime(frame["year"].astype("string") + "-12-31", format="%Y-%m-%d", errors="coerce")
        return day, day
    day = frame["disbursed_on"] if "disbursed_on" in frame else pd.Series(pd.NaT, index=frame.index)
    return day, day


def codes_by_name(delivery, communes, found):
    """Give rows without a code that of the one place of their name; a name of several places or none is an error."""
    frame = delivery.frame
    if "printed_name" not in frame or not frame["code"].isna().any():
        return delivery
    codes = communes.assign(bare=communes["name"].map(places.bare_name)).groupby("bare")["code"].unique()
    filled = frame["code"].copy()
    for index, name in frame.loc[frame["code"].isna(), "printed_name"].dropna().items():
        meant = codes.get(places.bare_name(name), ())
        if len(meant) == 1:
            filled[index] = meant[0]
        elif len(meant):
            found.append(
                delivery.finding("error", "name_not_unique", index, "code", value=name, count=len(meant))
            )
        else:
            near = like(nearest(name, list(communes["name"])))
            found.append(delivery.finding("error", "unknown_place", index, "code", value=name, near=near))
    unnamed = filled.isna() & frame["printed_name"].notna()
    return delivery.with_frame(frame.assign(code=filled)[~unnamed])


def _not_valid(delivery, unit, starts, outside):
    severity = "warning" if delivery.table == "facts" else "error"
    hits = unit.loc[outside, ["name", "valid_from", "valid_to"]].set_axis(["name", "start", "end"], axis=1)
    hits["date"] = starts[outside]
    subject = delivery.frame["indicator"] if delivery.table == "facts" else delivery.table
    hits["subject"] = subject[outside] if delivery.table == "facts" else subject
    yield from delivery.findings(severity, "place_not_valid", hits, "code")


def _other_name(delivery, units, unit, starts, found):
    """Which rows bear the name of another unit of their code; a name that is nobody's is a warning."""
    frame = delivery.frame
    none = pd.Series(False, index=frame.index)
    if "printed_name" not in frame:
        return none
    printed_as, named = (
        frame["printed_name"].map(places.bare_name, na_action="ignore"),
        unit["name"].map(places.bare_name, na_action="ignore"),
    )
    differs = printed_as.notna() & named.notna() & (printed_as != named)
    if not differs.any():
        return none
    borne = pd.MultiIndex.from_arrays([units["code"], units["name"].map(places.bare_name)])
    other = pd.Series(pd.MultiIndex.from_arrays([frame["code"], printed_as]).isin(borne), index=frame.index)
    hits = pd.DataFrame(
        {"code": frame["code"], "name": unit["name"], "printed": frame["printed_name"], "date": starts}
    )
    found += delivery.findings("error", "code_under_other_name", hits[differs & other], "code")
    found += delivery.findings("warning", "name_differs", hits[differs & ~other], "code")
    return differs & other


def successions(units):
    """Return {place: (place that took it over, first day)} of the units that ended in another.

    Of several units with the successor's code, the one that begins after the end is meant, else the one of the
    successor's name.
    """
    by_code = {}
    for unit in units.itertuples():
        by_code.setdefault(unit.code, []).append(unit)
    taken = {}
    for unit in units[units["successor_code"].notna()].itertuples():
        later = [u for u in by_code.get(unit.successor_code, ()) if u.place != unit.place]
        begun = [u for u in later if u.valid_from > unit.valid_to]
        named = [u for u in later if places.bare_name(u.name) == places.bare_name(str(unit.successor_name))]
        if after := begun or named:
            taken[unit.place] = (after[0].place, unit.valid_to + pd.Timedelta(days=1))
    return taken


def absorbed(units):
    """Return the (place, year) in which a unit took over another, so that its stocks don't continue its own."""
    return {(place, day.year) for place, day in successions(units).values() if pd.notna(day)}


def _twice(delivery, units, successor):
    """Years in which a unit and the one it went into both have figures."""
    frame = delivery.frame
    if "year" not in frame:
        return
    names = units.set_index("place")["name"]
    years = frame.dropna(subset="year").groupby("place")["year"].agg(set).to_dict()
    for place, (after, day) in successor.items():
        for year in sorted(years.get(place, set()) & years.get(after, set())):
            index = frame.index[(frame["place"] == place) & (frame["year"] == year)][0]
            values = {"name": names[place], "successor": names[after], "year": int(year), "date": day}
            yield delivery.finding("error", "counted_twice", index, "code", **values)
