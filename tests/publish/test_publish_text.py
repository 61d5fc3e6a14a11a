"""Whatever a name or note holds stays text; figures are drawing alone; names sort as in Vietnamese."""

import copy
import unicodedata

import pytest
import site_sample as sample
from hypothesis import given, settings
from hypothesis import strategies as st
from site_pages import Page

from evalkit.errors import DataError
from evalkit.present import words
from evalkit.publish.collect import blocks
from evalkit.publish.names import alphabetical, date_text, fold, years_text
from evalkit.publish.pages import Pages
from evalkit.publish.places import checked
from evalkit.publish.rows import row_spans
from evalkit.publish.svg import drawing

MARKUP = st.sampled_from(
    [
        "<script>alert(1)</script>",
        '"><img src=x onerror=alert(1)>',
        "' onmouseover='alert(1)",
        "</title></table></details>&lt;b&gt;",
        "{{ 7 * 7 }}{% raw %}",
        "\u202egnirts\u202c",
        "]]><!--",
    ]
)
HOSTILE = st.one_of(MARKUP, st.text(st.characters(codec="utf-8", exclude_categories=["Cc"]), min_size=1))
TEXT_FIELDS = ("title", "caption", "notes", "paragraphs", "items", "rows", "columns", "alt")


def with_text(value, text):
    """The value with every text in it replaced; numbers, flags and empty texts stay."""
    if isinstance(value, str):
        return value and text
    if isinstance(value, list):
        return [with_text(item, text) for item in value]
    if isinstance(value, dict):
        return {
            key: with_text(item, text) if key in ("text", "label") else item for key, item in value.items()
        }
    return value


@pytest.fixture(scope="module")
def benign(tmp_path_factory):
    folder = tmp_path_factory.mktemp("private")
    sample.write_private(folder, "08473", {"en": sample.payloads("en")})
    found = blocks(folder, "08473", "en")
    for block in found:
        block["width"] = block["height"] = 100
    return found


def render(words, place, found, meta=sample.META):
    pages = Pages(checked([place, sample.PLACES[1]]), meta=meta, languages=("vi", "en"), words=words)
    (first,) = (p for p in pages.places if p["place_id"] == place["place_id"])
    return Page(pages.index("en")), Page(pages.place(first, found, "en"))


@settings(max_examples=60, deadline=None)
@given(text=HOSTILE)
def test_no_text_from_data_changes_the_elements_of_a_page(words, benign, text):
    place = sample.PLACES[0] | {"district": text, "name": text, "code": text}
    place["successors"] = [sample.TAM_NONG | {"name": text}]
    found = copy.deepcopy(benign)
    for block, calm in zip(found, benign, strict=True):
        for key in TEXT_FIELDS:
            block[key] = with_text(block[key], text)
        block["rows"] = [[cell and text + cell for cell in row] for row in calm["rows"]]
    calm_place = sample.PLACES[0]
    shown = [
        page.shape() for page in render(words, place, found, sample.META | {"source": text, "rights": text})
    ]
    calm = [page.shape() for page in render(words, calm_place, benign)]
    assert shown[1] == calm[1]
    assert sorted(shown[0]) == sorted(calm[0]), "the index, where the name decides the order of rows"


def test_a_name_that_holds_markup_and_right_to_left_marks_is_shown_as_it_is_and_isolated(words):
    name = '\u202e<b>Nộn & "co"</b>'
    index, page = render(words, sample.PLACES[0] | {"name": name, "status": "no_data"}, [])
    assert name in index.text
    assert name in page.text
    assert not index.all("b") + page.all("b")
    assert f"\u2068{name}\u2069" in page.text, "in the title, where no element can isolate it"


@pytest.mark.parametrize(
    "url", ["javascript:alert(1)", "data:text/html,x", "//host/x", "file:///etc/passwd", " https://x"]
)
def test_only_web_addresses_become_links(words, benign, url):
    found = copy.deepcopy(benign)
    for block in found:
        for item in block["items"]:
            item["url"] = url
    _, page = render(words, sample.PLACES[0], found)
    assert not [a for a in page.all("a") if a["href"] == url]
    assert "Báo Phú Thọ" in page.text


SVG = """<svg xmlns="http://www.w3.org/2000/svg" xmlns:xlink="http://www.w3.org/1999/xlink"
 viewBox="0 0 72 36">{}</svg>"""


@pytest.mark.parametrize(
    ("inside", "says"),
    [
        ("<script>alert(1)</script>", "element 'script'"),
        ("<foreignObject/>", "element 'foreignObject'"),
        ("<a href='https://x'><path/></a>", "element 'a'"),
        ("<animate attributeName='href'/>", "element 'animate'"),
        ("<html:script xmlns:html='http://www.w3.org/1999/xhtml'/>", "script'"),
        ("<path onload='alert(1)'/>", "onload"),
        ("<path ONCLICK='alert(1)'/>", "ONCLICK"),
        ("<use href='https://x#a'/>", "https://x#a"),
        ("<use xlink:href='other.svg#a'/>", "other.svg#a"),
        ("<image href='data:image/svg+xml,x'/>", "data:image/svg+xml"),
        ("<path style='fill: url(https://x)'/>", "url(https://x)"),
        ("<path fill='URL( &quot;//x&quot;)'/>", "fill"),
        ("<style>@import 'https://x';</style>", "style sheet"),
        ("<path></svg>", "no well-formed SVG"),
    ],
)
def test_a_figure_that_could_run_or_fetch_is_refused(inside, says):
    with pytest.raises(DataError) as refusal:
        drawing(SVG.format(inside), "credit.ipynb, output 1")
    assert says in str(refusal.value)
    assert str(refusal.value).startswith("credit.ipynb, output 1: ")


def test_what_isnt_svg_or_has_no_size_is_refused():
    with pytest.raises(DataError, match="not svg"):
        drawing("<html/>", "here")
    with pytest.raises(DataError, match="no viewBox"):
        drawing('<svg xmlns="http://www.w3.org/2000/svg"/>', "here")


def test_a_figure_of_matplotlib_passes_without_its_metadata_and_keeps_its_size():
    text = sample.drawing(["Hương Nộn", "a & b <c>"], [1, 2], ["#000", "#fff"], "%")
    svg, width, height = drawing(text, "here")
    assert "metadata" in text
    assert "metadata" not in svg
    assert "http" not in svg.replace('xmlns="http://www.w3.org/2000/svg"', "").replace(
        'xmlns:xlink="http://www.w3.org/1999/xlink"', ""
    )
    assert (width, height) == (634, 192)  # 6.6 × 2.0 inches at 96 pixels
    assert drawing(svg, "here")[0] == svg


def test_names_sort_by_the_vietnamese_alphabet_letters_first_then_tones():
    order = [
        "An Bình",
        "Ăn Bình",
        "Ân Bình",
        "Ba Trại",
        "Cổ Tiết",
        "Dị Nậu",
        "Đồng Thịnh",
        "Hương Nha",
        "Hương Nộn",
    ]
    assert sorted(set(order), key=alphabetical) == order
    tones = ["ma", "mà", "mả", "mã", "má", "mạ", "mạc"]
    assert sorted(set(tones), key=alphabetical) == tones


@pytest.mark.parametrize(
    ("name", "typed"),
    [
        ("Hương Nộn", "huong non"),
        ("Đắk  Lắk ", "dak lak"),
        ("ĐÔNG ANH", "dong anh"),
        ("Hoà Bình", "hoa binh"),
    ],
)
def test_folding_leaves_what_a_hurried_reader_types(name, typed):
    assert fold(name) == typed


@given(st.text())
def test_folding_is_the_same_whatever_the_encoding_of_accents_and_stays_as_it_is(text):
    assert fold(unicodedata.normalize("NFD", text)) == fold(unicodedata.normalize("NFC", text))
    assert fold(fold(text)) == fold(text)


def test_years_and_dates_read_as_each_language_writes_them():
    assert years_text([2024, 2014, 2015, 2016, 2016]) == "2014–2016, 2024"
    assert years_text(None) == ""
    assert date_text("2025-07-01", "vi") == "01/07/2025"
    assert date_text("2025-07-01", "en") == "1 July 2025"
    assert date_text("", "vi") == ""


def test_what_rows_share_is_said_once_over_them():
    rows = [["a", "2020", "", "x"], ["a", "2020", "", "x"], ["a", "2021", "1", "y"], ["b", "2021", "1", "y"]]
    assert row_spans(rows) == [[3, 2, 1, 1], [0, 0, 1, 1], [0, 1, 1, 1], [1, 1, 1, 1]]
    assert row_spans([]) == []


def test_a_date_within_a_text_is_the_reader_s():
    assert words.dated("QĐ 09/2011/QĐ-TTg (2011-01-30)", "vi") == "QĐ 09/2011/QĐ-TTg (30/01/2011)"
    assert words.dated("Decree 07 (2021-01-27)", "en") == "Decree 07 (27 January 2021)"
