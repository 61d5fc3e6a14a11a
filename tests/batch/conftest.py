"""The batch's tests share small modules, which the forking process has to find as well."""

import os
from pathlib import Path

import pytest

HERE = Path(__file__).parent
SOURCE = HERE.parents[1] / "src"


@pytest.fixture(scope="session", autouse=True)
def importable():
    """Worker processes import evalkit and the tests' helpers, installed or not."""
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(str(HERE))
        patch.setenv("PYTHONPATH", os.pathsep.join([str(HERE), str(SOURCE)]))
        yield
