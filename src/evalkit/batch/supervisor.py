"""Runs a plan: hands out jobs, keeps the journal, retries what deserves it, and ends whatever it started."""

import errno
import hashlib
import os
import sys
import time
from collections import deque
from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path

from evalkit.batch.child import write_failed
from evalkit.batch.journal import DISK_FULL, Journal, Row, finished, part_of
from evalkit.batch.local import LocalWorkers
from evalkit.batch.plan import Digests, Job, folder_of
from evalkit.batch.progress import KINDS
from evalkit.batch.summary import RunSummary
from evalkit.errors import EvalkitError

RETRIED = {"killed"}  # a cell that raises, crashes or runs too long would do so again
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
    cluster: str | None = None,
    together: Iterable[Path | str] = (),
) -> RunSummary:
    """Execute the jobs, skip those unchanged since an earlier run into the same folder, tell how each ended.

    workers: notebooks at a time; one per processor if not given. timeout, cell_timeout: seconds that a
    notebook and a cell may take. memory_limit: MB of private memory a notebook may take (Linux). engine:
    "fork" (one process loads the libraries and forks a child per notebook; Linux) or "kernels" (an ordinary
    kernel each); the faster that can be had if not given. progress: None, "rich", "lines" (standard error)
    or "json" (standard output). retries: further attempts for a notebook whose process was ended from
    outside, the only end that may come out differently. preload: modules that the forking process loads,
    ``module:function`` or ``module:function:argument`` that it calls. cluster: address of a Dask scheduler
    whose workers run the notebooks. together: notebooks that may share a process: those of equal parameters run one
    after the other in one child, which saves copying memory, as long as nothing can be seen that one left behind;
    otherwise the next gets a child of its own. With "fork" on this machine only.

    A notebook that fails is written with its error and stops no other. Raises ParameterError for jobs that
    don't belong to one folder, EvalkitError where another run writes into the folder or its disk is full. An
    interrupted run (KeyboardInterrupt) ends its processes first. The same call resumes any run.
    """
    jobs = list(jobs)
    folder = folder_of(jobs)
    mark = hashlib.sha256(os.fsencode(folder)).hexdigest()[:16]
    engine = engine or default_engine()

    def start():
        if cluster:
            from evalkit.batch.cluster import ClusterWorkers

            return ClusterWorkers(cluster, engine, mark, tuple(preload))
        return LocalWorkers(engine, workers or _processors(), mark, tuple(preload))

    options = {"timeout": timeout, "cell_timeout": cell_timeout, "memory_limit": memory_limit}
    journal = Journal(folder)
    may_share = together if engine == "fork" and not cluster else ()
    sharing = {Path(notebook).absolute() for notebook in may_share}
    try:
        return _Run(jobs, journal, options, retries, KINDS[progress](), sharing).execute(start)
    except OSError as error:
        if error.errno not in DISK_FULL:
            raise
        raise EvalkitError(f"{folder}: {error}. Free some space and run again: it resumes here.") from error
    finally:
        journal.close()


def default_engine() -> str:
    """Forking on Linux; macOS's own libraries don't survive a fork, and Windows has none."""
    return "fork" if sys.platform.startswith("linux") else "kernels"


class _Run:
    def __init__(self, jobs, journal, options, retries, progress, sharing):
        self.jobs, self.journal, self.options = jobs, journal, options
        self.retries, self.progress, self.sharing = retries, progress, sharing
        digests = Digests()
        self.keys = {job.name: digests.key(job) for job in jobs}
        self.rows = {}
        self.attempts = {}

    def execute(self, start):
        began = time.monotonic()
        for job in self.jobs:
            if row := finished(self.journal.entries, job, self.keys[job.name]):
                self.rows[job.name] = replace(row, status="skipped")
            else:
                part_of(job.output).unlink(missing_ok=True)
        pending = [number for number, job in enumerate(self.jobs) if job.name not in self.rows]
        self.progress.start(len(self.jobs), len(self.rows))
        try:
            if pending:
                self._work(pending, start)
        finally:
            self.progress.end()
        self.journal.settle()
        summary = RunSummary(tuple(self.rows[job.name] for job in self.jobs), time.monotonic() - began)
        summary.save(self.journal.folder)
        return summary

    def _work(self, pending, start):
        executor = start()
        waiting = deque(self._groups(pending))
        if len(waiting) < executor.free:  # rather side by side than in one process
            waiting = deque([number] for number in pending)
        running = set()
        try:
            while waiting or running:
                while waiting and executor.free:
                    numbers = waiting.popleft()
                    running.update(numbers)
                    executor.submit(self._task(*numbers))
                for number, result in executor.results():
                    running.discard(number)
                    if self._again(number, result):
                        waiting.append([number])
                    else:
                        self._record(number, result)
        finally:
            executor.close()

    def _groups(self, numbers):
        """Consecutive jobs of equal parameters whose notebooks may share a process, and each other job alone."""
        groups = []
        for number in numbers:
            job = self.jobs[number]
            last = self.jobs[groups[-1][-1]] if groups else None
            shared = last and {job.notebook, last.notebook} <= self.sharing
            if shared and job.parameters == last.parameters:
                groups[-1].append(number)
            else:
                groups.append([number])
        return groups

    def _task(self, number, *followers):
        job = self.jobs[number]
        paths = {"notebook": str(job.notebook), "output": str(job.output), "spool": str(job.output)}
        then = [self._task(follower) for follower in followers]
        return {"id": number, "parameters": job.parameters, **paths, **self.options, "then": then}

    def _again(self, number, result):
        if result["status"] == "unbegun":
            return True
        self.attempts[number] = self.attempts.get(number, 0) + 1
        return result["status"] in RETRIED and self.attempts[number] <= self.retries

    def _record(self, number, result):
        job = self.jobs[number]
        if result["status"] == "disk":
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), str(job.output))
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


def _processors():
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
