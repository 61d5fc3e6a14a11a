"""The wheel without the checkout: built, unpacked elsewhere, and used from an empty folder.

`make try-dist` does the same in an environment of its own, with the packages fetched anew.
"""

import os
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]


@pytest.fixture(scope="module")
def wheel(tmp_path_factory):
    """Type a line with the wheel's evalkit, in a folder of its own: line -> CompletedProcess."""
    folder = tmp_path_factory.mktemp("wheel")
    build = [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(folder / "dist")]
    subprocess.run(build, cwd=ROOT, check=True, capture_output=True)
    (path,) = (folder / "dist").glob("*.whl")
    zipfile.ZipFile(path).extractall(folder / "site")
    (folder / "empty").mkdir()

    def run(*line):
        return subprocess.run(
            [sys.executable, "-c", "import evalkit.cli as c; assert 'site' in c.__file__; c.main()", *line],
            cwd=folder / "empty",
            env=os.environ | {"PYTHONPATH": str(folder / "site")},
            capture_output=True,
            text=True,
        )

    return run


def test_a_data_set_is_begun_checked_reported_and_explored_from_the_wheel(wheel):
    for line in (
        ("new", "data"),
        ("check", "data"),
        ("report", "data", "--place", "99001", "--langs", "vi"),
        ("lab", "99001", "--no-open"),
        ("request", "08473"),
    ):
        done = wheel(*line)
        assert done.returncode == 0, done.stderr
        assert "Traceback" not in done.stderr
    assert done.stdout.count("08473") == 2  # the form and the letter, from the register in the wheel
