"""The history of the communes: lists of the poor, lending, poverty and income, year by year.

The structural equations stand in docs/simulated-province.md; the names here are theirs.
"""

from dataclasses import dataclass

import numpy as np

from evalkit.errors import ParameterError
from evalkit.simulate import law, lending
from evalkit.simulate.draws import headcount, persistent, whole

# Common path of the share of poor households in per cent: (year, level, yearly rate of decline).
_PATHS = {"2011-2015": (2012, 15.0, 0.175), "2016-2020": (2015, 16.0, 0.14), "2022-2025": (2021, 9.5, 0.16)}
_ONE_PATH = (2012, 15.0, 0.09)
_NEAR_POOR = {"2011-2015": 7.5, "2016-2020": 8.0, "2022-2025": 6.5}
_NEAR_POOR_DECLINE = 0.04
_FLOOR_FREE = 25.0  # points added where the floor is switched off
_SPREAD, _URBAN, _REMOTE = 3.0, -3.0, 2.5  # points: commune, ward or township, one unit of remoteness
_BRIDGE_SPREAD = 1.8  # points by which bridges differ between communes
_SHOCK, _PERSISTENCE = 0.8, 0.5  # points; memory of shocks where the mean reverts
_DISTRICT_SHOCK, _DISTRICT_PERSISTENCE = 0.8, 0.6
_CONCURRENT_START, _CONCURRENT_STEPS, _CONCURRENT_POINTS = 2016, 5, -0.25
_CONCURRENT_SHARE = 0.25
_CHURN, _FELL_BACK, _ESCAPED_RECENTLY = 0.15, 0.3, 0.4
_INCOME_MONTH_VND, _INCOME_GROWTH, _INCOME_SPREAD, _INCOME_SHOCK = 1_200_000, 0.05, 0.15, 0.04
_INCOME_PER_POINT = -0.02  # log income that goes with a point of permanent poverty
_RECOGNISED_FROM, _RECOGNITION_CHANCE, _ADVANCED_AFTER, _ADVANCED_CHANCE = 0.92, 0.2, 4, 0.12


@dataclass(frozen=True)
class History:
    """What happened, by part and year of the data.

    poor, near_poor: counts by (year, standard); flows: escaped, fell_back, newly_poor by (year, standard)
    where the former year was counted on the same standard. dose: real production credit per household in
    million VND of the first year at the end of the *former* year. at_floor: parts whose rate would lie
    below zero, by (year, standard). income_year_vnd: true income per person in current prices.
    nrd_status: 0 none, 1 basic, 2 advanced.
    """

    years: np.ndarray
    prices: np.ndarray
    households: np.ndarray
    poor: dict
    near_poor: dict
    flows: dict
    at_floor: dict
    dose: np.ndarray
    income_year_vnd: np.ndarray
    nrd_status: np.ndarray
    concurrent: np.ndarray
    loans: lending.Loans


def draw(parameters, draws, territory):
    """Return the history of a province."""
    return _Simulation(parameters, draws, territory).run()


class _Simulation:
    """One run through the years; each method is one equation."""

    def __init__(self, parameters, draws, territory):
        self.p, self.on, self.draws, self.land = parameters, parameters.difficulties, draws, territory
        self.years = np.arange(parameters.years[0], parameters.years[1] + 1)
        self._refuse_unknown_standards()
        self.prices = law.price_index(tuple(int(y) for y in self.years))
        n, T = len(territory.unit), len(self.years)
        self.households = np.rint(
            territory.households[:, None] * np.exp(np.outer(territory.growth, np.arange(T)))
        ).astype(np.int64)
        self._fixed_traits(n)
        self._shocks(n, T)
        self.bank = lending.Lending(parameters, draws, territory, self.prices, self.district)

    def _refuse_unknown_standards(self):
        unknown = {s for y in self.years for s in law.standards(int(y))} - set(_PATHS)
        if unknown:
            raise ParameterError(
                f"simulate: years {self.years[0]} to {self.years[-1]} need {', '.join(sorted(unknown))}, "
                f"which isn't simulated. Choose years of {', '.join(_PATHS)}."
            )

    def _fixed_traits(self, n):
        d, land = self.draws, self.land
        rural = _REMOTE * land.remoteness + _SPREAD * d.normal("poverty of the commune", n)
        self.permanent = rural - rural.mean() + np.where(land.urban, _URBAN, 0.0)
        self.bridge = {s: _BRIDGE_SPREAD * d.normal(f"bridge {s}", n) for s in _PATHS}
        spread = _INCOME_SPREAD * d.normal("income of the commune", n)
        self.log_income = np.log(_INCOME_MONTH_VND) + _INCOME_PER_POINT * self.permanent + spread
        need = land.remoteness + 0.7 * d.normal("need of the concurrent programme", n)
        chosen = (need > np.quantile(need, 1 - _CONCURRENT_SHARE)) & ~land.urban
        self.concurrent = chosen & self.on.concurrent_programmes

    def _shocks(self, n, T):
        d = self.draws
        memory = _PERSISTENCE if self.on.mean_reversion else 0.0
        self.shock = _SHOCK * persistent(d.normal("poverty shocks", n, T), memory)
        self.income_shock = _INCOME_SHOCK * persistent(d.normal("income shocks", n, T), memory)
        district = persistent(d.normal("district shocks", self.p.districts, T), _DISTRICT_PERSISTENCE)
        self.district = (district if self.on.district_shocks else np.zeros_like(district))[self.land.district]
        steps = np.clip(self.years - _CONCURRENT_START + 1, 0, _CONCURRENT_STEPS)
        self.exposure = np.outer(self.concurrent, steps)

    def run(self):
        n, T = len(self.land.unit), len(self.years)
        self.poor, self.near_poor, self.flows, self.at_floor = {}, {}, {}, {}
        self.dose, self.income = np.zeros((n, T)), np.zeros((n, T))
        self.nrd, self.recognised = np.zeros((n, T), dtype=np.int64), np.full(n, 10**6)
        thresholds = law.recognition_thresholds_vnd(self.years)
        nobody = np.zeros(n, dtype=bool)
        for y in range(lending.BURN_IN):
            self.bank.lend(y, self._expected_lists(0), self.households[:, 0], nobody, nobody)
        for t in range(T):
            y, before = lending.BURN_IN + t, max(t - 1, 0)
            real = self.bank.production_million(y - 1) / self.prices[before]
            self.dose[:, t] = real / self.households[:, before]
            self._review(t)
            self._earn(t)
            self._recognise(t, thresholds[t])
            lists = self._lists(t - 1) if t and self.on.list_steers_lending else self._expected_lists(before)
            recognised = self.nrd[:, t - 1] > 0 if t else nobody
            self.bank.lend(y, lists, self.households[:, t], recognised, self.exposure[:, t] > 0)
        return History(
            self.years, self.prices, self.households, self.poor, self.near_poor, self.flows, self.at_floor,
            self.dose, self.income, self.nrd, self.concurrent, self.bank.loans(),
        )  # fmt: skip

    # Poverty

    def standards(self, t):
        """Return the standards counted at the end of year t."""
        if self.on.standards_break:
            return law.standards(int(self.years[t]))
        return law.standards(int(self.years[0]))[:1]

    def _path(self, standard, year):
        start, level, decline = _PATHS[standard] if self.on.standards_break else _ONE_PATH
        return level * np.exp(-decline * (year - start))

    def _expected_pct(self, standard, year):
        path = self._path(standard, year)
        start = _PATHS[standard][1] if self.on.standards_break else _ONE_PATH[1]
        shrink = path / start if self.on.mean_reversion else 1.0
        bridge = self.bridge[standard] if self.on.standards_break and standard != "2011-2015" else 0.0
        return path + (self.permanent + bridge) * shrink + self._raised()

    def _raised(self):
        return 0.0 if self.on.floor else _FLOOR_FREE

    def _review(self, t):
        n, households = len(self.land.unit), self.households[:, t]
        u = self.draws.uniform(f"review {self.years[t]}", n)
        u_near = self.draws.uniform(f"near-poor {self.years[t]}", n)
        moved = self.shock[:, t] + _DISTRICT_SHOCK * self.district[:, t]
        moved = moved + _CONCURRENT_POINTS * self.exposure[:, t] + self.p.effect.poverty_pp * self.dose[:, t]
        for s in self.standards(t):
            latent = self._expected_pct(s, self.years[t]) + moved
            self.at_floor[t, s] = latent <= 0
            self.poor[t, s] = headcount(u, households, latent / 100)
            near = headcount(u_near, households, self._near_poor_pct(s, self.years[t]) / 100)
            self.near_poor[t, s] = np.minimum(near, households - self.poor[t, s])
            if (t - 1, s) in self.poor:
                self.flows[t, s] = self._flows(t, s)

    def _near_poor_path(self, standard, year):
        return _NEAR_POOR[standard] * np.exp(-_NEAR_POOR_DECLINE * (year - _PATHS[standard][0]))

    def _near_poor_pct(self, standard, year):
        return np.clip(self._near_poor_path(standard, year) + 0.2 * self.permanent, 1.0, 20.0)

    def _flows(self, t, s):
        before, after = self.poor[t - 1, s], self.poor[t, s]
        u = self.draws.uniform(f"flows {self.years[t]}", 2, len(before))
        churn = whole(_CHURN * np.minimum(before, after), u[0])
        churn = np.minimum(churn, np.minimum(before, after))
        joined = churn + np.maximum(after - before, 0)
        fell_back = np.minimum(whole(_FELL_BACK * joined, u[1]), joined)
        return {"escaped": before + joined - after, "fell_back": fell_back, "newly_poor": joined - fell_back}

    # Income

    def _earn(self, t):
        real = self.log_income + _INCOME_GROWTH * t + self.income_shock[:, t] - 0.01 * self.district[:, t]
        real = real + self.p.effect.log_income * self.dose[:, t]
        self.income[:, t] = 12 * np.exp(real) * self.prices[t]

    def _recognise(self, t, threshold):
        u = self.draws.uniform(f"recognition {self.years[t]}", len(self.land.unit))
        able = ~self.land.urban & (self.income[:, t] >= _RECOGNISED_FROM * threshold)  # NaN: no criterion yet
        before = self.nrd[:, t - 1] if t else np.zeros(len(u), dtype=np.int64)
        basic = (before == 0) & able & (u < _RECOGNITION_CHANCE)
        self.recognised = np.where(basic, t, self.recognised)
        advanced = (before == 1) & able & (t - self.recognised >= _ADVANCED_AFTER) & (u < _ADVANCED_CHANCE)
        self.nrd[:, t] = before + basic + advanced

    # The lists that lending follows

    def _lists(self, t):
        """Return the households that the latest lists name, as they stood at the end of year t."""
        s = self.standards(t)[-1]
        recent = [flow["escaped"] for (k, _), flow in self.flows.items() if t - 3 < k <= t]
        escaped = sum(recent) if recent else np.zeros(len(self.land.unit))
        poor = np.maximum(self.poor[t, s] - self._raised() / 100 * self.households[:, t], 0)
        return {"poor": poor, "near_poor": self.near_poor[t, s], "escaped": escaped}

    def _expected_lists(self, t):
        """Return the lists that lending follows before there are any, or where they don't steer it."""
        year, s, households = self.years[t], self.standards(t)[-1], self.households[:, t]
        if self.on.list_steers_lending:
            poor = np.clip(self._expected_pct(s, year) - self._raised(), 0.5, 90)
            near = self._near_poor_pct(s, year)
        else:
            poor, near = self._path(s, year), self._near_poor_path(s, year)
        lists = {"poor": poor, "near_poor": near, "escaped": _ESCAPED_RECENTLY * poor}
        return {name: households * share / 100 for name, share in lists.items()}
