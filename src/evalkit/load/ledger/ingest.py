"""A delivery into the store: hash, read, check, sort, write beside the store, and swap."""

import hashlib
import os
import shutil
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from pathlib import Path

import pandas as pd

from evalkit.errors import DataError
from evalkit.folders import sync_file, sync_folder
from evalkit.load import reference
from evalkit.load.ledger.checks import asides, findings_in, findings_table, set_repeated_keys_aside
from evalkit.load.ledger.engine import literal
from evalkit.load.ledger.job import Job
from evalkit.load.ledger.pieces import former_rows_replaced, new_pieces, sweep
from evalkit.load.ledger.source import checksum, describe, sources_in, stamp
from evalkit.load.ledger.staging import create_tables, fill_places, open_workbench, stage
from evalkit.load.ledger.store import (
    Received,
    generation_folder,
    link,
    remove_other_generations,
    write_manifest,
)
from evalkit.load.ledger.tables import table as table_of

KEY_BYTES = 32


@dataclass(frozen=True)
class Delivery:
    """What became of a delivery.

    rows_read = rows_accepted + rows_set_aside; ``rows_replaced`` counts former rows that gave way to newer
    ones; ``skipped`` names files whose very bytes the store has already. ``findings`` has one row per file,
    column and rule: severity, file, row, column, value (the first example), rule, count, message.
    """

    generation: int
    rows_read: int
    rows_accepted: int
    rows_set_aside: int
    rows_replaced: int
    skipped: tuple[str, ...]
    findings: pd.DataFrame


def ingest(
    store: str | Path,
    sources,
    *,
    table: str = "loans",
    key: bytes | None = None,
    communes: pd.DataFrame | None = None,
    programmes: Mapping[str, str] | None = None,
    numbers: str | None = None,
    whole: bool = False,
    threads: int | None = None,
    memory_gib: float = 1.5,
    progress: Callable[[str, int, int], None] | None = None,
) -> Delivery:
    """Take a delivery of ``table`` ("loans" or "repayments") into the Parquet ``store``.

    ``sources``: files or folders of CSV (also .gz, .zst), Parquet or JSON lines. A row with the key of a row
    in the store replaces it; with ``whole=True`` the delivery is the whole book at its dates, and all former
    rows of those dates go. A file whose bytes the store has is skipped. The store changes at the very end,
    at once; a run that was stopped before is taken up again by calling it anew.

    ``key``: at least 32 secret bytes, kept out of the store, for the pseudonyms of households; without it
    that column stays empty. Names and identity numbers are never stored. ``communes``: code, province_code;
    other codes are set aside, and loans are partitioned by province (instalments follow their loans).
    ``programmes``: printed name → code, those of the reference table if not given; other names are set aside,
    and with {} every name is stored as printed. ``numbers``: "plain", "vi" (1.234,5) or
    "en" (1,234.5) where the files don't say so themselves. DuckDB works with ``memory_gib`` and spills what
    is more. ``progress(step, done, total)`` is called as work goes on.

    Raises DataError where a file can't be read, a required column is missing, figures could be read in two
    ways, the key is another than the store's, or another delivery is under way.
    """
    layout, store, threads = table_of(table), Path(store), threads or os.cpu_count() or 1
    files = sources_in(sources)
    stamps, sums = {path: stamp(path) for path in files}, _checksums(files, threads)
    store.mkdir(parents=True, exist_ok=True)
    mark = _key_mark(key)
    programmes = printed_programmes() if programmes is None else dict(programmes)
    options = [layout.name, mark, numbers, whole, programmes, _digest(communes)]
    connection, manifest = open_workbench(store, files, options, threads=threads, memory_gib=memory_gib)
    try:
        _refuse_other_key(store, manifest, mark)
        remove_other_generations(store, manifest.generation)
        job = Job(connection, store, manifest, layout, threads, whole, progress or _silent)
        known = {row.sha256 for row in manifest.received if row.table == layout.name}
        new = {sums[path]: path for path in reversed(files) if sums[path] not in known}
        skipped = tuple(path.name for path in files if new.get(sums[path]) != path)
        delivery = _take_in(job, new, skipped, stamps, key, mark, communes, programmes, numbers)
    finally:
        connection.close()
    shutil.rmtree(job.staging)
    return delivery


def printed_programmes():
    """Printed name → code of every lending programme in the reference table, names in both languages."""
    return {
        name: row.code
        for row in reference.table("programmes").itertuples()
        for name in (row.name_vi, row.name_en, *row.aliases.split("|"))
        if name
    }


def _take_in(job, new, skipped, stamps, key, mark, communes, programmes, numbers):
    """Stage, check, write and publish the files ``new`` (SHA-256 → path)."""
    if not new:
        return Delivery(job.manifest.generation, 0, 0, 0, 0, skipped, findings_table([]))
    labels = (
        {"programme": {**programmes, **{code: code for code in programmes.values()}}} if programmes else {}
    )
    sources = [
        describe(
            job.connection, path, job.table, sha256=sha, stamp=stamps[path], numbers=numbers, labels=labels
        )
        for sha, path in sorted(new.items(), key=lambda item: item[1])
    ]
    create_tables(job)
    placed = fill_places(job, communes)
    stage(job, sources, key=key, placed=placed, labels=labels)
    set_repeated_keys_aside(job)
    findings = findings_in(job, sources)
    kept, replaced = former_rows_replaced(job)
    pieces = kept + new_pieces(job)
    sweep(job, pieces)
    _write_rejected(job)
    received = _received(job)
    _publish(
        job,
        replace(
            job.manifest,
            generation=job.generation,
            key_mark=mark or job.manifest.key_mark,
            pieces=pieces,
            received=job.manifest.received + received,
            findings=job.manifest.findings + [{"generation": job.generation, **found} for found in findings],
        ),
    )
    read, accepted = sum(r.rows_read for r in received), sum(r.rows_accepted for r in received)
    return Delivery(
        job.generation, read, accepted, read - accepted, replaced, skipped, findings_table(findings)
    )


def _write_rejected(job):
    """Write the rows set aside beside the tables, and link those of former deliveries."""
    folder = job.drafts / "rejected"
    folder.mkdir(parents=True, exist_ok=True)
    for path in (generation_folder(job.store, job.manifest.generation) / "rejected").glob("*.parquet"):
        link(path, folder / path.name)
    rows = "SELECT source, line, array_to_string(faults, '; ') AS faults, raw FROM read_parquet($files)"
    target = folder / f"{job.table.name}-{job.generation:04d}.parquet"
    [(count,)] = job.rows(
        f"COPY ({rows}) TO {literal(target.resolve())} (FORMAT parquet)", {"files": asides(job)}
    )
    if count:
        sync_file(target)
    else:
        target.unlink()


def _received(job):
    """Return what became of each file."""
    return [
        Received(*row, job.generation)
        for row in job.rows(
            "SELECT source, $table, file, sha256, bytes, rows_read, "
            "(SELECT coalesce(sum(rows), 0)::BIGINT FROM written WHERE written.source = finished.source) "
            "FROM finished ORDER BY source",
            {"table": job.table.name},
        )
    ]


def _publish(job, manifest):
    """Put the new generation into place and make it the current one."""
    folder = generation_folder(job.store, job.generation)
    job.drafts.mkdir(parents=True, exist_ok=True)
    for inner, _, _ in os.walk(job.drafts):
        sync_folder(inner)
    os.rename(job.drafts, folder)
    write_manifest(job.store, manifest)


def _checksums(files, threads):
    with ThreadPoolExecutor(threads) as pool:
        return dict(zip(files, pool.map(checksum, files), strict=True))


def _key_mark(key):
    """Return what tells one key from another without giving it away."""
    if key is None:
        return None
    if len(key) < KEY_BYTES:
        raise DataError(f"the key for pseudonyms has {len(key)} bytes; {KEY_BYTES} random bytes are needed.")
    return hashlib.sha256(b"evalkit ledger key mark" + key).hexdigest()[:16]


def _refuse_other_key(store, manifest, mark):
    if manifest.key_mark and mark != manifest.key_mark:
        raise DataError(
            f"{store}: made with another key; a household would have two pseudonyms. Pass the store's own."
        )


def _digest(frame):
    if frame is None:
        return None
    return hashlib.sha256(
        pd.util.hash_pandas_object(frame.astype(str), index=False).to_numpy().tobytes()
    ).hexdigest()


def _silent(step, done, total):
    pass
