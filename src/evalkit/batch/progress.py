"""How a run tells where it stands: a bar for a person at a terminal, lines in a log, JSON for a machine."""

import json
import sys
from dataclasses import asdict

from evalkit.batch.journal import DONE


class Silent:
    def start(self, total: int, skipped: int) -> None:
        """``total`` jobs in the plan, of which ``skipped`` are unchanged."""

    def row(self, row) -> None:
        """A job has ended."""

    def end(self) -> None:
        """The run has ended, well or not."""


class Lines(Silent):
    """One line per finished job on standard error."""

    def start(self, total, skipped):
        self.total, self.done = total, skipped
        _say(f"{total} notebooks, {skipped} unchanged")

    def row(self, row):
        self.done += 1
        error = f": {row.error}" if row.error else ""
        _say(f"{self.done}/{self.total} {row.name} {row.status} {row.seconds:.1f} s{error}")


class Json(Silent):
    """One JSON object per event on standard output."""

    def start(self, total, skipped):
        print(json.dumps({"event": "start", "jobs": total, "skipped": skipped}), flush=True)

    def row(self, row):
        print(json.dumps({"event": "job", **asdict(row)}, ensure_ascii=False), flush=True)

    def end(self):
        print(json.dumps({"event": "end"}), flush=True)


class Rich(Silent):
    """A bar with the time left and what failed so far, on standard error."""

    def start(self, total, skipped):
        from rich.console import Console
        from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

        columns = (BarColumn(), MofNCompleteColumn(), TimeRemainingColumn(), TextColumn("{task.description}"))
        self.bar = Progress(*columns, console=Console(stderr=True))
        self.bar.start()
        self.failed = 0
        self.task = self.bar.add_task("", total=total, completed=skipped)

    def row(self, row):
        from rich.markup import escape
        from rich.text import Text

        if row.status not in DONE:
            self.failed += 1
            told = (row.status, "red"), f" {row.name}: {row.error}"
            self.bar.console.print(Text.assemble(*told), highlight=False)
        failed = f" · [red]{self.failed} failed[/]" if self.failed else ""
        self.bar.update(self.task, advance=1, description=f"{escape(row.name)}{failed}")

    def end(self):
        self.bar.stop()


def _say(text):
    print(text, file=sys.stderr, flush=True)


KINDS = {None: Silent, "lines": Lines, "json": Json, "rich": Rich}
