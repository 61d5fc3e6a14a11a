"""The first page in figures: how many places, what is known of them, one main indicator over all of them."""

from collections import Counter
from statistics import median, quantiles

from evalkit.publish.names import alphabetical

MAIN = ("poor_plus_near_poor_rate_pct", "poverty_rate_pct", "outstanding_per_borrower_vnd")
CLASSES = 5
TILES = 500  # places; above, one tile stands for a district
FEW = 3  # places of a district by the mean; below, tiles stand by province


def main_figures(figures, places):
    """Return (rows by place, what they are) of the indicator that colours the overview, or (empty, None).

    The first of MAIN whose latest year on one basis and method is known, or known and hidden, for at least
    half of the places with a report that stood at the end of that year. figures: disclosed rows of the release.
    """
    reported = [p for p in places if p["status"] == "published"]
    if figures is None or not reported:
        return {}, None
    own = figures[figures["place"].isin({p["place_id"] for p in reported}) & figures["year"].notna()]
    for indicator in MAIN:
        rows = own[own["indicator"] == indicator]
        groups = rows.groupby(["year", "period", "basis", "method"], dropna=False)
        standing = {year: sum(stood(p, year) for p in reported) for year in rows["year"].unique()}
        full = [
            (key, group) for key, group in groups if group["place"].nunique() * 2 >= max(standing[key[0]], 1)
        ]
        if full:
            _, latest = max(full, key=lambda pair: (pair[0][0], str(pair[0][1:])))
            latest = latest.drop_duplicates("place")
            return {row["place"]: row for row in latest.to_dict("records")}, latest.iloc[0].to_dict()
    return {}, None


def stood(place, year):
    """Return whether a place existed at the end of a year; dates that aren't given count as open."""
    day = f"{int(year)}-12-31"
    return place["valid_from"][:10] <= day and (place["valid_to"][:10] or day) >= day


def tiles(places, values):
    """Return (groups, bounds): tiles by district (by province where places are many), each with its class.

    values: {place_id: number or None where hidden}. A tile is a dict of name, place (None for a district),
    value, mark: "1" (lowest fifth) to "5", "×" hidden, "–" not known. bounds: lowest and highest of each class.
    """
    if len(places) > TILES:
        found = [_district_tile(d) for d in districts(places, values)]
    else:
        few = len({p["district"] for p in places}) * FEW > len(places)
        found = [_tile(p, values, "province" if few else "district") for p in places]
    known = sorted(tile["value"] for tile in found if tile["value"] is not None)
    cuts = _cuts(known)
    groups = {}
    for tile in found:
        if tile["value"] is not None:
            tile["mark"] = str(1 + sum(tile["value"] > cut for cut in cuts))
        groups.setdefault(tile.pop("group"), []).append(tile)
    bounds = {}
    for value in known:
        mark = str(1 + sum(value > cut for cut in cuts))
        bounds[mark] = (bounds.get(mark, (value,))[0], value)
    return sorted(groups.items(), key=lambda item: alphabetical(item[0])), bounds


def _tile(place, values, level):
    value = values.get(place["place_id"])
    hidden = place["place_id"] in values and value is None
    group = place[level] or place["province"]
    return {
        "name": place["name"],
        "place": place,
        "value": value,
        "group": group,
        "mark": "×" if hidden else "–",
    }


def _district_tile(row):
    return {"name": row["name"], "place": None, "value": row["median"], "group": row["province"], "mark": "–"}


def _cuts(known):
    if len(set(known)) < 2:
        return []
    return sorted(set(quantiles(known, n=CLASSES, method="inclusive")))


def districts(places, values):
    """Return one dict per district: name, places, known, median, lowest, highest; for the table behind the tiles."""
    members = {}
    for place in places:
        members.setdefault((place["province"], place["district"]), []).append(place)
    rows = []
    for (province, district), own in members.items():
        known = sorted(v for p in own if (v := values.get(p["place_id"])) is not None)
        rows.append(
            {
                "province": province,
                "name": district or province,
                "places": len(own),
                "known": len(known),
                "median": median(known) if known else None,
                "lowest": known[0] if known else None,
                "highest": known[-1] if known else None,
            }
        )
    return sorted(rows, key=lambda row: (alphabetical(row["province"]), alphabetical(row["name"])))


def coverage(places):
    """Return how many places are listed, by what became of their report and by the data held."""
    return {
        "places": len(places),
        "status": Counter(p["status"] for p in places),
        "held": Counter(table for p in places for table in p["coverage"]),
        "years": sorted({year for p in places for year in p["years"]}),
        "ended": sum(bool(p["valid_to"]) for p in places),
        "districts": len({(p["province"], p["district"]) for p in places if p["district"]}),
    }


def run(summary):
    """Return what the run of the notebooks took: notebooks, seconds, memory, statuses, failures by place."""
    rows = summary.rows
    return {
        "notebooks": len(rows),
        "seconds": round(summary.seconds),
        "median": median(r.seconds for r in rows) if rows else 0,
        "memory": max((r.memory_mb for r in rows), default=0),
        "status": dict(sorted(summary.counts.items())),
        "failed": sorted({r.parameters.get("place", r.name) for r in summary.failed}),
    }
