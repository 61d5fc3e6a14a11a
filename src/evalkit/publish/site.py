"""The one door of publishing: private notebooks in, a folder of plain pages out."""

import shutil
from pathlib import Path

from evalkit.errors import DataError
from evalkit.folders import whole
from evalkit.publish.collect import DATASET, blocks
from evalkit.publish.download import table_csv
from evalkit.publish.pages import HERE, Pages
from evalkit.publish.places import checked
from evalkit.publish.run import run
from evalkit.publish.svg import drawing
from evalkit.publish.wording import LANGUAGES

META = ("title", "source", "rights", "simulated", "years", "generated", "version")


def site(
    private,
    out,
    places,
    *,
    meta,
    words,
    languages=("vi", "en"),
    summary=None,
    release=None,
    since=None,
    pdf=False,
):
    """Write ``out/site`` from the marked outputs in ``private`` and return the path of its first page.

    private: folder with ``<place_id>/<lang>/<notebook>.ipynb``, executed; nothing but the outputs bearing
    evalkit's own MIME type is read. places: one dict per place, see ``evalkit.publish.places.checked``.
    meta: title, source, rights (text, or text by language), simulated, years, generated, version.
    words(msgid, lang, **parts) gives the wording. The first language is the one a reader meets first.
    summary: the run of the notebooks (RunSummary). release: what is given away (evalkit.publish.release), from
    which overview, downloads and the list of changes are made. since: folder of an earlier release to compare
    with; without it the site that stood here. pdf: a PDF beside each report (needs the extra `pdf`).

    The folder is written aside and renamed, so a reader sees the old site or the new one, whole; the same
    input gives the same bytes.

    Raises DataError for places, languages or payloads that break their contract, and where ``out/site`` is
    some other folder, EvalkitError where another process is writing in ``out``; nothing is written then.
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

    with whole(target) as aside:
        private = Path(private)
        dataset = _dataset_pages(private, languages, summary)
        given = {} if release is None else _give(aside, release, since, target, words, languages)
        if summary and summary.rows:
            given["run/index.html"] = dict.fromkeys(languages, run(summary, places, languages))
        held = ["index.html", "places/index.html", "methods/index.html", *dataset, *given]
        pages = Pages(places, meta=meta, languages=languages, words=words, held=held)
        _write(aside, private, pages, summary, release, given, pdf)
    return target / "index.html"


def _dataset_pages(private, languages, summary):
    """Return {path: notebook} of the notebooks on the whole data set that ended well in every language."""
    failed = {row.name for row in summary.failed} if summary else set()
    stems = [{path.stem for path in (private / DATASET / lang).glob("*.ipynb")} for lang in languages]
    whole = [
        stem
        for stem in sorted(set.intersection(*stems))
        if not any(name.startswith(f"{DATASET}/") and name.endswith(f"/{stem}") for name in failed)
    ]
    return {f"{DATASET}/{stem}.html": stem for stem in whole}


def _give(aside, release, since, target, words, languages):
    from evalkit.publish.take_away import give

    return give(aside / "release", release, since, target, words, languages)


def _write(folder, private, pages, summary, release, given, pdf):
    from evalkit.publish.first_page import first_page
    from evalkit.publish.release import write_places

    shutil.copytree(HERE / "assets", folder / "assets")
    if release is not None:
        published = [p["place_id"] for p in pages.places if p["status"] == "published"]
        write_places(folder / "release" / "places", release, published)
    for lang in pages.languages:
        here = folder / lang
        content = first_page(pages, lang, summary, release, here)
        _save(here / "index.html", pages.overview(lang, content))
        if lang == pages.languages[0]:
            _save(folder / "index.html", pages.overview(lang, content, at_root=True))
        _save(here / "places" / "index.html", pages.index(lang))
        for slug in pages.by_district:
            _save(here / "places" / f"{slug}.html", pages.district(lang, slug))
        for path, page in pages.methods(lang).items():
            _save(here / path, page)
        for path, content in given.items():
            _save(here / path, getattr(pages, path.split("/")[0])(lang, content[lang]))
        _write_dataset(here, private, pages, lang)
        for place in pages.places:
            _write_place(here / place["place_id"], private, place, lang, pages, pdf)


def _write_dataset(here, private, pages, lang):
    stems = {Path(path).stem for path in pages.held if path.startswith(f"{DATASET}/")}
    if not stems:
        return
    found = [b for b in blocks(private, DATASET, lang) if b["notebook"] in stems]
    _write_blocks(here / DATASET, found, {"place_id": DATASET, "code": ""})
    for stem in stems:
        own = [b for b in found if b["notebook"] == stem]
        _save(here / DATASET / f"{stem}.html", pages.dataset(stem, own, lang))


def _write_place(folder, private, place, lang, pages, pdf):
    found = blocks(private, place["place_id"], lang) if place["status"] == "published" else []
    _write_blocks(folder, found, place)
    figures = folder.parents[1] / "release" / "places" / f"{place['place_id']}.csv"
    downloads = ["figures"] if figures.is_file() else []
    if found and pdf:
        from evalkit.publish.pdf import report_pdf

        folder.mkdir(parents=True, exist_ok=True)
        (folder / "report.pdf").write_bytes(report_pdf(place, found, pages, lang))
        downloads.append("report.pdf")
    _save(folder / "index.html", pages.place(place, found, lang, downloads=downloads))


def _write_blocks(folder, found, place):
    for block in found:
        if block["svg"]:
            block["svg"], block["width"], block["height"] = drawing(block["svg"], block["where"])
            _save(folder / f"{block['anchor']}.svg", block["svg"])
        if block["raw"]:
            _save(folder / f"{block['anchor']}.csv", table_csv(block, place))


def _save(path, text):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(text.encode("utf-8", errors="replace"))


def _check_languages(languages):
    unknown = [code for code in languages if code not in LANGUAGES]
    if unknown or not languages:
        raise DataError(
            f"publish: languages {tuple(languages)!r}. Use one or more of: {', '.join(LANGUAGES)}."
        )
