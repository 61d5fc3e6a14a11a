"""The journal of an output folder: one line of JSON per finished job, from which a run resumes."""

import contextlib
import errno
import hashlib
import json
import os
from dataclasses import asdict, dataclass, field
from pathlib import Path

from evalkit.folders import hold

FILE = "journal.jsonl"
DONE = ("ok", "skipped")
DISK_FULL = (errno.ENOSPC, errno.EDQUOT)


@dataclass(frozen=True)
class Row:
    """How one job ended.

    status: ok; skipped (unchanged since an earlier run); failed (a cell raised); timeout; killed (the process
    died). seconds: wall time. cpu_seconds: processor time of the notebook and of all it started.
    memory_mb: the most that its process took for itself. error: one sentence, empty where there is none.
    """

    name: str
    notebook: str
    status: str
    seconds: float = 0.0
    cpu_seconds: float = 0.0
    memory_mb: float = 0.0
    error: str = ""
    attempts: int = 1
    parameters: dict = field(default_factory=dict)


class Journal:
    """Append-only record in ``folder``, held by one run at a time.

    A line is added only once the job's notebook has its final name, so that a run killed at any moment leaves
    a journal that tells the truth; a line cut short by a kill or a full disk counts for nothing.
    """

    def __init__(self, folder: Path):
        self.folder = folder
        self.path = folder / FILE
        folder.mkdir(parents=True, exist_ok=True)
        self._lock = hold(folder / ".lock", os.O_RDWR | os.O_CREAT)
        self.entries = read_entries(folder)
        self._file = os.open(self.path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o644)
        _end_line(self._file, self.path)

    def add(self, row: Row, key: str, output: Path) -> None:
        entry = {"name": row.name, "key": key, "sha256": digest(output), "row": asdict(row)}
        self.entries[row.name] = entry
        line = (json.dumps(entry, ensure_ascii=False) + "\n").encode()
        if os.write(self._file, line) < len(line):
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), str(self.path))

    def settle(self) -> None:
        """Rewrite the journal with one line per job, in order, so that it stays as small as the run."""
        entries = (self.entries[name] for name in sorted(self.entries))
        lines = (json.dumps(entry, ensure_ascii=False) + "\n" for entry in entries)
        write_atomically(self.path, "".join(lines).encode())

    def close(self) -> None:
        os.close(self._file)
        if self._lock is not None:
            os.close(self._lock)


def finished(entries: dict, job, key: str) -> Row | None:
    """The row of an earlier run, if the job is unchanged and its notebook still is what was written."""
    entry = entries.get(job.name)
    if not entry or entry["key"] != key or entry["row"]["status"] != "ok":
        return None
    return Row(**entry["row"]) if digest(job.output) == entry["sha256"] else None


def write_atomically(path: Path, content: bytes) -> None:
    """Write under a temporary name beside ``path`` and rename: readers see the old file or the new one."""
    part = part_of(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    try:
        part.write_bytes(content)
        os.replace(part, path)
    except BaseException:
        part.unlink(missing_ok=True)
        raise


def part_of(path: Path) -> Path:
    """The temporary name under which ``path`` is written."""
    return path.with_name(f".{path.name}.part")


def digest(path: Path) -> str:
    """SHA-256 of a file's content; empty for a file that isn't there."""
    try:
        with path.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    except FileNotFoundError:
        return ""


def read_entries(folder: Path) -> dict[str, dict]:
    """What the journal of a folder tells of each job, by name; nothing where there is no journal."""
    path, entries = folder / FILE, {}
    if path.exists():
        for line in path.read_bytes().splitlines():
            with contextlib.suppress(ValueError, KeyError, TypeError):
                entry = json.loads(line)
                Row(**entry["row"])
                entries[entry["name"]] = entry
    return entries


def _end_line(file, path):
    """A line cut short by a kill must not swallow the next one."""
    content = path.read_bytes()
    if content and not content.endswith(b"\n"):
        os.write(file, b"\n")
