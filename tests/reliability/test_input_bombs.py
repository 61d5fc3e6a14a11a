"""Small files that ask for gigabytes or hours, read by a real process whose memory is limited: one clear error each."""

import json
import subprocess
import sys
from pathlib import Path

import hostile_files as made
import pytest

from evalkit.load.workbook import xls
from evalkit.load.workbook.xlsx import Damaged

SHEET = "xl/worksheets/sheet1.xml"
TOO_LARGE = "holds more than a table of ten million cells does, or a cell far outside of its table"
UNPACKS = "unpacks to more than memory should hold"
OPEN_QUOTE = "a cell takes in whole rows"
LAUGHS = made.LAUGHS + f'<sst xmlns="{made.MAIN}"><si><t>&j;</t></si></sst>'
OUTSIDE = made.OUTSIDE + f'<sst xmlns="{made.MAIN}"><si><t>&a;</t></si></sst>'
TEXT = ";".join(made.HEADER) + "\n" + ";".join(made.ROW) + "\n"


def dimension(path):
    sheet = made.parts()[SHEET].replace("<sheetData>", '<dimension ref="A1:XFD1048576"/><sheetData>')
    return made.archive(path, made.parts() | {SHEET: sheet})


def laughs_in_the_list_of_sheets(path):
    book = made.parts()["xl/workbook.xml"].replace('name="A"', 'name="&j;"')
    return made.archive(path, made.parts() | {"xl/workbook.xml": made.LAUGHS + book})


def endless_chain(path):
    """An .xls file whose allocation table says that each sector follows itself."""
    path.write_bytes(b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(22) + b"\x09\0\x06\0" + bytes(10)
                     + b"\0\0\0\0\0\0\0\0\0\x10\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0" + bytes(4 * 108 + 512))  # fmt: skip
    return path


# name of the file: (how it is made, what must be said of it)
FILES = {
    "spaces.xlsx": (made.spaces, TOO_LARGE),
    "lying-size.xlsx": (lambda p: made.spaces(p, times=256, lies=(SHEET,)), "Bad CRC-32"),
    "shared-string.xlsx": (made.shared_string, TOO_LARGE),
    "corners.xlsx": (made.corners, TOO_LARGE),
    "laughs.xlsx": (lambda p: made.archive(p, made.parts(xl__sharedStrings_xml=LAUGHS)), "can't be opened"),
    "laughs-in-names.xlsx": (laughs_in_the_list_of_sheets, "a document type is declared"),
    "outside.xlsx": (lambda p: made.archive(p, made.parts(xl__sharedStrings_xml=OUTSIDE)), "can't be opened"),
    "dimension.xlsx": (dimension, None),
    "endless.xls": (endless_chain, "can't be opened as a workbook"),
    "dictionary.parquet": (made.dictionary, UNPACKS),
    "rows.parquet": (made.repeated_rows, UNPACKS),
    "million-columns.csv": (lambda p: made.columns(p, 1_000_000), TOO_LARGE),
    "a-thousand-named-alike.csv": (lambda p: made.columns(p, 1_000), None),
    "long-line.csv": (lambda p: written(p, TEXT + "1;" * 10_500_000), TOO_LARGE),
    "long-cell.csv": (lambda p: written(p, TEXT + "x" * 20_000_000), OPEN_QUOTE),
    "spaces-in-a-cell.csv": (lambda p: written(p, TEXT.replace("Hộ nghèo", f"a{' ' * 32_000}b") * 40), None),
}  # fmt: skip


def written(path, text):
    path.write_text(text, encoding="utf-8")
    return path


@pytest.fixture(scope="module")
def answers(tmp_path_factory):
    folder = tmp_path_factory.mktemp("bombs")
    paths = [str(make(folder / name)) for name, (make, _) in FILES.items()]
    before = sorted(folder.iterdir())
    script = Path(__file__).with_name("read_within_limits.py")
    done = subprocess.run(
        [sys.executable, script, *paths], capture_output=True, text=True, cwd=folder, timeout=540
    )
    assert done.returncode == 0, done.stderr[-2000:]
    assert sorted(folder.iterdir()) == before
    for path in paths:
        Path(path).unlink()
    return {Path(said["path"]).name: said for said in map(json.loads, done.stdout.splitlines())}


@pytest.mark.parametrize("name", FILES)
def test_one_clear_error_or_the_table(answers, name):
    expected, said = FILES[name][1], answers[name]
    if expected is None:
        assert said.get("rows", 0) >= 1, said
        assert "1234500000" in said["frame"]
        assert "root:" not in said["frame"]
    else:
        assert expected in said["error"]
        assert name in said["error"]
        assert len(said["error"]) < 400


@pytest.mark.parametrize("name", FILES)
def test_time_and_memory_stay_bounded(answers, name):
    """The bounds are those of the reader itself, with room for a slow machine; the hostile files ask for far more."""
    assert answers[name]["seconds"] < 120
    assert answers[name]["megabytes"] < 3.6 * 1024


def test_a_chain_of_sectors_that_comes_back_to_itself_ends():
    with pytest.raises(Damaged, match="without an end"):
        list(xls._chain(0, (1, 0)))
    assert list(xls._chain(0, (1, 0xFFFFFFFE))) == [0, 1]
