"""What a run would do, from the plan and the journal alone."""

import json
import statistics
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import asdict, dataclass

from evalkit.batch.journal import finished, read_entries
from evalkit.batch.plan import Digests, Job, folder_of

SHOWN = 20


@dataclass(frozen=True)
class Preview:
    """Names of the jobs that would run and of those that wouldn't, being unchanged.

    cpu_seconds: processor time to expect, from the medians of earlier runs into the folder; None where a
    notebook has never run there.
    """

    folder: str
    planned: tuple[str, ...]
    unchanged: tuple[str, ...]
    cpu_seconds: float | None

    def to_json(self) -> str:
        return json.dumps(asdict(self), ensure_ascii=False, indent=1)

    def __str__(self):
        total = len(self.planned) + len(self.unchanged)
        lines = [
            f"{total} notebooks into {self.folder}: {len(self.planned)} to run, {len(self.unchanged)} unchanged"
        ]
        if self.planned and self.cpu_seconds is not None:
            lines.append(f"about {self.cpu_seconds:.0f} s of processor time, by earlier runs")
        lines += [f"  {name}" for name in self.planned[:SHOWN]]
        if len(self.planned) > SHOWN:
            lines.append(f"  … and {len(self.planned) - SHOWN} more")
        return "\n".join(lines)


def preview(jobs: Iterable[Job]) -> Preview:
    """Tell what :func:`evalkit.batch.run` would run of the jobs; nothing is run or written.

    Raises ParameterError as ``run`` does.
    """
    jobs, digests = list(jobs), Digests()
    folder = folder_of(jobs)
    entries = read_entries(folder)
    planned, unchanged = [], []
    for job in jobs:
        (unchanged if finished(entries, job, digests.key(job)) else planned).append(job)
    spent = defaultdict(list)
    for entry in entries.values():
        spent[entry["row"]["notebook"]].append(entry["row"]["cpu_seconds"])
    known = all(job.notebook.stem in spent for job in planned)
    expected = sum(statistics.median(spent[job.notebook.stem]) for job in planned) if known else None
    names = (tuple(job.name for job in jobs) for jobs in (planned, unchanged))
    return Preview(str(folder), *names, expected)
