"""The history of the communes: lists of the poor, lending, poverty and income, year by year.

The structural equations stand in docs/simulated-province.md; the names here are theirs.
"""

from dataclasses import dataclass

import numpy as np

from evalkit.simulate import law, products
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
_SUPPLY_SPREAD, _SUPPLY_SHOCK, _SUPPLY_PERSISTENCE, _SUPPLY_GROWTH = 0.25, 0.35, 0.6, 0.02
_MIX_SPREAD = 0.5  # log points by which a commune's use of a programme differs
_PACKAGE, _PACKAGE_YEARS = 0.3, (2022, 2023)  # new loans for each job-creation loan open at the end of 2021
_CONCURRENT_START, _CONCURRENT_STEPS, _CONCURRENT_POINTS, _CONCURRENT_CREDIT = 2016, 5, -0.25, 1.4
_CONCURRENT_SHARE = 0.25
_MOST_BORROWERS = 0.8  # share of households with a loan of any programme, at most
_SMALL_SHARE, _TROUBLED, _LATE = 0.6, 0.03, 0.03
_WRITTEN_OFF, _SHOWN_OVERDUE, _SHOWN_FROZEN = 0.15, 0.25, 0.35
_CHURN, _FELL_BACK = 0.15, 0.3
_INCOME_MONTH_VND, _INCOME_GROWTH, _INCOME_SPREAD, _INCOME_SHOCK = 1_200_000, 0.05, 0.15, 0.04
_INCOME_PER_POINT = -0.02  # log income that goes with a point of permanent poverty
_RECOGNISED_FROM, _RECOGNITION_CHANCE, _ADVANCED_AFTER, _ADVANCED_CHANCE = 0.92, 0.2, 4, 0.12


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
    loans: Loans


def draw(parameters, draws, territory):
    """Return the history of a province."""
    return _Simulation(parameters, draws, territory).run()


class _Simulation:
    """One run through the years; each method is one equation."""

    def __init__(self, parameters, draws, territory):
        self.p, self.on, self.draws, self.land = parameters, parameters.difficulties, draws, territory
        self.years = np.arange(parameters.years[0], parameters.years[1] + 1)
        self.prices = law.price_index(tuple(int(y) for y in self.years))
        self.burn_in = products.LONGEST + products.WORKOUT + 1
        n, T = len(territory.unit), len(self.years)
        self.households = np.rint(
            territory.households[:, None] * np.exp(np.outer(territory.growth, np.arange(T)))
        ).astype(np.int64)
        self._fixed_traits(n)
        self._shocks(n, T)
        self._lending_plan(n, T)

    def _fixed_traits(self, n):
        d, land = self.draws, self.land
        rural = _REMOTE * land.remoteness + _SPREAD * d.normal("poverty of the commune", n)
        self.permanent = rural - rural.mean() + np.where(land.urban, _URBAN, 0.0)
        self.bridge = {s: _BRIDGE_SPREAD * d.normal(f"bridge {s}", n) for s in _PATHS}
        self.mix = np.exp(_MIX_SPREAD * d.normal("mix", n, len(products.codes())))
        self.quality = np.exp(0.7 * d.normal("quality of the portfolio", n))
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

    def _lending_plan(self, n, T):
        d, B = self.draws, self.burn_in
        years = np.arange(self.years[0] - B, self.years[-1] + 1)
        P, Y = len(products.codes()), len(years)
        prices = np.concatenate([np.ones(B), self.prices])
        self.amounts = products.amounts_million(years, prices, supply_2019=self.on.supply_2019)
        self.lending_years, self.open = years, products.open_share(years)
        supply = _SUPPLY_SPREAD * d.normal("supply of the commune", n)[:, None]
        supply = supply + _SUPPLY_SHOCK * persistent(d.normal("supply shocks", n, Y), _SUPPLY_PERSISTENCE)
        supply[:, B:] += _SUPPLY_GROWTH * np.arange(T) + 0.15 * self.district
        self.supply = np.exp(supply)
        self.u = {
            k: d.uniform(f"loans {k}", n, P, Y)
            for k in ("all", "small", "top_up", "late", "troubled", "class", "end")
        }
        self.new = {
            k: np.zeros((n, P, Y), dtype=np.int64) for k in ("small", "big", "top_up", "late", "troubled")
        }
        land = self.land
        self.kind = {
            "all": np.ones(n),
            "rural": ~land.urban * 1.0,
            "urban": land.urban * 1.0,
            "difficult": (land.remoteness > 0.3) * 1.0,
            "minority": (land.ethnic_minority_pct > 45) * 1.0,
            "upland": (land.elevation_m > 300) * 1.0,
        }

    def run(self):
        n, T = len(self.land.unit), len(self.years)
        self.poor, self.near_poor, self.flows, self.at_floor = {}, {}, {}, {}
        self.dose, self.income = np.zeros((n, T)), np.zeros((n, T))
        self.nrd, self.recognised = np.zeros((n, T), dtype=np.int64), np.full(n, 10**6)
        thresholds = law.recognition_thresholds_vnd(self.years)
        for y in range(self.burn_in):
            self._lend(y, self._expected_lists(0))
        for t in range(T):
            y = self.burn_in + t
            self.dose[:, t] = self._production_credit(y - 1, t)
            lists = self._lists(t - 1) if t and self.on.list_steers_lending else self._expected_lists(t - 1)
            self._review(t)
            self._earn(t)
            self._recognise(t, thresholds[t])
            self._lend(y, lists, t)
        return History(
            self.years, self.prices, self.households, self.poor, self.near_poor, self.flows, self.at_floor,
            self.dose, self.income, self.nrd, self.concurrent, self._loans(),
        )  # fmt: skip

    # Poverty

    def standards(self, t):
        """Return the standards counted at the end of year t."""
        return (
            law.standards(int(self.years[t]))
            if self.on.standards_break
            else law.standards(int(self.years[0]))[:1]
        )

    def _path(self, standard, year):
        start, level, decline = _PATHS[standard] if self.on.standards_break else _ONE_PATH
        return level * np.exp(-decline * (year - start))

    def _expected_pct(self, standard, year):
        path = self._path(standard, year)
        start = _PATHS[standard][1] if self.on.standards_break else _ONE_PATH[1]
        shrink = path / start if self.on.mean_reversion else 1.0
        bridge = self.bridge[standard] if self.on.standards_break and standard != "2011-2015" else 0.0
        return path + (self.permanent + bridge) * shrink + (0.0 if self.on.floor else _FLOOR_FREE)

    def _review(self, t):
        n, households = len(self.land.unit), self.households[:, t]
        u = self.draws.uniform(f"review {self.years[t]}", n)
        u_near = self.draws.uniform(f"near-poor {self.years[t]}", n)
        common = (
            self.shock[:, t]
            + _DISTRICT_SHOCK * self.district[:, t]
            + _CONCURRENT_POINTS * self.exposure[:, t]
        )
        for s in self.standards(t):
            latent = (
                self._expected_pct(s, self.years[t]) + common + self.p.effect.poverty_pp * self.dose[:, t]
            )
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
        able = ~self.land.urban & (
            self.income[:, t] >= _RECOGNISED_FROM * threshold
        )  # no criterion: never able
        before = self.nrd[:, t - 1] if t else np.zeros(len(u), dtype=np.int64)
        basic = (before == 0) & able & (u < _RECOGNITION_CHANCE)
        self.recognised = np.where(basic, t, self.recognised)
        advanced = (before == 1) & able & (t - self.recognised >= _ADVANCED_AFTER) & (u < _ADVANCED_CHANCE)
        self.nrd[:, t] = before + basic + advanced

    # Lending

    def _lists(self, t):
        """Return the households that the latest lists name, as they stood at the end of year t."""
        s = self.standards(t)[-1]
        recent = [f["escaped"] for (k, _), f in self.flows.items() if t - 3 < k <= t]
        escaped = sum(recent) if recent else np.zeros(len(self.land.unit))
        return {"poor": self.poor[t, s], "near_poor": self.near_poor[t, s], "escaped": escaped}

    def _expected_lists(self, t):
        """Return lists that the lending follows where the commune's own lists don't steer it."""
        year = self.years[max(t, 0)]
        s = self.standards(max(t, 0))[-1]
        households = self.households[:, max(t, 0)]
        steered = self.on.list_steers_lending
        poor = np.clip(self._expected_pct(s, year), 0.5, 90) if steered else self._path(s, year)
        near = self._near_poor_pct(s, year) if steered else self._near_poor_path(s, year)
        return {
            "poor": households * poor / 100,
            "near_poor": households * near / 100,
            "escaped": 0.4 * households * poor / 100,
        }

    def _lend(self, y, lists, t=None):
        households = self.households[:, t or 0]
        wanted = np.stack(
            [self._wanted(p, i, y, lists, households, t) for i, p in enumerate(products.programmes())], axis=1
        )
        room = _MOST_BORROWERS * households - self._open_loans(y)
        scale = np.clip(room / np.maximum(wanted.sum(axis=1), 1e-9), 0, 1)
        n = whole(wanted * scale[:, None], self.u["all"][:, :, y] * (scale[:, None] > 0.5))
        small = np.minimum(whole(_SMALL_SHARE * n, self.u["small"][:, :, y]), n)
        top_up = np.array([products.PRODUCTS[c].top_up for c in products.codes()])
        troubled = np.minimum(
            whole(_TROUBLED * self.quality[:, None] * small, self.u["troubled"][:, :, y]), small
        )
        self.new["small"][:, :, y], self.new["big"][:, :, y] = small, n - small
        self.new["top_up"][:, :, y] = np.minimum(whole(top_up * n, self.u["top_up"][:, :, y]), n) * (
            top_up > 0
        )
        self.new["troubled"][:, :, y] = troubled
        self.new["late"][:, :, y] = np.minimum(
            whole(_LATE * small, self.u["late"][:, :, y]), small - troubled
        )

    def _wanted(self, programme, i, y, lists, households, t):
        product = products.PRODUCTS[programme.code]
        eligible = lists[product.to] if product.to in lists else households * self.kind[product.to]
        wanted = product.rate * eligible * self.mix[:, i] * self.supply[:, y] * self.open[i, y]
        if t is None:
            return wanted
        if programme.code == "difficult_area":
            if self.on.list_steers_lending and t:
                wanted = wanted * (self.nrd[:, t - 1] == 0)
            wanted = wanted * np.where(self.exposure[:, t] > 0, _CONCURRENT_CREDIT, 1.0)
        if programme.code == "jobs" and self.on.supply_2022 and self.years[t] in _PACKAGE_YEARS:
            earlier = self.burn_in + np.searchsorted(self.years, _PACKAGE_YEARS[0])
            wanted = wanted + _PACKAGE * self._open_of(i, earlier)
        return wanted

    def _open_of(self, i, y):
        """Return the loans of programme i open at the start of lending year y, top-ups left out."""
        term = len(products.PRODUCTS[products.codes()[i]].remaining)
        span = slice(max(y - term + 1, 0), y)
        loans = self.new["small"][:, i, span].sum(axis=1) + self.new["big"][:, i, span].sum(axis=1)
        worked_out = slice(max(y - term - products.WORKOUT + 1, 0), max(y - term + 1, 0))
        return loans + self.new["troubled"][:, i, worked_out].sum(axis=1)

    def _open_loans(self, y):
        return sum(self._open_of(i, y) for i in range(len(products.codes())))

    def _production_credit(self, y, t):
        """Return real production credit per household at the end of lending year y, million VND of year 0."""
        total = np.zeros(len(self.land.unit))
        for i in np.flatnonzero(products.is_production()):
            total += (
                _stock_tenths(self.new, self.amounts, i, y, products.PRODUCTS[products.codes()[i]].remaining)
                / 10
            )
        before = max(t - 1, 0)
        return total / self.households[:, before] / self.prices[before]

    def _loans(self):
        troubled, u = self.new["troubled"], self.u["class"]
        shown = _SHOWN_OVERDUE if self.on.hidden_overdue else 1.0
        overdue = np.minimum(whole(shown * troubled, u * self.on.hidden_overdue), troubled)
        frozen = np.minimum(
            whole(_SHOWN_FROZEN * troubled, 1 - u) * self.on.hidden_overdue, troubled - overdue
        )
        written_off = np.minimum(whole(_WRITTEN_OFF * troubled, self.u["end"]), troubled)
        return Loans(
            self.lending_years, self.amounts, self.new["small"], self.new["big"], self.new["top_up"],
            self.new["late"], troubled, overdue, frozen, written_off,
        )  # fmt: skip


def _stock_tenths(new, amounts, i, y, remaining):
    """Return what is owed on programme i at the end of year y, in tenths of a million VND."""
    term, total = len(remaining), 0
    for age, tenths in enumerate(remaining):
        lent = (
            sum(
                new[k][:, i, y - age] * amounts[i, y - age, j]
                for j, k in enumerate(("small", "big", "top_up"))
            )
            if y >= age
            else 0
        )
        total = total + lent * tenths
    if y >= 1:
        total = total + new["late"][:, i, y - 1] * amounts[i, y - 1, 0] * (remaining[0] - remaining[1])
    for age in range(term, term + products.WORKOUT):
        if y >= age:
            total = total + new["troubled"][:, i, y - age] * amounts[i, y - age, 0] * remaining[-1]
    return total
