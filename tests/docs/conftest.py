"""Builds that are made once for the same data."""

import shutil
from pathlib import Path

import pytest

from evalkit import building


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
