"""The quality page: counts that agree with the findings, words in both catalogues, a notebook without logic."""

import ast
import json
import re
from pathlib import Path

import pandas as pd
import pytest
from babel.messages.pofile import read_po

from evalkit.errors import ParameterError
from evalkit.load.dataset import check
from evalkit.load.findings import finding, table
from evalkit.present import quality

ROOT = Path(__file__).resolve().parents[2]
NOTEBOOK = ROOT / "notebooks" / "province" / "data_quality.ipynb"


@pytest.fixture(scope="module")
def published():
    rows = pd.DataFrame(
        {
            "place": ["a", "b", "a", "a"],
            "indicator": [
                "outstanding_loans_vnd",
                "outstanding_loans_vnd",
                "poverty_rate_pct",
                "outstanding_loans_vnd",
            ],
            "year": pd.array([2020, 2020, 2021, None], dtype="Int64"),
        }
    )
    return quality.Quality(check(ROOT / "data" / "published"), rows, {"data": {"real": True}})


def test_findings_by_rule_add_up(published):
    block = quality.by_rule(published, lang="en")
    assert sum(row[3] for row in block.raw) == len(published.findings)
    assert [row[0] for row in block.raw] == sorted(
        (r[0] for r in block.raw), key=["error", "warning", "note"].index
    )


@pytest.mark.parametrize("lang", ["vi", "en"])
def test_a_rule_is_shown_by_its_title_and_kept_by_its_code(published, lang):
    block = quality.by_rule(published, lang=lang)
    shown, kept = [row[2] for row in block.rows], [row[2] for row in block.raw]
    assert not set(shown) & set(kept)
    assert set(kept) == set(published.findings["rule"])
    assert ("Số liệu không ghi thời điểm" in shown) == (lang == "vi")


def test_coverage_counts_places(published):
    block = quality.coverage(published, lang="en")
    assert [c[0] for c in block.columns] == ["year", "credit", "poverty"]
    assert block.rows == (("2020", "2", "0"), ("2021", "0", "1"))


def test_overview_and_what_was_set_aside(published):
    counts = published.findings["severity"].value_counts()
    said = quality.overview(published, lang="en").paragraphs[0]
    assert f"found 0 errors, {counts['warning']} warnings and {counts['note']} notes" in said
    assert quality.set_aside(published, lang="en").paragraphs == ("Every row of every file was used.",)
    aside = table([finding("note", "empty_rows", file="credit.csv", count=3, rows="2, 3, 4")])
    block = quality.set_aside(quality.Quality(aside, published.rows, published.settings), lang="en")
    assert block.rows == (("credit.csv", "Rows without any figure", "1"),)
    assert block.raw == (("credit.csv", "empty_rows", 1),)


def test_a_quiet_data_set(published):
    quiet = quality.Quality(table([]), published.rows.iloc[:0], {"data": {"real": False}})
    assert quality.by_rule(quiet, lang="en").paragraphs == ("The checks found nothing to object to.",)
    assert quality.coverage(quiet, lang="en").paragraphs == ("No figure bears a year.",)
    assert "simulated" in quality.overview(quiet, lang="en").paragraphs[1]


def test_only_known_languages(published):
    with pytest.raises(ParameterError, match="fr"):
        quality.coverage(published, lang="fr")


def test_every_word_has_its_vietnamese():
    tree = ast.parse((ROOT / "src/evalkit/present/quality.py").read_text(encoding="utf-8"))
    calls = [n for n in ast.walk(tree) if isinstance(n, ast.Call) and getattr(n.func, "id", "") == "t"]
    said = {c.args[0].value for c in calls if isinstance(c.args[0], ast.Constant)}
    said |= {quality._SIMULATED, *quality._SUBJECTS.values()}
    with (ROOT / "src/evalkit/present/locale/vi.po").open("rb") as file:
        known = {m.id for m in read_po(file, locale="vi") if m.id and m.string}
    assert len(said) > 15
    assert said <= known


def test_the_notebook_holds_no_logic():
    cells = json.loads(NOTEBOOK.read_text(encoding="utf-8"))["cells"]
    assert ["parameters"] in [c["metadata"].get("tags") for c in cells]
    for cell in cells:
        if cell["cell_type"] == "code":
            assert not cell["outputs"]
            source = "".join(cell["source"])
            assert not re.search(r"\b(def|for|while|if|merge|lambda)\b", source.split("#")[0])
