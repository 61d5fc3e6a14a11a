"""The files of the new generation: one per period and province, sorted; what didn't change is linked."""

from concurrent.futures import ThreadPoolExecutor

from evalkit.load.ledger.engine import literal, quoted
from evalkit.load.ledger.store import Piece, generation_folder, link, sync_file

# Small row groups: a commune's loans of one snapshot then cost the decoding of a fifth of a province's.
ROW_GROUP = 20_480
_NO_PROVINCE = "__HIVE_DEFAULT_PARTITION__"


def write_pieces(job):
    """Write the pieces that the delivery changes, link the others; return all pieces and the rows replaced."""
    done = {period for (period,) in job.rows("SELECT period FROM periods")}
    new = [p for (p,) in job.rows("SELECT DISTINCT period FROM staged WHERE faults IS NULL ORDER BY period")]
    for count, period in enumerate(new):
        job.progress("write", count, len(new))
        if str(period) not in done:
            _write_period(job, period)
    job.progress("write", len(new), len(new))
    pieces = [Piece(job.table.name, *row) for row in job.rows("FROM written")]
    gone = {path for (paths,) in job.rows("SELECT gone FROM periods") for path in paths}
    former = generation_folder(job.store, job.manifest.generation)
    for piece in job.manifest.pieces:
        if piece.path not in gone:
            link(former / piece.path, job.drafts / piece.path)
            pieces.append(piece)
    [(replaced,)] = job.rows("SELECT coalesce(sum(replaced), 0)::BIGINT FROM periods")
    return sorted(pieces, key=lambda p: (p.table, p.period, p.province or "")), replaced


def write_rejected(job):
    """Write the rows set aside beside the tables, and link those of former deliveries; return nothing.

    Columns: source; line (where the file's line is known); faults, joined by "; "; raw, the row's own text as
    JSON without its personal columns.
    """
    folder = job.drafts / "rejected"
    former = generation_folder(job.store, job.manifest.generation) / "rejected"
    for path in former.glob("*.parquet"):
        link(path, folder / path.name)
    rows = (
        "SELECT source, NULL::BIGINT AS line, array_to_string(faults, '; ') AS faults, raw FROM staged "
        "WHERE faults IS NOT NULL UNION ALL SELECT source, line, fault, NULL FROM broken"
    )
    [(count,)] = job.rows(f"SELECT count(*) FROM ({rows})")
    if count:
        folder.mkdir(parents=True, exist_ok=True)
        path = folder / f"{job.table.name}-{job.generation:04d}.parquet"
        job.connection.execute(f"COPY ({rows} ORDER BY ALL) TO {literal(path.resolve())} (FORMAT parquet)")
        sync_file(path)


def _write_period(job, period):
    """Write every piece of one period that the delivery changes, and note them in the journal together."""
    former = {p.province: p for p in job.manifest.of(job.table.name) if p.period == str(period)}
    staged = job.rows(
        "SELECT DISTINCT province FROM staged WHERE faults IS NULL AND period = $period", {"period": period}
    )
    provinces = {province for (province,) in staged}
    if job.whole:
        replaced, gone, kept = sum(p.rows for p in former.values()), list(former.values()), {}
    else:
        hit = _rows_hit(job, period, former)
        replaced, provinces, kept = sum(hit.values()), provinces | set(hit), former
        gone = [former[province] for province in provinces if province in former]
    with ThreadPoolExecutor(job.threads) as pool:
        pieces = list(pool.map(lambda province: _write_piece(job, period, province, kept.get(province)), provinces))
    job.connection.execute("BEGIN")
    for piece in filter(None, pieces):
        job.connection.execute("INSERT INTO written VALUES (?, ?, ?, ?, ?, ?, ?)", list(vars(piece).values())[1:])
    job.connection.execute(
        "INSERT INTO periods VALUES (?, ?, ?)", [str(period), replaced, [piece.path for piece in gone]]
    )
    job.connection.execute("COMMIT")


def _rows_hit(job, period, former):
    """Return province → count of the former rows that the delivery replaces; ``incoming`` then holds its keys."""
    if not former:
        return {}
    key = ", ".join(quoted(name) for name in job.table.key if name in job.table.stored)
    job.connection.execute(
        f"CREATE OR REPLACE TABLE incoming AS SELECT {key} FROM staged WHERE faults IS NULL AND period = $period",
        {"period": period},
    )
    folder = generation_folder(job.store, job.manifest.generation).resolve()
    by_path = {str(folder / piece.path): province for province, piece in former.items()}
    counts = job.rows(
        f"SELECT filename, count(*) FROM read_parquet($files, filename = true, hive_partitioning = false) "
        f"SEMI JOIN incoming USING ({key}) GROUP BY filename",
        {"files": list(by_path)},
    )
    return {by_path[path]: count for path, count in counts}


def _write_piece(job, period, province, former):
    """Write one file: the delivery's rows of a period and province, and the former ones that they don't replace."""
    columns = ", ".join(quoted(name) for name in job.table.stored)
    rows = (
        f"SELECT {columns} FROM staged WHERE faults IS NULL AND period = $period AND province IS NOT DISTINCT FROM $province"
    )
    parameters = {"period": period, "province": province}
    if former:
        key = ", ".join(quoted(name) for name in job.table.key if name in job.table.stored)
        rows += f" UNION ALL SELECT {columns} FROM read_parquet($former, hive_partitioning = false) ANTI JOIN incoming USING ({key})"
        parameters["former"] = str((generation_folder(job.store, job.manifest.generation) / former.path).resolve())
    folder = f"{job.table.name}/{job.table.period}={period}/province={province or _NO_PROVINCE}"
    path = job.drafts / folder / f"part-{job.generation:04d}.parquet"
    path.parent.mkdir(parents=True, exist_ok=True)
    order = ", ".join(quoted(name) for name in job.table.order)
    with job.connection.cursor() as cursor:
        [(_, count, size, _, statistics, *_)] = cursor.execute(
            f"COPY ({rows} ORDER BY {order}) TO {literal(path.resolve())} "
            f"(FORMAT parquet, ROW_GROUP_SIZE {ROW_GROUP}, RETURN_STATS)",
            parameters,
        ).fetchall()
    if not count:
        path.unlink()
        return None
    sync_file(path)
    code = statistics['"code"']
    relative = path.relative_to(job.drafts).as_posix()
    return Piece(job.table.name, str(period), province, relative, count, size, code["min"], code["max"])
