"""What a commune with yearly tables is shown, against figures worked out by hand from the tables' rows."""

import re
import shutil
from dataclasses import replace
from itertools import combinations
from pathlib import Path
from xml.etree import ElementTree as ET

import pandas as pd
import pytest

import evalkit as ek
from evalkit import building
from evalkit.building import build
from evalkit.present import say
from evalkit.present.charts import vector
from evalkit.present.charts.portfolio import _concentration
from evalkit.present.charts.province import _course

ROOT = Path(__file__).resolve().parents[2]
FOLDER = ROOT / "data" / "simulated-province"
SVG, XLINK = "{http://www.w3.org/2000/svg}", "{http://www.w3.org/1999/xlink}"
FIGURES = [ek.charts.portfolio, ek.charts.flows, ek.charts.reach, ek.charts.outcomes, ek.charts.poverty, ek.charts.income, ek.charts.ledger]  # fmt: skip


@pytest.fixture(scope="module")
def district(tmp_path_factory):
    """A build of the communes of one district of the simulated province, without its press."""
    folder = tmp_path_factory.mktemp("district")
    shutil.copy(FOLDER / "dataset.toml", folder)
    text = {name: pd.read_csv(FOLDER / f"{name}.csv", dtype=str, keep_default_na=False) for name in ("communes", "credit", "groups", "poverty", "income")}  # fmt: skip
    text["communes"] = text["communes"].query("district_code == '901'")
    for name, frame in text.items():
        frame[frame["code"].isin(text["communes"]["code"])].to_csv(folder / f"{name}.csv", index=False)
    return build(folder, folder.parent / "build")


@pytest.fixture(scope="module")
def ward(district):
    return ek.place(district, "99003")


def row(block, year):
    found = [r for r in block.rows if r[0] == str(year)]
    assert len(found) == 1
    return dict(zip([c[0] for c in block.columns], found[0], strict=True))


def said(block):
    return " ".join(
        [block.caption, block.alt, *block.notes, *block.paragraphs, *(str(c) for r in block.rows for c in r)]
    )


def test_the_portfolio_by_purpose_and_in_real_terms(ward):
    year = row(ek.charts.portfolio(ward, lang="en"), 2019)
    assert year["outstanding_loans_vnd"] == "7.7 billion VND"  # row total: 7,743.3 million
    assert year["production"] == "4.7 billion VND"  # 1085.3 + 2192.3 + 906.3 + 566.0
    assert year["study"] == "730.4 million VND"
    assert year["outstanding_loans_real_vnd"] == "9 billion VND"  # × 1.1602
    assert (year["outstanding_growth_pct"], year["outstanding_real_growth_pct"]) == ("38.1 %", "34.4 %")
    assert "national consumer price index" in said(ek.charts.portfolio(ward, lang="en"))


def test_households_borrowers_and_loans_are_kept_apart(ward):
    year = row(ek.charts.reach(ward, lang="vi"), 2019)
    assert (year["borrower_households"], year["borrowers"], year["loans_count"]) == (
        "205 hộ",
        "219 hộ",
        "230 món",
    )
    assert year["household_coverage_pct"] == "26,7% (từ 23,7% đến 29,9%)"  # 205 of 769, Wilson


def test_debt_put_aside_stands_beside_the_arrears_ratio(ward):
    block = ek.charts.outcomes(ward, lang="en")
    year = row(block, 2012)  # 42.4 overdue, 24 frozen, none extended of 2,604.1 million
    assert (year["overdue_share_pct"], year["overdue_frozen_extended_pct"]) == ("1.6 %", "2.5 %")
    assert (year["frozen_debt_vnd"], year["debt_collection_turnover_vnd"]) == (
        "24 million VND",
        "535.2 million VND",
    )
    assert "arrears ratio (Decision 976/QĐ-TTg)" in block.caption
    assert not re.search(r"\bPAR\b", said(block))


def test_the_ledger_obeys_intervals_and_standards(ward):
    block = ek.charts.ledger(ward, lang="en")
    assert row(block, 2019)["poverty_change"] == "−1.6 (between −4.1 and +0.9)"  # 43 of 769 after 55 of 766
    assert row(block, 2019)["verdict"] == "not distinguishable from no change"
    assert row(block, 2020)["verdict"] == "fell"  # 22 of 773
    # 2016 is compared with the end of 2015 on its own standard (81 of 756), never with 49 of 756 on the old one
    assert row(block, 2016)["poverty_change"].startswith("−2.9 ")
    assert (
        row(block, 2022)["verdict"] == "hidden"
    )  # two poor households at the end of 2021 on the new standard
    assert not re.search(r"because|led to|effect|thanks to", said(block))


def test_a_break_without_a_bridge_leaves_the_year_empty(ward):
    rows = ward.rows
    bridged = (rows["year"] == 2015) & rows["basis"].eq("2016-2020").fillna(False)
    without = ek.charts.ledger(replace(ward, rows=rows[~bridged.fillna(False).astype(bool)]), lang="en")
    assert row(without, 2016)["poverty_change"] == "–"
    assert row(without, 2016)["verdict"] == "the standard changed"


def test_the_bridge_is_a_band_of_the_place_s_own_and_public_counts_alone(ward, district):
    block = ek.charts.poverty(ward, lang="en")
    bands = [r for r in block.rows if "a band, not a figure" in r[5]]
    assert [r[0] for r in bands] == ["2012", "2013", "2014"]  # on 2016-2020; the end of 2021 is hidden
    assert all("between" in r[3] and not r[4] for r in bands)
    private = ek.charts.poverty(ek.place(district, "99003", audience="private"), lang="en")
    assert len([r for r in private.rows if "a band, not a figure" in r[5]]) == 3 + 6
    assert "no sampling error" in said(block)


def test_change_on_each_standard_is_said_with_its_interval(ward):
    text = said(ek.texts.poverty(ward, lang="vi"))
    assert "10,7% năm 2015, 3,6% năm 2021, thay đổi −7,1 điểm phần trăm" in text  # 81 of 756, 28 of 776
    assert "không phân biệt được với không thay đổi" in text
    assert "Báo cáo không tính hiệu này" in text


def test_exits_have_their_counts(ward):
    moves = {r[0]: r for r in ek.tables.moves(ward, lang="en").rows}
    assert moves["2019"][2] == "34.5 % (19/55)"
    assert moves["2019"][3] == "hidden"  # two households fell back


@pytest.mark.parametrize("lang", ["vi", "en"])
@pytest.mark.parametrize("make", FIGURES, ids=lambda f: f.__name__)
def test_every_figure_has_words_for_its_drawing(ward, make, lang):
    block = make(ward, lang=lang)
    assert block.kind == "figure"
    assert block.alt
    assert len(block.rows) == len(block.raw) > 5
    assert all(len(r) == len(block.columns) for r in (*block.rows, *block.raw))
    assert not re.search(r"[{}]|\bnan\b|<NA>", said(block))


def test_what_press_facts_cannot_show_is_said_instead_of_drawn(tmp_path):
    place = ek.place(build(ROOT / "data" / "published", tmp_path / "build"), "08473")
    absent = [f(place, lang="vi") for f in FIGURES if f is not ek.charts.poverty]
    assert {b.kind for b in absent} == {"absent"}
    assert all(b.audience == "private" and b.paragraphs for b in absent)
    lacking = ek.texts.missing(place, "credit", lang="vi")
    assert any("Nợ khoanh" in i["text"] for i in lacking.items)
    assert len(ek.texts.missing(place, "poverty_income", lang="en").items) == 5


def test_nothing_is_missing_where_the_tables_are_whole(ward):
    assert ek.texts.missing(ward, "credit", lang="vi").kind == "absent"
    assert ek.texts.missing(ward, "poverty_income", lang="vi").kind == "absent"


def test_signs():
    assert [say.signed(x, "vi") for x in (1.24, -0.04, -1.26)] == ["+1,2", "0", "−1,3"]


@pytest.mark.parametrize("lang", ["vi", "en"])
@pytest.mark.parametrize("name", ["portfolio", "flows", "reach", "outcomes", "mix", "groups", "poverty", "income", "ledger", "spine"])  # fmt: skip
def test_no_text_of_a_figure_is_cut_or_written_over_another(ward, name, lang):
    drawing = getattr(ek.charts, name)(ward, lang=lang).svg
    root, boxes = ET.fromstring(drawing), []
    width, height = (float(x) for x in root.get("viewBox").split()[2:])
    fonts = {font.mark: font for font in vector._fonts.values()}
    for group in root.iter(f"{SVG}g"):
        if (group.get("transform") or "").startswith("translate") and "rotate" not in group.get("transform"):
            x, y, scale = (float(n) for n in re.match(r"translate\((\S+) (\S+)\) scale\((\S+)", group.get("transform")).groups())  # fmt: skip
            last = group[-1]
            mark, glyph = last.get("href").removeprefix("#").split("-")
            advance = next(g[2] for g in fonts[mark].glyphs.values() if g[0] == int(glyph))
            width_of_last = advance * vector._EM / fonts[mark].units
            capital = 0.68 * vector._EM  # height of a capital letter
            boxes.append((x, x + (float(last.get("x")) + width_of_last) * scale, y - capital * scale, y))
    assert boxes
    for left, right, top, foot in boxes:
        assert (left, top) > (0, 0), (left, top)
        assert right <= width
        assert foot <= height
    over = [(a, b) for a, b in combinations(boxes, 2) if min(a[1], b[1]) - max(a[0], b[0]) > 1 and min(a[3], b[3]) - max(a[2], b[2]) > 1]  # fmt: skip
    assert not over


def test_a_place_is_read_as_its_part_of_the_whole_table(district):
    for table in ("indicators", "beside", "among", "compared", "findings"):
        whole = building.read(district, table)
        own = building.read(district, table, "99003")
        part = whole[whole["place"] == "99003"].reset_index(drop=True)
        pd.testing.assert_frame_equal(own, part, check_dtype=False, check_column_type=False)
    assert building.read(district, "indicators", "no such place").empty


def test_a_build_that_is_replaced_is_read_anew(district, tmp_path):
    folder = tmp_path / "build"
    shutil.copytree(district, folder)
    before = len(building.read(folder, "places")), len(building.read(folder, "indicators", "99003"))
    for table in ("places", "indicators"):
        frame = building.read(folder, table)
        frame[frame["place"] != "99003"].to_parquet(folder / f"{table}.parquet")
    after = len(building.read(folder, "places")), len(building.read(folder, "indicators", "99003"))
    assert after == (before[0] - 1, 0)


def test_a_single_year_is_said_once():
    one = pd.Series([0.25], index=[2019])
    assert "0.25 in 2019, as if" in _concentration(one, "en")
    assert "0,25 năm 2019, tương đương" in _concentration(one, "vi")
    medians = pd.DataFrame({"year": [2015], "mid": [9.5]})
    assert _course(medians, "2011-2015", "en").endswith("the median was 9.5 % in 2015.")
