"""The law and the prices that a simulated commune lives under, from the dated reference data."""

from dataclasses import dataclass
from functools import lru_cache
from importlib.resources import files
from pathlib import Path

import numpy as np
import pandas as pd

from evalkit.errors import ParameterError

_NRD_AREA = "northern_mountains"


@lru_cache
def _reference(name):
    packaged = Path(str(files("evalkit"))) / "data" / "reference"
    folder = packaged if packaged.is_dir() else Path(__file__).resolve().parents[3] / "data" / "reference"
    return pd.read_csv(folder / f"{name}.csv", dtype="string", encoding="utf-8")


@dataclass(frozen=True)
class Programme:
    """A credit programme: its code, purpose and the day it began (NaT: before any year of the data)."""

    code: str
    purpose: str
    started_on: pd.Timestamp


@lru_cache
def programmes():
    """Return every credit programme in the order of the register."""
    rows = _reference("programmes")
    starts = pd.to_datetime(rows["started_on"])
    return tuple(Programme(*row) for row in zip(rows["code"], rows["purpose"], starts, strict=True))


@lru_cache
def ceilings(programme):
    """Return the ceilings of a programme's loans as (in force from, VND), oldest first."""
    rows = _reference("programme_terms")
    rows = rows[(rows["programme"] == programme) & rows["ceiling_vnd"].notna()]
    starts = pd.to_datetime(rows["valid_from"]).fillna(pd.Timestamp.min)
    return sorted(zip(starts, rows["ceiling_vnd"].astype(float), strict=True))


@lru_cache
def standards(year):
    """Return the poverty standards of the review at the end of a year, the one in force first.

    The review before a change counts the households on the coming standard too.
    """
    rows = _reference("poverty_standards")
    rows = rows[rows["measured_by"] == "review"].drop_duplicates("standard")
    begins = pd.to_datetime(rows["valid_from"]).dt.year
    ends = pd.to_datetime(rows["valid_to"]).dt.year
    return tuple(rows["standard"][(begins - 1 <= year) & (ends >= year)])


@lru_cache
def rules(standard, area):
    """Return the rows of a standard for an area: class, bounds of income and of deprivations."""
    rows = _reference("poverty_standards")
    rows = rows[(rows["standard"] == standard) & (rows["area"] == area)].copy()
    bounds = ["income_min_vnd", "income_max_vnd", "deprivations_min", "deprivations_max", "of_deprivations"]
    rows[bounds] = rows[bounds].astype(float)
    return rows


def price_index(years):
    """Return consumer prices in ``years`` relative to the first of them (annual averages)."""
    rows = _reference("consumer_prices").dropna(subset="change_pct")
    change = (
        rows.assign(year=rows["year"].astype(int)).drop_duplicates("year").set_index("year")["change_pct"]
    )
    missing = set(years[1:]) - set(change.index)
    if missing:
        raise ParameterError(
            f"simulate: years {years[0]} to {years[-1]} need consumer prices, which the reference data "
            f"don't have for {', '.join(map(str, sorted(missing)))}. Choose years up to {change.index.max()}."
        )
    growth = 1 + change.astype(float).reindex(years[1:]).to_numpy() / 100
    return np.concatenate([[1.0], np.cumprod(growth)])


def recognition_thresholds_vnd(years):
    """Return the New Rural income criterion by year: the latest set by then; missing before the first."""
    rows = _reference("nrd_criteria")
    rows = rows[(rows["criterion"] == "income") & (rows["area"] == _NRD_AREA)]
    begins = pd.to_datetime(rows["valid_from"])
    dated = pd.Series(rows["threshold"].astype(float).to_numpy(), index=begins).sort_index()
    ends = pd.to_datetime([f"{y}-12-31" for y in years])
    return dated.reindex(ends, method="ffill").to_numpy()


def group_size():
    """Return the fewest and the most members of a savings-and-loan group that the rules of today allow."""
    rows = _reference("group_rules")
    rule = rows[(rows["rule"] == "members") & rows["valid_to"].isna()].iloc[-1]
    return int(rule["minimum"]), int(rule["maximum"])
