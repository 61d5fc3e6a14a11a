"""Units as captions, headers and cells write them: "triệu đồng", "Bill. dongs", "nghìn người", "%"."""

import re
from dataclasses import dataclass

from evalkit.load.text import fold


@dataclass(frozen=True)
class Unit:
    """``name`` is the base unit ("VND", "percent", "households", …), None for a bare scale such as "million".

    A printed figure times ``10 ** exponent`` is in the base unit; ``per`` is "month" or "year" where stated.
    """

    name: str | None
    exponent: int = 0
    per: str | None = None


_SCALES = {
    3: "nghìn ngàn ng thousand thousands thous k",
    6: "triệu tr million millions mill mil mi mn trđ trd",
    9: "tỷ tỉ billion billions bill bil bn tyđ tyd",
    12: "trillion trillions trn",
}
_NAMES = {
    "VND": "đồng đ dong dongs vnd vnđ d",
    "USD": "usd",
    "percent": "% percent phần_trăm per_cent pct",
    "households": "hộ households household hhs hộ_gia_đình",
    "persons": "người persons person pers people nhân_khẩu khẩu",
    "loans": "món loans",
    "days": "ngày days",
    "km": "km",
    "m": "m",
    "ha": "ha hecta",
    "tonnes": "tấn tonnes tons",
}
_PER = {"month": "tháng month", "year": "năm year"}
# Vietnamese scales with no noun are money ("12 tỷ 300 triệu"); English ones may count anything.
_MONEY_SCALES = frozenset(fold(word) for word in ("nghìn", "ngàn", "triệu", "tr", "trđ", "tỷ", "tỉ"))


def _lookup(spellings):
    return {_fold(word.replace("_", " ")): key for key, words in spellings.items() for word in words.split()}


def _fold(text):
    return "%" if text.strip() == "%" else fold(text)


_SCALE_OF, _NAME_OF, _PER_OF = map(_lookup, (_SCALES, _NAMES, _PER))
_SHORT_FOR_MONEY = frozenset({"trd", "tyd"})
_POWER = re.compile(r"1(?:[., ]?000)+(?![0-9])")
_WORD = re.compile(r"%|[^\W\d_]+")
_CAPTION = re.compile(
    r"(?:đơn vị(?: tính)?|đvt|unit(?: of measure)?)\s*[:：]\s*(?P<unit>[^()\n;]+)", re.IGNORECASE
)
_BRACKETS = re.compile(r"[(\[]([^()\[\]]*)[)\]]")


def parse_unit(text):
    """``Unit`` that ``text`` names as a whole ("triệu đồng/người/năm"), or None where a word is foreign.

    "triệu đồng" is VND × 10⁶; "tỷ" alone is VND × 10⁹, "billion" alone a scale without a name.
    """
    amount, *divisors = re.split(r"\s*/\s*|\bmột\b|\bper\b(?!\s*cent)", text.strip(" .").lower())
    exponent, name, bare_scale = 0, None, None
    if power := _POWER.match(amount):
        exponent = power[0].count("0")
        amount = amount[power.end() :]
    words = [_fold(word) for word in _WORD.findall(amount)]
    if not words or re.search(r"[0-9²³]", amount):
        return None
    phrase = " ".join(words)
    if phrase in _NAME_OF:
        name, words = _NAME_OF[phrase], []
    for i, word in enumerate(words):
        rest = " ".join(words[i:])
        if rest in _NAME_OF and name is None:
            name = _NAME_OF[rest]
            break
        if word not in _SCALE_OF:
            return None
        exponent += _SCALE_OF[word]
        bare_scale = word
        if word in _SHORT_FOR_MONEY:
            name = "VND"
    if name is None and bare_scale in _MONEY_SCALES:
        name = "VND"
    per = None
    for divisor in divisors:
        folded = _fold(divisor)
        per = _PER_OF.get(folded, per)
        if folded and folded not in _PER_OF and _NAME_OF.get(folded) != "persons" and folded != "nguoi":
            return None
    return Unit(name, exponent, per)


def unit_in(text):
    """``Unit`` stated inside a header or caption: after "Đơn vị tính:", in brackets, after " - ", as a whole.

    None where no unit is stated. "Doanh số cho vay (triệu đồng)" and "ĐVT: Tỷ đồng" state one.
    """
    caption = _CAPTION.search(text)
    candidates = [caption["unit"].strip(" .")] if caption else []
    candidates += _BRACKETS.findall(text)
    candidates += re.split(r"\s+[-–—]\s*|\n|,\s", text)[::-1]
    return next((unit for c in candidates if (unit := parse_unit(c))), None)


def caption_unit(text):
    """``Unit`` of a line that says only a unit ("Đơn vị: Triệu đồng", "%", "Nghìn người - Thous. Pers.")."""
    caption = _CAPTION.search(text)
    if caption:
        return parse_unit(caption["unit"].strip(" ."))
    parts = [parse_unit(part) for part in re.split(r"\s+[-–—]\s*|\n", text.strip(" ().")) if part.strip()]
    return (
        parts[0] if parts and None not in parts and len({(u.name, u.exponent) for u in parts}) == 1 else None
    )


def bracketed_unit(text):
    """``Unit`` that stands in brackets in a title: "Thu nhập bình quân (triệu đồng/người/năm)"; else None."""
    return next((unit for inside in _BRACKETS.findall(text) if (unit := parse_unit(inside))), None)


def without_unit(text):
    """Header ``text`` without the unit it states, for matching: "Dư nợ (triệu đồng)" gives "Dư nợ"."""
    text = _BRACKETS.sub(lambda m: " " if parse_unit(m[1]) else m[0], text)
    text = _CAPTION.sub(" ", text)
    parts = re.split(r"(\s+[-–—]\s*|,\s|\n)", text)
    while len(parts) > 2 and parse_unit(parts[-1]):
        del parts[-2:]
    return "".join(parts).strip()
