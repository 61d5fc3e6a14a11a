"""A small data set whose figures agree with one another, for tests to spoil."""

import pandas as pd

SETTINGS = """\
[title]
vi = "Thử nghiệm"
en = "A trial"

[data]
real = true
years = [2019, 2023]
"""


def communes():
    return pd.DataFrame(
        {
            "code": ["10001", "10004", "10007", "10007"],
            "name": ["Hòa An", "Bình Minh", "Tân Lập", "Đông Phú"],
            "type": "xã",
            "area": "rural",
            "district_code": "101",
            "district": "Thử",
            "province_code": "99",
            "province": "Tỉnh Thử",
            "valid_from": [None, None, None, "2020-01-01"],
            "valid_to": [None, None, "2019-12-31", None],
            "successor_code": [None, None, "10007", None],
            "successor_name": [None, None, "Đông Phú", None],
        }
    )


def credit(codes=("10001", "10004"), years=range(2019, 2024)):
    rows = []
    for k, code in enumerate(codes):
        stock = {"poor": 2_000_000_000 + k * 100_000_000, "water": 1_000_000_000}
        for year in years:
            own = []
            for programme, borrowers in (("poor", 60), ("water", 80)):
                lent, collected, written_off = 500_000_000, 300_000_000, 0
                stock[programme] += lent - collected - written_off
                amounts = (lent, collected, stock[programme], 5_000_000, 2_000_000, 10_000_000, written_off)
                own.append((*amounts, borrowers, borrowers + 2))
                rows.append((code, year, programme, *own[-1]))
            total = [sum(values) for values in zip(*own, strict=True)]
            total[7] -= 20  # households with two loans are counted once
            rows.append((code, year, "total", *total))
    columns = ["code", "year", "programme", "lent_vnd", "collected_vnd", "outstanding_vnd", "overdue_vnd"]
    columns += ["frozen_vnd", "extended_vnd", "written_off_vnd", "borrowers", "loans"]
    return pd.DataFrame(rows, columns=columns)


def groups(codes=("10001", "10004"), years=range(2019, 2024)):
    whole = credit(codes, years).query("programme == 'total'").set_index(["code", "year"])["outstanding_vnd"]
    rows = []
    for (code, year), amount in whole.items():
        for number, union in enumerate(("women", "farmers", "veterans", "youth")):
            rows.append((code, year, f"T{number}", union, 30, amount // 4, 0, 20_000_000 + year, "good"))
    names = [
        "code",
        "year",
        "group",
        "union",
        "members",
        "outstanding_vnd",
        "overdue_vnd",
        "savings_vnd",
        "rating",
    ]
    return pd.DataFrame(rows, columns=names)


def poverty(codes=("10001", "10004")):
    counts = {
        (2019, "2016-2020"): (2000, 120, 80),
        (2020, "2016-2020"): (2010, 100, 75),
        (2021, "2016-2020"): (2020, 80, 70),
        (2021, "2022-2025"): (2020, 150, 90),
        (2022, "2022-2025"): (2030, 130, 85),
        (2023, "2022-2025"): (2040, 110, 80),
    }
    rows = [
        (code, year, standard, n, poor, near, round(100 * poor / n, 2), round(100 * near / n, 2))
        for code in codes
        for (year, standard), (n, poor, near) in counts.items()
    ]
    columns = ["code", "year", "standard", "households", "poor", "near_poor", "poor_pct", "near_poor_pct"]
    return pd.DataFrame(rows, columns=columns)


def income(codes=("10001", "10004"), years=range(2019, 2024)):
    rows = [
        (code, year, 40_000_000 + 3_000_000 * (year - 2019) + 100_000 * k, "year", "self_survey", "none")
        for k, code in enumerate(codes)
        for year in years
    ]
    return pd.DataFrame(rows, columns=["code", "year", "income_vnd", "per", "basis", "nrd_status"])


def tables():
    return {"credit": credit(), "groups": groups(), "poverty": poverty(), "income": income()}


def write(folder, settings=SETTINGS, **frames):
    """Write a data set to ``folder``: communes and the given tables, as CSV; return the folder."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "dataset.toml").write_text(settings, encoding="utf-8")
    for name, frame in ({"communes": communes()} | frames).items():
        frame.to_csv(folder / f"{name}.csv", index=False)
    return folder


def facts(*rows):
    """Published facts of one page each: (indicator, value) or a dict of columns."""
    usual = {
        "code": "10001",
        "name": "Hòa An",
        "level": "commune",
        "district": "Thử",
        "province": "Tỉnh Thử",
        "unit": "count",
        "qualifier": "exact",
        "as_of": "2022-12-31",
        "period_start": None,
        "period_end": None,
        "basis": None,
        "method": "press",
        "scope": "whole",
        "flags": None,
        "source_url": "https://example.org/a",
        "source_title": "A",
        "published_on": None,
        "note": None,
    }
    return pd.DataFrame([usual | row for row in rows])


def rules(found, severity=None):
    """The rules found, of one severity or all."""
    chosen = found if severity is None else found[found["severity"] == severity]
    return set(chosen["rule"])
