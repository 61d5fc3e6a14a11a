"""The store: numbered generations of hive-partitioned Parquet, one of them current.

    store/manifest.json                                      names the current generation and its files
    store/0007/loans/as_of=2024-12-31/province=25/part-0007.parquet
    store/0007/repayments/due_year=2024/province=25/part-0005.parquet
    store/0007/rejected/loans-0007.parquet

A generation holds exactly the rows that are valid, so that any reader of Parquet may read its folders as
they are. Files that didn't change are hard links into the next generation. The only step that makes a
delivery visible is the replacement of manifest.json, which is atomic.
"""

import json
import os
import shutil
from dataclasses import asdict, dataclass, field
from pathlib import Path

from evalkit.errors import DataError
from evalkit.folders import sync_folder

FORMAT = 1


@dataclass(frozen=True)
class Piece:
    """One file: all rows of a table in one period and province. ``path`` is relative to the generation."""

    table: str
    period: str
    province: str | None
    path: str
    rows: int
    bytes: int
    first_code: str | None
    last_code: str | None


@dataclass(frozen=True)
class Received:
    """One file that was taken in: its number (the column ``source`` of its rows), and what became of it."""

    source: int
    table: str
    file: str
    sha256: str
    bytes: int
    rows_read: int
    rows_accepted: int
    generation: int


@dataclass
class Manifest:
    """What the current generation holds. ``key_mark`` tells two keys apart without revealing either."""

    generation: int = 0
    key_mark: str | None = None
    pieces: list[Piece] = field(default_factory=list)
    received: list[Received] = field(default_factory=list)
    findings: list[dict] = field(default_factory=list)

    def of(self, table):
        """Return the pieces of one table."""
        return [piece for piece in self.pieces if piece.table == table]

    def covering(self, table, code):
        """Return the pieces of one table that may hold rows of a commune."""
        return [p for p in self.of(table) if (p.first_code or "") <= code <= (p.last_code or "")]


def read_manifest(store):
    """Return the store's ``Manifest``; an empty one where there is no store yet."""
    path = Path(store) / "manifest.json"
    if not path.exists():
        return Manifest()
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
        if content.pop("format") != FORMAT:
            raise ValueError("another format")
        content["pieces"] = [Piece(*row) for row in content["pieces"]]
        content["received"] = [Received(**row) for row in content["received"]]
        return Manifest(**content)
    except (ValueError, KeyError, TypeError) as error:
        raise DataError(
            f"{path}: is no manifest of a ledger ({error}). Restore it from the backup."
        ) from error


def write_manifest(store, manifest):
    """Make ``manifest`` the store's own: readers see the former one whole, then this one whole."""
    store = Path(store)
    content = {"format": FORMAT, **asdict(manifest)}
    content["pieces"] = [list(asdict(piece).values()) for piece in manifest.pieces]
    draft = store / "manifest.json.draft"
    with open(draft, "w", encoding="utf-8") as file:
        json.dump(content, file, ensure_ascii=False, separators=(",", ":"))
        file.flush()
        os.fsync(file.fileno())
    os.replace(draft, store / "manifest.json")
    sync_folder(store)


def generation_folder(store, generation):
    """Return the folder of a generation."""
    return Path(store) / f"{generation:04d}"


def remove_other_generations(store, generation):
    """Remove every generation but the current one, also one that a killed process left."""
    for folder in Path(store).iterdir():
        if folder.is_dir() and folder.name.isdigit() and folder != generation_folder(store, generation):
            shutil.rmtree(folder)


def link(former, new):
    """Give a file a second name; where the file system has no hard links, copy it."""
    if new.exists():
        return
    new.parent.mkdir(parents=True, exist_ok=True)
    try:
        os.link(former, new)
    except OSError:
        shutil.copy2(former, new)
