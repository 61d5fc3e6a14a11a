"""Frames as they come from outside: columns found, a plain index, finite numbers, times as numbers."""

from numbers import Number

import numpy as np
import pandas as pd

from evalkit.errors import DataError, ParameterError


def columns_of(*names):
    """Return names as a flat list of column names: each may be None, a name or several."""
    flat = []
    for name in names:
        if name is not None:
            flat += [name] if isinstance(name, str) else list(name)
    return flat


def check_columns(panel, *names, table="panel"):
    """Raise DataError where the table is no frame, lacks one of the columns, or holds one twice."""
    if not isinstance(panel, pd.DataFrame):
        raise DataError(f"{table}: is a {type(panel).__name__}. Give a pandas DataFrame.")
    names = columns_of(*names)
    missing = [name for name in names if name not in panel.columns]
    if missing:
        raise DataError(
            f"{table}: no column {', '.join(map(repr, missing))}; found "
            f"{', '.join(map(str, panel.columns))}. "
            "Name a column that is there."
        )
    twice = sorted({name for name in names if (panel.columns == name).sum() > 1})
    if twice:
        raise DataError(f"{table}: several columns are named {', '.join(map(repr, twice))}. Rename them.")


def tabled(panel, *names, table="panel"):
    """Return the table with rows numbered 0, 1, 2, ... and the columns ``names`` in numpy's types where numeric.

    Raises DataError as ``check_columns`` does, and where one of the columns holds an infinite number.
    """
    out = with_plain_numbers(panel, *names, table=table).reset_index(drop=True)
    out.attrs = panel.attrs
    return out


def with_plain_numbers(panel, *names, table="panel"):
    """Return the table as ``tabled`` does, its index kept and without attrs (pandas copies those at every step)."""
    check_columns(panel, *names, table=table)
    out = panel.copy(deep=False)
    out.attrs = {}
    for name in dict.fromkeys(columns_of(*names)):
        column = out[name]
        if column.dtype == object and column.dropna().map(lambda value: isinstance(value, Number)).all():
            column = out[name] = column.astype(float)
        if not pd.api.types.is_numeric_dtype(column):
            continue
        if pd.api.types.is_extension_array_dtype(column):
            whole = pd.api.types.is_integer_dtype(column) and column.notna().all()
            column = out[name] = column.astype("int64" if whole else "float64")
        infinite = int(np.isinf(column.to_numpy(float)).sum())
        if infinite:
            raise DataError(
                f"{table}, column {name!r}: {infinite} values are infinite. Leave them missing, or mend them."
            )
    return out


def check_numbers(frame, *names, table="panel"):
    """Raise DataError where a column isn't numeric."""
    for name in columns_of(*names):
        if not pd.api.types.is_numeric_dtype(frame[name]):
            raise DataError(
                f"{table}, column {name!r}: is {frame[name].dtype}, not a number. Convert it first."
            )


def check_draws(draws, least=1):
    """Raise ParameterError unless ``draws`` is a whole number of at least ``least``."""
    if isinstance(draws, bool) or not isinstance(draws, int | np.integer) or draws < least:
        raise ParameterError(f"draws={draws!r}: a whole number of at least {least}; 9999 is usual.")


def check_zero_one(frame, *names, table="panel"):
    """Raise DataError where a column holds values other than 0 and 1 (or False and True)."""
    for name in names:
        if not set(frame[name].dropna().unique()) <= {0, 1}:
            raise DataError(f"{table}, column {name!r}: holds values other than 0 and 1. Recode it.")


def constant_within(frame, name, unit, mend, table="panel"):
    """Raise DataError where a column changes within a unit."""
    if (frame.groupby(unit)[name].nunique() > 1).any():
        raise DataError(f"{table}, column {name!r}: changes within a unit. {mend}")


def unused(frame, *names):
    """Return column names that the frame doesn't hold yet: ``names``, with underscores added where needed."""
    found = []
    for name in names:
        while name in frame.columns:
            name += "_"
        found.append(name)
    return found


def times_as_numbers(times, starts=None, *, table="panel"):
    """Return times, and the starts that go with them, as numbers on one scale.

    Numbers, and text that reads as numbers, stay as they are. Dates that all stand on one day of the year, and
    yearly periods, become their year; other dates and periods are counted from the first, in steps of the
    smallest that divides them all (a month where they stand on one day of the month or on its last, else a
    day). Raises DataError where times are neither, or starts of another kind.
    """
    both = [times] if starts is None else [times, starts]
    dated = [is_dated(column) for column in both]
    if all(dated):
        counted = _counted(pd.concat(both, keys=range(len(both))))
        counted = [counted.loc[k].set_axis(column.index) for k, column in enumerate(both)]
        steps = np.diff(np.unique(counted[0].dropna().to_numpy()))
        step = float(np.gcd.reduce(steps.astype(int))) if len(steps) and not _yearly(times) else 1.0
        first = 0.0 if _yearly(times) else counted[0].min()
        numbers = [(column - first) / step for column in counted]
    else:
        numbers = [_numeric(column, table) for column in both]
    return numbers[0] if starts is None else tuple(numbers)


def is_dated(column):
    """Whether a column holds dates or periods."""
    return isinstance(column.dtype, pd.PeriodDtype) or pd.api.types.is_datetime64_any_dtype(column)


def _yearly(times):
    if isinstance(times.dtype, pd.PeriodDtype):
        return times.dtype.freq.rule_code.startswith(("Y", "A"))
    known = times.dropna().dt
    return known.month.nunique() <= 1 and known.day.nunique() <= 1


def _counted(times):
    """Return years, months, days or periods as whole numbers."""
    if isinstance(times.dtype, pd.PeriodDtype) and not _yearly(times):
        return pd.Series(times.array.asi8.astype(float), index=times.index).where(times.notna())
    if _yearly(times):
        return times.dt.year.astype(float).where(times.notna())
    known = times.dropna().dt
    if known.day.nunique() == 1 or known.is_month_end.all():
        return (12 * times.dt.year + times.dt.month).astype(float)
    return (times - times.min()).dt.days.astype(float)


def _numeric(column, table):
    try:
        if is_dated(column):
            raise TypeError(f"holds dates ({column.dtype}) where other times are numbers")
        return pd.to_numeric(column).astype(float)
    except (TypeError, ValueError) as why:
        raise DataError(
            f"{table}, column {column.name!r}: {why}. Write times as numbers, dates or periods, and leave missing "
            "what never happened."
        ) from None
