"""Rows that break a rule, kept in a file with their reasons while the others pass."""

from threading import Lock

import pyarrow as pa
import pyarrow.parquet as pq

SCHEMA = pa.schema(
    [("source", pa.int16()), ("line", pa.int64()), ("faults", pa.list_(pa.string())), ("raw", pa.string())]
)
_BUFFER_ROWS = 10_000


class Aside:
    """The rows of one file that were set aside, written to ``path`` bit by bit to spare memory.

    Columns: source; line, where the line of the file is known; faults, the list of "column:rule"; raw, the
    row's text as JSON without its personal columns. ``remarks``: rule → count and one loan, of rows that are
    accepted although their columns contradict each other.
    """

    def __init__(self, path, source):
        path.parent.mkdir(parents=True, exist_ok=True)
        self._writer = pq.ParquetWriter(path, SCHEMA)
        self._source, self._lock, self._waiting, self._held = source, Lock(), [], 0
        self.rows, self.remarks = 0, {}

    def set_aside(self, faults, raw):
        """Keep rows and return false for each: the SQL function of this name, called batch by batch."""
        broken = [[fault for fault in row if fault] for row in faults.to_pylist()]
        self._keep([None] * len(broken), broken, raw.to_pylist())
        return pa.array([False] * len(broken))

    def remark(self, rules, loans):
        """Count rows that are accepted with a remark and return true for each, likewise."""
        with self._lock:
            for row, loan in zip(rules.to_pylist(), loans.to_pylist(), strict=True):
                for rule in filter(None, row):
                    count, first = self.remarks.get(rule, (0, loan))
                    self.remarks[rule] = (count + 1, min(first, loan))
        return pa.array([True] * len(loans))

    def keep(self, faults, *, raw=None, lines=None):
        """Keep rows with one fault each, known by their text or by their line alone."""
        nothing = [None] * len(faults)
        if faults:
            self._keep(lines or nothing, [[fault] for fault in faults], raw or nothing)

    def close(self):
        """Write what still waits and close the file."""
        self._write()
        self._writer.close()

    def _keep(self, lines, faults, raw):
        batch = pa.table([[self._source] * len(raw), lines, faults, raw], schema=SCHEMA)
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
