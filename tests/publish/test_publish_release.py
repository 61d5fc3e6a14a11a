"""What is given away and what is said of it: release, changes, methods, overview, archive, PDF."""

import io
import json
import re
import zipfile

import pandas as pd
import pytest
from site_pages import read
from site_sample import META, PLACES, write_sample

from evalkit import publish
from evalkit.errors import DataError
from evalkit.publish import changes, methods, overview, take_away
from evalkit.publish.outline import outline
from evalkit.publish.places import checked
from evalkit.publish.release import FIGURES, Release, read_back, write
from evalkit.publish.release import PLACES as PLACE_COLUMNS

PRINTS = {"data": "d" * 64, "code": "c" * 64, "environment": "e" * 64}
SETTINGS = {key: {"vi": f"{key} vi", "en": f"<i>{key} en"} for key in ("title", "source", "rights")}
SETTINGS |= {"data": {"real": True}}


def row(**given):
    first = dict.fromkeys(FIGURES) | {"place": "08473", "name": "Hương Nộn", "period": "2024", "flags": ""}
    first |= {"indicator": "poverty_rate_pct", "value": 1.0, "unit": "percent", "basis": "2022-2025"}
    first |= {"year": 2024, "method": "review", "source": "=cmd()"} | given
    return first | {"lower": first["value"], "upper": given.get("upper", first["value"])}


def released(rows, **prints):
    figures = pd.DataFrame(rows)
    for column in ("value", "lower", "upper", "numerator", "denominator"):
        figures[column] = figures[column].astype(float)
    places = pd.DataFrame([dict.fromkeys(PLACE_COLUMNS) | {"place": "08473", "name": "Hương Nộn"}])
    for column in ("valid_from", "valid_to"):
        places[column] = pd.to_datetime(places[column])
    manifest = {"settings": SETTINGS, "built": "2026-01-02T00:00:00+00:00", "evalkit": "0.1.0"}
    return Release(figures, places, manifest, methods.definition_hashes(), PRINTS | prints)


def kept(release):
    return {"definitions": release.definitions} | release.fingerprints


BASE = [row(), row(indicator="poor_share_pct", value=1.2, flags="computed"), row(period="2014", value=9.5)]


@pytest.mark.parametrize(
    ("rows", "prints", "redefined", "expected"),
    [
        (BASE, {}, (), []),
        ([row(value=2.0), *BASE[1:]], {"data": "x"}, (), [("changed", "correction")]),
        ([*BASE, row(period="2025")], {"data": "x"}, (), [("added", "new_data")]),
        ([BASE[0], BASE[1] | {"value": 3.0}, BASE[2]], {"code": "x"}, (), [("changed", "code")]),
        ([BASE[0], BASE[1] | {"value": 3.0}, BASE[2]], {}, ("poor_share_pct",), [("changed", "definition")]),
        ([row(value=None, flags="hidden"), *BASE[1:]], {"data": "x"}, (), [("changed", "protection")]),
        (BASE[:2], {"data": "x"}, (), [("removed", "correction")]),
    ],
)
def test_each_changed_figure_has_its_cause(rows, prints, redefined, expected):
    before = released(BASE)
    known = kept(before) | {"definitions": before.definitions | dict.fromkeys(redefined, "other")}
    found = changes.changes(before.figures, known, released(rows, **prints))
    assert list(zip(found["change"], found["cause"], strict=True)) == expected


def test_an_unbounded_figure_that_stays_is_no_change():
    rows = [row(upper=float("inf"))]
    assert changes.changes(released(rows).figures, kept(released(rows)), released(rows)).empty


def test_the_release_reads_back_runs_no_formula_and_says_what_its_columns_are(tmp_path):
    release = released([row(upper=float("inf"))])
    write(tmp_path / "release", release)
    figures, marks = read_back(tmp_path)
    assert list(figures.columns) == FIGURES
    assert marks["data"] == PRINTS["data"]
    text = (tmp_path / "release" / "figures.csv").read_text(encoding="utf-8-sig")
    assert "'=cmd()" in text
    assert "inf" not in text
    package = json.loads((tmp_path / "release" / "datapackage.json").read_text(encoding="utf-8"))
    for resource in package["resources"]:
        header = pd.read_csv(tmp_path / "release" / resource["path"], nrows=0, encoding="utf-8-sig")
        assert [field["name"] for field in resource["schema"]["fields"]] == list(header.columns)
    with pytest.raises(DataError, match="no release there"):
        read_back(tmp_path / "elsewhere")


@pytest.fixture(scope="module")
def whole(tmp_path_factory, words):
    """A site with its release, made twice: from BASE, then with a corrected figure."""
    out = tmp_path_factory.mktemp("whole")
    write_sample(out / "private")
    for rows, data in ((BASE, "a" * 64), ([row(value=2.0), *BASE[1:]], "b" * 64)):
        release = released(rows, data=data)
        meta = META | {"fingerprints": release.fingerprints}
        publish.site(out / "private", out, PLACES, meta=meta, words=words, release=release)
    return out / "site"


def test_the_second_release_lists_what_changed_and_why(whole):
    page = read(whole / "en" / "changes" / "index.html")
    assert "1 figures differ from the release of 2 January 2026." in page.text
    assert "correction of the data" in page.text
    assert page.all("a", href="../08473/index.html")


def test_every_link_of_a_whole_site_leads_to_a_file(whole):
    for path in whole.rglob("*.html"):
        for tag, attributes in read(path).elements:
            address = attributes.get("href") or attributes.get("src") or ""
            if address and "://" not in address and not address.startswith(("data:", "#")):
                assert (path.parent / address.split("#")[0]).is_file(), (path, tag, address)


def test_every_page_carries_the_fingerprints(whole):
    for path in whole.rglob("*.html"):
        assert "b" * 12 in read(path).text, path


def test_the_archive_follows_the_template_and_names_the_function_behind_each_display(whole):
    with zipfile.ZipFile(io.BytesIO((whole / "release" / "replication.zip").read_bytes())) as packed:
        names = packed.namelist()
        readme = packed.read("README.md").decode()
    headings = [line for line in readme.splitlines() if line.startswith(("Data avail", "Computational"))]
    headings += [line for line in readme.splitlines() if line.startswith(("Instructions", "List of fig"))]
    assert len(headings) == 4
    assert re.findall(r".<i>\w+", readme) == [r"\<i>title", r"\<i>source", r"\<i>rights"], (
        "no markup from the data"
    )
    assert "| figure spine | commune/evaluation.ipynb | evalkit.charts.spine |" in readme
    assert {"release/figures.csv", "reference/poverty_standards.csv", "environment.txt"} <= set(names)
    assert not [n for n in names if n.endswith(("loans.parquet", "households.csv"))]


def test_every_indicator_has_its_place_on_the_method_page(whole):
    ids = {a.get("id") for _, a in read(whole / "vi" / "methods" / "indicators.html").elements}
    assert methods.names() <= ids


def test_a_docstring_keeps_its_formula_apart():
    found = methods.pieces("Share.\n\n    .. math:: p = x / n\n\n    x: counted; ``n``: all.")
    assert found == [("text", "Share."), ("formula", "p = x / n"), ("text", "x: counted; ``n``: all.")]


def test_tiles_tell_hidden_from_missing_and_class_by_fifths():
    places = checked(
        [{"place_id": f"{n}", "name": f"x{n}", "province": "P", "district": "D"} for n in range(7)]
    )
    values = {str(n): float(n) for n in range(5)} | {"5": None}
    ((name, group),), bounds = overview.tiles(places, values)
    assert name == "D"
    assert [tile["mark"] for tile in group] == ["1", "2", "3", "4", "5", "×", "–"]
    assert bounds["5"] == (4.0, 4.0)


def test_a_map_is_drawn_from_boundaries_in_degrees():
    ring = [[105.0, 21.0], [106.0, 21.0], [106.0, 22.0], [105.0, 22.0], [105.0, 21.0]]
    feature = {"properties": {"code": "1"}, "geometry": {"type": "Polygon", "coordinates": [ring]}}
    tiles = [("D", [{"place": {"code": "1", "place_id": "1"}, "mark": "3"}])]
    drawn = outline({"features": [feature]}, tiles)
    assert drawn["paths"][0][0] == "3"
    assert drawn["paths"][0][1].startswith("M0 ")
    assert drawn["height"] == pytest.approx(drawn["width"] / 0.9304, rel=0.01)  # cos 21.5°
    ((mark, x, y),) = drawn["marks"]
    assert (mark, x) == ("3", 320)
    assert 0 < y < drawn["height"]
    assert outline(None, tiles) is None


def test_the_mark_of_a_bent_shape_lies_within_it_and_a_sliver_bears_none():
    bent = [[0, 0], [3, 0], [3, 3], [0, 3], [0, 2], [2.5, 2], [2.5, 1], [0, 1], [0, 0]]
    sliver = [[3, 0], [3.01, 0], [3.01, 3], [3, 3], [3, 0]]
    features = [
        {"properties": {"code": code}, "geometry": {"type": "Polygon", "coordinates": [ring]}}
        for code, ring in (("1", bent), ("2", sliver))
    ]
    tiles = [("D", [{"place": {"code": code, "place_id": code}, "mark": code} for code in "12"])]
    drawn = outline({"features": features}, tiles)
    ((mark, x, _),) = drawn["marks"]
    assert mark == "1"
    assert 2.5 < x / drawn["width"] * 3.01 < 3


def test_a_report_becomes_a_pdf_whose_hostile_texts_stay_text(tmp_path, words):
    pytest.importorskip("typst")
    hostile = '#panic("x") \\ $x$ @a <b> *b* Hương Nộn ỡ Ữ ằ'
    payload = {"kind": "table", "id": "t", "section": "credit", "title": hostile, "paragraphs": [hostile]}
    payload |= {"columns": [{"key": "a", "label": hostile}], "rows": [[hostile]], "notes": [hostile]}
    import site_sample

    site_sample.write_private(tmp_path / "private", "08473", {"vi": {"credit": [payload]}})
    index = publish.site(
        *(tmp_path / "private", tmp_path, PLACES[:1]), meta=META, words=words, languages=("vi",), pdf=True
    )
    made = (index.parent / "vi" / "08473" / "report.pdf").read_bytes()
    assert made.startswith(b"%PDF-")
    assert b"FontFile" in made


def test_a_place_that_no_longer_stood_lacks_no_figure_and_does_not_count_for_the_half():
    gone = [{"place_id": f"g{n}", "name": f"g{n}", "valid_to": "2019-12-31"} for n in range(3)]
    places = checked([{"place_id": "a", "name": "a"}, {"place_id": "b", "name": "b"}, *gone])
    assert [overview.stood(p, 2024) for p in places] == [True, True, False, False, False]
    assert overview.stood(places[-1], 2018)
    assert overview.stood(places[-1], 2019)
    figures = pd.DataFrame(
        {"place": ["a"], "year": [2024], "period": "2024", "basis": "s", "method": "m", "value": [3.0]}
    ).assign(indicator="poverty_rate_pct", unit="percent")
    rows, about = overview.main_figures(figures, places)
    assert (set(rows), about["period"]) == ({"a"}, "2024")


def test_before_and_after_never_read_the_same():
    before = released(
        [row(indicator="savings_to_loans_pct", value=3.1283, flags="computed"), *BASE, row(period="2020")]
    )
    now = [row(indicator="savings_to_loans_pct", value=3.0704, flags="computed"), *BASE]
    hidden = row(period="2020", value=None, flags="hidden")
    over = row(value=1.0, upper=float("inf"), flags="over")
    found = changes.changes(
        before.figures, kept(before), released([*now[:1], over, *BASE[1:], hidden], data="x")
    )
    said = [(r["before"], r["after"]) for r in take_away._content(found, "en")["rows"]]
    assert said == [("1 %", "hidden"), ("1 %", "over 1 %"), ("3.1283 %", "3.0704 %")]
