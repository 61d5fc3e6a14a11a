"""Matplotlib's axes with lighter parts: grid, ticks and labels are one artist, and so are the bars of a series.

A tick of Matplotlib's is five artists, a bar one; in a report's figures they took half of the time.
"""

from functools import partial

import numpy as np
from matplotlib import rcParams
from matplotlib.artist import Artist
from matplotlib.axes import Axes
from matplotlib.axis import XAxis, YAxis
from matplotlib.font_manager import FontProperties
from matplotlib.patches import PathPatch
from matplotlib.path import Path
from matplotlib.ticker import FixedFormatter, FixedLocator
from matplotlib.transforms import Bbox, IdentityTransform

_TICK, _PAD = 3.5, 3.5  # points: length of a tick, and between it and its label
_LINE = 1.2  # of the type size: from one line of a label to the next
_ASCENT, _DESCENT, _MIDDLE = (
    0.76,
    0.24,
    0.365,
)  # of the type size: above and below the line; middle of a digit


class _NoTicks:
    """An axis that finds ticks and their labels, but holds no artist for them."""

    majorTicks = minorTicks = ()


class _X(_NoTicks, XAxis):
    pass


class _Y(_NoTicks, YAxis):
    pass


class Panel(Axes):
    """Axes with the methods of Matplotlib's, of which bounds, grid and ticks are drawn by ``Scales``."""

    _grid = frozenset()

    def _gen_axes_spines(self):
        return {}

    def _init_axis(self):
        self.xaxis, self.yaxis = _X(self, clear=False), _Y(self, clear=False)

    def __init__(self, *arguments, **options):
        super().__init__(*arguments, **options)
        self.set_axis_off()
        self.add_artist(Scales()).set_clip_on(False)

    def grid(self, visible=True, *, axis="both", **_):
        axes = frozenset("xy" if axis == "both" else axis)
        self._grid = self._grid | axes if visible else self._grid - axes

    def set_xticks(self, ticks, labels=None):
        _set_ticks(self.xaxis, ticks, labels)

    def set_yticks(self, ticks, labels=None):
        _set_ticks(self.yaxis, ticks, labels)

    def bar(self, x, height, width=0.8, bottom=0.0, **look):
        x, height, width, bottom = np.broadcast_arrays(
            np.atleast_1d(np.asarray(x, float)), height, width, bottom
        )
        return self._bars(x - width / 2, bottom, width, height, "y", look)

    def barh(self, y, width, height=0.8, left=0.0, **look):
        y, width, left = np.broadcast_arrays(
            np.atleast_1d(np.asarray(y, float)), np.asarray(width, float), left
        )
        return self._bars(left, y - height / 2, width, np.full(len(y), height), "x", look)

    def _bars(self, x, y, width, height, foot, look):
        """One patch of all rectangles; a bar without a value is left out."""
        corners = np.stack(
            [np.stack([x, x + width, x + width, x, x], 1), np.stack([y, y, y + height, y + height, y], 1)], 2
        )
        corners = corners[np.isfinite(corners).all(axis=(1, 2))]
        codes = [Path.MOVETO, Path.LINETO, Path.LINETO, Path.LINETO, Path.CLOSEPOLY] * len(corners)
        patch = PathPatch(Path(corners.reshape(-1, 2), codes), **{"linewidth": 0} | look)
        getattr(patch.sticky_edges, foot).append(0)
        self.add_patch(patch)
        self.autoscale_view()
        return patch


class Scales(Artist):
    """Bounds, grid, ticks and their labels, and the axes' labels, of the panel that it is added to."""

    zorder = 0.5

    def draw(self, renderer):
        box, scales = self.axes.bbox, self._scales()
        context = renderer.new_gc()
        edges = [[(box.x0, box.y0), (box.x0, box.y1)]]
        edges += [[(box.x0, box.y0), (box.x1, box.y0)]] if len(scales["x"]) else []
        lines = {"x": lambda at: [(at, box.y0), (at, box.y1)], "y": lambda at: [(box.x0, at), (box.x1, at)]}
        marks = {"x": lambda at: [(at, box.y0), (at, box.y0 - _TICK)], "y": lambda at: [(box.x0, at), (box.x0 - _TICK, at)]}  # fmt: skip
        grid = [lines[name](at) for name in sorted(self.axes._grid) for at, _ in scales[name]]
        _draw_lines(renderer, context, grid, rcParams["grid.color"], rcParams["grid.linewidth"])
        edges += [marks[name](at) for name in "xy" for at, _ in scales[name]]
        _draw_lines(renderer, context, edges, rcParams["axes.edgecolor"], rcParams["axes.linewidth"])
        context.set_foreground(rcParams["text.color"])
        for said, x, y, angle, prop, _ in self._texts(renderer, scales):
            renderer.draw_text(context, x, renderer.height - y, said, prop, angle)
        context.restore()

    def get_tightbbox(self, renderer):
        box = self.axes.bbox
        around = [Bbox.from_extents(box.x0 - _TICK, box.y0 - _TICK, box.x1, box.y1)]
        return Bbox.union(around + [one[-1] for one in self._texts(renderer, self._scales())])

    def _scales(self):
        """Where the ticks of both axes lie, in points, and the labels there."""
        found = {}
        for name, axis in (("x", self.axes.xaxis), ("y", self.axes.yaxis)):
            ticks = np.asarray(axis.get_majorticklocs(), float)
            labels = axis.get_major_formatter().format_ticks(ticks) or [""] * len(ticks)
            low, high = sorted(axis.get_view_interval())
            slack = (high - low) * 1e-9
            points = np.column_stack([ticks, ticks]) if len(ticks) else np.empty((0, 2))
            at = self.axes.transData.transform(points)[:, "xy".index(name)]
            inside = (ticks >= low - slack) & (ticks <= high + slack)
            found[name] = [(a, label) for a, label, within in zip(at, labels, inside, strict=True) if within]
        if not self.axes.get_subplotspec().is_last_row() and self._shared():
            found["x"] = [(at, "") for at, _ in found["x"]]
        return found

    def _shared(self):
        return len(self.axes.get_shared_x_axes().get_siblings(self.axes)) > 1

    def _texts(self, renderer, scales):
        """Each line of text: what it says, where, how it is turned, its font, and the box around it."""
        box, font, pad = (
            self.axes.bbox,
            FontProperties(size=rcParams["xtick.labelsize"]),
            rcParams["axes.labelpad"],
        )
        size, below, beside = font.get_size_in_points(), box.y0 - _TICK - _PAD, box.x0 - _TICK - _PAD
        text = partial(_text, renderer)
        found = [text(said, font, at, below - _ASCENT * size, 0.5) for at, said in scales["x"] if said]
        floor = min((one[-1].y0 for one in found), default=below)
        for at, label in scales["y"]:
            lines = label.split("\n")
            top = at + ((len(lines) - 1) / 2 * _LINE - _MIDDLE) * size
            found += [
                text(said, font, beside, top - n * _LINE * size, 1) for n, said in enumerate(lines) if said
            ]
        least = min((one[-1].x0 for one in found), default=beside)
        if said := self.axes.get_xlabel():
            font = self.axes.xaxis.label.get_fontproperties()
            y = floor - pad - _ASCENT * font.get_size_in_points()
            found.append(text(said, font, (box.x0 + box.x1) / 2, y, 0.5))
        if said := self.axes.get_ylabel():
            font = self.axes.yaxis.label.get_fontproperties()
            x = min(least, beside) - pad - _DESCENT * font.get_size_in_points()
            found.append(text(said, font, x, (box.y0 + box.y1) / 2, 0.5, upright=True))
        return found


def _text(renderer, said, font, x, y, align, upright=False):
    """One line of text of which the part ``align`` lies before (x, y)."""
    width, size = renderer.get_text_width_height_descent(said, font, False)[0], font.get_size_in_points()
    if upright:
        y -= align * width
        return said, x, y, 90, font, Bbox.from_extents(x - _ASCENT * size, y, x + _DESCENT * size, y + width)
    x -= align * width
    return said, x, y, 0, font, Bbox.from_extents(x, y - _DESCENT * size, x + width, y + _ASCENT * size)


def _draw_lines(renderer, context, lines, colour, width):
    if lines:
        path = Path(np.reshape(lines, (-1, 2)), [Path.MOVETO, Path.LINETO] * len(lines))
        context.set_foreground(colour)
        context.set_linewidth(width)
        renderer.draw_path(context, path, IdentityTransform())


def _set_ticks(axis, ticks, labels):
    axis.set_major_locator(FixedLocator(list(ticks)))
    if labels is not None:
        axis.set_major_formatter(FixedFormatter(list(labels)))
