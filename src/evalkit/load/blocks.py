"""Where the tables of a sheet lie: titles, header rows and body of each."""

import re
from dataclasses import dataclass

from evalkit.load.rows import count_filled, filled, is_date, is_figure, is_numbering, is_year, lone_text
from evalkit.load.text import nfc
from evalkit.load.units import bracketed_unit, caption_unit

_LAST_HEADER_ROWS = 8


@dataclass(frozen=True)
class Block:
    """One table of a sheet, in positions of its rows: titles, header rows and body, each a range.

    ``paths[j]`` holds the header texts over column j from top to bottom, () where there is none.
    """

    titles: range
    header: range
    body: range
    paths: tuple


def blocks(rows, merged, find_header):
    """The tables stacked in ``rows``, top to bottom. ``find_header(start)`` gives the next header or None."""
    found, start = [], 0
    header = find_header(0)
    while header is not None:
        following = find_header(
            header.stop or 1
        )  # a table without a header begins in row 0 and ends the search there
        end = len(rows) if following is None else _first_title(rows, header.stop, following.start)
        found.append(
            Block(range(start, header.start), header, range(header.stop, end), paths(rows, merged, header))
        )
        start, header = end, following
    return found


def _first_title(rows, body, header):
    """Where the titles over the next header begin, behind the last row of the body before it."""
    first = header
    for i in range(header - 1, body - 1, -1):
        if filled(rows[i]):
            if lone_text(rows[i]) is None:
                break
            first = i
    return first


def header_by_figures(rows, merged):
    """A ``find_header`` for a table without a schema: the header is what stands over the first figures.

    In a table of texts or years alone it is the first row of several cells.
    """
    covered = _vertically_merged(merged)
    if not any(_has_figures(row) for row in rows):
        first = next(
            (i for i, row in enumerate(rows) if count_filled(row) > 1 and lone_text(row) is None), None
        )
        return lambda start: range(first, first + 1) if first is not None and start <= first else None

    def find(start):
        data = start
        while data < len(rows):
            if _has_figures(rows[data]) and not is_numbering(rows[data]):
                header = _header_above(rows, covered, start, data)
                if header is not None:
                    # Within a body only a row of texts or years opens a new table.
                    if start == 0 or _opens_table(rows, header):
                        return header
                elif start == 0:
                    return range(data, data)
            data += 1
        return None

    return find


def _has_figures(row):
    figures = [cell for _, cell in filled(row) if is_figure(cell)]
    return any(not is_year(cell) for cell in figures) and count_filled(row) > 1


def _header_above(rows, covered, start, data):
    """Header rows over the first data row: the nearest run of rows with several cells, or with years."""
    bottom = data - 1
    while bottom >= start and not _header_like(rows, covered, bottom):
        if _has_figures(rows[bottom]) and not is_numbering(rows[bottom]):
            return None
        bottom -= 1
    top = bottom
    while top > start and bottom - top < _LAST_HEADER_ROWS and _header_like(rows, covered, top - 1):
        top -= 1
    while bottom >= start and bottom + 1 < data and _wrapped(rows[bottom + 1]):
        bottom += 1
    return range(top, bottom + 1) if bottom >= start else None


def _wrapped(row):
    """Whether ``row`` only continues the text of one header cell, away from the label column."""
    text = lone_text(row)
    return text is not None and count_filled(row) == 1 and row[0] is None and caption_unit(text) is None


def _header_like(rows, covered, i):
    cells = filled(rows[i])
    if i in covered and not (cells and lone_text(rows[i]) is not None and len(cells) > 1):
        return not _has_figures(rows[i])
    if not cells or is_numbering(rows[i]) or _has_figures(rows[i]):
        return False
    text = lone_text(rows[i])
    if text is not None:
        return False
    return len(cells) > 1 or (cells[0][0] > 0 and is_year(cells[0][1]))


def _opens_table(rows, header):
    return all(
        cell is None or not is_figure(cell) or is_year(cell) for i in header for cell in rows[i]
    ) and any(count_filled(rows[i]) > 1 for i in header)


def _vertically_merged(merged):
    return {i for top, _, bottom, _ in merged if bottom > top for i in range(top, bottom + 1)}


def paths(rows, merged, header):
    """Header texts over each column, top to bottom: a merged or centred cell stands over all its columns."""
    width = max((len(row) for row in rows), default=0)
    spread = [[_header_text(cell) for cell in rows[i]] + [""] * (width - len(rows[i])) for i in header]
    for top, left, bottom, right in merged:
        if top in header:
            for i in range(top, min(bottom + 1, header.stop)):
                for j in range(left, min(right + 1, width)):
                    spread[i - header.start][j] = spread[top - header.start][left]
    for i in range(len(spread) - 1):
        below = [any(spread[k][j] for k in range(i + 1, len(spread))) for j in range(width)]
        for j in range(1, width):
            if not spread[i][j] and below[j] and _continues_left(spread, i, j):
                spread[i][j] = spread[i][j - 1]
    return tuple(tuple(dict.fromkeys(row[j] for row in spread if row[j])) for j in range(width))


def _continues_left(spread, i, j):
    """Whether the text left of an empty header cell stands over it too: same parents, own texts below."""
    left = [row[j - 1] for row in spread]
    same_parents = left[:i] == [row[j] for row in spread[:i]]
    return bool(left[i]) and same_parents and any(text and text != left[i] for text in left[i + 1 :])


def _header_text(cell):
    if cell is None:
        return ""
    if is_date(cell):
        return f"{cell:%d/%m/%Y}"
    if isinstance(cell, float) and cell % 1 == 0:
        return str(int(cell))
    # A line break may separate two languages; it is kept for the matching of names.
    return "\n".join(filter(None, map(nfc, re.split(r"[\r\n]+", str(cell)))))


def stated_unit(rows, titles):
    """The unit that a caption over the table states, as (Unit, its text), or None; else one in a title's brackets."""
    texts = [cell for i in reversed(titles) for _, cell in filled(rows[i]) if isinstance(cell, str)]
    for unit_of in (caption_unit, bracketed_unit):
        for text in texts:
            if unit := unit_of(text):
                return unit, nfc(text)
    return None
