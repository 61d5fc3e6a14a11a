"""Real files as their offices published them: what must come out whole."""

import struct

import pytest

from evalkit.load.spreadsheet import read_spreadsheet
from evalkit.load.text import fold
from evalkit.load.workbook import xls


def amounts(reading):
    """Names of the columns of figures for which the sheet prints a total."""
    return [c for c in reading.frame.select_dtypes("number") if reading.totals[c].notna().iloc[0]]


def test_budget_plan_2004(messy):
    reading = read_spreadsheet(messy / "Plan_2004.xls")
    names = reading.frame.filter(like="TỈNH, THÀNH PHỐ").iloc[:, 0]
    assert len(reading.frame) == 61
    assert names.notna().all()
    assert names.nunique() == 61
    assert {fold(n) for n in names} >= {
        "ha giang",
        "phu tho",
        "hoa binh",
        "tp ho chi minh",
        "ba ria vung tau",
        "ca mau",
    }
    columns = amounts(reading)
    assert len(columns) == 4
    total = reading.totals.iloc[0]
    assert total[columns].tolist() == [154_820_000, 22_046_737, 66_789_708, 4_342_597]
    assert (reading.frame[columns].sum() == total[columns].astype(float)).all()


def test_budget_plan_2007_differs_from_its_total_by_its_own_footnotes(messy):
    reading = read_spreadsheet(messy / "Plan_2007.xls")
    assert len(reading.frame) == 64
    assert reading.frame["TỈNH, THÀNH PHỐ"].nunique() == 64
    columns = amounts(reading)
    assert len(columns) == 8
    apart = (reading.totals.iloc[0][columns].astype(float) - reading.frame[columns].sum()).round(-1)
    # Footnotes (1) and (2): 207 and 300 tỷ đồng of the national total are allotted to no province.
    assert apart.tolist() == [0, 0, 507_000, 0, 507_000, 207_000, 0, 300_000]
    assert {reading.units[c] for c in columns} == {"Đơn vị: Triệu đồng."}
    assert columns[-1].startswith(
        "BỔ SUNG TỪ NGÂN SÁCH TRUNG ƯƠNG CHO NGÂN SÁCH ĐỊA PHƯƠNG / BỔ SUNG CÓ MỤC TIÊU / "
    )
    regions = reading.rejected.loc[reading.rejected["reason"] == "subtotal", "text"]
    assert len(regions) == 6


@pytest.mark.parametrize(("name", "rows"), [("Plan_2004.xls", 72), ("Plan_2007.xls", 83)])
def test_rows_of_the_budget_plans_are_all_accounted_for(messy, name, rows):
    reading = read_spreadsheet(messy / name)
    assert reading.rows_read == rows
    assert len(reading.frame) + len(reading.rejected) == rows


def test_tcvn3_workbook_of_2002_with_labels_on_two_lines(messy):
    reading = read_spreadsheet(messy / "1DSLD2002.xls", sheet="dvhchinh02")
    assert reading.frame["column A"].tolist()[0] == "Đồng bằng sông Hồng Red River Delta"
    assert len(reading.frame) == 8
    districts = reading.frame.filter(like="Huyện").iloc[:, 0]
    assert districts.sum() == 518 == reading.totals.filter(like="Huyện").iloc[0, 0]


def test_sections_of_a_sheet_keep_levels_and_rates_apart(messy):
    frame = read_spreadsheet(messy / "1DSLD2002.xls", sheet="DSGioiTinh").frame
    levels = frame[frame["section"] == "Nghìn người - Thous. Pers."]
    assert levels["column A"].tolist() == list(range(1990, 2003))
    assert levels["Tổng số / Total"].iloc[-1] == 79727.4
    assert len(frame) == 13 + 12


def test_four_tables_on_one_sheet(messy):
    reading = read_spreadsheet(messy / "3.2LNTS2002.xls")
    assert reading.frame["table"].nunique() == 4
    fish = reading.frame[reading.frame["table"].str.startswith("15.")]
    # Some figures of this table are stored as text ("21777.4").
    assert fish["2000"].tolist()[0] == 21777.4
    assert len(reading.frame) == 26
    assert reading.rows_read == 71


def test_catches_and_farmed_fish_sum_to_all_fish(messy):
    """The sheet prints no total row: production is the sum of what is exploited and what is farmed."""
    frame = read_spreadsheet(messy / "3.2LNTS2002.xls").frame
    label = frame.columns[frame.columns.str.startswith("column")][0]
    fish = frame[frame["table"].str.startswith("15.")].set_index(label)[["1995", "2000", "2001"]]
    whole, caught, farmed = (
        fish[fish.index.str.startswith(f"Sản lượng thủy sản{part} - Nghìn tấn")].iloc[0]
        for part in ("", " khai thác", " nuôi trồng")
    )
    assert whole.tolist() == [1584.4, 2250.5, 2434.6]
    assert (caught + farmed).round(1).tolist() == whole.tolist()


@pytest.mark.parametrize("sheet", ["DSGioiTinh", "DSThThi"])
def test_men_and_women_and_town_and_country_sum_to_the_population(messy, sheet):
    frame = read_spreadsheet(messy / "1DSLD2002.xls", sheet=sheet).frame
    levels = frame[frame["section"] == "Nghìn người - Thous. Pers."]
    parts = levels.filter(like="Chia ra").sum(axis=1)
    assert len(levels) == 13
    assert (parts - levels["Tổng số / Total"]).abs().max() < 0.11


def test_administrative_units_sum_to_the_country(messy):
    reading = read_spreadsheet(messy / "1DSLD2002.xls", sheet="Sheet1")
    assert len(reading.frame) == 8
    figures = reading.frame.select_dtypes("number")
    assert figures.sum().tolist() == reading.totals[figures.columns].iloc[0].tolist()


@pytest.mark.parametrize(
    ("name", "what"),
    [("Plan_2007.xls", "columns L"), ("1DSLD2002.xls", "rows 22, 25"), ("Plan_2004.xls", "")],
)
def test_what_is_hidden_in_an_xls_file_is_said(messy, name, what):
    said = [note for note in read_spreadsheet(messy / name).notes if "hidden" in note]
    assert said == ([f"hidden, and read all the same: {what}"] if what else [])


def test_poverty_by_region_keeps_the_regions_as_rows(messy):
    reading = read_spreadsheet(messy / "General_poverty_rate_by_region.csv")
    assert reading.frame["X1998"].tolist() == [30.7, 64.5, 42.5, 52.4, 7.6, 36.9]
    assert reading.rejected["reason"].tolist() == ["header", "header", "total"]


def test_income_by_province_sets_the_regions_aside(messy):
    name = "Monthly_average_income_per_capita_at_current_prices_by_income_quintile_and_by_province.csv"
    reading = read_spreadsheet(messy / name)
    assert len(reading.frame) == 63
    assert reading.frame.shape[1] == 26
    assert reading.rejected["reason"].value_counts().to_dict() == {
        "subtotal": 6,
        "title": 1,
        "header": 1,
        "total": 1,
    }
    assert reading.frame.set_index("Cities, provincies").loc["Phu Tho", "2010 General average"] == 1126


def test_an_error_in_an_xls_file_sets_its_row_aside(messy, tmp_path):
    """The stored result of the formula that numbers Lào Cai becomes #REF!, as Excel stores it."""
    path = messy / "Plan_2007.xls"
    data = path.read_bytes()
    stream = xls._workbook_stream(data)
    start = next(
        struct.unpack_from("<I", d)[0] for kind, d in xls._records(stream, 0) if kind == xls._BOUND_SHEET
    )
    cell = struct.pack("<HH", 19, 0)
    record = next(d for kind, d in xls._records(stream, start) if kind == xls._FORMULA and d[:4] == cell)
    assert data.count(record[:14]) == 1
    broken = record[:6] + bytes([2, 0, 0x17, 0, 0, 0, 0xFF, 0xFF])
    (tmp_path / "plan.xls").write_bytes(data.replace(record[:14], broken))
    reading = read_spreadsheet(tmp_path / "plan.xls")
    assert len(reading.frame) == 63
    fault = reading.rejected.set_index("row").loc[20]
    assert fault["value"] == "#REF!"
    assert fault["column"] == "STT"
