"""What the fast workbook reader leaves out of an .xlsx file: errors, unsaved formulas, percent formats, what is hidden."""

import re
import zipfile
from xml.parsers import expat

_MOST_BYTES = 512 * 2**20  # of all parts, unpacked
_MOST_COLUMNS = 16_384
_WORKBOOK, _RELATIONS, _STYLES = "xl/workbook.xml", "xl/_rels/workbook.xml.rels", "xl/styles.xml"
_PERCENT_FORMATS = {9, 10}  # ECMA-376 part 1, 18.8.30: built-in formats "0%" and "0.00%"
_LITERAL = re.compile(r'"[^"]*"|\\.|_.|\*.|\[[^\]]*\]')
_REFERENCE = re.compile("([A-Z]{1,3})([1-9][0-9]{0,6})", re.IGNORECASE)
_HIDDEN = re.compile(rb"<(?:\w+:)?(?:row|col) [^>]*\bhidden=")
_UNSAVED = re.compile(
    rb"(?:</(?:\w+:)?f>|<(?:\w+:)?f(?: [^>]*)?/>)\s*(?:<(?:\w+:)?v\s*/>|<(?:\w+:)?v></|</(?:\w+:)?c>)"
)


class Damaged(Exception):
    pass


class Locked(Exception):
    """A workbook that a password protects."""


def examine(path):
    """Raise Damaged where an archive is no .xlsx workbook, unpacks to too much, or says one thing twice."""
    with zipfile.ZipFile(path) as archive:
        parts = archive.infolist()
        names = [part.filename for part in parts]
        if _WORKBOOK not in names:
            raise Damaged("no .xlsx workbook in the archive")
        if len({name.lower() for name in names}) < len(names):
            raise Damaged("two parts of one name in the archive")
        if sum(part.file_size for part in parts) > _MOST_BYTES:
            raise MemoryError


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


def _parse(xml, start, end=None, text=None):
    """Call ``start(name, attributes)`` for each element, names without their namespaces; no document type."""

    def refuse(*_):
        raise Damaged("a document type is declared, as no spreadsheet does")

    parser = expat.ParserCreate()
    parser.StartDoctypeDeclHandler = refuse
    parser.StartElementHandler = lambda name, attributes: start(name.rpartition(":")[2], attributes)
    if end:
        parser.EndElementHandler = lambda name: end(name.rpartition(":")[2])
    parser.CharacterDataHandler = text
    parser.Parse(xml, True)


def _sheet_parts(archive):
    names, targets, sheets = set(archive.namelist()), {}, []

    def relation(name, attributes):
        if name == "Relationship":
            targets[attributes.get("Id")] = attributes.get("Target", "")

    def sheet(name, attributes):
        if name == "sheet":
            own = next((v for k, v in attributes.items() if k.endswith(":id")), None)
            sheets.append((attributes.get("name"), own, attributes.get("state", "visible") != "visible"))

    _parse(archive.read(_RELATIONS), relation)
    _parse(archive.read(_WORKBOOK), sheet)
    for name, own, hidden in sheets:
        target = targets.get(own, "")
        part = target.removeprefix("/") if target.startswith("/") else f"xl/{target}"
        if part in names:
            yield name, part, hidden


def _percent_styles(archive):
    """Indexes (as text) of the cell styles whose number format shows a percentage."""
    if _STYLES not in archive.namelist():
        return set()
    formats, styles, inside = set(_PERCENT_FORMATS), [], []

    def start(name, attributes):
        inside.append(name)
        if name == "numFmt" and "dxf" not in inside and shows_percent(attributes.get("formatCode", "")):
            formats.add(int(attributes["numFmtId"]))
        elif name == "xf" and "cellXfs" in inside:
            styles.append(int(attributes.get("numFmtId", 0)))

    _parse(archive.read(_STYLES), start, lambda name: inside.pop())
    return {str(i) for i, number_format in enumerate(styles) if number_format in formats}


def shows_percent(code):
    """Whether a number format multiplies by 100: a quoted or escaped percent sign is only a letter."""
    return "%" in _LITERAL.sub("", code)


def _scan(xml, percent_styles, hidden):
    if not _asks_for_a_closer_look(xml, percent_styles):
        return {}, set(), (hidden, set(), set())
    cells = _Cells(percent_styles)
    _parse(xml, cells.start, cells.end, cells.text)
    return cells.texts, cells.shares, (hidden, cells.hidden_rows, cells.hidden_columns)


def _asks_for_a_closer_look(xml, percent_styles):
    kinds = [b"t=%se%s" % (mark, mark) for mark in (b'"', b"'")]
    kinds += [b"s=%s%s%s" % (mark, style.encode(), mark) for style in percent_styles for mark in (b'"', b"'")]
    has_formulas = b"<f" in xml or b":f" in xml
    return (
        any(kind in xml for kind in kinds) or _HIDDEN.search(xml) or (has_formulas and _UNSAVED.search(xml))
    )


class _Cells:
    """Special cells of a sheet, gathered while its elements pass. A cell or row without a number follows the last."""

    def __init__(self, percent_styles):
        self.percent_styles = percent_styles
        self.texts, self.shares, self.hidden_rows, self.hidden_columns = {}, set(), set(), set()
        self.row, self.column = -1, -1
        self.cell = self.within = None

    def start(self, name, attributes):
        if name == "c":
            self.row, self.column = (
                _position(attributes["r"]) if "r" in attributes else (self.row, self.column + 1)
            )
            self.cell, self.value, self.formula = attributes, [], None
        elif name == "v" and self.cell is not None:
            self.within = self.value
        elif name == "f" and self.cell is not None:
            self.within = self.formula = []
        elif name == "row":
            self.row = _position(f"A{attributes['r']}")[0] if "r" in attributes else self.row + 1
            self.column = -1
            if _is_set(attributes, "hidden"):
                self.hidden_rows.add(self.row)
        elif name == "col" and _is_set(attributes, "hidden"):
            first, last = max(int(attributes["min"]), 1), min(int(attributes["max"]), _MOST_COLUMNS)
            self.hidden_columns.update(range(first - 1, last))

    def text(self, data):
        if self.within is not None:
            self.within.append(data)

    def end(self, name):
        if name in ("v", "f"):
            self.within = None
        elif name == "c":
            self._take()
            self.cell = None

    def _take(self):
        kind, value, at = self.cell.get("t", "n"), "".join(self.value), (self.row, self.column)
        if kind == "e":
            self.texts[at] = value or "#VALUE!"
        elif self.formula is not None and not value and kind != "str":
            self.texts[at] = "=" + "".join(self.formula)
        elif kind == "n" and value and self.cell.get("s") in self.percent_styles:
            self.shares.add(at)


def _is_set(attributes, name):
    return attributes.get(name) in ("1", "true")


def _position(reference):
    """Row and column, from 0, of a cell that is called by letters and a number, as "AB12"."""
    found = _REFERENCE.fullmatch(reference)
    if not found:
        raise Damaged(f"no cell can be called {reference!r}")
    column = 0
    for letter in found[1].upper():
        column = column * 26 + ord(letter) - ord("A") + 1
    return int(found[2]) - 1, column - 1
