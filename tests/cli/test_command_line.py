"""The command line from end to end on real data, and on input that can't be used: run as a user runs it."""

import json
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from evalkit.cli import lab

ROOT = Path(__file__).resolve().parents[2]


def evalkit(*arguments, cwd=ROOT, **options):
    """Run the command line in a process of its own."""
    code = "from evalkit.cli import main; main()"
    return subprocess.run(
        [sys.executable, "-c", code, *map(str, arguments)], cwd=cwd, capture_output=True, text=True, **options
    )


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    """Two communes of the register, reported in both languages with a notebook of one's own among evalkit's."""
    out = tmp_path_factory.mktemp("report")
    lab.own(own_notebooks(out), "my_question", "08473", out / "build", "vi")
    return out, report(out)


def own_notebooks(out):
    return out.parent / f"{out.name}-lab"


def report(out):
    places = ("--place", "08473", "--place", "05233")
    return evalkit(
        "report", "data/published", "--out", out, *places, "--notebooks", own_notebooks(out) / "own"
    )


def test_the_report_ends_with_the_path_of_the_index(made):
    out, done = made
    assert done.returncode == 0, done.stderr
    assert done.stdout.strip().splitlines()[-1] == str(out / "site" / "index.html")


def test_each_page_holds_the_figures_in_its_language(made):
    out, _ = made
    vi = (out / "site/vi/08473/index.html").read_text(encoding="utf-8")
    en = (out / "site/en/08473/index.html").read_text(encoding="utf-8")
    for text in ("trên 43,2 triệu đồng", "38,4 hộ/tổ", "không quá 3,1%", "9,5%", "9,7%", "2,53%", "Tam Nông"):
        assert text in vi
    for text in (
        "over 43.2 million VND",
        "38.4 households per group",
        "at most 3.1 %",
        "9.5 %",
        "9.7 %",
        "2.53 %",
    ):
        assert text in en
    assert "baophutho.vn" in vi


def test_what_a_notebook_of_ones_own_shows_stands_on_every_page_and_what_it_prints_on_none(made):
    out, _ = made
    for code in ("08473", "05233"):
        page = (out / "site" / "vi" / code / "index.html").read_text(encoding="utf-8")
        assert 'id="evaluation-my-remark"' in page
        assert 'class="dataframe"' not in page  # the rows that the notebook looks at


def test_executed_notebooks_stay_private(made):
    out, _ = made
    assert len(list((out / "private").rglob("*.ipynb"))) == 2 * (
        2 * 4 + 3
    )  # two languages: two places, the data set
    assert list((out / "site").rglob("*.ipynb")) == []


def test_a_second_run_skips_what_is_unchanged(made):
    out, _ = made
    again = report(out)
    assert again.returncode == 0
    statuses = {j["status"] for j in json.loads((out / "private/summary.json").read_text())["jobs"]}
    assert statuses == {"skipped"}


@pytest.fixture
def copy(tmp_path):
    """A copy of the register to be spoilt."""
    return Path(shutil.copytree(ROOT / "data/published", tmp_path / "data"))


def spoil(folder, old, new, file="facts.csv"):
    path = folder / file
    text = path.read_text(encoding="utf-8")
    assert old in text
    path.write_text(text.replace(old, new, 1), encoding="utf-8")


@pytest.mark.parametrize(
    ("damage", "expected"),
    [
        (lambda d: spoil(d, "code,name,level", "kode,name,level"), ["facts.csv", "code", "missing"]),
        (lambda d: spoil(d, ",2025-06-30,08434,Tam Nông", ",30 tháng 6,08434,Tam Nông", "communes.csv"), ["communes.csv, row 2", "valid_to", "30 tháng 6"]),
        (lambda d: spoil(d, "\n05233,Tòng Đậu", "\n05233,Tòng Đậu,xã,rural,156,Mai Châu,17,Hòa Bình,,2024-06-30,,,true,\n05233,Tòng Đậu", "communes.csv"), ["communes.csv, row 4", "row 3", "05233"]),
        (lambda d: spoil(d, "\n08473,Hương Nộn,commune", "\n08474,Hương Nộn,commune"), ["facts.csv, row 2", "08474", "communes"]),
        (lambda d: spoil(d, "real = true", "reel = true", "dataset.toml"), ["dataset.toml", "reel", "real"]),
        (lambda d: (d / "facts.csv").write_bytes(b"\xff\xfe\x00\x01" * 50), ["facts.csv"]),
        (lambda d: [p.unlink() for p in d.iterdir()], ["dataset.toml", "evalkit new"]),
    ],
    ids=["missing column", "wrong kind", "duplicate key", "unknown place", "misspelt setting", "unreadable", "empty folder"],
)  # fmt: skip
def test_bad_input_gives_one_clear_message_and_leaves_nothing_half_written(copy, tmp_path, damage, expected):
    damage(copy)
    done = evalkit("report", copy, "--out", tmp_path / "out")
    assert done.returncode == 2
    assert "Traceback" not in done.stderr
    said = [line for line in done.stderr.splitlines() if line]
    assert len(said) == 1, done.stderr
    assert all(e in said[0] for e in expected), said[0]
    assert not (tmp_path / "out" / "build").exists()
    assert not list(tmp_path.glob("out/.*"))


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        (["--place", "08474"], ["08474", "08473"]),
        (["--place", "08434"], ["Hương Nộn", "Hưng Hóa", "Dân Quyền"]),
        (["--langs", "fr"], ["fr", "vi, en"]),
    ],
)
def test_a_place_or_language_that_is_not_there_is_refused_before_anything_is_computed(
    tmp_path, arguments, expected
):
    done = evalkit("report", "data/published", "--out", tmp_path / "out", *arguments)
    assert done.returncode == 2
    assert "Traceback" not in done.stderr
    assert all(e in done.stderr for e in expected), done.stderr
    assert not (tmp_path / "out").exists()


def test_a_commune_whose_notebook_fails_does_not_stop_the_others(tmp_path):
    """A notebook of the suite that fails for one place only: its page says so, the other's stands, status 1."""
    suite = tmp_path / "notebooks" / "commune"
    shutil.copytree(ROOT / "notebooks" / "commune", suite)
    path = suite / "credit.ipynb"
    notebook = json.loads(path.read_text(encoding="utf-8"))
    notebook["cells"][-1]["source"] = [
        'assert place.unit["place"] != "05233"\n',
        'ek.show(ek.tables.figures(place, "credit", lang=lang))',
    ]
    path.write_text(json.dumps(notebook), encoding="utf-8")
    done = evalkit(
        "report",
        "data/published",
        "--out",
        tmp_path / "out",
        "--place",
        "08473",
        "--place",
        "05233",
        "--langs",
        "vi",
        "--notebooks",
        suite.parent,
    )
    assert done.returncode == 1
    assert "05233" in done.stderr
    site = tmp_path / "out" / "site" / "vi"
    assert "Toàn bộ số liệu" in (site / "08473/index.html").read_text(encoding="utf-8")
    assert "Toàn bộ số liệu" not in (site / "05233/index.html").read_text(encoding="utf-8")
