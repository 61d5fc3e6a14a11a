"""Runs a plan: hands out jobs, keeps the journal, retries what deserves it, and always ends what it started."""

import hashlib
import os
import sys
import time
from collections import deque
from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path

from evalkit.batch import progress as progress_kinds
from evalkit.batch.child import write_failed
from evalkit.batch.journal import Journal, Row
from evalkit.batch.local import LocalWorkers
from evalkit.batch.plan import Digests, Job
from evalkit.batch.summary import RunSummary
from evalkit.errors import EvalkitError, ParameterError

RETRIED = {"killed"}  # a cell that raises or runs too long would do so again
UNWRITTEN = {"killed", "died", "timeout"}  # unless the notebook's own process still got to write it
PRELOAD = ("evalkit", "matplotlib.pyplot")


def run(
    jobs: Iterable[Job],
    *,
    workers: int | None = None,
    timeout: float = 1800.0,
    cell_timeout: float = 900.0,
    memory_limit: float | None = None,
    engine: str | None = None,
    progress: str | None = None,
    retries: int = 1,
    preload: Iterable[str] = PRELOAD,
) -> RunSummary:
    """Execute the jobs, skip those unchanged since an earlier run into the same folder, and say what happened.

    workers: notebooks at a time; as many as there are processors if not given. timeout, cell_timeout: seconds
    a notebook and a cell may take. memory_limit: MB of private memory a notebook may take. engine: "fork" (one
    process loads the libraries and forks a child per notebook; Linux) or "kernels" (an ordinary kernel each);
    the first that can be had if not given. progress: None, "rich", "lines" (standard error) or "json"
    (standard output). retries: further attempts for a notebook whose process died, the only end that may come
    out differently. preload: modules, or ``module:function`` to be called, that the forking process loads.

    A notebook that fails is written with its error and stops no other. Raises ParameterError for jobs that
    don't belong to one folder, EvalkitError where another run writes into the folder or its disk is full; an
    interrupted run (KeyboardInterrupt) ends its processes first. Whatever ended a run, the same call resumes it.
    """
    jobs = list(jobs)
    options = {"timeout": timeout, "cell_timeout": cell_timeout, "memory_limit": memory_limit}
    folder = _folder(jobs)
    journal = Journal(folder)
    try:
        mark = hashlib.sha256(os.fsencode(folder)).hexdigest()[:16]
        start = lambda: LocalWorkers(
            engine or default_engine(), workers or _processors(), mark, tuple(preload)
        )
        return _Run(jobs, journal, options, retries, progress_kinds.KINDS[progress]()).execute(start)
    finally:
        journal.close()


def default_engine() -> str:
    """ "fork" on Linux; macOS's libraries don't survive a fork, and Windows has none."""
    return "fork" if sys.platform.startswith("linux") else "kernels"


class _Run:
    def __init__(self, jobs, journal, options, retries, progress):
        self.jobs, self.journal, self.options = jobs, journal, options
        self.retries, self.progress = retries, progress
        digests = Digests()
        self.keys = {job.name: digests.key(job) for job in jobs}
        self.rows = {}
        self.attempts = {}

    def execute(self, start):
        began = time.monotonic()
        for job in self.jobs:
            if row := self.journal.finished(job.name, self.keys[job.name], job.output):
                self.rows[job.name] = replace(row, status="skipped")
        self.progress.start(len(self.jobs), len(self.rows))
        try:
            pending = deque(number for number, job in enumerate(self.jobs) if job.name not in self.rows)
            if pending:
                self._work(pending, start)
        finally:
            self.progress.end()
        self.journal.settle([job.name for job in self.jobs])
        summary = RunSummary(tuple(self.rows[job.name] for job in self.jobs), time.monotonic() - began)
        summary.save(self.journal.folder)
        return summary

    def _work(self, pending, start):
        executor = start()
        running = set()
        try:
            while pending or running:
                while pending and executor.free:
                    number = pending.popleft()
                    running.add(number)
                    self.attempts[number] = self.attempts.get(number, 0) + 1
                    executor.submit(self._task(number))
                for number, result in executor.results():
                    running.discard(number)
                    if self._again(number, result):
                        pending.append(number)
                    else:
                        self._record(number, result)
        finally:
            executor.close()

    def _task(self, number):
        job = self.jobs[number]
        paths = {"notebook": str(job.notebook), "output": str(job.output), "spool": str(job.output)}
        return {"id": number, "parameters": job.parameters, **paths, **self.options}

    def _again(self, number, result):
        return result["status"] in RETRIED and self.attempts[number] <= self.retries

    def _record(self, number, result):
        job = self.jobs[number]
        if result["status"] == "disk":
            raise EvalkitError(
                f"{job.output}: {result['error']}. Free some space and run again: it resumes here."
            )
        if result["status"] in UNWRITTEN and not result.get("written"):
            write_failed(
                self._task(number), result.get("cell", 0), result["status"].capitalize(), result["error"]
            )
        row = Row(
            name=job.name,
            notebook=job.notebook.stem,
            status=result["status"],
            seconds=round(result.get("seconds", 0.0), 3),
            cpu_seconds=round(result.get("cpu_seconds", 0.0), 3),
            memory_mb=round(result.get("memory_mb", 0.0), 1),
            error=result["error"],
            attempts=self.attempts[number],
            parameters=job.parameters,
        )
        self.rows[job.name] = row
        self.journal.add(row, self.keys[job.name], job.output)
        self.progress.row(row)


def _folder(jobs):
    """The one folder below which every job's output lies under the job's name."""
    folders = {str(job.output).removesuffix(f"{job.name}.ipynb") for job in jobs}
    if len(folders) != 1 or not all(
        str(job.output).endswith(f"/{job.name}.ipynb") for job in jobs if job.name
    ):
        raise ParameterError(
            f"{len(jobs)} jobs write into {len(folders)} folders. Give jobs made by one plan."
        )
    return Path(folders.pop())


def _processors():
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
