"""Commands under hard conditions, as real processes: one clear line, nothing half-written, the same bytes."""

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
EVALKIT = [sys.executable, "-c", "from evalkit.cli import main; main()"]
POOR = {"PYTHONIOENCODING": "ascii", "LC_ALL": "POSIX", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"}
POOR |= {"TERM": "dumb", "COLUMNS": "20", "PATH": os.environ["PATH"]}  # and no HOME
METHODS = "from evalkit.publish.methods import docstring; from evalkit.metrics import poverty; print(docstring(poverty.fgt))"
LIMITED = 'mount --bind "$1" "$1" && mount -o remount,ro,bind "$1" && shift && exec "$@"'


def evalkit(*arguments, **options):
    given = {"cwd": ROOT, "capture_output": True, "text": True, "check": False} | options
    return subprocess.run([*EVALKIT, *map(str, arguments)], **given)


def test_findings_are_listed_on_a_narrow_terminal_that_knows_ascii_only():
    done = evalkit("check", "data/published", env=POOR)
    assert done.returncode == 0, done.stderr
    assert "Traceback" not in done.stderr
    assert done.stdout.isascii()
    assert "facts" in done.stdout


def test_a_reader_that_goes_away_gives_no_traceback():
    command = subprocess.Popen(
        [*EVALKIT, "check", "data/published"], cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE
    )
    command.stdout.close()
    assert b"Traceback" not in command.stderr.read()
    assert command.wait(60) != 0
    command.stderr.close()


def test_what_is_said_where_nobody_listens_spoils_no_result():
    command = ["sh", "-c", '"$@" check data/published --json 2>&- <&-', "sh", *EVALKIT]
    done = subprocess.run(command, cwd=ROOT, stdout=subprocess.PIPE, check=True)
    assert isinstance(json.loads(done.stdout), list | dict)


def test_a_full_device_behind_the_result_is_one_line(tmp_path):
    if not Path("/dev/full").exists():
        pytest.skip("this system has no device that is always full")
    with open("/dev/full", "w") as full:
        done = subprocess.run(
            [*EVALKIT, "check", "data/published"],
            cwd=ROOT,
            stdout=full,
            stderr=subprocess.PIPE,
            text=True,
            check=False,
        )
    assert done.returncode == 2
    assert (
        done.stderr
        == "evalkit: No space left on the disk. Free some space and give the same command again.\n"
    )


def test_a_folder_that_cannot_be_written_is_said_in_one_line(tmp_path):
    command = ["unshare", "-rm", "sh", "-c", LIMITED, "sh", str(tmp_path), *EVALKIT]
    done = subprocess.run(
        [*command, "build", str(ROOT / "data/published"), "--out", str(tmp_path)],
        capture_output=True,
        text=True,
        check=False,
    )
    if "mount" in done.stderr or "unshare" in done.stderr:
        pytest.skip("this system lets no folder be mounted read-only")
    assert done.returncode == 2
    (line,) = done.stderr.splitlines()
    assert "Read-only file system" in line
    assert str(tmp_path) in line
    assert "--out" in line


@pytest.mark.parametrize(("number", "times"), [(signal.SIGTERM, 1), (signal.SIGINT, 20)])
def test_a_build_that_is_told_to_end_leaves_nothing_half_written(tmp_path, number, times):
    out = tmp_path / "out"
    command = [*EVALKIT, "build", "data/published", "--out", str(out)]
    building = subprocess.Popen(command, cwd=ROOT, stderr=subprocess.PIPE, text=True)
    while not (out / ".build.new").exists():
        assert building.poll() is None, building.stderr.read()
        time.sleep(0.01)
    for _ in range(times):
        building.send_signal(number)
        time.sleep(0.005)  # a second one may come while what was begun is removed
    _, errors = building.communicate(timeout=60)
    assert building.returncode == 128 + number
    assert "Traceback" not in errors
    assert not out.exists()


def test_the_method_pages_are_the_same_without_docstrings():
    said = [
        subprocess.run(
            [sys.executable, *flags, "-c", METHODS], capture_output=True, text=True, check=True
        ).stdout
        for flags in ([], ["-OO"])
    ]
    assert said[0] == said[1]
    assert "Foster" in said[0]
