"""`evalkit request`: only what is missing is asked for, and a filled-in form loads as it comes back."""

import openpyxl
import pandas as pd
import pytest
from dataset_sample import SETTINGS, communes, credit, income, poverty, rules, write

from evalkit.errors import DataError, PlaceError
from evalkit.load import request
from evalkit.load.dataset import check, open_dataset
from evalkit.load.terms import TOTAL

LONG = SETTINGS.replace("[2019, 2023]", "[2014, 2022]")


def asked(tmp_path, place="10001", settings=LONG, **tables):
    return request.missing(place, open_dataset(write(tmp_path / "d", settings=settings, **tables)))


def test_both_counts_of_the_bridge_years(tmp_path):
    rows = asked(tmp_path, income=income()).rows["poverty"]
    standards = {y: [r["standard"] for r in rows if r["year"] == y] for y in range(2014, 2023)}
    assert standards[2014] == ["2011-2015"]
    assert standards[2015] == ["2011-2015", "2016-2020"]
    assert standards[2018] == ["2016-2020"]
    assert standards[2021] == ["2016-2020", "2022-2025"]


def test_only_what_is_missing(tmp_path):
    found = asked(
        tmp_path, settings=SETTINGS, credit=credit(years=(2019, 2020)), poverty=poverty(), income=income()
    )
    assert set(found.rows) == {"credit", "groups"}
    assert {row["year"] for row in found.rows["credit"]} == {2021, 2022, 2023}
    everything = {"credit": credit(), "poverty": poverty(), "income": income()}
    years = pd.DataFrame({"code": "10001", "year": range(2019, 2024), "group": "T1", "members": 30})
    folder = write(tmp_path / "full", groups=years, **everything)
    with pytest.raises(DataError, match="nothing is to be asked for"):
        request.write("10001", folder, tmp_path / "out")


def test_programmes_that_ran_and_a_row_of_distinct_households(tmp_path):
    rows = asked(tmp_path, income=income()).rows["credit"]
    by_year = {y: [r["programme"] for r in rows if r["year"] == y] for y in (2014, 2022)}
    assert "escaped" not in by_year[2014]  # began in September 2015
    assert "escaped" in by_year[2022]
    assert all(codes[-1] == TOTAL for codes in by_year.values())


def test_old_boundaries(tmp_path):
    """10007 was Tân Lập, then with Bình Minh became Đông Phú: before 2020 the two are asked for."""
    places = communes()
    places.loc[1, ["valid_to", "successor_code", "successor_name"]] = ["2019-12-31", "10007", "Đông Phú"]
    data = open_dataset(write(tmp_path / "d", settings=LONG, communes=places, income=income(("10001",))))
    found = request.missing("10007-2020", data)
    by_year = {
        y: {(r["code"], r["name"]) for r in found.rows["income"] if r["year"] == y} for y in (2019, 2020)
    }
    assert by_year[2019] == {("10004", "Bình Minh"), ("10007", "Tân Lập")}
    assert by_year[2020] == {("10007", "Đông Phú")}
    letter = request.letter(found, "x.xlsx")
    assert "xã Tân Lập (10007), đến 31/12/2019" in letter


def test_an_unknown_or_ambiguous_place(tmp_path):
    twins = communes().assign(name=["Tân Lập", "Tân Lập", "Hòa An", "Đông Phú"])
    for place in ("99999", "Tân Lập"):
        with pytest.raises(PlaceError, match=place):
            asked(tmp_path / place, place=place, communes=twins, income=income())


def filled(path, years):
    """Fill in the credit, poverty and income of ``years`` as an office would; return what was filled in."""
    book = openpyxl.load_workbook(path)
    truth = {"Tín dụng": {}, "Rà soát hộ nghèo": {}, "Thu nhập": {}}
    for name, given in truth.items():
        sheet = book[name]
        heads = [str(cell.value).split("\n")[0] for cell in sheet[3]]
        for k, row in enumerate(sheet.iter_rows(min_row=4)):
            at = dict(zip(heads, row, strict=True))
            if at["Năm"].value not in years:
                continue
            values = {
                "Tín dụng": {"Tổng dư nợ (triệu đồng)": 1500.5 + k, "Số hộ còn dư nợ": 30, "Số món vay": 40},
                "Rà soát hộ nghèo": {"Tổng số hộ": 2000, "Số hộ nghèo": 100 + k, "Số hộ cận nghèo": 50},
                "Thu nhập": {"Thu nhập bình quân đầu người (triệu đồng)": 41.5 + k},
            }[name]
            for head, value in values.items():
                at[head].value = value
            keys = ("Năm", "Chương trình cho vay") if name == "Tín dụng" else ("Năm", "Chuẩn nghèo")
            given[tuple(at[h].value for h in keys if h in at)] = list(values.values())
    book.save(path)
    return truth


def test_a_filled_in_workbook_loads_as_it_comes_back(tmp_path):
    folder = write(tmp_path / "d", settings=SETTINGS, communes=communes())
    workbook, letter = request.write("10001", folder, folder)
    truth = filled(workbook, {2021, 2022})
    found = check(folder)
    assert not rules(found, "error"), found["message"].tolist()
    tables = open_dataset(folder).tables
    assert set(tables) >= {"credit", "poverty", "income"}
    assert set(tables["credit"]["year"]) == {2021, 2022}
    assert len(tables["credit"]) == len(truth["Tín dụng"])
    by_amount = sorted(values[0] * 1e6 for values in truth["Tín dụng"].values())
    assert sorted(tables["credit"]["outstanding_vnd"]) == by_amount
    poor = {(y, s): p for y, s, p in tables["poverty"][["year", "standard", "poor"]].itertuples(index=False)}
    assert poor == {key: values[1] for key, values in truth["Rà soát hộ nghèo"].items()}
    assert tables["income"]["income_vnd"].tolist() == [v[0] * 1e6 for v in truth["Thu nhập"].values()]
    assert {"empty_rows"} <= rules(found, "note")  # the years and programmes left empty
    assert letter.suffix == ".md"


def test_an_empty_form_that_comes_back_says_so(tmp_path):
    folder = write(tmp_path / "d", settings=SETTINGS, income=income())
    request.write("10001", folder, folder)
    found = check(folder)
    assert not rules(found, "error"), found["message"].tolist()


def test_the_letter(tmp_path):
    folder = write(tmp_path / "d", settings=LONG, income=income())
    _, path = request.write("Hòa An", folder, tmp_path / "out")
    text = path.read_text(encoding="utf-8")
    assert text.startswith("# Đề nghị cung cấp số liệu: xã Hòa An (10001)")
    for said in (
        "Ngân hàng Chính sách xã hội",
        "Ủy ban nhân dân xã",
        "Năm 2015, 2021: hai dòng",
        "số hộ không trùng",
        "Có bảng này, báo cáo nói được",
        "The report could then say",
        "2014–2018",
    ):
        assert said in text
