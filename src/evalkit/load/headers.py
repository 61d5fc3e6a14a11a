"""Which column of the schema a header means: by its usual spellings only, a near miss is proposed.

A table keyed by programme may have its programmes side by side; a header then names a programme, and the
figure or not: ``across`` settles what such a bare column holds.
"""

import re
from dataclasses import dataclass
from functools import lru_cache

from evalkit.load import schema
from evalkit.load.blocks import paths
from evalkit.load.rows import filled, is_figure, is_numbering, is_year, lone_text, vocabulary
from evalkit.load.said import Said, joined
from evalkit.load.terms import TOTAL, programme_names
from evalkit.load.text import fold, nearest, nfc
from evalkit.load.units import Unit, caption_unit, parse_unit, unit_in, without_unit

_YEAR = re.compile(
    r"(?:(?:đến|tính đến|thời điểm|ngày|tại|as of|at)\s+)*(?:31\s*[/.]\s*12\s*[/.]\s*|năm\s*|year\s*)?"
    r"\b((?:19|20)\d{2})\b",
    re.IGNORECASE,
)
_MARK = re.compile(r"\(\s*(?:\*+|\d{1,2}|[a-d])\s*\)|\*+|[¹²³†‡]")
_OF_WHICH = re.compile(r"^\s*(?:trong đó|tr\.?\s*đó|of which|in which)\s*[:,-]?\s*", re.IGNORECASE)
_PRELIMINARY = re.compile(r"\b(?:sơ bộ|prel(?:iminary)?\b\.?|pre\.)", re.IGNORECASE)
_HIGHEST_HEADER = 6
_SEARCHED_ROWS = 80


@dataclass(frozen=True)
class Column:
    """A column of a sheet: position, header as written, the ``field`` it means (or None), unit and year.

    ``programme`` is the code that the header names where programmes stand side by side. ``bare``: it names a
    programme or a year and no field. ``of_which``: it stands under "Trong đó", as a part of a column before.
    """

    position: int
    header: str
    field: str | None
    unit: Unit | None = None
    year: int | None = None
    preliminary: bool = False
    programme: str | None = None
    bare: bool = False
    of_which: bool = False


@lru_cache(maxsize=32)
def spellings(table):
    """{folded spelling: field name} of a table; for one with codes also those of the place's name."""
    found = {}
    for name, field in schema.fields(table).items():
        for spelling in (name, *field["label"].values(), *field.get("aliases", ())):
            found.setdefault(fold(without_unit(spelling)), name)
    if "code" in schema.fields(table):
        rows_are_places = set(schema.key(table)) <= {"code", "year", "programme", "standard", "basis"}
        for spelling in schema.fields("communes")["name"]["aliases"]:
            if rows_are_places or fold(spelling) not in ("ten", "name"):  # else that of a person or a group
                found.setdefault(fold(spelling), "name")
    return found


def read_columns(path_of, table):
    """``Column`` for each header path, () paths left out."""
    columns = [_column(j, path, table) for j, path in enumerate(path_of) if path]
    if "programme" not in schema.key(table) or any(c.field == "programme" for c in columns):
        return columns
    spread = [_column(j, path, table, by_programme=True) for j, path in enumerate(path_of) if path]
    return spread if len({c.programme for c in spread} - {None, TOTAL}) > 1 else columns


def _column(position, path, table, *, by_programme=False):
    header = " / ".join(" ".join(part.split()) for part in path)
    preliminary = any(_PRELIMINARY.search(part) for part in path)
    years, parts, unit = set(), [], None
    for part in path:
        usual = fold(part) in spellings(table)
        if usual and caption_unit(part):  # "households" heads a column, though it is a unit too
            parts.append(part)
            continue
        unit = unit_in(part) or unit
        part = _PRELIMINARY.sub(" ", _MARK.sub(" ", part))
        if not usual and not (by_programme and _programme_in(part)):
            years.update(map(int, _YEAR.findall(part)))
            part = _YEAR.sub(" ", part)
        if caption_unit(part) is None:
            parts.append(_OF_WHICH.sub("", without_unit(part)))
    parts = tuple(filter(fold, parts))
    programme = None
    if by_programme and (named := [part for part in parts if _programme_in(part)]):
        programme = _programme_in(named[-1])
        parts = tuple(part for part in parts if _programme_in(part) != programme)
    field = _field(parts, table)
    year = years.pop() if len(years) == 1 else None
    empty = all(fold(part) in vocabulary()["neutral"] for part in parts)
    bare = field is None and empty and bool(programme or year)
    of_which = any(_OF_WHICH.match(part) or fold(part) == "chia ra" for part in path)
    return Column(position, header, field, unit, year, preliminary, programme, bare, of_which)


def _programme_in(part):
    return programme_names().get(fold(without_unit(part)))


@lru_cache(maxsize=4096)
def _field(parts, table):
    known = spellings(table)
    if name := known.get(fold(" ".join(parts))):
        return name
    parts = [part for part in parts if fold(part) not in vocabulary()["neutral"]]
    if not parts:
        return None
    meant = [_spelled(part, known) for part in parts]
    if len(parts) == 1:
        return meant[0]
    words = {word for part in parts for word in fold(part).split()}
    for spelling, name in known.items():
        if words == set(spelling.split()):
            return name
    *above, leaf = meant
    if leaf is not None and all(parent is not None and _holds(table, parent, leaf) for parent in above):
        return leaf
    return None


def _spelled(part, known):
    """The field that a header cell names, whole or in either of its two languages."""
    for text in (part, *re.split(r"\n|\s+[-–]\s*|\s/\s", part)):
        if name := known.get(fold(text)):
            return name
    return None


def _holds(table, parent, leaf):
    """Whether ``leaf`` may be a part of ``parent``: the same unit, under the table's required total."""
    fields = schema.fields(table)
    if parent == leaf:
        return True
    return (
        parent in fields
        and leaf in fields
        and parent in schema.required(table)
        and fields[parent].get("unit") is not None
        and fields[parent].get("unit") == fields[leaf].get("unit")
    )


def propose(header, table):
    """A sentence that proposes the column which an unknown ``header`` may mean, or None."""
    spelling = nearest(header, spellings(table)) or nearest(header.rsplit(" / ", 1)[-1], spellings(table))
    if spelling is None:
        return None
    name = spellings(table)[spelling]
    usual = schema.fields(table).get(name, {"label": {"vi": "Tên"}})["label"]["vi"]
    return Said(
        "column “{header}” was not read; it may mean {column}. If so, head it “{usual}”.",
        header=header,
        column=name,
        usual=usual,
    )


def no_header(grids, table):
    """A sentence that says which headers a table needs, and proposes what texts of the sheets may mean."""
    needed = ", ".join(f"“{schema.label(table, name, 'vi')}”" for name in schema.required(table))
    texts = [c for grid in grids for row in grid.rows[:30] for _, c in filled(row) if isinstance(c, str)]
    proposals = list(dict.fromkeys(filter(None, (propose(nfc(text), table) for text in texts))))[:5]
    said = Said(
        "{file}: no header row of {table} was found. Needed: {columns}.",
        file=grids[0].file,
        table=table,
        columns=needed,
    )
    return joined([said, *proposals])


def header_by_schema(rows, merged, table):
    """A ``find_header`` for a table of the schema: the rows whose texts name most of its columns.

    A later header counts as one where it repeats at least half of the first one's texts.
    """
    first = _first_header(rows, merged, table)
    if first is None:
        return lambda start: None
    texts = {cell for i in first for cell in rows[i] if isinstance(cell, str)}

    def find(start):
        if start <= first.start:
            return first
        for i in range(start, len(rows)):
            if 2 * len(texts.intersection(c for c in rows[i] if isinstance(c, str))) >= len(texts):
                return range(i, min(i + len(first), len(rows)))
        return None

    return find


def _first_header(rows, merged, table):
    named_by = {}
    top_rows = rows[:_SEARCHED_ROWS]
    for top in range(len(top_rows)):
        for stop in range(top + 1, min(top + _HIGHEST_HEADER, len(top_rows)) + 1):
            if not filled(rows[top]) or _is_data(rows[stop - 1]):
                break
            columns = read_columns(paths(rows[:stop], merged, range(top, stop)), table)
            bare = [c for c in columns if c.bare]
            named = [(c.field, c.year, c.programme) for c in columns if c.field]
            named += [(None, c.year, c.programme) for c in bare if len(bare) > 1]
            # A field named twice is a header cut short: its lower row tells the two columns apart.
            named_by[top, stop] = 2 * len(set(named)) - len(named)
    needed = min(2, len(schema.required(table)))
    best = max(named_by, key=lambda run: (named_by[run], run[0] - run[1], -run[0]), default=None)
    if best is None or named_by[best] < needed:
        return None
    top, stop = best
    covered = [
        b + 1 for t, _, b, _ in merged if top <= t < stop and not any(map(_is_data, rows[stop : b + 1]))
    ]
    stop = max([stop, *covered])
    while stop < len(rows) and _divides_header(rows, merged, table, top, stop):
        stop += 1
    return range(top, stop)


def _divides_header(rows, merged, table, top, stop):
    """Whether row ``stop``, right under a header, says what its columns hold ("Số tiền"; "triệu đồng").

    Its cells are words of headers; a row of other texts must leave as many columns with a field as before.
    """
    cells = filled(rows[stop])
    first = next((j for j, _ in filled(rows[top])), 0)
    if not cells or cells[0][0] <= first or any(is_figure(c) or not isinstance(c, str) for _, c in cells):
        return False
    text = lone_text(rows[stop])
    if text is not None and caption_unit(text) and parse_unit(text.strip(" ()")) is None:
        return False
    if all(_is_header_word(cell, table) for _, cell in cells):
        return True
    before, after = (
        len({c.field for c in read_columns(paths(rows[:end], merged, range(top, end)), table)} - {None})
        for end in (stop, stop + 1)
    )
    return text is None and after >= before


def _is_header_word(cell, table):
    words = vocabulary()
    text = fold(_OF_WHICH.sub("", without_unit(_MARK.sub(" ", cell))))
    known = words["neutral"] | words["measure"] | spellings(table).keys()
    return text in known or parse_unit(cell.strip(" ()")) is not None


def _is_data(row):
    """Whether ``row`` holds a typed figure that is no year, which a header never does."""
    return any(is_figure(c) and not isinstance(c, str) and not is_year(c) for c in row) and not is_numbering(
        row
    )
