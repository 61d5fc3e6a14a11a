"""Public measures of poverty, inequality and income under input that lies: the right value, or a refusal with its reason."""

from decimal import Decimal

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import evalkit as ek
from evalkit.errors import DataError, ParameterError
from evalkit.metrics import income, poverty

INCOMES = [1.0, 2, 3, 4, 5, 6, 7, 8, 9, 10]
MEASURES = {
    "headcount": lambda y, **k: ek.poverty.fgt(y, 4, alpha=0, **k),
    "gap": lambda y, **k: ek.poverty.fgt(y, 4, alpha=1, **k),
    "severity": lambda y, **k: ek.poverty.fgt(y, 4, alpha=2, **k),
    "watts": lambda y, **k: ek.poverty.watts(y, 4, **k),
    "sen": lambda y, **k: ek.poverty.sen(y, 4, **k),
    "at_risk": ek.poverty.at_risk_rate,
    "gini": ek.inequality.gini,
    "theil": ek.inequality.theil,
    "mld": ek.inequality.mean_log_deviation,
    "atkinson": ek.inequality.atkinson,
    "atkinson_2": lambda y, **k: ek.inequality.atkinson(y, epsilon=2, **k),
    "quintiles": ek.inequality.quintile_ratio,
}
every_measure = pytest.mark.parametrize("measure", MEASURES.values(), ids=MEASURES)

FORMS = {
    "tuple": tuple(INCOMES),
    "integers": np.arange(1, 11),
    "nullable": pd.Series(range(1, 11), dtype="Int64"),
    "arrow": pd.Series(INCOMES, dtype="double[pyarrow]"),
    "decimals": [Decimal(n) for n in range(1, 11)],
    "duplicated index": pd.Series(INCOMES, index=[7] * 10),
    "single precision": np.array(INCOMES, dtype="float32"),
}


@every_measure
@pytest.mark.parametrize("form", FORMS.values(), ids=FORMS)
def test_every_form_of_a_column_gives_one_answer(measure, form):
    assert measure(form) == measure(INCOMES)


@every_measure
def test_a_missing_income_is_left_out_and_counted_in_every_form(measure):
    alone = measure(INCOMES[1:])
    for form in (
        [None, *INCOMES[1:]],
        pd.Series([None, *INCOMES[1:]], dtype="Float64"),
        pd.Series([None, *INCOMES[1:]], dtype="double[pyarrow]"),
        np.ma.array([99.0, *INCOMES[1:]], mask=[True] + [False] * 9),
    ):
        found = measure(form)
        assert found.estimate == pytest.approx(alone.estimate, rel=1e-12)
        assert found.n == 9
        assert "1 of 10 observations missing" in found.warnings[0]


NO_INCOMES = {
    "dates": pd.Series(pd.to_datetime(["2020-01-01", "2021-01-01"])),
    "lengths of time": pd.Series(pd.to_timedelta([1, 2], "D")),
    "complex": np.array([1 + 1j, 2]),
    "texts": ["1.234", "2.500"],
    "categories": pd.Series(["1", "2"], dtype="category"),
    "a table": pd.DataFrame({"income": [1.0, 2]}),
    "two dimensions": np.ones((2, 2)),
    "one number": 3.0,
    "infinite": [1.0, np.inf],
}


@every_measure
@pytest.mark.parametrize("form", NO_INCOMES.values(), ids=NO_INCOMES)
def test_what_isnt_a_column_of_numbers_is_refused(measure, form):
    with pytest.raises(DataError, match=r"numbers|infinite"):
        measure(form)


BAD_DESIGNS = {
    "weight infinite": ({"weights": [np.inf] + [1] * 9}, "weights, position 0: inf"),
    "weight negative": ({"weights": [1, -1] + [1] * 8}, "weights, position 1: -1"),
    "weight missing": ({"weights": [np.nan] + [1] * 9}, "weights, position 0: nan"),
    "one weight": ({"weights": 2}, "weights: of 0 dimensions"),
    "too few weights": ({"weights": [1] * 9}, "weights: 9 entries for 10"),
    "weights of other rows": (
        {"weights": pd.Series(range(1, 11), index=range(10, 0, -1))},
        "weights: its rows",
    ),
    "strata of other rows": ({"strata": pd.Series([1] * 10, index=range(1, 11))}, "strata: its rows"),
    "groups of other rows": ({"by": pd.Series([1] * 10, index=range(1, 11))}, "by: its rows"),
    "a stratum of one unit": ({"strata": [1] * 9 + [2]}, "1 strata have one sampling unit"),
    "cluster missing": ({"cluster": [None] + [1] * 9}, "cluster, position 0: missing"),
    "fpc too small": ({"fpc": 5}, "5 sampling units in the population"),
    "too few fpc": ({"fpc": [20] * 9}, "fpc: 9 entries for 10"),
    "fpc differs": ({"fpc": [20] * 9 + [500]}, "differs within a stratum"),
}


@every_measure
@pytest.mark.parametrize(("design", "reason"), BAD_DESIGNS.values(), ids=BAD_DESIGNS)
def test_a_design_that_cannot_be_is_refused(measure, design, reason):
    with pytest.raises(DataError, match=reason):
        measure(pd.Series(INCOMES), **design)


@every_measure
def test_a_confidence_in_per_cent_is_refused(measure):
    with pytest.raises(ParameterError, match="confidence=95"):
        measure(pd.Series(INCOMES), confidence=95)


@every_measure
def test_rows_labelled_alike_pair_and_arrays_pair_by_position(measure):
    labels = list("jihgfedcba")
    income, weights = pd.Series(INCOMES, index=labels), pd.Series(range(1, 11), index=labels)
    assert measure(income, weights=weights) == measure(INCOMES, weights=list(range(1, 11)))
    assert measure(income, weights=weights.to_numpy()) == measure(INCOMES, weights=list(range(1, 11)))


@every_measure
def test_nothing_known_is_unknown_and_one_household_has_no_standard_error(measure):
    for nothing in ([], [np.nan] * 3, pd.Series([None, None], dtype="Float64")):
        found = measure(nothing)
        assert np.isnan([found.estimate, found.std_error, found.lower, found.upper]).all()
        assert found.n == 0
        assert found.warnings[0] == "no known value"
    unweighted = measure(INCOMES, weights=[0] * 10)
    assert np.isnan(unweighted.estimate)
    one = measure([3.0])
    assert np.isnan(one.std_error)
    assert "no standard error: one sampling unit" in one.warnings


@every_measure
def test_one_cluster_has_no_interval_even_where_nobody_or_everybody_is_poor(measure):
    for incomes in (INCOMES, [50.0] * 10, [1.0] * 10):
        found = measure(incomes, cluster=["village"] * 10)
        assert np.isnan(found.std_error)
        assert np.isnan(found.upper)
        assert found.clusters == 1


@every_measure
@settings(max_examples=25)
@given(
    st.lists(st.tuples(st.integers(1, 60), st.integers(0, 4)), min_size=2, max_size=25),
    st.sampled_from([1e-6, 0.37, 1e9]),
)
def test_weights_replicate_and_their_scale_says_nothing(measure, rows, factor):
    y, w = (np.array(column, dtype=float) for column in zip(*rows, strict=True))
    if not w.sum():
        return
    weighted = measure(y, weights=w)
    copies = measure(np.repeat(y, w.astype(int)))
    scaled = measure(y, weights=w * factor)
    for found in (copies, scaled):
        assert found.estimate == pytest.approx(weighted.estimate, rel=1e-9, abs=1e-12)
    assert scaled.std_error == pytest.approx(weighted.std_error, rel=1e-6, abs=1e-9, nan_ok=True)
    kept = measure(y[w > 0], weights=w[w > 0])
    assert kept.estimate == pytest.approx(weighted.estimate, rel=1e-9, abs=1e-12)


RELATIVE = ("at_risk", "gini", "theil", "mld", "atkinson", "atkinson_2", "quintiles")


@pytest.mark.parametrize("name", RELATIVE)
@pytest.mark.parametrize("scale", [1e-9, 25_000, 1e150])
def test_the_unit_of_money_says_nothing(name, scale):
    y = np.array(INCOMES)
    assert MEASURES[name](y * scale).estimate == pytest.approx(MEASURES[name](y).estimate, rel=1e-9)
    assert MEASURES[name](y * scale).std_error == pytest.approx(MEASURES[name](y).std_error, rel=1e-6)


@pytest.mark.parametrize("name", ["gini", "theil", "mld", "atkinson", "atkinson_2"])
def test_all_equal_is_no_inequality_and_a_transfer_to_the_poorer_lessens_it(name):
    measure = MEASURES[name]
    assert 0 <= measure([0.1 + 0.2] * 7).estimate < 1e-9
    before = measure([10.0, 20, 30, 100]).estimate
    assert measure([10.0, 25, 30, 95]).estimate < before  # Pigou-Dalton
    assert measure([60.0, 70, 80, 150]).estimate < before  # the same sum for each


@settings(max_examples=30)
@given(
    st.lists(st.floats(0.5, 100), min_size=2, max_size=15),
    st.lists(st.floats(0.5, 100), min_size=2, max_size=15),
)
def test_groups_add_up_to_the_whole(first, second):
    """FGT by population share; Theil's T by income share and L by population share, plus the between part."""
    y, by = np.array(first + second), np.repeat([0, 1], [len(first), len(second)])
    share = np.bincount(by) / len(y)
    for alpha in (0, 1, 2):
        parts = poverty.fgt(y, 30, alpha=alpha, by=by).estimate
        assert poverty.fgt(y, 30, alpha=alpha).estimate == pytest.approx((share * parts).sum(), abs=1e-12)
    mean = np.array([np.mean(first), np.mean(second)]) / y.mean()
    within = [ek.inequality.theil(part).estimate for part in (first, second)]
    between = (share * mean * np.log(mean)).sum()
    assert ek.inequality.theil(y).estimate == pytest.approx((share * mean * within).sum() + between, abs=1e-9)
    within = [ek.inequality.mean_log_deviation(part).estimate for part in (first, second)]
    between = -(share * np.log(mean)).sum()
    assert ek.inequality.mean_log_deviation(y).estimate == pytest.approx(
        (share * within).sum() + between, abs=1e-9
    )


ZERO_AND_NEGATIVE = {
    "headcount": (2 / 3, 2 / 3),
    "gap": (5 / 12, 11 / 24),
    "severity": ((16 + 9 + 4 + 1) / 16 / 6, (25 + 9 + 4 + 1) / 16 / 6),
    "watts": (None, None),
    "sen": (0.5208333333333333, None),
    "gini": (0.3888888888888889, None),
    "theil": (0.30200915037746, None),
    "mld": (None, None),
    "atkinson": (0.21929449352257, None),
    "atkinson_2": (None, None),
    "quintiles": (29, None),
}


@pytest.mark.parametrize("name", ZERO_AND_NEGATIVE)
def test_zero_and_negative_incomes_are_defined_or_refused_by_name(name):
    for first, expected in zip((0.0, -1.0), ZERO_AND_NEGATIVE[name], strict=True):
        incomes = [first, 1, 2, 3, 4, 5]
        if expected is None:
            with pytest.raises(DataError, match=r"isn't\s+defined"):
                MEASURES[name](incomes)
        else:
            assert MEASURES[name](incomes).estimate == pytest.approx(expected)


def test_a_poverty_line_is_a_positive_amount_of_the_same_rows():
    assert ek.poverty.fgt([400, 500], 400, alpha=0).estimate == 0
    assert ek.poverty.fgt([400, 500], 400, alpha=0, inclusive=True).estimate == 0.5
    assert ek.poverty.fgt([400, 500], 400, alpha=1, inclusive=True).estimate == 0
    for line, reason in (
        (0, "line, position 0: 0"),
        (np.inf, "line, position 0: inf"),
        ("400", "not numbers"),
    ):
        with pytest.raises(DataError, match=reason):
            ek.poverty.fgt([300, 500], line, alpha=0)
    other_rows = pd.Series([400, 600], index=[1, 0])
    with pytest.raises(DataError, match="line: its rows are labelled otherwise than those of income"):
        ek.poverty.fgt(pd.Series([500, 500]), other_rows, alpha=0)
    assert ek.poverty.fgt(pd.Series([500, 500]), other_rows.to_numpy(), alpha=0).estimate == 0.5
    for alpha in (-1, np.nan, np.inf):
        with pytest.raises(DataError, match="alpha="):
            ek.poverty.fgt([300, 500], 400, alpha=alpha)


def test_no_line_is_a_share_of_a_median_of_nothing():
    for incomes in ([0, 0, 0, 1, 2], [-5, -3, -2, 1, 2]):
        with pytest.raises(DataError, match="no line can be a share of it"):
            ek.poverty.at_risk_rate(incomes)
    for share in (60, 0, -0.6, np.nan):
        with pytest.raises(DataError, match="share="):
            ek.poverty.at_risk_rate(INCOMES, share=share)


DEPRIVED = pd.DataFrame({"a": [1, 0, 1, 1], "b": [0, 0, 1, 1], "c": [0, 1, 1, 0]})


def test_dimension_weights_are_read_by_name():
    by_position = ek.poverty.alkire_foster(DEPRIVED, [2, 1, 5], 2)
    for named in ({"c": 5, "a": 2, "b": 1}, pd.Series({"b": 1, "c": 5, "a": 2})):
        found = ek.poverty.alkire_foster(DEPRIVED, named, 2)
        assert found.M0 == by_position.M0
        assert found.by_dimension.set_index("dimension").weight.to_dict() == {"a": 2, "b": 1, "c": 5}
    for other in ({"a": 2, "b": 1}, {"a": 2, "b": 1, "d": 5}, pd.Series([2, 1, 5])):
        with pytest.raises(DataError, match="the dimensions are a, b, c"):
            ek.poverty.alkire_foster(DEPRIVED, other, 2)
    for other in ([2, 1], [2, 1, 0], [2, 1, np.inf]):
        with pytest.raises(DataError, match="one positive weight for each"):
            ek.poverty.alkire_foster(DEPRIVED, other, 2)


def test_several_deprivations_under_odd_input():
    third = ek.poverty.alkire_foster(DEPRIVED, [1 / 3] * 3, 2 / 3)
    assert third.H.estimate == 0.5  # 1/3 + 1/3 reaches a cut-off of 2/3
    assert third.M0.estimate == pytest.approx((1 + 2 / 3) / 4)
    nobody = ek.poverty.alkire_foster(DEPRIVED * 0, None, 2)
    assert (nobody.H.estimate, nobody.M0.estimate) == (0, 0)
    assert nobody.A.warnings == ("not defined for these values",)
    with pytest.raises(DataError, match="no column"):
        ek.poverty.alkire_foster(pd.DataFrame(index=[0, 1]), None, 1)
    with pytest.raises(DataError, match="a, position 0: 2"):
        ek.poverty.alkire_foster(DEPRIVED.assign(a=[2, 0, 1, 1]), None, 1)
    with pytest.raises(DataError, match="weights: its rows"):
        ek.poverty.alkire_foster(DEPRIVED, None, 1, weights=pd.Series([1, 2, 3, 4], index=[3, 2, 1, 0]))


def test_moves_in_and_out_take_states_of_the_same_households():
    found = ek.poverty.exit_rate([1, 1, 1, 0], [0, 1, None, 0])
    assert (found.estimate, found.n) == (0.5, 2)
    assert np.isnan(ek.poverty.exit_rate([0, 0], [0, 1]).estimate)
    assert ek.poverty.entry_rate([0, 0, 1], [0, 1, 1]).estimate == 0.5
    assert ek.poverty.fall_back_rate([1, 1, 0], [0, 0, 0], [1, 0, 1]).estimate == 0.5
    with pytest.raises(DataError, match="poor_after: 3 entries for 2"):
        ek.poverty.exit_rate([1, 1], [0, 1, 1])
    with pytest.raises(DataError, match=r"poor_after, position 0: 0\.5"):
        ek.poverty.entry_rate([0, 0], [0.5, 1])
    with pytest.raises(DataError, match="poor_third: its rows"):
        ek.poverty.fall_back_rate(pd.Series([1, 1]), pd.Series([0, 0]), pd.Series([1, 0], index=[1, 0]))


PRICES = pd.Series({2014: 80.0, 2015: 90.0, 2020: 100.0})


def test_deflating_pairs_amounts_with_whole_years():
    for prices in (PRICES, PRICES.to_dict(), PRICES.rename(index=str), PRICES[::-1]):
        assert ek.income.deflate([100, 200, 300], [2014, 2020, None], to=2020, prices=prices)[
            :2
        ].tolist() == [125, 200]
    named = pd.Series([100.0, None], index=["a", "b"], dtype="Float64")
    real = ek.income.deflate(named, 2014, to=2020, prices=PRICES)
    assert real["a"] == 125
    assert np.isnan(real["b"])
    refused = {
        r"year: 2014\.5": {"year": [2014.5]},
        "year: Timestamp": {"year": pd.to_datetime(["2014-01-01"])},
        "no level for 2013": {"year": [2013]},
        "year: 2 entries for 1": {"year": [2014, 2015]},
        "no level for 2021": {"year": [2014], "to": 2021},
        "or infinite": {"year": [2014], "prices": PRICES.replace(80.0, np.inf)},
        "a level of 0": {"year": [2014], "prices": PRICES.replace(80.0, 0)},
    }
    for reason, changed in refused.items():
        with pytest.raises(DataError, match=reason):
            ek.income.deflate([100], **{"to": 2020, "prices": PRICES} | changed)
    with pytest.raises(DataError, match="amount: str, not numbers"):
        ek.income.deflate(pd.Series(["1.234"]), 2014, to=2020, prices=PRICES)
    with pytest.raises(DataError, match="year: its rows"):
        ek.income.deflate(pd.Series([1.0, 2]), pd.Series([2014, 2020], index=[1, 0]), to=2020, prices=PRICES)
    with pytest.raises(DataError, match="per: its rows"):
        income.per_month(pd.Series([1.0, 2]), pd.Series(["month", "year"], index=[1, 0]))


def test_growth_of_percentiles_is_that_of_the_two_samples():
    doubled = ek.income.growth_incidence(INCOMES, [2 * y for y in INCOMES], ranks=(25, 50, 75))
    assert doubled.growth.tolist() == [1, 1, 1]
    assert (doubled.lower < 1).all()
    assert (doubled.upper > 1).all()
    yearly = ek.income.growth_incidence(INCOMES, [2 * y for y in INCOMES], ranks=(50,), years=2)
    assert yearly.growth.item() == pytest.approx(2**0.5 - 1)
    from_nothing = ek.income.growth_incidence([0, 0, 0, 1], [1, 1, 1, 1], ranks=(50,))
    assert from_nothing[["growth", "lower", "upper"]].isna().all(axis=None)
    for reason, given_ in {"years=nan": {"years": np.nan}, "rank=0": {"ranks": (0,)}}.items():
        with pytest.raises(DataError, match=reason):
            ek.income.growth_incidence(INCOMES, INCOMES, **given_)
    with pytest.raises(DataError, match="no known value"):
        ek.income.growth_incidence([], INCOMES)
