"""Declared corrections and acknowledgements: they hold for the value they were made for, and for no other."""

import pandas as pd
import pytest
from dataset_sample import SETTINGS, credit, poverty, rules, write

from evalkit.errors import DataError
from evalkit.load.dataset import check, open_dataset

WRONG = credit().assign(overdue_vnd=lambda t: t["overdue_vnd"].mask(t.index == 3, 5_000_000_000))
LINE = {
    "table": "credit",
    "key": "code=10001;year=2020;programme=poor",
    "column": "overdue_vnd",
    "value": "5000000",
    "expectation": "5000000000",
    "reason": "the office confirmed by letter that it meant million",
}


def with_corrections(tmp_path, frame=WRONG, **changes):
    folder = write(tmp_path / "d", credit=frame)
    pd.DataFrame([LINE | changes]).to_csv(folder / "corrections.csv", index=False)
    return folder


def test_a_correction_is_applied_and_told(tmp_path):
    assert "part_exceeds_whole" in rules(check(write(tmp_path / "before", credit=WRONG)))
    data = open_dataset(with_corrections(tmp_path))
    assert data.tables["credit"]["overdue_vnd"].tolist() == credit()["overdue_vnd"].tolist()
    hit = data.findings.query("rule == 'corrected'").iloc[0]
    assert (hit["severity"], hit["file"], hit["row"], hit["column"]) == (
        "note",
        "credit.csv",
        5,
        "overdue_vnd",
    )
    assert "5000000000 is corrected to 5000000 (the office confirmed" in hit["message"]
    assert rules(data.findings) == {"corrected"}


def test_the_delivered_file_stays_as_it_came(tmp_path):
    folder = with_corrections(tmp_path)
    before = (folder / "credit.csv").read_bytes()
    open_dataset(folder)
    assert (folder / "credit.csv").read_bytes() == before


def test_the_key_in_columns_of_its_own(tmp_path):
    folder = with_corrections(tmp_path, key="", code="10001", year="2020", programme="poor")
    assert rules(check(folder)) == {"corrected"}


@pytest.mark.parametrize(
    ("frame", "changes", "said"),
    [
        (credit(), {}, "has been mended: remove the correction"),
        (WRONG.assign(overdue_vnd=7), {}, "expected to be 5000000000, but is 7"),
        (WRONG, {"reason": " "}, "the reason is empty"),
        (WRONG, {"table": "credits"}, "there is no table “credits” (is it “credit”?)"),
        (WRONG, {"column": "overdue"}, "has no column “overdue”"),
        (WRONG, {"key": "code=10001;year=2099;programme=poor"}, "0 rows of credit have the key"),
        (WRONG, {"key": "code=10001;year=2020"}, "the key should name code, year, programme"),
        (WRONG, {"value": "five"}, "“five” can't be a value of overdue_vnd"),
    ],
)
def test_a_correction_that_does_not_fit_is_an_error(tmp_path, frame, changes, said):
    folder = with_corrections(tmp_path, frame, **changes)
    with pytest.raises(DataError) as raised:
        open_dataset(folder)
    assert str(raised.value).startswith("corrections.csv, row 2: ")
    assert said in str(raised.value)


def test_a_missing_figure_can_be_filled_in(tmp_path):
    frame = credit().astype({"frozen_vnd": object})
    frame.loc[3, "frozen_vnd"] = None
    folder = with_corrections(tmp_path, frame, column="frozen_vnd", value="2000000", expectation="")
    assert open_dataset(folder).tables["credit"]["frozen_vnd"].iloc[3] == 2_000_000


def acknowledged(subject, value, rule="ratio_mismatch"):
    return SETTINGS + (
        f"\n[[acknowledge]]\nrule = '{rule}'\n{subject}\nvalue = {value}\nreason = 'asked on 5 May: a slip of the pen'\n"
    )


PRINTED = poverty().assign(poor_pct=lambda t: t["poor_pct"].mask(t.index == 0, 0.6))


@pytest.mark.parametrize(
    "subject",
    ["place = '10001'", "key = 'code=10001;year=2019;standard=2016-2020'", "file = 'poverty.csv'\nrow = 2"],
)
def test_an_acknowledged_finding_becomes_a_note_with_its_reason(tmp_path, subject):
    found = check(write(tmp_path / "d", settings=acknowledged(subject, 0.6), poverty=PRINTED))
    hit = found.query("rule == 'ratio_mismatch'").iloc[0]
    assert hit["severity"] == "note"
    assert hit["message"].endswith("Acknowledged: asked on 5 May: a slip of the pen")
    assert rules(found) == {"ratio_mismatch"}


def test_it_comes_back_when_the_value_changes(tmp_path):
    again = PRINTED.assign(poor_pct=PRINTED["poor_pct"].replace({0.6: 0.7}))
    found = check(write(tmp_path / "d", settings=acknowledged("place = '10001'", 0.6), poverty=again))
    assert rules(found, "warning") == {"ratio_mismatch", "acknowledgement_unused"}
    unused = found.query("rule == 'acknowledgement_unused'").iloc[0]
    assert "“ratio_mismatch” for 10001 with the value 0.6" in unused["message"]


def test_of_another_place_it_says_nothing(tmp_path):
    found = check(write(tmp_path / "d", settings=acknowledged("place = '10004'", 0.6), poverty=PRINTED))
    assert rules(found, "warning") == {"ratio_mismatch", "acknowledgement_unused"}


def test_an_acknowledged_error_lets_the_data_set_open(tmp_path):
    frame = poverty(("10001",))
    frame.loc[0, "poor_pct"] = 101
    folder = write(tmp_path / "d", poverty=frame)
    assert "out_of_bounds" in rules(check(folder), "error")
    (folder / "dataset.toml").write_text(acknowledged("file = 'poverty.csv'\nrow = 2", 101, "out_of_bounds"))
    assert open_dataset(folder).tables["poverty"]["poor_pct"].iloc[0] == 101


def test_faults_of_the_files_cannot_be_acknowledged(tmp_path):
    settings = acknowledged("file = 'credit.csv'", "'x'", "missing_column")
    found = check(write(tmp_path / "d", settings=settings, poverty=poverty()))
    assert rules(found, "error") == {"not_acknowledgeable"}


UNREAD = (
    "Đơn vị: triệu đồng\nMã xã;Năm;Chương trình;Tổng dư nợ;Nợ quá hạn\n"
    "10001;2019;Hộ nghèo;#REF!;10\n10001;2020;Hộ nghèo;1500;chưa có\n10004;2019;Hộ nghèo;#REF!;#REF!\n"
)


def unread(tmp_path, text=UNREAD, **changes):
    folder = write(tmp_path / "d")
    (folder / "credit.csv").write_text(text, encoding="utf-8")
    lines = [
        LINE | {"key": "code=10001;year=2019;programme=poor", "column": "outstanding_vnd", "value": "1400000000",
                "expectation": "#REF!"},
        LINE | {"key": "code=10001;year=2020;programme=Hộ nghèo", "value": "12000000", "expectation": "chưa có"},
        LINE | {"key": "code=10004;year=2019;programme=poor", "column": "outstanding_vnd", "value": "900000000",
                "expectation": "#REF!"},
        LINE | {"key": "code=10004;year=2019;programme=poor", "value": "0", "expectation": "#REF!"},
    ]  # fmt: skip
    lines[0] |= changes
    pd.DataFrame(lines).to_csv(folder / "corrections.csv", index=False)
    return folder


def test_a_cell_that_cannot_be_read_is_mended_by_its_printed_text(tmp_path):
    data = open_dataset(unread(tmp_path))
    frame = data.tables["credit"].sort_values(["code", "year"])
    assert frame["outstanding_vnd"].tolist() == [1_400_000_000, 1_500_000_000, 900_000_000]
    assert frame["overdue_vnd"].tolist() == [10_000_000, 12_000_000, 0]
    told = data.findings.query("rule == 'corrected'")
    assert sorted(told["row"]) == [3, 4, 5, 5]
    assert (
        "#REF! is corrected to 1400000000 (the office confirmed" in told.query("row == 3")["message"].iloc[0]
    )


@pytest.mark.parametrize(
    ("text", "changes", "said"),
    [
        (UNREAD.replace("#REF!;10\n", "1400;10\n"), {}, "has been mended: remove the correction"),
        (UNREAD.replace("#REF!;10\n", "1300;10\n"), {}, "expected to be “#REF!”, but is 1300000000"),
        (UNREAD, {"expectation": "#N/A"}, "0 rows of credit have the key"),
        (UNREAD, {"key": "code=10009;year=2019;programme=poor"}, "0 rows of credit have the key"),
    ],
)
def test_such_a_correction_fails_once_the_source_is_mended(tmp_path, text, changes, said):
    found = check(unread(tmp_path, text, **changes))
    assert said in found.query("rule == 'correction_fails'")["message"].iloc[0]


def test_a_cell_of_a_programme_that_stands_in_a_column(tmp_path):
    text = "Dư nợ (triệu đồng)\nMã xã;Năm;Hộ nghèo;Hộ cận nghèo\n10001;2019;#REF!;#REF!\n10004;2019;5;7,5\n"
    folder = unread(tmp_path, text)
    lines = [
        LINE | {"key": f"code=10001;year=2019;programme={code}", "column": "outstanding_vnd", "value": value,
                "expectation": "#REF!"}
        for code, value in (("poor", "1000000"), ("near_poor", "2000000"))
    ]  # fmt: skip
    pd.DataFrame(lines).to_csv(folder / "corrections.csv", index=False)
    frame = open_dataset(folder).tables["credit"].set_index(["code", "programme"])["outstanding_vnd"]
    assert frame[("10001", "poor")] == 1_000_000
    assert frame[("10001", "near_poor")] == 2_000_000
    assert frame[("10004", "near_poor")] == 7_500_000
