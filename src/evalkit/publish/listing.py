"""The places of a build as the site lists them: names, kin, evidence level, and what became of each report."""

import json
from collections import defaultdict

import pandas as pd


def listing(units, summary):
    """Return one dict per place for :func:`evalkit.publish.site`.

    units: the build's places that the data set reports on. summary: what the batch did; a place with a
    failed notebook has no report and says so (the error itself stays in the private summary).
    """
    status = _statuses(summary)
    rows = {u.place: u for u in units.itertuples()}
    before = defaultdict(list)
    for u in rows.values():
        if pd.notna(u.successor_place):
            before[u.successor_place].append(u)
    return [_entry(u, rows, before[u.place], status) for u in rows.values()]


def _statuses(summary):
    run = {row.parameters["place"]: "published" for row in summary.rows if "place" in row.parameters}
    return run | {row.parameters["place"]: "failed" for row in summary.failed if "place" in row.parameters}


def _entry(u, rows, before, status):
    ended = _day(u.valid_to + pd.Timedelta(days=1)) if pd.notna(u.valid_to) else ""
    after = rows.get(u.successor_place) if pd.notna(u.successor_place) else None
    if after is not None:
        successors = [_link(after, ended)]
    elif pd.notna(u.successor_name):
        successors = [{"name": u.successor_name, "code": u.successor_code, "place_id": "", "date": ended}]
    else:
        successors = []
    return {
        **{key: _text(getattr(u, key)) for key in ("name", "type", "district", "province")},
        "code": u.code if u.code.isdigit() else "",
        "place_id": u.place,
        "valid_from": _day(u.valid_from),
        "valid_to": _day(u.valid_to),
        "successors": successors,
        "predecessors": [_link(b, _day(u.valid_from)) for b in before],
        "level": u.evidence,
        "kinds": int(u.kinds),
        "years": json.loads(u.years),
        "coverage": json.loads(u.coverage),
        "status": status.get(u.place) or _without_report(u),
    }


def _without_report(u):
    return "left_out" if u.reported else "too_few" if u.kinds else "no_data"


def _link(unit, date):
    return {"name": unit.name, "code": unit.code, "place_id": unit.place, "date": date}


def _day(date):
    return "" if pd.isna(date) else f"{date:%Y-%m-%d}"


def _text(value):
    return "" if pd.isna(value) else str(value)
