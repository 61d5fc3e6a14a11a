"""A column of figures: the unambiguous ones decide how the others read."""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from evalkit.errors import NumberError
from evalkit.load.numbers import (
    both_readings,
    given_unit,
    in_vietnamese_digits,
    number_readings,
    scale,
    settled,
)
from evalkit.load.said import Said, reason


@dataclass(frozen=True)
class NumberColumn:
    """Figures of one column: ``values`` (NaN where there is none), and by position ``flags`` and ``faults``.

    A position in ``faults`` holds the reason why its cell gives no figure; one in ``stated`` the unit that
    the cell itself states. ``convention`` is "dot" or "comma", None where the column shows none or both.
    """

    values: Sequence[float]
    flags: dict[int, tuple[str, ...]] = field(default_factory=dict)
    faults: dict[int, str] = field(default_factory=dict)
    stated: dict[int, str] = field(default_factory=dict)
    convention: str | None = None


def read_numbers(column, *, unit=None, admissible: Callable[[float], bool] | None = None):
    """The figures of ``column`` (a list) as a ``NumberColumn`` in the base unit; empty cells are NaN.

    A text with two readings ("1.234") is read by the convention that the unambiguous texts of the column
    share; where they share none, by ``admissible``, a law of the quantity (a count is whole, a share at
    most 100) that only one reading obeys; else it is a fault, never a guess. ``unit`` is the column's own.
    """
    given = given_unit(unit)
    exponent = given.exponent if given else 0
    values, flags, faults, stated, pending = [], {}, {}, {}, {}
    for i, cell in enumerate(column):
        if isinstance(cell, float):
            values.append(scale(cell, exponent) if math.isfinite(cell) else math.nan)
            continue
        if cell is None or (isinstance(cell, str) and not cell.strip()):
            values.append(math.nan)
            continue
        values.append(math.nan)
        try:
            pending[i] = number_readings(cell, unit=given)
        except NumberError as error:
            faults[i] = reason(error)
    shown = {next(iter(readings)) for readings in pending.values() if len(readings) == 1}
    convention = next(iter(shown)) if len(shown) == 1 else None
    for i, readings in pending.items():
        number = _decide(column[i], readings, shown, admissible)
        if number is None:
            faults[i] = _ambiguous(column[i], readings, shown)
            continue
        values[i] = number.value
        if number.flags:
            flags[i] = number.flags
        if given is None and number.unit:
            stated[i] = number.unit
    return NumberColumn(values, flags, faults, stated, convention)


def _decide(text, readings, shown, admissible):
    """The ``Number`` that ``text`` is, by the conventions ``shown`` in its column, or None: it stays open."""
    if (number := settled(readings)) is not None:
        return number
    possible = {c: number for c, number in readings.items() if admissible is None or admissible(number.value)}
    if len(shown) == 1:
        return possible.get(next(iter(shown)))
    if shown:
        return None
    if len(possible) == 1:
        return next(iter(possible.values()))
    return possible.get("dot") if in_vietnamese_digits(text) else None


def _ambiguous(text, readings, shown):
    both = both_readings(text, readings)
    if shown:
        return Said(
            "{readings}, and the column's other values do not settle it. Write it without a thousands mark, "
            "as in 1234 or 1234,5.",
            readings=both,
        )
    return Said(
        "{readings}, and nothing else in the column decides. Write it without a thousands mark, "
        "as in 1234 or 1234,5.",
        readings=both,
    )
