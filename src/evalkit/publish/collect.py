"""What a notebook marked for readers, and nothing else of it."""

import json
import re
from pathlib import Path

from evalkit.errors import DataError

MIME = "application/vnd.evalkit.v1+json"
SECTIONS = ("credit", "poverty_income", "evaluation")
DATASET = "dataset"  # the folder of the notebooks that run once for the whole data set
DATASET_SECTIONS = ("quality", "comparison", "impact")
KINDS = ("place", "figure", "table", "text", "notice", "claims", "sources")
LEVELS = ("L0", "L1", "L2", "L3", "L4")
SLUG = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9_-]*[A-Za-z0-9])?")
COLUMN = {"label": "", "numeric": False, "unit": ""}
ITEM = {"text": "", "url": "", "verified": None}
TEXTS = ("title", "caption", "alt", "svg")


def blocks(private, place_id, lang):
    """Return the marked outputs of one place in one language: the sections' order, then the notebook's.

    Reads ``private/<place_id>/<lang>/*.ipynb``. Each block is the payload with every field present, its
    ``anchor`` (``<section>-<id>``, unique on the page), ``notebook`` and ``where`` (file and output, for messages).
    Raises DataError for a payload that breaks the contract and for a place without any marked output.
    """
    folder = Path(private) / place_id / lang
    found = [block for path in _notebooks(folder) for block in _marked(path, lang)]
    if not found:
        raise DataError(
            f"{folder}: no notebook here holds an output for readers, yet the place counts as published. "
            "Run its notebooks again, or give it the status failed."
        )
    anchors = [block["anchor"] for block in found if block["kind"] != "place"]
    twice = next((anchor for anchor in anchors if anchors.count(anchor) > 1), None)
    if twice:
        raise DataError(f"{folder}: two outputs are both called {twice!r}. Give one another id.")
    return found


def _notebooks(folder):
    rank = {name: order for order, name in enumerate(SECTIONS)}
    return sorted(folder.glob("*.ipynb"), key=lambda path: (rank.get(path.stem, len(rank)), path.name))


def _marked(path, lang):
    try:
        notebook = json.loads(path.read_text(encoding="utf-8"))
    except ValueError as fault:
        raise DataError(f"{path}: no notebook can be read here ({fault}). Run it again.") from None
    outputs = (output for cell in notebook.get("cells", ()) for output in cell.get("outputs", ()))
    marked = (output["data"][MIME] for output in outputs if MIME in (output.get("data") or {}))
    return [
        _block(payload, lang, f"{path}, output {n}") | {"notebook": path.stem}
        for n, payload in enumerate(marked, 1)
    ]


def _block(payload, lang, where):
    if not isinstance(payload, dict):
        raise DataError(f"{where}: the output for readers is a {type(payload).__name__}, not an object.")
    kind, section, slug = (payload.get(key) for key in ("kind", "section", "id"))
    _one_of(kind, KINDS, "kind", where)
    if kind != "place" or section:
        _one_of(section, (*SECTIONS, *DATASET_SECTIONS), "section", where)
    if not isinstance(slug, str) or not SLUG.fullmatch(slug):
        raise DataError(f"{where}: id {slug!r} is no stable name. Use letters, digits, - and _.")
    if payload.get("lang") not in (None, lang):
        raise DataError(
            f"{where}: {slug} speaks {payload['lang']!r} in the folder of {lang!r}. Run it again."
        )
    if payload.get("level"):
        _one_of(payload["level"], LEVELS, "level", where)
    block = {"kind": kind, "id": slug, "section": section, "level": payload.get("level")}
    block |= {"anchor": f"{section}-{slug}" if section else slug, "where": f"{where} ({slug})"}
    block |= {key: str(payload.get(key) or "") for key in TEXTS}
    block |= {key: list(payload.get(key) or ()) for key in ("rows", "raw", "notes", "paragraphs")}
    block["columns"] = [COLUMN | column for column in payload.get("columns") or ()]
    block["items"] = [ITEM | item for item in payload.get("items") or ()]
    if kind == "figure" and not (block["svg"] and block["alt"].strip()):
        raise DataError(f"{where}: figure {slug} lacks its drawing or its text alternative. Give both.")
    _rectangular(block)
    block["columns"] = [c | {"look": _look(c, i, block["rows"])} for i, c in enumerate(block["columns"])]
    return block


def _look(column, position, rows):
    """Return the class of a column: numeric or not, and how much room its longest text needs."""
    longest = max((len(str(row[position])) for row in rows), default=0)
    room = "short" if longest <= 14 else "middling" if longest <= 24 else "long"
    return f"num {room}" if column["numeric"] else room


def _one_of(value, allowed, name, where):
    if value not in allowed:
        raise DataError(f"{where}: {name} {value!r} is unknown. Use one of: {', '.join(allowed)}.")


def _rectangular(block):
    width = len(block["columns"])
    for name, rows in (("rows", block["rows"]), ("raw", block["raw"])):
        for number, row in enumerate(rows, 1):
            if len(row) != width:
                raise DataError(
                    f"{block['where']}: {name} {number} has {len(row)} cells for {width} columns."
                )
    if block["raw"] and len(block["raw"]) != len(block["rows"]):
        raise DataError(
            f"{block['where']}: {len(block['raw'])} raw rows stand behind {len(block['rows'])} shown ones. "
            "Give a null for each value that stays hidden."
        )
