"""What officers do in spreadsheets, one habit at a time: the figures that come out, or the rows that are set aside."""

import math

import pytest

from evalkit.errors import DataError
from evalkit.load.grid import Grid
from evalkit.load.spreadsheet import read_spreadsheet
from evalkit.load.tables import read_by_schema

HEADER = "Mã xã | Năm | Chương trình | Dư nợ (triệu đồng) | Số hộ còn dư nợ"
FIRST = "08473 | 2019 | Hộ nghèo | 1.234,5 | 100"
SECOND = "08474 | 2019 | Hộ nghèo | 2.000,0 | 200"
FIGURES = {"08473": 1_234_500_000, "08474": 2_000_000_000}


def grid(text, merged=(), sheet=None, file="delivery.xlsx"):
    """A grid drawn with bars; a cell that begins with # is a typed number."""
    rows = []
    for line in text.strip("\n").splitlines():
        cells = [cell.strip().replace("\\n", "\n") or None for cell in line.split("|")]
        rows.append([float(c[1:]) if c and c.startswith("#") and c[1:2].isdigit() else c for c in cells])
    return Grid(file, sheet, rows, tuple(merged))


def read(text, table="credit", **kind):
    return read_by_schema([grid(text, **kind)], table)


def outstanding(text, **kind):
    frame = read(text, **kind).frame
    return dict(zip(frame["code"], frame["outstanding_vnd"], strict=True))


def table(*rows, header=HEADER):
    return "\n".join([header, *rows])


WHOLE = {
    "plain": table(FIRST, SECOND),
    "empty rows and columns before the table": "\n\n | \n" + "\n".join(f" | {r}" for r in (HEADER, FIRST, SECOND)),
    "an empty row in the middle": table(FIRST, "", SECOND),
    "a running number": table(f"1 | {FIRST}", f"2 | {SECOND}", header=f"STT | {HEADER}"),
    "a running number with dots": table(f"1. | {FIRST}", f"2. | {SECOND}", header=f"TT | {HEADER}"),
    "a total at the end": table(FIRST, SECOND, "Tổng cộng | | | 3.234,5 | 300"),
    "a total in the middle": table(FIRST, "Tổng cộng | | | 1.234,5 | 100", SECOND),
    "a sum after each group": table(FIRST, "Cộng huyện Tam Nông | | | 1.234,5 | 100", SECOND, "Cộng | | | 9 | 9"),
    "a total at the top": table("Toàn tỉnh | | | 3.234,5 | 300", FIRST, SECOND),
    "groups under Roman numerals": table(
        "I | | | Huyện Tam Nông | 3.234,5 | 300", f"1 | {FIRST}", f"2 | {SECOND}", header=f"STT | {HEADER}"
    ),
    "a line with the district's name": table("Huyện Tam Nông", FIRST, "Huyện Thanh Ba", SECOND),
    "notes under the table": table(FIRST, SECOND, "", "Ghi chú: số liệu do xã báo cáo", "(*) Chưa kể nợ khoanh"),
    "signatures": table(FIRST, SECOND, "", " | | | Tam Nông, ngày 5 tháng 1 năm 2020", "Người lập biểu | | | Giám đốc"),
    "titles and an office": "NGÂN HÀNG CHÍNH SÁCH XÃ HỘI\nBÁO CÁO DƯ NỢ NĂM 2019\n" + table(FIRST, SECOND),
    "the header again on the next page": table(FIRST, HEADER, SECOND),
    "column numbers": table("A | B | C | 1 | 2", FIRST, SECOND),
    "column numbers in brackets": table("(1) | (2) | (3) | (4) | (5)", FIRST, SECOND),
    "capitals": table(FIRST, SECOND, header=HEADER.upper()),
    "no accents": table(FIRST, SECOND, header="Ma xa | Nam | Chuong trinh | Du no (trieu dong) | So ho con du no"),
    "line breaks in the header": table(FIRST, SECOND, header="Mã\\nxã | Năm | Chương\\ntrình | Dư nợ\\n(triệu đồng) | Số hộ\\ncòn dư nợ"),
    "a footnote in the header": table(FIRST, SECOND, header=HEADER.replace("Dư nợ", "Dư nợ (*)")),
    "a footnote at a figure": table(FIRST.replace("1.234,5", "1.234,5 (1)"), SECOND.replace("2.000,0", "2.000,0*")),
    "a caption for the unit, right of the title": "Dư nợ theo xã | | | (ĐVT: triệu đồng)\n"
    + table(FIRST, SECOND, header=HEADER.replace(" (triệu đồng)", "")),
    "a caption for the unit between title and header": "Dư nợ theo xã\n | | | Đơn vị tính: Triệu đồng\n"
    + table(FIRST, SECOND, header=HEADER.replace(" (triệu đồng)", "")),
    "another unit than the caption's": "Đơn vị: tỷ đồng\n" + table(FIRST, SECOND),
    "in billions": table(FIRST.replace("1.234,5", "1,2345"), SECOND.replace("2.000,0", "2"), header=HEADER.replace("triệu", "tỷ")),
    "in thousands": table(FIRST.replace("1.234,5", "1.234.500"), SECOND.replace("2.000,0", "2.000.000"), header=HEADER.replace("triệu", "nghìn")),
    "the unit in each cell": table(FIRST.replace("1.234,5", "1.234,5 triệu"), SECOND.replace("2.000,0", "2 tỷ"), header=HEADER.replace(" (triệu đồng)", " (đồng)")),
    "a compound amount": table(FIRST.replace("1.234,5", "1 tỷ 234,5 triệu"), SECOND),
    "đ behind the amount": table(FIRST.replace("1.234,5", "1.234.500.000đ"), SECOND.replace("2.000,0", "2.000.000.000 đ"), header=HEADER.replace(" (triệu đồng)", " (đồng)")),
    "English digits": table(FIRST.replace("1.234,5", "1,234.5"), SECOND.replace("2.000,0", "2,000.0")),
    "both habits in one column": table(FIRST, SECOND.replace("2.000,0", "2,000.0")),
    "spaces for thousands": table(FIRST.replace("1.234,5", "1 234,5"), SECOND.replace("2.000,0", "2 000")),
    "no-break spaces": table(FIRST.replace("1.234,5", "1\u00a0234,5\u00a0"), SECOND.replace("2.000,0", "2\u202f000")),
    "a plus sign": table(FIRST.replace("1.234,5", "+1.234,5"), SECOND),
    "preliminary": table(FIRST.replace("1.234,5", "1.234,5 (sơ bộ)"), SECOND.replace("2.000,0", "Ước 2.000,0")),
    "typed numbers and texts": table(FIRST, SECOND.replace("2.000,0", "#2000")),
    "codes that lost their zero": table(FIRST.replace("08473", "#8473"), SECOND.replace("08474", "8474")),
    "codes with blanks": table(FIRST.replace("08473", "  08473 "), SECOND),
    "the year in words": table(FIRST.replace("2019", "Năm 2019"), SECOND.replace("2019", "#2019")),
    "no column for the year, one in the title": "DƯ NỢ NĂM 2019\n"
    + table(*(r.replace("2019 | ", "") for r in (FIRST, SECOND)), header=HEADER.replace("Năm | ", "")),
    "names beside codes": table(FIRST.replace(" | 2019", " | Xã Hương Nộn | 2019"), SECOND.replace(" | 2019", " | Xã Cộng Hòa | 2019"), header=HEADER.replace(" | Năm", " | Tên xã | Năm")),
    "a column of shares beside": table(f"{FIRST} | 38,2%", f"{SECOND} | 61,8%", header=f"{HEADER} | Tỷ trọng (%)"),
    "a remark beside": table(f"{FIRST} | mới nhập", SECOND, header=f"{HEADER} | Ghi chú"),
    "the number of places under the table": table(FIRST, SECOND, "Tổng số xã: 2"),
    "two languages in the header": table(FIRST, SECOND, header="Mã xã\\nCommune code | Năm - Year | Chương trình\\nProgramme | Dư nợ - Outstanding (triệu đồng) | Số hộ còn dư nợ"),
    "a cut-off day in the header": table(FIRST, SECOND, header=HEADER.replace("Dư nợ", "Dư nợ đến 31/12/2019")),
}  # fmt: skip


@pytest.mark.parametrize("text", WHOLE.values(), ids=WHOLE)
def test_all_figures_come_out(text):
    assert outstanding(text) == FIGURES


@pytest.mark.parametrize("text", WHOLE.values(), ids=WHOLE)
def test_every_row_is_accounted_for(text):
    reading = read(text)
    assert reading.rows_read == sum(any(c is not None for c in row) for row in grid(text).rows)


@pytest.mark.parametrize(
    ("cell", "flag"),
    [("-", "none_occurred"), ("–", "none_occurred"), ("…", "not_collected"), ("..", "not_collected"), ("x", "not_applicable"), ("", None)],
)  # fmt: skip
def test_signs_for_nothing_are_missing_and_never_zero(cell, flag):
    reading = read(table(FIRST.replace("| 100", f"| {cell}"), SECOND))
    assert reading.frame["borrowers"].isna().tolist() == [True, False]
    assert reading.flags["flag"].tolist() == ([flag] if flag else [])


SET_ASIDE = ["1.234", "12.34.5", "1,23,4", "１２３", "١٢٣", "#REF!", "=A1", "abc", "1-2", "5 hộ", "12 %", "1.234,5 USD",
             "100/200", "12:30", "1e999", "nan", "inf", "--5", "5-", "1.234,5.6", "IV", "0x10", "1_000", "½", "5²5"]  # fmt: skip


@pytest.mark.parametrize("cell", SET_ASIDE)
def test_what_can_mean_two_things_or_none_sets_its_row_aside_with_the_reason(cell):
    reading = read(table(FIRST.replace("1.234,5", cell), SECOND.replace("2.000,0", "2000")))
    assert reading.frame["outstanding_vnd"].tolist() == [2_000_000_000]
    (fault,) = reading.rejected.dropna(subset="column").itertuples()
    assert fault.row == 2
    assert fault.field == "outstanding_vnd"
    assert len(fault.reason) > 10


@pytest.mark.parametrize("minus", ["-5", "−5", "–5", "(5)", "- 5"])
def test_minus_signs_of_all_kinds(minus):
    assert outstanding(table(FIRST.replace("1.234,5", minus), SECOND))["08473"] == -5_000_000


@pytest.mark.parametrize("mark", ["'", "’"])
def test_an_apostrophe_that_keeps_a_number_as_text_is_no_part_of_it(tmp_path, mark):
    path = tmp_path / "credit.csv"
    lines = [FIRST, SECOND.replace("08474", f"{mark}08474").replace("2.000,0", f"{mark}2.000,0")]
    path.write_text(table(*lines).replace(" | ", ";"), encoding="utf-8")
    frame = read_spreadsheet(path, table="credit").frame
    assert dict(zip(frame["code"], frame["outstanding_vnd"], strict=True)) == FIGURES


def test_minus_nothing_is_nothing():
    value = outstanding(table(FIRST.replace("1.234,5", "-0"), SECOND))["08473"]
    assert value == 0
    assert math.copysign(1, value) == 1


def test_two_header_rows_with_merged_cells():
    text = """
STT | Mã xã | Năm | Chương trình | Dư nợ (triệu đồng) | |
 | | | | Tổng số | Trong đó: Nợ quá hạn |
1 | 08473 | 2019 | Hộ nghèo | 1.234,5 | 1,5 |
2 | 08474 | 2019 | Hộ nghèo | 2.000,0 | 0 |
"""
    merged = [(0, 4, 0, 5), *((0, j, 1, j) for j in range(4))]
    reading = read(text, merged=merged)
    assert reading.frame["outstanding_vnd"].tolist() == list(FIGURES.values())
    assert reading.frame["overdue_vnd"].tolist() == [1_500_000, 0]


def test_codes_merged_over_their_programmes():
    text = table(FIRST, " | 2019 | Hộ cận nghèo | 5 | 1", SECOND)
    frame = read(text, merged=[(1, 0, 2, 0)]).frame
    assert frame["code"].tolist() == ["08473", "08473", "08474"]


def test_years_over_the_columns_become_rows():
    text = "Thu nhập bình quân đầu người (triệu đồng/người/năm)\nMã xã | Nguồn số liệu | Năm 2014 | Năm 2015\n08473 | self_survey | 20,5 | 22,25"
    try:
        frame = read(text, table="income").frame
    except DataError as error:
        assert "income_vnd" in str(error) or "basis" in str(error)  # noqa: PT017
        return
    assert frame["year"].tolist() == [2014, 2015]
    assert frame["income_vnd"].tolist() == [20_500_000, 22_250_000]


def test_several_tables_on_a_sheet_are_all_read():
    text = table(FIRST) + "\n\nHuyện khác\n" + table(SECOND)
    assert outstanding(text) == FIGURES


def test_a_unit_that_changes_half_way_sets_the_rest_aside():
    reading = read(table(FIRST, "Đơn vị: tỷ đồng", SECOND))
    assert reading.frame["code"].tolist() == ["08473"]
    assert reading.rejected["reason"].str.contains("the unit changes in row 3").any()


@pytest.mark.parametrize(
    "text",
    [
        "Mã xã | 08473 | 08474\nNăm | 2019 | 2019\nChương trình | Hộ nghèo | Hộ nghèo\nDư nợ (triệu đồng) | 1.234,5 | 2.000,0",
        table(f"{FIRST} | 7", header=f"{HEADER} | Tổng dư nợ (triệu đồng)"),
        table(FIRST, header=HEADER.replace("triệu đồng", "%")),
        "KẾT QUẢ NĂM 2018 VÀ NĂM 2019\nKhông có bảng",
        table(FIRST.replace("2019 | ", ""), header=HEADER.replace("Năm | ", "")),
    ],
    ids=["turned on its side", "one quantity twice", "an amount in per cent", "no table", "no year anywhere"],
)
def test_what_cannot_be_understood_is_refused_with_the_file_named(text):
    with pytest.raises(DataError, match=r"delivery\.xlsx"):
        read(text)


def test_amounts_without_any_unit_are_noted():
    reading = read(table(FIRST, SECOND, header=HEADER.replace(" (triệu đồng)", "")))
    assert any("states no unit" in note for note in reading.notes)


def test_places_named_only():
    reading = read(table(FIRST.replace("08473", "Xã Hương Nộn"), header=HEADER.replace("Mã xã", "Tên xã")))
    assert reading.frame["name"].tolist() == ["Xã Hương Nộn"]
    assert any("places are named only" in note for note in reading.notes)
