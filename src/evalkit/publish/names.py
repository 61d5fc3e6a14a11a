"""Names, dates and years as a reader of each language sorts, types and reads them."""

import unicodedata
from datetime import date

ALPHABET = "aăâbcdđeêghiklmnoôơpqrstuưvxy"
TONES = "\u0300\u0309\u0303\u0301\u0323"  # huyền, hỏi, ngã, sắc, nặng: the dictionary's order
FIRST_STRONG, END = "\u2068", "\u2069"


def fold(text):
    """Return the text as a hurried reader types it: no accents, no case, đ as d, single spaces."""
    plain = "".join(c for c in unicodedata.normalize("NFD", text.lower()) if unicodedata.category(c) != "Mn")
    return " ".join(plain.replace("đ", "d").split())


def alphabetical(text):
    """Sort key of the Vietnamese dictionary: letters (a ă â b c d đ …), then tones, then code points."""
    letters, tones = [], []
    for character in unicodedata.normalize("NFC", text.lower()):
        parts = unicodedata.normalize("NFD", character)
        letter = unicodedata.normalize("NFC", "".join(c for c in parts if c not in TONES))
        place = ALPHABET.find(letter)
        letters.append((1, place, "") if place >= 0 else (int(letter.isalpha()) * 2, 0, letter))
        tones.append(next((TONES.index(c) + 1 for c in parts if c in TONES), 0))
    return letters, tones, text


def isolate(text):
    """Wrap a name so that right-to-left marks in it can't reorder the words around it (for titles)."""
    return f"{FIRST_STRONG}{text}{END}"


def date_text(iso, lang):
    """Return an ISO date as 01/07/2025 (Vietnamese) or 1 July 2025 (English); empty for none."""
    if not iso:
        return ""
    from babel.dates import format_date

    pattern = "dd/MM/yyyy" if lang == "vi" else "d MMMM y"
    return format_date(date.fromisoformat(str(iso)[:10]), pattern, locale=lang)


def years_text(years):
    """Return years with runs joined: (2014, 2015, 2016, 2024) gives "2014–2016, 2024"."""
    runs = []
    for year in sorted({int(year) for year in years or ()}):
        if runs and year == runs[-1][1] + 1:
            runs[-1][1] = year
        else:
            runs.append([year, year])
    return ", ".join(str(first) if first == last else f"{first}–{last}" for first, last in runs)


def tongue(title):
    """Return the language that a title is read aloud in: Vietnamese where it has a letter of its alphabet alone."""
    return "vi" if fold(title) != title.casefold() else "en"
