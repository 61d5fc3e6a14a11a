"""Tables of the schema, read from grids: columns found by header, cells turned into the declared types."""

import re
from dataclasses import replace

import pandas as pd

from evalkit.errors import DataError
from evalkit.load import across, schema
from evalkit.load.blocks import blocks, stated_unit
from evalkit.load.body import sort_rows
from evalkit.load.captions import cut_off_of, standard_of, year_of
from evalkit.load.columns import Converted, convert
from evalkit.load.grid import letters
from evalkit.load.headers import header_by_schema, no_header, propose, read_columns
from evalkit.load.reading import Reading, combine, flag_table, nothing_read, rejected_row, rejected_table
from evalkit.load.rows import count_filled, filled, is_figure, is_total, vocabulary
from evalkit.load.said import Said, joined, reason
from evalkit.load.text import fold, nfc
from evalkit.load.units import Unit, parse_unit

NO_UNIT = "“{header}” states no unit and was read as đồng"
_NO_KEY = "no {column}: fill in “{label}”, also where it is that of the row above"
_MERGED = "“{value}” is merged over rows {first} to {last}: write in each row its own figure"
_MOVED = (
    "more cells than the {width} of the header: a comma or other mark within a cell separates it. Put quotation "
    "marks around the cell"
)
_NAME = {"name": "name", "type": "string", "label": {"vi": "Tên", "en": "Name"}}
_CODE = re.compile(r"\s*(?:[0-9]{1,5}(?:\.0)?|[a-z0-9]+(?:-[a-z0-9]+)+)\s*")


def read_by_schema(grids, table, *, unit=None, mend=()):
    """``Reading`` of ``table`` from ``grids``, in the schema's columns, types and units.

    ``unit`` is that of amounts whose header states none, in place of the sheet's caption. ``mend``: declared
    corrections (``corrections.Cell``), which replace cells that can't be read. Raises DataError
    where a required column is missing or named twice, or stated in a unit of another kind.
    """
    given = parse_unit(unit) if unit else None
    readings, empty = [], []
    for grid in grids:
        found = blocks(grid.rows, grid.merged, header_by_schema(grid.rows, grid.merged, table))
        readings += [_Table(grid, block, table, given, mend).read() for block in found]
        if not found:
            empty.append(grid)
    if not readings:
        raise DataError(no_header(grids, table))
    return combine([*readings, *map(nothing_read, empty)])


class _Table:
    """One block of a sheet on its way to a ``Reading``; the parts of the work share its columns and notes."""

    def __init__(self, grid, block, table, given, mend):
        self.grid, self.block, self.table = grid, block, table
        self.where = (
            grid.file
            if grid.sheet is None
            else Said("{file}, sheet {sheet}", file=grid.file, sheet=grid.sheet)
        )
        self.fields = schema.fields(table) | ({} if "name" in schema.fields(table) else {"name": _NAME})
        self.title = " ".join(
            nfc(c) for i in block.titles for _, c in filled(grid.rows[i]) if isinstance(c, str)
        )
        named = " ".join(filter(None, (self.title, grid.sheet)))
        self.columns, inferred = across.measured(read_columns(block.paths, table), named, table)
        self.notes = []
        self._note(*grid.notes, inferred)
        self.columns = self._years_of_rows_first()
        self.rows = self._keys_filled_down()
        self.body = sort_rows(self.rows, block, self._has_values, self._identified)
        self._leave_out_rows_without_key()
        self._leave_out_rows_of_one_figure()
        self._leave_out_rows_of_more_cells_than_the_header()
        self.unit = given or self._caption_unit()
        self.declared, self.mended, self.converted = mend, [], {}

    def _years_of_rows_first(self):
        """The columns without the years of their headers ("Dư nợ đến 31/12/2019") where each row has its own."""
        if not any(c.field == "year" for c in self.columns):
            return self.columns
        said = "the header “{header}” names a year; each row counts for the year in its own column"
        self._note(*(Said(said, header=c.header) for c in self.columns if c.field and c.year))
        return [replace(c, year=None) for c in self.columns]

    def _note(self, *sentences):
        self.notes += [self._here(sentence) for sentence in filter(None, sentences)]

    def _here(self, sentence):
        return Said("{where}: {sentence}", where=self.where, sentence=sentence)

    def read(self):
        lines = self._set_aside()
        years = sorted({c.year for c in self.columns if c.field and c.year})
        if "year" not in self.fields or any(c.field == "year" for c in self.columns):
            years = []
        programmes = dict.fromkeys(c.programme for c in self.columns if c.field and c.programme)
        asked = [(year, programme) for year in years or [None] for programme in programmes or [None]]
        for each in asked:
            self._mend(*each)
        groups = {each: self._group(*each, lines) for each in asked}
        kept = [i for i in self.body.data if i not in lines]
        parts = [
            self._part(columns, flags, [i for i in kept if self._holds(i, year, programme)])
            for (year, programme), (columns, flags) in groups.items()
        ]
        self._note_unread()
        reading = combine(parts)
        if programmes:
            self._note(across.totals_note(reading.frame, self.table))
        rejected = rejected_table([lines[i] for i in sorted(lines)])
        return replace(reading, rejected=rejected, notes=self.notes, mended=self.mended)

    def _part(self, columns, flags, kept):
        row_at = {position: k for k, position in enumerate(self.body.data)}
        take = [row_at[i] for i in kept]
        frame = pd.DataFrame(
            {name: values.iloc[take].reset_index(drop=True) for name, values in columns.items()}
        )
        frame = frame[[name for name in self.fields if name in frame]]
        origin = pd.DataFrame(
            {"file": self.grid.file, "sheet": self.grid.sheet, "row": [i + 1 for i in kept]}
        )
        new = {position: k for k, position in enumerate(kept)}
        flags = flag_table([(new[i], name, flag) for i, name, flag in flags if i in new])
        return Reading(frame, rejected_table([]), [], origin, flags)

    def _keys_filled_down(self):
        """The rows with vertically merged cells of text and key columns repeated; figures never are."""
        key = set(schema.key(self.table))
        repeat = {
            c.position for c in self.columns
            if c.field and (c.field in key or self.fields[c.field]["type"] == "string")
        }  # fmt: skip
        rows = self.grid.rows
        merged = [m for m in self.grid.merged if m[0] in self.block.body and m[1] in repeat and m[2] > m[0]]
        if merged:
            rows = [list(row) for row in rows]
            for top, left, bottom, _ in merged:
                for i in range(top + 1, min(bottom + 1, len(rows))):
                    rows[i][left] = rows[top][left]
        return rows

    def _leave_out_rows_without_key(self):
        """Set aside the rows that name no place, loan or household before their figures can sway a column."""
        key = schema.key(self.table)[0]
        j = next((c.position for c in self.columns if c.field == key), None)
        if j is None:
            return
        keyed = [i for i in self.body.data if self._cell(i, j) is not None]
        empty = Said(_NO_KEY, column=key, label=self.fields[key]["label"]["vi"])
        self.body.aside |= dict.fromkeys(set(self.body.data).difference(keyed), empty)
        self.body.data = keyed

    def _leave_out_rows_of_one_figure(self):
        """Set aside the rows over which a figure is merged: of which of them it is can't be told."""
        figures, key = self._positions("number", "integer"), set(schema.key(self.table))
        for top, left, bottom, _ in self.grid.merged:
            rows = [i for i in self.body.data if top <= i <= bottom]
            named = any(c.position == left and c.field in key for c in self.columns)
            if left in figures and not named and len(rows) > 1 and is_figure(self.rows[top][left]):
                said = Said(_MERGED, value=str(self.rows[top][left]), first=top + 1, last=bottom + 1)
                self.body.aside |= dict.fromkeys(rows, said)
                self.body.data = [i for i in self.body.data if i not in rows]

    def _leave_out_rows_of_more_cells_than_the_header(self):
        """Set aside the rows of a text file in which a separator within a cell has moved all cells behind it."""
        if self.grid.sheet is not None or not self.block.header:
            return
        width = max(len(self.grid.rows[i]) for i in self.block.header)
        moved = [i for i in self.body.data if any(cell is not None for cell in self.rows[i][width:])]
        self.body.aside |= dict.fromkeys(moved, Said(_MOVED, width=width))
        self.body.data = [i for i in self.body.data if i not in set(moved)]

    def _positions(self, *kinds):
        return [
            c.position
            for c in self.columns
            if c.field and self.fields[c.field]["type"] in kinds and c.field != "year"
        ]

    def _has_values(self, row):
        numeric = self._positions("number", "integer")
        if numeric:
            return any(j < len(row) and is_figure(row[j]) for j in numeric)
        return sum(j < len(row) and row[j] is not None for j in self._positions("string", "date")) > 1

    def _identified(self, row):
        first_key = schema.key(self.table)[0]
        j = next((c.position for c in self.columns if c.field == first_key), None)
        if j is None or j >= len(row) or row[j] is None:
            return False
        if first_key == "code":
            return _CODE.fullmatch(str(row[j])) is not None and count_filled(row) > 1
        return count_filled(row) > 1 and not is_total(str(row[j]))

    def _caption_unit(self):
        caption = stated_unit(self.rows, self.block.titles)
        under_header = [
            i for i, why in self.body.aside.items() if why == "unit" and i < min(self.body.data, default=0)
        ]
        below = stated_unit(self.rows, under_header)
        return (below or caption or (None,))[0]

    def _set_aside(self):
        """{position: line of ``rejected``} of the rows that are no data or stand under a change of unit."""
        rows, body = self.rows, self.body
        aside = dict.fromkeys((i for i in self.block.titles if filled(rows[i])), Said("title"))
        aside |= dict.fromkeys((i for i in self.block.header if filled(rows[i])), Said("header")) | body.aside
        first = min(body.data, default=0)
        change = next((i for i, why in body.aside.items() if why == "unit" and i > first), None)
        if change is not None:
            why = Said(
                "the unit changes in row {row}: put what stands under it on a sheet of its own",
                row=change + 1,
            )
            aside |= dict.fromkeys((i for i in body.data if i > change), why)
        return {i: self._rejected(i, why) for i, why in aside.items()}

    def _rejected(self, i, why, column=None, value=None):
        header, field = (column.header, column.field) if column else (None, None)
        return rejected_row(self.grid.file, self.grid.sheet, i + 1, why, self.rows[i], header, value, field)

    def _of_group(self, column, year, programme):
        of_year = column.year in (None, year) or "year" not in self.fields
        return column.field is not None and of_year and column.programme in (None, programme)

    def _holds(self, i, year, programme):
        """Whether row ``i`` has a cell for a programme; one that was never lent there has no row."""
        own = [c for c in self.columns if c.programme and self._of_group(c, year, programme)]
        return not own or any(self._cell(i, c.position) is not None for c in own)

    def _mend(self, year, programme):
        """Replace the cells that can't be read and for which a correction is declared, by the key of their rows."""
        if not self.declared:
            return
        used, constants = self._used(year, programme)
        data, key = self.body.data, schema.key(self.table)
        keys = {
            name: convert(self._cells(used[name].position), self.fields[name]).values
            if name in used
            else pd.Series([constants.get(name)] * len(data), dtype=object)
            for name in key
        }
        for cell in self.declared:
            column = used.get(cell.column)
            for k in cell.rows(keys) if column and cell.column not in key else ():
                i, j = data[k], column.position
                printed = self._cell(i, j)
                unread = isinstance(printed, str) and convert([printed], self.fields[cell.column]).faults
                if unread and nfc(printed) == nfc(cell.printed):
                    self.rows = [*self.rows]
                    self.rows[i] = [*self.rows[i][:j], cell.value, *self.rows[i][j + 1 :]]
                    self.mended.append((cell, self.grid.sheet, i + 1))

    def _used(self, year, programme):
        """({field: column}, {field: value of all rows}) for a year and programme, or for neither."""
        used = {}
        for column in self.columns:
            if not self._of_group(column, year, programme):
                continue
            if column.field in used:
                both = Said(
                    "“{first}” and “{second}” both read as {column}. Head one of them differently.",
                    first=used[column.field].header,
                    second=column.header,
                    column=column.field,
                )
                raise DataError(self._here(both))
            used[column.field] = column
        constants = self._constants(used, year)
        if programme:
            constants["programme"] = programme
        return used, constants

    def _group(self, year, programme, lines):
        """({field: values of all data rows}, flags) of the columns for a year and programme, or for neither."""
        used, constants = self._used(year, programme)
        missing = [n for n in schema.required(self.table) if n not in used and n not in constants]
        if "name" in used and "code" in missing and self.table != "communes":
            missing.remove("code")
            self._note(Said("there is no column of codes; places are named only"))
        if missing:
            self._note_unread()
            needed = ", ".join(f"{n} (“{self.fields[n]['label']['vi']}”)" for n in missing)
            said = self._here(Said("no column was read as {columns}.", columns=needed))
            raise DataError(joined([said, *self.notes]))
        values, flags = {}, []
        for name, column in used.items():
            values[name] = self._converted(column, lines, flags)
        for name, constant in constants.items():
            cells = [constant] * len(self.body.data)
            values[name] = convert(cells, self.fields[name]).values
        return values, flags

    def _cell(self, i, j):
        row = self.rows[i]
        return row[j] if j < len(row) else None

    def _cells(self, j):
        """The cells of the data rows in a column."""
        rows = map(self.rows.__getitem__, self.body.data)
        return [row[j] if j < len(row) else None for row in rows]

    def _converted(self, column, lines, flags):
        declared = self.fields[column.field]
        read = self._read_beside(column)
        faults = dict(read.faults)
        missing = read.values.isna().to_numpy().nonzero()[0].tolist()
        if column.field in schema.key(self.table) and column.field in schema.required(self.table):
            empty = Said(_NO_KEY, column=column.field, label=declared["label"]["vi"])
            faults |= {k: empty for k in missing if k not in faults}
        for k, why in faults.items():
            i = self.body.data[k]
            lines.setdefault(i, self._rejected(i, why, column, self._cell(i, column.position)))
        marks = [(k, mark) for k, found in read.flags.items() for mark in found]
        if column.preliminary:
            marks += [(k, "preliminary") for k in sorted(set(range(len(self.body.data))).difference(missing))]
        flags += [(self.body.data[k], column.field, mark) for k, mark in dict.fromkeys(marks)]
        return read.values

    def _read_beside(self, column):
        """``Converted`` cells of a column, read with those of the same field beside it: all decide "1.234"."""
        beside = [c for c in self.columns if (c.field, c.unit) == (column.field, column.unit)]
        if (column.field, column.unit) not in self.converted:
            cells = [cell for c in beside for cell in self._cells(c.position)]
            declared = self.fields[column.field]
            try:
                read = convert(cells, declared, unit=self._unit_for(column, declared))
            except DataError as error:
                said = Said(
                    "column “{header}” {fault}. Mend its unit.", header=column.header, fault=reason(error)
                )
                raise DataError(self._here(said)) from error
            self.converted[column.field, column.unit] = read
            self._note(*read.notes)
        read, size = self.converted[column.field, column.unit], len(self.body.data)
        start = size * beside.index(column)
        return Converted(
            read.values.iloc[start : start + size].reset_index(drop=True),
            {i - start: why for i, why in read.faults.items() if 0 <= i - start < size},
            {i - start: marks for i, marks in read.flags.items() if 0 <= i - start < size},
        )

    def _unit_for(self, column, declared):
        """The unit of a column: its header's, else the sheet's where that counts the same kind of thing."""
        base = declared.get("unit")
        if column.unit is not None:
            return Unit(base, column.unit.exponent) if column.unit.name is None else column.unit
        usual = {base, None if base == "VND" else base}  # "triệu" alone counts money
        if self.unit is not None and base is not None and self.unit.name in usual:
            return self.unit
        if base == "VND" and fold(column.header) != fold(declared["name"]):
            self._note(Said(NO_UNIT, header=column.header))
        return None

    def _constants(self, used, year):
        """{field: value} of columns that the sheet lacks and its captions give for all rows."""
        found = {}
        if "year" in self.fields and "year" not in used:
            try:
                named = year_of(self.title, self.grid.sheet, self.grid.file) if not year else None
            except DataError as error:
                raise DataError(self._here(reason(error))) from error
            if stated := (year, Said("header")) if year else named:
                found["year"] = stated[0]
                said = Said("the year {year} is that of the {place}", year=str(stated[0]), place=stated[1])
                self._note(said)
        if "standard" in self.fields and "standard" not in used and (standard := standard_of(self.title)):
            found["standard"] = standard
            self._note(Said("the standard {standard} is that of the title", standard=standard))
        if self.table == "loans" and "as_of" not in used and (day := cut_off_of(self.title)):
            found["as_of"] = day
            self._note(Said("the day {day} is that of the title", day=f"{day:%d/%m/%Y}"))
        if "per" in self.fields and "per" not in used:
            pers = {c.unit.per for c in used.values() if c.unit and c.unit.per}
            pers |= {self.unit.per} if not pers and self.unit and self.unit.per else set()
            if len(pers) == 1:
                found["per"] = pers.pop()
                month = Said("income is per month, as its unit says")
                self._note(month if found["per"] == "month" else Said("income is per year, as its unit says"))
        return found

    def _note_unread(self):
        unread = [c for c in self.columns if c.field is None and fold(c.header) not in vocabulary()["index"]]
        headed = {column.position for column in self.columns}
        filled_at = {j for i in self.body.data for j, _ in filled(self.rows[i])}
        self._note(
            *(
                Said("column {letter} has figures or texts and no header; it was not read", letter=letters(j))
                for j in sorted(filled_at - headed)
            )
        )
        for header in (column.header for column in unread):
            self._note(propose(header, self.table) or Said("column “{header}” was not read", header=header))
