"""Tests that mutation testing asked for: each fails on a change of the measures that the other tests let pass."""

import numpy as np
import pandas as pd
import pytest

from evalkit.metrics import loans, survey


def test_a_lone_unit_is_measured_from_the_mean_of_all_units_not_from_their_sum():
    values, strata = [1.0, 3.0, 10.0], ["a", "a", "b"]
    found = survey.total(values, strata=strata, single_psu="adjust")
    of_a = 2 / 1 * ((1 - 2) ** 2 + (3 - 2) ** 2)
    of_b = (10 - (1 + 3 + 10) / 3) ** 2
    assert found.std_error == pytest.approx(np.sqrt(of_a + of_b))


def test_what_was_written_off_counts_also_where_the_group_is_not_known():
    loan = {"disbursed_on": "2019-03-01", "amount_vnd": 50e6, "as_of": "2020-12-31", "days_past_due": 0}
    rows = [
        loan | {"loan": "1", "group": "g", "outstanding_vnd": 40e6, "status": "current"},
        loan | {"loan": "2", "group": None, "outstanding_vnd": 20e6, "status": "written_off"},
        loan | {"loan": "3", "group": None, "outstanding_vnd": 30e6, "status": "current"},
    ]
    found = loans.vintages(pd.DataFrame(rows), by="group")
    assert found.written_off_vnd.tolist() == [0, 20e6]
    assert found.value.tolist() == [0, 0.2]


def test_two_units_of_a_population_of_two_leave_nothing_to_chance():
    assert survey.mean([1.0, 3.0], fpc=2).std_error == 0
    assert survey.mean([1.0, 3.0], fpc=1).std_error == 0  # the same, as a fraction
