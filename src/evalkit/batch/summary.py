"""What a run did, as a frame, a table on a terminal, and JSON."""

import json
from collections import Counter
from dataclasses import asdict, dataclass
from pathlib import Path

from evalkit.batch.journal import DONE, Row, write_atomically

FILE = "summary.json"


@dataclass(frozen=True)
class RunSummary:
    """One row per job in the order of the plan, and the wall time of the whole run in seconds."""

    rows: tuple[Row, ...]
    seconds: float = 0.0

    @property
    def failed(self) -> tuple[Row, ...]:
        """The rows that did not end well: an error in a cell, a time-out, a process that died."""
        return tuple(row for row in self.rows if row.status not in DONE)

    @property
    def counts(self) -> dict[str, int]:
        """How many jobs ended in each status."""
        return dict(Counter(row.status for row in self.rows))

    def to_frame(self):
        """One row per job; a parameter is a column of its own."""
        import pandas as pd

        rows = [asdict(row) for row in self.rows]
        return pd.DataFrame([row.pop("parameters") | row for row in rows])

    def to_json(self) -> str:
        return json.dumps(
            {
                "seconds": round(self.seconds, 3),
                "counts": self.counts,
                "jobs": [asdict(row) for row in self.rows],
            },
            ensure_ascii=False,
            indent=1,
        )

    def save(self, folder: Path) -> None:
        write_atomically(folder / FILE, self.to_json().encode())

    @classmethod
    def read(cls, folder: Path | str) -> "RunSummary":
        """The summary of the last run into ``folder``."""
        content = json.loads((Path(folder) / FILE).read_text(encoding="utf-8"))
        return cls(tuple(Row(**row) for row in content["jobs"]), content["seconds"])

    def _repr_html_(self):
        counts = ", ".join(f"{count} {status}" for status, count in sorted(self.counts.items()))
        failed = RunSummary(self.failed).to_frame().to_html(max_rows=20) if self.failed else ""
        return f"<p>{len(self.rows)} notebooks in {self.seconds:.1f} s: {counts}</p>{failed}"

    def __rich__(self):
        """Totals, and a line for each job that did not end well."""
        from rich.console import Group
        from rich.table import Table
        from rich.text import Text

        total = ", ".join(f"{count} {status}" for status, count in sorted(self.counts.items()))
        heading = Text(f"{len(self.rows)} notebooks in {self.seconds:.1f} s: {total or 'nothing to do'}")
        if not self.failed:
            return heading
        table = Table("Notebook", "Status", "Seconds", "MB", "Error", box=None, header_style="bold")
        for row in self.failed:
            cells = (row.name, row.status, f"{row.seconds:.1f}", f"{row.memory_mb:.0f}", row.error)
            table.add_row(*map(Text, cells))  # plain: Rich takes brackets for markup
        return Group(heading, table)
