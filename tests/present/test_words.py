"""Numbers, money, dates and qualifiers as a Vietnamese and an English reader write them."""

import math

import pandas as pd
import pytest

from evalkit.errors import ParameterError
from evalkit.present import say, words


@pytest.mark.parametrize(
    ("value", "vi", "en"),
    [
        (26.5e9, "26,5 tỷ đồng", "26.5 billion VND"),
        (43_159_609, "43,2 triệu đồng", "43.2 million VND"),
        (5.7e12, "5.700 tỷ đồng", "5,700 billion VND"),
        (400_000, "400.000 đồng", "400,000 VND"),
        (-12.5e6, "−12,5 triệu đồng", "−12.5 million VND"),
    ],
)
def test_money(value, vi, en):
    assert (words.money(value, "vi"), words.money(value, "en")) == (vi, en)


@pytest.mark.parametrize(
    ("text", "vi", "en"),
    [
        ("2024", "2024", "2024"),
        ("2018-03", "03/2018", "Mar 2018"),
        ("2024-12-31", "31/12/2024", "31 December 2024"),
        ("2014/2024", "2014–2024", "2014–2024"),
        (None, "không ghi thời điểm", "undated"),
    ],
)
def test_periods(text, vi, en):
    assert (words.period(text, "vi"), words.period(text, "en")) == (vi, en)


def row(value, lower, upper, flags="computed", unit="VND"):
    return pd.Series({"value": value, "lower": lower, "upper": upper, "unit": unit, "flags": flags})


@pytest.mark.parametrize(
    ("given", "vi", "en"),
    [
        (row(26.5e9 / 614, 26.5e9 / 614, math.inf), "trên 43,2 triệu đồng", "over 43.2 million VND"),
        (row(3.1283, 0, 3.1283, unit="percent"), "không quá 3,1%", "at most 3.1 %"),
        (row(0.1548, 0.1548, 0.1548, unit="percent"), "0,15%", "0.15 %"),
        (row(500, 0, 500, "nearly", "households"), "gần 500 hộ", "nearly 500 households"),
        (row(2.53, 2.53, 2.53, "", "percent"), "2,53%", "2.53 %"),
        (row(1e9, 0, math.inf), "khoảng 1 tỷ đồng", "about 1 billion VND"),
        (row(math.nan, math.nan, math.nan, "hidden"), "được che", "hidden"),
    ],
)
def test_a_value_is_said_as_far_as_its_bounds_allow(given, vi, en):
    assert (say.value(given, "vi"), say.value(given, "en")) == (vi, en)


def test_missing_hidden_and_zero_are_three_things():
    said = {
        say.value(row(*given), "en")
        for given in (
            (math.nan, math.nan, math.nan, ""),
            (math.nan, math.nan, math.nan, "hidden"),
            (0, 0, 0, ""),
        )
    }
    assert said == {"–", "hidden", "0 VND"}


def test_an_unknown_language_is_refused():
    with pytest.raises(ParameterError, match="vi, en"):
        words.t("Sources", "fr")


@pytest.mark.parametrize(
    ("parts", "vi", "en"),
    [
        (["2015"], "2015", "2015"),
        (["2015", "2021"], "2015 và 2021", "2015 and 2021"),
        (["2014", "2015", "2021"], "2014, 2015 và 2021", "2014, 2015 and 2021"),
    ],
)
def test_a_list_of_years_ends_with_and(parts, vi, en):
    assert (words.enumeration(parts, "vi"), words.enumeration(parts, "en")) == (vi, en)
