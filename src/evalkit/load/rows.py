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
    cells = [int(c) if isinstance(c, float) and c % 1 == 0 else c for _, c in filled(row)]
    texts = [str(c).strip() for c in cells]
    if len(texts) < 2 or not all(_ORDINAL.fullmatch(t) or _COLUMN_FORMULA.fullmatch(t) for t in texts):
        return False
    numbers = [int(m[0]) for t in texts if (m := re.search(r"\d+", t))]
    letters = [t.strip("()") for t in texts if not re.search(r"\d", t)]
    return (
        numbers == list(range(numbers[0], numbers[0] + len(numbers))) if numbers else True
    ) and letters == sorted(set(letters)) and (len(letters) + len(numbers) == len(texts)) and (
        not numbers or numbers[0] in (1, len(letters) + 1)
    )  # fmt: skip


def is_total(label):
    """Whether ``label`` opens with a word for a total: "Tổng số", "Cộng huyện Tam Nông", but not "Cộng Hòa"."""
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
