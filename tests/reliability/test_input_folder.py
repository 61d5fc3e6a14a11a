"""Folders as an enemy leaves them: links, pipes, settings without an end, names that are paths, files that change."""

import hashlib
import os
import sys
import threading
import time
from pathlib import Path

import hostile_files as made
import pytest

sys.path.insert(0, str(made.TESTS / "load"))
from dataset_sample import SETTINGS, communes, credit, income, write

from evalkit.building import build
from evalkit.errors import DataError
from evalkit.load.dataset import check, open_dataset
from evalkit.load.text import fold, nfc, slug


def found(folder, rule):
    return check(folder).query("rule == @rule")


def snapshot(folder):
    """Names, kinds and contents of everything in a folder, links not followed."""
    return {
        str(p.relative_to(folder)): os.readlink(p)
        if p.is_symlink()
        else hashlib.sha256(p.read_bytes()).hexdigest()
        if p.is_file()
        else p.lstat().st_mode
        for p in Path(folder).rglob("*")
    }


# What stands in the place of a file.


@pytest.mark.parametrize(
    ("target", "said"),
    [
        ("/etc/passwd", "a link that leads out of the folder"),
        ("../outside.csv", "a link that leads out of the folder"),
        ("income.csv", "a link that leads nowhere"),
        ("nothing.csv", "a link that leads nowhere"),
        ("/dev/zero", "a pipe or a device"),
        ("..", "a folder"),
    ],
)
def test_a_link_is_named_and_not_followed(tmp_path, target, said):
    credit().to_csv(tmp_path / "outside.csv", index=False)
    folder = write(tmp_path / "d")
    (folder / "income.csv").symlink_to(target)
    lines = check(folder).query("rule == 'not_a_file'")
    assert lines["file"].tolist() == ["income.csv"]
    assert lines["severity"].tolist() == ["error"]
    assert said in lines["message"].iloc[0]
    assert not lines["message"].str.contains("root:").any()


def test_a_link_to_a_file_of_the_folder_and_a_folder_that_is_a_link_are_fine(tmp_path):
    folder = write(tmp_path / "d", credit=credit())
    (folder / "credit").mkdir()
    (folder / "credit.csv").rename(folder / "delivered.csv")
    (folder / "credit.csv").symlink_to("delivered.csv")
    (tmp_path / "link").symlink_to(folder)
    assert "credit" in open_dataset(tmp_path / "link").tables


@pytest.mark.parametrize("name", ["credit.csv", "dataset.toml", "corrections.csv"])
def test_a_pipe_in_the_place_of_a_file_is_not_waited_for(tmp_path, name):
    folder = write(tmp_path / "d", credit=credit())
    (folder / name).unlink(missing_ok=True)
    os.mkfifo(folder / name)
    lines = check(folder).query("severity == 'error'")
    assert lines["message"].str.contains("a pipe or a device").any()


@pytest.mark.parametrize("name", ["dataset.toml", "corrections.csv", "peers.csv", "boundaries.geojson"])
def test_nothing_outside_reaches_a_build_through_a_link(tmp_path, name):
    secret = tmp_path / "secret"
    secret.write_text("table,key,column,value,expectation,reason\ncanary,1,2,3,4,5\n")
    folder = write(tmp_path / "d", income=income())
    (folder / name).unlink(missing_ok=True)
    (folder / name).symlink_to(secret)
    with pytest.raises(DataError, match="link that leads out of the folder") as raised:
        open_dataset(folder)
    assert not raised.value.findings["message"].str.contains("canary").any()


def test_a_file_of_a_kind_that_is_not_read_is_named(tmp_path):
    folder = write(tmp_path / "d", credit=credit())
    for name in ("income.xlsb", "poverty.pdf", "groups.ods", "letter.pdf"):
        (folder / name).write_bytes(b"x")
    lines = found(folder, "kind_not_read")
    assert sorted(lines["file"]) == ["groups.ods", "income.xlsb", "poverty.pdf"]
    assert set(lines["severity"]) == {"warning"}


# Settings.

HUGE = SETTINGS + "\n".join(f"# {i} {'x' * 100}" for i in range(12_000))


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (HUGE, "larger than settings ever are"),
        ("a = " + "[" * 100_000, "lists within lists"),
        ("a = " + "{a=" * 5000, "can't be read|lists within lists"),
        ("a" + ".a" * 5000 + " = 1", "is not known|should be|can't be read|lists within lists"),
        (SETTINGS.replace("[2019, 2023]", "['2019', true]"), "years"),
        (SETTINGS.replace("[2019, 2023]", "[2023, 2019]"), "years"),
        (SETTINGS.replace("[2019, 2023]", "[9" + "9" * 5000 + ", 1]"), "can't be read"),
        (SETTINGS.replace("real = true", 'real = "yes"'), "real"),
        (SETTINGS + '[publish]\nsuppression_threshold = "0; DROP"\n', "suppression_threshold"),
        (SETTINGS + "[acknowledge]\nrule = 1\n", "acknowledge"),
        (SETTINGS + "[[acknowledge]]\nrule = 'x'\nplace = '1'\nvalue = {a = 1}\nreason = 'r'\n", None),
        (SETTINGS + "[plan]\noutcome = [[1]]\n", "plan"),
        (SETTINGS + "[surprise]\na = 1\n", "surprise"),
        ("\0", "can't be read"),
    ],
)  # fmt: skip
def test_settings_of_any_kind_are_a_finding(tmp_path, text, said):
    folder = write(tmp_path / "d", settings=text)
    lines = check(folder).query("file == 'dataset.toml' and severity == 'error'")["message"]
    assert said is None or lines.str.contains(said).any(), lines.tolist()
    assert lines.str.len().max() < 1000 or lines.empty


# Names that are paths, and names that look like others.

CODES = ["../../etc", "/etc/passwd", "a/b-c", "a\\b-c", "CON", "10001\n", "1000１", "x" * 300 + "-y",
         "\u202e10001", "a-b\0", "a-b.", "-a-b"]  # fmt: skip


@pytest.mark.parametrize("code", CODES)
def test_a_code_is_a_code_or_an_error(tmp_path, code):
    frame = communes()
    frame.loc[0, "code"] = code
    folder = write(tmp_path / "d", communes=frame)
    if nfc(code) == "10001":
        assert open_dataset(folder).places["place"].iloc[0] == "10001"
        return
    with pytest.raises(DataError, match=r"communes\.csv"):
        open_dataset(folder)


def test_names_are_no_paths_and_hold_nothing_invisible(tmp_path):
    frame = communes()
    names = ["../../etc/passwd", "Hòa\u202e An", "Tân\u200b Lập" + " " * 10, "Đông Phú"]
    frame["name"] = names
    folder = write(tmp_path / "d", communes=frame, credit=credit())
    places = open_dataset(folder).places
    assert places["name"].tolist() == ["../../etc/passwd", "Hòa An", "Tân Lập", "Đông Phú"]
    assert [slug(name) for name in places["name"]] == ["etc-passwd", "hoa-an", "tan-lap", "dong-phu"]
    assert places["place"].str.fullmatch(r"[a-z0-9-]+").all()


@pytest.mark.parametrize("name", ["Xã Hоa Bình", "Ηòa An", "Bình Ｍinh"])
def test_letters_that_only_look_latin_are_asked_about(tmp_path, name):
    frame = communes()
    frame.loc[0, "name"] = name
    lines = found(write(tmp_path / "d", communes=frame, credit=credit()), "foreign_letters")
    assert lines["severity"].tolist() == ["warning"]
    assert lines["row"].tolist() == [2]


def test_names_of_this_country_hold_no_foreign_letters(tmp_path):
    frame = communes()
    frame["name"] = ["M'Drắk", "Ngọc Lặc – Phường 3", "R’Lấp", "Đắk Ơ (mới), Ya Chim"]
    assert found(write(tmp_path / "d", communes=frame, credit=credit()), "foreign_letters").empty


def test_decomposed_names_are_the_same_names():
    assert fold("Hòa Bình") == fold("Hòa Bình") == "hoa binh"
    assert nfc("Hòa Bình") == "Hòa Bình"


# A data set that changes while it is read.


def test_a_data_set_that_changes_while_it_is_read_is_refused(tmp_path, monkeypatch):
    from evalkit import building

    folder = write(tmp_path / "d", credit=credit(), income=income())

    def meanwhile(path):
        dataset = open_dataset(path)
        (folder / "income.csv").write_bytes((folder / "income.csv").read_bytes() + b"\n")
        return dataset

    monkeypatch.setattr(building, "open_dataset", meanwhile)
    with pytest.raises(DataError, match="changed while it was read"):
        build(folder, tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_a_file_that_vanishes_while_it_is_read_is_a_finding(tmp_path):
    folder = write(tmp_path / "d", credit=credit(), income=income())
    whole = (folder / "income.csv").read_bytes()
    stop = threading.Event()

    def flicker():
        while not stop.is_set():
            (folder / "income.csv").unlink(missing_ok=True)
            (folder / "income.csv").write_bytes(whole)
            time.sleep(0.01)

    thread = threading.Thread(target=flicker)
    thread.start()
    try:
        for _ in range(2):
            check(folder)
    finally:
        stop.set()
        thread.join()


def test_checking_writes_nothing(tmp_path):
    folder = write(tmp_path / "d", credit=credit(), income=income())
    made.workbook(folder / "poverty.xlsx", [["a"]])
    (folder / "groups.csv").write_bytes(b"\xff\xfe\0\0")
    before = snapshot(tmp_path)
    check(folder)
    assert snapshot(tmp_path) == before


@pytest.mark.parametrize(
    ("key", "value", "said"),
    [
        ("suppression_threshold", -1, "should be 0 or more"),
        ("minimum_comparators", -5, "should be 0 or more"),
        ("comparison_years", -1, "should be 0 or more"),
        ("dominance_percent", -1, "should be from 0 to 100"),
        ("dominance_percent", 101, "should be from 0 to 100"),
    ],
)
def test_a_rule_of_disclosure_that_would_hide_nothing_without_a_word_is_refused(tmp_path, key, value, said):
    folder = write(tmp_path / "d", settings=SETTINGS + f"[publish]\n{key} = {value}\n", income=income())
    lines = found(folder, "settings")
    assert lines["severity"].tolist() == ["error"]
    assert said in lines["message"].iloc[0]
