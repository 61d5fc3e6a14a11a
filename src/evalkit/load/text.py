"""Vietnamese text: one spelling to compare by, the original spelling to keep."""

import difflib
import re
import unicodedata
from functools import lru_cache

from evalkit.load.encodings import composed, decode, encoding_of
from evalkit.load.said import Said

__all__ = ["decode", "encoding_of", "fold", "like", "nearest", "nfc", "slug"]

# Eth is typed for Đ on keyboards without one; apostrophes vary in names such as M'Drắk and R’Lấp.
_LETTERS = str.maketrans({"đ": "d", "Đ": "d", "ð": "d", "Ð": "d", "'": None, "’": None, "‘": None, "ʼ": None})
_NOT_WORD = re.compile(r"[\W_]+")


def nfc(text):
    """``text`` in composed Unicode (NFC), runs of white and no-break spaces as one, ends trimmed, nothing invisible."""
    return " ".join(composed(text).split())


@lru_cache(maxsize=65536)
def fold(text):
    """The form of ``text`` to look up by: blind to accents, case, tone placement, punctuation and spacing.

    "Hoà Bình", "Hòa Bình", "HÒA-BÌNH" and "hoa binh" all fold to "hoa binh". Two different names can fold to
    one, so a match by ``fold`` is for finding; the original spelling is what is kept and shown.
    """
    if not text.isascii():
        decomposed = unicodedata.normalize("NFD", composed(text).translate(_LETTERS))
        text = "".join(c for c in decomposed if not unicodedata.combining(c))
    return _NOT_WORD.sub(" ", text.replace("'", "").casefold()).strip()


def slug(text):
    """``text`` for a file name or an address: "Xã Hương Nộn" gives "xa-huong-non"."""
    return fold(text).replace(" ", "-")


def nearest(name, names, *, cutoff=0.75):
    """The one of ``names`` spelled most like ``name``, to propose in a message; None where none is close."""
    by_fold = {}
    for candidate in names:
        by_fold.setdefault(fold(candidate), candidate)
    close = difflib.get_close_matches(fold(name), by_fold, n=1, cutoff=cutoff)
    return by_fold[close[0]] if close else None


def like(near):
    """Return the part of a sentence that proposes a near name; empty where there is none."""
    return Said(" (is it “{name}”?)", name=near) if near else ""
