"""Files made to crash, fill or fool a reader: each function writes one and returns its path."""

import io
import struct
import zipfile
import zlib
from pathlib import Path

import openpyxl
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

TESTS = Path(__file__).resolve().parents[1]
MAIN = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
HEADER = ["Mã xã", "Năm", "Chương trình", "Dư nợ (triệu đồng)"]
ROW = ["08473", "2019", "Hộ nghèo", "1.234,5"]
LAUGHS = (
    "<!DOCTYPE x [<!ENTITY a 'ha'>"
    + "".join(f"<!ENTITY {chr(98 + i)} '{f'&{chr(97 + i)};' * 10}'>" for i in range(9))
    + "]>"
)
OUTSIDE = '<!DOCTYPE x [<!ENTITY a SYSTEM "file:///etc/passwd">]>'


def parts(sheet=None, **other):
    """The parts of a workbook of one sheet, as text; ``sheet`` is the inside of its sheetData."""
    types = "http://schemas.openxmlformats.org/package/2006/content-types"
    relations = "http://schemas.openxmlformats.org/package/2006/relationships"
    office = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
    made = {
        "[Content_Types].xml": f'<Types xmlns="{types}"><Default Extension="xml" ContentType="application/xml"/></Types>',
        "_rels/.rels": f'<Relationships xmlns="{relations}"><Relationship Id="r" Type="{office}/officeDocument" '
        'Target="xl/workbook.xml"/></Relationships>',
        "xl/_rels/workbook.xml.rels": f'<Relationships xmlns="{relations}"><Relationship Id="rId1" '
        f'Type="{office}/worksheet" Target="worksheets/sheet1.xml"/><Relationship Id="rId2" '
        f'Type="{office}/sharedStrings" Target="sharedStrings.xml"/></Relationships>',
        "xl/workbook.xml": f'<workbook xmlns="{MAIN}" xmlns:r="{office}"><sheets><sheet name="A" sheetId="1" '
        'r:id="rId1"/></sheets></workbook>',
        "xl/worksheets/sheet1.xml": f'<worksheet xmlns="{MAIN}"><sheetData>{sheet or rows()}</sheetData></worksheet>',
    }
    return made | {
        name.replace("__", "/").replace("_xml", ".xml").replace("_bin", ".bin"): text
        for name, text in other.items()
    }


def inline(reference, text):
    return f'<c r="{reference}" t="inlineStr"><is><t>{text}</t></is></c>'


def rows(*more):
    """A header and one row of credit, and what is given behind them."""
    lines = [
        f'<row r="{i}">'
        + "".join(inline(f"{letter}{i}", cell) for letter, cell in zip("ABCD", cells, strict=True))
        + "</row>"
        for i, cells in enumerate((HEADER, ROW), start=1)
    ]
    return "".join([*lines, *more])


def archive(path, made):
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as file:
        for name, content in made.items() if isinstance(made, dict) else made:
            file.writestr(name, content)
    return path


def raw_archive(path, made, lies=()):
    """An archive whose parts may be (deflated bytes, size, CRC); those in ``lies`` are said to have 1,000 bytes."""
    out, listing = io.BytesIO(), io.BytesIO()
    for name, content in made.items():
        if isinstance(content, str):
            content = content.encode()
        if isinstance(content, bytes):
            packer = zlib.compressobj(6, zlib.DEFLATED, -15)
            content = packer.compress(content) + packer.flush(), len(content), zlib.crc32(content)
        data, size, crc = content
        size = 1000 if name in lies else size
        common = struct.pack("<HHHHHIIIHH", 20, 0, 8, 0, 0x21, crc, len(data), size, len(name), 0)
        listing.write(
            b"PK\x01\x02" + struct.pack("<H", 20) + common + struct.pack("<HHHII", 0, 0, 0, 0, out.tell())
        )
        listing.write(name.encode())
        out.write(b"PK\x03\x04" + common + name.encode() + data)
    start = out.tell()
    out.write(listing.getvalue())
    out.write(b"PK\x05\x06" + struct.pack("<HHHHIIH", 0, 0, len(made), len(made), listing.tell(), start, 0))
    path.write_bytes(out.getvalue())
    return path


def deflated(before, filling, times, after):
    """(deflated, size, CRC) of ``before``, ``filling`` again and again, ``after``, without packing it all."""
    packer = zlib.compressobj(9, zlib.DEFLATED, -15)
    head = packer.compress(before) + packer.flush(zlib.Z_FULL_FLUSH)
    block = packer.compress(filling) + packer.flush(zlib.Z_FULL_FLUSH)
    tail = packer.compress(after) + packer.flush()
    crc = zlib.crc32(before)
    for _ in range(times):
        crc = zlib.crc32(filling, crc)
    size = len(before) + len(filling) * times + len(after)
    return head + block * times + tail, size, zlib.crc32(after, crc)


SPACES = b" " * 2**20


def spaces(path, *, times=1024, lies=()):
    """A sheet of a gigabyte of spaces in a file of one megabyte."""
    sheet = f'<worksheet xmlns="{MAIN}"><sheetData>{rows()}'.encode()
    bomb = deflated(sheet, SPACES, times, b"</sheetData></worksheet>")
    return raw_archive(path, parts() | {"xl/worksheets/sheet1.xml": bomb}, lies)


def shared_string(path, length=20 * 2**20, cells=1000):
    """One text of many megabytes in each of a thousand cells."""
    text = deflated(
        f'<sst xmlns="{MAIN}"><si><t>'.encode(), b"x" * 2**20, length // 2**20, b"</t></si></sst>"
    )
    lines = "".join(f'<row r="{i}"><c r="A{i}" t="s"><v>0</v></c></row>' for i in range(3, cells + 3))
    return raw_archive(path, parts(rows(lines)) | {"xl/sharedStrings.xml": text})


def corners(path):
    """Two cells, in the first and the last place of a sheet."""
    return archive(path, parts(rows(f'<row r="1048576">{inline("XFD1048576", "x")}</row>')))


def columns(path, count):
    header = ",".join([*HEADER, *(f"Nợ {i}" for i in range(count))])
    row = ",".join([*ROW[:3], '"1.234,5"', *("1" for _ in range(count))])
    path.write_text(f"{header}\n{row}\n", encoding="utf-8")
    return path


def dictionary(path, length=20 * 2**20, rows=1000):
    """A Parquet file that keeps a text of many megabytes once, and says it in a thousand rows."""
    text = pa.DictionaryArray.from_arrays(pa.array([0] * rows, "int32"), pa.array(["x" * length]))
    pq.write_table(pa.table({"code": text}), path, store_schema=False)
    return path


def repeated_rows(path, rows=120_000_000):
    """A Parquet file of some kilobytes with a hundred and twenty million equal rows."""
    block = pa.table({"code": pa.array(memoryview(bytes(rows // 20)).cast("b"))})
    with pq.ParquetWriter(path, block.schema) as writer:
        for _ in range(20):
            writer.write_table(block)
    return path


def frame():
    return pd.DataFrame(
        {
            "code": ["08473"],
            "year": [2019],
            "programme": ["poor"],
            "outstanding_vnd": [1_234_500_000.0],
        }
    )


def workbook(path, cells, *, formats=()):
    book = openpyxl.Workbook()
    for row in cells:
        book.active.append(row)
    for cell, form in dict(formats).items():
        book.active[cell].number_format = form
    book.save(path)
    return path
