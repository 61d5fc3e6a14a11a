"""Pandas frames and DuckDB relations as one thing: what the loan measures need of SQL."""

import duckdb
import pandas as pd

from evalkit.errors import DataError


def relation(table, columns, *, name="loans"):
    """Return ``table`` (a frame or a relation) as a relation. Raises DataError where a column is missing."""
    rel = duckdb.connect().from_df(table) if isinstance(table, pd.DataFrame) else table
    lacking = [column for column in dict.fromkeys(columns) if column not in rel.columns]
    if lacking:
        raise DataError(f"{name}: no column {', '.join(lacking)}; there are {', '.join(rel.columns)}.")
    return rel


def together(*tables):
    """Return tables that are to be joined: frames on one connection, relations as they are."""
    frames = [isinstance(table, pd.DataFrame) for table in tables]
    if any(frames) and not all(frames):
        raise DataError("loans and repayments: one is a frame, the other a relation. Give two of a kind.")
    if not all(frames):
        return tables
    connection = duckdb.connect()
    return tuple(connection.from_df(table) for table in tables)


def on_date(rel, as_of):
    """Rows of one reporting date; the only one where ``as_of`` is None; all where there is no such column.

    Raises DataError where the table holds several dates and none is given, or not the one given.
    """
    if "as_of" not in rel.columns:
        return rel
    held = [row[0] for row in rel.project("CAST(as_of AS DATE) AS d").distinct().order("d").fetchall()]
    if as_of is None and len(held) == 1:
        return rel
    wanted = None if as_of is None else pd.Timestamp(as_of).date()
    if wanted not in held:
        dates = ", ".join(str(day) for day in held[-6:]) or "none"
        said = "no as_of given" if as_of is None else f"no row as of {wanted}"
        raise DataError(f"loans: {said}; the last dates that the table holds are {dates}. Give one of them.")
    return rel.filter(f"CAST(as_of AS DATE) = {date(as_of)}")


def aggregate(rel, keys, **columns):
    """Frame of SQL aggregates ``name=expression`` by the columns ``keys``, in their order."""
    listed = names(keys)
    chosen = ", ".join([*([listed] if keys else []), *(f"{sql} AS {name}" for name, sql in columns.items())])
    try:
        found = rel.aggregate(chosen, listed).order(listed) if keys else rel.aggregate(chosen)
        return found.df()
    except duckdb.Error as fault:
        raise DataError(f"loans: {fault}. Check the columns' types against the schema.") from None


def names(columns):
    """Column names as an SQL list."""
    return ", ".join('"' + column.replace('"', '""') + '"' for column in columns)


def text(value):
    """A text as an SQL literal."""
    return "'" + value.replace("'", "''") + "'"


def date(day):
    """A date as an SQL literal."""
    return f"DATE '{pd.Timestamp(day).date().isoformat()}'"


def whole_days(number, name):
    """Return a number of days as int. Raises DataError where it is negative or broken."""
    if number != int(number) or number < 0:
        raise DataError(f"{name}={number!r}: must be a whole number of days, 0 or more.")
    return int(number)
