"""Rows that break a rule, kept in a file with their reasons while the others pass."""

from threading import Lock

import pyarrow as pa
import pyarrow.parquet as pq

SCHEMA = pa.schema(
    [("source", pa.int16()), ("line", pa.int64()), ("faults", pa.list_(pa.string())), ("raw", pa.string())]
)
_BUFFER_ROWS = 10_000


class Aside:
    """The rows of one file that were set aside, written to ``path`` in pieces so that they need little memory.

    Columns: source; line, where the line of the file is known; faults, the list of "column:rule"; raw, the
    row's text as JSON without its personal columns.
    """

    def __init__(self, path, source):
        path.parent.mkdir(parents=True, exist_ok=True)
        self._writer = pq.ParquetWriter(path, SCHEMA)
        self._source, self._lock, self._waiting, self._held, self.rows = source, Lock(), [], 0, 0

    def take(self, faults, raw):
        """Keep rows and return false for each: the SQL function set_aside, which DuckDB calls batch by batch."""
        count = len(raw)
        self._keep(pa.nulls(count, pa.int64()), faults, raw)
        return pa.array([False] * count)

    def take_repeated(self, faults, raw):
        """Keep rows whose key another row has, with one fault each."""
        self._keep(pa.nulls(len(raw), pa.int64()), [[f] for f in faults], list(raw))

    def take_lines(self, lines, faults):
        """Keep lines that are no rows, known by number only."""
        if lines:
            self._keep(pa.array(lines, pa.int64()), [[f] for f in faults], pa.nulls(len(lines), pa.string()))

    def close(self):
        """Write what still waits and close the file."""
        self._write()
        self._writer.close()

    def _keep(self, lines, faults, raw):
        source = pa.array([self._source] * len(raw), pa.int16())
        arrays = [
            array.combine_chunks() if isinstance(array, pa.ChunkedArray) else array
            for array in (source, lines, faults, raw)
        ]
        batch = pa.table([pa.array(a, type=t) if isinstance(a, list) else a.cast(t) for a, t in zip(arrays, SCHEMA.types, strict=True)], schema=SCHEMA)
        with self._lock:
            self._waiting.append(batch)
            self._held += len(raw)
            self.rows += len(raw)
            if self._held >= _BUFFER_ROWS:
                self._write()

    def _write(self):
        if self._waiting:
            self._writer.write_table(pa.concat_tables(self._waiting))
            self._waiting, self._held = [], 0
