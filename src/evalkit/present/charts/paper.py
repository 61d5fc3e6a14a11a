"""A chart at the width of a paper's column, as a file."""

from pathlib import Path

from evalkit.errors import ParameterError
from evalkit.present.charts.canvas import PAPER, WIDTH

FORMATS = ("svg", "pdf", "png")
_INCH = 25.4  # millimetres
_BODY = 9.5  # points, the type of a report's figure
_SMALLEST = 6  # points, the least that journals print
_WIDE = 120  # millimetres, from which the report's type fits
_LEAST_HEIGHT = 0.7  # of the report's, so that a narrow figure stays legible


def save(chart, place, path, *arguments, width_mm=170, font_pt=None, dpi=600, **named):
    """Draw a chart for a paper and save it; return its block, whose caption and alt belong beside the figure.

    chart: a function of ``ek.charts``; place, arguments, named: what it takes. path: a file that ends in .svg,
    .pdf or .png. width_mm: 85 is one column of most journals, 170 two; a chart whose labels don't fit comes out
    wider. font_pt: size of the type; default 9.5, below 120 mm 6.5. dpi: of a PNG. Raises ParameterError for
    another ending, type below 6 points, or nothing to draw.

    >>> ek.charts.save(ek.charts.poverty, place, "poverty.pdf", width_mm=85, lang="en")
    """
    import matplotlib

    path, font = Path(path), font_pt or (_BODY if width_mm >= _WIDE else 6.5)
    ending = path.suffix.lstrip(".").lower()
    if ending not in FORMATS:
        raise ParameterError(f"{path}: a figure is saved as .{', .'.join(FORMATS)}. Name the file so.")
    if font < _SMALLEST:
        raise ParameterError(f"font_pt = {font:g}: journals print no type below {_SMALLEST} points.")
    paper = _Paper(width_mm / _INCH, font / _BODY)
    token = PAPER.set(paper)
    try:
        block = chart(place, *arguments, **named)
    finally:
        PAPER.reset(token)
    if paper.figure is None:
        raise ParameterError(f"{path}: there is nothing to draw. {' '.join(block.paragraphs)}")
    path.parent.mkdir(parents=True, exist_ok=True)
    undated = {"svg": {"Date": None}, "pdf": {"CreationDate": None}}.get(ending, {})
    with matplotlib.rc_context({"svg.hashsalt": "evalkit", "svg.fonttype": "path", "pdf.fonttype": 42}):
        paper.figure.savefig(path, dpi=dpi, metadata=undated, bbox_inches="tight", pad_inches=0.02)
    return block


class _Paper:
    """The size that a figure takes while a chart is drawn for a paper, and the figure."""

    def __init__(self, width, scale):
        self.width, self.scale, self.figure = width, scale, None

    def size(self, height):
        return self.width, height * max(self.width / WIDTH, _LEAST_HEIGHT)

    def take(self, figure):
        """Keep a figure, before it is laid out, with its type in the size asked for."""
        from matplotlib.text import Text

        for text in figure.findobj(Text):
            text.set_fontsize(text.get_fontsize() * self.scale)
        self.figure = figure
