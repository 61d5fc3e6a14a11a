"""What the fast workbook reader leaves out of an .xls file: error cells, percent formats, what is hidden.

An .xls file is a compound file (MS-CFB) with one stream of records (MS-XLS, BIFF).
"""

import struct

from .xlsx import Damaged, Locked, shows_percent

_ERRORS = {0x00: "#NULL!", 0x07: "#DIV/0!", 0x0F: "#VALUE!", 0x17: "#REF!", 0x1D: "#NAME?", 0x24: "#NUM!",
           0x2A: "#N/A"}  # fmt: skip
_PERCENT_FORMATS = {9, 10}  # built-in formats "0%" and "0.00%"
_END_OF_SHEET, _BOUND_SHEET, _FORMAT, _STYLE = 0x0A, 0x85, 0x041E, 0xE0
_FORMULA, _NUMBER, _RK, _MULTIPLE_RK, _BOOL_OR_ERROR = 0x06, 0x0203, 0x027E, 0xBD, 0x0205
_ROW, _COLUMNS, _PASSWORD = 0x0208, 0x7D, 0x2F
_CHAIN_ENDS = 0xFFFFFFFA


def special_cells(path):
    """({(row, column): error text}, {(row, column) shown as a percentage}, hidden) by sheet, from 0.

    hidden: (whether the sheet is, rows, columns).
    """
    with open(path, "rb") as file:
        stream = _workbook_stream(file.read())
    sheets, styles, formats = [], [], set(_PERCENT_FORMATS)
    for kind, data in _records(stream, 0):
        if kind == _BOUND_SHEET:
            sheets.append((struct.unpack_from("<I", data)[0], data[4] & 3 != 0))
        elif kind == _FORMAT and b"%" in data[2:] and shows_percent(_format_code(data)):
            formats.add(struct.unpack_from("<H", data)[0])
        elif kind == _PASSWORD:
            raise Locked
        elif kind == _STYLE:
            styles.append(struct.unpack_from("<H", data, 2)[0])
    percent = {i for i, number_format in enumerate(styles) if number_format in formats}
    return [_sheet(stream, start, percent, hidden) for start, hidden in sheets]


def _format_code(data):
    """The text of a format record: 16-bit where its flag says so, else one byte a letter."""
    return data[5:].decode("utf-16-le" if data[4] & 1 else "latin-1", "replace")


def _sheet(stream, start, percent, hidden):
    errors, shares, hidden_rows, hidden_columns = {}, set(), set(), set()
    for kind, data in _records(stream, start):
        if kind == _MULTIPLE_RK:
            row, column = struct.unpack_from("<HH", data)
            styles = [struct.unpack_from("<H", data, at)[0] for at in range(4, len(data) - 2, 6)]
            shares.update((row, column + k) for k, style in enumerate(styles) if style in percent)
        elif kind == _ROW and data[12] & 0x20:
            hidden_rows.add(struct.unpack_from("<H", data)[0])
        elif kind == _COLUMNS and data[8] & 1:
            first, last = struct.unpack_from("<HH", data)
            hidden_columns.update(range(first, last + 1))
        elif kind in (_FORMULA, _NUMBER, _RK, _BOOL_OR_ERROR):
            row, column, style = struct.unpack_from("<HHH", data)
            result = data[6:14]
            if kind == _BOOL_OR_ERROR and result[1]:
                errors[row, column] = _ERRORS.get(result[0], "#VALUE!")
            elif kind == _FORMULA and result[6:8] == b"\xff\xff" and result[0] == 2:
                errors[row, column] = _ERRORS.get(result[2], "#VALUE!")
            elif style in percent:
                shares.add((row, column))
    return errors, shares, (hidden, hidden_rows, hidden_columns)


def _records(stream, at):
    while at + 4 <= len(stream):
        kind, size = struct.unpack_from("<HH", stream, at)
        if kind == _END_OF_SHEET:
            return
        yield kind, stream[at + 4 : at + 4 + size]
        at += 4 + size


def _workbook_stream(data):
    """The stream "Workbook" ("Book" up to Excel 95) of a compound file."""
    sector, small = (1 << _power(data, at) for at in (30, 32))
    directory, _, cutoff, small_table = struct.unpack_from("<IIII", data, 48)

    def sectors(first, table):
        return b"".join(data[(s + 1) * sector : (s + 2) * sector] for s in _chain(first, table))

    table = _numbers(
        b"".join(data[(s + 1) * sector : (s + 2) * sector] for s in _table_sectors(data, sector))
    )
    entries = {}
    listing = sectors(directory, table)
    for at in range(0, len(listing), 128):
        length = struct.unpack_from("<H", listing, at + 64)[0]
        name = listing[at : at + max(length - 2, 0)].decode("utf-16-le", "replace")
        entries[name] = struct.unpack_from("<II", listing, at + 116)
    if "EncryptedPackage" in entries:
        raise Locked
    first, size = entries.get("Workbook") or entries["Book"]
    if size >= cutoff:
        return sectors(first, table)[:size]
    container = sectors(entries["Root Entry"][0], table)
    chain = _chain(first, _numbers(sectors(small_table, table)))
    return b"".join(container[s * small : (s + 1) * small] for s in chain)[:size]


def _power(data, at):
    power = struct.unpack_from("<H", data, at)[0]
    if power > 12:
        raise Damaged("sectors of an impossible size")
    return power


def _chain(first, table):
    """Numbers of the sectors of a stream, one after another; a chain that comes back to itself has no end."""
    for _ in table:
        if first >= _CHAIN_ENDS:
            return
        yield first
        first = table[first]
    if first < _CHAIN_ENDS:
        raise Damaged("a chain of sectors without an end")


def _table_sectors(data, sector):
    """Sectors of the allocation table: 109 in the header, the others in a chain of their own."""
    sectors = list(struct.unpack_from("<109I", data, 76))
    more = struct.unpack_from("<I", data, 68)[0]
    for _ in range(len(data) // sector):
        if more >= _CHAIN_ENDS:
            break
        *listed, more = _numbers(data[(more + 1) * sector : (more + 2) * sector])
        sectors += listed
    return [s for s in sectors if s < _CHAIN_ENDS]


def _numbers(data):
    return struct.unpack(f"<{len(data) // 4}I", data[: len(data) // 4 * 4])
