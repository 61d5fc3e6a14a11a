"""The files of the new generation: by period, province and commune; unchanged ones are linked."""

from pathlib import Path

from evalkit.folders import sync_file
from evalkit.load.ledger.engine import literal, quoted
from evalkit.load.ledger.store import Piece, generation_folder, link

# Small row groups: a commune's loans at one date then cost the decoding of a part of a province's.
ROW_GROUP = 20_480


def copy_sql(job, select, number):
    """SQL that writes the rows of ``select`` as files of source ``number``, by period and province."""
    folder = (job.drafts / job.table.name).resolve()
    folder.mkdir(parents=True, exist_ok=True)
    return (
        f"COPY ({select}) TO {literal(folder)} (FORMAT parquet, PARTITION_BY ({job.table.period}, province), "
        f"FILENAME_PATTERN 'part-{job.generation:04d}-{number}-{{i}}', OVERWRITE_OR_IGNORE, "
        f"ROW_GROUP_SIZE {ROW_GROUP}, RETURN_STATS)"
    )


def written(job, file):
    """Return period, province, path, rows, bytes, first and last code of a file that DuckDB has written."""
    path, rows, size, _, statistics, partition, *_ = file
    code = statistics['"code"']
    relative = Path(path).relative_to(job.drafts.resolve()).as_posix()
    province = None if "province=__HIVE_DEFAULT_PARTITION__" in relative else partition["province"]
    return partition[job.table.period], province, relative, rows, size, code["min"], code["max"]


def former_rows_replaced(job):
    """Write the former files without the rows that the delivery replaces.

    Returns the rest of the former pieces and the count of rows replaced.
    """
    periods = {period for (period,) in job.rows("SELECT DISTINCT period FROM written")}
    kept, replaced = [], 0
    for period in sorted(periods):
        former = [p for p in job.manifest.of(job.table.name) if p.period == period]
        hits = _hits(job, period, former)
        for piece in former:
            rest = piece if piece.path not in hits else _without_incoming(job, piece)
            kept += [rest] if rest else []
            replaced += piece.rows - (rest.rows if rest else 0)
    others = [p for p in job.manifest.pieces if p.table != job.table.name or p.period not in periods]
    folder = generation_folder(job.store, job.manifest.generation)
    for piece in kept + others:
        if (folder / piece.path).exists():
            link(folder / piece.path, job.drafts / piece.path)
    return kept + others, replaced


def new_pieces(job):
    """Return the pieces that the delivery itself has brought, their bytes safe on the disk."""
    pieces = [
        Piece(job.table.name, *row[1:]) for row in job.rows("FROM written ORDER BY period, province, path")
    ]
    for piece in pieces:
        sync_file(job.drafts / piece.path)
    return pieces


def sweep(job, pieces):
    """Remove what an interrupted attempt left among the new generation's files."""
    wanted = {piece.path for piece in pieces}
    for path in (job.drafts / job.table.name).rglob("*.parquet"):
        if path.relative_to(job.drafts).as_posix() not in wanted:
            path.unlink()


def _hits(job, period, former):
    """Return the former files with a row that the delivery replaces; ``incoming`` then holds its keys."""
    if job.whole or not former:
        return {piece.path for piece in former}
    key = ", ".join(quoted(name) for name in job.table.key_in_file)
    new = [
        str((job.drafts / path).resolve())
        for (path,) in job.rows("SELECT path FROM written WHERE period = ?", [period])
    ]
    job.connection.execute(
        f"CREATE OR REPLACE TABLE incoming AS SELECT {key} "
        "FROM read_parquet($files, hive_partitioning = false)",
        {"files": new},
    )
    folder = generation_folder(job.store, job.manifest.generation).resolve()
    by_path = {str(folder / piece.path): piece.path for piece in former}
    found = job.rows(
        "SELECT DISTINCT filename FROM read_parquet($files, filename = true, hive_partitioning = false) "
        f"SEMI JOIN incoming USING ({key})",
        {"files": list(by_path)},
    )
    return {by_path[path] for (path,) in found}


def _without_incoming(job, piece):
    """Write what the delivery leaves of a former piece and return it; None where it leaves nothing."""
    if job.whole:
        return None
    key = ", ".join(quoted(name) for name in job.table.key_in_file)
    former = (generation_folder(job.store, job.manifest.generation) / piece.path).resolve()
    kept = f"SELECT * FROM read_parquet($file, hive_partitioning = false) ANTI JOIN incoming USING ({key})"
    return rewrite(job, piece, kept, {"file": str(former)}, suffix=f"-{job.generation:04d}")


def rewrite(job, piece, select, parameters, *, suffix):
    """Write a piece anew from the rows of ``select`` and return it; None where no row is left."""
    path = Path(piece.path)
    path = path.with_name(path.stem + suffix + path.suffix)
    target = job.drafts / path
    target.parent.mkdir(parents=True, exist_ok=True)
    order = ", ".join(quoted(name) for name in job.table.order)
    [(_, rows, size, _, statistics, *_)] = job.rows(
        f"COPY ({select} ORDER BY {order}) TO {literal(target.resolve())} "
        f"(FORMAT parquet, ROW_GROUP_SIZE {ROW_GROUP}, RETURN_STATS)",
        parameters,
    )
    if not rows:
        target.unlink()
        return None
    sync_file(target)
    code = statistics['"code"']
    return Piece(
        piece.table, piece.period, piece.province, path.as_posix(), rows, size, code["min"], code["max"]
    )
