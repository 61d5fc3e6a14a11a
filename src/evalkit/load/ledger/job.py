"""What every step of one delivery needs to know."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from evalkit.load.ledger.store import Manifest, generation_folder
from evalkit.load.ledger.tables import Table


@dataclass(frozen=True)
class Job:
    """One delivery under way: its journal's connection, the store as it was, and the caller's wishes."""

    connection: object
    store: Path
    manifest: Manifest
    table: Table
    threads: int
    whole: bool
    progress: Callable[[str, int, int], None]

    @property
    def staging(self):
        return self.store / "staging"

    @property
    def generation(self):
        return self.manifest.generation + 1

    @property
    def drafts(self):
        """Folder of the new generation while it is being written."""
        return self.staging / generation_folder("", self.generation).name

    def rows(self, sql, parameters=None):
        """Run a statement and return its rows."""
        return self.connection.execute(sql, parameters).fetchall()
