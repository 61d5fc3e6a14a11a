"""A map from a data set's own boundaries: equirectangular, as SVG paths that the style sheet colours."""

import math

WIDTH = 640  # CSS pixels
CODES = ("place", "code", "ma", "ma_xa", "MAXA", "maxa")


def outline(boundaries, tiles):
    """Return {width, height, paths: [(mark, d)]} of GeoJSON polygons, or None where there are none.

    boundaries: a FeatureCollection in degrees whose features bear the place's identity or code as ``place``
    or ``code``. tiles: groups of tiles with their marks. Places without boundary stay in the tile grid alone.
    """
    if not boundaries:
        return None
    marks = {}
    for _, group in tiles:
        for tile in group:
            if tile["place"]:
                marks[tile["place"]["code"]] = marks[tile["place"]["place_id"]] = tile["mark"]
    shapes = [
        (mark, rings) for f in boundaries["features"] if (mark := _mark(f, marks)) and (rings := _rings(f))
    ]
    if not shapes:
        return None
    points = [point for _, rings in shapes for ring in rings for point in ring]
    west, east = min(p[0] for p in points), max(p[0] for p in points)
    south, north = min(p[1] for p in points), max(p[1] for p in points)
    narrow = math.cos(math.radians((south + north) / 2))
    scale = WIDTH / ((east - west) * narrow or 1)
    to = lambda p: (round((p[0] - west) * narrow * scale, 1), round((north - p[1]) * scale, 1))  # noqa: E731
    paths = [(mark, "".join(_path([to(p) for p in ring]) for ring in rings)) for mark, rings in shapes]
    return {"width": WIDTH, "height": round((north - south) * scale), "paths": paths}


def _mark(feature, marks):
    properties = feature.get("properties") or {}
    return next((marks[str(properties[k])] for k in CODES if str(properties.get(k)) in marks), None)


def _rings(feature):
    geometry = feature.get("geometry") or {}
    if geometry.get("type") == "Polygon":
        return geometry["coordinates"]
    if geometry.get("type") == "MultiPolygon":
        return [ring for polygon in geometry["coordinates"] for ring in polygon]
    return []


def _path(points):
    kept = [p for i, p in enumerate(points) if i == 0 or p != points[i - 1]]
    return "M" + "L".join(f"{x:g} {y:g}" for x, y in kept) + "Z"
