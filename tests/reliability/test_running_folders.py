"""A folder that readers use appears whole, one writer at a time, whatever ends the writer."""

import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import pandas as pd
import pytest

from evalkit import building
from evalkit.building import build, fingerprint
from evalkit.errors import DataError, EvalkitError
from evalkit.folders import alone, whole

ROOT = Path(__file__).resolve().parents[2]
HOLD = "from evalkit.folders import whole\nwith whole({target!r}) as new:\n    (new / 'page').write_text('new')\n    print(flush=True)\n    input()"  # fmt: skip
SMALL = 'mount -t tmpfs -o size=64k tmpfs "$1" && mkdir "$1/site" && echo old > "$1/site/page" && "$2" -c "$3"; cat "$1/site/page"; ls -A "$1"'  # fmt: skip


@pytest.fixture
def target(tmp_path):
    """A folder "site" that stands, with an old page."""
    (tmp_path / "out" / "site").mkdir(parents=True)
    (tmp_path / "out" / "site" / "page").write_text("old")
    return tmp_path / "out" / "site"


def holder(target):
    """A process in the middle of writing ``target``."""
    code = HOLD.format(target=str(target))
    process = subprocess.Popen([sys.executable, "-c", code], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    process.stdout.readline()
    return process


def standing(target):
    return (target / "page").read_text(), sorted(os.listdir(target.parent))


def test_the_new_folder_takes_the_old_ones_place(target):
    with whole(target) as new:
        (new / "page").write_text("new")
        assert standing(target)[0] == "old"
    assert standing(target) == ("new", ["site"])


@pytest.mark.parametrize("end", [RuntimeError, KeyboardInterrupt, SystemExit])
def test_a_writer_that_fails_leaves_the_old_folder_and_nothing_else(target, end):
    def fail():
        with whole(target) as new:
            (new / "page").write_text("half")
            raise end

    with pytest.raises(end):
        fail()
    assert standing(target) == ("old", ["site"])


def test_a_failure_makes_no_folder_where_there_was_none(tmp_path):
    with pytest.raises(RuntimeError), whole(tmp_path / "out" / "site"):
        raise RuntimeError
    assert not (tmp_path / "out").exists()


def test_where_no_folder_can_be_made_the_path_is_named(tmp_path):
    (tmp_path / "file").write_text("")
    for place in (tmp_path / "file", tmp_path / "file" / "below", Path("/proc")):
        with pytest.raises(EvalkitError, match="no folder can be made there"), whole(place / "build"):
            pass


def test_a_second_writer_is_refused_by_name_until_the_first_has_died(target):
    first = holder(target)
    with pytest.raises(EvalkitError, match=rf"another run \(process {first.pid}\) is writing here"):
        whole(target.parent / "build").__enter__()
    with pytest.raises(EvalkitError, match="another run"), alone(target.parent):
        raise AssertionError
    first.send_signal(signal.SIGKILL)
    first.communicate()
    assert standing(target) == ("old", [".site.new", "site"])
    with whole(target) as new:
        assert list(new.iterdir()) == [], "nothing of what the first had written"
        (new / "page").write_text("new")
    assert standing(target) == ("new", ["site"])


def test_a_folder_moved_while_it_is_written_is_named(target, tmp_path):
    moved = tmp_path / "moved"
    with pytest.raises(EvalkitError, match="was moved or removed while"), whole(target):
        target.parent.rename(moved)
    with whole(moved / "site") as new:
        (new / "page").write_text("new")
    assert standing(moved / "site") == ("new", ["site"])


def test_a_kill_between_the_two_renames_costs_nothing(target):
    target.rename(target.with_name(".site.old"))
    with pytest.raises(RuntimeError), whole(target):
        raise RuntimeError
    assert standing(target) == ("old", ["site"])


def test_the_folder_is_as_private_as_the_user_asked(target):
    before = os.umask(0o077)
    try:
        with whole(target) as new:
            (new / "page").write_text("new")
    finally:
        os.umask(before)
    assert target.stat().st_mode & 0o777 == 0o700


def test_a_link_to_the_folder_stays_a_link(target, tmp_path):
    link = tmp_path / "www"
    link.symlink_to(target)
    with whole(link) as new:
        (new / "page").write_text("new")
    assert link.is_symlink()
    assert standing(target) == ("new", ["site"])


def test_a_full_disk_leaves_the_old_folder(tmp_path):
    code = f"from evalkit.folders import whole\nwith whole('{tmp_path}/site') as new:\n    (new / 'page').write_bytes(bytes(99999))"  # fmt: skip
    command = ["unshare", "-rm", "sh", "-c", SMALL, "sh", str(tmp_path), sys.executable, code]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if "mount" in done.stderr or "unshare" in done.stderr:
        pytest.skip("this system lets no small file system be mounted")
    assert "No space left" in done.stderr
    assert done.stdout.split() == ["old", "site"]


def test_every_file_is_on_the_disk_before_the_folder_takes_its_place(target, monkeypatch):
    flushed = []

    def fsync(handle, flush=os.fsync):
        flushed.append((os.readlink(f"/proc/self/fd/{handle}"), (target / "page").read_text()))
        flush(handle)

    monkeypatch.setattr(os, "fsync", fsync)
    with whole(target) as new:
        (new / "vi").mkdir()
        for name in ("page", "vi/page"):
            (new / name).write_text("new")
    *before, last = flushed
    assert {path for path, _ in before} == {str(p) for p in (new, new / "page", new / "vi", new / "vi/page")}
    assert {stood for _, stood in before} == {"old"}
    assert last == (str(target.parent), "new")


@pytest.mark.parametrize("data", ["build", "build/received"])
def test_a_build_never_takes_the_place_of_its_data(tmp_path, data):
    folder = tmp_path / data
    folder.mkdir(parents=True)
    (folder / "credit.csv").write_text("the only copy")
    with pytest.raises(DataError, match="the data set lies there"):
        build(folder, tmp_path / "build")
    assert (folder / "credit.csv").read_text() == "the only copy"


def test_a_build_leaves_alone_what_is_no_build(tmp_path):
    (tmp_path / "data").mkdir()
    (tmp_path / "build").mkdir()
    (tmp_path / "build" / "mine").write_text("precious")
    with pytest.raises(DataError, match="is no build of evalkit and is left alone"):
        build(tmp_path / "data", tmp_path / "build")
    assert os.listdir(tmp_path / "build") == ["mine"]


@pytest.mark.parametrize("home", ["", "out"])
def test_what_evalkit_writes_among_the_data_is_no_data(tmp_path, home):
    (tmp_path / "credit.csv").write_text("a")
    out, before = tmp_path / home / "build", fingerprint(tmp_path)
    for name in ("build", "private", "site"):
        (tmp_path / home / name).mkdir(parents=True)
        (tmp_path / home / name / "credit.csv").write_text("b")
    (tmp_path / "~$credit.xlsx").write_text("open in a spreadsheet program")
    assert fingerprint(tmp_path, out) == before
    (tmp_path / "poverty.csv").write_text("c")
    assert fingerprint(tmp_path, out) != before


def test_data_beside_the_build_are_all_counted(tmp_path):
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "credit.csv").write_text("a")
    before = fingerprint(tmp_path / "data", tmp_path / "build")
    (tmp_path / "data" / "credit.csv").write_text("b")
    assert fingerprint(tmp_path / "data", tmp_path / "build") != before


def test_a_build_of_another_version_or_cut_off_says_to_build_again(tmp_path):
    made = {"evalkit": building._own_version(), "settings": {}, "data": "", "built": ""}
    for text, said in (
        (json.dumps(made | {"evalkit": "0.9.0"}), "built by evalkit 0.9.0, and this is"),
        (json.dumps(made)[:-9], r"manifest\.json: can't be read"),
        ("[]", "no manifest of a build"),
    ):
        (tmp_path / "manifest.json").write_text(text)
        with pytest.raises(DataError, match=f"{said}.*evalkit build DATA --out OUT"):
            building.manifest(tmp_path)
        assert not building.stands(tmp_path, ROOT / "data" / "published")
    (tmp_path / "manifest.json").write_text(json.dumps(made))
    assert building.manifest(tmp_path) == made
    table = pd.DataFrame({"place": ["a"], "value": [1.0]})
    for name in ("places", "indicators"):
        table.to_parquet(tmp_path / f"{name}.parquet")
        (tmp_path / f"{name}.parquet").write_bytes((tmp_path / f"{name}.parquet").read_bytes()[:-9])
        for place in (None, "a"):
            with pytest.raises(DataError, match=rf"{name}\.parquet: can't be read.*evalkit build"):
                building.read(tmp_path, name, place)
