"""`evalkit new`: a starter data set with an example that passes the checks."""

from pathlib import Path

import pandas as pd

from evalkit.errors import DataError, ParameterError
from evalkit.folders import whole
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
_OUTSTANDING = {2022: 2_300_000_000, 2023: 2_600_000_000, 2024: 2_900_000_000}  # VND
_REVIEWS = {2022: (1500, 90, 60), 2023: (1510, 80, 55), 2024: (1520, 70, 50)}  # households, poor, near-poor
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
    with whole(folder) as aside:
        (aside / "dataset.toml").write_text(_SETTINGS, encoding="utf-8")
        for table in dict.fromkeys(names):
            book = forms.workbook()
            forms.add_sheet(book, table, rows[table])
            forms.add_guide(book, [table], _LINES)
            book.active = 1
            book.save(aside / f"{table}.xlsx")
    return folder


def kept(settings, units):
    """Whether the settings are still the starter's although ``units`` holds other places than its two."""
    return settings["title"].get("vi") == TITLE and not set(units["code"]) <= set(EXAMPLES)


def example():
    """Return the example of the starter: {table: rows}, two invented communes that agree with themselves."""
    rows = {table: [] for table in schema.tables()}
    for code, name in zip(EXAMPLES, ("Ví Dụ Một", "Ví Dụ Hai"), strict=True):
        rows["communes"].append(_commune(code, name))
        for k, (year, outstanding) in enumerate(_OUTSTANDING.items()):
            at = {"code": code, "name": name, "year": year}
            rows["credit"] += _credit(at, outstanding)
            rows["groups"] += _groups(at, outstanding, k)
            rows["poverty"].append(_review(at))
            income = {"income_vnd": 45_000_000 + 3_000_000 * k, "per": "year", "basis": "self_survey"}
            rows["income"].append(at | income | {"nrd_status": "none"})
    return rows | _details(EXAMPLES[0], "Ví Dụ Một")


def _commune(code, name):
    place = {"code": code, "name": name, "type": "xã", "area": "rural"}
    return place | {
        "district_code": "999",
        "district": "Ví Dụ",
        "province_code": "99",
        "province": "Tỉnh Ví Dụ",
    }


def _credit(at, outstanding):
    """A programme and the office's own total, which says the same."""
    amounts = {"lent_vnd": 700_000_000, "collected_vnd": 400_000_000, "outstanding_vnd": outstanding}
    amounts |= {"overdue_vnd": 4_000_000, "frozen_vnd": 0, "extended_vnd": 0, "written_off_vnd": 0}
    counts = {"borrowers": 60, "loans": 60}
    return [at | {"programme": programme} | amounts | counts for programme in ("poor", "total")]


def _groups(at, outstanding, k):
    """Two groups, through which all that is lent passes."""
    figures = {"members": 30, "outstanding_vnd": outstanding / 2, "overdue_vnd": 2_000_000}
    figures |= {"savings_vnd": 30_000_000 + 1_000_000 * k, "rating": "good"}
    unions = ((1, "women"), (2, "farmers"))
    return [at | {"group": f"{at['code']}-{number}", "union": union} | figures for number, union in unions]


def _review(at):
    households, poor, near_poor = _REVIEWS[at["year"]]
    counts = {"standard": "2022-2025", "households": households, "poor": poor, "near_poor": near_poor}
    rates = {f"{n}_pct": round(100 * counts[n] / households, 2) for n in ("poor", "near_poor")}
    return at | counts | rates


def _details(code, name):
    """Example rows of the tables below the commune, and of published facts."""
    lent, due, cut_off = (pd.Timestamp(day) for day in ("2023-03-15", "2026-03-15", "2024-12-31"))
    instalment = pd.Timestamp("2024-03-15")
    fact = {"code": code, "name": name, "level": "commune", "indicator": "borrower_households", "value": "60"}
    fact |= {"unit": "households", "qualifier": "exact", "as_of": "2024", "scope": "whole", "method": "press"}
    fact |= {"source_url": "https://example.org/bao", "source_title": "Bài báo ví dụ"}
    loan = {"loan": "KU-0001", "code": code, "group": f"{code}-1", "union": "women", "household": "H-0001"}
    loan |= {"programme": "poor", "disbursed_on": lent, "due_on": due, "amount_vnd": 50_000_000}
    loan |= {"as_of": cut_off, "outstanding_vnd": 40_000_000, "overdue_vnd": 0, "status": "current"}
    paid = {"loan": "KU-0001", "due_on": instalment, "due_vnd": 10_000_000}
    paid |= {"paid_on": instalment, "paid_vnd": 10_000_000}
    household = {"household": "H-0001", "code": code, "year": 2024, "area": "rural", "members": 4}
    household |= {"income_month_vnd": 2_500_000, "deprivations": 1, "poor": False, "near_poor": False}
    household |= {"borrowed": True, "weight": 1, "stratum": "rural", "cluster": code}
    return {"facts": [fact], "loans": [loan], "repayments": [paid], "households": [household]}
