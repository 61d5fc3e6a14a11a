"""Workbooks in the old .xls format, as far as tests need it: texts, numbers, merged and hidden cells.

No maintained package writes .xls. Records after [MS-XLS] (BIFF8), in a compound file after [MS-CFB].
"""

import struct

_SECTOR = 512
_FREE, _END, _TABLE = 0xFFFFFFFF, 0xFFFFFFFE, 0xFFFFFFFD


def save(path, sheets, *, hidden_rows=()):
    """Write ``sheets``, a list of (name, rows, merged); merged holds (top, left, bottom, right) from 0."""
    bodies = [_sheet(rows, merged, hidden_rows) for _, rows, merged in sheets]
    names = [name.encode("utf-16-le") for name, _, _ in sheets]
    start = _record(0x0809, struct.pack("<HHHHII", 0x0600, 0x0005, 0x0DBB, 0x07CC, 0, 6))
    start += _record(0x0042, struct.pack("<H", 1200))
    end = _record(0x000A, b"")
    at = len(start) + sum(4 + 8 + len(name) for name in names) + len(end)
    listed = b""
    for name, body in zip(names, bodies, strict=True):
        listed += _record(0x0085, struct.pack("<IHBB", at, 0, len(name) // 2, 1) + name)
        at += len(body)
    path.write_bytes(_compound(start + listed + end + b"".join(bodies)))
    return path


def _record(kind, data):
    return struct.pack("<HH", kind, len(data)) + data


def _sheet(rows, merged, hidden_rows):
    out = _record(0x0809, struct.pack("<HHHHII", 0x0600, 0x0010, 0x0DBB, 0x07CC, 0, 6))
    for i in hidden_rows:
        out += _record(0x0208, struct.pack("<HHHHIBBH", i, 0, 256, 255, 0, 0x20, 1, 15))
    for i, row in enumerate(rows):
        for j, cell in enumerate(row):
            if isinstance(cell, str):
                text = cell.encode("utf-16-le")
                out += _record(0x0204, struct.pack("<HHHHB", i, j, 0, len(text) // 2, 1) + text)
            elif cell is not None:
                out += _record(0x0203, struct.pack("<HHHd", i, j, 0, cell))
    if merged:
        cells = b"".join(struct.pack("<HHHH", t, b, left, right) for t, left, b, right in merged)
        out += _record(0x00E5, struct.pack("<H", len(merged)) + cells)
    return out + _record(0x000A, b"")


def _compound(stream):
    """A compound file whose one stream is the workbook."""
    stream = stream.ljust(max(4096, -(-len(stream) // _SECTOR) * _SECTOR), b"\0")
    size = len(stream) // _SECTOR
    tables = -(-(size + 1) // (_SECTOR // 4 - 1))
    links = [*range(1, size), _END, _END, *[_TABLE] * tables]
    links += [_FREE] * (tables * _SECTOR // 4 - len(links))
    header = bytes.fromhex("d0cf11e0a1b11ae1") + bytes(16)
    header += struct.pack("<HHHHH6xIIIIIIIIII", 0x3E, 3, 0xFFFE, 9, 6, 0, tables, size, 0, 4096, _END, 0, _END, 0,
                          size + 1)  # fmt: skip
    header += struct.pack("<108I", *range(size + 2, size + 1 + tables), *[_FREE] * (109 - tables))
    directory = _entry("Root Entry", 5, 1, _END, 0) + _entry("Workbook", 2, _FREE, 0, len(stream))
    directory += bytes(2 * 128)
    return header + stream + directory + struct.pack(f"<{len(links)}I", *links)


def _entry(name, kind, child, start, size):
    text = (name + "\0").encode("utf-16-le")
    numbers = struct.pack("<HBBIII", len(text), kind, 1, _FREE, _FREE, child)
    return text.ljust(64, b"\0") + numbers + bytes(36) + struct.pack("<IQ", start, size)
