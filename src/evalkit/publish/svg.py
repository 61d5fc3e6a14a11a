"""Figures as files of their own: only drawing is let through."""

import re
from xml.etree import ElementTree as ET

from evalkit.errors import DataError

SVG = "http://www.w3.org/2000/svg"
XLINK = "http://www.w3.org/1999/xlink"
DRAWING = {
    f"{{{SVG}}}{name}"
    for name in [
        "svg",
        "g",
        "path",
        "use",
        "defs",
        "clipPath",
        "rect",
        "circle",
        "ellipse",
        "line",
        "polyline",
        "polygon",
        "text",
        "tspan",
        "style",
        "title",
        "desc",
        "linearGradient",
        "radialGradient",
        "stop",
        "pattern",
        "mask",
        "marker",
        "symbol",
        "image",
    ]
}
ASIDE = re.compile(r"<metadata>.*?</metadata>|<!--.*?-->", re.DOTALL)
HREFS = ("href", f"{{{XLINK}}}href")
HREF = re.compile(r"#|data:image/png;base64,")
OUTWARD = re.compile(r"url\(\s*['\"]?(?!#)|@import|expression\(", re.IGNORECASE)
GLYPH = re.compile(r'(id="|href="#)(g[0-9a-f]+-[0-9]+)"')
POINT = 4 / 3  # CSS pixels in a point


def drawing(text, where):
    """Return (svg, width, height) of a figure: the drawing alone as text, its size in CSS pixels.

    Metadata and comments are dropped. Raises DataError, naming ``where``, for what is no drawing: text that
    is no SVG, scripts, event handlers, foreign content, references that lead out of the file.
    """
    text = ASIDE.sub("", text[max(text.find("<svg"), 0) :])
    try:
        root = ET.fromstring(text)
    except ET.ParseError as fault:
        raise DataError(
            f"{where}: the figure is no well-formed SVG ({fault}). Save it as SVG again."
        ) from None
    if root.tag != f"{{{SVG}}}svg":
        raise DataError(f"{where}: the figure's outermost element is {root.tag!r}, not svg. Save it as SVG.")
    for element in root.iter():
        if element.tag not in DRAWING:
            name = element.tag.removeprefix(f"{{{SVG}}}")
            raise DataError(
                f"{where}: the figure holds the element {name!r}, which is no drawing. Remove it."
            )
        for key, value in element.attrib.items():
            if key in HREFS or key[0] in "oO" or "(" in value or "@" in value:
                _check(element, key, value, where)
        if element.tag == f"{{{SVG}}}style" and OUTWARD.search(element.text or ""):
            raise DataError(f"{where}: the figure's style sheet fetches from outside. Remove it.")
    return _short(text), *_size(root, where)


def _short(text):
    """The same drawing with its letters' ids as short as a file of its own allows: they are half of its text."""
    names = {}
    return GLYPH.sub(lambda found: f'{found[1]}{names.setdefault(found[2], f"g{len(names):x}")}"', text)


def _check(element, key, value, where):
    refers = key in HREFS
    if key.lower().startswith("on") or (refers and not HREF.match(value)) or OUTWARD.search(value):
        name = element.tag.removeprefix(f"{{{SVG}}}")
        raise DataError(
            f"{where}: <{name}> has {key}={value[:60]!r}; a figure runs and fetches nothing. Remove it."
        )


def _size(root, where):
    box = (root.get("viewBox") or "").replace(",", " ").split()
    try:
        width, height = (float(number) * POINT for number in box[2:4])
    except ValueError:
        raise DataError(f"{where}: the figure has no viewBox, so its size is unknown. Give it one.") from None
    return round(width), round(height)
