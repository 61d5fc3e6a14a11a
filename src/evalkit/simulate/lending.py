"""The bank's lending: how many loans of which size each programme makes, and what becomes of them."""

from dataclasses import dataclass

import numpy as np

from evalkit.simulate import products
from evalkit.simulate.draws import persistent, whole

BURN_IN = (
    products.LONGEST + products.WORKOUT + 1
)  # years of lending before the data, whose loans are still owed
_SUPPLY_SPREAD, _SUPPLY_SHOCK, _SUPPLY_PERSISTENCE, _SUPPLY_GROWTH = 0.25, 0.35, 0.6, 0.02
_SUPPLY_DISTRICT = 0.15  # log points of supply that go with a district's shock
_MIX_SPREAD = 0.5  # log points by which a commune's use of a programme differs
_PACKAGE, _PACKAGE_YEARS = 0.3, (2022, 2023)  # new job loans a year for each that was open before the package
_CONCURRENT_CREDIT = 1.4  # times the lending for difficult areas where the concurrent programme works
_MOST_BORROWERS = 0.8  # share of households with a loan, at most
_SMALL_SHARE, _TROUBLED, _LATE, _QUALITY_SPREAD = 0.6, 0.03, 0.03, 0.7
_WRITTEN_OFF, _SHOWN_OVERDUE, _SHOWN_FROZEN = 0.15, 0.25, 0.35
_DIFFICULT, _MINORITY_PCT, _UPLAND_M = 0.3, 45, 300  # who lives in a difficult, minority or upland commune


@dataclass(frozen=True)
class Loans:
    """New loans by part, programme and year (from ``years[0]``, long before the data begin).

    small, big, top_up: numbers of loans by size; of the small ones ``late`` miss the first instalment for
    a year and ``troubled`` the last for three, of which ``overdue`` and ``frozen`` show as such, the rest
    as extended, and ``written_off`` end so. amounts_million: by programme, year and size.
    """

    years: np.ndarray
    amounts_million: np.ndarray
    small: np.ndarray
    big: np.ndarray
    top_up: np.ndarray
    late: np.ndarray
    troubled: np.ndarray
    overdue: np.ndarray
    frozen: np.ndarray
    written_off: np.ndarray


class Lending:
    """The lending of all parts, a year at a time; y counts years from the first of the burn-in."""

    def __init__(self, parameters, draws, territory, prices, district):
        self._on = parameters.difficulties
        first, last = parameters.years
        self.years = np.arange(first - BURN_IN, last + 1)
        self._codes = products.codes()
        self._terms = np.array([len(products.PRODUCTS[c].remaining) for c in self._codes])
        n, P, Y = len(territory.unit), len(self._codes), len(self.years)
        level = np.concatenate([np.ones(BURN_IN), prices])
        self._amounts = products.amounts_million(self.years, level, supply_2019=self._on.supply_2019)
        self._open_share = products.open_share(self.years)
        supply = _SUPPLY_SPREAD * draws.normal("supply of the commune", n)[:, None]
        supply = supply + _SUPPLY_SHOCK * persistent(draws.normal("supply shocks", n, Y), _SUPPLY_PERSISTENCE)
        supply[:, BURN_IN:] += _SUPPLY_GROWTH * np.arange(len(prices)) + _SUPPLY_DISTRICT * district
        self._supply = np.exp(supply)
        self._mix = np.exp(_MIX_SPREAD * draws.normal("mix", n, P))
        self._quality = np.exp(_QUALITY_SPREAD * draws.normal("quality of the portfolio", n))[:, None]
        names = ("all", "small", "top_up", "late", "troubled", "class", "end")
        self._u = {name: draws.uniform(f"loans {name}", n, P, Y) for name in names}
        self._new = {
            name: np.zeros((n, P, Y), np.int64) for name in ("small", "big", "top_up", "late", "troubled")
        }
        self._kind = {
            "all": np.ones(n),
            "rural": ~territory.urban * 1.0,
            "urban": territory.urban * 1.0,
            "difficult": (territory.remoteness > _DIFFICULT) * 1.0,
            "minority": (territory.ethnic_minority_pct > _MINORITY_PCT) * 1.0,
            "upland": (territory.elevation_m > _UPLAND_M) * 1.0,
        }

    def lend(self, y, lists, households, recognised, exposed):
        """Make the loans of year y.

        lists: households poor, near_poor and escaped that the lending follows. recognised: communes
        recognised as New Rural before. exposed: communes in which the concurrent programme works.
        """
        eligible = lists | {kind: households * share for kind, share in self._kind.items()}
        rate = np.stack(
            [products.PRODUCTS[c].rate * eligible[products.PRODUCTS[c].to] for c in self._codes], axis=1
        )
        wanted = rate * self._mix * self._supply[:, y, None] * self._open_share[:, y]
        difficult, jobs = self._codes.index("difficult_area"), self._codes.index("jobs")
        if self._on.list_steers_lending:
            wanted[:, difficult] *= ~recognised
        wanted[:, difficult] *= np.where(exposed, _CONCURRENT_CREDIT, 1.0)
        if self._on.supply_2022 and self.years[y] in _PACKAGE_YEARS:
            wanted[:, jobs] += _PACKAGE * self._staying(jobs, y - _PACKAGE_YEARS.index(self.years[y]))
        self._make(y, wanted, households)

    def _make(self, y, wanted, households):
        staying = sum(self._staying(i, y) for i in range(len(self._codes)))
        room = _MOST_BORROWERS * households - staying
        scale = np.clip(room / np.maximum(wanted.sum(axis=1), 1e-9), 0, 1)[:, None]
        u = {name: values[:, :, y] for name, values in self._u.items()}
        n = whole(wanted * scale, u["all"] * (scale == 1))  # rounded down where there is no room for all
        small = np.minimum(whole(_SMALL_SHARE * n, u["small"]), n)
        top_up = np.array([products.PRODUCTS[c].top_up for c in self._codes])
        troubled = np.minimum(whole(_TROUBLED * self._quality * small, u["troubled"]), small)
        made = {"small": small, "big": n - small, "troubled": troubled}
        made["top_up"] = np.minimum(whole(top_up * n, u["top_up"]), n)
        made["late"] = np.minimum(whole(_LATE * small, u["late"]), small - troubled)
        for name, number in made.items():
            self._new[name][:, :, y] = number

    def _staying(self, i, y):
        """Return the loans of programme i made before year y that are still open at its end (no top-ups)."""
        term = self._terms[i]
        young = slice(max(y - term + 1, 0), y)
        loans = self._new["small"][:, i, young].sum(axis=1) + self._new["big"][:, i, young].sum(axis=1)
        worked_out = slice(max(y - term - products.WORKOUT + 1, 0), max(y - term + 1, 0))
        return loans + self._new["troubled"][:, i, worked_out].sum(axis=1)

    def production_million(self, y):
        """Return the production credit outstanding at the end of year y, in million VND by part."""
        total = np.zeros(len(self._quality))
        for i in np.flatnonzero(products.is_production()):
            total += owed_tenths(*(self._new[k][:, i] for k in self._new), self._amounts[i], i, y) / 10
        return total

    def loans(self):
        """Return all loans, with the debts that weren't repaid shown as the difficulties say."""
        troubled, hidden = self._new["troubled"], self._on.hidden_overdue
        u = self._u["class"]
        overdue = np.minimum(whole(_SHOWN_OVERDUE * troubled, u), troubled) if hidden else troubled
        frozen = np.minimum(whole(_SHOWN_FROZEN * troubled, 1 - u), troubled - overdue)
        written_off = np.minimum(whole(_WRITTEN_OFF * troubled, self._u["end"]), troubled)
        return Loans(
            years=self.years,
            amounts_million=self._amounts,
            **self._new,
            overdue=overdue,
            frozen=frozen,
            written_off=written_off,
        )


def owed_tenths(small, big, top_up, late, troubled, amounts, i, y):
    """Return what is owed on the loans of programme i at the end of year y, in tenths of a million VND.

    Numbers of loans by part and year; amounts by year and size.
    """
    remaining = products.PRODUCTS[products.codes()[i]].remaining
    ages = np.arange(len(remaining))
    made = y - ages
    weights = amounts[made] * np.array(remaining)[:, None]
    total = small[:, made] @ weights[:, 0] + big[:, made] @ weights[:, 1] + top_up[:, made] @ weights[:, 2]
    total = total + late[:, y - 1] * amounts[y - 1, 0] * (remaining[0] - remaining[1])
    for age in range(len(remaining), len(remaining) + products.WORKOUT):
        total = total + troubled[:, y - age] * amounts[y - age, 0] * remaining[-1]
    return total
