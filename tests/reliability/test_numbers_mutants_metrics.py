"""Tests that mutation testing asked for: each fails on a change of the measures that the other tests let pass."""

import numpy as np
import pytest

from evalkit.metrics import survey


def test_a_lone_unit_is_measured_from_the_mean_of_all_units_not_from_their_sum():
    values, strata = [1.0, 3.0, 10.0], ["a", "a", "b"]
    found = survey.total(values, strata=strata, single_psu="adjust")
    of_a = 2 / 1 * ((1 - 2) ** 2 + (3 - 2) ** 2)
    of_b = (10 - (1 + 3 + 10) / 3) ** 2
    assert found.std_error == pytest.approx(np.sqrt(of_a + of_b))
