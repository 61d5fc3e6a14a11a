"""Known tables written as offices write them: a strategy of deliveries for the fuzz test."""

import csv
import io
import math
import unicodedata
from dataclasses import dataclass, field

import openpyxl
import xls_book
from hypothesis import strategies as st

from evalkit.load import schema
from evalkit.load.encodings import _TCVN3_TABLE, _VNI_ALONE, _VNI_MARKS
from evalkit.load.grid import letters

FIELDS = {
    "credit": ["code", "year", "programme", "outstanding_vnd", "overdue_vnd", "lent_vnd", "borrowers"],
    "poverty": ["code", "year", "standard", "households", "poor", "near_poor", "poor_pct"],
    "groups": ["code", "year", "group", "union", "members", "outstanding_vnd", "savings_vnd", "rating"],
}
COUNTS = {"borrowers", "households", "poor", "near_poor", "members"}
TEXTS = {
    "name": ["Xã Hương Nộn", "xã Cộng Hòa", "Thị trấn Hưng Hoá", "Tổng Cọt"],
    "programme": ["Hộ nghèo", "Hộ cận nghèo", "Giải quyết việc làm", "Nước sạch và vệ sinh"],
    "standard": ["2011-2015", "2016-2020", "2022-2025"],
    "group": ["Tổ 1 khu Đồi", "TK-02", "Tổ Cộng Hòa", "103"],
    "union": {"women": "Hội phụ nữ", "farmers": "Nông dân", "veterans": "CCB", "youth": "Đoàn thanh niên"},
    "rating": {"good": "Tốt", "fair": "khá", "average": "TB", "weak": "Yếu"},
}
PLACE_HEADERS = ["Tên xã", "Xã/phường", "Đơn vị", "Địa phương"]
UNITS = {"": 0, "đồng": 0, "nghìn đồng": 3, "triệu đồng": 6, "tỷ đồng": 9}
GAPS = ["-", "..", "…", "x", ""]
BROKEN = ["#REF!", "#DIV/0!", "abc", "12.34.5", "1.2.3", "#N/A"]
STYLES = ["dot", "comma", "space", "plain dot", "plain comma", "typed"]
PARENTS = ["Kết quả", "Chia ra", "Trong đó", "Thực hiện", "Số liệu"]
REGIONS = ["Trung du và miền núi phía Bắc", "Cộng huyện Tam Nông", "Tây Nguyên", "Cụm xã phía Bắc"]
NOTES = ["Ghi chú: (*) số liệu do xã cung cấp", "(1) Số ước tính", "* Không kể nợ khoanh", "Nguồn: NHCSXH"]
KINDS = {
    "csv": ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "decomposed", "cp1258", "tcvn3", "vni"],
    "xlsx": ["unicode", "decomposed", "cp1258", "tcvn3", "vni"],
    "xls": ["unicode", "decomposed", "cp1258", "tcvn3", "vni"],
}

IN_TCVN3 = {letter: bytes([code]) for code, letter in _TCVN3_TABLE.items()}
# Capitals with tones are small letters set in a capital font.
IN_TCVN3 |= {letter.upper(): code for letter, code in IN_TCVN3.items() if letter.upper() not in IN_TCVN3}
IN_VNI = {letter: mark.encode("cp1252") for mark, letter in _VNI_ALONE.items()}
for base in "aeouyôöAEOUYÔÖ":
    for mark, combining in _VNI_MARKS.items():
        letter = unicodedata.normalize("NFC", _VNI_ALONE.get(base, base) + combining)
        if len(letter) == 1:
            written = base + (mark if base.islower() else mark.upper())
            IN_VNI.setdefault(letter, written.encode("cp1252"))
TONES = "\u0300\u0301\u0303\u0309\u0323"


@dataclass
class Sheet:
    """Rows of cells, merged ranges (top, left, bottom, right), true rows by (code, year), and the broken ones."""

    name: str
    rows: list = field(default_factory=list)
    merged: list = field(default_factory=list)
    truth: dict = field(default_factory=dict)
    broken: set = field(default_factory=set)


def encoded(text, encoding):
    """Bytes of ``text``; UTF-8 where a legacy encoding lacks a letter of it."""
    if encoding == "decomposed":
        return unicodedata.normalize("NFD", text).encode()
    if encoding not in ("cp1258", "tcvn3", "vni"):
        return text.encode(encoding)
    text = text.replace("…", "..").replace("²", "*")
    table = {"tcvn3": IN_TCVN3, "vni": IN_VNI}.get(encoding)
    try:
        return b"".join(_in_cp1258(c) if table is None else table.get(c) or c.encode("ascii") for c in text)
    except UnicodeEncodeError:
        return text.encode()


def _in_cp1258(letter):
    marks = unicodedata.normalize("NFD", letter)
    tones = "".join(m for m in marks if m in TONES)
    rest = unicodedata.normalize("NFC", "".join(m for m in marks if m not in TONES))
    return (rest + tones).encode("cp1258")


def as_cell(text, encoding):
    """``text`` as a workbook holds it that was typed in a font of the encoding."""
    if encoding == "unicode":
        return text
    data = encoded(text, encoding)
    return data.decode() if encoding == "decomposed" or data == text.encode() else data.decode("cp1252")


def figure(units, places, style):
    """``units`` × 10 ** -``places`` in a style of writing."""
    whole, decimals = divmod(units, 10**places)
    mark = {"dot": ".", "comma": ",", "space": " "}.get(style, "")
    point = "." if style in ("comma", "plain dot") else ","
    return f"{whole:,}".replace(",", mark) + (f"{point}{decimals:0{places}d}" if places else "")


@st.composite
def figures(draw, name, exponent, size, kind):
    """(cells, true values) of a column written in one style."""
    style = draw(st.sampled_from(STYLES[:-1] if kind == "csv" else STYLES))
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
        marked = [f"{cell}*", f"{cell} (1)", f" {cell} ", f"{cell}²", f"{cell} (sơ bộ)"]
        cells.append(draw(st.sampled_from(marked)) if draw(st.integers(0, 9)) == 0 else cell)
    return cells, values


@st.composite
def header(draw, table, name):
    if name == "name":
        return draw(st.sampled_from(PLACE_HEADERS))
    declared = schema.fields(table)[name]
    spelling = draw(st.sampled_from([declared["label"]["vi"], *declared.get("aliases", [])]))
    return draw(st.sampled_from([spelling, spelling.upper(), spelling.capitalize(), f"{spelling} (*)"]))


@st.composite
def deliveries(draw):
    """(table, [(kind, encoding, sheets)]): the files of one table; no code stands in two sheets."""
    table = draw(st.sampled_from(list(FIELDS)))
    files, first = [], draw(st.integers(1000, 60000))
    for _ in range(draw(st.sampled_from([1, 1, 1, 2]))):
        kind = draw(st.sampled_from(list(KINDS)))
        sheets = []
        for k in range(1 if kind == "csv" else draw(st.sampled_from([1, 1, 2, 3]))):
            sheets.append(draw(sheet(table, kind, f"Biểu {k + 1}", first)))
            first += 1000
        files.append((kind, draw(st.sampled_from(KINDS[kind])), sheets))
    return table, files


@st.composite
def sheet(draw, table, kind, name, first):
    fields = [*FIELDS[table], *(["name"] if draw(st.booleans()) else [])]
    size, years = draw(st.integers(1, 9)), draw(st.sampled_from([1, 1, 2]))
    caption = draw(st.sampled_from(list(UNITS)))
    headers, units, cells, truth = {}, {}, {}, {}
    for f in fields:
        headers[f] = draw(header(table, f))
        if f == "code":
            truth[f] = [f"{first + 7 * (i // years):05d}" for i in range(size)]
            typed = kind != "csv" and draw(st.booleans())
            cells[f] = [int(code) if typed else code for code in truth[f]]
        elif f == "year":
            year = draw(st.integers(2014, 2023))
            truth[f] = [year + i % years for i in range(size)]
            write = draw(st.sampled_from([int, str, "Năm {}".format]))
            cells[f] = [write(y) for y in truth[f]]
        elif f in TEXTS:
            truth[f] = draw(st.lists(st.sampled_from(list(TEXTS[f])), min_size=size, max_size=size))
            cells[f] = [TEXTS[f][t] if isinstance(TEXTS[f], dict) else t for t in truth[f]]
        else:
            own = draw(st.sampled_from([None, *filter(None, UNITS)])) if f.endswith("_vnd") else None
            units[f] = own
            exponent = UNITS[own or caption] if f.endswith("_vnd") else 0
            cells[f], truth[f] = draw(figures(f, exponent, size, kind))
    made = Sheet(name)
    amounts = [f for f in fields if f in COUNTS or f.endswith(("_vnd", "_pct"))]
    for i in range(size):
        key = (truth["code"][i], truth["year"][i])
        made.truth[key] = {f: truth[f][i] for f in fields}
        if draw(st.integers(0, 9)) == 0:
            cells[draw(st.sampled_from(amounts))][i] = draw(st.sampled_from(BROKEN))
            made.broken.add(key)
    order = draw(st.permutations(fields))
    numbered = draw(st.booleans())
    draw(titles(made, caption, len(order) + numbered))
    draw(heading(made, order, headers, units, numbered))
    draw(body(made, order, cells, size, years, numbered))
    return made


@st.composite
def titles(draw, made, caption, width):
    if draw(st.booleans()):
        made.rows += [["NGÂN HÀNG CHÍNH SÁCH XÃ HỘI"], ["Báo cáo tổng hợp số liệu của các xã trong huyện"]]
        if draw(st.booleans()):
            made.merged += [(i, 0, i, width - 1) for i in range(2)]
    if caption:
        text = [f"Đơn vị tính: {caption}", f"ĐVT: {caption.capitalize()}", f"({caption})"]
        made.rows.append([None] * draw(st.integers(0, width - 1)) + [draw(st.sampled_from(text))])
    if made.rows and draw(st.booleans()):
        made.rows.append([])


@st.composite
def heading(draw, made, order, headers, units, numbered):
    """One to three rows of headers; over a run of figures parents that say nothing; a row of column numbers."""
    unit_row = draw(st.booleans()) and order[0] not in units and any(units.values())
    texts = {}
    for f in order:
        forms = [" ({})", "\n({})", " - {}", ", {}"]
        own = units.get(f) if not unit_row else None
        texts[f] = headers[f] + (draw(st.sampled_from(forms)).format(own) if own else "")
    depth, top, lead = draw(st.integers(1, 3)), len(made.rows), int(numbered)
    merging = draw(st.booleans())
    rows = [[None] * (len(order) + lead) for _ in range(depth)]
    start = draw(st.integers(0, len(order) - 2))
    stop = draw(st.integers(start + 2, len(order)))
    run = range(lead + start, lead + stop)
    if numbered:
        rows[0][0] = "STT"
    for j, f in enumerate(order, start=lead):
        rows[depth - 1 if j in run else 0][j] = texts[f]
    for level, parent in enumerate(draw(st.permutations(PARENTS))[: depth - 1]):
        rows[level][run.start] = parent
        if merging:
            made.merged.append((top + level, run.start, top + level, run.stop - 1))
    if merging and depth > 1:
        outside = [j for j in range(len(order) + lead) if j not in run]
        made.merged += [(top, j, top + depth - 1, j) for j in outside]
    made.rows += rows
    if unit_row:
        made.rows.append([None] * lead + [units.get(f) for f in order])
    width = len(order) + lead
    numbers = [
        [str(j + 1) for j in range(width)],
        [f"({j + 1})" for j in range(width)],
        ["A", "B", *range(1, width - 1)],
        [*(str(j + 1) for j in range(width - 1)), f"{width}=2+3"],
    ]
    if draw(st.booleans()):
        made.rows.append(draw(st.sampled_from(numbers)))


@st.composite
def body(draw, made, order, cells, size, years, numbered):
    """Data in groups with subtotals and headings; repeated codes merged; a total, notes and signatures."""
    lead = [None] if numbered else []
    grouped, regions = numbered and draw(st.booleans()), draw(st.booleans())
    label_at = next(f for f in ("name", "programme", "standard", "group") if f in order)

    def summing(label, figure):
        return [
            label if f == label_at else None if f in TEXTS or f in ("code", "year") else figure for f in order
        ]

    if draw(st.integers(0, 5)) == 0:
        made.rows.append(lead + summing("Tổng số", "99.000.000"))
    place = order.index("code") + len(lead)
    merging = draw(st.booleans())
    for i in range(size):
        first_of_code = i % years == 0
        if first_of_code and i % 4 == 0:
            if grouped:
                made.rows.append(["I" * (i // 4 + 1), *summing("Cụm xã phía Bắc", "10.000.000")])
            elif regions:
                made.rows.append(lead + summing(REGIONS[i // 4], "10.000.000"))
        if first_of_code and draw(st.integers(0, 12)) == 0:
            made.rows.append(draw(st.sampled_from([[], ["Huyện Tam Nông"]])))
        made.rows.append(([str(i + 1)] if numbered else []) + [cells[f][i] for f in order])
        if merging and not first_of_code:
            made.rows[-1][place] = None
            made.merged.append((len(made.rows) - 2, place, len(made.rows) - 1, place))
    if draw(st.booleans()):
        made.rows.append(
            lead + summing(draw(st.sampled_from(["Tổng cộng", "CỘNG", "Toàn huyện"])), "99.000.000")
        )
    if draw(st.booleans()):
        made.rows += [[], *([n] for n in draw(st.lists(st.sampled_from(NOTES), max_size=2)))]
        made.rows += [[None, None, "Tam Nông, ngày 5 tháng 1 năm 2020"], ["Người lập biểu", None, "Giám đốc"]]


def save(folder, name, kind, encoding, sheets, delimiter=";"):
    """Write one file of a delivery and return its path."""
    path = folder / f"{name}.{kind}"
    cells = [[[None if c == "" else c for c in row] for row in made.rows] for made in sheets]
    if kind == "csv":
        text = io.StringIO()
        written = [["" if c is None else c for c in row] for row in cells[0]]
        csv.writer(text, delimiter=delimiter).writerows(written)
        path.write_bytes(encoded(text.getvalue(), encoding))
        return path
    cells = [[[as_cell(c, encoding) if isinstance(c, str) else c for c in r] for r in rows] for rows in cells]
    if kind == "xls":
        named = [(m.name, rows, m.merged) for m, rows in zip(sheets, cells, strict=True)]
        return xls_book.save(path, named)
    book = openpyxl.Workbook()
    book.remove(book.active)
    for made, rows in zip(sheets, cells, strict=True):
        page = book.create_sheet(made.name)
        for row in rows:
            page.append(row)
        for top, left, bottom, right in made.merged:
            page.merge_cells(f"{letters(left)}{top + 1}:{letters(right)}{bottom + 1}")
    book.save(path)
    return path
