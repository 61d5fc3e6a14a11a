"""The one door of publishing: private notebooks in, a folder of plain pages out."""

import os
import shutil
from pathlib import Path

from evalkit.errors import DataError
from evalkit.publish.collect import LEVELS, SLUG, blocks
from evalkit.publish.download import table_csv
from evalkit.publish.pages import HERE, LANGUAGES, TABLE_WORDS, Pages
from evalkit.publish.svg import drawing

STATUSES = ("published", "failed", "no_data")
TEXTS = ("code", "name", "type", "district", "province", "valid_from", "valid_to", "level", "reason")
LISTS = ("successors", "predecessors", "years", "coverage")
META = ("title", "source", "rights", "simulated", "years", "generated", "version")


def site(private, out, places, *, meta, words, languages=("vi", "en")):
    """Write ``out/site`` from the marked outputs in ``private`` and return the path of its index page.

    private: folder with ``<place_id>/<lang>/<notebook>.ipynb``, executed; nothing but the outputs bearing
    evalkit's own MIME type is read. places: one dict per place (place_id, code, name, type, district,
    province, valid_from, valid_to, successors and predecessors as dicts with name, code, place_id and date,
    level, kinds, years, coverage, status, reason). meta: title, source, rights (text, or text by language),
    simulated, years, generated, version. words(msgid, lang, **parts) gives the wording. The first language
    is the one a reader meets first.

    The folder is written aside and renamed, so a reader sees the old site or the new one, whole; the same
    input gives the same bytes. Raises DataError for an unknown status, language or table, a place given
    twice, a payload that breaks the contract, and where ``out/site`` is some other folder.
    """
    places = _checked(places)
    _check_languages(languages)
    absent = [key for key in META if key not in meta]
    if absent:
        raise DataError(f"publish: meta lacks {', '.join(absent)}. Give an empty text where there is none.")
    target = Path(out) / "site"
    if target.exists() and any(target.iterdir()) and not (target / "assets" / "style.css").is_file():
        raise DataError(
            f"{target}: this folder is no site of evalkit and is left alone. Move it or choose another."
        )

    aside = target.with_name(f".site-{os.getpid()}")
    aside.mkdir(parents=True)
    try:
        _write(aside, Path(private), Pages(places, meta=meta, languages=languages, words=words))
        _replace(target, aside)
    finally:
        shutil.rmtree(aside, ignore_errors=True)
    return target / "index.html"


def _write(folder, private, pages):
    shutil.copytree(HERE / "assets", folder / "assets")
    for lang in pages.languages:
        _save(folder / lang / "index.html", pages.index(lang))
        for place in pages.places:
            _write_place(folder / lang / place["place_id"], private, place, lang, pages)
    _save(folder / "index.html", pages.index(pages.languages[0], at_root=True))


def _write_place(folder, private, place, lang, pages):
    found = blocks(private, place["place_id"], lang) if place["status"] == "published" else []
    for block in found:
        if block["svg"]:
            svg, block["width"], block["height"] = drawing(block["svg"], block["where"])
            _save(folder / f"{block['anchor']}.svg", svg)
        if block["raw"]:
            _save(folder / f"{block['anchor']}.csv", table_csv(block, place))
    _save(folder / "index.html", pages.place(place, found, lang))


def _save(path, text):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(text.encode("utf-8", errors="replace"))


def _replace(target, aside):
    old = target.with_name(f".site-{os.getpid()}-old")
    if target.exists():
        target.rename(old)
    aside.rename(target)
    shutil.rmtree(old, ignore_errors=True)


def _checked(places):
    known, result = set(), []
    for given in places:
        name = given.get("place_id")
        if not isinstance(name, str) or not SLUG.fullmatch(name):
            raise DataError(
                f"places: place_id {name!r} can't be a folder's name. Use letters, digits, - and _."
            )
        if name in known:
            raise DataError(f"places: {name} is given twice. Tell the two apart by the date of validity.")
        known.add(name)
        place = {
            "place_id": name,
            "status": given.get("status") or "published",
            "kinds": given.get("kinds") or 0,
        }
        place |= {key: str(given.get(key) or "") for key in TEXTS}
        place |= {key: list(given.get(key) or ()) for key in LISTS}
        _one_of(place["status"], STATUSES, f"{name}: status")
        _one_of(place["level"], ("", *LEVELS), f"{name}: level")
        for table in place["coverage"]:
            _one_of(table, TABLE_WORDS, f"{name}: coverage")
        result.append(place)
    return result


def _one_of(value, allowed, what):
    if value not in allowed:
        raise DataError(
            f"places: {what} {value!r} is unknown. Use one of: {', '.join(filter(None, allowed))}."
        )


def _check_languages(languages):
    unknown = [code for code in languages if code not in LANGUAGES]
    if unknown or not languages:
        raise DataError(
            f"publish: languages {tuple(languages)!r}. Use one or more of: {', '.join(LANGUAGES)}."
        )
