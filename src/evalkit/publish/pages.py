"""From blocks and places to pages: all wording through the caller's catalogue, every text escaped."""

from functools import cache
from pathlib import Path
from types import SimpleNamespace

from evalkit.present.words import decimal
from evalkit.publish import formal, law, methods, provenance, rows
from evalkit.publish.collect import SECTIONS
from evalkit.publish.names import alphabetical, date_text, fold, isolate, years_text
from evalkit.publish.questions import questions
from evalkit.publish.wording import (
    DATASET_TITLES,
    LANGUAGES,
    LEVEL_WORDS,
    N_,
    SECTION_TITLES,
    TABLE_WORDS,
    TYPE_WORDS,
    day,
    full_name,
    in_language,
    translator,
)

HERE = Path(__file__).parent
LONG_TABLE = 24  # rows; a longer table is folded, and on paper left out unless it was opened
LONG = 400  # places; a longer index is drawn by script alone, and stands by district for readers without
NAVIGATION = (
    ("index.html", N_("Overview")),
    ("places/index.html", N_("Places")),
    ("dataset/comparison.html", DATASET_TITLES["comparison"]),
    ("dataset/impact.html", DATASET_TITLES["impact"]),
    ("dataset/data_quality.html", DATASET_TITLES["data_quality"]),
    ("methods/index.html", N_("Methods")),
    ("changes/index.html", N_("What changed")),
    ("data/index.html", N_("Data to take away")),
)


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
        "body": rows.body,
        "LONG_TABLE": LONG_TABLE,
        "SHOWN": provenance.SHOWN,
        "formal": formal,
        "years_text": years_text,
    }
    return environment


class Pages:
    """Renders the pages of one site; ``held`` are the paths, below the language, of the pages that it has."""

    def __init__(self, places, *, meta, languages, words, held=("index.html", "places/index.html")):
        self.places = sorted(places, key=lambda p: (alphabetical(p["name"]), p["place_id"]))
        self.meta, self.languages, self.words, self.held = meta, languages, words, set(held)
        self.page_ids = {place["place_id"] for place in places}
        self.by_district = _by_district(self.places) if len(self.places) > LONG else {}
        self.translate = {lang: translator(words, lang) for lang in languages}
        self.template = _environment().get_template

    def overview(self, lang, content, *, at_root=False):
        """Return the first page; at the site's root the same page in the first language."""
        common = self.common(lang, "index.html", at_root=at_root)
        return self.template("overview.html").render(**common, **content)

    def index(self, lang):
        """Return the index of all places."""
        return self._listed(lang, "places/index.html", self.places, long=bool(self.by_district))

    def district(self, lang, slug):
        """Return the places of one district, for readers without script where the index is long."""
        title, places = self.by_district[slug]
        return self._listed(lang, f"places/{slug}.html", places, title=title)

    def _listed(self, lang, path, places, *, title="", long=False):
        return self.template("index.html").render(
            **self.common(lang, path),
            rows=[self._row(place) for place in places],
            total=len(places),
            title=title,
            long=long,
            by_district=[(slug, name, len(own)) for slug, (name, own) in self.by_district.items()],
            has={
                key: any(p[key] for p in places)
                for key in ("district", "province", "level", "kinds", "years")
            },
            provinces=sorted({p["province"] for p in places if p["province"]}, key=alphabetical),
            levels=sorted({p["level"] for p in places if p["level"]}),
        )

    def place(self, place, blocks, lang, *, downloads=()):
        """Return the page of one place from its blocks (none for a place that has no report)."""
        of_section = {
            name: [b for b in blocks if b["section"] == name and b["kind"] != "place"] for name in SECTIONS
        }
        return self.template("place.html").render(
            **self.common(lang, f"{place['place_id']}/index.html"),
            place=place,
            summary=next((b for b in blocks if b["kind"] == "place"), None),
            sections=of_section,
            questions=questions(blocks),
            downloads=downloads,
        )

    def dataset(self, name, blocks, lang):
        """Return the page of one notebook on the data set as a whole."""
        common = self.common(lang, f"dataset/{name}.html")
        title = common["t"](DATASET_TITLES[name]) if name in DATASET_TITLES else name
        blocks = [b | {"title": ""} if b["title"] == title else b for b in blocks]  # the page says it
        return self.template("dataset.html").render(**common, title=title, blocks=blocks)

    def methods(self, lang):
        """Return {path: page} on how figures are made: indicators, measures and designs, law and series."""
        t = self.translate[lang]
        content = {
            "indicators": {
                "entries": [
                    (name, title, [e for e in methods.indicators() if e["section"] == name])
                    for name, title in methods.SECTIONS.items()
                ]
            },
            "measures": {"modules": [(m, methods.MODULES[m], own) for m, own in methods.functions().items()]},
            "reference": {"tables": law.reference_tables(lang, t)},
            "index": {"glossary": law.glossary(lang, t)},
        }
        return {
            f"methods/{name}.html": self.template(f"methods_{name}.html").render(
                **self.common(lang, f"methods/{name}.html"), **parts
            )
            for name, parts in content.items()
        }

    def changes(self, lang, content):
        """Return the page on what changed since the last release."""
        return self.template("changes.html").render(**self.common(lang, "changes/index.html"), **content)

    def data(self, lang, content):
        """Return the page of what can be taken away."""
        return self.template("data.html").render(**self.common(lang, "data/index.html"), **content)

    def run(self, lang, content):
        """Return the page on how the reports were made."""
        return self.template("run.html").render(**self.common(lang, "run/index.html"), **content)

    def _row(self, place):
        others = [*place["predecessors"], *place["successors"]]
        return place | {
            "find": " | ".join(fold(place[key]) for key in ("name", "code", "district", "province")),
            "also": " | ".join(f"{fold(other['name'])} {other['code']}".strip() for other in others),
            "last_year": max(place["years"], default=""),
        }

    def common(self, lang, path, *, at_root=False):
        """Return what every page shows and links to; ``path`` is the page's own, below its language."""
        t = self.translate[lang]
        root = "" if at_root else "../" * (path.count("/") + 1)
        return {
            "lang": lang,
            "root": root,
            "here": f"{lang}/" if at_root else "../" * path.count("/"),
            "path": path,
            "navigation": [(p, t(title)) for p, title in NAVIGATION if p in self.held],
            "held": self.held,
            "t": t,
            "meta": SimpleNamespace(**{key: in_language(value, lang) for key, value in self.meta.items()}),
            "languages": [(code, LANGUAGES[code], f"{root}{code}/{path}") for code in self.languages],
            "number": lambda value, digits=1: decimal(value, lang, digits),
            "when": lambda iso: date_text(iso, lang),
            "type_word": lambda kind: t(TYPE_WORDS[kind][0]) if kind in TYPE_WORDS else kind,
            "full_name": lambda place, name: full_name(t, place, name),
            "page_of": lambda other: other["place_id"] if other["place_id"] in self.page_ids else "",
            "generated": day(self.meta["generated"], lang),
        }


def _by_district(places):
    members = {}
    for place in places:
        members.setdefault((place["province"], place["district"]), []).append(place)
    found = {}
    for province, district in sorted(members, key=lambda pair: tuple(map(alphabetical, pair))):
        title = ", ".join(filter(None, (district, province)))
        slug = "-".join(fold(title).replace(",", " ").split()) or "other"
        slug = "".join(c for c in slug if c.isalnum() or c == "-")
        while slug in found or slug == "index":
            slug += "-2"
        found[slug] = (title, members[province, district])
    return found
