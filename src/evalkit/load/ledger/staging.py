"""The working database of a delivery: every row of every file, typed, with the rules that it breaks.

It stands in store/staging. DuckDB's lock on the file keeps a second delivery out, and its transactions are
the journal: a file that a stopped run had read whole is not read again.
"""

import json
import os
import shutil
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from evalkit.errors import DataError
from evalkit.load.ledger.engine import connect, quoted
from evalkit.load.ledger.source import Source
from evalkit.load.ledger.statements import rows_sql
from evalkit.load.ledger.store import Manifest, generation_folder, read_manifest
from evalkit.load.ledger.tables import Table
from evalkit.load.text import fold


@dataclass(frozen=True)
class Job:
    """What every step of one delivery needs to know."""

    connection: object
    store: Path
    manifest: Manifest
    table: Table
    threads: int
    whole: bool
    progress: Callable[[str, int, int], None]

    @property
    def staging(self):
        return self.store / "staging"

    @property
    def generation(self):
        return self.manifest.generation + 1

    @property
    def drafts(self):
        """Folder of the new generation while it is being written."""
        return self.staging / generation_folder("", self.generation).name

    def rows(self, sql, parameters=None):
        """Run a statement and return its rows."""
        return self.connection.execute(sql, parameters).fetchall()


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
            raise DataError(f"{store}: another delivery is under way there. Wait until it has ended.") from error
        connection, found = None, ["not readable"]
    manifest = read_manifest(store)
    plan = json.dumps([manifest.generation, *plan], ensure_ascii=False, sort_keys=True)
    if found not in ([], [plan]):
        if connection:
            connection.close()
        shutil.rmtree(staging)
        connection, found = opened()
    if not found:
        connection.execute("INSERT INTO plan VALUES (?)", [plan])
    return connection, manifest


def create_tables(job):
    """Create the empty tables of a delivery; those of a stopped run stay as they are."""
    columns = ", ".join(f"{quoted(name)} {kind}" for name, kind in job.table.stored.items())
    for statement in (
        f"staged ({columns}, period {job.table.period_type}, province VARCHAR, faults VARCHAR[], raw VARCHAR)",
        "broken (source SMALLINT, line BIGINT, fault VARCHAR)",
        "finished (source SMALLINT, file VARCHAR, sha256 VARCHAR, bytes BIGINT, rows_read BIGINT)",
        "written (period VARCHAR, province VARCHAR, path VARCHAR, rows BIGINT, bytes BIGINT, "
        "first_code VARCHAR, last_code VARCHAR)",
        "periods (period VARCHAR, replaced BIGINT, gone VARCHAR[])",
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
        raise DataError(f"communes: no column {', '.join(sorted(missing))}; code and province_code are needed.")
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
    """Read every source that the journal doesn't have into ``staged``, one transaction each.

    A source of a former attempt that is no longer delivered is taken out.
    """
    shas = [source.sha256 for source in sources]
    gone = "source IN (SELECT source FROM finished WHERE NOT list_contains($shas, sha256))"
    for name in ("staged", "broken", "finished"):
        job.connection.execute(f"DELETE FROM {name} WHERE {gone}", {"shas": shas})
    done = {sha for (sha,) in job.rows("SELECT sha256 FROM finished")}
    if key is not None:
        job.connection.execute("SET VARIABLE pseudonym_key = ?", [key.hex()])
    number = max([row.source for row in job.manifest.received] + [n for (n,) in job.rows("SELECT source FROM finished")] + [0])
    for count, source in enumerate(sources):
        job.progress("read", count, len(sources))
        if source.sha256 not in done:
            number += 1
            _stage_one(job, source, number, keyed=key is not None, placed=placed, labels=labels)
    job.progress("read", len(sources), len(sources))


def _stage_one(job, source: Source, number, *, keyed, placed, labels):
    """Read one file whole or not at all."""
    import duckdb

    known = {f.name: labels.get(f.name) or f.labels for f in job.table.kept}
    labelled = {name for name, table in known.items() if table and name in source.columns}
    for name in labelled:
        folded = {fold(printed): code for printed, code in known[name].items()}
        for prefix, table in (("spelled", source.spellings.get(name, {})), ("folded", folded)):
            job.connection.execute(
                f"SET VARIABLE {prefix}_{name} = map($keys::VARCHAR[], $codes::VARCHAR[])",
                {"keys": list(table), "codes": list(table.values())},
            )
    scan, parameters = source.scan()
    select = rows_sql(job.table, source, scan=scan, keyed=keyed, labels=labelled, placed=placed)
    before = _stamp(source.path)
    job.connection.execute("BEGIN")
    try:
        [(rows,)] = job.rows(f"INSERT INTO staged BY NAME {select}", parameters | {"source": number})
        broken = _unreadable_lines(job, source, number)
        job.connection.execute(
            "INSERT INTO finished VALUES (?, ?, ?, ?, ?)",
            [number, source.path.name, source.sha256, before[0], rows + broken],
        )
        if _stamp(source.path) != before:
            raise DataError(f"{source.path.name}: changed while it was read. Deliver it again once it is complete.")
        job.connection.execute("COMMIT")
    except duckdb.Error as error:
        job.connection.execute("ROLLBACK")
        raise DataError(f"{source.path.name}: can't be read: {str(error).splitlines()[0]}") from error
    except BaseException:
        job.connection.execute("ROLLBACK")
        raise


def _unreadable_lines(job, source, number):
    """Keep the lines that are no rows (cells missing or too many, quotes, encoding) and return their count.

    Their text is not kept: which of their cells hold personal data can't be known.
    """
    if source.delimiter is None:
        return 0
    [(count,)] = job.rows(
        "INSERT INTO broken SELECT DISTINCT $source, line, 'line:' || lower(replace(error_type::VARCHAR, ' ', '_')) "
        "FROM reject_errors",
        {"source": number},
    )
    job.connection.execute("DELETE FROM reject_errors")
    return count


def _stamp(path):
    status = os.stat(path)
    return status.st_size, status.st_mtime_ns
