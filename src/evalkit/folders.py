"""Folders that appear whole or not at all, written by one process at a time."""

import contextlib
import errno
import os
import shutil
from pathlib import Path

from evalkit.errors import EvalkitError, Said


@contextlib.contextmanager
def whole(target):
    """Yield an empty folder that takes the place of ``target`` at the end; after a failure ``target`` stands.

    Its files are on the disk before it takes that place, so that after a power cut one of the two stands whole.
    What a process killed in the middle left beside ``target`` is put right first. Raises EvalkitError where
    another process is writing in the same folder.
    """
    target = Path(target).resolve()
    made = not target.parent.exists()
    _make(target.parent, parents=True, exist_ok=True)
    new, old = (target.with_name(f".{target.name}.{age}") for age in ("new", "old"))
    try:
        with alone(target.parent):
            _settle(target, new, old)
            try:
                _make(new)
                with _noticing_that_it_is_gone(new):
                    yield new
                    sync_tree(new)
                    if target.exists():
                        target.rename(old)
                    new.rename(target)
                    sync_folder(target.parent)
            finally:
                _settle(target, new, old)
    finally:
        if made:
            with contextlib.suppress(OSError):  # not empty
                target.parent.rmdir()


def _make(folder, **how):
    try:
        folder.mkdir(**how)
    except (FileExistsError, FileNotFoundError, NotADirectoryError) as error:
        where = folder if how else folder.parent
        said = Said("{folder}: no folder can be made there. Choose another (--out).", folder=str(where))
        raise EvalkitError(said) from error


@contextlib.contextmanager
def _noticing_that_it_is_gone(folder):
    parent = folder.parent
    was = parent.stat().st_ino
    try:
        yield
    except OSError as error:
        if parent.exists() and parent.stat().st_ino == was:
            raise
        raise EvalkitError(
            Said(
                "{folder}: this folder was moved or removed while it was being written. "
                "Leave it in its place and give the same command again.",
                folder=str(parent),
            )
        ) from error


@contextlib.contextmanager
def alone(folder):
    """Keep other processes from writing in ``folder``. Raises EvalkitError where one does so already."""
    handle = hold(folder)
    try:
        yield
    finally:
        if handle is not None:
            os.close(handle)


def hold(path, flags=os.O_RDONLY):
    """Return a handle that holds a file or folder until it is closed or the process ends.

    None where the system or its file system has no such locks. Raises EvalkitError, naming the process, where
    another one holds it.
    """
    try:
        import fcntl
    except ImportError:  # Windows
        return None
    handle = os.open(path, flags, 0o666)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        folder = path if Path(path).is_dir() else Path(path).parent
        said = _held_by(handle, str(folder))
        os.close(handle)
        raise EvalkitError(said) from None
    except OSError:
        os.close(handle)
        return None
    return handle


def sync_tree(folder):
    """Wait until all files of a folder, their bytes and their names, are on the disk."""
    for inner, _, names in os.walk(folder):
        for name in names:
            sync_file(Path(inner, name))
        sync_folder(inner)


def sync_file(path):
    """Wait until a file's bytes are on the disk."""
    with open(path, "rb" if os.name == "posix" else "r+b") as file:
        os.fsync(file.fileno())


def sync_folder(path):
    """Wait until a folder's names are on the disk, where the system and its file system can do that."""
    if os.name == "posix":
        handle = os.open(path, os.O_RDONLY)
        try:
            os.fsync(handle)
        except OSError as error:
            if error.errno not in (errno.EINVAL, errno.ENOTSUP):
                raise
        finally:
            os.close(handle)


def _settle(target, new, old):
    """Put the former folder back where no new one came, and remove what is left over."""
    if old.exists() and not target.exists():
        old.rename(target)
    for rest in (new, old):
        shutil.rmtree(rest, ignore_errors=True)


def _held_by(handle, folder):
    """Say who writes in a folder, as far as the system tells (Linux)."""
    with contextlib.suppress(OSError):
        for line in Path("/proc/locks").read_text().splitlines():
            fields = line.split()
            if fields[1] == "FLOCK" and fields[5].endswith(f":{os.fstat(handle).st_ino}"):
                return Said(
                    "{folder}: another run (process {number}) is writing here. "
                    "Wait for it, end it, or choose another folder.",
                    folder=folder,
                    number=fields[4],
                )
    return Said(
        "{folder}: another run is writing here. Wait for it, end it, or choose another folder.", folder=folder
    )
