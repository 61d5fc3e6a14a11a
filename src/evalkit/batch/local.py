"""Worker processes on this machine: one that forks for all, or one per notebook at a time with kernels."""

import contextlib
import queue
from collections.abc import Iterator

from evalkit.batch.process import WorkerProcess
from evalkit.batch.trees import end_marked
from evalkit.errors import EvalkitError

GRACE_SECONDS = 5.0
FALSE_STARTS = 3


class LocalWorkers:
    """Takes tasks and gives results; a worker that dies or hangs is replaced, its tasks reported killed."""

    def __init__(self, engine: str, slots: int, mark: str, preload: tuple[str, ...]):
        self.engine, self.mark, self.preload = engine, mark, preload
        self.false_starts = 0
        self.events = queue.SimpleQueue()
        end_marked(mark)  # what a run killed at its root may have left
        count, each = (1, slots) if engine == "fork" else (slots, 1)
        self.workers = [self._start(each) for _ in range(count)]

    @property
    def free(self) -> int:
        return sum(worker.free for worker in self.workers)

    def submit(self, task: dict) -> None:
        worker = max(self.workers, key=lambda one: one.free)
        worker.submit(task, self._patience(task))

    def results(self, wait_seconds: float = 0.25) -> Iterator[tuple[int, dict]]:
        """The results that have come, after waiting for the first of them no longer than ``wait_seconds``."""
        with contextlib.suppress(queue.Empty):
            worker, message = self.events.get(timeout=wait_seconds)
            if worker in self.workers:  # and not one that was replaced
                yield from self._take(worker, message)
        for worker in list(self.workers):
            if overdue := worker.overdue():
                yield from self._replace(worker, overdue)

    def close(self) -> None:
        for worker in self.workers:
            worker.close()
        self.workers = []
        end_marked(self.mark)

    def _start(self, slots):
        return WorkerProcess(
            self.engine, slots, self.mark, self.preload, lambda *event: self.events.put(event)
        )

    def _take(self, worker, message):
        if message is None:
            yield from self._replace(worker)
        elif "broken" in message:
            raise EvalkitError(f"no notebook can be run: {message['broken']}")
        elif "ready" in message:
            worker.begin()
            self.false_starts = 0
        else:
            following = worker.finish(message["id"]).get("then", [])
            if following and message.pop("goes_on", False):
                task = following[0] | {"then": following[1:]}
                worker.hold(task, self._patience(task))
                following = []
            yield message["id"], message
            yield from _unbegun(following)

    def _patience(self, task):
        return task["timeout"] + (GRACE_SECONDS if self.engine == "fork" else 0)

    def _replace(self, worker, overdue=()):
        """End a dead or hanging worker, start another, and say how each of its tasks ended."""
        self.false_starts += worker.began is None
        if self.false_starts == FALSE_STARTS:
            raise EvalkitError(
                f"no notebook can be run: the process for it died {FALSE_STARTS} times at its start"
            )
        self.workers[self.workers.index(worker)] = self._start(worker.slots)
        worker.kill()
        for task_id, task in worker.tasks.items():
            if task_id in overdue:
                yield task_id, {"status": "timeout", "error": f"the notebook ran over {task['timeout']:g} s"}
            else:
                yield task_id, {"status": "killed", "error": "the process that ran the notebook died"}
            yield from _unbegun(task.get("then", []))


def _unbegun(tasks):
    """What was to follow in a process that went no further, and has to be handed over again."""
    for task in tasks:
        yield task["id"], {"status": "unbegun"}
