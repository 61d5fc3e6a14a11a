"""Names are dropped and identity numbers replaced at the door; households still join across tables."""

import pandas as pd
from dataset_sample import write

from evalkit.load.dataset import check, open_dataset

HOUSEHOLDS = (
    "Mã hộ;Họ và tên;Số CCCD;Điện thoại;Mã xã;Năm;Nhân khẩu\n"
    "025184000123;Nguyễn Thị A;025184000123;0912345678;10001;2019;4\nH-2;Trần Văn B;;;10001;2019;5\n"
    "025184000123;Nguyễn Thị A;025184000123;0912345678;10001;2020;4\n"
)


def folder(tmp_path):
    made = write(tmp_path / "d")
    (made / "households.csv").write_text(HOUSEHOLDS, encoding="utf-8")
    return made


def test_identity_numbers_become_running_numbers(tmp_path):
    data = open_dataset(folder(tmp_path))
    assert data.tables["households"]["household"].tolist() == ["household-1", "H-2", "household-1"]
    hit = data.findings.query("rule == 'personal_key'").iloc[0]
    assert (hit["severity"], hit["column"]) == ("warning", "household")


def test_nothing_of_a_person_is_left(tmp_path):
    data = open_dataset(folder(tmp_path))
    said = data.findings.to_json(force_ascii=False) + data.tables["households"].to_json(force_ascii=False)
    for private in ("025184000123", "Nguyễn", "Trần", "0912345678"):
        assert private not in said


def test_the_same_household_in_loans(tmp_path):
    made = folder(tmp_path)
    pd.DataFrame(
        {"loan": ["L1"], "code": ["10001"], "household": ["025184000123"], "name": ["Nguyễn Thị A"],
         "programme": ["poor"], "disbursed_on": ["2018-05-02"], "amount_vnd": [50_000_000],
         "as_of": ["2019-12-31"], "outstanding_vnd": [50_000_000]}
    ).to_csv(made / "loans.csv", index=False)  # fmt: skip
    loans = open_dataset(made).tables["loans"]
    assert loans["household"].tolist() == ["household-1"]
    assert loans["name"].isna().all()


def test_a_bare_name_in_a_table_of_persons_is_no_name_of_a_place(tmp_path):
    rows = [
        "Mã hộ,Mã xã,Năm,Tên,Có vay vốn",
        "h1,10001,2019,Nguyễn Văn A,có",
        "h2,10001,2019,Trần Thị B,không",
    ]
    folder = write(tmp_path / "d")
    (folder / "households.csv").write_text("\n".join(rows), encoding="utf-8")
    found = check(folder)
    assert set(found["rule"]) == {"reading_note"}
    assert not found.astype(str).apply(lambda c: c.str.contains("Nguyễn")).any(axis=None)
    (folder / "households.csv").write_text("\n".join(rows).replace("Tên", "Tên xã"), encoding="utf-8")
    assert "name_differs" in set(check(folder)["rule"])
