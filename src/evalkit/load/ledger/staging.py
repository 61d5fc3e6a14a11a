"""Reading a delivery file by file into Parquet beside the store.

The journal is a DuckDB file in store/staging. Its lock keeps a second delivery out, and its transactions say
which files a stopped run had read whole, so that they are not read again.
"""

import json
import shutil

from evalkit.errors import DataError
from evalkit.load.ledger.aside import Aside
from evalkit.load.ledger.engine import connect
from evalkit.load.ledger.pieces import copy_sql, written
from evalkit.load.ledger.source import Source, stamp
from evalkit.load.ledger.statements import pseudonym_key, rows_sql
from evalkit.load.ledger.store import generation_folder, read_manifest
from evalkit.load.said import first_line
from evalkit.load.text import fold


def open_workbench(store, files, plan, *, threads, memory_gib):
    """Open the working database, keeping what a stopped run with the same ``plan`` had finished.

    Returns its connection and the store's manifest, which can't change while the connection is open.
    Raises DataError where another process works on the store.
    """
    import duckdb

    staging = store / "staging"

    def opened():
        staging.mkdir(exist_ok=True)
        connection = connect(
            staging / "working.duckdb",
            folders=[store],
            files=files,
            threads=threads,
            memory_gib=memory_gib,
            scratch=(staging / "spill").resolve(),
        )
        connection.execute("CREATE TABLE IF NOT EXISTS plan (text VARCHAR)")
        return connection, [text for (text,) in connection.execute("FROM plan").fetchall()]

    try:
        connection, found = opened()
    except (duckdb.IOException, duckdb.FatalException, duckdb.SerializationException) as error:
        if "lock" in str(error):
            raise DataError(
                f"{store}: another delivery is under way there. Wait until it has ended."
            ) from error
        connection, found = None, ["not readable"]
    manifest = read_manifest(store)
    plan = json.dumps([manifest.generation, *plan], ensure_ascii=False, sort_keys=True)
    # A run that was killed between moving the new generation into place and naming it has no drafts any more.
    moved = found == [plan] and not (staging / f"{manifest.generation + 1:04d}").exists()
    if moved or found not in ([], [plan]):
        if connection:
            connection.close()
        shutil.rmtree(staging)
        connection, found = opened()
    if not found:
        connection.execute("INSERT INTO plan VALUES (?)", [plan])
    return connection, manifest


def create_tables(job):
    """Create the empty journal of a delivery; that of a stopped run stays as it is."""
    for statement in (
        "finished (source SMALLINT, file VARCHAR, sha256 VARCHAR, bytes BIGINT, rows_read BIGINT)",
        "written (source SMALLINT, period VARCHAR, province VARCHAR, path VARCHAR, rows BIGINT, "
        "bytes BIGINT, first_code VARCHAR, last_code VARCHAR)",
        "remarks (source SMALLINT, rule VARCHAR, count BIGINT, loan VARCHAR)",
    ):
        job.connection.execute(f"CREATE TABLE IF NOT EXISTS {statement}")


def fill_places(job, communes):
    """Fill the table that gives each row its place and return whether there is one.

    Loans: code → province, from ``communes``. Instalments: loan → code and province, from the store's loans.
    A code that has stood in two provinces keeps its first: the partition is an address, not a statement.
    """
    if job.table.name == "repayments":
        return _fill_places_of_loans(job)
    if communes is None:
        return False
    missing = {"code", "province_code"} - set(communes.columns)
    if missing:
        raise DataError(
            f"communes: no column {', '.join(sorted(missing))}; code and province_code are needed."
        )
    first = communes.dropna(subset=["code", "province_code"]).drop_duplicates("code").astype(str)
    job.connection.execute(
        "CREATE OR REPLACE TABLE places AS SELECT unnest($codes) AS code, unnest($provinces) AS province",
        {"codes": first["code"].tolist(), "provinces": first["province_code"].tolist()},
    )
    return True


def _fill_places_of_loans(job):
    folder = generation_folder(job.store, job.manifest.generation).resolve()
    files = [str(folder / piece.path) for piece in job.manifest.of("loans")]
    if not files:
        raise DataError(f"{job.store}: instalments need the loans they belong to. Deliver the loans first.")
    job.connection.execute(
        "CREATE OR REPLACE TABLE places AS SELECT loan, arg_max(code, as_of) AS code, "
        "arg_max(province, as_of) AS province FROM read_parquet($files, hive_partitioning = true, "
        "hive_types = {'as_of': DATE, 'province': VARCHAR}) GROUP BY loan",
        {"files": files},
    )
    return True


def stage(job, sources, *, key, placed, labels):
    """Write the accepted rows of every source that the journal doesn't have as files of the new generation.

    Files of a former attempt that are no longer delivered are taken out of the journal.
    """
    gone = "source IN (SELECT source FROM finished WHERE NOT list_contains($shas, sha256))"
    for name in ("written", "remarks", "finished"):
        job.connection.execute(
            f"DELETE FROM {name} WHERE {gone}", {"shas": [source.sha256 for source in sources]}
        )
    done = dict(job.rows("SELECT sha256, source FROM finished"))
    for path in (job.staging / "aside").glob("*.parquet"):
        if int(path.stem.split("-")[0]) not in done.values():
            path.unlink()
    if key is not None:
        job.connection.execute("SET VARIABLE pseudonym_key = ?", [pseudonym_key(key)])
    number = max([0, *(row.source for row in job.manifest.received), *done.values()])
    for count, source in enumerate(sources):
        job.progress("read", count, len(sources))
        if source.sha256 not in done:
            number += 1
            _stage_one(job, source, number, keyed=key is not None, placed=placed, labels=labels)
    job.progress("read", len(sources), len(sources))


def aside_path(job, number):
    """Return the file that keeps the rows set aside of one source while the delivery is being taken in."""
    return job.staging / "aside" / f"{number}.parquet"


def _stage_one(job, source: Source, number, *, keyed, placed, labels):
    """Read one file whole or not at all."""
    import duckdb

    labelled = _set_labels(job, source, labels)
    scan, parameters = source.scan()
    select = rows_sql(job.table, source, scan=scan, keyed=keyed, labels=labelled, placed=placed)
    aside = Aside(aside_path(job, number), number)
    for function in (aside.set_aside, aside.remark):
        job.connection.create_function(
            function.__name__,
            function,
            ["VARCHAR[]", "VARCHAR"],
            "BOOLEAN",
            type="arrow",
            side_effects=True,
            null_handling="special",
        )
    try:
        files = job.rows(copy_sql(job, select, number), parameters | {"source": number})
        if source.delimiter is not None:
            _take_unreadable_lines(job, aside)
    except duckdb.Error as error:
        raise DataError(f"{source.path.name}: can't be read: {first_line(error)}") from error
    finally:
        job.connection.remove_function("set_aside")
        job.connection.remove_function("remark")
        aside.close()
    if stamp(source.path) != source.stamp:
        raise DataError(
            f"{source.path.name}: changed while it was read. Deliver it again once it is complete."
        )
    job.connection.execute("BEGIN")
    for file in files:
        job.connection.execute(
            "INSERT INTO written VALUES (?, ?, ?, ?, ?, ?, ?, ?)", [number, *written(job, file)]
        )
    for rule, (count, loan) in aside.remarks.items():
        job.connection.execute("INSERT INTO remarks VALUES (?, ?, ?, ?)", [number, rule, count, loan])
    rows = sum(file[1] for file in files) + aside.rows
    job.connection.execute(
        "INSERT INTO finished VALUES (?, ?, ?, ?, ?)",
        [number, source.path.name, source.sha256, source.stamp[0], rows],
    )
    job.connection.execute("COMMIT")


def _set_labels(job, source, labels):
    """Give the printed labels of each column to the statement, and return the columns that have some."""
    known = {f.name: labels.get(f.name) or f.labels for f in job.table.kept if f.name in source.columns}
    labelled = {name for name, codes in known.items() if codes}
    for name in labelled:
        folded = {fold(printed): code for printed, code in known[name].items()}
        for prefix, codes in (("spelled", source.spellings.get(name, {})), ("folded", folded)):
            job.connection.execute(
                f"SET VARIABLE {prefix}_{name} = map($keys::VARCHAR[], $codes::VARCHAR[])",
                {"keys": list(codes), "codes": list(codes.values())},
            )
    return labelled


def _take_unreadable_lines(job, aside):
    """Keep the lines that are no rows: cells missing or too many, quotes, encoding.

    Their text is not kept: which of their cells hold personal data can't be known.
    """
    found = job.rows(
        "SELECT line, 'line:' || min(lower(replace(error_type::VARCHAR, ' ', '_'))) FROM reject_errors "
        "GROUP BY line ORDER BY line"
    )
    aside.keep([fault for _, fault in found], lines=[line for line, _ in found])
    job.connection.execute("DELETE FROM reject_errors")
