"""Tables without a schema: headers as found, numbers parsed, every other row set aside with its reason."""

import math
from dataclasses import replace

import pandas as pd

from evalkit.load.blocks import blocks, header_by_figures, stated_unit
from evalkit.load.body import sort_rows
from evalkit.load.figures import read_numbers
from evalkit.load.grid import letters
from evalkit.load.reading import Reading, combine, flag_table, nothing_read, rejected_row, rejected_table
from evalkit.load.rows import count_filled, filled, is_figure, is_numbering, is_year, vocabulary
from evalkit.load.said import Said
from evalkit.load.text import fold, nfc
from evalkit.load.units import parse_unit, unit_in


def read_plain(grids, *, unit=None):
    """``Reading`` of the tables in ``grids``: figures as printed, or in the base of a given ``unit``.

    Where there are several tables the column ``table`` holds the title of each; where rows stand under
    headings or in groups the column ``section`` holds theirs.
    """
    given = parse_unit(unit) if unit else None
    titled = []
    for grid in grids:
        found = blocks(grid.rows, grid.merged, header_by_figures(grid.rows, grid.merged))
        titled += [_read_block(grid, block, given) for block in found] or [("", nothing_read(grid))]
    if sum(len(reading.frame) > 0 for _, reading in titled) > 1:
        titled = [(title, _named(reading, title)) for title, reading in titled]
    return combine(reading for _, reading in titled)


def _named(reading, title):
    """``reading`` with its table's title, and the unit its columns share, in columns of their own."""
    units = set(reading.units.values())
    named = {"table": title, "unit": units.pop() if len(units) == 1 else None}
    frames = {
        name: pd.DataFrame(named, index=frame.index).join(frame) if len(frame) else frame
        for name, frame in (("frame", reading.frame), ("totals", reading.totals))
    }
    return replace(reading, units={}, **frames)


def _read_block(grid, block, given):
    rows = grid.rows
    numeric = _numeric_columns(rows, block)

    def has_values(row):
        return any(j < len(row) and is_figure(row[j]) for j in numeric) if numeric else count_filled(row) > 1

    body = sort_rows(rows, block, has_values)
    names = _names(rows, block, body)
    caption = stated_unit(rows, block.titles)
    title = " ".join(
        nfc(c) for i in block.titles for _, c in filled(rows[i]) if isinstance(c, str) and len(c) > 1
    )
    aside = dict.fromkeys((i for i in block.titles if filled(rows[i])), Said("title"))
    aside |= dict.fromkeys((i for i in block.header if filled(rows[i])), Said("header")) | body.aside
    lines = {i: rejected_row(grid.file, grid.sheet, i + 1, why, rows[i]) for i, why in aside.items()}

    positions = sorted([*body.data, *body.subtotals])
    columns, flags, units, notes = {}, [], {}, list(grid.notes)
    figures = []
    for j, name in names.items():
        cells = [rows[i][j] if j < len(rows[i]) else None for i in positions]
        if j not in numeric and not _index(block, j):
            columns[name] = [_text(body.labels.get(i), c) for i, c in zip(positions, cells, strict=True)]
            continue
        own = unit_in(name)
        read = read_numbers(cells, unit=given if own is None and j in numeric else None)
        columns[name] = _whole_years(read.values)
        if j in numeric:
            figures.append(name)
            units |= _unit_of(name, own, caption, given, read)
        faults = dict(read.faults) | _foreign_units(cells, read, own)
        for k, why in faults.items():
            i = positions[k]
            lines[i] = lines.get(i) or rejected_row(
                grid.file, grid.sheet, i + 1, why, rows[i], name, cells[k]
            )
        flags += [(positions[k], name, flag) for k, marks in read.flags.items() for flag in marks]
    frame = pd.DataFrame(columns, index=positions)
    sections = [body.sections.get(i) for i in positions]
    if any(sections):
        frame.insert(0, "section", sections)
    totals = frame.loc[body.subtotals]
    kept = [i for i in body.data if i not in lines]
    amounts = [name for name in figures if "%" not in units.get(name, "") and units.get(name) != "percent"]
    notes += _sums(frame.loc[kept], totals, amounts, body)
    frame = frame.loc[kept].reset_index(drop=True)
    row_at = {i: k for k, i in enumerate(kept)}
    origin = pd.DataFrame({"file": grid.file, "sheet": grid.sheet, "row": [i + 1 for i in kept]})
    if caption and given is None:
        notes.append(f'"{caption[1]}": figures are kept as printed; units gives the unit of each column')
    return title, Reading(
        frame,
        rejected_table([lines[i] for i in sorted(lines)]),
        notes,
        origin,
        flag_table([(row_at[i], name, flag) for i, name, flag in flags if i in row_at]),
        units,
        totals.reset_index(drop=True),
    )


def _whole_years(values):
    return pd.array(values, dtype="Int64") if values and all(map(is_year, values)) else values


def _index(block, j):
    return bool(block.paths[j]) and any(
        fold(part) in vocabulary()["index"] for part in block.paths[j][0].split("\n")
    )


def _numeric_columns(rows, block):
    """Columns most of whose cells, in the rows that hold figures at all, are figures; the index is none."""
    valued = [rows[i] for i in block.body if any(is_figure(c) for c in rows[i]) and not is_numbering(rows[i])]
    numeric = set()
    for j in range(len(block.paths)):
        cells = [row[j] for row in valued if j < len(row) and row[j] is not None]
        if cells and 2 * sum(map(is_figure, cells)) > len(cells) and not _index(block, j):
            numeric.add(j)
    return numeric


def _names(rows, block, body):
    """{position: name} of the columns with a header or with values; the header's lines joined by " / "."""
    names = {}
    for j, path in enumerate(block.paths):
        used = any(j < len(rows[i]) and rows[i][j] is not None for i in body.data)
        name = " / ".join(" ".join(part.split()) for part in path)
        if used or name:
            name = name or f"column {letters(j)}"
            taken = set(names.values())
            names[j] = name if name not in taken else f"{name} (column {letters(j)})"
    return names


def _text(first_line, cell):
    if cell is None:
        return None
    text = (
        nfc(cell)
        if isinstance(cell, str)
        else str(int(cell))
        if isinstance(cell, float) and cell % 1 == 0
        else str(cell)
    )
    return f"{first_line} {text}" if first_line else text


def _unit_of(name, own, caption, given, read):
    if own is not None:
        return {name: own.name or ""}
    if given is not None:
        return {name: given.name or ""}
    if read.stated:
        return {name: next(iter(read.stated.values()))}
    return {name: caption[1]} if caption else {}


def _foreign_units(cells, read, own):
    """Cells that state a unit of their own in a column whose other figures are printed without one."""
    values = sum(value == value for value in read.values)
    if len(read.stated) == values and len(set(read.stated.values())) == 1:
        return {}
    return {
        k: f'"{cells[k]}" states a unit of its own, the other figures of the column do not.'
        for k, unit in read.stated.items()
        if own is None or own.exponent or own.name != unit
    }


def _sums(data, totals, figures, body):
    """Sentences on whether the rows of the table sum to its printed total and subtotals."""
    notes = []
    label = next((name for name in data if data[name].dtype.kind not in "fi" and name != "section"), None)
    for position in totals.index:
        members = data if body.aside[position] == "total" else _group(data, totals, position)
        if not len(members) or not figures:
            continue
        printed, summed = totals.loc[position, figures], members[figures].sum(min_count=1)
        compared = [c for c in figures if not math.isnan(printed[c])]
        apart = [c for c in compared if abs(printed[c] - summed[c]) > _rounding(members[c])]
        name = totals.loc[position, label] if label else "no label"
        if 2 * len(apart) > len(compared):
            notes.append(
                f"row {position + 1} ({name}) is no sum of its rows: an average, or rows are missing"
            )
            continue
        notes.append(
            f"row {position + 1} ({name}): its rows sum to it, within rounding, "
            f"in {len(compared) - len(apart)} of {len(compared)} columns"
        )
        notes += [
            f"row {position + 1} ({name}), {c}: printed {printed[c]:,.10g}, its rows sum to {summed[c]:,.10g}"
            for c in apart
        ]
    return notes


def _group(data, totals, position):
    later = [i for i in totals.index if i > position]
    return data.loc[(data.index > position) & (data.index < min(later, default=math.inf))]


def _rounding(figures):
    """The most by which the sum of rounded ``figures`` can miss the rounded sum: half a last digit each."""
    decimals = max((len(f"{v:.6f}".rstrip("0").partition(".")[2]) for v in figures.dropna()), default=0)
    return 0.5 * 10**-decimals * (figures.count() + 1)
