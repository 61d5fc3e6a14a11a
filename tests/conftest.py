"""Fixtures and paths that several tests share."""

import signal
from pathlib import Path

import pytest

# A suite started in the background inherits that Ctrl-C is ignored, and so would the commands that tests
# interrupt; a handler of its own is not inherited by them.
signal.signal(signal.SIGINT, signal.default_int_handler)

ROOT = Path(__file__).resolve().parents[1]


def shared_folder(name):
    """Path of ``shared/<name>`` beside the project (public files that are read there, never copied), or None."""
    return next((p / "shared" / name for p in ROOT.parents if (p / "shared" / name).is_dir()), None)


@pytest.fixture(scope="session")
def replication():
    """Folder of the public replication files; tests that need it are skipped where it is absent."""
    return shared_folder("replication") or pytest.skip("shared/replication is not beside the project")


@pytest.fixture(scope="session")
def messy():
    """Folder of the real, messy spreadsheets; tests that need it are skipped where it is absent."""
    return shared_folder("messy") or pytest.skip("shared/messy is not beside the project")
