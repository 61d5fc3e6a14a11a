"""A sentence says of what a figure is: a part is never given for the whole place, nor one way of counting for another."""

from types import SimpleNamespace

import pandas as pd
import pytest

import evalkit as ek


def place(*rows):
    names = ["indicator", "year", "value", "unit", "method", "flags"]
    table = pd.DataFrame(rows, columns=names)
    table = table.assign(period=table["year"].astype(str), lower=table["value"], upper=table["value"])
    return SimpleNamespace(rows=table.assign(basis=None, denominator=None), audience="public")


def debt(year, value, flags=""):
    return "outstanding_loans_vnd", year, value, "VND", "bank", flags


def income(year, value, flags="", method="self_survey"):
    return [
        ("income_year_vnd", year, value, "VND/person/year", method, flags),
        ("income_year_real_vnd", year, value, "VND/person/year", method, f"{flags};computed"),
    ]


@pytest.mark.parametrize(
    ("flag", "said"),
    [
        ("one_union", "one union's portfolio only"),
        ("one_programme", "one programme only"),
        ("part", "a part of the place only"),
        ("uncertain", "coverage uncertain"),
    ],
)
def test_a_figure_that_may_be_of_a_part_says_so(flag, said):
    (text,) = ek.texts.portfolio(place(debt(2024, 6e9, flag)), lang="en").paragraphs
    assert f"Outstanding loans: 6 billion VND ({said}) (2024)" in text


def test_a_figure_of_the_whole_place_stands_before_a_later_one_of_a_part():
    found = ek.texts.portfolio(
        place(debt(2022, 9e9), debt(2023, 8e9), debt(2024, 1e9, "one_union")), lang="en"
    )
    assert "Outstanding loans: 8 billion VND (2023)" in found.paragraphs[0]


GROWTH = "In real terms it changed by 10 % a year between 2020 and 2022"


@pytest.mark.parametrize(
    ("rows", "said"),
    [
        ([*income(2020, 100e6), *income(2022, 121e6)], True),
        ([*income(2020, 100e6, method="survey"), *income(2022, 121e6)], False),
        ([*income(2020, 100e6, "part"), *income(2022, 121e6)], False),
        ([*income(2019, 50e6, "part"), *income(2020, 100e6), *income(2022, 121e6)], True),
        ([*income(2020, 100e6), *income(2022, 121e6), *income(2023, 50e6, "part")], True),
    ],
    ids=["one way", "two ways", "of a part at first", "a part before", "a part after"],
)
def test_income_grows_from_figures_of_the_whole_place_counted_in_one_way(rows, said):
    (text,) = ek.texts.income(place(*rows), lang="en").paragraphs
    assert (GROWTH in text) == said
    assert said or "In real terms" not in text


def test_only_what_a_commune_surveys_itself_is_said_to_be_its_own():
    own = "A commune computes this figure itself"
    assert own in ek.texts.income(place(*income(2022, 9e7)), lang="en").paragraphs[0]
    assert own not in ek.texts.income(place(*income(2022, 9e7, method="survey")), lang="en").paragraphs[0]
