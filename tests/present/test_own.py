"""Blocks and figures of one's own: what a researcher adds to a report, and takes to a paper."""

import re
from dataclasses import replace
from pathlib import Path
from xml.etree import ElementTree as ET

import pandas as pd
import pytest

import evalkit as ek
from evalkit.errors import ParameterError
from evalkit.present.blocks import MIME
from evalkit.publish.svg import drawing

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture(scope="module")
def place(tmp_path_factory):
    return ek.place(ek.build(ROOT / "data" / "published", tmp_path_factory.mktemp("own") / "build"), "08473")


@pytest.fixture
def shown(monkeypatch):
    """What ek.show hands to the notebook."""
    bundles = []
    monkeypatch.setattr("IPython.display.display", lambda bundle, raw: bundles.append(bundle))
    return bundles


def table(place, lang="vi"):
    frame = pd.DataFrame(
        {"Năm": pd.array([2023, None], dtype="Int64"), "VND": [1234.567, float("nan")], "Nơi": ["<b>", None]}
    )
    return ek.own.table(place, "credit", "mine", frame, title="Của tôi", lang=lang)


def test_a_table_is_written_in_the_readers_habit_and_missing_stays_missing(place):
    block = table(place)
    assert block.rows == (("2023", "1.234,57", "<b>"), ("–", "–", "–"))
    assert block.raw == ((2023, 1234.567, "<b>"), (None, None, None))
    assert [numeric for _, _, numeric in block.columns] == [True, True, False]
    assert "&lt;b&gt;" in block._repr_html_()


@pytest.mark.parametrize(("lang", "amount"), [("vi", "26.500.000.000"), ("en", "26,500,000,000")])
def test_large_whole_numbers_are_grouped_and_years_are_not(place, lang, amount):
    frame = pd.DataFrame({"year": [2024], "debt": [26_500_000_000], "real": [True]})
    block = ek.own.table(place, "credit", "mine", frame, title="Mine", lang=lang)
    assert block.rows == (("2024", amount, "True"),)


def test_a_block_of_a_public_place_is_marked_for_readers_and_one_of_a_private_place_is_not(place, shown):
    ek.show(table(place))
    ek.show(table(replace(place, audience="private")))
    assert [MIME in bundle for bundle in shown] == [True, False]
    assert shown[0][MIME]["section"] == "credit"


def test_a_figure_of_ones_own_is_a_drawing_that_publishing_takes(place):
    from matplotlib.figure import Figure

    def draw():
        figure = Figure(figsize=(4, 2))
        figure.subplots().plot([1, 2], [3, 4])
        return ek.own.figure(place, "evaluation", "line", figure, title="A line", alt="It rises.", lang="en")

    block = draw()
    drawing(block.svg, "here")
    assert block.svg == draw().svg


@pytest.mark.parametrize(
    "wrong",
    [
        lambda p: ek.own.text(p, "elsewhere", "x", title="t", paragraphs=["p"], lang="en"),
        lambda p: ek.own.text(p, "credit", "x", title=" ", paragraphs=["p"], lang="en"),
        lambda p: ek.own.figure(p, "credit", "x", None, title="t", alt=" ", lang="en"),
        lambda p: ek.charts.save(ek.charts.poverty, p, "poverty.gif", lang="en"),
        lambda p: ek.charts.save(ek.charts.poverty, p, "poverty.pdf", font_pt=4, lang="en"),
    ],
    ids=["section", "title", "alt", "ending", "type"],
)
def test_what_a_reader_could_not_use_is_refused(place, wrong, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(ParameterError):
        wrong(place)
    assert list(tmp_path.iterdir()) == []


def test_a_chart_with_nothing_to_draw_makes_no_file(place, tmp_path):
    with pytest.raises(ParameterError, match="nothing to draw"):
        ek.charts.save(ek.charts.ledger, place, tmp_path / "ledger.pdf", lang="en")
    assert list(tmp_path.iterdir()) == []


def test_a_chart_is_saved_at_the_width_of_a_column_and_the_reports_own_is_left_as_it_was(place, tmp_path):
    before = ek.charts.poverty(place, lang="en").svg
    block = ek.charts.save(ek.charts.poverty, place, tmp_path / "p.svg", width_mm=170, lang="en")
    ek.charts.save(ek.charts.poverty, place, tmp_path / "p.pdf", width_mm=85, lang="en")
    ek.charts.save(ek.charts.poverty, place, tmp_path / "p.png", width_mm=85, dpi=100, lang="en")
    width = float(re.match(r"[\d.]+", ET.parse(tmp_path / "p.svg").getroot().get("width"))[0])  # points
    assert width == pytest.approx(170 / 25.4 * 72, rel=0.06)
    assert (tmp_path / "p.pdf").read_bytes().startswith(b"%PDF")
    assert (tmp_path / "p.png").read_bytes().startswith(b"\x89PNG")
    assert block.alt
    assert block.caption
    assert ek.charts.poverty(place, lang="en").svg == before


def test_what_stands_at_the_end_of_a_cell_shows_itself_shortly(place):
    import numpy as np

    rng = np.random.default_rng(1)
    panel = pd.DataFrame([(u, y) for u in range(18) for y in range(2018, 2022)], columns=["unit", "year"])
    panel["district"] = panel["unit"] % 3
    panel["dose"], panel["y"] = rng.normal(size=(2, len(panel)))
    effect = ek.impact.fixed_effects(
        panel, outcome="y", dose="dose", unit="unit", time="year", cluster="district", draws=99
    )
    refused = effect._repr_html_()
    assert "estimate" not in effect.described()
    assert "at least 6 are needed" in refused
    gini = ek.inequality.gini([1, 2, 3, 4])
    assert gini.described()["estimate"].startswith("0.25")
    dataset = ek.open_dataset(ROOT / "data" / "published")
    for thing in (place, gini, dataset):
        assert len(thing._repr_html_()) < 2_000
