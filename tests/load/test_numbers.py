"""Which figure a text means, and when that can't be known."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from evalkit.errors import DataError, NumberError
from evalkit.load.dates import parse_date
from evalkit.load.figures import read_numbers
from evalkit.load.numbers import Number, parse_number
from evalkit.load.units import Unit, caption_unit, parse_unit, unit_in, without_unit


@pytest.mark.parametrize(
    ("text", "value", "unit"),
    [
        ("1.234,5 tỷ đồng", 1_234_500_000_000, "VND"),
        ("12 tỷ 300 triệu", 12_300_000_000, "VND"),
        ("2 triệu 500 nghìn đồng", 2_500_000, "VND"),
        ("246.795 triệu", 246_795_000_000, "VND"),
        ("2.180 hộ", 2180, "households"),
        ("26.5 billion VND", 26_500_000_000, "VND"),
        ("VND 26.5 billion", 26_500_000_000, "VND"),
        ("15 trđ", 15_000_000, "VND"),
        ("5 nghìn tỷ đồng", 5e12, "VND"),
        ("2 triệu người", 2_000_000, "persons"),
        ("9,5%", 9.5, "percent"),
        ("(12,5)", -12.5, None),
        ("(1.234,5)", -1234.5, None),
        ("−3", -3, None),
        ("1.234.567", 1_234_567, None),
        ("1,234,567.8", 1_234_567.8, None),
        ("1\u00a0234\u202f567", 1_234_567, None),
        ("0.123", 0.123, None),
        ("1234.567", 1234.567, None),
        ("12.345,678", 12345.678, None),
    ],
)
def test_one_figure(text, value, unit):
    number = parse_number(text)
    assert (number.value, number.unit) == (value, unit)


@pytest.mark.parametrize("text", ["1.234", "1,234", "-1.234", "246.795 millions", "1,234 tỷ", "1.234 ha"])
def test_two_readings_raise_and_are_named(text):
    with pytest.raises(NumberError, match="reads as"):
        parse_number(text)


@pytest.mark.parametrize(
    "text",
    ["", "abc", "12.34.5", "6.579.5 million VND", "3 5", "12 tỷ 300", "300 triệu 12 tỷ", "1e", "٣", "#REF!",
     "=SUM(A1:A3)", "(-5)", "12 km2", "50 triệu đồng/hộ", "1 hộ 2 người", None, True, float("nan")],
)  # fmt: skip
def test_what_is_no_number_raises(text):
    with pytest.raises(NumberError):
        parse_number(text)


def test_half_of_the_scale_that_was_named():
    assert parse_number("trên 3 tỷ rưỡi") == Number(3.5e9, "VND", ("over",))
    assert parse_number("12 tỷ 3 triệu rưỡi").value == 12_003_500_000
    with pytest.raises(NumberError):
        parse_number("1,5 tỷ rưỡi")


def test_a_part_without_a_unit_is_told_how_it_is_written():
    with pytest.raises(NumberError, match="part without a unit"):
        parse_number("trên 1 tỷ 200")


@pytest.mark.parametrize(
    ("text", "flag"),
    [
        ("12,5(*)", "footnote"), ("12,5 (1)", "footnote"), ("12,5²", "footnote"),
        ("Sơ bộ 12,5", "preliminary"),
        ("12,5 (ước)", "estimated"), ("trên 12,5", "over"), ("gần 12,5", "nearly"), ("khoảng 12,5", "about"),
        ("dưới 12,5", "under"), ("1,25E+01", "scientific"), ("≥ 12,5", "over"), ("<12,5", "under"),
        ("ít nhất 12,5", "over"), ("không quá 12,5", "under"), ("xấp xỉ 12,5", "about"),
    ],
)  # fmt: skip
def test_marks_become_flags(text, flag):
    assert parse_number(text) == Number(12.5, None, (flag,))


@pytest.mark.parametrize(
    ("text", "flag"),
    [("-", "none_occurred"), ("..", "not_collected"), ("…", "not_collected"), ("x", "not_applicable")],
)
def test_a_gap_is_no_zero(text, flag):
    number = parse_number(text)
    assert math.isnan(number.value)
    assert number.flags == (flag,)


def test_unit_of_the_column_yields_to_that_of_the_text():
    assert parse_number("12,5", unit="triệu đồng").value == 12_500_000
    assert parse_number("12 tỷ", unit="triệu đồng").value == 12_000_000_000
    with pytest.raises(NumberError, match="percent where VND"):
        parse_number("12 %", unit="triệu đồng")
    with pytest.raises(NumberError, match="not known"):
        parse_number("12", unit="bushels")


@given(st.integers(0, 10**12), st.integers(0, 3))
def test_vietnamese_and_english_writing_of_a_figure_agree_or_are_refused(units, places):
    english = f"{units / 10**places:,.{places}f}"
    vietnamese = english.translate(str.maketrans(",.", ".,"))
    for text in (english, vietnamese):
        try:
            assert parse_number(text).value == units / 10**places
        except NumberError:
            assert english.count(",") + english.count(".") == 1


def test_other_values_of_a_column_decide():
    assert read_numbers(["1.234", "12,5"]).values == [1234, 12.5]
    assert read_numbers(["1.234", "2.5"]).values == [1.234, 2.5]
    assert read_numbers(["1.234", "1.234.567"]).values == [1234, 1234567]


def test_a_column_that_decides_nothing_or_both_ways_is_a_fault():
    undecided, mixed = read_numbers(["1.234", 5.0]), read_numbers(["1.234", "1,5", "2.5"])
    assert set(undecided.faults) == {0}
    assert set(mixed.faults) == {0}
    assert math.isnan(undecided.values[0])


def test_the_law_of_a_quantity_decides_only_where_nothing_contradicts():
    whole = float.is_integer
    assert read_numbers(["1.234", "2.345"], admissible=whole).values == [1234, 2345]
    assert set(read_numbers(["1.234", "2.3"], admissible=whole).faults) == {0}


def test_scaling_leaves_no_binary_remainder():
    assert read_numbers([12.3, 0.1], unit="tỷ đồng").values == [12_300_000_000, 100_000_000]


@pytest.mark.parametrize(
    ("text", "unit"),
    [
        ("triệu đồng", Unit("VND", 6)), ("Bill. dongs", Unit("VND", 9)), ("1.000 đồng", Unit("VND", 3)),
        ("triệu đồng/người/năm", Unit("VND", 6, "year")), ("nghìn người", Unit("persons", 3)),
        ("million", Unit(None, 6)), ("%", Unit("percent")), ("đồng/hộ", None), ("số hộ", None),
    ],
)  # fmt: skip
def test_units(text, unit):
    assert parse_unit(text) == unit


def test_units_inside_headers_and_captions():
    assert unit_in("Dư nợ (triệu đồng)") == Unit("VND", 6)
    assert without_unit("Dư nợ (triệu đồng)") == "Dư nợ"
    assert without_unit("Dư nợ (cuối năm)") == "Dư nợ (cuối năm)"
    assert caption_unit("Đơn vị tính: Tỷ đồng.") == Unit("VND", 9)
    assert caption_unit("Nghìn người - Thous. Pers.") == Unit("persons", 3)
    assert caption_unit("Hộ nghèo") is None


@pytest.mark.parametrize(
    ("written", "first", "last"),
    [
        ("31/12/2019", "2019-12-31", "2019-12-31"), ("1.6.2019", "2019-06-01", "2019-06-01"),
        (43646, "2019-06-30", "2019-06-30"), ("43646", "2019-06-30", "2019-06-30"),
        ("quý II/2019", "2019-04-01", "2019-06-30"), ("Quý 4 năm 2020", "2020-10-01", "2020-12-31"),
        ("tháng 2/2020", "2020-02-01", "2020-02-29"), ("năm 2019", "2019-01-01", "2019-12-31"),
        ("ngày 30 tháng 6 năm 2019", "2019-06-30", "2019-06-30"), ("5/1/19", "2019-01-05", "2019-01-05"),
    ],
)  # fmt: skip
def test_dates(written, first, last):
    assert tuple(day.isoformat() for day in parse_date(written)) == (first, last)


@pytest.mark.parametrize("written", ["31/02/2019", "12/31/2019", "quý V/2019", "hôm qua", 5.0])
def test_what_is_no_date_raises(written):
    with pytest.raises(DataError, match="no date"):
        parse_date(written)
