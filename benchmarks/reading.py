"""Processor time to read a workbook of 60,000 rows of credit: evalkit against pandas with openpyxl.

Both start from the same file. evalkit finds title, unit and header, parses the figures, keeps the codes as
text and accounts for every row; pandas.read_excel is told where the header is and only loads the cells.
"""

import argparse
import json
import resource
import tempfile
from pathlib import Path

import numpy as np
import openpyxl
import pandas as pd

from evalkit.load.spreadsheet import read_spreadsheet

ROWS = 60_000
REPEATS = 2
HEADER = [
    "STT",
    "Mã xã",
    "Năm",
    "Chương trình",
    "Cho vay trong năm",
    "Tổng dư nợ",
    "Nợ quá hạn",
    "Số hộ còn dư nợ",
]
PROGRAMMES = ["Hộ nghèo", "Hộ cận nghèo", "Hộ mới thoát nghèo", "Giải quyết việc làm", "Nước sạch và vệ sinh"]


def write_workbook(path, *, text):
    """A delivery with title, unit and total; with ``text`` the amounts are text such as "1.234,500"."""
    random = np.random.default_rng(20141122)
    workbook = openpyxl.Workbook(write_only=True)
    sheet = workbook.create_sheet("Biểu 01")
    sheet.append(["BÁO CÁO CHO VAY THEO XÃ"])
    sheet.append([None] * 7 + ["Đơn vị tính: triệu đồng"])
    sheet.append(HEADER)
    amounts = random.integers(0, 90_000, size=(ROWS, 3)) / 10
    for i, figures in enumerate(amounts.tolist()):
        if text:
            figures = [f"{v:,.3f}".translate(str.maketrans(",.", ".,")) for v in figures]
        programme = PROGRAMMES[i % len(PROGRAMMES)]
        sheet.append([i + 1, f"{i // 60 + 1:05d}", 2014 + i % 11, programme, *figures, i % 300])
    sheet.append([None, "Tổng cộng", None, None, *amounts.sum(axis=0).tolist(), None])
    workbook.save(path)


def seconds(call):
    """Processor time of the shortest of ``REPEATS`` runs, and the last result."""
    times = []
    for _ in range(REPEATS):
        start = _used()
        result = call()
        times.append(_used() - start)
    return min(times), result


def _used():
    """Processor time of this process and of those it waited for: evalkit reads a workbook in one of its own."""
    usage = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    return sum(u.ru_utime + u.ru_stime for u in usage)


def measure():
    """{name: (seconds of evalkit, seconds of pandas with openpyxl)} for typed cells and figures as text."""
    measured = {}
    with tempfile.TemporaryDirectory() as folder:
        for name in ("typed_cells", "figures_as_text"):
            path = Path(folder) / f"{name}.xlsx"
            write_workbook(path, text=name == "figures_as_text")
            ours, reading = seconds(lambda path=path: read_spreadsheet(path, table="credit"))
            if len(reading.frame) != ROWS:
                raise SystemExit(f"{name}: {len(reading.frame)} of {ROWS} rows were read")
            theirs, _ = seconds(
                lambda path=path: pd.read_excel(path, header=2, engine="openpyxl", dtype={"Mã xã": str})
            )
            measured[name] = ours, theirs
    return measured


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--json", action="store_true", help="print the ratios as JSON")
    as_json = parser.parse_args().json
    measured = measure()
    if as_json:
        ratios = {f"reading_{name}": round(theirs / ours, 2) for name, (ours, theirs) in measured.items()}
        print(json.dumps({"ratios": ratios, "rows": ROWS}))
        return
    print(f"{'60,000 rows':<18}{'evalkit, s':>12}{'pandas + openpyxl, s':>24}{'times faster':>15}")
    for name, (ours, theirs) in measured.items():
        print(f"{name:<18}{ours:>12.2f}{theirs:>24.2f}{theirs / ours:>15.1f}")


if __name__ == "__main__":
    main()
