"""Programmes or years side by side: what the columns hold whose header names nothing else."""

from dataclasses import replace

from evalkit.load import reference, schema
from evalkit.load.headers import spellings
from evalkit.load.said import Said
from evalkit.load.terms import TOTAL
from evalkit.load.text import fold

ASSUMED = "nothing says what the columns such as “{header}” hold; read as {field} (“{label}”)"


def measured(columns, title, table):
    """Return (columns, note): bare columns with the field they hold; where programmes stand side by side,
    figures without one are the office's own total.

    A bare column holds what it is "of which", else what the title names ("Dư nợ theo chương trình"), else the
    one figure that the other columns give a total of, else the amount that the table requires; that last one is
    a guess, which the note says. Where none of these settles it the column stays unread.
    """
    numeric = {n for n, f in schema.fields(table).items() if f["type"] in ("number", "integer")} - {"year"}
    by_programme = any(c.programme for c in columns)
    named = {c.field for c in columns if c.field in numeric}
    common = _named_in(title, numeric, table) or (
        next(iter(named)) if by_programme and len(named) == 1 else None
    )
    required = [n for n in schema.required(table) if schema.fields(table)[n].get("unit") == "VND"]
    last, note, out = None, None, []
    for column in columns:
        if column.bare:
            field = (last if column.of_which else None) or common
            if field is None and not named and len(required) == 1:
                field = required[0]
                label = schema.label(table, field, "vi")
                note = note or Said(ASSUMED, header=column.header, field=field, label=label)
            column = replace(column, field=field)
        elif column.field in numeric:
            last = column.field
            if by_programme and column.programme is None:
                column = replace(column, programme=TOTAL)
        out.append(column)
    return out, note


def _named_in(title, numeric, table):
    """The one figure of a table that ``title`` names, or None."""
    words, found = f" {fold(title)} ", set()
    for spelling in sorted(spellings(table), key=len, reverse=True):
        if spellings(table)[spelling] in numeric and f" {spelling} " in words:
            found.add(spellings(table)[spelling])
            words = words.replace(f" {spelling} ", " | ")
    return found.pop() if len(found) == 1 else None


def totals_note(frame, table):
    """A sentence on whether the programmes of a table sum to the office's own total, or None without one.

    A sum may be off by the rounding of its parts (data/reference/plausibility.csv: amount_rounding).
    """
    totals = frame[frame["programme"] == TOTAL]
    amounts = [
        c for c in frame if schema.fields(table).get(c, {}).get("unit") == "VND" and totals[c].notna().any()
    ]
    if not amounts:
        return None
    rounding = float(reference.table("plausibility").set_index("parameter").at["amount_rounding", "value"])
    by = [c for c in ("code", "name", "year") if c in frame]
    parts = frame[frame["programme"] != TOTAL].groupby(by, dropna=False)[amounts]
    stated = totals.set_index(by)[amounts]
    gap = (parts.sum().reindex(stated.index) - stated).abs()
    fits = (gap <= (parts.count().reindex(stated.index) + 1) * rounding) | stated.isna()
    apart = (~fits).any(axis=1).sum()
    return Said(
        "the programmes sum to the total column in {fitting} of {rows} rows",
        fitting=int(len(stated) - apart),
        rows=len(stated),
    )
