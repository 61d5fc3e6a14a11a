"""One file of a delivery: what it is, which of its columns is which, and how it writes numbers."""

import csv
import hashlib
import io
import re
from dataclasses import dataclass, field
from pathlib import Path

from evalkit.errors import DataError
from evalkit.load.said import first_line
from evalkit.load.text import fold, nearest
from evalkit.load.units import unit_in, without_unit

GAPS = ("", "-", "–", "..", "...", "…", "NULL", "null", r"\N")
SAMPLE_ROWS = 10_000
_HEAD_BYTES = 1 << 20
_CSV = (".csv", ".tsv", ".txt")
_PACKED = (".gz", ".zst", ".zstd")
_MANY_DOTS = re.compile(r"-?\d{1,3}(\.\d{3}){2,}(,\d+)?|-?\d{1,3}(\.\d{3})+,\d+|-?\d+,(\d{1,2}|\d{4,})")
_MANY_COMMAS = re.compile(r"-?\d{1,3}(,\d{3}){2,}(\.\d+)?|-?\d{1,3}(,\d{3})+\.\d+|-?\d+\.(\d{1,2}|\d{4,})")
_EITHER = re.compile(r"-?\d{1,3}[.,]\d{3}")
_UNMARKED = re.compile(r"-?\d{4,}")
_MONTH_FIRST = re.compile(r"\d{1,2}/(1[3-9]|2\d|3[01])/\d{4}")


@dataclass(frozen=True)
class Source:
    """A file to be read.

    ``stamp``: its size and time of change when it was hashed. ``columns``: schema name → position.
    ``scale``: name → factor to the base unit. ``numbers``: "plain" (1234.5), "vi" (1.234,5) or "en"
    (1,234.5). ``spellings``: name → printed label → code, for columns with fixed values, as found in the
    first rows. ``ignored``: headers of no known column.
    """

    path: Path
    sha256: str
    stamp: tuple[int, int]
    headers: tuple[str, ...]
    columns: dict[str, int]
    delimiter: str | None = None
    scale: dict[str, int] = field(default_factory=dict)
    numbers: str = "plain"
    spellings: dict[str, dict[str, str]] = field(default_factory=dict)
    ignored: tuple[str, ...] = ()

    def scan(self, *, sample=False):
        """Return the SQL that reads every column as text, named c0, c1, …, and its parameters.

        Headers and values of the file never become part of a statement.
        """
        names = [f"c{i}" for i in range(len(self.headers))]
        parameters = {"path": str(self.path)}
        if self.delimiter is None:
            reader = "read_parquet" if self.path.suffix == ".parquet" else "read_json"
            text = ", ".join(f"{name}::VARCHAR AS {name}" for name in names)
            return f"(SELECT {text} FROM {reader}($path) AS file({', '.join(names)}))", parameters
        parameters |= {
            "columns": dict.fromkeys(names, "VARCHAR"),
            "delimiter": self.delimiter,
            "gaps": list(GAPS),
            "compression": {".gz": "gzip", ".zst": "zstd", ".zstd": "zstd"}.get(self.path.suffix, "none"),
        }
        faults = "ignore_errors = true" if sample else "store_rejects = true"
        return (
            "read_csv($path, columns = $columns, auto_detect = false, header = true, delim = $delimiter, "
            f"quote = '\"', escape = '\"', nullstr = $gaps, compression = $compression, {faults})"
        ), parameters


def sources_in(paths):
    """Return the files of a delivery in order of name: paths, or folders of CSV, Parquet and JSON lines.

    Raises DataError for a path that is absent or of a kind that isn't read.
    """
    paths = [paths] if isinstance(paths, str | Path) else list(paths)
    files = []
    for path in map(Path, paths):
        if not path.exists():
            raise DataError(f"{path}: no such file or folder.")
        inside = sorted(path.iterdir()) if path.is_dir() else [path]
        files += [p for p in inside if _kind(p) or not path.is_dir()]
    for path in files:
        if not _kind(path):
            raise DataError(
                f"{path.name}: the ledger reads .csv, .tsv, .txt (also .gz, .zst), .parquet and .jsonl."
            )
    if not files:
        raise DataError(f"{', '.join(map(str, paths))}: no CSV, Parquet or JSON file to read.")
    return [path.resolve() for path in files]


def stamp(path):
    """Return a file's size and time of change, by which a change while it is read is noticed."""
    status = path.stat()
    return status.st_size, status.st_mtime_ns


def checksum(path):
    """Return the SHA-256 of a file's bytes."""
    with open(path, "rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def describe(connection, path, table, *, sha256, stamp, numbers=None, labels=None):
    """Return the ``Source`` of one file, from its header and its first rows.

    ``labels``: column → printed label → code, beside the schema's own. Raises DataError where a required
    column is missing, a header fits two columns, or numbers or dates could be read in two ways.
    """
    delimiter, headers = _header(connection, path)
    columns, ignored = _match(path, headers, table)
    source = Source(
        path, sha256, stamp, headers, columns, delimiter, _scales(headers, columns, table), ignored=ignored
    )
    sample = _sample(connection, source)
    _refuse_month_first(path, _texts(sample, table, ("date",)))
    return Source(
        **{
            **vars(source),
            "numbers": numbers or _number_style(path, _texts(sample, table, ("number", "integer"))),
            "spellings": _spellings(sample, table, labels or {}),
        }
    )


def _kind(path):
    suffixes = [s.lower() for s in path.suffixes]
    if suffixes and suffixes[-1] in _PACKED:
        suffixes.pop()
    return bool(suffixes) and suffixes[-1] in (*_CSV, ".parquet", ".jsonl", ".ndjson")


def _header(connection, path):
    """Return the delimiter (None where the format has its own) and the printed headers."""
    if path.suffix in (".parquet", ".jsonl", ".ndjson"):
        reader = "read_parquet" if path.suffix == ".parquet" else "read_json"
        rows = connection.execute(f"DESCRIBE SELECT * FROM {reader}($path)", {"path": str(path)}).fetchall()
        return None, tuple(row[0] for row in rows)
    import pyarrow as pa

    compression = {".gz": "gzip", ".zst": "zstd", ".zstd": "zstd"}.get(path.suffix)
    try:
        with pa.input_stream(str(path), compression=compression) as stream:
            head = stream.read(_HEAD_BYTES)
    except OSError as error:
        raise DataError(f"{path.name}: can't be unpacked ({error}). Send the file again.") from error
    line = head.splitlines()[0] if head else b""
    try:
        text = line.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise DataError(
            f"{path.name}: the header is not UTF-8 (byte {error.start}). Save the dump as UTF-8."
        ) from error
    if not text.strip() or "\0" in text:
        raise DataError(
            f"{path.name}: the first line is no header. Save the dump as UTF-8 with a header line."
        )
    delimiter = max(",;\t|", key=text.count)
    return delimiter, tuple(next(csv.reader(io.StringIO(text), delimiter=delimiter)))


def _match(path, headers, table):
    """Return schema column → position and the headers of no known column."""
    spelled = {fold(spelling): f.name for f in reversed(table.fields) for spelling in reversed(f.spellings)}
    columns, ignored = {}, []
    for position, header in enumerate(headers):
        name = spelled.get(fold(without_unit(header)))
        if name is None:
            ignored.append(header)
        elif name in columns:
            first = headers[columns[name]]
            raise DataError(
                f'{path.name}: "{first}" and "{header}" are both {name}. Keep one of the two columns.'
            )
        else:
            columns[name] = position
    missing = [f for f in table.fields if f.required and f.name not in columns]
    if missing:
        proposals = [
            f'{f.name} (expected "{f.spellings[1]}"' + (f', "{near}" is near)' if near else ")")
            for f in missing
            for near in [nearest(f.spellings[1], ignored)]
        ]
        raise DataError(
            f"{path.name}: no column for {', '.join(proposals)}. "
            f"Found: {', '.join(headers)}. Rename the header."
        )
    return columns, tuple(ignored)


def _scales(headers, columns, table):
    """Return the factor from the unit that a header states ("triệu đồng") to VND, per column of money."""
    scales = {}
    for f in table.fields:
        if f.unit == "VND" and f.name in columns and (unit := unit_in(headers[columns[f.name]])):
            scales[f.name] = 10**unit.exponent
    return scales


def _sample(connection, source):
    """Return schema column → the distinct texts in the first rows."""
    import duckdb

    scan, parameters = source.scan(sample=True)
    texts = ", ".join(f"list(DISTINCT trim(c{position}))" for position in source.columns.values())
    try:
        row = connection.execute(
            f"SELECT {texts} FROM (FROM {scan} LIMIT {SAMPLE_ROWS})", parameters
        ).fetchone()
    except duckdb.Error as error:
        raise DataError(f"{source.path.name}: can't be read: {first_line(error)}") from error
    return {name: set(found or ()) - {None} for name, found in zip(source.columns, row, strict=True)}


def _texts(sample, table, types):
    """Return the sampled texts of the columns of some types."""
    return set().union(*(sample.get(f.name, ()) for f in table.fields if f.type in types))


def _number_style(path, texts):
    """Return how a file writes numbers; one text that can mean two figures is settled by the others."""
    dots = next(filter(_MANY_DOTS.fullmatch, texts), None)
    commas = next(filter(_MANY_COMMAS.fullmatch, texts), None)
    if dots and commas:
        raise DataError(
            f'{path.name}: "{dots}" and "{commas}" follow two ways of writing numbers. Write one.'
        )
    if dots or commas:
        return "vi" if dots else ("en" if "," in "".join(texts) else "plain")
    either = next(filter(_EITHER.fullmatch, texts), None)
    if either and not any(map(_UNMARKED.fullmatch, texts)):
        raise DataError(
            f'{path.name}: "{either}" can mean two figures. Pass numbers="vi" (1.234,5) or "en" (1,234.5).'
        )
    return "plain"


def _refuse_month_first(path, texts):
    if text := next(filter(_MONTH_FIRST.fullmatch, texts), None):
        raise DataError(f'{path.name}: the date "{text}" is month first. Write dd/mm/yyyy or yyyy-mm-dd.')


def _spellings(sample, table, labels):
    """Return for each column with fixed values the code of every label in the sample that has one."""
    spellings = {}
    for f in table.fields:
        known = {fold(k): v for k, v in (labels.get(f.name) or f.labels or {}).items()}
        if known and f.name in sample:
            spellings[f.name] = {text: known[fold(text)] for text in sample[f.name] if fold(text) in known}
    return spellings
