"""Deliveries with every kind of mess, each with what must come out of it."""

import datetime
import math

import openpyxl
import pandas as pd
import pytest
import xls_book

from evalkit.errors import DataError
from evalkit.load.spreadsheet import read_spreadsheet, read_table

CREDIT = ["Mã xã", "Năm", "Chương trình", "Tổng dư nợ (triệu đồng)"]


def workbook(path, rows, *, merge=(), formats=None, more_sheets=()):
    book = openpyxl.Workbook()
    for sheet, content in [(book.active, rows), *((book.create_sheet(n), r) for n, r in more_sheets)]:
        for row in content:
            sheet.append(row)
    for cells in merge:
        book.active.merge_cells(cells)
    for cell, number_format in (formats or {}).items():
        book.active[cell].number_format = number_format
    book.save(path)
    return path


def csv(path, text, encoding="utf-8"):
    path.write_text(text, encoding=encoding)
    return path


@pytest.fixture
def delivery(tmp_path):
    rows = [
        ["NGÂN HÀNG CHÍNH SÁCH XÃ HỘI"],
        ["KẾT QUẢ CHO VAY NĂM 2019"],
        [None] * 6 + ["ĐVT: triệu đồng"],
        ["STT", "Mã xã", "Tên xã", "Chương trình", "Tổng dư nợ", None, "Số hộ còn dư nợ"],
        [None, None, None, None, "Tổng số", "Trong đó: Nợ quá hạn", None],
        ["A", "B", "C", "D", 1, 2, 3],
        ["I", None, "Huyện Tam Nông", None, 3500.5, 12, 320],
        [1, "08473", "Xã Hương Nộn", "Hộ nghèo", "1.234,5", "1,5", 100],
        [2, None, None, "Hộ cận nghèo", "2.266", "-", 220],
        [3, 8474, "Xã Cộng Hòa", "Tổng cộng", "12 tỷ 300 triệu", 0, "1.220"],
        [4, "08475", "Xã Thọ Văn", "Hộ nghèo", "#REF!", 0, "20"],
        [None, None, "Tổng cộng", None, 9999, 1, 2],
        [],
        ["Ghi chú: số liệu do ngân hàng cung cấp"],
        ["Tam Nông, ngày 5 tháng 1 năm 2020"],
        ["Người lập biểu", None, None, None, "Giám đốc"],
    ]
    merge = ["E4:F4", "B8:B9", "C8:C9", *(f"{c}4:{c}5" for c in "ABCDG")]
    return workbook(tmp_path / "credit.xlsx", rows, merge=merge)


def test_stacked_header_merged_cells_units_and_names(delivery):
    reading = read_spreadsheet(delivery, table="credit")
    expected = pd.DataFrame(
        {
            "code": ["08473", "08473", "08474"],
            "year": pd.array([2019] * 3, dtype="Int64"),
            "programme": ["Hộ nghèo", "Hộ cận nghèo", "Tổng cộng"],
            "outstanding_vnd": [1_234_500_000.0, 2_266_000_000.0, 12_300_000_000.0],
            "overdue_vnd": [1_500_000.0, math.nan, 0.0],
            "borrowers": pd.array([100, 220, 1220], dtype="Int64"),
            "name": ["Xã Hương Nộn", "Xã Hương Nộn", "Xã Cộng Hòa"],
        }
    )
    pd.testing.assert_frame_equal(reading.frame, expected)
    assert reading.origin["row"].tolist() == [8, 9, 10]


def test_every_row_is_accounted_for_with_a_reason(delivery):
    reading = read_spreadsheet(delivery, table="credit")
    reasons = dict(zip(reading.rejected["row"], reading.rejected["reason"], strict=True))
    assert reading.rows_read == 15
    assert {row: reasons[row] for row in (1, 4, 6, 7, 12, 14, 16)} == {
        1: "title", 4: "header", 6: "column numbers", 7: "subtotal", 12: "total", 14: "note or signature",
        16: "note or signature",
    }  # fmt: skip
    assert "error of the spreadsheet" in reasons[11]
    assert reading.flags.to_dict("records") == [
        {"index": 1, "column": "overdue_vnd", "flag": "none_occurred"}
    ]
    page = reading._repr_html_()
    assert "rows set aside" in page
    assert "Xã Hương Nộn" in page


def test_years_over_the_columns_become_rows(tmp_path):
    path = csv(
        tmp_path / "poverty.csv",
        "RÀ SOÁT theo chuẩn nghèo giai đoạn 2016-2020\nMã xã;2018;;2019;\n"
        ";Tổng số hộ;Hộ nghèo;Tổng số hộ;Hộ nghèo\n"
        "08473;2.100;95;2.110;80\n08474;1.050;45;1.060;x\n",
    )
    frame = read_spreadsheet(path, table="poverty").frame
    assert frame[["code", "year", "households"]].to_numpy().tolist() == [
        ["08473", 2018, 2100], ["08474", 2018, 1050], ["08473", 2019, 2110], ["08474", 2019, 1060],
    ]  # fmt: skip
    assert set(frame["standard"]) == {"2016-2020"}
    assert frame["poor"].isna().tolist() == [False, False, False, True]


def test_a_row_of_units_under_the_header_is_read(tmp_path):
    path = csv(
        tmp_path / "credit.csv",
        "Mã xã;Năm;Chương trình;Tổng dư nợ;Số hộ vay\n;;;triệu đồng;hộ\n08473;2019;Hộ nghèo;12,5;3\n",
    )
    assert read_spreadsheet(path, table="credit").frame["outstanding_vnd"].tolist() == [12_500_000]


def test_a_near_miss_is_proposed_and_not_read(tmp_path):
    path = csv(
        tmp_path / "credit.csv",
        "Mã xã,Năm,Chương trình,Tông dư nợ cuôi,Nợ quá hạnn\n08473,2019,Hộ nghèo,5,1\n",
    )
    with pytest.raises(
        DataError, match=r"outstanding_vnd .*“Nợ quá hạnn” was not read; it may mean overdue_vnd"
    ):
        read_spreadsheet(path, table="credit")


def test_a_count_under_an_amount_is_not_taken_for_the_borrowers(tmp_path):
    path = csv(
        tmp_path / "credit.csv",
        "Mã xã;Năm;Chương trình;Dư nợ;Nợ quá hạn;\n;;;;Số tiền;Số hộ\n08473;2019;Hộ nghèo;500;20;2\n",
    )
    reading = read_spreadsheet(path, table="credit", unit="triệu đồng")
    assert reading.frame["overdue_vnd"].tolist() == [20_000_000]
    assert "borrowers" not in reading.frame
    assert any("Nợ quá hạn / Số hộ" in note for note in reading.notes)


def test_rates_and_counts_under_their_parents(tmp_path):
    text = (
        "Mã xã;Năm;Chuẩn nghèo;Hộ nghèo;;Hộ cận nghèo\n"
        ";;;Số hộ;Tỷ lệ (%);Tỷ lệ (%)\n08473;2019;2016-2020;95;4;2\n"
    )
    frame = read_spreadsheet(csv(tmp_path / "poverty.csv", text), table="poverty").frame
    assert frame[["poor", "poor_pct", "near_poor_pct"]].to_numpy().tolist() == [[95, 4, 2]]
    assert "near_poor" not in frame


def test_a_place_under_the_header_is_no_header(tmp_path):
    path = csv(tmp_path / "communes.csv", "code,name,type\n,Xã Không Mã,xã\n08474,Tổng Cọt,xã\n")
    reading = read_spreadsheet(path, table="communes")
    assert reading.frame["name"].tolist() == ["Tổng Cọt"]
    assert reading.rejected["reason"].str.contains("no code").sum() == 1


def test_two_columns_for_one_field_are_refused(tmp_path):
    path = csv(tmp_path / "credit.csv", "Mã xã,Năm,Chương trình,Dư nợ,Tổng dư nợ\n08473,2019,Hộ nghèo,5,6\n")
    with pytest.raises(DataError, match="“Dư nợ” and “Tổng dư nợ” both read as outstanding_vnd"):
        read_spreadsheet(path, table="credit")


def test_a_unit_of_the_wrong_kind_is_refused(tmp_path):
    path = csv(tmp_path / "credit.csv", "Mã xã,Năm,Chương trình,Dư nợ (%)\n08473,2019,Hộ nghèo,5\n")
    with pytest.raises(DataError, match="is in percent where the schema declares VND"):
        read_spreadsheet(path, table="credit")


def test_a_change_of_unit_inside_a_sheet_sets_the_rest_aside(tmp_path):
    path = csv(
        tmp_path / "credit.csv",
        "ĐVT: triệu đồng\nMã xã;Năm;Chương trình;Dư nợ\n08473;2019;Hộ nghèo;5\n"
        "Đơn vị: đồng\n08474;2019;Hộ nghèo;7000000\n",
    )
    reading = read_spreadsheet(path, table="credit")
    assert reading.frame["outstanding_vnd"].tolist() == [5_000_000]
    assert reading.rejected["reason"].str.contains("the unit changes in row 4").sum() == 1


def test_percentages_by_format_and_excel_errors(tmp_path):
    rows = [["Mã xã", "Năm", "Chuẩn nghèo", "Số hộ nghèo", "Tỷ lệ hộ nghèo (%)"],
            ["08473", 2019, "2016-2020", 95, 0.0425], ["08474", 2019, "2016-2020", "#N/A", 5.5],
            ["08475", 2019, "2016-2020", "=SUM(A1:A2)", 5.5]]  # fmt: skip
    path = workbook(tmp_path / "poverty.xlsx", rows, formats={"E2": "0.00%"})
    reading = read_spreadsheet(path, table="poverty")
    assert reading.frame["poor_pct"].tolist() == [4.25]
    assert reading.rejected["value"].dropna().tolist() == ["#N/A", "=SUM(A1:A2)"]


def test_hidden_rows_of_an_xls_file(tmp_path):
    rows = [CREDIT, ["08473", 2019, "Hộ nghèo", 5], ["08474", 2019, "Hộ nghèo", 6]]
    path = xls_book.save(tmp_path / "credit.xls", [("Biểu 1", rows, [])], hidden_rows=(2,))
    reading = read_spreadsheet(path, table="credit")
    assert reading.frame["outstanding_vnd"].tolist() == [5e6, 6e6]
    assert [note for note in reading.notes if "hidden" in note] == [
        "credit.xls, sheet Biểu 1: hidden, and read all the same: rows 3"
    ]


def test_codes_that_lost_their_zeros(tmp_path):
    rows = [CREDIT, [8473, 2019, "Hộ nghèo", 5], [12345, 2019, "Hộ nghèo", 6], [85, 2019, "Hộ nghèo", 7]]
    reading = read_spreadsheet(workbook(tmp_path / "credit.xlsx", rows), table="credit")
    assert reading.frame["code"].tolist() == ["08473", "12345"]
    assert "leading zeros are gone" in reading.rejected["reason"].iloc[-1]


def test_dates_serials_and_impossible_days(tmp_path):
    header = [
        "Mã món vay",
        "Mã xã",
        "Chương trình",
        "Ngày giải ngân",
        "Số tiền vay",
        "Dư nợ",
        "Trạng thái nợ",
    ]
    days = [datetime.date(2018, 5, 6), 43226, "06/05/2018", "31/02/2018", "quý II/2018"]
    rows = [["DANH SÁCH MÓN VAY đến ngày 31/12/2019"], ["ĐVT: đồng"], header]
    rows += [[f"KU-{i}", "08473", "Hộ nghèo", day, 5e7, 4e7, "Trong hạn"] for i, day in enumerate(days)]
    reading = read_spreadsheet(workbook(tmp_path / "loans.xlsx", rows), table="loans")
    assert reading.frame["loan"].tolist() == ["KU-0", "KU-1", "KU-2"]
    assert set(reading.frame["disbursed_on"]) == {pd.Timestamp("2018-05-06")}
    assert set(reading.frame["as_of"]) == {pd.Timestamp("2019-12-31")}
    assert set(reading.frame["status"]) == {"current"}
    assert reading.rejected["reason"].str.contains("no date|no single day").sum() == 2


def test_income_period_comes_from_its_unit(tmp_path):
    path = csv(
        tmp_path / "income.csv",
        'ma xa,nam,Thu nhập bình quân (triệu đồng/người/năm),nguồn số liệu\n08473,2019,"43,5",tự điều tra\n',
    )
    assert read_spreadsheet(path, table="income").frame.to_dict("records") == [
        {"code": "08473", "year": 2019, "income_vnd": 43_500_000, "per": "year", "basis": "self_survey"}
    ]


def test_title_and_sheet_that_name_different_years_are_refused(tmp_path):
    path = csv(tmp_path / "credit-2020.csv", "DƯ NỢ NĂM 2019\nMã xã;Chương trình;Dư nợ\n08473;Hộ nghèo;5\n")
    with pytest.raises(DataError, match="title: 2019, name of the file: 2020"):
        read_spreadsheet(path, table="credit")


def test_a_repeated_header_and_a_second_table_on_a_sheet(tmp_path):
    head = ["Mã xã", "Năm", "Chương trình", "Dư nợ (tỷ đồng)"]
    rows = [head, ["08473", 2019, "Hộ nghèo", 5], head, ["08474", 2019, "Hộ nghèo", 6], [],
            ["Huyện Lâm Thao"],
            head, ["08475", 2019, "Hộ nghèo", 7]]  # fmt: skip
    reading = read_spreadsheet(workbook(tmp_path / "credit.xlsx", rows), table="credit")
    assert reading.frame["outstanding_vnd"].tolist() == [5e9, 6e9, 7e9]
    assert reading.rows_read == 7


def test_parquet_and_stata_read_as_the_workbook_does(tmp_path, delivery):
    frame = read_spreadsheet(delivery, table="credit").frame
    frame.to_parquet(tmp_path / "credit.parquet")
    frame.to_stata(tmp_path / "credit.dta", version=118, write_index=False)
    for kind in ("parquet", "dta"):
        again = read_spreadsheet(tmp_path / f"credit.{kind}", table="credit").frame
        pd.testing.assert_frame_equal(again, frame)


def test_a_table_from_several_files_and_sheets_keeps_where_each_row_stood(tmp_path):
    csv(tmp_path / "credit.csv", "Mã xã,Năm,Chương trình,Dư nợ\n08473,2018,Hộ nghèo,5\n")
    rows = [["DƯ NỢ"], [], CREDIT, ["08473", 2019, "Hộ nghèo", 6]]
    workbook(
        tmp_path / "credit-2019.xlsx",
        rows,
        more_sheets=[("Hạ Hòa", [CREDIT, ["07912", 2019, "Hộ nghèo", 7]])],
    )
    (tmp_path / "credit").mkdir()
    csv(tmp_path / "credit" / "a.csv", "Mã xã,Năm,Chương trình,Dư nợ\n08473,2020,Hộ nghèo,8\n", "utf-16")
    csv(tmp_path / "creditors.csv", "a,b\n1,2\n")
    reading = read_table(tmp_path, "credit")
    assert reading.origin.to_numpy().tolist() == [
        ["credit-2019.xlsx", "Sheet", 4], ["credit-2019.xlsx", "Hạ Hòa", 2], ["credit.csv", None, 2],
        ["a.csv", None, 2],
    ]  # fmt: skip
    assert reading.frame["outstanding_vnd"].tolist() == [6e6, 7e6, 5, 8]
    assert read_table(tmp_path, "poverty") is None


def test_faults_of_all_files_are_reported_together(tmp_path):
    for name in ("credit-a.csv", "credit-b.csv"):
        csv(tmp_path / name, "Mã xã,Năm\n08473,2018\n")
    with pytest.raises(DataError, match=r"credit-a\.csv.*credit-b\.csv"):
        read_table(tmp_path, "credit")


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"table": "credits"}, "Did you mean credit"),
        ({"sheet": "x"}, "has no sheets"),
        ({"unit": "bushels"}, "is not known"),
    ],
)
def test_wrong_arguments(tmp_path, arguments, message):
    path = csv(tmp_path / "a.csv", "a,b\n1,2\n")
    with pytest.raises(DataError, match=message):
        read_spreadsheet(path, **arguments)


@pytest.mark.parametrize("name", ["a.pdf", "a.xlsx", "a.parquet", "a.dta"])
def test_a_file_that_is_no_table_is_refused(tmp_path, name):
    (tmp_path / name).write_bytes(b"not a table")
    with pytest.raises(DataError, match="Save it"):
        read_spreadsheet(tmp_path / name)


def test_plain_table_keeps_headers_and_figures_as_printed(tmp_path):
    path = csv(
        tmp_path / "t.csv",
        "Đơn vị: triệu đồng\nTT;Đơn vị;Thu;Chi\n1;Xã A;1.234,5;10\n2;Xã B;2.000,0;20\n"
        ";Tổng cộng;3.234,5;41\n",
    )
    reading = read_spreadsheet(path)
    assert reading.frame["Thu"].tolist() == [1234.5, 2000]
    assert reading.units["Thu"] == "Đơn vị: triệu đồng"
    assert reading.totals["Chi"].tolist() == [41]
    assert any("Chi: printed 41, its rows sum to 30" in note for note in reading.notes)


def test_a_column_without_a_header_is_told(tmp_path):
    path = csv(
        tmp_path / "credit.csv", "Mã xã,Năm,Chương trình,Dư nợ (đồng),\n08473,2019,Hộ nghèo,5,đã đối chiếu\n"
    )
    assert any(
        "column E has figures or texts" in note for note in read_spreadsheet(path, table="credit").notes
    )


def test_plain_table_of_texts_alone(tmp_path):
    reading = read_spreadsheet(csv(tmp_path / "t.csv", "DANH MỤC\nmã;tên\na1;Xã A\nb2;Xã B\n"))
    assert reading.frame.to_dict("list") == {"mã": ["a1", "b2"], "tên": ["Xã A", "Xã B"]}
