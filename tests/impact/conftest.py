"""Data and estimates that several tests of impact share."""

import numpy as np
import pandas as pd
import pytest

from evalkit import impact


@pytest.fixture(scope="session")
def medicaid(replication):
    """States that expanded Medicaid in 2014, and those that had not by 2015, as in HonestDiD's README."""
    states = pd.read_stata(replication / "ehec_data.dta")
    states = states.assign(year=states["year"].astype(int), yexp2=states["yexp2"].astype(float))
    return states[(states["year"] < 2016) & (states["yexp2"].isna() | (states["yexp2"] != 2015))]


@pytest.fixture(scope="session")
def medicaid_study(medicaid):
    """Event study of the expansion of 2014."""
    return impact.event_study(
        medicaid, outcome="dins", unit="stfips", time="year", first_treated="yexp2", cluster="stfips"
    )


@pytest.fixture(scope="session")
def counties(replication):
    """Teen employment by county (mpdta)."""
    return pd.read_csv(replication / "mpdta.csv")


@pytest.fixture(scope="session")
def smoking(replication):
    """Cigarette sales by state, 1970 to 2000."""
    states = pd.read_stata(replication / "sc_smoking_ADH.dta")
    return states.assign(
        year=states["year"].astype(int),
        state=states["state"].astype(str),
        cigsale=states["cigsale"].astype(float),
    )


@pytest.fixture(scope="session")
def voters(replication):
    """Voters in clusters, with the two categorical questions as categories."""
    people = pd.read_csv(replication / "voters.csv")
    return people.astype({"Q1_immigration": "category", "Q2_defense": "category"})


@pytest.fixture
def panel():
    """Forty units in eight districts, six years; the effect is 0.5, the instrument moves the dose."""
    rng = np.random.default_rng(7)
    units, years = 40, 6
    frame = pd.DataFrame(
        {"unit": np.repeat(np.arange(units), years), "year": np.tile(np.arange(years), units)}
    )
    frame["district"] = frame["unit"] // 5
    hidden, size = rng.normal(size=len(frame)), len(frame)
    frame["z"] = rng.normal(size=size)
    frame["x"] = (
        0.8 * frame["z"] + 0.5 * hidden + rng.normal(size=size) + rng.normal(size=units)[frame["unit"]]
    )
    frame["c"] = rng.normal(size=size)
    frame["w"] = rng.uniform(0.5, 2, size=size)
    frame["y"] = (
        0.5 * frame["x"]
        + 0.3 * frame["c"]
        + hidden
        + 0.2 * frame["year"]
        + rng.normal(size=units)[frame["unit"]]
    )
    return frame
