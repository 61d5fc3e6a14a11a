"""What the fast workbook reader leaves out of an .xlsx file: errors, unsaved formulas, percent formats, what is hidden."""

import html
import re
import zipfile
from xml.etree import ElementTree

_MAIN = "{http://schemas.openxmlformats.org/spreadsheetml/2006/main}"
_RELATION = "{http://schemas.openxmlformats.org/officeDocument/2006/relationships}id"
_PERCENT_FORMATS = {9, 10}  # ECMA-376 part 1, 18.8.30: built-in formats "0%" and "0.00%"
_CELL = re.compile(rb"<c ([^>]*[^/>])>(.*?)</c>", re.DOTALL)
_ATTRIBUTE = re.compile(rb'(\w+)="([^"]*)"')
_VALUE = re.compile(rb"<v>(.*?)</v>", re.DOTALL)
_FORMULA = re.compile(rb"<f[^>]*>(.*?)</f>", re.DOTALL)
_HIDDEN = re.compile(rb"<(row|col) ([^>]*\bhidden=\"(?:1|true)\"[^>]*)>")
_UNSAVED = re.compile(rb"</f>\s*(?:<v\s*/>|<v></v>|</c>)")


def special_cells(path):
    """{sheet: ({(row, column): text}, {(row, column) shown as a percentage}, hidden)}, positions from 0.

    hidden: (whether the sheet is, rows, columns). A text is the error's ("#REF!"), or the formula's where no result of it was stored ("=SUM(B2:B9)").
    """
    with zipfile.ZipFile(path) as archive:
        percent_styles = _percent_styles(archive)
        return {
            sheet: _scan(archive.read(part), percent_styles, hidden)
            for sheet, part, hidden in _sheet_parts(archive)
        }


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
            yield sheet.get("name"), part, sheet.get("state", "visible") != "visible"


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


def _hidden_in(xml):
    rows, columns = set(), set()
    for tag, inside in _HIDDEN.findall(xml):
        attributes = dict(_ATTRIBUTE.findall(inside))
        if tag == b"row":
            rows.add(int(attributes[b"r"]) - 1)
        else:
            columns.update(range(int(attributes[b"min"]) - 1, int(attributes[b"max"])))
    return rows, columns


def _scan(xml, percent_styles, hidden):
    hidden = (hidden, *_hidden_in(xml))
    shows_percent = any(b's="%s"' % style in xml for style in percent_styles)
    if not shows_percent and b't="e"' not in xml and not _UNSAVED.search(xml):
        return {}, set(), hidden
    texts, shares = {}, set()
    for match in _CELL.finditer(xml):
        attributes = dict(_ATTRIBUTE.findall(match[1]))
        value = _VALUE.search(match[2])
        kind = attributes.get(b"t", b"n")
        position = _position(attributes[b"r"].decode())
        if kind == b"e":
            texts[position] = value[1].decode() if value else "#VALUE!"
        elif not (value and value[1]) and (formula := _FORMULA.search(match[2])):
            texts[position] = "=" + html.unescape(formula[1].decode())
        elif kind == b"n" and value and attributes.get(b"s") in percent_styles:
            shares.add(position)
    return texts, shares, hidden


def _position(reference):
    letters = reference.rstrip("0123456789")
    column = 0
    for letter in letters:
        column = column * 26 + ord(letter) - ord("A") + 1
    return int(reference[len(letters) :]) - 1, column - 1
