"""The figures' own renderer and axes against Matplotlib's: sizes of text, places of bars, outlines of paths."""

import subprocess
import sys
import xml.etree.ElementTree as ET
from unicodedata import normalize

import matplotlib.pyplot as plt
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from matplotlib.backend_bases import GraphicsContextBase
from matplotlib.font_manager import FontProperties
from matplotlib.path import Path
from matplotlib.textpath import TextToPath
from matplotlib.transforms import Affine2D

from evalkit.present import words
from evalkit.present.charts import credit
from evalkit.present.charts.canvas import POINTS, canvas, svg, ticks
from evalkit.present.charts.vector import Vector, _outline

SVG = "{http://www.w3.org/2000/svg}"
STEP = 9.5 / 100 / 64  # points: Matplotlib rounds each letter to 64ths of a hundredth of the type size
LETTERS = "aăâbcdđeêghiklmnoôơpqrstuưvxyAĂÂĐÊÔƠƯàảãáạằẳẵắặầẩẫấậèẻẽéẹềểễếệìỉĩíịòỏõóọồổỗốộờởỡớợùủũúụừửữứựỳỷỹýỵ 0123456789.,%−–()"


@given(st.text(LETTERS, min_size=1, max_size=30), st.sampled_from(["normal", "bold"]))
def test_text_is_as_wide_as_matplotlib_sets_it(text, weight):
    font = FontProperties(family="DejaVu Sans", size=9.5, weight=weight)
    width, _, _ = Vector(100, 100).get_text_width_height_descent(text, font, False)
    assert width == pytest.approx(
        TextToPath().get_text_width_height_descent(text, font, False)[0], abs=STEP * (len(text) + 1)
    )


def test_letters_and_marks_written_apart_are_one_glyph():
    font, drawing = FontProperties(family="DejaVu Sans"), Vector(100, 100)
    sizes = [drawing.get_text_width_height_descent(normalize(form, "Ưu đãi hộ nghèo"), font, False) for form in ("NFC", "NFD")]  # fmt: skip
    assert sizes[0] == sizes[1]


def test_marks_of_direction_in_a_name_leave_no_trace_in_a_figure():
    font = FontProperties(family="DejaVu Sans")
    drawings = []
    for name in ("xã Hương Nộn, 42", "\u202exã Hương\u200f \u2067Nộn\u2069, 42"):
        drawing = Vector(100, 100)
        drawing.draw_text(GraphicsContextBase(), 10, 10, name, font, 0)
        drawings.append(drawing.text())
    assert drawings[0] == drawings[1]


@pytest.mark.parametrize(("name", "look"), [("bar", {"bottom": [0, 1, 2]}), ("barh", {"left": [0, 1, 2]})])
def test_bars_stand_where_matplotlib_puts_them(name, look):
    _, plain = plt.subplots()
    theirs = [one.get_bbox().get_points() for one in getattr(plain, name)([1, 2, 4], [3, -1, 2], 0.6, **look)]
    plt.close()
    with canvas(2.0) as (_, axes):
        ours = getattr(axes, name)([1, 2, 4], [3, -1, 2], 0.6, **look).get_path().vertices.reshape(3, 5, 2)
    for corners, box in zip(ours, theirs, strict=True):
        np.testing.assert_allclose([corners.min(0), corners.max(0)], np.sort(box, axis=0))


def test_bars_stand_on_the_edge_of_the_axes():
    with canvas(2.0) as (_, axes):
        axes.bar([1, 2], [3, 4])
        assert axes.get_ylim()[0] == 0 > axes.get_xlim()[0] - 1


def test_a_bar_without_a_value_is_left_out():
    with canvas(2.0) as (_, axes):
        assert len(axes.bar([1, 2, 3], [1, np.nan, 2]).get_path().vertices) == 10


def test_a_missing_point_is_a_gap_in_the_line():
    path = Path([(0, 0), (1, 1), (np.nan, 2), (3, 3), (4, 4)])
    assert _outline(path, Affine2D()) == "M0 0l1 1M3 3l1 1"


def test_a_label_of_any_length_leaves_axes_to_draw_in():
    with canvas(2.0) as (figure, axes):
        axes.set_yticks([0, 1], ["x" * 400, "y"])
        axes.set_title("z" * 400)
        root = ET.fromstring(svg(figure))
        assert axes.bbox.width > 0.05 * figure.get_figwidth() * POINTS
    assert root.tag == f"{SVG}svg"


def test_a_figure_is_the_same_in_a_process_that_has_drawn_others():
    """Its first letters may be bold ones: nothing in the drawing may tell what was drawn before."""
    code = (
        "from evalkit.present.charts.canvas import canvas, svg\n"
        "def draw(weight):\n"
        "    with canvas(1.0) as (figure, axes):\n"
        "        axes.text(0.5, 0.5, 'a', fontweight=weight)\n"
        "        return svg(figure)\n"
    )
    both = [
        subprocess.run([sys.executable, "-c", f"{code}{first}print(draw('normal'))"], capture_output=True, check=True).stdout
        for first in ("", "draw('bold')\n")
    ]  # fmt: skip
    assert both[0] == both[1]


def test_a_tick_says_where_it_stands():
    said = [ticks("vi")(x, None) for x in (0.25, 12.5, 0.1 + 0.2, 2000, -1e-12)]
    assert said == ["0,25", "12,5", "0,3", "2.000", "0"]
    assert ticks("en", "%")(2.5, None) == "2.5%"


@pytest.mark.parametrize("top", [13.4, 16.3, 0.9, 870.0])
def test_no_tick_is_cut_at_the_left(top):
    for height in (2.0, 2.6, 3.1, 4.0):
        with canvas(height, 2) as (figure, axes):
            axes[0].bar([1, 2], [top, top / 2])
            axes[0].yaxis.set_major_formatter(ticks("vi"))
            drawn = ET.fromstring(svg(figure))
        moves = [g.get("transform", "") for g in drawn.iter(f"{SVG}g")]
        lefts = [float(m.split("(")[1].split()[0]) for m in moves if m.startswith("translate(")]
        assert lefts
        assert min(lefts) >= 0


def test_long_names_of_programmes_stay_on_the_paper():
    longest = max((words.indicator(name, "en") for name in credit._PROGRAMMES), key=len)
    assert len(longest) > 60
    with canvas(3) as (figure, axes):
        axes.barh([0], [1])
        axes.set_yticks([0], [credit.fill(longest, credit._LABEL)])
        drawn = ET.fromstring(svg(figure))
    moves = [g.get("transform", "") for g in drawn.iter(f"{SVG}g")]
    assert min(float(m.split("(")[1].split()[0]) for m in moves if m.startswith("translate(")) >= 0
