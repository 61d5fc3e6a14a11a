"""The one door of publishing: private notebooks in, a folder of plain pages out."""

import os
import shutil
from pathlib import Path

from evalkit.errors import DataError
from evalkit.publish.collect import DATASET, blocks
from evalkit.publish.download import table_csv
from evalkit.publish.pages import HERE, LANGUAGES, Pages
from evalkit.publish.places import checked
from evalkit.publish.svg import drawing

META = ("title", "source", "rights", "simulated", "years", "generated", "version")


def site(private, out, places, *, meta, words, languages=("vi", "en")):
    """Write ``out/site`` from the marked outputs in ``private`` and return the path of its index page.

    private: folder with ``<place_id>/<lang>/<notebook>.ipynb``, executed; nothing but the outputs bearing
    evalkit's own MIME type is read. places: one dict per place, see ``evalkit.publish.places.checked``.
    meta: title, source, rights (text, or text by language), simulated, years, generated, version.
    words(msgid, lang, **parts) gives the wording. The first language is the one a reader meets first.

    The folder is written aside and renamed, so a reader sees the old site or the new one, whole; the same
    input gives the same bytes.

    Raises DataError for places, languages or payloads that break their contract, and where ``out/site`` is
    some other folder; nothing is written then.
    """
    places = checked(places)
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
    shutil.rmtree(aside, ignore_errors=True)
    aside.mkdir(parents=True)
    try:
        _write(aside, Path(private), _pages(places, Path(private), meta, languages, words))
        _replace(target, aside)
    finally:
        shutil.rmtree(aside, ignore_errors=True)
    return target / "index.html"


def _pages(places, private, meta, languages, words):
    dataset = all(any((private / DATASET / lang).glob("*.ipynb")) for lang in languages)
    return Pages(places, meta=meta, languages=languages, words=words, has_dataset=dataset)


def _write(folder, private, pages):
    shutil.copytree(HERE / "assets", folder / "assets")
    for lang in pages.languages:
        _save(folder / lang / "index.html", pages.index(lang))
        for place in pages.places:
            _write_place(folder / lang / place["place_id"], private, place, lang, pages)
        if pages.has_dataset:
            found = blocks(private, DATASET, lang)
            _write_blocks(folder / lang / DATASET, found, {"place_id": DATASET, "code": "", "name": ""})
            _save(folder / lang / DATASET / "index.html", pages.dataset(found, lang))
    _save(folder / "index.html", pages.index(pages.languages[0], at_root=True))


def _write_place(folder, private, place, lang, pages):
    found = blocks(private, place["place_id"], lang) if place["status"] == "published" else []
    _write_blocks(folder, found, place)
    _save(folder / "index.html", pages.place(place, found, lang))


def _write_blocks(folder, found, place):
    for block in found:
        if block["svg"]:
            svg, block["width"], block["height"] = drawing(block["svg"], block["where"])
            _save(folder / f"{block['anchor']}.svg", svg)
        if block["raw"]:
            _save(folder / f"{block['anchor']}.csv", table_csv(block, place))


def _save(path, text):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(text.encode("utf-8", errors="replace"))


def _replace(target, aside):
    old = target.with_name(f".site-{os.getpid()}-old")
    if target.exists():
        target.rename(old)
    aside.rename(target)
    shutil.rmtree(old, ignore_errors=True)


def _check_languages(languages):
    unknown = [code for code in languages if code not in LANGUAGES]
    if unknown or not languages:
        raise DataError(
            f"publish: languages {tuple(languages)!r}. Use one or more of: {', '.join(LANGUAGES)}."
        )
