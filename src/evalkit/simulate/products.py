"""How each credit programme behaves in the simulation: who borrows, how much, and how it is repaid."""

from dataclasses import dataclass
from functools import lru_cache

import numpy as np
import pandas as pd

from evalkit.load import reference
from evalkit.simulate import law

PRODUCTION_TERM = 5  # years; every production loan
WORKOUT = 3  # years from the last due date until a debt that wasn't paid is settled or written off
_SMALL, _BIG, _TOP_UP = 0.65, 1.0, 0.2  # amounts as shares of the ceiling
_ADJUSTMENT = 0.4  # share of the way to a new ceiling that loans go each year
_MILLION = 1_000_000


@dataclass(frozen=True)
class Product:
    """The behaviour of one programme.

    to: who borrows (a list of the review, or all households of communes of some kind). rate: new loans a
    year for each of them. remaining: tenths of the loan still owed at the end of each year, from the year
    of the loan on. ceiling_of: the programme whose ceiling decides the amount, times ``works``; without
    one the typical amount in million VND of the first year, which follows prices. top_up: share of loans
    with a second, smaller one to the same household.
    """

    code: str
    to: str
    rate: float
    remaining: tuple[int, ...]
    ceiling_of: str = ""
    works: int = 1
    typical_million: float = 0.0
    top_up: float = 0.0


_BULLET = (10, 9, 8, 7, 6)
_EVEN = (10, 8, 6, 4, 2)
_LATE = (10, 10, 9, 8, 7)
_STUDY = (10, 10, 10, 10, 8, 6, 4, 2)
_HOUSE = (10, 10, 10, 10, 10, 8, 6, 4, 3, 2)
_SHORT = (10, 6, 3)

PRODUCTS = {
    p.code: p
    for p in (
        Product("poor", "poor", 0.13, _BULLET, ceiling_of="poor", top_up=0.04),
        Product("near_poor", "near_poor", 0.13, _BULLET, ceiling_of="poor", top_up=0.04),
        Product("escaped", "escaped", 0.11, _BULLET, ceiling_of="poor", top_up=0.04),
        Product("students", "all", 0.005, _STUDY, typical_million=20, top_up=0.15),
        Product("water", "rural", 0.03, _EVEN, ceiling_of="water", works=2),
        Product("jobs", "all", 0.005, _LATE, ceiling_of="jobs"),
        Product("difficult_area", "difficult", 0.014, _BULLET, typical_million=30),
        Product("housing_poor", "poor", 0.03, _HOUSE, ceiling_of="housing_poor"),
        Product("social_housing", "urban", 0.002, _HOUSE, typical_million=250),
        Product("ethnic_minority", "minority", 0.010, _HOUSE, ceiling_of="ethnic_minority"),
        Product("labour_export", "all", 0.0010, _SHORT, typical_million=50),
        Product("extreme_ethnic", "minority", 0.003, _EVEN, ceiling_of="extreme_ethnic"),
        Product("forestry", "upland", 0.003, _LATE, typical_million=30),
        Product("traders", "difficult", 0.001, _EVEN, typical_million=40),
        Product("ex_prisoners", "all", 0.0008, _LATE, typical_million=60),
        Product("computers", "all", 0.003, _SHORT, typical_million=8),
    )
}
LONGEST = max(len(p.remaining) for p in PRODUCTS.values())


@lru_cache
def programmes():
    """Return the rows of the register of programmes that the simulation knows, in its order."""
    return tuple(p for p in reference.programmes().reset_index().itertuples() if p.code in PRODUCTS)


def codes():
    """Return the codes of the simulated programmes, in order."""
    return [p.code for p in programmes()]


def is_production():
    """Return which of the programmes lend for production."""
    return np.array([p.purpose == "production" for p in programmes()])


def open_share(years):
    """Return for each programme and year the share of the year in which it lent (0 before it began)."""
    out = np.zeros((len(programmes()), len(years)))
    for i, programme in enumerate(programmes()):
        for j, year in enumerate(years):
            begin, end = pd.Timestamp(year, 1, 1), pd.Timestamp(year + 1, 1, 1)
            start = begin if pd.isna(programme.started_on) else programme.started_on
            out[i, j] = np.clip((end - start) / (end - begin), 0, 1)
    return out


def amounts_million(years, prices, *, supply_2019):
    """Return the amounts lent by programme, year and size (small, big, top-up) in whole million VND.

    Without ``supply_2019`` the ceiling for poor households stays where it was before 2019.
    """
    out = np.empty((len(programmes()), len(years), 3), dtype=np.int64)
    for i, programme in enumerate(programmes()):
        product = PRODUCTS[programme.code]
        if product.ceiling_of:
            ceiling = _ceiling_million(product.ceiling_of, years, supply_2019) * product.works
        else:
            ceiling = product.typical_million / _SMALL * prices
        out[i] = np.maximum(np.rint(ceiling[:, None] * [_SMALL, _BIG, _TOP_UP]), 1)
    return out


def _ceiling_million(programme, years, supply_2019):
    steps = law.ceilings(programme)
    if programme == "poor" and not supply_2019:
        steps = [(day, vnd) for day, vnd in steps if day.year != 2019]
    legal = [max((s for s in steps if s[0] <= pd.Timestamp(y, 7, 1)), default=steps[0])[1] for y in years]
    out = np.array(legal) / _MILLION
    for t in range(1, len(out)):
        out[t] = out[t - 1] + _ADJUSTMENT * (out[t] - out[t - 1])
    return out
