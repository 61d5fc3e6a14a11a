"""What is wrong with a delivery: repeated keys, rules counted, and examples."""

import json

import pandas as pd

from evalkit.load.ledger.engine import quoted

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
    "contradicted": "two different rows of one key in one delivery; neither is kept. Deliver the right one.",
}


def set_repeated_keys_aside(job):
    """Mark rows that share their key within the delivery: of equal rows all but the first, of different ones all."""
    key = ", ".join(quoted(name) for name in job.table.key if name in job.table.stored)
    values = ", ".join(quoted(name) for name in job.table.stored if name != "source")
    shown = ", ".join(
        f"'{f.name}': {quoted(f.name)}" for f in job.table.kept if not f.personal and f.name in job.table.stored
    )
    for (period,) in job.rows("SELECT DISTINCT period FROM staged WHERE faults IS NULL"):
        here = {"period": period}
        [(repeats,)] = job.rows(
            f"SELECT count(*) - count(DISTINCT hash({key})) FROM staged WHERE faults IS NULL AND period = $period", here
        )
        if repeats:
            job.connection.execute(
                f"""
                UPDATE staged SET faults = [repeat.fault], raw = to_json({{{shown}}})::VARCHAR
                FROM (
                    SELECT rowid AS id, CASE
                        WHEN min(hash({values})) OVER same <> max(hash({values})) OVER same THEN 'key:contradicted'
                        WHEN row_number() OVER (PARTITION BY {key} ORDER BY source, rowid) > 1 THEN 'key:repeated'
                    END AS fault
                    FROM staged
                    WHERE faults IS NULL AND period = $period AND ({key}) IN (
                        SELECT ({key}) FROM staged WHERE faults IS NULL AND period = $period
                        GROUP BY {key} HAVING count(*) > 1)
                    WINDOW same AS (PARTITION BY {key})
                ) AS repeat
                WHERE staged.rowid = repeat.id AND repeat.fault IS NOT NULL""",
                here,
            )


def findings_in(job, sources):
    """Return the findings of the delivery as records, most frequent first within each file."""
    names = dict(job.rows("SELECT source, file FROM finished"))
    found = [
        _record("note", source.path.name, header, None, "unknown_column", None, "no column of the schema; not stored")
        for source in sources
        for header in source.ignored
    ]
    for number, fault, count, raw in job.rows(
        "SELECT source, fault, count(*), min(raw) FROM "
        "(SELECT source, unnest(faults) AS fault, raw FROM staged WHERE faults IS NOT NULL) "
        "GROUP BY source, fault ORDER BY source, count(*) DESC, fault"
    ):
        column, rule = fault.split(":")
        value = json.loads(raw).get(column)
        severity = "warning" if rule == "repeated" else "error"
        found.append(_record(severity, names[number], column, value, rule, count, _MESSAGES[rule]))
    for number, fault, count, line in job.rows(
        "SELECT source, fault, count(*), min(line) FROM broken GROUP BY source, fault ORDER BY source, fault"
    ):
        message = "a line that can't be split into the file's columns; it is set aside"
        found.append(_record("error", names[number], None, None, fault.split(":")[1], count, message, row=line))
    return found + _inconsistencies(job, names)


def findings_table(records):
    """Return findings as a table with the columns that every check of evalkit has, and ``count``."""
    return pd.DataFrame(records, columns=list(COLUMNS))


def _inconsistencies(job, names):
    """Return a warning for each rule between columns that accepted rows break."""
    rules = [(f"fails_{i}", rule, sql) for i, (rule, sql) in enumerate(job.table.consistency.items())]
    counts = ", ".join(
        f"count(*) FILTER (WHERE NOT ({sql})), min(loan) FILTER (WHERE NOT ({sql}))"
        for _, _, sql in rules
    )
    period = f"(SELECT *, period AS {job.table.period} FROM staged)" if job.table.period == "as_of" else "staged"
    found = []
    for number, *results in job.rows(
        f"SELECT source, {counts} FROM {period} WHERE faults IS NULL GROUP BY source ORDER BY source"
    ):
        for (_, rule, sql), count, loan in zip(rules, results[::2], results[1::2], strict=True):
            if count:
                message = f"accepted, but {sql} doesn't hold"
                found.append(_record("warning", names[number], "loan", loan, rule, count, message))
    return found


def _record(severity, file, column, value, rule, count, message, row=None):
    return dict(zip(COLUMNS, (severity, file, row, column, value, rule, count, message), strict=True))
