"""What is wrong with a delivery: repeated keys, rules counted, and examples."""

import json

import pandas as pd

from evalkit.load.ledger.aside import Aside
from evalkit.load.ledger.engine import quoted
from evalkit.load.ledger.pieces import rewrite
from evalkit.load.ledger.staging import aside_path
from evalkit.load.ledger.store import Piece

COLUMNS = ("severity", "file", "row", "column", "value", "rule", "count", "message")
_MESSAGES = {
    "required": "empty where a value is needed; the row is set aside",
    "type": "not a value of the column's type, or one that could be read in two ways; the row is set aside",
    "enum": "a label that the schema doesn't know; the row is set aside",
    "pattern": "not of the form that the schema asks for; the row is set aside",
    "minimum": "below the least value allowed; the row is set aside",
    "maximum": "above the greatest value allowed; the row is set aside",
    "reference": "not in the table it refers to; the row is set aside",
    "future": "a date that hasn't come yet; the row is set aside",
    "repeated": "the same row twice in one delivery; the first is kept",
    "contradicted": "two different rows of one key in one delivery; none is kept. Deliver the right one.",
}
_LINE = "a line that can't be split into the file's columns; it is set aside"


def set_repeated_keys_aside(job):
    """Take out rows that share their key in the delivery: all but one of equal rows, else all."""
    key = ", ".join(quoted(name) for name in job.table.key_in_file)
    for (period,) in job.rows("SELECT DISTINCT period FROM written ORDER BY period"):
        pieces = [
            (source, Piece(job.table.name, *row))
            for source, *row in job.rows("FROM written WHERE period = ? ORDER BY source, path", [period])
        ]
        files = {str((job.drafts / piece.path).resolve()): (source, piece) for source, piece in pieces}
        [(repeats,)] = job.rows(
            f"SELECT count(*) - count(DISTINCT hash({key})) "
            "FROM read_parquet($files, hive_partitioning = false)",
            {"files": list(files)},
        )
        if repeats:
            _take_out(job, files, key)


def findings_in(job, sources):
    """Return the findings of the delivery as records."""
    found = [
        _record(
            "note",
            source.path.name,
            header,
            None,
            "unknown_column",
            None,
            "no column of the schema; not stored",
        )
        for source in sources
        for header in source.ignored
    ]
    for number, file in job.rows("SELECT source, file FROM finished ORDER BY source"):
        found += _rows_aside(job, number, file) + _inconsistencies(job, number, file)
    return found


def findings_table(records):
    """Return findings as a table with the columns that every check of evalkit has, and ``count``."""
    return pd.DataFrame(records, columns=list(COLUMNS))


def asides(job):
    """Return the files of rows set aside, as paths for a statement."""
    return [str(path.resolve()) for path in sorted((job.staging / "aside").glob("*.parquet"))]


def _take_out(job, files, key):
    """Write anew the files that hold repeated keys, without those rows."""
    values = ", ".join(quoted(name) for name in job.table.stored if name != "source")
    shown = ", ".join(
        f"'{f.name}': {quoted(f.name)}"
        for f in job.table.kept
        if not f.personal and f.name in job.table.stored
    )
    rows = "read_parquet($files, filename = true, file_row_number = true, hive_partitioning = false)"
    job.connection.execute(
        f"""
        CREATE OR REPLACE TABLE repeated AS
        SELECT filename, file_row_number AS row_number, to_json({{{shown}}})::VARCHAR AS raw, CASE
            WHEN min(hash({values})) OVER same <> max(hash({values})) OVER same THEN 'key:contradicted'
            WHEN row_number() OVER (PARTITION BY {key} ORDER BY source, filename, file_row_number) > 1
                THEN 'key:repeated' END AS fault
        FROM {rows} SEMI JOIN (SELECT {key} FROM {rows} GROUP BY {key} HAVING count(*) > 1) USING ({key})
        WINDOW same AS (PARTITION BY {key}) QUALIFY fault IS NOT NULL""",
        {"files": list(files)},
    )
    for path, (source, piece) in files.items():
        found = job.rows("SELECT fault, raw FROM repeated WHERE filename = ? ORDER BY row_number", [path])
        if found:
            kept = (
                "SELECT * EXCLUDE (filename, file_row_number) FROM "
                "read_parquet($file, filename = true, file_row_number = true, hive_partitioning = false) "
                "WHERE file_row_number NOT IN (SELECT row_number FROM repeated WHERE filename = $file)"
            )
            rest = rewrite(job, piece, kept, {"file": path}, suffix="-unique")
            aside = Aside(aside_path(job, f"{source}-{piece.path.replace('/', '-')}"), source)
            aside.keep([fault for fault, _ in found], raw=[raw for _, raw in found])
            aside.close()
            job.connection.execute("BEGIN")
            job.connection.execute("DELETE FROM written WHERE path = ?", [piece.path])
            if rest:
                job.connection.execute(
                    "INSERT INTO written VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
                    [source, *list(vars(rest).values())[1:]],
                )
            job.connection.execute("COMMIT")


def _rows_aside(job, number, file):
    """Return a finding for each rule that rows of one file break, most frequent first."""
    found = []
    for fault, count, raw, line in job.rows(
        "SELECT fault, count(*), min(raw), min(line) FROM (SELECT unnest(faults) AS fault, raw, line "
        "FROM read_parquet($files) WHERE source = $number) GROUP BY fault ORDER BY count(*) DESC, fault",
        {"files": asides(job), "number": number},
    ):
        column, rule = fault.split(":")
        if column == "line":
            found.append(_record("error", file, None, None, rule, count, _LINE, row=line))
        else:
            severity = "warning" if rule == "repeated" else "error"
            value = json.loads(raw).get(job.table.key[0] if column == "key" else column)
            found.append(_record(severity, file, column, value, rule, count, _MESSAGES[rule]))
    return found


def _inconsistencies(job, number, file):
    """Return a warning for each rule between columns that accepted rows of one file break."""
    return [
        _record(
            "warning",
            file,
            "loan",
            loan,
            rule,
            count,
            f"accepted, but {job.table.consistency[rule]} doesn't hold",
        )
        for rule, count, loan in job.rows(
            "SELECT rule, count, loan FROM remarks WHERE source = ? ORDER BY count DESC, rule", [number]
        )
    ]


def _record(severity, file, column, value, rule, count, message, row=None):
    return dict(zip(COLUMNS, (severity, file, row, column, value, rule, count, message), strict=True))
