"""No household's figure reaches a published byte: a data set seeded with tell-tales, published, and read whole."""

import json

import pandas as pd
import pytest
import telltale

import evalkit as ek
from evalkit import building
from evalkit.batch import RunSummary
from evalkit.batch.journal import Row
from evalkit.present import disclose
from evalkit.present.blocks import MIME
from evalkit.publish.archive import notebooks_folder
from evalkit.publish.publication import publication


@pytest.fixture(scope="module")
def out(tmp_path_factory):
    folder = tmp_path_factory.mktemp("telltale")
    ek.build(telltale.small(folder / "data"), folder / "out" / "build")
    return folder / "out"


@pytest.fixture(scope="module")
def site(out):
    """The site, with one commune's report from what the cells of the notebooks mark for readers."""
    rows = []
    for lang in ("vi", "en"):
        for path in (notebooks_folder() / "commune").glob("*.ipynb"):
            marked = [{"data": {MIME: payload}} for payload in shown(path, out, telltale.COMMUNE, lang)]
            executed = out / "private" / telltale.COMMUNE / lang / path.name
            executed.parent.mkdir(parents=True, exist_ok=True)
            executed.write_text(json.dumps({"cells": [{"outputs": marked}]}), encoding="utf-8")
            given = {"place": telltale.COMMUNE, "lang": lang}
            rows.append(Row(f"{telltale.COMMUNE}/{lang}/{path.stem}", path.stem, "ok", parameters=given))
    return publication(out, ("vi", "en"), RunSummary(tuple(rows))).parent


def shown(path, out, place, lang):
    """What a notebook's cells show to readers, its cells run here."""
    found = []
    cells = [c for c in json.loads(path.read_text(encoding="utf-8"))["cells"] if c["cell_type"] == "code"]
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("IPython.display.display", lambda bundle, raw: found.append(bundle.get(MIME)))
        names = {"place": place, "build": str(out / "build"), "lang": lang}
        for cell in cells[1:]:
            exec("".join(cell["source"]), names)
    return [payload for payload in found if payload]


def test_no_published_byte_holds_a_telltale(site):
    found = {name: traces for name, text in telltale.published(site) if (traces := telltale.traces(text))}
    assert not found
    assert (site / "en" / telltale.COMMUNE / "credit-groups.svg").is_file()


def test_the_researcher_still_finds_every_telltale_in_what_the_checks_say(out):
    """Else the test above would find nothing because nothing was planted."""
    said = building.read(out / "build", "findings")
    private = telltale.traces(" ".join([*said["message"], *said["key"]]))
    assert {str(telltale.LOAN["amount_vnd"]), str(telltale.LOAN["overdue_vnd"]), telltale.MARK} <= set(
        private
    )


def test_nothing_private_lies_in_the_site(site):
    kinds = {path.suffix for path in site.rglob("*") if path.is_file()}
    assert kinds <= {".html", ".css", ".js", ".svg", ".csv", ".parquet", ".json", ".cff", ".txt", ".zip"}
    assert not [path for path in site.rglob("*") if path.is_symlink()]


def test_the_money_of_a_single_member_and_what_it_leaves_of_the_areas_is_hidden(out):
    rows = disclose.rows(out / "build", "indicators")
    shares = rows[rows["indicator"].str.startswith("entrusted_share") & (rows["year"] == 2024)]
    hidden = shares.groupby("place")["numerator"].apply(lambda amounts: amounts.isna().all())
    assert hidden[[telltale.ALONE, "911", "99"]].all()
    assert not hidden[["907"]].any(), "the other district has no such union"


def test_no_median_or_bound_is_a_households_own_income(out):
    rows = building.read(out / "build", "indicators")
    medians = rows[rows["indicator"] == "income_median_month_vnd"]
    figures = medians[["value", "lower", "upper"]].stack()
    assert len(figures)
    assert (figures.map("{:.2e}".format).astype(float) == figures).all()


def test_findings_are_told_by_their_table_and_not_by_the_name_of_their_file():
    columns = {"place": "1", "rule": "part_exceeds_whole"}
    findings = pd.DataFrame(
        [
            columns | {"file": "tín dụng 2024.xlsx", "table": "credit"},
            columns | {"file": "credit-2019.csv", "table": "credit"},
            columns | {"file": "Mau 01.xlsx", "table": "loans"},
            columns | {"file": "poverty.csv", "table": "poverty"},
            columns | {"file": "facts.csv", "table": "facts"},
        ]
    )
    row = {"place": "1", "hidden": "primary", "source": "credit; groups"}
    kept = disclose._quoting_nothing_hidden(findings, pd.DataFrame([row]))
    assert kept["table"].tolist() == ["poverty", "facts"]
    kept = disclose._quoting_nothing_hidden(
        findings, pd.DataFrame([row | {"source": "https://example.org/1"}])
    )
    assert kept["table"].tolist() == ["credit", "credit", "poverty"]
