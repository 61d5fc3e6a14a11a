"""Spelling-blind look-up, and the encodings that Vietnamese text comes in."""

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from evalkit.load.encodings import encoding_of, is_syllable, legacy_encoding, restore
from evalkit.load.text import decode, fold, nearest, nfc, slug

# The same sentence as TCVN3 (ABC) and as VNI fonts store it.
UNICODE = "Số đơn vị hành chính, đất đai, dân số và lao động"
IN_TCVN3 = "Sè ®¬n vÞ hµnh chÝnh, ®Êt ®ai, d©n sè vµ lao ®éng"
IN_VNI = "Soá ñôn vò haønh chính, ñaát ñai, daân soá vaø lao ñoäng"


@pytest.mark.parametrize(
    "spelling",
    ["Hoà Bình", "Hòa Bình", "HÒA BÌNH", "hoa  binh", "Hòa-Bình", unicodedata.normalize("NFD", "Hòa Bình")],
)
def test_fold_is_blind_to_accents_case_tone_placement_and_spacing(spelling):
    assert fold(spelling) == "hoa binh"


def test_fold_reads_every_d_with_stroke_as_d():
    assert {fold(s) for s in ("Đắk Lắk", "Ðắk Lắk", "đắk lắk", "Dak Lak")} == {"dak lak"}


@given(st.text())
def test_fold_is_idempotent(text):
    assert fold(fold(text)) == fold(text)


def test_nfc_composes_and_tidies_spaces():
    assert nfc(unicodedata.normalize("NFD", " Hương\u00a0 Nộn\n")) == "Hương Nộn"


def test_slug():
    assert slug("Xã Hương Nộn") == "xa-huong-non"


def test_nearest_proposes_the_closest_or_nothing():
    names = ["tổng dư nợ", "nợ quá hạn"]
    assert nearest("tong du nợ", names) == "tổng dư nợ"
    assert nearest("Số học sinh", names) is None


@pytest.mark.parametrize(
    ("data", "name"),
    [
        (UNICODE.encode(), "utf-8"),
        (UNICODE.encode("utf-8-sig"), "utf-8-sig"),
        (UNICODE.encode("utf-16"), "utf-16"),
        (UNICODE.encode("utf-16-le"), "utf-16-le"),
        (UNICODE.encode("utf-16-be"), "utf-16-be"),
        (IN_TCVN3.encode("latin-1"), "tcvn3"),
        (IN_TCVN3.encode(), "tcvn3"),
        (IN_VNI.encode("cp1252"), "vni"),
        (IN_VNI.encode(), "vni"),
        (unicodedata.normalize("NFD", UNICODE).encode(), "utf-8"),
    ],
)
def test_decode_tells_the_encoding_from_the_text(data, name):
    assert decode(data) == UNICODE
    assert encoding_of(data) == name


def test_decode_windows_1258_with_its_combining_tones():
    # Windows-1258 stores ộ as ô and a combining dot below.
    assert (
        decode("Hô\u0323i Nông dân xa\u0303 Ba\u0300n Nguyên".encode("cp1258"))
        == "Hội Nông dân xã Bàn Nguyên"
    )


def test_decode_mends_utf_8_that_was_read_as_windows_1252():
    names = "Hội Nông dân xã Nghĩa Hưng"
    assert decode(names.encode().decode("cp1252").encode()) == names


def test_unicode_with_letters_of_latin_1_only_stays():
    assert legacy_encoding(["HÀ GIANG", "Hà Nam", "Hà Tây"]) is None
    assert decode("HÀ GIANG; Hà Nam".encode()) == "HÀ GIANG; Hà Nam"


def test_a_unicode_line_among_legacy_ones_stays():
    assert (
        decode(f"{IN_TCVN3}\nHà Nội, Hưng Yên\n{IN_TCVN3}\n".encode())
        == f"{UNICODE}\nHà Nội, Hưng Yên\n{UNICODE}\n"
    )


def test_one_word_with_several_readings_is_left_alone():
    # "Tæng" is Tổng in TCVN3 and Tỉng in VNI: nothing decides.
    assert legacy_encoding(["Tæng"]) is None


def test_restore_leaves_what_cannot_be_in_the_encoding():
    assert restore("Nguyễn", "windows-1258") == "Nguyễn"


@pytest.mark.parametrize("word", ["Nghiêng", "quý", "giếng", "Đắk", "ƯỚC", "xoong", "khuỷu", "gì"])
def test_syllables(word):
    assert is_syllable(word)


@pytest.mark.parametrize("word", ["Viẹt1", "străng", "hổố", "à la", "zô"])
def test_no_syllables(word):
    assert not is_syllable(word)
