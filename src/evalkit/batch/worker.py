"""A process that executes notebooks for the supervisor: tasks come in and results go out as lines of JSON."""

import argparse
import contextlib
import json
import os
import queue
import sys
import threading
import time

from evalkit.batch import child
from evalkit.batch.trees import end_tree


class Channel:
    """The two ends of the talk with the supervisor, out of the notebooks' reach."""

    def __init__(self):
        self.closed = False
        self.incoming = os.dup(0)
        self.outgoing = os.dup(1)
        null = os.open(os.devnull, os.O_RDWR)
        os.dup2(null, 0)
        os.dup2(2, 1)
        os.close(null)

    def send(self, message: dict) -> None:
        """Tell the supervisor; one that is gone is found out by its input's end, where all is ended."""
        with contextlib.suppress(BrokenPipeError):
            os.write(self.outgoing, (json.dumps(message) + "\n").encode())


def serve_kernels(channel: Channel) -> None:
    """Execute one task after the other, each in a kernel of its own."""
    with _without_address_grammar():
        from evalkit.batch import engine

    engine.register()
    channel.send({"ready": os.getpid()})
    tasks = queue.SimpleQueue()
    threading.Thread(target=_listen, args=(channel, tasks), daemon=True).start()
    while True:
        task = tasks.get()
        channel.send({"id": task["id"], **_in_kernel(task)})


@contextlib.contextmanager
def _without_address_grammar():
    """Keep jsonschema from compiling the grammar of international addresses, which takes it seconds.

    The schema of notebooks has no such addresses.
    """
    sys.modules.setdefault("rfc3987_syntax", None)
    try:
        yield
    finally:
        if sys.modules["rfc3987_syntax"] is None:
            del sys.modules["rfc3987_syntax"]


def serve_forking(channel: Channel, preload: list[str]) -> None:
    """Load everything once, then fork a child for each task."""
    with _without_address_grammar():
        from evalkit.batch import engine, forker, shell

    os.environ.setdefault("MPLBACKEND", shell.INLINE)
    engine.register()
    forker.load([*preload, "evalkit.batch.engine:warm_up"])
    forker.Forker(channel).serve()


def _listen(channel, tasks):
    for line in os.fdopen(channel.incoming, "rb"):
        tasks.put(json.loads(line))
    end_tree(os.getpid(), itself=False)
    os._exit(0)


def _in_kernel(task):
    start, cpu = time.monotonic(), _children_cpu_seconds()
    result = child.execute(task, "evalkit-kernel")
    return {**result, "seconds": time.monotonic() - start, "cpu_seconds": _children_cpu_seconds() - cpu}


def _children_cpu_seconds():
    times = os.times()
    return times.children_user + times.children_system


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("mode", choices=["fork", "kernels"])
    parser.add_argument("preload", nargs="*")
    arguments = parser.parse_args()
    channel = Channel()
    try:
        serve_kernels(channel) if arguments.mode == "kernels" else serve_forking(channel, arguments.preload)
    except Exception as error:
        channel.send({"broken": child.one_sentence(type(error).__name__, error)})
        raise


if __name__ == "__main__":
    sys.exit(main())
