"""What the three notebooks show of Hương Nộn, read off the blocks themselves, in both languages."""

import re
from pathlib import Path

import pytest

import evalkit as ek
from evalkit.building import build
from evalkit.errors import DataError, ParameterError
from evalkit.present import blocks

ROOT = Path(__file__).resolve().parents[2]
MAKERS = {
    "header": ek.texts.header, "portfolio": ek.texts.portfolio, "poverty_text": ek.texts.poverty, "income_text": ek.texts.income,
    "level": ek.texts.level, "cannot_say": ek.texts.cannot_say, "beside": ek.tables.beside, "among": ek.tables.among,
    "findings": ek.tables.findings, "standards": ek.tables.standards, "elsewhere": ek.tables.evidence_elsewhere,
    "ask": ek.tables.data_to_ask, "sources": ek.tables.sources, "poverty": ek.charts.poverty, "groups": ek.charts.groups,
    "mix": ek.charts.mix, "income": ek.charts.income, "spine": ek.charts.spine,
    "credit_figures": lambda p, lang: ek.tables.figures(p, "credit", lang=lang),
    "poverty_figures": lambda p, lang: ek.tables.figures(p, "poverty_income", lang=lang),
}  # fmt: skip


@pytest.fixture(scope="session")
def built(tmp_path_factory):
    return build(ROOT / "data" / "published", tmp_path_factory.mktemp("built") / "build")


@pytest.fixture(scope="module")
def huong_non(built):
    return ek.place(built, "08473")


def text(block):
    return " ".join(
        [
            block.title,
            block.caption,
            block.alt,
            *block.paragraphs,
            *block.notes,
            *(str(c) for r in block.rows for c in r),
        ]
    )


def test_the_portfolio_says_over_43_2_million_each(huong_non):
    said = text(ek.texts.portfolio(huong_non, lang="en"))
    assert "over 43.2 million VND for each of 614 borrower households" in said
    assert "38.4 households per group" in said
    assert "5 to 60 members" in said
    assert "at most 3.1 % of loans" in said
    assert "trên 43,2 triệu đồng" in text(ek.texts.portfolio(huong_non, lang="vi"))


def test_the_province_stands_beside_on_the_same_year_and_standard(huong_non):
    rows = {r[1]: r for r in ek.tables.beside(huong_non, lang="en").rows}
    assert (rows["2014"][2], rows["2014"][5]) == ("9.5 %", "9.7 %")
    assert (rows["2024"][2], rows["2024"][5]) == ("1 %", "2.53 %")
    assert "household review" in rows["2014"][3]
    assert "living-standards survey" in rows["2014"][6]


def test_the_two_years_are_not_joined(huong_non):
    chart = ek.charts.poverty(huong_non, lang="en")
    assert "not joined" in chart.caption
    assert "−8.5" not in text(ek.texts.poverty(huong_non, lang="en"))
    assert "different standards" in text(ek.texts.poverty(huong_non, lang="en"))


def test_the_level_and_the_convenience_sample_are_said(huong_non):
    level = ek.texts.level(huong_non, lang="en")
    assert level.level == huong_non.unit["evidence"] == "L1"
    assert "convenience sample" in text(level)


def test_the_successor_is_named(huong_non):
    assert "Tam Nông commune (code 08434, since 1 July 2025)" in text(ek.texts.header(huong_non, lang="en"))


def test_every_source_is_listed_and_numbered(huong_non):
    items = ek.tables.sources(huong_non, lang="vi").items
    assert {i["url"] for i in items} >= set(huong_non.rows["source"].dropna())
    numbers = {
        c
        for r in ek.tables.figures(huong_non, "credit", lang="vi").rows
        for c in r
        if re.fullmatch(r"\[\d+\]", c)
    }
    assert numbers <= {i["text"].split(" ")[0] for i in items}


@pytest.mark.parametrize("lang", ["vi", "en"])
@pytest.mark.parametrize(
    "code", ["08473", "05233", "34-vu-binh-kien-xuong", "22319", "05398", "05005", "09697"]
)
def test_every_block_of_very_different_communes_can_be_made(built, code, lang):
    place = ek.place(built, code)
    for name, make in MAKERS.items():
        block = make(place, lang=lang)
        assert block.title, name
        assert "{" not in text(block), name
        assert "nan" not in text(block).lower().split(), name
        assert "<NA>" not in text(block), name
        if block.kind == "figure":
            assert block.alt, name
            assert block.rows, name
            assert len(block.rows) == len(block.raw), name


def test_partial_portfolios_make_no_ratio(built):
    rows = ek.indicators(built, "34-vu-binh-kien-xuong")
    assert "outstanding_per_borrower_vnd" not in set(rows["indicator"])


def test_figures_on_unknown_standards_are_compared_with_nothing(built):
    place = ek.place(built, "05005")  # Vĩnh Tiến: the page doesn't say on which standard
    assert not place.beside["indicator"].str.contains("poverty").any()
    assert not place.among["indicator"].str.contains("poverty").any()


def test_only_blocks_are_shown_and_only_public_ones_marked(built):
    with pytest.raises(TypeError, match="block"):
        blocks.show({"secret": 1})
    private = ek.texts.level(ek.place(built, "08473", audience="private"), lang="vi")
    assert private.audience == "private"


def test_an_unknown_audience_is_refused(built):
    with pytest.raises(ParameterError, match="public, private"):
        ek.place(built, "08473", audience="press")


def test_a_folder_that_is_no_build_says_what_to_run(tmp_path):
    with pytest.raises(DataError, match="evalkit build"):
        ek.place(tmp_path, "08473")


def test_the_drawing_of_a_figure_is_the_same_each_time(huong_non):
    assert ek.charts.poverty(huong_non, lang="vi").svg == ek.charts.poverty(huong_non, lang="vi").svg
