"""Provinces that several tests look at; drawn once."""

import pytest

from evalkit import simulate
from evalkit.simulate.province import TABLES


@pytest.fixture(scope="session")
def whole_province():
    """Return a small province with every table and every difficulty but missing years."""
    kept = [f for f in simulate.Difficulties.__dataclass_fields__ if f != "missing_years"]
    return simulate.draw(
        tables=TABLES, communes=40, districts=5, seed=7, difficulties=simulate.Difficulties.only(*kept)
    )
