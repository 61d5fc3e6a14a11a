"""The ledger at full size: ingest and annual table against DuckDB's bare COPY and GROUP BY of the files.

    python benchmarks/ledger.py --rows 30000000            the country's loans, about 6 GB of CSV
    python benchmarks/ledger.py --rows 3000000 --json      figures for a machine to read

Every measurement runs in a process of its own, so that its peak memory is its own. The dumps are Vietnamese
(headers, 1.234.567, dd/mm/yyyy), one file per year, with one broken row in 5,000.
"""

import argparse
import json
import os
import random
import resource
import shutil
import signal
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from evalkit.load.ledger import ingest, open_ledger
from evalkit.metrics import portfolio
from evalkit.simulate.ledger import PROGRAMMES, LoanBook, write_loans

SEED, FAULTY, COMMUNES_READ = 7, 0.0002, 40
KEY = bytes(32)
GROUP_BY = """
    SELECT "Mã xã", "Ngày chốt số liệu", "Chương trình cho vay", count(*),
        count(DISTINCT "Mã khách hàng"), sum(outstanding), sum(overdue),
        sum(outstanding) FILTER (try_cast("Số ngày quá hạn" AS BIGINT) > 30)
    FROM (SELECT *, try_cast(replace("Dư nợ"::VARCHAR, '.', '') AS BIGINT) AS outstanding,
        try_cast(replace("Nợ quá hạn"::VARCHAR, '.', '') AS BIGINT) AS overdue
        FROM read_parquet(?)) GROUP BY ALL"""


def book(rows):
    return LoanBook(rows, SEED, faulty=FAULTY)


def dumps(work):
    return sorted((work / "dumps").glob("*.csv"))


def bare(work, rows):
    """DuckDB alone, with its own settings: COPY to one Parquet file, GROUP BY of that."""
    import duckdb

    files, target = [str(path) for path in dumps(work)], work / "bare.parquet"
    connection = duckdb.connect(config={"temp_directory": str(work / "spill")})
    started = time.perf_counter()
    # As text: one broken date anywhere makes DuckDB's own guess of the types fail far into the file.
    connection.read_csv(files, all_varchar=True).write_parquet(str(target))
    copied = time.perf_counter()
    groups = connection.execute(GROUP_BY, [str(target)]).to_arrow_table().num_rows
    return {"copy_s": copied - started, "group_by_s": time.perf_counter() - copied, "groups": groups}


def ours(work, rows):
    """Ingest with every check, pseudonyms and layout; then the annual table of commune and programme."""
    shutil.rmtree(work / "store", ignore_errors=True)
    names = {printed: code for code, (printed, _) in PROGRAMMES.items()}
    started = time.perf_counter()
    delivery = ingest(
        work / "store", dumps(work), key=KEY, communes=book(rows).places(), programmes=names, memory_gib=1.25
    )
    ingested = time.perf_counter()
    with open_ledger(work / "store", memory_gib=1.25) as ledger:
        groups = len(portfolio.annual_of(ledger))
    return {
        "ingest_s": ingested - started,
        "aggregate_s": time.perf_counter() - ingested,
        "groups": groups,
        "rows_read": delivery.rows_read,
        "rows_set_aside": delivery.rows_set_aside,
        "store_bytes": sum(piece.bytes for piece in _pieces(work)),
    }


def commune(work, rows):
    """Read single communes from the open store, and one with a ledger opened for it."""
    codes = random.Random(SEED).sample(book(rows).places()["code"].tolist(), COMMUNES_READ)
    with open_ledger(work / "store") as ledger:
        ledger.commune(codes[0])
        times = [_timed(lambda code=code: ledger.commune(code)) for code in codes[1:]]
        one = [_timed(lambda code=code: ledger.commune(code, as_of="2024-12-31")) for code in codes[1:]]
    return {
        "median_ms": 1000 * statistics.median(times),
        "worst_ms": 1000 * max(times),
        "one_snapshot_median_ms": 1000 * statistics.median(one),
        "opened_for_it_ms": 1000 * _timed(lambda: open_ledger(work / "store").commune(codes[0])),
    }


def pandas(work, rows):
    """pandas: read the same files, convert the amounts, the same groups."""
    import pandas as pd

    started = time.perf_counter()
    kept = ["Mã xã", "Ngày chốt số liệu", "Chương trình cho vay", "Mã khách hàng", "Dư nợ", "Nợ quá hạn"]
    loans = pd.concat([pd.read_csv(path, usecols=kept, dtype="str") for path in dumps(work)])
    for name in ("Dư nợ", "Nợ quá hạn"):
        loans[name] = pd.to_numeric(loans[name].str.replace(".", ""), errors="coerce")
    groups = loans.groupby(kept[:3]).agg({"Mã khách hàng": "nunique", "Dư nợ": "sum", "Nợ quá hạn": "sum"})
    return {"read_and_group_s": time.perf_counter() - started, "groups": len(groups)}


def polars(work, rows):
    """polars, streaming: the same files and groups."""
    import polars as pl

    started = time.perf_counter()
    amount = [
        pl.col(c).str.replace_all(".", "", literal=True).cast(pl.Int64, strict=False)
        for c in ("Dư nợ", "Nợ quá hạn")
    ]
    groups = (
        pl.scan_csv(dumps(work), infer_schema=False)
        .with_columns(amount)
        .group_by("Mã xã", "Ngày chốt số liệu", "Chương trình cho vay")
        .agg(pl.col("Mã khách hàng").n_unique(), pl.col("Dư nợ").sum(), pl.col("Nợ quá hạn").sum())
        .collect(engine="streaming")
    )
    return {"read_and_group_s": time.perf_counter() - started, "groups": groups.height}


def kills(work, rows, times=10):
    """Kill the second delivery at random moments; the store must then be the old or the new one.

    One moment falls at random in each of ``times`` equal parts of 1.25 times the usual duration with its
    start-up, so that kills before, within and after the ingest occur. What a kill left behind is taken up by
    the next delivery, which is then shorter.
    """
    store, kept = work / "killed", work / "kept"
    shutil.rmtree(store, ignore_errors=True)
    first, places = dumps(work)[0], book(rows).places()
    ingest(store, first, key=KEY, communes=places)
    old = _state(store)
    shutil.copytree(store, kept, dirs_exist_ok=True)
    command = [sys.executable, __file__, "--step", "second", "--work", str(work), "--rows", str(rows)]
    usual = _timed(lambda: subprocess.run(command, check=True, stdout=subprocess.DEVNULL))
    new = _state(store)
    chance = random.Random(SEED)
    moments = [1.25 * usual * (part + chance.random()) / times for part in range(times)]
    chance.shuffle(moments)
    counts = {"usual_s": usual, "moments_s": moments, "old": 0, "new": 0, "other": 0}
    _replace(store, kept)
    for moment in moments:
        child = subprocess.Popen(command, stdout=subprocess.DEVNULL)
        time.sleep(moment)
        child.send_signal(signal.SIGKILL)
        child.wait()
        state = _state(store)
        counts["old" if state == old else "new" if state == new else "other"] += 1
        if state == new:
            _replace(store, kept)
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
    counts["whole_at_the_end"] = _state(store) == new
    for folder in (store, kept):
        shutil.rmtree(folder)
    return counts


def _replace(folder, copy):
    shutil.rmtree(folder)
    shutil.copytree(copy, folder)


def second(work, rows):
    ingest(work / "killed", dumps(work)[1], key=KEY, communes=book(rows).places())
    return {}


def _state(store):
    """Count and fingerprint of all rows."""
    with open_ledger(store) as ledger:
        listed = "count(*), sum(hash(loan, code, as_of, outstanding_vnd, status, household)::HUGEINT)"
        return ledger.loans().aggregate(listed).fetchall()


def _pieces(work):
    with open_ledger(work / "store") as ledger:
        return ledger.manifest.pieces


def _timed(call):
    started = time.perf_counter()
    call()
    return time.perf_counter() - started


STEPS = {f.__name__: f for f in (bare, ours, commune, pandas, polars, kills, second)}


def measure(step, work, rows):
    """Run one step in a process of its own and return its figures with its peak memory."""
    command = [sys.executable, __file__, "--step", step, "--work", str(work), "--rows", str(rows)]
    done = subprocess.run(command, capture_output=True, text=True)
    if done.returncode:
        return {"failed": done.stderr.strip().splitlines()[-1]}
    return json.loads(done.stdout.splitlines()[-1])


def main():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--rows", type=int, default=3_000_000)
    parser.add_argument("--work", type=Path, help="folder for dumps and store; kept, and used again")
    parser.add_argument("--steps", default="bare,ours,commune,kills", help="also: pandas, polars")
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--step", choices=STEPS, help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.step:
        found = STEPS[given.step](given.work, given.rows)
        usage = resource.getrusage(resource.RUSAGE_SELF)
        cost = {"peak_gib": usage.ru_maxrss / 2**20, "cpu_s": usage.ru_utime + usage.ru_stime}
        print(json.dumps(found | cost))
        return
    with tempfile.TemporaryDirectory() as scratch:
        work = given.work or Path(scratch)
        if not dumps(work):
            write_loans(book(given.rows), work / "dumps")
        found = {step: measure(step, work, given.rows) for step in given.steps.split(",")}
    ratios = {}
    if {"bare", "ours"} <= set(found) and not any("failed" in found[s] for s in ("bare", "ours")):
        theirs = found["bare"]["copy_s"] + found["bare"]["group_by_s"]
        mine = found["ours"]["ingest_s"] + found["ours"]["aggregate_s"]
        ratios = {
            "ledger_over_bare_duckdb": mine / theirs,
            "cpu": found["ours"]["cpu_s"] / found["bare"]["cpu_s"],
        }
    result = {"rows": given.rows, "cpus": os.cpu_count(), **found, "ratios": ratios}
    print(json.dumps(result, indent=None if given.json else 2, ensure_ascii=False))


if __name__ == "__main__":
    main()
