"""Programmes and years side by side: one row each, the total against its programmes, never a guess unsaid."""

import openpyxl
import pytest
from dataset_sample import write

from evalkit.errors import DataError
from evalkit.load.dataset import check, open_dataset
from evalkit.load.figures import read_numbers
from evalkit.load.spreadsheet import read_spreadsheet


def read(tmp_path, text, table="credit"):
    (tmp_path / "file.csv").write_text(text, encoding="utf-8")
    return read_spreadsheet(tmp_path / "file.csv", table=table)


def amounts(reading, column="outstanding_vnd"):
    return reading.frame.set_index(["code", "programme"])[column].dropna().to_dict()


WIDE = (
    "DƯ NỢ CÁC CHƯƠNG TRÌNH ĐẾN NGÀY 31/12/2019\n;;;;Đơn vị tính: triệu đồng\n"
    "STT;Mã xã;Tên xã;Hộ nghèo;Hộ cận nghèo;NS&VSMT;GQVL;Tổng\n"
    "1;10001;Tân Lập;1.234;2.345,5;500;;4.079,5\n2;10004;Yên Sơn;1.000;-;500;20;{total}\n"
    ";;Tổng cộng;2.234;2.345,5;1.000;20;5.599,5\n"
)


def test_programmes_over_the_columns_become_rows(tmp_path):
    reading = read(tmp_path, WIDE.format(total="1.520"))
    assert amounts(reading) == {
        ("10001", "poor"): 1_234_000_000, ("10004", "poor"): 1_000_000_000,
        ("10001", "near_poor"): 2_345_500_000,
        ("10001", "water"): 500_000_000, ("10004", "water"): 500_000_000,
        ("10004", "jobs"): 20_000_000,
        ("10001", "total"): 4_079_500_000, ("10004", "total"): 1_520_000_000,
    }  # fmt: skip
    assert (reading.frame["year"] == 2019).all()
    assert reading.rows_read == 6
    assert any("sum to the total column in 2 of 2 rows" in note for note in reading.notes)


def test_a_total_column_that_is_no_sum_is_told(tmp_path):
    reading = read(tmp_path, WIDE.format(total="1.620"))
    assert any("sum to the total column in 1 of 2 rows" in note for note in reading.notes)
    folder = write(tmp_path / "d")
    (folder / "credit.csv").write_text(WIDE.format(total="1.620"), encoding="utf-8")
    assert "sum_mismatch" in set(check(folder)["rule"])


def test_two_figures_for_each_programme(tmp_path):
    workbook = openpyxl.Workbook()
    sheet = workbook.active
    sheet.append(["KẾT QUẢ CHO VAY NĂM 2020 (triệu đồng)"])
    sheet.append(["STT", "Mã xã", "Hộ nghèo", None, "Hộ cận nghèo", None, "Tổng cộng", None])
    sheet.append([None, None, *["Số hộ", "Dư nợ"] * 3])
    sheet.append([1, "10001", 10, 1000, 20, 2000, 30, 3000])
    for cells in ("A2:A3", "B2:B3", "C2:D2", "E2:F2", "G2:H2"):
        sheet.merge_cells(cells)
    workbook.save(tmp_path / "wide.xlsx")
    reading = read_spreadsheet(tmp_path / "wide.xlsx", table="credit")
    expected = {"poor": (10, 1e9), "near_poor": (20, 2e9), "total": (30, 3e9)}
    rows = reading.frame.set_index("programme")
    assert {p: (r["borrowers"], r["outstanding_vnd"]) for p, r in rows.iterrows()} == expected


def test_of_which_is_a_part_of_the_column_before(tmp_path):
    text = (
        "Biểu 1: năm 2020 (triệu đồng)\nMã xã;Tổng dư nợ;Trong đó;;Nợ quá hạn\n;;Hộ nghèo;Hộ cận nghèo;\n"
        "10001;3000;1000;2000;30\n"
    )
    reading = read(tmp_path, text)
    assert amounts(reading) == {("10001", "total"): 3e9, ("10001", "poor"): 1e9, ("10001", "near_poor"): 2e9}
    assert amounts(reading, "overdue_vnd") == {("10001", "total"): 3e7}


def test_columns_that_nothing_names_are_read_with_a_warning(tmp_path):
    text = "Đơn vị: triệu đồng\nMã xã;Năm;Hộ nghèo;Hộ cận nghèo\n10001;2019;3000;1000\n"
    assert amounts(read(tmp_path, text)) == {("10001", "poor"): 3e9, ("10001", "near_poor"): 1e9}
    folder = write(tmp_path / "d")
    (folder / "credit.csv").write_text(text, encoding="utf-8")
    found = check(folder)
    assert found.query("rule == 'measure_assumed'")["severity"].tolist() == ["warning"]


def test_a_programme_in_one_column_alone_spreads_nothing(tmp_path):
    with pytest.raises(DataError, match="programme"):
        read(tmp_path, "Đơn vị: triệu đồng\nMã xã;Năm;Dư nợ;Hộ nghèo\n10001;2019;3000;1000\n")


def test_years_over_the_columns_with_the_figure_in_the_title(tmp_path):
    text = (
        "THU NHẬP BÌNH QUÂN ĐẦU NGƯỜI (triệu đồng/người/năm)\nMã xã;2014;2015;Cách thu thập\n"
        "10001;24,5;26,7;self_survey\n"
    )
    frame = read(tmp_path, text, "income").frame
    assert frame[["year", "income_vnd", "per"]].values.tolist() == [
        [2014, 24_500_000, "year"],
        [2015, 26_700_000, "year"],
    ]
    text = "SỐ HỘ NGHÈO theo chuẩn nghèo giai đoạn 2016-2020\nMã xã;Năm 2016;2017\n10001;24;22\n"
    assert read(tmp_path, text, "poverty").frame["poor"].tolist() == [24, 22]


@pytest.mark.parametrize("cell", ["1.000", "1.000²", "1.000*", "1.000 (1)"])
def test_a_footnote_mark_does_not_settle_two_readings(cell):
    assert read_numbers([cell]).faults


def test_what_is_hidden_is_read_and_said(tmp_path):
    workbook = openpyxl.Workbook()
    sheet = workbook.active
    sheet.title = "Biểu 1"
    for row in (["Mã xã", "Năm", "Chương trình", "Dư nợ (triệu đồng)", "Nợ quá hạn (triệu đồng)"],
                ["10001", 2019, "Hộ nghèo", 1000, 10], ["10004", 2019, "Hộ nghèo", 2000, 20]):  # fmt: skip
        sheet.append(row)
    sheet.row_dimensions[3].hidden = True
    sheet.column_dimensions["E"].hidden = True
    other = workbook.copy_worksheet(sheet)
    other.title, other.sheet_state = "Biểu 2", "hidden"
    folder = write(tmp_path / "d")
    workbook.save(folder / "credit.xlsx")
    reading = read_spreadsheet(folder / "credit.xlsx", table="credit")
    said = [note for note in reading.notes if "hidden" in note]
    assert "rows 3; columns E" in said[0]
    assert "the sheet" in said[1]
    assert len(reading.frame) == 4
    found = check(folder)
    assert {"hidden_cells", "repeated_delivery"} <= set(found["rule"])
    assert len(open_dataset(folder).tables["credit"]) == 2
