"""The whole site from executed notebooks: what gets in, what stays out, what is refused."""

import csv
import io
import json
import re
from urllib.parse import urlsplit

import pytest
import site_sample as sample
from site_pages import read

from evalkit import publish
from evalkit.errors import DataError

PLACE_PAGE_BYTES = 500_000
CODES = [place["place_id"] for place in sample.PLACES]


def one_place(out, words, payload=None, place=None, **options):
    """Publish one commune whose credit notebook shows one payload."""
    private = out / "private"
    base = {"kind": "text", "id": "t", "section": "credit", "paragraphs": ["Một câu."]}
    sample.write_private(private, "08473", {"vi": {"credit": [base if payload is None else payload]}})
    places = [sample.PLACES[0] | (place or {})]
    return publish.site(private, out, places, meta=sample.META, words=words, languages=("vi",), **options)


def test_nothing_of_a_notebook_but_its_marked_outputs_reaches_the_site(made):
    files = [path for path in made.rglob("*") if path.is_file()]
    assert len(files) > 20
    assert not [path for path in files if b"SECRET" in path.read_bytes()]
    assert not list(made.rglob("*.ipynb"))


def test_the_same_input_gives_the_same_bytes(made, tmp_path, words):
    sample.write_sample(tmp_path / "private")
    again = publish.site(
        tmp_path / "private", tmp_path, sample.PLACES, meta=sample.META, words=words, summary=sample.RUN
    ).parent
    contents = [
        {p.relative_to(top): p.read_bytes() for p in top.rglob("*") if p.is_file()} for top in (made, again)
    ]
    assert contents[0] == contents[1]


def test_the_page_on_the_run_tells_what_failed_and_quotes_no_data(made):
    page = read(made / "en" / "run" / "index.html")
    for told in ("made: 2", "took too long and was ended: 1", "3.25", "2.25", "90"):
        assert told in page.text
    assert "ValueError" in page.text
    assert "longer than 60 s" in page.text
    assert "SECRET" not in page.text
    assert "run/index.html" in (made / "en" / "index.html").read_text()


@pytest.mark.parametrize("lang", ["vi", "en"])
def test_a_place_page_holds_its_sections_figures_and_sources_in_order(made, lang):
    page = read(made / lang / "08473" / "index.html")
    assert page.all("html")[0]["lang"] == lang
    assert [s["id"] for s in page.all("section")] == ["credit", "poverty_income", "evaluation"]
    for text in {"vi": ["Xã Hương Nộn", "> 43,2", "38,4", "2,53"], "en": ["> 43.2", "38.4", "2.53"]}[lang]:
        assert text in page.text
    assert "2011–2015" in page.text
    assert "2022–2025" in page.text
    ids = [a["id"] for _, a in page.elements if a.get("class", "").startswith("block ")]
    assert ids.index("credit-balance_per_household") < ids.index("poverty_income-poverty_rates")
    assert ids[-1] == "evaluation-sources"
    figures = page.all("img")
    assert len(figures) == 2
    assert all(len(figure["alt"]) > 40 for figure in figures)
    assert len(page.all("details")) == 2


def test_the_overview_stands_at_the_root_in_the_first_language_and_the_index_in_each(made):
    root, vietnamese = (read(made / p / "index.html") for p in (".", "vi"))
    assert [page.all("html")[0]["lang"] for page in (root, vietnamese)] == ["vi", "vi"]
    assert root.text == vietnamese.text
    english = read(made / "en" / "places" / "index.html")
    assert english.all("html")[0]["lang"] == "en"
    assert all(
        name in english.text for name in ("Hương Nộn", "Tòng Đậu", "Yên Thượng", "Report not made", "No data")
    )


def test_every_link_leads_to_a_file_of_the_site_or_is_a_plain_link_outside(made):
    for path in made.rglob("*.html"):
        for tag, attributes in read(path).elements:
            for key in ("href", "src"):
                address = attributes.get(key)
                if address is None or address == "data:,":
                    continue
                if urlsplit(address).scheme:
                    assert tag == "a", (path, tag, address)
                    assert "noopener" in attributes["rel"].split()
                    continue
                target = path.parent / urlsplit(address).path if urlsplit(address).path else path
                assert target.is_file(), (path, address)
                if urlsplit(address).fragment:
                    ids = {a.get("id") for _, a in read(target).elements}
                    assert urlsplit(address).fragment in ids, (path, address)


def test_a_merged_commune_and_its_successor_name_each_other(made):
    old, new = (read(made / "vi" / code / "index.html") for code in ("08473", "08434-2025"))
    assert "Từ 01/07/2025 thuộc Tam Nông 08434" in old.text
    assert old.all("a", href="../08434-2025/index.html")
    assert "Hình thành từ Hương Nộn 08473 , Hưng Hóa 08434 , Dân Quyền 08491" in new.text
    assert new.all("a", href="../08473/index.html")
    assert not new.all("a", href="../08434/index.html"), "a place without a page isn't linked"
    row = next(
        a
        for a in read(made / "vi" / "places" / "index.html").all("tr")
        if a.get("data-find", "").startswith("huong non")
    )
    assert row["data-also"] == "tam nong 08434"


def test_a_place_without_report_says_why_and_shows_no_section(made):
    failed, empty = (read(made / "en" / code / "index.html") for code in ("05125", "08434-2025"))
    assert "Report not made" in failed.text
    assert "the notebook stopped in cell 4" in failed.text
    assert "No figures were received" in empty.text
    assert not failed.all("section")
    assert not empty.all("section")


def test_the_download_holds_codes_units_and_machine_values(made):
    text = (made / "vi" / "08473" / "credit-balance_per_household.csv").read_text(encoding="utf-8-sig")
    assert list(csv.reader(io.StringIO(text))) == [
        ["place_id", "code", "place", "period", "value_vnd (VND)"],
        ["08473", "08473", "08473", "2024", "43159609.12"],
        ["08473", "08473", "05125", "", "40700000"],
        ["08473", "08473", "05233", "2018", "18700000"],
    ]
    languages = [(made / lang / "08473" / "credit-identities.csv").read_bytes() for lang in ("vi", "en")]
    assert languages[0] == languages[1]


def test_a_download_runs_no_formula(tmp_path, words):
    payload = {"kind": "table", "id": "t", "section": "credit", "columns": [{"key": "a"}, {"key": "b"}]}
    payload |= {"rows": [["x", "–"], ["y", "0"]], "raw": [["=HYPERLINK(1)", -3.5], ["+y", None]]}
    index = one_place(tmp_path, words, payload)
    text = (index.parent / "vi" / "08473" / "credit-t.csv").read_text(encoding="utf-8-sig")
    rows = [row[2:] for row in csv.reader(io.StringIO(text))]
    assert rows == [["a", "b"], ["'=HYPERLINK(1)", "-3.5"], ["'+y", ""]]


def test_every_page_is_light_and_carries_the_content_policy(made):
    for page in made.rglob("*.html"):
        policy = read(page).all("meta", **{"http-equiv": "Content-Security-Policy"})[0]["content"]
        assert "default-src 'none'" in policy
        assert "unsafe" not in policy
    for code in CODES:
        weight = sum(path.stat().st_size for path in (made / "vi" / code).iterdir())
        assert weight < PLACE_PAGE_BYTES


def test_no_page_holds_inline_style_or_script(made):
    for path in made.rglob("*.html"):
        page = read(path)
        assert not page.all("style")
        assert all(script["src"] for script in page.all("script"))
        assert not [a for _, a in page.elements if "style" in a or any(key.startswith("on") for key in a)]


@pytest.mark.parametrize("simulated", [True, False])
def test_simulated_data_say_so_on_every_page_and_real_data_never(tmp_path, words, simulated):
    sample.write_sample(tmp_path / "private")
    meta = sample.META | {"simulated": simulated}
    top = publish.site(tmp_path / "private", tmp_path, sample.PLACES, meta=meta, words=words).parent
    for path in top.rglob("*.html"):
        page = read(path)
        word = "Số liệu giả lập" if page.all("html")[0]["lang"] == "vi" else "Simulated data"
        assert (word in page.text) == simulated, path


def test_one_language_alone_has_no_switch(tmp_path, words):
    index = one_place(tmp_path, words)
    assert [nav["aria-label"] for nav in read(index).all("nav")] == ["Các trang"]
    assert not (index.parent / "en").exists()


FIGURE = {"kind": "figure", "id": "f", "section": "credit", "svg": "<svg", "alt": "x"}
TABLE = {"kind": "table", "id": "t", "section": "credit", "columns": [{"key": "a"}], "rows": [["1"]]}


@pytest.mark.parametrize(
    ("payload", "says"),
    [
        ("text", "not an object"),
        ({"kind": "film", "id": "a", "section": "credit"}, "kind 'film' is unknown"),
        ({"kind": "text", "id": "a", "section": "weather"}, "section 'weather' is unknown"),
        ({"kind": "text", "id": "../a", "section": "credit"}, "no stable name"),
        ({"kind": "text", "id": "a", "section": "credit", "lang": "en"}, "speaks 'en' in the folder of 'vi'"),
        ({"kind": "text", "id": "a", "section": "credit", "level": "L9"}, "level 'L9' is unknown"),
        (FIGURE | {"alt": " "}, "text alternative"),
        (FIGURE, "no well-formed SVG"),
        (TABLE | {"rows": [["1", "2"]]}, "rows 1 has 2 cells for 1 columns"),
        (TABLE | {"raw": [[1], [2]]}, "2 raw rows stand behind 1 shown"),
    ],
)
def test_a_payload_that_breaks_the_contract_is_refused_by_file_and_output(tmp_path, words, payload, says):
    with pytest.raises(DataError) as refusal:
        one_place(tmp_path, words, payload)
    assert says in str(refusal.value)
    assert "08473/vi/credit.ipynb, output 1" in str(refusal.value)
    assert [path.name for path in tmp_path.iterdir()] == ["private"], "nothing half-written"


@pytest.mark.parametrize(
    ("place", "says"),
    [
        ({"place_id": "../etc"}, "can't be a folder's name"),
        ({"place_id": None}, "can't be a folder's name"),
        ({"name": ""}, "has no name"),
        ({"status": "perhaps"}, "status 'perhaps' is unknown"),
        ({"level": "high"}, "level 'high' is unknown"),
        ({"coverage": ["weather"]}, "coverage 'weather' is unknown"),
        ({"valid_to": "30/06/2025"}, "is no date"),
    ],
)
def test_a_place_that_breaks_the_contract_is_refused(tmp_path, words, place, says):
    with pytest.raises(DataError, match=re.escape(says)):
        one_place(tmp_path, words, place=place)


def test_a_place_given_twice_is_refused(tmp_path, words):
    with pytest.raises(DataError, match="08473 is given twice"):
        publish.site(tmp_path, tmp_path, [sample.PLACES[0]] * 2, meta=sample.META, words=words)


def test_two_outputs_of_one_name_are_refused(tmp_path, words):
    sample.write_private(tmp_path / "private", "08473", {"vi": {"credit": [TABLE, TABLE]}})
    with pytest.raises(DataError, match="two outputs are both called 'credit-t'"):
        publish.site(
            tmp_path / "private",
            tmp_path,
            sample.PLACES[:1],
            meta=sample.META,
            words=words,
            languages=("vi",),
        )


def test_a_published_place_without_marked_output_is_refused(tmp_path, words):
    with pytest.raises(DataError, match="no notebook here holds an output for readers"):
        publish.site(tmp_path, tmp_path, sample.PLACES[:1], meta=sample.META, words=words)


def test_a_broken_notebook_file_is_named(tmp_path, words):
    path = tmp_path / "08473" / "vi" / "credit.ipynb"
    path.parent.mkdir(parents=True)
    path.write_text('{"cells": [', encoding="utf-8")
    with pytest.raises(DataError, match=r"credit\.ipynb: no notebook can be read here"):
        publish.site(tmp_path, tmp_path / "out", sample.PLACES[:1], meta=sample.META, words=words)


@pytest.mark.parametrize("languages", [(), ("vi", "fr")])
def test_an_unknown_language_is_refused(tmp_path, words, languages):
    with pytest.raises(DataError, match="Use one or more of: vi, en"):
        publish.site(tmp_path, tmp_path, [], meta=sample.META, words=words, languages=languages)


def test_meta_names_what_is_absent(tmp_path, words):
    meta = {key: value for key, value in sample.META.items() if key not in ("rights", "version")}
    with pytest.raises(DataError, match="meta lacks rights, version"):
        publish.site(tmp_path, tmp_path, [], meta=meta, words=words)


def test_the_old_site_stands_until_the_new_one_is_whole(tmp_path, words):
    index = one_place(tmp_path, words)
    before = index.read_bytes()
    with pytest.raises(DataError):
        one_place(tmp_path, words, FIGURE)
    assert index.read_bytes() == before
    stale = index.parent / "vi" / "99999"
    stale.mkdir()
    one_place(tmp_path, words)
    assert not stale.exists(), "a page of an earlier run doesn't stay on"
    assert sorted(path.name for path in tmp_path.iterdir()) == ["private", "site"]


def test_a_folder_that_is_no_site_is_left_alone(tmp_path, words):
    (tmp_path / "site").mkdir()
    (tmp_path / "site" / "thesis.txt").write_text("ten years of work")
    with pytest.raises(DataError, match="is no site of evalkit and is left alone"):
        one_place(tmp_path, words)
    assert (tmp_path / "site" / "thesis.txt").read_text() == "ten years of work"


def test_a_data_set_of_provinces_has_no_empty_columns(tmp_path, words):
    province = {"place_id": "25", "code": "25", "name": "Phú Thọ", "type": "tỉnh", "status": "no_data"}
    index = publish.site(tmp_path, tmp_path, [province], meta=sample.META, words=words)
    listed = read(index.parent / "vi" / "places" / "index.html")
    assert [th["data-sort"] for th in listed.all("th", scope="col")] == ["name", "code", "coverage"]
    assert "Tỉnh Phú Thọ" in read(index.parent / "vi" / "25" / "index.html").text


def test_payload_with_a_broken_letter_is_still_a_page(tmp_path, words):
    payload = json.loads('{"kind": "text", "id": "t", "section": "credit", "paragraphs": ["a\\ud800b"]}')
    private = tmp_path / "private" / "08473" / "vi"
    private.mkdir(parents=True)
    (private / "credit.ipynb").write_text(json.dumps(sample.notebook([payload])), encoding="ascii")
    index = publish.site(
        tmp_path / "private", tmp_path, sample.PLACES[:1], meta=sample.META, words=words, languages=("vi",)
    )
    assert "a?b" in read(index.parent / "vi" / "08473" / "index.html").text
