"""What a row of a sheet is: data, or a title, column numbers, a heading, a subtotal, a note."""

import datetime
import json
import re
from functools import lru_cache
from importlib.resources import files

from evalkit.errors import NumberError
from evalkit.load.numbers import Number, number_readings
from evalkit.load.text import fold
from evalkit.load.units import caption_unit

_FOOTNOTE = re.compile(r"\s*(?:\(\s*\*+\s*\)|\*+|\(\d{1,2}\)|\d{1,2}/|[¹²³†‡])\s*\S")
_SIGNATURE = re.compile(r"ngày\b.*\btháng\b.*\bnăm\b", re.IGNORECASE)
_YEAR = re.compile(r"(?:năm\s*|year\s*|x)?(?:19|20)\d{2}", re.IGNORECASE)
_ORDINAL = re.compile(r"\(?(?:[A-ZĐa-z]|\d{1,2})\)?")
_COLUMN_FORMULA = re.compile(r"\(?\d{1,2}\)?\s*=\s*[\d()+\-*/x:%\s]+")
_OUTLINE = re.compile(r"(?:[IVXL]+|[A-HĐ])\.?")


@lru_cache(maxsize=1)
def vocabulary():
    """Words that mark rows and headers, folded: {"total": …, "regions": …, "note": …, "neutral": …}."""
    text = files("evalkit.load").joinpath("vocabulary.json").read_text(encoding="utf-8")
    return {kind: frozenset(map(fold, words)) for kind, words in json.loads(text).items()}


def filled(row):
    """[(position, cell)] of the cells of ``row`` that are not empty."""
    return [(j, cell) for j, cell in enumerate(row) if cell is not None]


def count_filled(row):
    """How many cells of ``row`` are not empty."""
    return len(row) - row.count(None)


def is_year(cell):
    """Whether ``cell`` names a year: 2019, "2019", "Năm 2019"."""
    if isinstance(cell, str):
        return _YEAR.fullmatch(cell.strip()) is not None
    return is_figure(cell) and not isinstance(cell, Number) and 1900 <= cell <= 2100 and cell % 1 == 0


def is_figure(cell):
    """Whether ``cell`` is a number, typed or in text, or one of the signs for a gap."""
    if isinstance(cell, str):
        return _text_is_figure(cell)
    return isinstance(cell, (int, float, Number)) and not isinstance(cell, bool)


@lru_cache(maxsize=65536)
def _text_is_figure(text):
    try:
        return bool(number_readings(text))
    except NumberError:
        return False


def is_date(cell):
    return isinstance(cell, (datetime.date, datetime.time))


def is_numbering(row):
    """Whether ``row`` numbers the columns: A, B, 1, 2, 3, "4=5+6"."""
    numbers, letters = [], []
    for _, cell in filled(row):
        text = str(int(cell) if isinstance(cell, float) and cell % 1 == 0 else cell).strip()
        if not (_ORDINAL.fullmatch(text) or _COLUMN_FORMULA.fullmatch(text)):
            return False
        number = re.search(r"\d+", text)
        if number:
            numbers.append(int(number[0]))
        else:
            letters.append(text.strip("()"))
    starts = (1, len(letters) + 1)
    in_order = any(numbers == list(range(start, start + len(numbers))) for start in starts)
    return len(numbers) + len(letters) > 1 and in_order and letters == sorted(set(letters))


@lru_cache(maxsize=65536)
def is_total(label):
    """Whether ``label`` opens with a word for a total: "Cộng huyện Tam Nông" does, "Cộng Hòa" does not."""
    words = vocabulary()
    folded = fold(label)
    if folded in words["total"]:
        return True
    opening = next(
        (w for w in sorted(words["total"], key=len, reverse=True) if folded.startswith(w + " ")), None
    )
    if opening is None:
        return False
    rest = folded[len(opening) + 1 :]
    return rest[0].isdigit() or any(rest == w or rest.startswith(w + " ") for w in words["after_total"])


def is_region(label):
    """Whether ``label``, or one of the two languages it is written in, names one of the regions."""
    parts = [label, *re.split(r"\s+[-–/]\s*|\s*\n\s*|-\s|\s/\s", label)]
    return any(fold(part) in vocabulary()["regions"] for part in parts)


def is_outline(cell):
    """Whether ``cell`` is a Roman numeral or a capital that numbers a group of rows."""
    return isinstance(cell, str) and _OUTLINE.fullmatch(cell.strip()) is not None


def is_note(text):
    """Whether ``text`` opens like a note, a source, a footnote or a signature under a table."""
    folded = fold(text)
    return (
        bool(_FOOTNOTE.match(text))
        or bool(_SIGNATURE.search(text))
        or any(folded == w or folded.startswith(w + " ") for w in vocabulary()["note"])
    )


def lone_text(row):
    """The text of a row that holds one text (perhaps repeated) and nothing else, or None."""
    texts = {c.strip() if isinstance(c, str) else c for _, c in filled(row)}
    if len(texts) != 1:
        return None
    text = texts.pop()
    return text if isinstance(text, str) and not (_text_is_figure(text) and not caption_unit(text)) else None


def label_of(row):
    """The first text of ``row`` that is neither a figure nor an outline number; "" where there is none."""
    texts = (c for _, c in filled(row) if isinstance(c, str) and not _text_is_figure(c) and not is_outline(c))
    return next(texts, "")
