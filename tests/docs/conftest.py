"""Typing commands in this process, and builds that are made once for the same data."""

import shlex
import shutil
import sys
from pathlib import Path

import pytest

from evalkit import building, cli


@pytest.fixture
def typed(capsys, monkeypatch):
    """Type a line as in a terminal; returns (status, standard output, standard error)."""
    monkeypatch.setattr(sys, "argv", [])
    monkeypatch.delenv("EVALKIT_LANG", raising=False)

    def run(line):
        sys.argv = shlex.split(line)
        try:
            cli.main()
            status = 0
        except SystemExit as end:
            status = end.code or 0
        return status, *capsys.readouterr()

    return run


@pytest.fixture(scope="session")
def builds(tmp_path_factory):
    """`build` as it is, but for data that were built in this session already: those are copied."""
    real, made = building.build, {}

    def build(folder, out, earlier=None, **_):
        key = building.fingerprint(folder)
        if key not in made:
            made[key] = real(folder, tmp_path_factory.mktemp("builds") / "build")
        Path(out).parent.mkdir(parents=True, exist_ok=True)
        shutil.rmtree(out, ignore_errors=True)
        return Path(shutil.copytree(made[key], out))

    return build
