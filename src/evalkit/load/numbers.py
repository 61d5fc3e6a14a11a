"""Numbers as Vietnamese reports write them: which figure a text means, and when that can't be known."""

import math
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from itertools import pairwise

from evalkit.errors import NumberError
from evalkit.load.text import fold
from evalkit.load.units import Unit, parse_unit

# The three signs for a gap are the statistical yearbooks' own: "-" nothing occurred, ".." occurred and not
# collected, "x" can't occur. None of them is zero.
_GAPS = {
    "-": "none_occurred", "–": "none_occurred", "—": "none_occurred", "−": "none_occurred",
    "..": "not_collected", "...": "not_collected", "…": "not_collected", "n/a": "not_collected",
    "na": "not_collected", "x": "not_applicable", "×": "not_applicable",
}  # fmt: skip
_QUALIFIERS = {
    "over": "trên hơn over more_than above",
    "nearly": "gần nearly almost",
    "about": "khoảng about around approximately ~ ≈",
    "under": "dưới under less_than below chưa_đến",
}
_QUALIFIER_OF = {w.replace("_", " "): flag for flag, words in _QUALIFIERS.items() for w in words.split()}
_QUALIFIED = re.compile(
    r"(?P<word>" + "|".join(sorted(map(re.escape, _QUALIFIER_OF), key=len, reverse=True)) + r")\s*(?=[\d(-])",
    re.IGNORECASE,
)
_MARKS = {
    "preliminary": r"\((?:sơ bộ|sb|p|prel(?:iminary|\.)?)\)|sơ bộ|prel(?:iminary)?\.?|pre\.",
    "estimated": r"\((?:ước(?: tính| thực hiện)?|ưth|e|est(?:imated?|\.)?)\)|ước(?: tính| thực hiện)?|est(?:imate[d]?)?\.",
    "footnote": r"\(?\*+\)?|(?<=[0-9%])\s?[¹²³⁴⁵⁶⁷⁸⁹⁰]+\)?|[†‡]|(?<=[0-9%\s])\((?:[0-9]|[a-d])\)$|\[[0-9]\]$",
}
_MARK = {flag: re.compile(pattern, re.IGNORECASE) for flag, pattern in _MARKS.items()}
_EXCEL_ERROR = re.compile(r"#(?:REF!|DIV/0!|VALUE!|NAME\?|N/A|NUM!|NULL!|GETTING_DATA)", re.IGNORECASE)

_SPACES = re.compile(r"[\s\u00a0\u2007\u2009\u202f]+")
_CURRENCY_FIRST = re.compile(r"(?P<currency>VND|VNĐ|USD)\s*(?P<amount>[0-9(-].*)", re.IGNORECASE)
_PART = re.compile(r"(?P<digits>[0-9][0-9.,'’ ]*(?<=[0-9])|[0-9])\s*(?P<unit>[^0-9]*)")
_BARE = re.compile(r"[0-9](?:[0-9.,]*[0-9])?")
_PLAIN = re.compile(r"[0-9]+")
_SCIENTIFIC = re.compile(r"[+-]?[0-9]+(?:[.,][0-9]+)?[eE][+-]?[0-9]+")
_DOT_THOUSANDS = re.compile(r"[1-9][0-9]{0,2}(?:\.[0-9]{3})+(?:,[0-9]+)?|[0-9]+,[0-9]+")
_COMMA_THOUSANDS = re.compile(r"[1-9][0-9]{0,2}(?:,[0-9]{3})+(?:\.[0-9]+)?|[0-9]+\.[0-9]+")
_OTHER_THOUSANDS = re.compile(r"[1-9][0-9]{0,2}(?:[ '’][0-9]{3})+(?:[.,][0-9]+)?")
_BARE_SCALES = frozenset({"nghin", "ngan", "trieu", "tr", "ty", "ti"})


@dataclass(frozen=True)
class Number:
    """A figure read from text: ``value`` in the base ``unit`` ("VND", "percent", …; None if not stated).

    ``flags`` hold what the text says beside the figure: preliminary, estimated, footnote, over, nearly,
    about, under; and where ``value`` is NaN the kind of gap: none_occurred, not_collected, not_applicable.
    """

    value: float
    unit: str | None = None
    flags: tuple[str, ...] = ()


def parse_number(text, *, unit=None):
    """The ``Number`` that ``text`` means.

    ``unit`` (such as "triệu đồng") is that of a text that states none. Dot thousands and decimal comma, the
    reverse, spaces for thousands, a leading sign or brackets for negatives, compound amounts ("12 tỷ 300
    triệu") and footnote or preliminary marks are read. "246.795 triệu" is in Vietnamese words and so in
    Vietnamese digits: 246,795 million.

    Raises NumberError for what is no number and for a text with two readings: a lone "1.234" is 1,234 or
    1.234. In a column the other values decide: ``read_numbers``.
    """
    readings = number_readings(text, unit=unit)
    number = _settled(readings)
    if number is not None or _in_vietnamese_digits(text):
        return number or readings["dot"]
    values = " or as ".join(f"{reading.value:,.15g}" for reading in readings.values())
    raise NumberError(f'"{text}" reads as {values}. Write it without a thousands mark, as in 1234 or 1234,5.')


def number_readings(text, *, unit=None):
    """The possible readings of ``text``, by convention: {"dot": Number, "comma": Number}.

    "dot" groups thousands by dots (Vietnamese), "comma" by commas (English). A text that only one of them
    allows has one entry; one that says nothing of the convention has two equal ones. Raises NumberError for
    none.
    """
    given = _given_unit(unit)
    if isinstance(text, str):
        return _from_text(text, given)
    if isinstance(text, bool) or text is None:
        raise NumberError(f"{text!r} is no number.")
    return _from_figure(text, given)


def _given_unit(unit):
    if unit is None or isinstance(unit, Unit):
        return unit
    if (parsed := parse_unit(unit)) is None:
        raise NumberError(f'unit "{unit}" is not known. Write it as in "triệu đồng", "tỷ đồng", "%", "hộ".')
    return parsed


def _from_figure(figure, given):
    if isinstance(figure, Number):
        if given and given.name not in (None, figure.unit):
            raise NumberError(f"{figure.value:g} % is in {figure.unit} where {given.name} is expected.")
        return _same(figure)
    try:
        value = float(figure)
    except (TypeError, ValueError):
        raise NumberError(f"{figure!r} is no number.") from None
    if not math.isfinite(value):
        raise NumberError(f"{figure!r} is no number.")
    unit = given or Unit(None)
    return _same(Number(scale(value, unit.exponent), unit.name))


def _same(number):
    return {"dot": number, "comma": number}


def scale(value, exponent):
    """``value`` × 10 ** ``exponent``, rounded once: 12.3 × 10⁹ is 12300000000, without a binary remainder."""
    return float(f"{value!r}e{exponent}") if exponent else value


@lru_cache(maxsize=65536)
def _from_text(text, given):
    if _BARE.fullmatch(text):
        unit = given or Unit(None)
        values = {c: _digits(text, unit.exponent, c) for c in ("dot", "comma")}
        found = {c: Number(value, unit.name) for c, value in values.items() if value is not None}
        return found or _ungrouped(text)
    return _from_words(text, given)


def _from_words(text, given):
    body = _SPACES.sub(" ", text).strip()
    name = given.name if given else None
    if _EXCEL_ERROR.search(body):
        raise NumberError(f'"{text}" is an error of the spreadsheet, not a number. Mend the formula.')
    if body.startswith("="):
        raise NumberError(
            f'"{text}" is a formula without a stored result. Open the file, calculate and save it.'
        )
    if gap := _GAPS.get(body.lower()):
        return _same(Number(math.nan, name, (gap,)))
    if first := _CURRENCY_FIRST.fullmatch(body):
        body = f"{first['amount']} {first['currency']}"
    if _SCIENTIFIC.fullmatch(body):
        unit = given or Unit(None)
        value = scale(float(body.replace(",", ".")), unit.exponent)
        return _same(Number(value, unit.name, ("scientific",)))
    flags = []
    if qualified := _QUALIFIED.match(body):
        flags.append(_QUALIFIER_OF[qualified["word"].lower()])
        body = body[qualified.end() :]
    for flag, mark in _MARK.items():
        stripped = mark.sub(" ", body).strip()
        if stripped != body and stripped:
            flags.append(flag)
            body = stripped
    negative, body = _sign(body, text)
    amounts = _amounts(body, text, given)
    return {
        convention: Number(-value if negative else value, unit, tuple(flags))
        for convention, (value, unit) in amounts.items()
    }


def _sign(body, text):
    """Whether ``body`` is negative, by a sign or by brackets, and what stands inside."""
    if bracketed := re.fullmatch(r"\((?P<inside>[^()]*)\)(?P<unit>[^\d()]*)", body):
        inside = bracketed["inside"].strip()
        if inside[:1] in "-−–+":
            raise NumberError(f'"{text}" has both brackets and a sign. Write one of them.')
        return True, f"{inside} {bracketed['unit']}".strip()
    if body[:1] in ("-", "−", "–"):
        return True, body[1:].lstrip()
    return False, body.removeprefix("+").lstrip()


def _amounts(body, text, given):
    """{convention: (value in the base unit, unit name)} of an amount: one part, or "12 tỷ 300 triệu"."""
    parts = list(_PART.finditer(body))
    if not parts or "".join(part[0] for part in parts).strip() != body:
        raise NumberError(f'"{text}" is no number.')
    units = [_part_unit(part["unit"], text, given, alone=len(parts) == 1) for part in parts]
    if any(later.exponent >= earlier.exponent for earlier, later in pairwise(units)):
        raise NumberError(f'"{text}" is not one number.')
    if len({unit.name for unit in units}) > 1:
        raise NumberError(f'"{text}" mixes units.')
    found = {}
    for convention in ("dot", "comma"):
        values = [
            _digits(part["digits"], unit.exponent, convention)
            for part, unit in zip(parts, units, strict=True)
        ]
        if None not in values:
            found[convention] = (math.fsum(values), units[0].name)
    return found or _ungrouped(text)


def _ungrouped(text):
    raise NumberError(f'"{text}" groups its digits neither as 1.234.567,8 nor as 1,234,567.8.')


def _part_unit(words, text, given, *, alone):
    words = words.strip(" .;")
    if not words and alone:
        return given or Unit(None)
    unit = parse_unit(words)
    if unit is None:
        raise NumberError(f'"{text}" holds "{words}", which is no unit that is known.')
    if given is None or given.name is None:
        return unit
    if unit.name is None or fold(words) in _BARE_SCALES:
        return Unit(given.name, unit.exponent, given.per)
    if unit.name != given.name:
        raise NumberError(f'"{text}" is in {unit.name} where {given.name} is expected.')
    return unit


def _in_vietnamese_digits(text):
    """Whether Vietnamese words follow the dots of ``text``: who writes "246.795 triệu" groups by dots."""
    return (
        isinstance(text, str)
        and "," not in text
        and any(word.isalpha() and not word.isascii() for word in re.findall(r"[0-9]\s*([^\W\d]+)", text))
    )


def _digits(digits, exponent, convention):
    """Value of ``digits`` under ``convention``, or None where the convention does not allow them."""
    if _PLAIN.fullmatch(digits):
        plain = digits
    elif _OTHER_THOUSANDS.fullmatch(digits) and ("." if convention == "dot" else ",") not in digits:
        plain = re.sub(r"[ '’]", "", digits).replace(",", ".")
    elif convention == "dot" and _DOT_THOUSANDS.fullmatch(digits):
        plain = digits.replace(".", "").replace(",", ".")
    elif convention == "comma" and _COMMA_THOUSANDS.fullmatch(digits):
        plain = digits.replace(",", "")
    else:
        return None
    return float(f"{plain}e{exponent}")


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
    given = _given_unit(unit)
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
            faults[i] = str(error)
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
    if (number := _settled(readings)) is not None:
        return number
    possible = {c: number for c, number in readings.items() if admissible is None or admissible(number.value)}
    if len(shown) == 1:
        return possible.get(next(iter(shown)))
    if shown:
        return None
    if len(possible) == 1:
        return next(iter(possible.values()))
    return possible.get("dot") if _in_vietnamese_digits(text) else None


def _settled(readings):
    """The ``Number`` on which all of ``readings`` agree, or None."""
    first, *others = readings.values()
    return first if not others or math.isnan(first.value) or first == others[0] else None


def _ambiguous(text, readings, shown):
    values = " or as ".join(f"{reading.value:,.15g}" for reading in readings.values())
    why = "the column's other values do not settle it" if shown else "nothing else in the column decides"
    return f'"{text}" reads as {values}, and {why}. Write it without a thousands mark, as in 1234 or 1234,5.'
