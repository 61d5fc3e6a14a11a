"""The drawing surface that all figures share: size, type, colours that colour-blind readers can tell, SVG out."""

from contextlib import contextmanager
from contextvars import ContextVar

from evalkit.present import words
from evalkit.present.blocks import absent

__all__ = [
    "AREA",
    "FILLS",
    "INK",
    "OTHERS",
    "PLACE",
    "absent",
    "apart",
    "canvas",
    "fill",
    "svg",
    "ticks",
    "years_axis",
]

PLACE, AREA, OTHERS, INK, GRID = "#0b5394", "#b45f06", "#8a8f98", "#222222", "#d9dce1"
_STYLE = {
    "font.family": "DejaVu Sans",
    "font.size": 9.5,
    "axes.edgecolor": "#9aa0a8",
    "axes.labelcolor": INK,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.grid": True,
    "axes.axisbelow": True,
    "grid.color": GRID,
    "grid.linewidth": 0.6,
    "xtick.color": INK,
    "ytick.color": INK,
    "text.color": INK,
    "hatch.linewidth": 0.7,
    "text.parse_math": False,  # a name may hold dollar signs
    "axes.formatter.useoffset": False,
    "axes.titley": 1.0,
    "figure.facecolor": "white",
}
WIDTH, POINTS = 8.6, 72  # inches; points in an inch, the unit of the drawing
_EDGE, _BETWEEN = 3.0, 6.0  # points left free at the figure's edge and between neighbours
PAPER = ContextVar("paper", default=None)  # the size that charts.save asks for
# Fills that differ in lightness and in pattern, so that they stay apart in print and without colour.
FILLS = (("#0b5394", ""), ("#e8b04a", "////"), ("#5fb0d9", "\\\\\\\\"), ("#7b4f8c", "xxxx"), ("#c3c7cd", "----"), ("#ffffff", "||||"))  # fmt: skip


@contextmanager
def canvas(height, columns=1, *, rows=1, **gridspec):
    """Yield (figure, axes) in evalkit's style; nothing of the style outlives the drawing."""
    import matplotlib
    from matplotlib.figure import Figure

    paper = PAPER.get()
    with matplotlib.rc_context(_STYLE):
        if paper is None:
            figure = Figure(figsize=(WIDTH, height), dpi=POINTS)
        else:
            figure = Figure(figsize=paper.size(height), layout="constrained")
        yield figure, panels(figure, rows, columns, **gridspec)


def panels(figure, rows, columns, **gridspec):
    """Return a grid of axes in a figure: light ones for a page, Matplotlib's own for a paper."""
    from evalkit.present.charts.panel import Panel

    kind = {"axes_class": Panel} if PAPER.get() is None else {}
    return figure.subplots(rows, columns, subplot_kw=kind, **gridspec)


def fill(n):
    """Return the style of the n-th filled area: colour and pattern."""
    colour, hatch = FILLS[n]
    edge = INK if colour == "#ffffff" else "white"
    return {"facecolor": colour, "hatch": hatch, "edgecolor": edge, "linewidth": 0.5}


def ticks(lang, unit=""):
    """Return how ticks are written: with as many decimals as they have, for a rounded one would stand elsewhere."""
    return lambda x, _: f"{words.decimal(round(x, 6) + 0.0, lang, 6)}{unit}"  # + 0.0: no −0


def years_axis(axes, years, most=8):
    """Set the axis of years: whole years, every second one beyond ``most``, a little room at both ends."""
    first, last = min(years), max(years)
    step = 1 if last - first < most else 2
    axes.set_xticks([y for y in range(first, last + 1) if (last - y) % step == 0])
    axes.set_xlim(first - 0.6, last + 0.6)


def apart(heights, least):
    """Return heights moved up so that labels drawn there are at least ``least`` apart."""
    order = sorted(range(len(heights)), key=heights.__getitem__)
    moved, floor = list(heights), float("-inf")
    for i in order:
        moved[i] = floor = max(heights[i], floor + least)
    return moved


def svg(figure):
    """Return a figure as SVG text, the same bytes for the same figure; one for a paper is kept there undrawn."""
    from evalkit.present.charts.vector import Vector

    if (paper := PAPER.get()) is not None:
        paper.take(figure)
        return ""
    renderer = Vector(*figure.get_size_inches() * POINTS)
    figure.subplots_adjust(left=0.1, right=0.98, bottom=0.15, top=0.92)  # a first guess, for the ticks
    _lay_out(figure, renderer)
    if _cut(figure, renderer):  # the room that was left makes other ticks, with wider labels
        _lay_out(figure, renderer)
    figure.draw(renderer)
    return renderer.text()


def _lay_out(figure, renderer):
    """Give the axes the room that their labels leave, measured once, and the legends the foot of the figure."""
    foot = max((one.get_window_extent(renderer).height + _EDGE for one in figure.legends), default=0)
    around = [_around(axes, renderer) for axes in figure.axes]
    columns, rows = (1 + max(one[axis].start for one in around) for axis in ("column", "row"))
    most = lambda side, axis, n: max((one[side] for one in around if n in one[axis]), default=0)  # noqa: E731
    across = [
        most("right", "column", n) + most("left", "column", n + 1) + _BETWEEN for n in range(columns - 1)
    ]
    along = [most("below", "row", n) + most("above", "row", n + 1) + _BETWEEN for n in range(rows - 1)]
    width, height = figure.bbox.size
    left, right = _EDGE + most("left", "column", 0), width - _EDGE - most("right", "column", columns - 1)
    bottom, top = foot + _EDGE + most("below", "row", rows - 1), height - _EDGE - most("above", "row", 0)
    left, bottom = min(left, 0.5 * width), min(bottom, 0.6 * height)  # a label of any length leaves an axis
    right, top = max(right, 0.6 * width), max(top, 0.7 * height)
    figure.subplots_adjust(
        left=left / width, right=right / width, bottom=bottom / height, top=top / height,
        wspace=_space(across, right - left), hspace=_space(along, top - bottom),
    )  # fmt: skip


def _cut(figure, renderer):
    """Whether a label reaches beyond the left edge of the paper."""
    return any(axes.get_tightbbox(renderer).x0 < 0 for axes in figure.axes)


def _around(axes, renderer):
    """Where axes stand in the figure's grid, and how far what belongs to them reaches beyond each side, in points."""
    spec, box, whole = axes.get_subplotspec(), axes.bbox, axes.get_tightbbox(renderer)
    return {
        "column": spec.colspan,
        "row": spec.rowspan,
        "left": box.x0 - whole.x0,
        "right": whole.x1 - box.x1,
        "below": box.y0 - whole.y0,
        "above": whole.y1 - box.y1,
    }


def _space(gaps, length):
    """The widest gap as a part of the mean size of the axes, as Matplotlib counts."""
    if not gaps:
        return 0
    return max(gaps) / ((length - max(gaps) * len(gaps)) / (len(gaps) + 1))
