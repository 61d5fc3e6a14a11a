"""What was read of a file, and what was set aside, side by side."""

import html
from dataclasses import dataclass, field

import pandas as pd

from evalkit.load.said import Said

_REJECTED = ["file", "sheet", "row", "reason", "column", "field", "value", "text"]
_FLAGS = ["index", "column", "flag"]


@dataclass(frozen=True)
class Reading:
    """Rows read, rows set aside and notes on both.

    frame: the accepted rows. rejected: a line for each row set aside: file, sheet, row, reason; for a cell
    that can't be read also its column, the field that means, and its value; text shows the row. origin: file, sheet and row of each
    accepted row, with the frame's index. flags: index, column and flag (preliminary, footnote, …) of marked
    figures. units: {column: unit as written}, of figures kept as printed. totals: rows set aside as
    totals or subtotals, in the frame's columns. notes: sentences. mended: (declared correction, sheet, row) of
    each cell that one replaced.

    ``rows_read`` counts the rows of the files that are not empty: those in ``origin``, those in ``rejected``.
    """

    frame: pd.DataFrame
    rejected: pd.DataFrame
    notes: list[str]
    origin: pd.DataFrame
    flags: pd.DataFrame = field(default_factory=lambda: pd.DataFrame(columns=_FLAGS))
    units: dict[str, str] = field(default_factory=dict)
    totals: pd.DataFrame = field(default_factory=pd.DataFrame)
    mended: list = field(default_factory=list)

    @property
    def rows_read(self):
        return len(self.origin.drop_duplicates()) + len(self.rejected)

    def _repr_html_(self):
        notes = "".join(f"<li>{html.escape(note)}</li>" for note in self.notes)
        return (
            f"<p><b>{len(self.frame):,} rows read</b></p>{self.frame.to_html(max_rows=20, notebook=True)}"
            f"<p><b>{len(self.rejected):,} rows set aside</b></p>"
            f"{self.rejected.to_html(max_rows=20, notebook=True)}"
            f"<ul>{notes}</ul>"
        )


def rejected_row(file, sheet, row, reason, cells, column=None, value=None, field=None):
    """One line of ``Reading.rejected``; ``row`` counts from 1."""
    text = " | ".join(" ".join(str(cell).split()) for cell in cells if cell is not None)
    return {
        "file": file,
        "sheet": sheet,
        "row": row,
        "reason": reason,
        "column": column,
        "field": field,
        "value": value,
        "text": text,
    }


def rejected_table(lines):
    reasons = pd.Series([line["reason"] for line in lines], dtype=object)  # sentences, not only their text
    return pd.DataFrame(lines, columns=_REJECTED).assign(reason=reasons)


def flag_table(lines):
    return pd.DataFrame(lines, columns=_FLAGS)


def nothing_read(grid):
    """The ``Reading`` of a sheet that holds no table: every row of it is set aside."""
    lines = [
        rejected_row(grid.file, grid.sheet, i + 1, Said("no table on this sheet"), row)
        for i, row in enumerate(grid.rows)
        if any(cell is not None for cell in row)
    ]
    where = pd.DataFrame(columns=["file", "sheet", "row"])
    return Reading(pd.DataFrame(), rejected_table(lines), list(grid.notes), where)


def combine(readings):
    """One ``Reading`` of several, their rows one after another and numbered anew."""
    readings = list(readings)
    starts, start = [], 0
    for reading in readings:
        starts.append(start)
        start += len(reading.frame)
    flags = [
        r.flags.assign(index=r.flags["index"] + s)
        for r, s in zip(readings, starts, strict=True)
        if len(r.flags)
    ]
    return Reading(
        frame=_stack([r.frame for r in readings]),
        rejected=_stack([r.rejected for r in readings], _REJECTED),
        notes=list(dict.fromkeys(note for r in readings for note in r.notes)),
        origin=_stack([r.origin for r in readings], ["file", "sheet", "row"]),
        flags=_stack(flags, _FLAGS),
        units={column: unit for r in readings for column, unit in r.units.items()},
        totals=_stack([r.totals for r in readings]),
        mended=[cell for r in readings for cell in r.mended],
    )


def _stack(frames, columns=None):
    filled = [frame for frame in frames if len(frame)]
    if not filled:
        return frames[0].iloc[:0] if frames else pd.DataFrame(columns=columns)
    return pd.concat(filled, ignore_index=True)
