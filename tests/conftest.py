"""Fixtures and paths that several tests share."""

import shlex
import signal
import sys
from pathlib import Path

import pytest

# A suite started in the background inherits that Ctrl-C is ignored, and so would the commands that tests
# interrupt; a handler of its own is not inherited by them.
signal.signal(signal.SIGINT, signal.default_int_handler)

ROOT = Path(__file__).resolve().parents[1]


def shared_folder(name):
    """Path of ``shared/<name>`` beside the project (public files that are read there, never copied), or None."""
    return next((p / "shared" / name for p in ROOT.parents if (p / "shared" / name).is_dir()), None)


@pytest.fixture
def typed(monkeypatch, capsys, tmp_path):
    """Type a line as in a terminal, in an empty folder; returns (status, standard output, standard error)."""
    from evalkit import cli

    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("COLUMNS", "100")

    def run(line, lang="en"):
        monkeypatch.setenv("EVALKIT_LANG", lang)
        monkeypatch.setattr(sys, "argv", shlex.split(line))
        try:
            cli.main()
            status = 0
        except SystemExit as end:
            status = end.code or 0
        return status, *capsys.readouterr()

    return run


@pytest.fixture(scope="session")
def replication():
    """Folder of the public replication files; tests that need it are skipped where it is absent."""
    return shared_folder("replication") or pytest.skip("shared/replication is not beside the project")


@pytest.fixture(scope="session")
def messy():
    """Folder of the real, messy spreadsheets; tests that need it are skipped where it is absent."""
    return shared_folder("messy") or pytest.skip("shared/messy is not beside the project")
