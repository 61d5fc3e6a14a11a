"""A map from a data set's own boundaries: equirectangular, as SVG paths that the style sheet colours."""

import math

WIDTH = 640  # CSS pixels
ROOM = 11  # of these, the least width and height of a shape that bears its mark
CODES = ("place", "code", "ma", "ma_xa", "MAXA", "maxa")


def outline(boundaries, tiles):
    """Return {width, height, paths: [(mark, d)], marks: [(mark, x, y)]} of GeoJSON polygons, or None for none.

    boundaries: a FeatureCollection in degrees whose features bear the place's identity or code as ``place``
    or ``code``. tiles: groups of tiles with their marks. Places without boundary stay in the tile grid alone. A
    mark stands inside its shape where the shape is wide enough for it.
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
    drawn = [(mark, [[to(p) for p in ring] for ring in rings]) for mark, rings in shapes]
    return {
        "width": WIDTH,
        "height": round((north - south) * scale),
        "paths": [(mark, "".join(map(_path, rings))) for mark, rings in drawn],
        "marks": [(mark, *inside) for mark, rings in drawn if (inside := _inside(rings))],
    }


def _inside(rings):
    """The middle of the widest stretch of the shape at half the height of its longest ring; None for a narrow one."""
    heights = [y for _, y in max(rings, key=len)]
    level = (min(heights) + max(heights)) / 2 + 0.01  # of no vertex: these have one decimal
    edges = [edge for ring in rings for edge in zip(ring, ring[1:] + ring[:1], strict=True)]
    crossings = sorted(
        x + (level - y) / (v - y) * (u - x) for (x, y), (u, v) in edges if (y < level) != (v < level)
    )
    width, middle = max(
        ((b - a, (a + b) / 2) for a, b in zip(crossings[::2], crossings[1::2], strict=True)), default=(0, 0)
    )
    return (round(middle, 1), round(level, 1)) if min(width, max(heights) - min(heights)) >= ROOM else None


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
