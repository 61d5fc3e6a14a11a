"""Known tables written in random messy ways come back exactly, or rows are set aside; never a wrong number."""

import csv
import io
import math
import os
import tempfile
import unicodedata
from pathlib import Path

import openpyxl
from hypothesis import HealthCheck, event, given, settings
from hypothesis import strategies as st

from evalkit.errors import DataError
from evalkit.load import schema
from evalkit.load.encodings import _TCVN3_TABLE, _VNI_ALONE, _VNI_MARKS
from evalkit.load.spreadsheet import read_spreadsheet

# Thousands of examples take minutes: set EVALKIT_FUZZ_EXAMPLES to run them.
EXAMPLES = int(os.environ.get("EVALKIT_FUZZ_EXAMPLES", "150"))

FIELDS = {
    "credit": ["code", "year", "programme", "outstanding_vnd", "overdue_vnd", "lent_vnd", "borrowers"],
    "poverty": ["code", "year", "standard", "households", "poor", "near_poor", "poor_pct"],
    "groups": ["code", "year", "group", "union", "members", "outstanding_vnd", "savings_vnd", "rating"],
}
COUNTS = {"borrowers", "households", "poor", "near_poor", "members"}
TEXTS = {
    "programme": ["Hộ nghèo", "Hộ cận nghèo", "Giải quyết việc làm", "Nước sạch và vệ sinh"],
    "standard": ["2011-2015", "2016-2020", "2022-2025"],
    "group": ["Tổ 1 khu Đồi", "TK-02", "Tổ Cộng Hòa", "103"],
    "union": {"women": "Hội phụ nữ", "farmers": "Nông dân", "veterans": "CCB", "youth": "Đoàn thanh niên"},
    "rating": {"good": "Tốt", "fair": "khá", "average": "TB", "weak": "Yếu"},
}
UNITS = {"": 0, "đồng": 0, "nghìn đồng": 3, "triệu đồng": 6, "tỷ đồng": 9}
GAPS = ["-", "..", "…", "x", ""]
BROKEN = ["#REF!", "#DIV/0!", "abc", "12.34.5", "1.2.3", "#N/A"]
ENCODINGS = ["utf-8", "utf-8-sig", "utf-16", "cp1258", "tcvn3", "vni"]
STYLES = ["dot", "comma", "space", "plain dot", "plain comma", "typed"]

IN_TCVN3 = {letter: bytes([code]) for code, letter in _TCVN3_TABLE.items()}
IN_VNI = {letter: mark.encode("cp1252") for mark, letter in _VNI_ALONE.items()}
for base in "aeouyôöAEOUYÔÖ":
    for mark, combining in _VNI_MARKS.items():
        letter = unicodedata.normalize("NFC", _VNI_ALONE.get(base, base) + combining)
        if len(letter) == 1:
            written = base + (mark if base.islower() else mark.upper())
            IN_VNI.setdefault(letter, written.encode("cp1252"))
TONES = "\u0300\u0301\u0303\u0309\u0323"


def encoded(text, encoding):
    """Bytes of ``text`` in an encoding; UTF-8 where a legacy one lacks a letter of it."""
    try:
        if encoding == "cp1258":
            return b"".join(_in_cp1258(c) for c in text)
        table = {"tcvn3": IN_TCVN3, "vni": IN_VNI}.get(encoding)
        if table is not None:
            return b"".join(table.get(c) or c.encode("ascii") for c in text)
    except UnicodeEncodeError:
        return text.encode()
    return text.encode(encoding)


def _in_cp1258(letter):
    marks = unicodedata.normalize("NFD", letter)
    tones = "".join(m for m in marks if m in TONES)
    rest = unicodedata.normalize("NFC", "".join(m for m in marks if m not in TONES))
    return (rest + tones).encode("cp1258")


def figure(units, places, style):
    """``units`` × 10 ** -``places`` in a style of writing."""
    whole, decimals = divmod(units, 10**places)
    mark = {"dot": ".", "comma": ",", "space": " "}.get(style, "")
    point = "." if style in ("comma", "plain dot") else ","
    return f"{whole:,}".replace(",", mark) + (f"{point}{decimals:0{places}d}" if places else "")


@st.composite
def figures(draw, name, exponent, size, kind):
    """(cells, true values) of a column written in one style."""
    style = draw(st.sampled_from(STYLES if kind == "xlsx" else STYLES[:-1]))
    most = 0 if name in COUNTS else 2 if name.endswith("_pct") else min(3, exponent)
    places = draw(st.integers(0, most))
    limit = 100 if name.endswith("_pct") else 5000 if name in COUNTS else 10 ** max(4, 13 - exponent)
    cells, values = [], []
    for _ in range(size):
        if draw(st.integers(0, 7)) == 0:
            cells.append(draw(st.sampled_from(GAPS)))
            values.append(math.nan)
            continue
        units = draw(st.integers(0, limit * 10**places))
        values.append(float(f"{units}e{exponent - places}"))
        if style == "typed":
            cells.append(units / 10**places)
            continue
        cell = figure(units, places, style)
        marked = [f"{cell}*", f"{cell} (1)", f" {cell} ", f"{cell}²"]
        cells.append(draw(st.sampled_from(marked)) if draw(st.integers(0, 9)) == 0 else cell)
    return cells, values


@st.composite
def header(draw, table, name):
    declared = schema.fields(table)[name]
    spelling = draw(st.sampled_from([declared["label"]["vi"], *declared.get("aliases", [])]))
    return draw(st.sampled_from([spelling, spelling.upper(), spelling.capitalize(), f"{spelling} (*)"]))


@st.composite
def deliveries(draw):
    """(table, true rows, positions of broken rows, rows of the sheet, kind of file, encoding)."""
    table = draw(st.sampled_from(list(FIELDS)))
    size = draw(st.integers(1, 9))
    caption = draw(st.sampled_from(list(UNITS)))
    kind = draw(st.sampled_from(["csv", "xlsx"]))
    headers, cells, truth = {}, {}, {}
    for name in FIELDS[table]:
        headers[name] = draw(header(table, name))
        if name == "code":
            first = draw(st.integers(1, 90000))
            truth[name] = [f"{first + 7 * i:05d}" for i in range(size)]
            typed = kind == "xlsx" and draw(st.booleans())
            cells[name] = [int(code) if typed else code for code in truth[name]]
        elif name == "year":
            year = draw(st.integers(2014, 2024))
            truth[name] = [year + i % 2 for i in range(size)]
            write = draw(st.sampled_from([int, str, "Năm {}".format]))
            cells[name] = [write(y) for y in truth[name]]
        elif name in TEXTS:
            truth[name] = draw(st.lists(st.sampled_from(list(TEXTS[name])), min_size=size, max_size=size))
            cells[name] = [TEXTS[name][t] if isinstance(TEXTS[name], dict) else t for t in truth[name]]
        else:
            own = draw(st.sampled_from([None, *filter(None, UNITS)])) if name.endswith("_vnd") else None
            if own:
                headers[name] += draw(st.sampled_from([f" ({own})", f"\n({own})", f" - {own}", f", {own}"]))
            exponent = UNITS[own or caption] if name.endswith("_vnd") else 0
            cells[name], truth[name] = draw(figures(name, exponent, size, kind))
    broken = set()
    amounts = [f for f in FIELDS[table] if f in COUNTS or f.endswith(("_vnd", "_pct"))]
    for i in range(size):
        if draw(st.integers(0, 9)) == 0:
            cells[draw(st.sampled_from(amounts))][i] = draw(st.sampled_from(BROKEN))
            broken.add(i)
    rows = draw(layout(draw(st.permutations(FIELDS[table])), headers, cells, size, caption))
    true_rows = [{f: truth[f][i] for f in FIELDS[table]} for i in range(size)]
    return table, true_rows, broken, rows, kind, draw(st.sampled_from(ENCODINGS))


@st.composite
def layout(draw, order, headers, cells, size, caption):
    """Rows of the sheet: titles, caption, header, column numbers, data in groups, total and notes."""
    numbered = draw(st.booleans())
    grouped = numbered and draw(st.booleans())
    lead = [None] if numbered else []
    width = len(order) + numbered
    rows = []
    if draw(st.booleans()):
        rows += [["NGÂN HÀNG CHÍNH SÁCH XÃ HỘI"], ["Báo cáo tổng hợp số liệu của các xã trong huyện"]]
    if caption:
        text = draw(st.sampled_from([f"Đơn vị tính: {caption}", f"ĐVT: {caption.capitalize()}", f"({caption})"]))
        rows.append([None] * draw(st.integers(0, width - 1)) + [text])
    if rows and draw(st.booleans()):
        rows.append([])
    rows.append((["STT"] if numbered else []) + [headers[f] for f in order])
    if draw(st.booleans()):
        rows.append([str(j + 1) for j in range(width)])

    def summing(label, figure):
        return [None if f in ("code", "year") else label if f in TEXTS else figure for f in order]

    for i in range(size):
        if grouped and i % 4 == 0:
            rows.append(["I" * (i // 4 + 1), *summing("Cụm xã phía Bắc", "10.000.000")])
        if draw(st.integers(0, 12)) == 0:
            rows.append([])
        rows.append(([str(i + 1)] if numbered else []) + [cells[f][i] for f in order])
    if draw(st.booleans()):
        rows.append(lead + summing("Tổng cộng", "99.000.000"))
    if draw(st.booleans()):
        rows += [[], ["Ghi chú: (*) số liệu do xã cung cấp"], [None, None, "Người lập biểu"]]
    return rows


def write(folder, rows, kind, encoding):
    path = Path(folder) / f"delivery.{kind}"
    if kind == "xlsx":
        workbook = openpyxl.Workbook()
        for row in rows:
            workbook.active.append([None if cell == "" else cell for cell in row])
        workbook.save(path)
        return path
    text = io.StringIO()
    csv.writer(text, delimiter=";").writerows([["" if c is None else c for c in row] for row in rows])
    path.write_bytes(encoded(text.getvalue(), encoding))
    return path


def same(read, true):
    if isinstance(true, float) and math.isnan(true):
        return read is None or read != read or str(read) == "<NA>"
    return read == true


@settings(max_examples=EXAMPLES, deadline=None, suppress_health_check=list(HealthCheck))
@given(deliveries())
def test_messy_sheets_come_back_exactly_or_are_set_aside(delivery):
    table, true_rows, broken, rows, kind, encoding = delivery
    with tempfile.TemporaryDirectory() as folder:
        path = write(folder, rows, kind, encoding)
        try:
            reading = read_spreadsheet(path, table=table)
        except DataError as error:
            event(f"refused: {str(error)[:60]}")
            return
    assert reading.rows_read == sum(any(cell not in (None, "") for cell in row) for row in rows)
    assert set(reading.origin["row"]).isdisjoint(reading.rejected["row"])
    assert (reading.rejected["reason"].str.len() > 0).all()
    awaited = {row["code"]: i for i, row in enumerate(true_rows)}
    for row in reading.frame.to_dict("records"):
        i = awaited.pop(row["code"])
        assert i not in broken
        wrong = {f: (row[f], true) for f, true in true_rows[i].items() if not same(row[f], true)}
        assert not wrong
    event(f"rows read: {round(10 * len(reading.frame) / len(true_rows)) * 10} %")
