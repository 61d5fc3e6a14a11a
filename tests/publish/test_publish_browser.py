"""The finished site in a browser, opened from its folder: at a desk, on a phone, on paper, by keyboard."""

import shutil
from itertools import product

import pytest
import site_sample as sample

from evalkit import publish
from evalkit.publish.names import fold
from evalkit.publish.pages import HERE, Pages
from evalkit.publish.places import checked

CHROMIUM = shutil.which("chromium")
QUIET = ["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run"]
QUIET += ["--disable-background-networking", "--disable-component-update", "--disable-sync"]
DESK, PHONE = {"width": 1200, "height": 800}, {"width": 360, "height": 740}
PAGES = [
    "index.html",
    "en/index.html",
    "vi/places/index.html",
    "en/places/index.html",
    "en/methods/index.html",
    "vi/methods/indicators.html",
    "vi/methods/reference.html",
    "en/methods/measures.html",
    "vi/08473/index.html",
    "en/08473/index.html",
    "en/08434-2025/index.html",
]
PAGES += ["vi/05125/index.html"]
COUNTRY = 10_600

pytestmark = [
    pytest.mark.browser,
    pytest.mark.skipif(
        CHROMIUM is None, reason="no chromium on this machine: pages aren't tried in a browser"
    ),
]


@pytest.fixture(scope="module")
def browser():
    sync_api = pytest.importorskip("playwright.sync_api")
    with sync_api.sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path=CHROMIUM, args=QUIET)
        yield chromium
        chromium.close()


@pytest.fixture
def opened(browser):
    """open(path, **context) -> page; afterwards no page may have complained or asked another host."""
    contexts, faults = [], []

    def open_page(path, hash="", **options):
        context = browser.new_context(**({"viewport": DESK} | options))
        contexts.append(context)
        page = context.new_page()
        page.on("console", lambda message: faults.append(message.text))
        page.on("pageerror", lambda error: faults.append(str(error)))
        page.on("request", lambda r: None if r.url.startswith(("file:", "data:")) else faults.append(r.url))
        page.goto(f"{path.as_uri()}{hash}")
        return page

    yield open_page
    for context in contexts:
        context.close()
    assert not faults


@pytest.fixture(scope="module")
def country(tmp_path_factory, words):
    """The index of as many communes as the country had, among them Hương Nộn and what it became part of."""
    first = ["An", "Bình", "Đại", "Hòa", "Hương", "Long", "Phú", "Tân", "Thạch", "Vĩnh"]
    second = ["Lập", "Nộn", "Mỹ", "Sơn", "Thủy", "Định", "Ân", "Ấp", "Quang", "Ước", "Yên"]
    names = [f"{a} {b}" for a, b in product(first, second) if f"{a} {b}" != "Hương Nộn"]
    places = [
        {
            "place_id": f"{code:05d}",
            "code": f"{code:05d}",
            "name": names[code % len(names)],
            "type": "xã",
            "district": f"Huyện {code % 700}",
            "province": f"Tỉnh {code % 63}",
            "level": f"L{code % 3}",
            "kinds": code % 12 + 1,
            "years": [2010 + code % 15],
            "coverage": ["credit", "poverty"],
        }
        for code in range(10_000, 10_000 + COUNTRY - 2)
    ]
    pages = Pages(
        checked([*places, *sample.PLACES[:2]]), meta=sample.META, languages=("vi", "en"), words=words
    )
    folder = tmp_path_factory.mktemp("country")
    shutil.copytree(HERE / "assets", folder / "assets")
    (folder / "vi" / "places").mkdir(parents=True)
    (folder / "vi" / "places" / "index.html").write_text(pages.index("vi"), encoding="utf-8")
    return folder


def names(page):
    return page.locator("#places tbody th > a").all_text_contents()


@pytest.mark.parametrize("size", [DESK, PHONE], ids=["desk", "phone"])
@pytest.mark.parametrize("path", PAGES)
def test_no_page_scrolls_sideways_and_every_figure_is_drawn(made, opened, path, size):
    page = opened(made / path, viewport=size)
    assert page.evaluate("document.documentElement.scrollWidth") <= size["width"]
    assert page.evaluate("[...document.images].every(i => i.complete && i.naturalWidth > 0)")
    assert page.locator(".skip").evaluate("e => getComputedStyle(e).position") == "absolute", "styled"


@pytest.fixture(scope="module")
def simulated(tmp_path_factory, words):
    """The sample site with its banner: everything a page can hold."""
    out = tmp_path_factory.mktemp("simulated")
    sample.write_sample(out / "private")
    meta = sample.META | {"simulated": True}
    return publish.site(
        out / "private", out, sample.PLACES, meta=meta, words=words, summary=sample.RUN
    ).parent


@pytest.mark.parametrize(
    ("path", "size", "scheme"),
    [
        ("index.html", DESK, "light"),
        ("en/index.html", PHONE, "dark"),
        ("vi/places/index.html", DESK, "light"),
        ("en/places/index.html", PHONE, "dark"),
        ("en/methods/index.html", DESK, "light"),
        ("vi/methods/indicators.html", PHONE, "dark"),
        ("vi/methods/reference.html", DESK, "light"),
        ("en/methods/measures.html", PHONE, "light"),
        ("en/08473/index.html", DESK, "light"),
        ("vi/08473/index.html", PHONE, "dark"),
        ("en/08434-2025/index.html", PHONE, "light"),
        ("vi/05125/index.html", DESK, "dark"),
        ("vi/run/index.html", PHONE, "light"),
        ("en/run/index.html", DESK, "dark"),
    ],
)
def test_axe_finds_no_violation(simulated, opened, path, size, scheme):
    axe = pytest.importorskip("axe_playwright_python.sync_playwright").Axe()
    page = opened(simulated / path, viewport=size, color_scheme=scheme)
    page.evaluate("for (const d of document.querySelectorAll('details')) d.open = true")
    tags = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]
    result = axe.run(page, options={"runOnly": {"type": "tag", "values": tags}, "preload": False})
    assert len(result.response["passes"]) > 15
    assert not result.response["violations"], result.generate_report()


@pytest.mark.parametrize(
    ("typed", "first"),
    [("huong non", "Hương Nộn"), ("HƯƠNG NỘN", "Hương Nộn"), ("08473", "Hương Nộn"), ("tòng", "Tòng Đậu")],
)
def test_search_ignores_accents_and_case_and_knows_codes(made, opened, typed, first):
    page = opened(made / "vi" / "places" / "index.html")
    page.get_by_label("Tìm theo tên hoặc mã").fill(typed)
    assert names(page)[0] == first


def test_the_name_after_a_merger_finds_the_commune_and_says_why(made, opened):
    page = opened(made / "en" / "places" / "index.html")
    page.get_by_label("Search by name or code").fill("Tam Nông")
    assert names(page) == ["Tam Nông", "Hương Nộn"]
    reason = page.locator(".by-kin .kin")
    assert reason.all_text_contents() == ["Part of Tam Nông 08434 from 1 July 2025"]
    assert page.get_by_role("status").text_content() == "2 of 4 places"
    page.get_by_label("Search by name or code").fill("hung hoa")
    assert names(page) == ["Tam Nông"]
    page.get_by_label("Search by name or code").fill("xyz")
    assert names(page) == []
    assert "No place matches" in page.get_by_role("status").text_content()


def test_columns_sort_both_ways_and_say_so(made, opened):
    page = opened(made / "vi" / "places" / "index.html")
    assert names(page) == ["Hương Nộn", "Tam Nông", "Tòng Đậu", "Yên Thượng"]
    page.get_by_role("button", name="Mã").click()
    codes = page.locator("#places tbody td.code").all_text_contents()
    assert codes == ["05125", "05233", "08434", "08473"]
    assert page.locator("th[aria-sort]").all_text_contents() == ["Mã"]
    page.get_by_role("button", name="Mã").click()
    assert page.locator("#places tbody td.code").all_text_contents() == codes[::-1]
    assert page.locator("th[aria-sort]").get_attribute("aria-sort") == "descending"
    page.get_by_role("button", name="Số loại chỉ tiêu").click()
    assert names(page)[-2:] == ["Tòng Đậu", "Hương Nộn"], "9 before 12, as numbers"
    page.get_by_role("button", name="Năm").click()
    assert names(page)[-1] == "Hương Nộn", "by the last year"


def test_filters_by_province_and_level(made, opened):
    page = opened(made / "vi" / "places" / "index.html")
    page.get_by_label("Tỉnh").select_option("Hòa Bình")
    assert names(page) == ["Tòng Đậu", "Yên Thượng"]
    page.get_by_label("Mức bằng chứng").first.select_option("L0")
    assert names(page) == ["Tòng Đậu"]


def test_the_switch_keeps_the_search_and_the_section(made, opened):
    page = opened(made / "vi" / "places" / "index.html")
    page.get_by_label("Tìm theo tên hoặc mã").fill("tam nông")
    page.get_by_role("link", name="English").click()
    page.wait_for_url("**/en/places/index.html#*")
    assert page.get_by_label("Search by name or code").input_value() == "tam nông"
    assert names(page) == ["Tam Nông", "Hương Nộn"]
    page.get_by_role("rowheader").get_by_role("link", name="Hương Nộn").last.click()
    page.get_by_role("link", name="Evaluation").click()
    page.get_by_role("link", name="Tiếng Việt").click()
    page.wait_for_url("**/vi/08473/index.html#evaluation")
    assert page.get_by_role("heading", level=1).text_content() == "Xã Hương Nộn"


@pytest.mark.parametrize("path", ["vi/places/index.html", "en/08473/index.html"])
def test_without_script_everything_is_there_to_read(made, opened, path):
    page = opened(made / path, java_script_enabled=False)
    if path == "vi/places/index.html":
        assert len(names(page)) == 4
        assert not page.get_by_role("searchbox").is_visible(), "no control that does nothing"
    else:
        page.get_by_text("The table behind the figure").first.click()
        assert page.get_by_role("cell", name="> 43.2").is_visible()


def test_paper_has_open_tables_no_navigation_and_the_addresses_of_sources(made, opened):
    page = opened(made / "en" / "08473" / "index.html", java_script_enabled=False)
    cell = page.locator("details td").first
    assert not cell.is_visible()
    page.emulate_media(media="print")
    assert cell.bounding_box()["height"] > 5
    assert not page.locator("nav").first.is_visible()
    address = "e => getComputedStyle(e, '::after').content"
    assert "baophutho.vn" in page.locator(".sources a").first.evaluate(address)
    assert page.locator(".claims a").first.evaluate(address) == "none"


def test_paper_leaves_out_what_was_not_opened_of_long_tables_and_answers(made, opened):
    page = opened(made / "vi" / "08473" / "index.html")
    page.evaluate(
        """() => {
          const long = document.querySelector('details');
          long.classList.add('folded');
          const note = '<p class="on-paper">note</p>';
          const question = '<details class="question folded"><summary>?</summary><p>answer</p></details>';
          long.insertAdjacentHTML('afterend', note + question);
        }"""
    )
    long, note = page.locator("details.folded td").first, page.locator(".on-paper").first
    page.emulate_media(media="print")
    page.evaluate("dispatchEvent(new Event('beforeprint'))")
    assert not long.is_visible()
    assert note.is_visible()
    assert page.locator(".question summary").is_visible()
    assert not page.locator(".question p").is_visible()
    page.evaluate("document.querySelector('details.folded').open = true")
    assert long.is_visible()
    assert not note.is_visible()


def test_the_whole_page_goes_by_keyboard(made, opened):
    page = opened(made / "vi" / "08473" / "index.html")
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.className") == "skip"
    page.keyboard.press("Enter")
    assert page.url.endswith("#main")
    summary = page.locator("summary").first
    summary.focus()
    page.keyboard.press("Enter")
    assert page.locator("details").first.get_attribute("open") is not None


def test_the_whole_country_is_searched_while_few_rows_are_drawn(country, opened):
    page = opened(country / "vi" / "places" / "index.html")
    assert len(names(page)) == 100
    assert page.get_by_role("status").text_content() == f"{COUNTRY} trên {COUNTRY} địa phương"
    search = page.get_by_label("Tìm theo tên hoặc mã")
    search.fill("tam nong")
    assert names(page) == ["Tam Nông", "Hương Nộn"]
    search.fill("huong")
    count = int(page.get_by_role("status").text_content().split()[0])
    assert 900 < count < 1100
    assert len(names(page)) == 100
    page.get_by_role("button", name="Xem thêm").click()
    assert len(names(page)) == 300
    assert page.evaluate("document.activeElement.closest('tr').rowIndex") == 101, "the first of the new rows"
    search.fill("")
    page.get_by_role("button", name="Tên").click()
    assert names(page)[0].startswith("Vĩnh"), "the other way round"
    assert page.locator("#places tr").count() <= 301


def test_the_script_folds_as_the_pages_were_folded(made, opened):
    page = opened(made / "vi" / "places" / "index.html")
    texts = ["Hương Nộn", " ĐẮK   Lắk ", "Hoà", "ỡ Ữ ằ", "İstanbul", "08473"]
    assert page.evaluate("texts => texts.map(fold)", texts) == [fold(text) for text in texts]


def test_names_that_hold_markup_run_nothing(tmp_path, opened, words):
    name = '"><img src=x onerror=alert(1)><script>alert(1)</script>\u202e'
    hostile = {"place_id": "1", "code": "1", "name": name, "district": name, "province": name}
    hostile |= {"successors": [{"name": name}], "status": "no_data", "reason": name}
    index = publish.site(tmp_path, tmp_path, [hostile], meta=sample.META | {"title": name}, words=words)
    for path in (index, *(index.parent / "vi" / name / "index.html" for name in ("1", "places"))):
        page = opened(path)
        page.on("dialog", lambda dialog: pytest.fail(dialog.message))
        assert page.locator("img").count() == 0
        assert name in page.get_by_role("main").text_content()
