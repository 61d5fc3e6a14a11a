"""A delivery that is killed, repeated, or meets another: the store is the old one or the new one, whole."""

import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path

import pandas as pd
import pytest

from evalkit.errors import DataError
from evalkit.load.ledger import ingest, open_ledger
from evalkit.simulate.ledger import LoanBook, write_loans, year_ends

KILLS = 3
BOOK = LoanBook(24_000, 11, snapshots=year_ends(2020, 2023), communes=60)
SRC = Path(__file__).resolve().parents[2] / "src"
CHILD = """
import sys
from evalkit.load.ledger import ingest
from evalkit.simulate.ledger import LoanBook, year_ends
book = LoanBook(24_000, 11, snapshots=year_ends(2020, 2023), communes=60)
print("ready", flush=True)
ingest(sys.argv[1], sys.argv[2:], key=bytes(32), communes=book.places(), threads=1)
"""


def take(store, sources, **options):
    return ingest(store, sources, **({"key": bytes(32), "communes": BOOK.places(), "threads": 1} | options))


def rows_of(store):
    with open_ledger(store) as ledger:
        return ledger.loans().order("as_of, loan").df()


@pytest.fixture
def deliveries(tmp_path):
    """The first snapshot, and a second delivery: a correction of it and the other snapshots."""
    first, *others = write_loans(BOOK, tmp_path / "dumps", language="en")
    corrected = tmp_path / "dumps" / "corrected.csv"
    lines = first.read_text(encoding="utf-8").splitlines()[:3_000]
    corrected.write_text("\n".join(lines).replace(",farmers,", ",women,") + "\n", encoding="utf-8")
    return [first], [corrected, *others]


def test_killed_at_random_moments_the_store_is_the_old_or_the_new_one(deliveries, tmp_path):
    store, chance = tmp_path / "store", random.Random(8)
    first, second = deliveries
    take(store, first)
    old = rows_of(store)
    take(tmp_path / "other", first)
    started = time.monotonic()
    take(tmp_path / "other", second)
    usual = time.monotonic() - started
    new = rows_of(tmp_path / "other")
    ended = []
    for _ in range(KILLS):
        child = subprocess.Popen(
            [sys.executable, "-c", CHILD, str(store), *map(str, second)],
            env={**os.environ, "PYTHONPATH": str(SRC)},
            stdout=subprocess.PIPE,
        )
        assert child.stdout.readline() == b"ready\n"
        time.sleep(chance.random() * usual)
        child.send_signal(signal.SIGKILL)
        ended.append(child.wait())
        found = rows_of(store)
        assert found.equals(old) or found.equals(new)
    assert -signal.SIGKILL in ended
    take(store, second)
    pd.testing.assert_frame_equal(rows_of(store), new)
    assert not (store / "staging").exists()
    with open_ledger(store) as ledger:
        generations = {path.name for path in store.iterdir() if path.is_dir()}
        assert ledger.folder.name in generations <= {"0001", "0002"}
        on_disk = {p.relative_to(ledger.folder).as_posix() for p in ledger.folder.glob("loans/**/*.parquet")}
        assert on_disk == {piece.path for piece in ledger.manifest.pieces}


class Stopped(Exception):
    pass


def test_what_a_stopped_run_had_read_is_not_read_again(deliveries, tmp_path, monkeypatch):
    _, second = deliveries
    read = []

    def stop_at(limit):
        def progress(step, done, total):
            if step == "read" and done == limit:
                raise Stopped

        return progress

    with pytest.raises(Stopped):
        take(tmp_path / "store", second, progress=stop_at(2))
    from evalkit.load.ledger import staging

    original = staging._stage_one
    monkeypatch.setattr(
        staging, "_stage_one", lambda *a, **k: (read.append(a[1].path.name), original(*a, **k))
    )
    take(tmp_path / "store", second)
    assert read == [path.name for path in sorted(second)[2:]]
    take(tmp_path / "fresh", second)
    pd.testing.assert_frame_equal(rows_of(tmp_path / "store"), rows_of(tmp_path / "fresh"))


def test_a_stopped_run_with_other_wishes_starts_anew(deliveries, tmp_path):
    first, _ = deliveries

    def stop(step, done, total):
        if step == "read" and done == 1:
            raise Stopped

    with pytest.raises(Stopped):
        take(tmp_path / "store", first, progress=stop)
    take(tmp_path / "store", first, communes=None)
    assert rows_of(tmp_path / "store")["province"].isna().all()


def test_two_deliveries_at_once(deliveries, tmp_path):
    first, _ = deliveries
    store = tmp_path / "store"
    store.mkdir()
    holder = subprocess.Popen(
        [
            sys.executable,
            "-c",
            "import duckdb, sys\nc = duckdb.connect(sys.argv[1])\n"
            "print('held', flush=True)\nsys.stdin.read()",
            str(store / "staging" / "working.duckdb"),
        ],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        cwd=(store / "staging").mkdir() or tmp_path,
    )
    try:
        assert holder.stdout.readline() == b"held\n"
        with pytest.raises(DataError, match="under way"):
            take(store, first)
    finally:
        holder.communicate()
    assert take(store, first).rows_accepted == 6_000


def test_a_working_file_that_is_rubbish_is_replaced(deliveries, tmp_path):
    first, _ = deliveries
    (tmp_path / "store" / "staging").mkdir(parents=True)
    (tmp_path / "store" / "staging" / "working.duckdb").write_bytes(b"rubbish" * 1000)
    assert take(tmp_path / "store", first).rows_accepted == 6_000


def test_a_manifest_that_is_rubbish_is_named(deliveries, tmp_path):
    first, _ = deliveries
    take(tmp_path / "store", first)
    (tmp_path / "store" / "manifest.json").write_text("{}")
    with pytest.raises(DataError, match=r"manifest\.json"):
        open_ledger(tmp_path / "store")
    with pytest.raises(DataError, match=r"manifest\.json"):
        take(tmp_path / "store", first)


def test_a_file_that_changes_while_it_is_read(deliveries, tmp_path):
    [first], _ = deliveries

    def grow(step, done, total):
        if step == "read" and done == 0:
            with open(first, "a", encoding="utf-8") as file:
                file.write(first.read_text(encoding="utf-8").splitlines()[1] + "\n")

    with pytest.raises(DataError, match="changed while"):
        take(tmp_path / "store", first, progress=grow)
    assert not (tmp_path / "store" / "manifest.json").exists()


def test_an_open_ledger_outlives_the_next_delivery(deliveries, tmp_path):
    first, second = deliveries
    take(tmp_path / "store", first)
    with open_ledger(tmp_path / "store") as ledger:
        before = ledger.commune("00001")
        take(tmp_path / "store", second)
        pd.testing.assert_frame_equal(ledger.commune("00001"), before)


def test_killed_just_before_the_new_generation_is_named(deliveries, tmp_path, monkeypatch):
    first, second = deliveries
    store = tmp_path / "store"
    take(store, first)
    old = rows_of(store)
    with monkeypatch.context() as patch:

        def stop(*_):
            raise Stopped

        patch.setattr(sys.modules["evalkit.load.ledger.ingest"], "write_manifest", stop)
        with pytest.raises(Stopped):
            take(store, second)
    assert (store / "0002").exists()
    pd.testing.assert_frame_equal(rows_of(store), old)
    take(store, second)
    take(tmp_path / "fresh", first)
    take(tmp_path / "fresh", second)
    pd.testing.assert_frame_equal(rows_of(store), rows_of(tmp_path / "fresh"))
