"""The words of the site: a translator that escapes what it is given, and the fixed lists of names."""

import re
from datetime import date
from functools import cache

from evalkit.publish.collect import LEVELS, SECTIONS
from evalkit.publish.names import date_text
from evalkit.publish.places import TABLES

LANGUAGES = {"vi": "Tiếng Việt", "en": "English"}
SLOT = re.compile("\ue000(\\w+)\ue001")


def N_(msgid):
    """Mark a message for the catalogue where it stands in a list; it is translated where it is used."""
    return msgid


SECTION_TITLES = dict(
    zip(SECTIONS, (N_("Policy credit"), N_("Poverty and income"), N_("Evaluation")), strict=True)
)
LEVEL_WORDS = dict(
    zip(
        LEVELS,
        (
            N_("one place described"),
            N_("compared with others on the same basis"),
            N_("association across places, with fixed effects and uncertainty"),
            N_("a design whose checks pass"),
            N_("an experiment"),
        ),
        strict=True,
    )
)
TABLE_WORDS = dict(
    zip(TABLES, (N_("credit"), N_("savings-and-loan groups"), N_("poverty"), N_("income")), strict=True)
)
TYPE_WORDS = {
    "xã": (N_("commune"), N_("{name} commune")),
    "phường": (N_("ward"), N_("{name} ward")),
    "thị trấn": (N_("township"), N_("{name} township")),
    "huyện": (N_("district"), N_("{name} district")),
    "quận": (N_("urban district"), N_("{name} urban district")),
    "thị xã": (N_("town"), N_("{name} town")),
    "thành phố": (N_("city"), N_("{name} city")),
    "tỉnh": (N_("province"), N_("{name} province")),
}
DATASET_TITLES = {
    "comparison": N_("Comparison of the places"),
    "impact": N_("What can be said of effects"),
    "data_quality": N_("Quality of the data"),
}


def translator(words, lang):
    """Return t(msgid, **parts) -> Markup: words from the catalogue, each part escaped on its own.

    Parts may be markup themselves (a name in <bdi>, a link); the catalogue's text never is.
    """
    from markupsafe import Markup, escape

    plain = cache(lambda msgid: escape(words(msgid, lang)))

    def t(msgid, **parts):
        if not parts:
            return plain(msgid)
        text = words(msgid, lang, **{name: f"\ue000{name}\ue001" for name in parts})
        pieces = SLOT.split(text)
        return Markup("").join(escape(parts[p] if odd % 2 else p) for odd, p in enumerate(pieces))

    return t


def full_name(t, place, name):
    """Return a place's name with its type, as a heading begins: Xã Hương Nộn; Hương Nộn commune."""
    kind = place["type"]
    if kind not in TYPE_WORDS:
        return name
    said = t(TYPE_WORDS[kind][1], name=name)
    return type(said)(said[0].upper() + said[1:])


def in_language(value, lang):
    """Return a text, or the text of the language where there is one per language."""
    if not isinstance(value, dict) or not set(value) <= set(LANGUAGES):
        return value
    return value.get(lang) or next(iter(value.values()), "")


def day(value, lang):
    """Return a date as the language writes it; what is no date stays as it is."""
    try:
        date.fromisoformat(str(value)[:10])
    except ValueError:
        return value
    return date_text(value, lang)
