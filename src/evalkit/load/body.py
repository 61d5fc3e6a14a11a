"""The rows under a header, sorted into data and rows set aside, each of these with its reason."""

from dataclasses import dataclass, field

from evalkit.load.rows import (
    count_filled,
    filled,
    is_figure,
    is_note,
    is_numbering,
    is_outline,
    is_region,
    is_total,
    label_of,
    lone_text,
)
from evalkit.load.said import Said
from evalkit.load.text import nfc
from evalkit.load.units import caption_unit


@dataclass
class Body:
    """Positions of the data rows, the reasons of the others, and what stands around the data rows.

    ``sections`` gives the heading or group that a data row stands under, ``labels`` the lines of its label
    that stand in the rows above it, ``subtotals`` the rows set aside whose figures sum others.
    """

    data: list[int] = field(default_factory=list)
    aside: dict[int, str] = field(default_factory=dict)
    sections: dict[int, str] = field(default_factory=dict)
    labels: dict[int, str] = field(default_factory=dict)
    subtotals: list[int] = field(default_factory=list)


def sort_rows(rows, block, has_values, identified=lambda row: False):
    """``Body`` of ``block``.

    ``has_values(row)`` says whether a row holds values of the table; a row that ``identified`` knows by its
    code is data whatever its label says, so that "Tổng cộng" as the programme of a commune is no total of
    the table.
    """
    body = Body()
    heads = [_texts(rows[i]) for i in block.header]
    valued = [i for i in block.body if count_filled(rows[i]) and (identified(rows[i]) or has_values(rows[i]))]
    grouped = _groups(rows, valued)
    last, values_at = max(valued, default=-1), set(valued)
    section, lines, notes_begun = None, [], False
    for i in block.body:
        row = rows[i]
        if not count_filled(row):
            section, lines = _heading(rows, lines, section), []
            continue
        numbered = is_numbering(row) and (count_filled(row) > 2 or not identified(row))
        if numbered and (not valued or i <= valued[0] or i not in values_at):
            body.aside[i] = Said("column numbers")
        elif i in values_at:
            label = _label_lines(rows, lines, row)
            section = _heading(rows, lines[: len(lines) - len(label)], section)
            if label:
                body.labels[i] = " ".join(nfc(lone_text(rows[k])) for k in label)
                body.aside.update(
                    dict.fromkeys(label, Said("first line of the label of row {row}", row=i + 1))
                )
            lines, notes_begun = [], False
            if not identified(row) and (reason := grouped(row)):
                body.aside[i] = reason
                body.subtotals.append(i)
                section = nfc(label_of(row)) if reason == "subtotal" else section
            else:
                body.data.append(i)
                if section:
                    body.sections[i] = section
        elif _texts(row) in heads:
            body.aside[i] = Said("header, repeated")
        else:
            text = lone_text(row)
            notes_begun = notes_begun or is_note(text or label_of(row))
            if text is not None and caption_unit(text):
                body.aside[i], section, lines = Said("unit"), nfc(text), []
            elif notes_begun or i > last:
                body.aside[i] = Said("note or signature")
            elif text is None:
                body.aside[i] = Said("no value in any column")
            else:
                body.aside[i] = Said("heading")
                lines.append(i)
    return body


def _texts(row):
    return [cell if not isinstance(cell, str) else nfc(cell) for _, cell in filled(row)]


def _heading(rows, lines, section):
    return " ".join(nfc(lone_text(rows[k])) for k in lines) or section


def _label_lines(rows, lines, row):
    """Those of the text rows above ``row`` that begin its label: Vietnamese lines over their English one."""
    if not lines:
        return []
    label = label_of(row)
    column = next((j for j, cell in filled(row) if cell == label), None)
    same = []
    for k in reversed(lines):
        if filled(rows[k])[0][0] != column:
            break
        same.insert(0, k)
    while same and lone_text(rows[same[0]]).isascii():
        del same[0]
    return same if label.isascii() else []


def _groups(rows, valued):
    """A function that tells why a row with figures is no row of the table: "total", "subtotal", or None.

    Regions are subtotals where they stand among other rows, and rows of their own in a table of regions;
    Roman numerals and capitals number groups where the other rows are numbered 1, 2, 3.
    """
    regions = sum(is_region(label_of(rows[i])) for i in valued)
    regions_group = 0 < regions <= len(valued) / 2
    leads = [filled(rows[i])[0][1] for i in valued if not is_total(label_of(rows[i]))]
    leads = [lead for lead in leads if not is_outline(lead)]
    numbered = bool(leads) and 2 * sum(map(is_figure, leads)) > len(leads)

    def reason(row):
        label = label_of(row)
        if is_total(label):
            return Said("total")
        outlined = numbered and is_outline(filled(row)[0][1]) and label
        return Said("subtotal") if outlined or (regions_group and is_region(label)) else None

    return reason
