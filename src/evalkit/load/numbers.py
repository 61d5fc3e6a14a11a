"""Numbers as Vietnamese reports write them: which figure a text means, and when that can't be known."""

import math
import re
from dataclasses import dataclass
from decimal import Decimal
from functools import lru_cache
from itertools import pairwise

from evalkit.errors import NumberError
from evalkit.load.said import Said
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
    "over": "trên hơn ít_nhất tối_thiểu không_dưới over more_than above at_least > ≥ >=",
    "nearly": "gần nearly almost",
    "about": "khoảng xấp_xỉ about around approximately ~ ≈",
    "under": "dưới không_quá tối_đa chưa_đến under less_than below at_most < ≤ <=",
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

TOO_LARGE = "“{text}” is larger than any amount. Check its digits."
_NO_NUMBER = "“{text}” is no number."
_OTHER_UNIT = "“{text}” is in {unit} where {expected} is expected."
_SPACES = re.compile(r"[\s\u00a0\u2007\u2009\u202f]+")
_CURRENCY_FIRST = re.compile(r"(?P<currency>VND|VNĐ|USD)\s*(?P<amount>[0-9(-].*)", re.IGNORECASE)
_PART = re.compile(r"(?P<digits>[0-9][0-9.,'’ ]*(?<=[0-9])|[0-9])\s*(?P<unit>[^0-9]*)")
_AND_A_HALF = re.compile(r"(?<![0-9.,])([0-9]{1,3})\s*(nghìn|ngàn|triệu|tr|tỷ|tỉ)\s*rưỡi\b", re.IGNORECASE)
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
    triệu", "3 tỷ rưỡi") and footnote or preliminary marks are read. "246.795 triệu" is in Vietnamese words and so in
    Vietnamese digits: 246,795 million.

    Raises NumberError for what is no number and for a text with two readings: a lone "1.234" is 1,234 or
    1.234. In a column the other values decide: ``read_numbers``.
    """
    readings = number_readings(text, unit=unit)
    number = settled(readings)
    if number is not None or in_vietnamese_digits(text):
        return number or readings["dot"]
    raise NumberError(
        Said(
            "{readings}. Write it without a thousands mark, as in 1234 or 1234,5.",
            readings=both_readings(text, readings),
        )
    )


def number_readings(text, *, unit=None):
    """The possible readings of ``text``, by convention: {"dot": Number, "comma": Number}.

    "dot" groups thousands by dots (Vietnamese), "comma" by commas (English). A text that only one of them
    allows has one entry; one that says nothing of the convention has two equal ones. Raises NumberError for
    none.
    """
    given = given_unit(unit)
    if isinstance(text, str):
        readings = _from_text(text, given)
        if any(math.isinf(number.value) for number in readings.values()):
            raise NumberError(Said(TOO_LARGE, text=_short(text)))
        return readings
    if isinstance(text, bool) or text is None:
        raise NumberError(Said(_NO_NUMBER, text=text))
    return _from_figure(text, given)


def _short(text):
    return text if len(text) <= 40 else f"{text[:37]}…"


def given_unit(unit):
    if unit is None or isinstance(unit, Unit):
        return unit
    if (parsed := parse_unit(unit)) is None:
        raise NumberError(
            Said("unit “{unit}” is not known. Write it as in “triệu đồng”, “tỷ đồng”, “%”, “hộ”.", unit=unit)
        )
    return parsed


def _from_figure(figure, given):
    if isinstance(figure, Number):
        if given and given.name not in (None, figure.unit):
            text = f"{figure.value:g} %"
            raise NumberError(Said(_OTHER_UNIT, text=text, unit=figure.unit, expected=given.name))
        return _same(figure)
    try:
        value = float(figure)
    except (TypeError, ValueError):
        raise NumberError(Said(_NO_NUMBER, text=figure)) from None
    if not math.isfinite(value):
        raise NumberError(Said(_NO_NUMBER, text=figure))
    unit = given or Unit(None)
    return _same(Number(scale(value, unit.exponent), unit.name))


def _same(number):
    return {"dot": number, "comma": number}


def scale(value, exponent):
    """``value`` × 10 ** ``exponent``, rounded once: 12.3 × 10⁹ is 12300000000, without a binary remainder."""
    return float(Decimal(repr(value)).scaleb(exponent)) if exponent else value


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
        raise NumberError(
            Said("“{text}” is an error of the spreadsheet, not a number. Mend the formula.", text=text)
        )
    if body.startswith("="):
        raise NumberError(
            Said(
                "“{text}” is a formula without a stored result. Open the file, calculate and save it.",
                text=text,
            )
        )
    if gap := _GAPS.get(body.lower()):
        return _same(Number(math.nan, name, (gap,)))
    if first := _CURRENCY_FIRST.fullmatch(body):
        body = f"{first['amount']} {first['currency']}"
    if _SCIENTIFIC.fullmatch(body):
        unit = given or Unit(None)
        value = scale(float(body.replace(",", ".")), unit.exponent)
        return _same(Number(value, unit.name, ("scientific",)))
    body = _AND_A_HALF.sub(r"\1,5 \2", body)
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
        convention: Number(-value if negative and value else value, unit, tuple(flags))
        for convention, (value, unit) in amounts.items()
    }


def _sign(body, text):
    """Whether ``body`` is negative, by a sign or by brackets, and what stands inside."""
    if bracketed := re.fullmatch(r"\((?P<inside>[^()]*)\)(?P<unit>[^\d()]*)", body):
        inside = bracketed["inside"].strip()
        if inside[:1] in "-−–+":
            raise NumberError(Said("“{text}” has both brackets and a sign. Write one of them.", text=text))
        return True, f"{inside} {bracketed['unit']}".strip()
    if body[:1] in ("-", "−", "–"):
        return True, body[1:].lstrip()
    return False, body.removeprefix("+").lstrip()


def _amounts(body, text, given):
    """{convention: (value in the base unit, unit name)} of an amount: one part, or "12 tỷ 300 triệu"."""
    parts = list(_PART.finditer(body))
    if not parts or "".join(part[0] for part in parts).strip() != body:
        raise NumberError(Said(_NO_NUMBER, text=text))
    units = [_part_unit(part["unit"], text, given, alone=len(parts) == 1) for part in parts]
    if any(later.exponent >= earlier.exponent for earlier, later in pairwise(units)):
        raise NumberError(Said("“{text}” is not one number.", text=text))
    if len({unit.name for unit in units}) > 1:
        raise NumberError(Said("“{text}” mixes units.", text=text))
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
    raise NumberError(
        Said("“{text}” groups its digits neither as 1.234.567,8 nor as 1,234,567.8.", text=text)
    )


def _part_unit(words, text, given, *, alone):
    words = words.strip(" .;")
    if not words and alone:
        return given or Unit(None)
    if not words:
        raise NumberError(
            Said("“{text}” has a part without a unit. Write it as in “1 tỷ 200 triệu”.", text=text)
        )
    unit = parse_unit(words)
    if unit is None:
        raise NumberError(
            Said("“{text}” holds “{words}”, which is no unit that is known.", text=text, words=words)
        )
    if given is None or given.name is None:
        return unit
    if unit.name is None or fold(words) in _BARE_SCALES:
        return Unit(given.name, unit.exponent, given.per)
    if unit.name != given.name:
        raise NumberError(Said(_OTHER_UNIT, text=text, unit=unit.name, expected=given.name))
    return unit


def in_vietnamese_digits(text):
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


def settled(readings):
    """The ``Number`` on which all of ``readings`` agree, or None."""
    first, *others = readings.values()
    return first if not others or math.isnan(first.value) or first == others[0] else None


def both_readings(text, readings):
    first, second = (reading.value for reading in readings.values())
    return Said("“{text}” reads as {first} or as {second}", text=text, first=first, second=second)
