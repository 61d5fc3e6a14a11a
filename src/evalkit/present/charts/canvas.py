"""The drawing surface that all figures share: size, type, colours that colour-blind readers can tell, SVG out."""

import io
from contextlib import contextmanager

from evalkit.present.blocks import Block

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
    "svg.fonttype": "path",
    "svg.hashsalt": "evalkit",
    "figure.facecolor": "white",
}
WIDTH = 8.6


@contextmanager
def canvas(height, columns=1, **gridspec):
    """Yield (figure, axes) in evalkit's style; nothing of the style outlives the drawing."""
    import matplotlib
    from matplotlib.figure import Figure

    with matplotlib.rc_context(_STYLE):
        figure = Figure(figsize=(WIDTH, height), layout="constrained")
        yield figure, figure.subplots(1, columns, **gridspec)


def svg(figure):
    """Return a figure as SVG text, the same bytes for the same figure."""
    out = io.StringIO()
    figure.savefig(out, format="svg", metadata={"Date": None, "Creator": None})
    text = out.getvalue()
    return text[text.index("<svg") :]


def absent(place, id, section, lang, title, reason):
    """Return the block that stands where a figure has nothing to draw; it isn't published."""
    return Block(
        kind="absent",
        id=id,
        section=section,
        lang=lang,
        audience="private",
        title=title,
        paragraphs=(reason,),
    )
