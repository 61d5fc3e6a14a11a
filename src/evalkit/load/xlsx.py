"""What the fast workbook reader leaves out of an .xlsx file: error cells, unsaved formulas, percent formats."""

import html
import re
import zipfile
from xml.etree import ElementTree

from evalkit.load.numbers import Number, scale

_MAIN = "{http://schemas.openxmlformats.org/spreadsheetml/2006/main}"
_RELATION = "{http://schemas.openxmlformats.org/officeDocument/2006/relationships}id"
_PERCENT_FORMATS = {9, 10}  # ECMA-376 part 1, 18.8.30: built-in formats "0%" and "0.00%"
_CELL = re.compile(rb"<c ([^>]*[^/>])>(.*?)</c>", re.DOTALL)
_ATTRIBUTE = re.compile(rb'(\w+)="([^"]*)"')
_VALUE = re.compile(rb"<v>(.*?)</v>", re.DOTALL)
_FORMULA = re.compile(rb"<f[^>]*>(.*?)</f>", re.DOTALL)
_UNSAVED = re.compile(rb"</f>\s*(?:<v\s*/>|<v></v>|</c>)")


def special_cells(path):
    """Cells by sheet that need a mark of their own: {sheet: {(row, column): cell}}, positions from 0.

    A cell is the error's text ("#REF!"), the formula's text where no result was stored ("=SUM(B2:B9)"), or a
    ``Number`` in percent where the figure is shown as a percentage (0.095 shown as 9.5 %).
    """
    with zipfile.ZipFile(path) as archive:
        percent_styles = _percent_styles(archive)
        return {sheet: _scan(archive.read(part), percent_styles) for sheet, part in _sheet_parts(archive)}


def _sheet_parts(archive):
    names = set(archive.namelist())
    targets = {
        relation.get("Id"): relation.get("Target")
        for relation in ElementTree.fromstring(archive.read("xl/_rels/workbook.xml.rels"))
    }
    for sheet in ElementTree.fromstring(archive.read("xl/workbook.xml")).iter(f"{_MAIN}sheet"):
        target = targets.get(sheet.get(_RELATION), "")
        part = target.removeprefix("/") if target.startswith("/") else f"xl/{target}"
        if part in names:
            yield sheet.get("name"), part


def _percent_styles(archive):
    """Indexes of the cell styles whose number format shows a percentage."""
    if "xl/styles.xml" not in archive.namelist():
        return set()
    root = ElementTree.fromstring(archive.read("xl/styles.xml"))
    formats = _PERCENT_FORMATS | {
        int(f.get("numFmtId")) for f in root.iter(f"{_MAIN}numFmt") if "%" in f.get("formatCode", "")
    }
    styles = root.find(f"{_MAIN}cellXfs")
    return {
        str(i).encode() for i, xf in enumerate(styles if styles is not None else ())
        if int(xf.get("numFmtId", 0)) in formats
    }  # fmt: skip


def _scan(xml, percent_styles):
    shows_percent = any(b's="%s"' % style in xml for style in percent_styles)
    if not shows_percent and b't="e"' not in xml and not _UNSAVED.search(xml):
        return {}
    found = {}
    for match in _CELL.finditer(xml):
        attributes = dict(_ATTRIBUTE.findall(match[1]))
        value = _VALUE.search(match[2])
        kind = attributes.get(b"t", b"n")
        if kind == b"e":
            cell = value[1].decode() if value else "#VALUE!"
        elif not (value and value[1]) and (formula := _FORMULA.search(match[2])):
            cell = "=" + html.unescape(formula[1].decode())
        elif kind == b"n" and value and attributes.get(b"s") in percent_styles:
            cell = Number(scale(float(value[1]), 2), "percent")
        else:
            continue
        found[_position(attributes[b"r"].decode())] = cell
    return found


def _position(reference):
    letters = reference.rstrip("0123456789")
    column = 0
    for letter in letters:
        column = column * 26 + ord(letter) - ord("A") + 1
    return int(reference[len(letters) :]) - 1, column - 1
