"""The table of places as the caller gives it, checked and with every field present."""

from datetime import date

from evalkit.errors import DataError
from evalkit.publish.collect import LEVELS, SLUG

STATUSES = ("published", "failed", "left_out", "too_few", "no_data")
TABLES = ("credit", "groups", "poverty", "income")
TEXTS = ("code", "name", "type", "district", "province", "valid_from", "valid_to", "level", "reason")
KIN = ("name", "code", "place_id", "date")


def checked(places):
    """Return the places with every field present; text fields are empty where nothing is known.

    place_id: stable name, the page's address. code, name, type (xã, phường, tỉnh …), district, province,
    valid_from, valid_to: text, dates in ISO form. successors, predecessors: dicts with name, code, place_id
    (empty without a page) and the date of the change. level: L0 to L4 or empty. kinds: number of kinds of
    figures. years: with data. coverage: tables held. status: one of STATUSES
    (left_out: of this run), with its reason.

    Raises DataError, naming the place, for a place_id that can't be a folder or comes twice, a missing name,
    an unknown status, level or table, a date that is none.
    """
    known, result = set(), []
    for given in places:
        place = _place(given)
        if place["place_id"] in known:
            raise DataError(f"places: {place['place_id']} is given twice. Tell the two apart by their dates.")
        known.add(place["place_id"])
        result.append(place)
    return result


def _place(given):
    name = given.get("place_id")
    if not isinstance(name, str) or not SLUG.fullmatch(name):
        raise DataError(f"places: place_id {name!r} can't be a folder's name. Use letters, digits, - and _.")
    place = {"place_id": name, "status": given.get("status") or "published", "kinds": given.get("kinds") or 0}
    place |= {key: str(given.get(key) or "") for key in TEXTS}
    place |= {key: [_kin(other) for other in given.get(key) or ()] for key in ("successors", "predecessors")}
    place |= {key: list(given.get(key) or ()) for key in ("years", "coverage")}
    if not place["name"]:
        raise DataError(f"places: {name} has no name. Give the name as the register prints it.")
    _one_of(place["status"], STATUSES, f"{name}: status")
    _one_of(place["level"], ("", *LEVELS), f"{name}: level")
    for table in place["coverage"]:
        _one_of(table, TABLES, f"{name}: coverage")
    for day in (place["valid_from"], place["valid_to"], *(other["date"] for other in place["successors"])):
        _check_date(day, name)
    return place


def _kin(other):
    return {key: str(other.get(key) or "") for key in KIN}


def _one_of(value, allowed, what):
    if value not in allowed:
        raise DataError(
            f"places: {what} {value!r} is unknown. Use one of: {', '.join(filter(None, allowed))}."
        )


def _check_date(text, name):
    try:
        date.fromisoformat(text[:10] or "2000-01-01")
    except ValueError:
        raise DataError(f"places: {name}: {text!r} is no date. Write it as 2025-07-01.") from None
