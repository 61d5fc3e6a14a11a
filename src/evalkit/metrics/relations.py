"""Pandas frames and DuckDB relations as one thing: what the loan measures need of SQL."""

from datetime import datetime

import numpy as np
import pandas as pd
from pandas.api import types

from evalkit.errors import DataError
from evalkit.load import schema

_ENDED = ("repaid", "written_off")


def relation(table, columns, *, name="loans"):
    """Return ``table`` (a frame or a relation) as a relation.

    A frame is held against the schema first (:func:`checked`); a relation comes from the store, which was
    checked when it was filled. Raises DataError where a column is missing or a frame breaks the schema.
    """
    import duckdb

    if isinstance(table, pd.DataFrame):
        table = duckdb.connect().from_df(checked(table, columns, name))
    if not isinstance(table, duckdb.DuckDBPyRelation):
        raise DataError(f"{name}: a {type(table).__name__}. Give a pandas frame or a DuckDB relation.")
    rel = table
    lacking = [column for column in dict.fromkeys(columns) if column not in rel.columns]
    if lacking:
        raise DataError(f"{name}: no column {', '.join(lacking)}; there are {', '.join(rel.columns)}.")
    return rel


def checked(frame, columns, name):
    """Return the frame, its times of day without their zone, so that a day stays the day that it was there.

    Raises DataError where the rows repeat a key, or one of ``columns`` holds texts for numbers, a label that
    the schema doesn't know, a negative or infinite amount, or more overdue than outstanding.
    """
    frame = frame.assign(**{c: frame[c].dt.tz_localize(None) for c in frame.select_dtypes("datetimetz")})
    key = [column for column in schema.key(name) if column in frame]
    if key[:1] == schema.key(name)[:1] and frame.duplicated(key).any():
        twice = frame.loc[frame.duplicated(key), key].iloc[0]
        which = ", ".join(f"{column} {value}" for column, value in twice.items())
        raise DataError(f"{name}: {which} occurs twice. Give each {' and '.join(key)} one row.")
    declared = schema.fields(name)
    for column in [c for c in dict.fromkeys([*key, *columns]) if c in declared and c in frame]:
        values, limits = frame[column], declared[column].get("constraints", {})
        needed = column in key or (declared[column]["type"] == "date" and limits.get("required"))
        if needed and values.isna().any():
            raise DataError(
                f"{name}, {column}: missing in {int(values.isna().sum())} rows. Fill them in, or leave these rows out and say so."
            )
        if limits.get("enum") and not (known := values.dropna().isin(limits["enum"])).all():
            other = values.dropna()[~known].iloc[0]
            raise DataError(f"{name}, {column}: {other!r}. The labels are {', '.join(limits['enum'])}.")
        if declared[column]["type"] in ("number", "integer"):
            _amounts(values, f"{name}, {column}")
    asked = set(columns) & set(frame)
    if {"overdue_vnd", "outstanding_vnd", "status"} <= asked:
        above = (frame["overdue_vnd"] > frame["outstanding_vnd"]) & ~frame["status"].isin(_ENDED)
        if above.any():
            raise DataError(
                f"{name}: more overdue than outstanding for {int(above.sum())} loans. Are the columns swapped?"
            )
    if {"loan", "disbursed_on"} <= asked and (frame.groupby("loan")["disbursed_on"].nunique() > 1).any():
        raise DataError(
            f"{name}, disbursed_on: one loan has several dates. Mend it, or number the loans apart."
        )
    return frame


def _amounts(values, where):
    if not types.is_numeric_dtype(values) and values.map(lambda v: isinstance(v, str | bytes)).any():
        raise DataError(f"{where}: texts. Read them as numbers first; check the types against the schema.")
    found = values.to_numpy(dtype=float, na_value=np.nan)
    wrong = np.isinf(found) | ((found < 0) & where.endswith("_vnd"))
    if wrong.any():
        raise DataError(f"{where}: {found[wrong][0]:g}. Amounts are 0 or more, and finite.")


def together(*tables):
    """Return tables that are to be joined: frames on one connection, relations as they are."""
    import duckdb

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
    import duckdb

    try:
        held = [row[0] for row in rel.project("CAST(as_of AS DATE) AS d").distinct().order("d").fetchall()]
    except duckdb.Error as fault:
        raise DataError(f"loans, as_of: {fault}. Write dates as 2024-12-31.") from None
    if as_of is None and len(held) == 1:
        return rel
    wanted = None if as_of is None else day(as_of)
    if wanted not in held:
        dates = ", ".join(str(day) for day in held[-6:]) or "none"
        said = "no as_of given" if as_of is None else f"no row as of {wanted}"
        raise DataError(f"loans: {said}; the last dates that the table holds are {dates}. Give one of them.")
    return rel.filter(f"CAST(as_of AS DATE) = {date(as_of)}")


def aggregate(rel, keys, **columns):
    """Frame of SQL aggregates ``name=expression`` by the columns ``keys``, in their order."""
    import duckdb

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


def day(value):
    """Return a date. Raises DataError where a text isn't of the form 2024-12-31, which has one reading."""
    try:
        if isinstance(value, str):
            return datetime.fromisoformat(value).date()
        if not isinstance(value, int | float) and pd.notna(value):
            return pd.Timestamp(value).date()
    except (TypeError, ValueError):
        pass
    raise DataError(f"{value!r}: no date. Write it as 2024-12-31.")


def date(value):
    """A date as an SQL literal."""
    return f"DATE '{day(value).isoformat()}'"


def whole_days(number, name):
    """Return a number of days as int. Raises DataError where it is negative or broken."""
    try:
        whole = int(number)
    except (TypeError, ValueError, OverflowError):
        whole = -1
    if whole != number or whole < 0:
        raise DataError(f"{name}={number!r}: must be a whole number of days, 0 or more.")
    return whole
