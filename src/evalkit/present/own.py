"""Blocks of one's own: a text, a table or a figure that a researcher adds to the report of a place.

Each takes the place that ``ek.place`` returned, so that its audience travels along: a block made from a private
place is never marked for publishing. What a researcher computes from elsewhere is theirs to answer for; the attack
before publishing knows evalkit's own tables only.
"""

import io

import pandas as pd

from evalkit.errors import ParameterError
from evalkit.present import words
from evalkit.present.opened import refusing
from evalkit.present.tables.parts import block

SECTIONS = ("credit", "poverty_income", "evaluation")


def text(place, section, id, *, title, paragraphs, lang, level="L0"):
    """Return a block of paragraphs.

    section: "credit", "poverty_income" or "evaluation", where it stands on the page. id: a name of its own in
    that section (letters, digits, -). level: the evidence level of what is claimed. Raises ParameterError for
    an unknown section or an empty title.
    """
    return _block(place, "text", section, id, title, lang, paragraphs=tuple(paragraphs), level=level)


def table(place, section, id, frame, *, title, lang, caption="", level="L0"):
    """Return a block of a table: the columns of ``frame`` as they are named, its cells as text.

    Numbers are written in the reader's habit with at most two decimals, whole ones of up to four digits as they
    are, for they may be years; missing is an en dash. Raises as ``text``.
    """
    numeric = [pd.api.types.is_numeric_dtype(frame[c]) for c in frame]
    columns = tuple((f"c{i}", str(c), n) for i, (c, n) in enumerate(zip(frame, numeric, strict=True)))
    raw = tuple(
        tuple(None if pd.isna(v) else v.item() if hasattr(v, "item") else v for v in row)
        for row in frame.itertuples(index=False, name=None)
    )
    rows = tuple(tuple(_cell(v, lang) for v in row) for row in raw)
    raw = tuple(tuple(v if isinstance(v, str | int | float | None) else str(v) for v in row) for row in raw)
    content = {"columns": columns, "rows": rows, "raw": raw, "caption": caption, "level": level}
    return _block(place, "table", section, id, title, lang, **content)


def figure(place, section, id, figure, *, title, alt, lang, caption="", level="L0"):
    """Return a block of a matplotlib figure. alt says the finding to who can't see it. Raises as ``text``."""
    if not alt.strip():
        raise ParameterError(f"figure {id}: alt is empty. Say in a sentence what the figure shows.")
    drawing = {"svg": _svg(figure), "alt": alt, "caption": caption, "level": level}
    return _block(place, "figure", section, id, title, lang, **drawing)


def _svg(figure):
    """A figure as SVG text, the letters as shapes, the same bytes for the same figure."""
    import matplotlib

    with matplotlib.rc_context({"svg.fonttype": "path", "svg.hashsalt": "evalkit"}):
        out = io.StringIO()
        figure.savefig(out, format="svg", metadata={"Date": None, "Creator": None})
    return out.getvalue()[out.getvalue().index("<svg") :]


def _block(place, kind, section, id, title, lang, **content):
    if section not in SECTIONS:
        raise ParameterError(f"section = {section!r}: write one of {', '.join(SECTIONS)}.")
    if not title.strip():
        raise ParameterError(f"{kind} {id}: title is empty. Say what the reader looks at.")
    return block(place, kind, id, section, lang, title, **content)


def _cell(value, lang):
    if value is None:
        return "–"
    if isinstance(value, float) or (isinstance(value, int) and abs(value) >= 10_000):
        return words.decimal(value, lang, 2)
    return str(value)


globals().update(refusing({"text": text, "table": table, "figure": figure}))
