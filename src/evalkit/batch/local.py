"""Worker processes on this machine: one that forks for all, or one per notebook at a time with kernels."""

import queue
from collections.abc import Iterator

from evalkit.batch.process import WorkerProcess
from evalkit.batch.processes import end_marked

GRACE_SECONDS = 5.0


class LocalWorkers:
    """Takes tasks and gives results; a worker process that dies or hangs is replaced, its tasks reported killed."""

    def __init__(self, engine: str, slots: int, mark: str, preload: tuple[str, ...]):
        self.engine, self.mark, self.preload = engine, mark, preload
        self.events = queue.SimpleQueue()
        end_marked(mark)  # what a run killed at its root may have left
        count, each = (1, slots) if engine == "fork" else (slots, 1)
        self.workers = [self._start(each) for _ in range(count)]

    @property
    def free(self) -> int:
        return sum(worker.free for worker in self.workers)

    def submit(self, task: dict) -> None:
        worker = max(self.workers, key=lambda one: one.free)
        worker.submit(task, task["timeout"] + (GRACE_SECONDS if self.engine == "fork" else 0))

    def results(self, wait_seconds: float = 0.25) -> Iterator[tuple[int, dict]]:
        """The results that have come, after waiting for the first of them no longer than ``wait_seconds``."""
        try:
            worker, message = self.events.get(timeout=wait_seconds)
        except queue.Empty:
            for worker in list(self.workers):
                for task_id in worker.overdue():
                    yield from self._replace(worker, overdue=task_id)
            return
        if worker not in self.workers:
            return
        if message is None:
            yield from self._replace(worker)
        elif "id" in message:
            worker.finish(message["id"])
            yield message["id"], message

    def close(self) -> None:
        for worker in self.workers:
            worker.close()
        self.workers = []
        end_marked(self.mark)

    def _start(self, slots):
        return WorkerProcess(
            self.engine, slots, self.mark, self.preload, lambda *event: self.events.put(event)
        )

    def _replace(self, worker, overdue=None):
        """End a dead or hanging worker, start another, and say how each of its tasks ended."""
        self.workers.remove(worker)
        worker.kill()
        self.workers.append(self._start(worker.slots))
        for task_id, task in worker.tasks.items():
            if task_id == overdue:
                yield task_id, {"status": "timeout", "error": f"the notebook ran over {task['timeout']:g} s"}
            else:
                yield task_id, {"status": "killed", "error": "the process that ran the notebook died"}
