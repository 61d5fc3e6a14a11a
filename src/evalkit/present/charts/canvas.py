"""The drawing surface that all figures share: size, type, colours that colour-blind readers can tell, SVG out."""

import io
from contextlib import contextmanager
from contextvars import ContextVar

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
    "svg.fonttype": "path",
    "svg.hashsalt": "evalkit",
    "figure.facecolor": "white",
}
WIDTH = 8.6
PAPER = ContextVar("paper", default=None)  # the size that charts.save asks for
# Fills that differ in lightness and in pattern, so that they stay apart in print and without colour.
FILLS = (("#0b5394", ""), ("#e8b04a", "////"), ("#5fb0d9", "\\\\\\\\"), ("#7b4f8c", "xxxx"), ("#c3c7cd", "----"), ("#ffffff", "||||"))  # fmt: skip


@contextmanager
def canvas(height, columns=1, *, rows=1, **gridspec):
    """Yield (figure, axes) in evalkit's style; nothing of the style outlives the drawing."""
    import matplotlib
    from matplotlib.figure import Figure

    paper = PAPER.get()
    size = (WIDTH, height) if paper is None else paper.size(height)
    with matplotlib.rc_context(_STYLE):
        figure = Figure(figsize=size, layout="constrained")
        yield figure, figure.subplots(rows, columns, **gridspec)


def fill(n):
    """Return the style of the n-th filled area: colour and pattern."""
    colour, hatch = FILLS[n]
    edge = INK if colour == "#ffffff" else "white"
    return {"facecolor": colour, "hatch": hatch, "edgecolor": edge, "linewidth": 0.5}


def years_axis(axes, years):
    """Set the axis of years: whole years, none between, a little room at both ends."""
    first, last = min(years), max(years)
    step = 1 if last - first <= 7 else 2
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
    """Return a figure as SVG text, the same bytes for the same figure."""
    from matplotlib.backends.backend_svg import FigureCanvasSVG

    if (paper := PAPER.get()) is not None:
        paper.take(figure)
    FigureCanvasSVG(figure)
    figure.set_dpi(72)  # that of SVG, so that the layout measures the text that will be drawn
    figure.get_layout_engine().execute(figure)
    figure.set_layout_engine(None)  # done: savefig would lay out by drawing everything once more
    out = io.StringIO()
    figure.savefig(out, format="svg", metadata={"Date": None, "Creator": None})
    text = out.getvalue()
    return text[text.index("<svg") :]
