"""A commune's report as PDF: the same blocks as on its page, typeset (extra `pdf`)."""

import json
import tempfile
from pathlib import Path

from evalkit.errors import EvalkitError
from evalkit.publish.provenance import SHOWN
from evalkit.publish.wording import LEVEL_WORDS, SECTION_TITLES, day

TEMPLATE = Path(__file__).parent / "templates" / "report.typ"
NARROW = 8  # characters of the longest cell, below which a column grows no narrower


def report_pdf(place, blocks, pages, lang):
    """Return the PDF of a place's report as bytes: fonts embedded, tagged, the same bytes for the same input.

    blocks: as on its page, with their checked drawings. Raises EvalkitError where typst isn't installed or
    refuses the document.
    """
    try:
        import typst
    except ImportError:
        raise EvalkitError("--pdf needs typst. Install evalkit[pdf].") from None

    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        content = _content(place, blocks, pages, lang, folder)
        (folder / "report.json").write_text(json.dumps(content, ensure_ascii=False), encoding="utf-8")
        (folder / "report.typ").write_bytes(TEMPLATE.read_bytes())
        try:
            return typst.compile(folder / "report.typ", root=folder, ignore_system_fonts=True)
        except typst.TypstError as fault:
            raise EvalkitError(f"{place['place_id']}, {lang}: the PDF was not made: {fault}.") from None


def _content(place, blocks, pages, lang, folder):
    common = pages.common(lang, f"{place['place_id']}/index.html")
    t, meta = common["t"], common["meta"]
    facts = [t("Code {code}", code=place["code"])] if place["code"] else []
    facts += [place["district"], place["province"]]
    if place["level"]:
        facts.append(f"{place['level']}: {t(LEVEL_WORDS[place['level']])}")
    marks = getattr(meta, "fingerprints", None)
    prints = {key: value[:SHOWN] for key, value in marks.items()} if marks else {}
    shown = [b for b in blocks if b["kind"] != "place"]
    head = next((b for b in blocks if b["kind"] == "place"), None)
    return {
        "lang": lang,
        "title": str(common["full_name"](place, place["name"]).unescape()),
        "dataset": meta.title,
        "simulated": _simulated(t) if meta.simulated else "",
        "facts": " · ".join(str(fact) for fact in facts if fact),
        "lead": head["paragraphs"] if head else [],
        "footer": f"evalkit {meta.version} · {day(meta.generated, lang)}"
        + (f" · {t('data {data}, code {code}, environment {environment}', **prints)}" if prints else ""),
        "sections": [
            {"title": str(t(title)), "pieces": [_piece(b, t, folder) for b in shown if b["section"] == name]}
            for name, title in SECTION_TITLES.items()
        ],
    }


def _simulated(t):
    return f"{t('Simulated data').unescape()}: {t('these figures describe no real place.').unescape()}"


def _piece(block, t, folder):
    figure = ""
    if block["svg"]:
        figure = f"{block['anchor']}.svg"
        (folder / figure).write_text(block["svg"], encoding="utf-8")
    items = [
        {
            "text": item["text"] or item["url"],
            "url": item["url"] if (item["url"] or "").startswith(("https://", "http://")) else "",
            "mark": str(t("not verified")) if item["verified"] is False else "",
        }
        for item in block["items"]
    ]
    kept = {key: block[key] for key in ("kind", "title", "paragraphs", "alt", "caption", "notes", "columns")}
    rows = [[str(cell) for cell in row] for row in block["rows"]]
    return kept | {
        "level": block["level"] or "",
        "figure": figure,
        "items": items,
        "rows": rows,
        "widths": _widths(block["columns"], rows),
    }


def _widths(columns, rows):
    longest = [
        max([len(str(column["label"])) // 2, *(len(row[i]) for row in rows)])
        for i, column in enumerate(columns)
    ]
    return [max(n, NARROW) ** 0.5 for n in longest]  # long texts break, so they need less than their share
