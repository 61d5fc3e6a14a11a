"""Reading the store: DuckDB relations over its Parquet, and the loans of one commune in milliseconds."""

from pathlib import Path

import pandas as pd

from evalkit.errors import DataError, PlaceError
from evalkit.load.ledger.engine import connect
from evalkit.load.ledger.store import generation_folder, read_manifest
from evalkit.load.ledger.tables import table


class Ledger:
    """The loans and instalments of a store as it stood when it was opened.

    Later deliveries don't change an open ledger; open it again to see them.
    """

    def __init__(self, store, *, threads=None, memory_gib=1.5):
        self.store = Path(store).resolve()
        self.manifest = read_manifest(self.store)
        if not self.manifest.generation:
            raise DataError(
                f"{self.store}: no ledger here. Make one with evalkit.load.ledger.ingest(store, sources)."
            )
        self.folder = generation_folder(self.store, self.manifest.generation)
        self.connection = connect(folders=[self.store], threads=threads, memory_gib=memory_gib)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.connection.close()

    def loans(self, *, code=None, as_of=None, province=None):
        """Return the loans as a DuckDB relation, of all places and dates or of one.

        ``code``: commune; ``as_of``: a date or its ISO text; ``province``: two digits. Only files that can
        hold such rows are opened.
        """
        return self._relation("loans", code, as_of, province)

    def repayments(self, *, code=None, due_year=None, province=None):
        """Return the instalments as a DuckDB relation, of all places and years or of one."""
        return self._relation("repayments", code, due_year, province)

    def commune(self, code, *, as_of=None):
        """Return the loans of one commune at every snapshot (or one), in order of date and loan."""
        found = self.loans(code=code, as_of=as_of).order("as_of, loan").df()
        if found.empty:
            raise PlaceError(f"{self.store}: no loans for {code}. Check the code (five digits, as text).")
        return found

    @property
    def snapshots(self):
        """Dates at which the store holds loans, in order."""
        return sorted({pd.Timestamp(piece.period).date() for piece in self.manifest.of("loans")})

    @property
    def received(self):
        """Table of the files taken in: source is the number that each row of the store carries."""
        return pd.DataFrame([vars(row) for row in self.manifest.received])

    @property
    def findings(self):
        """Table of what the checks found in every delivery, counted by file, column and rule."""
        return pd.DataFrame(self.manifest.findings)

    def rejected(self, name="loans"):
        """Return the rows set aside, as a relation: source, line, faults, raw (personal columns left out)."""
        files = sorted((self.folder / "rejected").glob(f"{table(name).name}-*.parquet"))
        if not files:
            raise DataError(f"{self.store}: no row of {name} was set aside.")
        return self.connection.sql("FROM read_parquet($files)", params={"files": [str(f) for f in files]})

    def _relation(self, name, code, period, province):
        layout = table(name)
        pieces = [
            piece
            for piece in (self.manifest.of(name) if code is None else self.manifest.covering(name, code))
            if (period is None or piece.period == str(period))
            and (province is None or piece.province == province)
        ]
        if not pieces:
            raise PlaceError(
                f"{self.store}: no {name} for "
                f"{', '.join(str(v) for v in (code, period, province) if v is not None) or 'any place'}. "
                "Check the code (five digits, as text) and the date."
            )
        # Two relations that are joined share their parameters, so each table's have names of their own.
        files, place = f"{name}_files", f"{name}_code"
        parameters = {files: [str(self.folder / piece.path) for piece in pieces]}
        condition = ""
        if code is not None:
            parameters[place], condition = code, f"WHERE code = ${place}"
        columns = ", ".join(f'"{c}"' for c in (*layout.stored, layout.period, "province"))
        return self.connection.sql(
            f"SELECT {columns} FROM read_parquet(${files}, hive_partitioning = true, "
            f"hive_types = {{'{layout.period}': {layout.period_type}, 'province': VARCHAR}}) {condition}",
            params=parameters,
        )


def open_ledger(store, *, threads=None, memory_gib=1.5):
    """Open the ``Ledger`` of a store. Raises DataError where there is none."""
    return Ledger(store, threads=threads, memory_gib=memory_gib)
