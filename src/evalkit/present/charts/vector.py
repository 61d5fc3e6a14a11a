"""What Matplotlib draws, written as SVG: glyphs measured and outlined once in a process, two decimals, no comments."""

import zlib
from functools import lru_cache
from unicodedata import normalize

import numpy as np
from matplotlib.backend_bases import RendererBase
from matplotlib.colors import to_hex
from matplotlib.font_manager import findfont, get_font
from matplotlib.ft2font import Kerning, LoadFlags
from matplotlib.path import Path
from matplotlib.transforms import Affine2D

_LETTERS = {Path.LINETO: "l", Path.CURVE3: "q", Path.CURVE4: "c"}  # by differences, which are shorter
_POINTS = {Path.MOVETO: 1, Path.LINETO: 1, Path.CURVE3: 2, Path.CURVE4: 3, Path.CLOSEPOLY: 1}
_EM = 200  # units of the grid on which letters are drawn and placed: a fortieth of a point at usual sizes
_DIRECTIONS = dict.fromkeys(
    [0x061C, 0x200E, 0x200F, *range(0x202A, 0x202F), *range(0x2066, 0x206A)]
)  # unseen marks
_TILE = 72  # points: the side of the square that a hatch fills


class Vector(RendererBase):
    """Matplotlib's renderer for one figure of ``width`` × ``height`` points; ``text()`` is the SVG."""

    def __init__(self, width, height):
        super().__init__()
        self.width, self.height = width, height
        self._flip = Affine2D().scale(1, -1).translate(0, height)
        self._defined = {}
        self._body = []

    def text(self):
        """Return the figure as SVG; ids follow from what they name, so equal figures are equal bytes."""
        head = (
            f'<svg xmlns="http://www.w3.org/2000/svg" '
            f'width="{_n(self.width)}pt" height="{_n(self.height)}pt" '
            f'viewBox="0 0 {_n(self.width)} {_n(self.height)}" fill="none" stroke-linejoin="round">'
        )
        return "\n".join([head, "<defs>", *self._defined.values(), "</defs>", *self._body, "</svg>\n"])

    def flipy(self):
        return True

    def get_canvas_width_height(self):
        return self.width, self.height

    def draw_path(self, gc, path, transform, rgbFace=None):
        outline = _outline(transform.transform_path(path), self._flip)
        if outline:
            self._body.append(f'<path d="{outline}"{self._style(gc, rgbFace)}{self._clip(gc)}/>')

    def draw_markers(self, gc, marker_path, marker_trans, path, trans, rgbFace=None):
        outline = _outline(marker_trans.transform_path(marker_path), Affine2D().scale(1, -1))
        name = self._define("m", outline, lambda id: f'<path id="{id}" d="{outline}"/>')
        points = (trans + self._flip).transform(path.vertices)
        points = points[np.isfinite(points).all(axis=1)]
        uses = "".join(f'<use href="#{name}" x="{_n(x)}" y="{_n(y)}"/>' for x, y in points.tolist())
        if uses:
            self._body.append(f"<g{self._style(gc, rgbFace)}{self._clip(gc)}>{uses}</g>")

    def draw_text(self, gc, x, y, s, prop, angle, ismath=False, mtext=None):
        font = _font(prop)
        scale = prop.get_size_in_points() / _EM
        run, _ = font.run(s)
        for glyph, _ in run:
            self._defined.setdefault(glyph, font.outlines[glyph])
        turn = f" rotate({_n(-angle)})" if angle else ""
        place = f"translate({_n(x)} {_n(y)}){turn} scale({scale:.6g} {-scale:.6g})"
        uses = "".join(f'<use href="#{glyph}" x="{at * _EM / font.units:.0f}"/>' for glyph, at in run)
        if uses:
            look = f' fill="{to_hex(gc.get_rgb())}"' + _opacity(gc.get_rgb()[3])
            self._body.append(f'<g transform="{place}"{look}{self._clip(gc)}>{uses}</g>')

    def get_text_width_height_descent(self, s, prop, ismath):
        font = _font(prop)
        scale = prop.get_size_in_points() / font.units
        _, (width, top, bottom) = font.run(s)
        return width * scale, (top - bottom) * scale, -bottom * scale

    def _style(self, gc, face):
        said = ""
        if gc.get_hatch() is not None:
            said = f' fill="url(#{self._hatch(gc, face)})"'
        elif face is not None:
            said = f' fill="{to_hex(face)}"' + _opacity(face[3] if len(face) == 4 else 1, "fill-opacity")
        if width := gc.get_linewidth():
            stroke = gc.get_rgb()
            said += f' stroke="{to_hex(stroke)}"' + _opacity(stroke[3], "stroke-opacity")
            said += f' stroke-width="{_n(width)}"' if width != 1 else ""
            offset, dashes = gc.get_dashes()
            if dashes is not None:
                said += f' stroke-dasharray="{",".join(map(_n, dashes))}" stroke-dashoffset="{_n(offset)}"'
            if gc.get_capstyle() != "butt":
                said += f' stroke-linecap="{ {"projecting": "square"}.get(gc.get_capstyle(), "round") }"'
            if gc.get_joinstyle() != "round":
                said += f' stroke-linejoin="{gc.get_joinstyle()}"'
        return said

    def _clip(self, gc):
        box = gc.get_clip_rectangle()
        if box is None:
            return ""
        x, y, width, height = box.bounds
        area = f'x="{_n(x)}" y="{_n(self.height - y - height)}" width="{_n(width)}" height="{_n(height)}"'
        name = self._define("c", area, lambda id: f'<clipPath id="{id}"><rect {area}/></clipPath>')
        return f' clip-path="url(#{name})"'

    def _hatch(self, gc, face):
        face = None if face is None else to_hex(face)
        drawn = _hatching(gc.get_hatch(), face, to_hex(gc.get_hatch_color()), gc.get_hatch_linewidth())
        box = f'patternUnits="userSpaceOnUse" width="{_TILE}" height="{_TILE}"'
        return self._define("h", drawn, lambda id: f'<pattern id="{id}" {box}>{drawn}</pattern>')

    def _define(self, kind, content, made):
        name = f"{kind}{zlib.crc32(content.encode()):08x}"
        if name not in self._defined:
            self._defined[name] = made(name)
        return name


class Font:
    """A font file's glyphs: outlines and widths in the font's own units, kept for the life of the process."""

    def __init__(self, file):
        self.face = get_font(file)
        self.units = self.face.units_per_EM
        self.mark = f"g{zlib.crc32(self.face.postscript_name.encode()) & 0xFFFF:x}"  # begins its glyphs' ids
        self.outlines, self.glyphs, self.kerns = {}, {}, {}
        self.run = lru_cache(4096)(self._run)

    def _run(self, text):
        """Return (glyph, x) of each glyph of a text that has an outline, and the text's width, top and bottom."""
        placed, x, top, bottom, before = [], 0.0, 0.0, 0.0, None
        for letter in normalize("NFC", text.translate(_DIRECTIONS)):
            index, name, advance, high, low = self.glyphs.get(letter) or self._load(letter)
            if before is not None:
                x += self._kern(before, index)
            if name in self.outlines:
                placed.append((name, x))
                top, bottom = max(top, high), min(bottom, low)
            x, before = x + advance, index
        return tuple(placed), (x, top, bottom)

    def _load(self, letter):
        self.face.set_size(self.units, 72)
        glyph = self.face.load_char(ord(letter), flags=LoadFlags.NO_HINTING)
        index = self.face.get_char_index(ord(letter))
        vertices, codes = self.face.get_path()
        name = f"{self.mark}-{index}"
        if len(codes):
            drawn = _outline(Path(vertices, codes), Affine2D().scale(_EM / self.units), 0)
            self.outlines[name] = f'<path id="{name}" d="{drawn}"/>'
        _, low, _, high = (edge / 64 for edge in glyph.bbox)
        self.glyphs[letter] = index, name, glyph.linearHoriAdvance / 65536, high, low
        return self.glyphs[letter]

    def _kern(self, left, right):
        if (left, right) not in self.kerns:
            self.face.set_size(self.units, 72)
            self.kerns[left, right] = self.face.get_kerning(left, right, Kerning.UNFITTED) / 64
        return self.kerns[left, right]


_fonts = {}


def _font(prop):
    key = (*prop.get_family(), prop.get_weight(), prop.get_style())
    if key not in _fonts:
        _fonts[key] = Font(findfont(prop))
    return _fonts[key]


@lru_cache(64)
def _hatching(hatch, face, edge, width):
    """One square of a pattern: its ground and its lines."""
    lines = _outline(Path.hatch(hatch), Affine2D().scale(_TILE, -_TILE).translate(0, _TILE))
    ground = "" if face is None else f'<rect width="{_TILE}" height="{_TILE}" fill="{face}"/>'
    return f'{ground}<path d="{lines}" stroke="{edge}" stroke-width="{_n(width)}" fill="{edge}"/>'


def _outline(path, transform, digits=2):
    """Return a path as the text of SVG's ``d``; a vertex that is not finite ends the line there."""
    points = transform.transform(path.vertices)
    straight = [Path.MOVETO] + [Path.LINETO] * (len(points) - 1)
    codes = straight if path.codes is None else path.codes.tolist()
    known = np.isfinite(points).all(axis=1).tolist()
    points = np.round(points, digits).tolist()
    said, n, pen, first = [], 0, None, None
    while n < len(codes):
        code, count = codes[n], _POINTS.get(codes[n], 1)
        if code == Path.STOP:
            break
        if code == Path.CLOSEPOLY:
            said.append("z" if pen else "")
            pen = first if pen else None
        elif not all(known[n : n + count]):
            pen = None
        elif pen is None or code == Path.MOVETO:
            pen = first = points[n + count - 1]
            said.append("M" + _numbers(pen))
        else:
            steps = [
                round(to - at, digits)
                for end in points[n : n + count]
                for to, at in zip(end, pen, strict=True)
            ]
            pen = points[n + count - 1]
            level = {(False, True): ("h", steps[:1]), (True, False): ("v", steps[1:])}
            flat = (steps[0] == 0, steps[1] == 0) if code == Path.LINETO else None
            letter, steps = level.get(flat, (_LETTERS[code], steps))
            said.append(letter + _numbers(steps))
        n += count
    return "".join(said)


def _numbers(values):
    return " ".join(f"{v + 0.0:g}" for v in values).replace(" -", "-")


def _opacity(alpha, name="opacity"):
    return "" if alpha == 1 else f' {name}="{_n(alpha)}"'


def _n(number):
    return f"{round(float(number), 2) + 0.0:g}"
