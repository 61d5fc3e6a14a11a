import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from evalkit.metrics import benchmarks

NAME = "outstanding_per_household_vnd"


def row(place, value, year=2019, **more):
    bounds = {"lower": value, "upper": value}
    base = {
        "place": place,
        "indicator": NAME,
        "period": str(year),
        "year": year,
        "value": value,
        "unit": "VND",
        "basis": pd.NA,
        "method": "bank",
        "flags": "",
    }
    return base | bounds | more


def table(*rows):
    text = ["place", "indicator", "period", "unit", "basis", "method", "flags"]
    return pd.DataFrame(rows).astype(dict.fromkeys(text, "string") | {"year": "Int64"})


def among(rows, *, provinces=None, minimum=1, years=1, comparable=(NAME,)):
    levels = pd.Series("commune", index=rows["place"].unique())
    provinces = None if provinces is None else pd.Series(provinces, index=rows["place"].unique())
    return benchmarks.among(rows, levels, list(comparable), minimum=minimum, years=years, provinces=provinces)


def plain(rows, i, same):
    """The position of row ``i`` by the definition, one place after another."""
    own, seen, others = rows.iloc[i], {rows.iloc[i]["place"]}, []
    for _, other in rows.iterrows():
        if other["place"] not in seen and same(own, other):
            seen.add(other["place"])
            others.append(other)
    below = sum(o["upper"] < own["lower"] for o in others)
    above = sum(o["lower"] > own["upper"] for o in others)
    quartiles = np.percentile([o["value"] for o in others], [25, 50, 75]) if others else [np.nan] * 3
    return len(others), *quartiles, below, above, len(others) - below - above


FIGURES = st.lists(
    st.tuples(
        st.sampled_from("abcdefgh"),
        st.integers(2018, 2020),
        st.integers(0, 9),
        st.integers(0, 3),
        st.integers(0, 3),
    ),
    min_size=1,
    max_size=25,
)


@given(FIGURES, st.sampled_from(["one province", "two"]))
def test_position_is_that_of_the_plain_definition(figures, how):
    rows = table(*(row(p, float(v), y, lower=float(v - a), upper=float(v + b)) for p, y, v, a, b in figures))
    of = dict(zip("abcdefgh", "1" * 8 if how == "one province" else "11112222", strict=True))
    found = among(rows, provinces=[of[p] for p in rows["place"].unique()], minimum=0)
    numbers = ["n", "lower_quartile", "median", "upper_quartile", "below", "above", "undecided"]
    keys = ["place", "year"]
    expected = [
        plain(rows, i, lambda a, b: a["year"] == b["year"] and of[a["place"]] == of[b["place"]])
        for i in range(len(rows))
    ]
    expected = rows[keys].assign(**dict(zip(numbers, np.array(expected, float).T, strict=True)))
    expected.loc[expected["n"] == 0, numbers[4:]] = np.nan
    left, right = (
        t.sort_values([*keys, "below", "above"]).reset_index(drop=True)[numbers].astype(float)
        for t in (found, expected)
    )
    pd.testing.assert_frame_equal(left, right)


def test_figures_gathered_here_and_there_are_compared_with_the_nearest_years():
    rows = table(
        row("a", 1.0, 2019),
        row("b", 2.0, 2017),
        row("b", 5.0, 2018),
        row("b", 7.0, 2021),
        row("c", 3.0, 2016),
    )
    own = among(rows).query("place == 'a'").iloc[0]
    assert (own["n"], own["median"]) == (1, 5.0)
    wider = among(rows, years=5).query("place == 'a'").iloc[0]
    assert (wider["n"], wider["median"]) == (2, 4.0)


def test_what_may_not_be_compared_is_not():
    rows = table(
        row("a", 1.0),
        row("b", 2.0, flags="part;computed"),
        row("c", 3.0, basis="x"),
        row("d", 4.0, method="survey"),
        row("e", 5.0, flags="apart"),
    )
    found = among(rows, provinces=["1"] * 5).set_index("place")
    assert found.at["a", "n"] == 1  # e alone: “apart” is no “part”
    assert "b" not in found.index
    poor = table(row("a", 1.0, indicator="poverty_rate_pct"), row("b", 1.0, indicator="poverty_rate_pct"))
    assert len(among(poor, provinces=["1", "1"], comparable=("poverty_rate_pct",))) == 0


def test_bounds_that_overlap_decide_nothing():
    rows = table(
        row("a", 5.0, lower=4.0, upper=6.0),
        row("b", 6.5, lower=6.0, upper=7.0),
        row("c", 9.0),
        row("d", 1.0, upper=np.inf),
    )
    own = among(rows, provinces=["1"] * 4).set_index("place").loc["a"]
    assert (own["below"], own["above"], own["undecided"]) == (0, 1, 2)


def test_too_few_others_give_no_position():
    rows = table(*(row(p, 1.0) for p in "abc"))
    found = among(rows, provinces=["1"] * 3, minimum=3)
    assert (found["n"] == 2).all()
    assert found[["median", "below", "above", "undecided"]].isna().all(axis=None)


def test_places_of_no_known_level_are_left_out():
    rows = table(row("a", 1.0), row("b", 2.0))
    assert len(benchmarks.among(rows, pd.Series({"a": "commune"}), [NAME], minimum=0, years=1)) == 1


def sides(own, area):
    columns = {"numerator": np.nan, "denominator": np.nan}
    rows = table(row("99001", 1.0, **own)).assign(**columns)
    references = table(row("99", 2.0, **area)).assign(**columns)
    parents = pd.DataFrame(
        {"place": ["99001"], "parent": ["99"], "parent_name": ["B"], "parent_level": ["province"]}
    )
    return benchmarks.beside(rows, parents, references)


@pytest.mark.parametrize(
    ("own", "area", "differs"),
    [
        ({}, {}, ""),
        (
            {"basis": "2011-2015", "indicator": "poverty_rate_pct"},
            {"basis": "2011-2015-cpi", "indicator": "poverty_rate_pct", "method": "survey"},
            "basis;method",
        ),
        (
            {"indicator": "income_year_vnd", "basis": "current"},
            {"indicator": "income_month_vnd", "unit": "VND/person/month", "basis": pd.NA},
            "basis;unit",
        ),
    ],
)
def test_beside_says_what_differs(own, area, differs):
    assert sides(own, area)["differs"].tolist() == [differs]


@pytest.mark.parametrize("area", [{"basis": "2016-2020"}, {"year": 2018}, {"basis": pd.NA}])
def test_another_year_or_standard_does_not_stand_beside(area):
    area = {"indicator": "poverty_rate_pct", "basis": "2011-2015"} | area
    assert len(sides({"indicator": "poverty_rate_pct", "basis": "2011-2015"}, area)) == 0


def test_preferred_keeps_one_figure_for_each_standard():
    pairs = pd.concat(
        [
            sides(
                {"indicator": "poverty_rate_pct", "basis": b},
                {"indicator": "poverty_rate_pct", "basis": b, "method": m},
            )
            for b in ("2011-2015", "2016-2020")
            for m in ("survey", "review")
        ],
        ignore_index=True,
    )
    kept = benchmarks.preferred(pairs)
    assert kept["basis"].tolist() == ["2011-2015", "2016-2020"]
    assert kept["parent_method"].tolist() == ["review", "review"]
