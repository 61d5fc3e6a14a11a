"""The same run on several machines: each Dask worker owns a worker process, and results come home."""

import os
import queue
import tempfile
import threading
import time
from collections.abc import Iterator
from pathlib import Path

from evalkit.batch.journal import write_atomically
from evalkit.batch.local import LocalWorkers
from evalkit.batch.plan import versions
from evalkit.errors import EvalkitError

BACKLOG = 2  # tasks per thread of the cluster, so that none waits for the way to and fro
IDLE_SECONDS = 60.0


class ClusterWorkers:
    """Takes tasks and gives results like LocalWorkers; what a dead Dask worker left is run by another."""

    def __init__(self, address: str, engine: str, mark: str, preload: tuple[str, ...]):
        from distributed import Client

        try:
            self.client = Client(address, timeout="20s", set_as_default=False)
        except OSError as error:
            raise EvalkitError(
                f"{address}: no Dask scheduler answers there ({error}). Start one first."
            ) from None
        self.settings = (engine, mark, preload)
        self.futures = {}
        self.events = queue.SimpleQueue()
        self._same_versions()

    @property
    def free(self) -> int:
        return BACKLOG * sum(self.client.nthreads().values()) - len(self.futures)

    def submit(self, task: dict) -> None:
        text = Path(task["notebook"]).read_text(encoding="utf-8")
        task_id = task["id"]
        future = self.client.submit(run_task, task | {"text": text}, self.settings, pure=False)
        self.futures[task_id] = future
        future.add_done_callback(lambda done: self.events.put((task_id, task["output"], done)))

    def results(self, wait_seconds: float = 0.25) -> Iterator[tuple[int, dict]]:
        """The results that have come, each notebook written here; waits no longer than ``wait_seconds``."""
        try:
            task_id, output, future = self.events.get(timeout=wait_seconds)
        except queue.Empty:
            return
        del self.futures[task_id]
        if future.status != "finished":
            yield task_id, {"status": "killed", "error": "the workers that ran the notebook died"}
            return
        result, content = future.result()
        if content is not None:
            write_atomically(Path(output), content)
        yield task_id, result

    def close(self) -> None:
        from distributed.utils import TimeoutError as NoAnswer

        try:
            self.client.cancel(list(self.futures.values()), force=True)
            self.client.run(end_worker, self.settings, on_error="ignore")
        except (OSError, NoAnswer):
            pass  # a cluster that is gone has ended its own processes
        finally:
            self.client.close()

    def _same_versions(self):
        here = versions()
        for worker, there in self.client.run(versions).items():
            if different := sorted(name for name in here | there if here.get(name) != there.get(name)):
                raise EvalkitError(
                    f"worker {worker} has other versions of {', '.join(different)} than this machine. "
                    "Install the same environment on every machine."
                )


class WorkerOwner:
    """A Dask worker's hold on its worker process, shared by the Dask worker's threads."""

    def __init__(self, engine: str, slots: int, mark: str, preload: tuple[str, ...]):
        self.inbox = queue.SimpleQueue()
        self.waiting: dict[int, queue.SimpleQueue] = {}
        self.ended = False
        start = (engine, slots, f"{mark}-{os.getpid()}", preload)
        threading.Thread(target=self._serve, args=(start,), daemon=True).start()

    def run(self, task: dict) -> dict:
        answer = queue.SimpleQueue()
        self.inbox.put((task, answer))
        return answer.get()

    def _serve(self, start):
        """Alone in touch with the worker process, until told to end or left without work."""
        reason, last_work = "the run was ended", time.monotonic()
        workers = LocalWorkers(*start)
        try:
            while not self.ended and time.monotonic() - last_work < IDLE_SECONDS:
                while not self.inbox.empty():
                    task, self.waiting[task["id"]] = self.inbox.get()
                    workers.submit(task)
                for task_id, result in workers.results(wait_seconds=0.02):
                    self.waiting.pop(task_id).put(result)
                last_work = time.monotonic() if self.waiting else last_work
        except EvalkitError as error:
            reason = str(error)
        finally:
            self.ended = True
            workers.close()
            while not self.inbox.empty():
                task, self.waiting[task["id"]] = self.inbox.get()
            for answer in self.waiting.values():
                answer.put({"status": "killed", "error": reason})


_owners: dict[tuple, WorkerOwner] = {}
_making = threading.Lock()


def run_task(task: dict, settings: tuple) -> tuple[dict, bytes | None]:
    """On a Dask worker: run one notebook in the worker's own process; returns its result and its content."""
    from distributed import get_worker

    engine, mark, preload = settings
    with _making:
        if settings not in _owners or _owners[settings].ended:
            _owners[settings] = WorkerOwner(engine, get_worker().state.nthreads, mark, preload)
        owner = _owners[settings]
    with tempfile.TemporaryDirectory() as folder:
        spool = Path(folder) / "executed.ipynb"
        result = owner.run(task | {"spool": str(spool)})
        return result, spool.read_bytes() if spool.exists() else None


def end_worker(settings: tuple) -> None:
    """On a Dask worker: end the run's worker process and the notebooks in it."""
    with _making:
        if owner := _owners.pop(settings, None):
            owner.ended = True
