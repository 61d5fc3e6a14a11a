"""The formal texts of the method pages stand in the reader's language."""

import re

import pytest
from site_pages import outside_english
from site_sample import META, PLACES

from evalkit.present.words import t
from evalkit.publish import formal, methods
from evalkit.publish.pages import Pages
from evalkit.publish.places import checked

CODE = re.compile(r"``(.+?)``|:\w+:`(.+?)`")
ENGLISH = re.compile(r"\b(the|of|and|with|where|which|from|per|by(?!:)|for|is|are|whose)\b")


@pytest.fixture(scope="module")
def pages():
    return Pages(checked(PLACES), meta=META, languages=("vi", "en"), words=t)


def definitions():
    return [d for entry in methods.indicators() for d in entry["definitions"]]


def pieces(wanted):
    own = [piece for functions in methods.functions().values() for f in functions for piece in f["pieces"]]
    return {" ".join(text.split()) for kind, text in own if kind == wanted}


def test_every_definition_and_every_paragraph_has_its_vietnamese_and_no_other_text_is_kept():
    said = {d[key] for d in definitions() for key in ("meaning", "interval")}
    said |= pieces("text") | pieces("formula")
    assert sorted(said - set(formal.catalogue("vi"))) == []
    formulas = {d["formula"] for d in definitions()}
    used = said | formulas | {d["source"] for d in definitions()}
    compound = [formula for formula in formulas if not formal.QUANTITY.fullmatch(formula)]
    used |= {f"quantity: {name}" for formula in compound for name in formal.QUANTITY.findall(formula)}
    used |= {f"unit: {entry['unit']}" for entry in methods.indicators()}
    assert sorted(set(formal.catalogue("vi")) - used) == []


def test_a_translation_keeps_the_names_of_the_code():
    tex = pieces("formula")
    for english, said in formal.catalogue("vi").items():
        assert english in tex or sorted(CODE.findall(said)) == sorted(CODE.findall(english)), english


def test_formulas_in_words_name_no_column():
    worded = {d["formula"]: formal.formula(d["formula"], "vi") for d in definitions()}
    assert worded["100 × overdue / outstanding"] == "100 × nợ quá hạn / dư nợ"
    assert worded["outstanding_loans_vnd / borrower_households"] == "dư nợ / số hộ còn dư nợ"
    assert [said for said in worded.values() if "_" in said or ENGLISH.search(said)] == []


@pytest.mark.parametrize("name", ["index", "indicators", "measures", "reference"])
def test_on_vietnamese_method_pages_only_code_and_citations_are_english(pages, name):
    said = outside_english(pages.methods("vi")[f"methods/{name}.html"])
    assert len(said) > 20
    assert [text for text in said if ENGLISH.search(text)] == []


def test_an_untranslated_text_says_that_it_is_english():
    assert formal.text("A new ``x`` of y.", "vi") == '<span lang="en">A new <code>x</code> of y.</span>'
    assert formal.text("A new ``x`` of y.", "en") == "A new <code>x</code> of y."
