"""Coverage-guided fuzzing of the readers: python benchmarks/fuzz.py TARGET [-runs=N ...], with atheris installed.

    pip install atheris
    python benchmarks/fuzz.py csv -max_total_time=120

Targets: numbers dates units encodings csv xlsx xls parquet dta folder, and xlsx_cells, xls_cells: evalkit's own
readers of errors, percentages and hidden parts, instrumented in this process in place of the child that reads
workbooks. What breaks a promise is printed once and the run goes on. The promises: nothing but DataError is raised,
rows read are rows accepted plus rows set aside, a number that is read is one of those that its digits allow, and a
special cell lies on the sheet.
"""

import importlib
import io
import re
import struct
import sys
import tempfile
import traceback
import zipfile
from pathlib import Path

import atheris

with atheris.instrument_imports(include=["evalkit.load"]):
    from evalkit.errors import DataError
    from evalkit.load import dates, encodings, headers, numbers, schema, text, units
    from evalkit.load.dataset import check
    from evalkit.load.plain import read_plain
    from evalkit.load.spreadsheet import grids_of
    from evalkit.load.tables import read_by_schema
    from evalkit.load.workbook import xls as xls_reader
    from evalkit.load.workbook import xlsx as xlsx_reader

ROOT = Path(__file__).resolve().parents[1]
FOLDER = Path(tempfile.mkdtemp(prefix="evalkit-fuzz-"))
TABLES = schema.tables()
SPLIT = b"\xff\xfe\xfd"
CELL_PARTS = ("xl/worksheets/sheet1.xml", "xl/styles.xml", "xl/workbook.xml", "xl/_rels/workbook.xml.rels")
broken = {}


def fuzz_numbers(data):
    given = units.parse_unit(["triệu đồng", "%", "hộ", "đồng", ""][data[0] % 5]) if data else None
    written = data[1:].decode("utf-8", "replace")
    numbers._from_text.cache_clear()
    number = numbers.parse_number(written, unit=given)
    asked = "".join(c for c in written if c.isascii() and c.isdigit()).strip("0")
    if re.fullmatch(r"[0-9.,\s-]+", written) and number.value:
        digits = re.sub(r"\D", "", f"{number.value:.14e}".partition("e")[0]).strip("0")
        if number.value == number.value and len(asked) < 15 and digits != asked:
            raise AssertionError(f"{written!r} read as {number}")


def fuzz_dates(data):
    dates.parse_date(data.decode("utf-8", "replace"))


def fuzz_units(data):
    written = data.decode("utf-8", "replace")
    for parse in (units.parse_unit, units.unit_in, units.caption_unit, units.without_unit, text.fold):
        parse(written)
    headers.read_columns([tuple(written.split("/"))], TABLES[len(data) % len(TABLES)])


def fuzz_encodings(data):
    decoded = encodings.decode(data)
    assert isinstance(decoded, str)
    encodings.encoding_of(data)


def fuzz_csv(data):
    read(FOLDER / "credit.csv", data)


def fuzz_xlsx(data):
    """The bytes are the rows of a sheet; the container is a valid one."""
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w") as archive:
        for name, content in XLSX_PARTS.items():
            archive.writestr(name, data if name.endswith("sheet1.xml") else content)
    read(FOLDER / "credit.xlsx", made.getvalue())


def fuzz_xls(data):
    read(FOLDER / "credit.xls", spoiled(XLS, data))


def fuzz_xlsx_cells(data):
    """The bytes are the parts that evalkit reads itself, one after another."""
    path, parts = FOLDER / "cells.xlsx", data.split(SPLIT)
    with zipfile.ZipFile(path, "w") as archive:
        for name, content in XLSX_PARTS.items():
            own = CELL_PARTS.index(name) if name in CELL_PARTS else len(parts)
            archive.writestr(name, parts[own] if own < len(parts) else content)
    cells_of(lambda: (xlsx_reader.examine(path), list(xlsx_reader.special_cells(path).values()))[1], 16_384)


def fuzz_xls_cells(data):
    path = FOLDER / "cells.xls"
    path.write_bytes(data)
    cells_of(lambda: xls_reader.special_cells(path), 65_536)


def cells_of(special_cells, most_columns):
    """Fails of the file are the child's to report; running out of memory or of depth for a small file are not."""
    try:
        found = special_cells()
    except (MemoryError, RecursionError):
        raise
    except Exception:
        return
    for errors, shares, (hidden, rows, columns) in found:
        assert all(isinstance(text, str) for text in errors.values())
        assert isinstance(hidden, bool)
        for row, column in (*errors, *shares, *((row, 0) for row in rows), *((0, c) for c in columns)):
            assert 0 <= row < 1_048_576, f"row {row}"
            assert 0 <= column < most_columns, f"column {column}"


def fuzz_parquet(data):
    read(FOLDER / "credit.parquet", spoiled(PARQUET, data))


def fuzz_dta(data):
    read(FOLDER / "credit.dta", spoiled(DTA, data))


def fuzz_folder(data):
    parts = data.split(SPLIT)
    folder = FOLDER / "set"
    folder.mkdir(exist_ok=True)
    for name, content in zip(
        ("credit.csv", "dataset.toml", "corrections.csv", "communes.csv"), parts, strict=False
    ):
        (folder / name).write_bytes(content)
    check(folder)


def spoiled(whole, data):
    """``whole`` with the bytes of ``data`` at places that ``data`` names: (position, byte) by three bytes."""
    out = bytearray(whole)
    for at in range(0, len(data) - 3, 4):
        position, byte = struct.unpack_from("<HBB", data, at)[:2]
        out[(position * 3 + data[at + 3]) % len(out)] = byte
    return bytes(out)


def read(path, data):
    path.write_bytes(data)
    grids = grids_of(path, table="credit")
    filled = {
        (g.sheet, i + 1) for g in grids for i, row in enumerate(g.rows) if any(c is not None for c in row)
    }
    for each in (lambda: read_by_schema(grids, "credit"), lambda: read_plain(grids)):
        try:
            reading = each()
        except DataError:
            continue
        accepted = set(reading.origin[["sheet", "row"]].itertuples(index=False, name=None))
        aside = list(reading.rejected[["sheet", "row"]].itertuples(index=False, name=None))
        assert len(aside) == len(set(aside)), "a row is set aside twice"
        assert accepted.isdisjoint(aside), "a row is accepted and set aside"
        assert {(s or None, r) for s, r in accepted | set(aside)} == filled, "rows are lost"


def frame():
    import pandas as pd

    return pd.DataFrame(
        {
            "code": ["08473", "08474"],
            "year": [2019, 2019],
            "programme": ["poor", "total"],
            "outstanding_vnd": [1e9, 2e9],
        }
    )


def made(kind):
    path = FOLDER / f"seed.{kind}"
    if kind == "parquet":
        frame().to_parquet(path)
    else:
        frame().to_stata(path, write_index=False)
    return path.read_bytes()


def xls_book():
    sys.path.insert(0, str(ROOT / "tests/load"))
    return importlib.import_module("xls_book")


def xls():
    rows = [["Mã xã", "Năm", "Chương trình", "Dư nợ (triệu đồng)"], ["08473", 2019.0, "Hộ nghèo", "1.234,5"]]
    return xls_book().save(FOLDER / "seed.xls", [("A", rows, [(0, 0, 0, 1)])]).read_bytes()


def xlsx_parts():
    import openpyxl

    book = openpyxl.Workbook()
    book.active.append(["Mã xã", "Năm", "Chương trình", "Dư nợ (triệu đồng)"])
    book.active.append(["08473", 2019, "Hộ nghèo", "1.234,5"])
    book.active["E2"] = 0.05
    book.active["E2"].number_format = "0%"
    book.active["F2"], book.active["G2"] = "=1/0", "#REF!"
    book.active.row_dimensions[2].hidden = book.active.column_dimensions["C"].hidden = True
    book.save(FOLDER / "seed.xlsx")
    with zipfile.ZipFile(FOLDER / "seed.xlsx") as archive:
        return {name: archive.read(name) for name in archive.namelist()}


def xls_special():
    """A workbook of one sheet with an error, a percentage, a formula, a hidden row and a hidden column."""
    record = xls_book()._record
    sheet = record(0x0809, struct.pack("<HHHHII", 0x0600, 0x0010, 0x0DBB, 0x07CC, 0, 6))
    sheet += record(0x7D, struct.pack("<HHHHHH", 2, 3, 0, 0, 1, 0))
    sheet += record(0x0208, struct.pack("<HHHHIBBH", 1, 0, 256, 255, 0, 0x20, 1, 15))
    sheet += record(0x0205, struct.pack("<HHHBB", 0, 0, 0, 0x17, 1))
    sheet += record(0x0203, struct.pack("<HHHd", 0, 1, 1, 0.05))
    sheet += record(0xBD, struct.pack("<HHHIHIH", 0, 2, 1, 2, 1, 2, 3))
    sheet += record(0x06, struct.pack("<HHHBBBBBBHHI", 0, 4, 0, 2, 0, 7, 0, 0, 0, 0xFFFF, 0, 0)) + record(
        0x0A, b""
    )
    start = record(0x0809, struct.pack("<HHHHII", 0x0600, 0x0005, 0x0DBB, 0x07CC, 0, 6))
    start += record(0x041E, struct.pack("<HHB", 164, 4, 0) + b"0.0%")
    start += record(0xE0, bytes(20)) + record(0xE0, struct.pack("<HH", 0, 164) + bytes(16))
    at = len(start) + 4 + 9 + 4
    start += record(0x85, struct.pack("<IHBB", at, 0, 1, 0) + b"A") + record(0x0A, b"")
    return xls_book()._compound(start + sheet)


XLS, PARQUET, DTA, XLSX_PARTS = xls(), made("parquet"), made("dta"), xlsx_parts()
SEEDS = {
    "numbers": [
        "\0001.234,5 tỷ đồng",
        "\00112 tỷ 300 triệu",
        "\x00(12,5)",
        "\x04246.795 triệu",
        "\x031e9",
        "\x00-1 234,5*",
    ],
    "dates": ["31/12/2019", "quý II/2019", "tháng 6 năm 2019", "2019-06-30", "43830"],
    "units": [
        "Dư nợ (triệu đồng)",
        "ĐVT: tỷ đồng/người/năm",
        "Năm 2019 / Trong đó: nợ quá hạn",
        "1.000 đồng",
    ],
    "encodings": [
        "Xã Hương Nộn",
        "Hộ nghèo".encode("utf-16"),
        "Hộ".encode("utf-16-le"),
        b"X\xb7 H\xad\xacng N\xe9n",
    ],
    "csv": [
        "Mã xã;Năm;Chương trình;Dư nợ (triệu đồng)\n08473;2019;Hộ nghèo;1.234,5\n;;Tổng cộng;9\nGhi chú: x\n"
    ],
    "xlsx": [XLSX_PARTS["xl/worksheets/sheet1.xml"]],
    "xls": [bytes(4), b"\x10\x00\x01\x00" * 4],
    "xlsx_cells": [
        XLSX_PARTS["xl/worksheets/sheet1.xml"],
        SPLIT.join(XLSX_PARTS[name] for name in CELL_PARTS),
    ],
    "xls_cells": [XLS, xls_special()],
    "parquet": [bytes(4), b"\x10\x00\x01\x00" * 4],
    "dta": [bytes(4), b"\x10\x00\x01\x00" * 4],
    "folder": [
        SPLIT.join(
            s.encode()
            for s in (
                "code,year,programme,outstanding_vnd\n10001,2019,poor,1000000000\n",
                '[title]\nvi="a"\nen="b"\n[data]\nreal=true\nyears=[2019,2020]\n[[acknowledge]]\nrule="x"\nplace="1"\nvalue=1\nreason="y"\n',
                "table,key,column,value,expectation,reason\ncredit,code=10001;year=2019;programme=poor,outstanding_vnd,1,2,x\n",
                "code,name,valid_from\n10001,Xã A,2019-01-01\n",
            )
        )
    ],
}


def main(target):
    promise = globals()[f"fuzz_{target}"]

    def once(data):
        try:
            promise(data)
        except DataError:
            pass
        except (Exception, RecursionError) as error:
            frames = [f for f in traceback.extract_tb(error.__traceback__) if "/evalkit/" in f.filename]
            at = frames[-1] if frames else traceback.extract_tb(error.__traceback__)[-1]
            key = (type(error).__name__, at.filename.rpartition("/")[2], at.lineno)
            if key not in broken:
                broken[key] = data
                print("BROKEN", key, str(error)[:200], repr(data[:200]), flush=True)

    corpus = FOLDER / "corpus"
    corpus.mkdir()
    for i, seed in enumerate(SEEDS[target]):
        (corpus / str(i)).write_bytes(seed.encode() if isinstance(seed, str) else seed)
    atheris.Setup([sys.argv[0], *sys.argv[2:], "-timeout=20", "-rss_limit_mb=3000", str(corpus)], once)
    atheris.Fuzz()


if __name__ == "__main__":
    main(sys.argv[1])
