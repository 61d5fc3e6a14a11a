"""`evalkit new`: a starter data set with an example that passes the checks."""

import shutil
import tempfile
from pathlib import Path

import pandas as pd

from evalkit.errors import DataError, ParameterError
from evalkit.load import forms, schema
from evalkit.load.said import Said

_LINES = (
    "Điền từ dòng 4 trở xuống; các dòng ví dụ đã có sẵn, hãy thay bằng số liệu của mình.",
    "Fill in from row 4 on; the rows there are an example, put your own figures in their place.",
    "Ô chưa có số liệu thì để trống, đừng ghi 0. · Leave a cell empty where nothing is known; don't write 0.",
    "Xóa tệp của bảng không dùng. · Delete the file of a table that isn't used.",
)
USUAL = ("credit", "poverty", "income")  # what the offices of a district have; communes is always needed
TITLE = "Ví dụ: hai xã hư cấu"
EXAMPLES = ("99001", "99004")
_SETTINGS = f"""\
# Mô tả bộ số liệu. Dòng bắt đầu bằng # là lời giải thích.
# What this data set is. A line that begins with # is an explanation.

[title]    # tên bộ số liệu, in trên mỗi báo cáo · its name, printed on every report
vi = "{TITLE}"
en = "An example: two invented communes"

[source]   # ai cung cấp, khi nào · who delivered the figures, and when
vi = "Số liệu hư cấu của mẫu"
en = "Invented figures of the template"

[rights]   # được dùng và công bố đến đâu · how far they may be used and published
vi = "Được tự do sử dụng"
en = "Free for any use"

[data]
real = false                  # true khi là số liệu thật · true once the figures are real
years = [2022, 2024]          # năm đầu và năm cuối của báo cáo · first and last year of the reports
levels = ["commune"]          # cấp được lập báo cáo: commune, district, province · which places get a report
minimum_kinds = 1             # dưới số chỉ tiêu này thì không lập trang · kinds of figures below which there is no page
# ledger = "../so-cai"        # kho món vay, nếu có · store of the loans, if there is one (docs/scale.md)

[publish]
suppression_threshold = 5     # số hộ nhỏ hơn mức này được ẩn · counts of people below this are hidden
minimum_comparators = 5       # ít xã hơn mức này thì không so sánh · fewer communes than this: no comparison

# Một cảnh báo đã được xem xét: giữ im lặng cho đến khi giá trị thay đổi.
# A finding that was looked at: it stays quiet until the value changes.
# [[acknowledge]]
# rule = "ratio_mismatch"                             # cột rule của `evalkit check DATA --json`
# key = "code=99001;year=2023;standard=2022-2025"     # hoặc/or: place = "99001"
# value = 6.1
# reason = "đã hỏi Ủy ban nhân dân xã ngày 05/05/2025: lỗi đánh máy"
"""


def new(folder, tables=USUAL):
    """Write a starter data set to ``folder`` and return its path: settings, one form per table, an example.

    tables: those that get a form beside communes; "all" for every table of the schema. Raises ParameterError
    for an unknown table, DataError where the folder holds anything already; it appears whole or not at all.
    """
    folder, rows = Path(folder), example()
    names = list(rows) if tables == "all" else ["communes", *tables]
    if unknown := [name for name in names if name not in rows]:
        known = ", ".join(name for name in rows if name != "communes")
        said = "--tables {name}: no such table. Write some of {known}, separated by commas; or all."
        raise ParameterError(Said(said, name=unknown[0], known=known))
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise DataError(
            Said("{folder} isn't empty; nothing was written. Name a new folder.", folder=str(folder))
        )
    folder.parent.mkdir(parents=True, exist_ok=True)
    aside = Path(tempfile.mkdtemp(prefix=f".{folder.name}-", dir=folder.parent))
    try:
        (aside / "dataset.toml").write_text(_SETTINGS, encoding="utf-8")
        for table in dict.fromkeys(names):
            book = forms.workbook()
            forms.add_sheet(book, table, rows[table])
            forms.add_guide(book, [table], _LINES)
            book.active = 1
            book.save(aside / f"{table}.xlsx")
        aside.chmod(0o755)
        if folder.exists():
            folder.rmdir()
        aside.rename(folder)
    except BaseException:
        shutil.rmtree(aside, ignore_errors=True)
        raise
    return folder


def kept(settings, units):
    """Whether the settings are still the starter's although ``units`` holds other places than its two."""
    return settings["title"].get("vi") == TITLE and not set(units["code"]) <= set(EXAMPLES)


def example():
    """Return the example of the starter: {table: rows}, two invented communes that agree with themselves."""
    names = dict(zip(EXAMPLES, ("Ví Dụ Một", "Ví Dụ Hai"), strict=True))
    years = (2022, 2023, 2024)
    poor = {2022: (1500, 90, 60), 2023: (1510, 80, 55), 2024: (1520, 70, 50)}
    rows = {table: [] for table in schema.tables()}
    for code, name in names.items():
        rows["communes"].append(
            {
                "code": code,
                "name": name,
                "type": "xã",
                "area": "rural",
                "district_code": "999",
                "district": "Ví Dụ",
            }
            | {"province_code": "99", "province": "Tỉnh Ví Dụ"}
        )
        stock = 2_000_000_000
        for year in years:
            stock += 300_000_000
            at = {"code": code, "name": name, "year": year}
            amounts = {"lent_vnd": 700_000_000, "collected_vnd": 400_000_000, "outstanding_vnd": stock}
            amounts |= {"overdue_vnd": 4_000_000, "frozen_vnd": 0, "extended_vnd": 0, "written_off_vnd": 0}
            for programme in ("poor", "total"):
                rows["credit"].append(
                    at | {"programme": programme} | amounts | {"borrowers": 60, "loans": 60}
                )
            for number, union in ((1, "women"), (2, "farmers")):
                rows["groups"].append(
                    at
                    | {
                        "group": f"{code}-{number}",
                        "union": union,
                        "members": 30,
                        "outstanding_vnd": stock / 2,
                    }
                    | {
                        "overdue_vnd": 2_000_000,
                        "savings_vnd": 30_000_000 + 1_000_000 * (year - 2022),
                        "rating": "good",
                    }
                )
            n, count, near = poor[year]
            rows["poverty"].append(
                at
                | {"standard": "2022-2025", "households": n, "poor": count, "near_poor": near}
                | {"poor_pct": round(100 * count / n, 2), "near_poor_pct": round(100 * near / n, 2)}
            )
            income = {
                "income_vnd": 45_000_000 + 3_000_000 * (year - 2022),
                "per": "year",
                "basis": "self_survey",
            }
            rows["income"].append(at | income | {"nrd_status": "none"})
    return rows | _details(EXAMPLES[0], "Ví Dụ Một")


def _details(code, name):
    """Example rows of the tables below the commune, and of published facts."""
    lent, due, cut_off = (pd.Timestamp(day) for day in ("2023-03-15", "2026-03-15", "2024-12-31"))
    page = {"source_url": "https://example.org/bao", "source_title": "Bài báo ví dụ", "method": "press"}
    loan = {"loan": "KU-0001", "code": code, "group": f"{code}-1", "union": "women", "household": "H-0001"}
    terms = {
        "programme": "poor",
        "disbursed_on": lent,
        "due_on": due,
        "amount_vnd": 50_000_000,
        "as_of": cut_off,
    }
    paid = {"due_on": pd.Timestamp("2024-03-15"), "due_vnd": 10_000_000, "paid_vnd": 10_000_000}
    person = {"household": "H-0001", "code": code, "year": 2024, "area": "rural", "members": 4}
    survey = {
        "income_month_vnd": 2_500_000,
        "deprivations": 1,
        "poor": False,
        "near_poor": False,
        "borrowed": True,
    }
    return {
        "facts": [
            {
                "code": code,
                "name": name,
                "level": "commune",
                "indicator": "borrower_households",
                "value": "60",
            }
            | {"unit": "households", "qualifier": "exact", "as_of": "2024", "scope": "whole"}
            | page
        ],
        "loans": [loan | terms | {"outstanding_vnd": 40_000_000, "overdue_vnd": 0, "status": "current"}],
        "repayments": [{"loan": "KU-0001", "paid_on": pd.Timestamp("2024-03-15")} | paid],
        "households": [person | survey | {"weight": 1, "stratum": "rural", "cluster": code}],
    }
