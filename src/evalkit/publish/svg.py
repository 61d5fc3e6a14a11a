"""Figures as files of their own: only drawing is let through."""

import re
from xml.etree import ElementTree as ET

from evalkit.errors import DataError

SVG = "http://www.w3.org/2000/svg"
XLINK = "http://www.w3.org/1999/xlink"
DRAWING = re.compile(
    "svg|g|path|use|defs|clipPath|rect|circle|ellipse|line|polyline|polygon|text|tspan|style|title|desc|"
    "linearGradient|radialGradient|stop|pattern|mask|marker|symbol|image"
)
HREFS = ("href", f"{{{XLINK}}}href")
HREF = re.compile(r"#|data:image/png;base64,")
OUTWARD = re.compile(r"url\(\s*['\"]?(?!#)|@import|expression\(", re.IGNORECASE)
POINT = 4 / 3  # CSS pixels in a point


def drawing(text, where):
    """Return (svg, width, height) of a figure: the drawing alone as text, its size in CSS pixels.

    Metadata and comments are dropped. Raises DataError, naming ``where``, for what is no drawing: text that
    is no SVG, scripts, event handlers, foreign content, references that lead out of the file.
    """
    try:
        root = ET.fromstring(text)
    except ET.ParseError as fault:
        raise DataError(
            f"{where}: the figure is no well-formed SVG ({fault}). Save it as SVG again."
        ) from None
    if root.tag != f"{{{SVG}}}svg":
        raise DataError(f"{where}: the figure's outermost element is {root.tag!r}, not svg. Save it as SVG.")
    for element in root.iter():
        for child in [c for c in element if c.tag == f"{{{SVG}}}metadata"]:
            element.remove(child)
        _check(element, where)
    ET.register_namespace("", SVG)
    ET.register_namespace("xlink", XLINK)
    return ET.tostring(root, encoding="unicode"), *_size(root, where)


def _check(element, where):
    name = element.tag.removeprefix(f"{{{SVG}}}")
    if not DRAWING.fullmatch(name):
        raise DataError(f"{where}: the figure holds the element {name!r}, which is no drawing. Remove it.")
    for key, value in element.attrib.items():
        refers = key in HREFS
        if key.lower().startswith("on") or (refers and not HREF.match(value)) or OUTWARD.search(value):
            raise DataError(
                f"{where}: <{name}> has {key}={value[:60]!r}; a figure runs and fetches nothing. Remove it."
            )
    if name == "style" and OUTWARD.search(element.text or ""):
        raise DataError(f"{where}: the figure's style sheet fetches from outside. Remove it.")


def _size(root, where):
    box = (root.get("viewBox") or "").replace(",", " ").split()
    try:
        width, height = (float(number) * POINT for number in box[2:4])
    except ValueError:
        raise DataError(f"{where}: the figure has no viewBox, so its size is unknown. Give it one.") from None
    return round(width), round(height)
