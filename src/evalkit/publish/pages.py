"""From blocks and places to pages: all wording through the caller's catalogue, every text escaped."""

import re
from datetime import date
from functools import cache
from pathlib import Path
from types import SimpleNamespace

from evalkit.publish.collect import LEVELS, SECTIONS
from evalkit.publish.names import alphabetical, date_text, fold, isolate, years_text
from evalkit.publish.places import TABLES

HERE = Path(__file__).parent
LANGUAGES = {"vi": "Tiếng Việt", "en": "English"}
SLOT = re.compile("\ue000(\\w+)\ue001")

# msgids; the catalogue holds the words
SECTION_TITLES = dict(zip(SECTIONS, ("Policy credit", "Poverty and income", "Evaluation"), strict=True))
LEVEL_WORDS = dict(
    zip(
        LEVELS,
        (
            "one place described",
            "compared with others on the same basis",
            "association across places, with fixed effects and uncertainty",
            "a design whose checks pass",
            "an experiment",
        ),
        strict=True,
    )
)
TABLE_WORDS = dict(zip(TABLES, ("credit", "savings-and-loan groups", "poverty", "income"), strict=True))
TYPE_WORDS = {
    "xã": ("commune", "{name} commune"),
    "phường": ("ward", "{name} ward"),
    "thị trấn": ("township", "{name} township"),
    "huyện": ("district", "{name} district"),
    "quận": ("urban district", "{name} urban district"),
    "thị xã": ("town", "{name} town"),
    "thành phố": ("city", "{name} city"),
    "tỉnh": ("province", "{name} province"),
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


@cache
def _environment():
    from jinja2 import Environment, FileSystemLoader, StrictUndefined

    environment = Environment(
        loader=FileSystemLoader(HERE / "templates"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.globals |= {
        "section_titles": SECTION_TITLES,
        "level_words": LEVEL_WORDS,
        "table_words": TABLE_WORDS,
        "isolate": isolate,
        "years_text": years_text,
    }
    return environment


class Pages:
    """Renders the pages of one site; ``page_ids`` are the places that have a page to link to."""

    def __init__(self, places, *, meta, languages, words, has_dataset=False):
        self.places = sorted(places, key=lambda p: (alphabetical(p["name"]), p["place_id"]))
        self.meta, self.languages, self.words = meta, languages, words
        self.has_dataset = has_dataset
        self.page_ids = {place["place_id"] for place in places}
        self.template = _environment().get_template

    def index(self, lang, *, at_root=False):
        """Return the index of all places; at the site's root the same page in the first language."""
        switch = "{code}/index.html" if at_root else "../{code}/index.html"
        common = self._common(lang, root="" if at_root else "../", home="index.html", switch=switch)
        return self.template("index.html").render(
            **common,
            rows=[self._row(place) for place in self.places],
            base=f"{lang}/" if at_root else "",
            has_dataset=self.has_dataset,
            has={
                key: any(p[key] for p in self.places)
                for key in ("district", "province", "level", "kinds", "years")
            },
            provinces=sorted({p["province"] for p in self.places if p["province"]}, key=alphabetical),
            levels=sorted({p["level"] for p in self.places if p["level"]}),
        )

    def place(self, place, blocks, lang):
        """Return the page of one place from its blocks (none for a place that has no report)."""
        switch = f"../../{{code}}/{place['place_id']}/index.html"
        common = self._common(lang, root="../../", home="../index.html", switch=switch)
        of_section = {
            name: [b for b in blocks if b["section"] == name and b["kind"] != "place"] for name in SECTIONS
        }
        return self.template("place.html").render(
            **common,
            place=place,
            summary=next((b for b in blocks if b["kind"] == "place"), None),
            sections=of_section,
        )

    def dataset(self, blocks, lang):
        """Return the page on the data set as a whole: its quality, from the notebooks that run once."""
        common = self._common(
            lang, root="../../", home="../index.html", switch="../../{code}/dataset/index.html"
        )
        return self.template("dataset.html").render(**common, blocks=blocks)

    def _row(self, place):
        others = [*place["predecessors"], *place["successors"]]
        return place | {
            "find": " | ".join(fold(place[key]) for key in ("name", "code", "district", "province")),
            "also": " | ".join(f"{fold(other['name'])} {other['code']}".strip() for other in others),
            "last_year": max(place["years"], default=""),
        }

    def _common(self, lang, *, root, home, switch):
        t = translator(self.words, lang)
        return {
            "lang": lang,
            "root": root,
            "home": home,
            "t": t,
            "meta": SimpleNamespace(**{key: _in_language(value, lang) for key, value in self.meta.items()}),
            "languages": [(code, LANGUAGES[code], switch.format(code=code)) for code in self.languages],
            "when": lambda iso: date_text(iso, lang),
            "type_word": lambda kind: t(TYPE_WORDS[kind][0]) if kind in TYPE_WORDS else kind,
            "full_name": lambda place, name: (
                t(TYPE_WORDS[place["type"]][1], name=name) if place["type"] in TYPE_WORDS else name
            ),
            "page_of": lambda other: other["place_id"] if other["place_id"] in self.page_ids else "",
            "generated": _generated(self.meta["generated"], lang),
        }


def _in_language(value, lang):
    return value.get(lang) or next(iter(value.values()), "") if isinstance(value, dict) else value


def _generated(value, lang):
    try:
        date.fromisoformat(str(value)[:10])
    except ValueError:
        return value
    return date_text(value, lang)
