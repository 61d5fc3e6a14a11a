"""Districts, communes and the mergers of 2020."""

from dataclasses import dataclass

import numpy as np
import pandas as pd

from evalkit.errors import ParameterError
from evalkit.simulate import names

FIRST_DAY = pd.Timestamp("1997-01-01")  # from which the communes of the simulation exist
MERGER = pd.Timestamp("2020-01-01")
# Shares of today's communes that were two or three: 277 became 225 in Phú Thọ.
_PAIRS, _TRIPLES = 0.178, 0.027
_RENAMED = 0.5  # share of merged communes that keep a code but not its name
_CODE_STEP = 3  # the statistical office leaves gaps between codes


@dataclass(frozen=True)
class Territory:
    """The communes as they were before 2020 ("parts", arrays of length n) and as they are today ("units").

    unit: index of today's unit of each part. unit_part: the part whose code the unit carries. code and
    name of the parts; unit_code and unit_name of the units. remoteness: standardised, 0 on average.
    households: at the start. Persons per household: ``household_size``.
    """

    province: np.ndarray
    district: np.ndarray
    unit: np.ndarray
    unit_part: np.ndarray
    code: np.ndarray
    name: np.ndarray
    unit_code: np.ndarray
    unit_name: np.ndarray
    type: np.ndarray
    urban: np.ndarray
    remoteness: np.ndarray
    elevation_m: np.ndarray
    distance_km: np.ndarray
    ethnic_minority_pct: np.ndarray
    households: np.ndarray
    growth: np.ndarray
    household_size: np.ndarray
    district_code: np.ndarray
    district_name: np.ndarray
    district_type: np.ndarray
    province_code: np.ndarray
    province_name: np.ndarray

    @property
    def merged(self):
        """Whether each unit was formed from several parts."""
        return np.bincount(self.unit) > 1


def draw(parameters, draws):
    """Return the territory of a province."""
    units, districts = parameters.communes, parameters.districts
    g = draws.generator("places")
    unit_district = np.sort(
        np.concatenate([np.arange(districts), g.integers(0, districts, units - districts)])
    )
    parts_of = np.ones(units, dtype=int)
    shuffled = g.permutation(units)
    triples, pairs = round(_TRIPLES * units), round(_PAIRS * units)
    parts_of[shuffled[:triples]] = 3
    parts_of[shuffled[triples : triples + pairs]] = 2
    unit = np.repeat(np.arange(units), parts_of)
    n = len(unit)
    district = unit_district[unit]
    small = parts_of[unit] > 1
    remoteness = 0.7 * g.standard_normal(districts)[district] + 0.7 * g.standard_normal(n)
    households = np.clip(np.exp(g.normal(np.where(small, 6.5, 7.0), 0.3)), 250, 5000).round().astype(int)
    kinds = _kinds(unit_district, g)[unit]
    code = _codes(parameters.provinces, n)
    name = names.communes(g, district)
    first = np.searchsorted(unit, np.arange(units))
    renamed = (parts_of > 1) & (g.random(units) < _RENAMED)
    new_names = names.communes(g, np.concatenate([district, unit_district]))[n:]
    taken = set(zip(district, name, strict=True))
    renamed &= np.array([(d, x) not in taken for d, x in zip(unit_district, new_names, strict=True)])
    names_of_units = np.where(renamed, new_names, name[first])
    province = (np.arange(districts) * parameters.provinces) // districts
    own = names.provinces(parameters.provinces)
    single = parameters.provinces == 1
    return Territory(
        province=province[district],
        district=district,
        unit=unit,
        unit_part=first,
        code=code,
        name=name,
        unit_code=code[first],
        unit_name=names_of_units,
        type=kinds,
        urban=kinds != "xã",
        remoteness=np.where(kinds == "xã", remoteness, remoteness - 1.5),
        elevation_m=np.clip(np.exp(5 + 0.9 * remoteness), 5, 1600).round(),
        distance_km=np.clip(np.exp(2.3 + 0.5 * remoteness + 0.2 * g.standard_normal(n)), 0.5, 90).round(1),
        ethnic_minority_pct=(100 / (1 + np.exp(1 - 1.6 * remoteness))).round(1),
        households=households,
        growth=g.normal(0.009, 0.004, n),
        household_size=g.normal(3.7, 0.2, n),
        district_code=np.array([f"{(900 if single else 0) + i + 1:03d}" for i in range(districts)]),
        district_name=np.array(names.districts(districts)),
        district_type=np.array(["thành phố", "thị xã"][:districts] + ["huyện"] * (districts - 2))[:districts],
        province_code=np.array(["99"] if single else [f"{i + 1:02d}" for i in range(parameters.provinces)])[
            province
        ],
        province_name=np.array(own)[province],
    )


def _kinds(unit_district, g):
    """Wards in the city and the town, a township as seat of each rural district, communes elsewhere."""
    kinds = np.full(len(unit_district), "xã", dtype=object)
    urban = np.where(unit_district == 0, 0.6, np.where(unit_district == 1, 0.4, 0.0))
    kinds[g.random(len(kinds)) < urban] = "phường"
    seats = np.unique(unit_district, return_index=True)[1]
    kinds[seats[2:]] = "thị trấn"
    return kinds


def _codes(provinces, n):
    base, room = (99000, 999) if provinces == 1 else (0, 98999)
    step = _CODE_STEP if n * _CODE_STEP <= room else 1
    if n * step > room:
        raise ParameterError(
            f"simulate: {n} communes before the mergers, but there are codes for {room} only."
        )
    return np.array([f"{base + step * (i + 1):05d}" for i in range(n)])


def table(territory, draws, *, mergers):
    """Return the table of communes: one row a unit and span of validity."""
    g = draws.generator("spelling")
    today = _today(territory, draws, merged_from=MERGER if mergers else FIRST_DAY)
    if not mergers:
        return today
    gone = np.flatnonzero(territory.merged[territory.unit])
    own = territory.unit[gone]
    before = _rows(territory, gone, territory.code, names.spelled(g, territory.name[gone]))
    before = before.assign(
        valid_from=FIRST_DAY,
        valid_to=MERGER - pd.Timedelta(days=1),
        successor_code=territory.unit_code[own],
        successor_name=names.spelled(g, territory.unit_name[own]),
    )
    rows = pd.concat([before, today], ignore_index=True)
    return rows.sort_values(["code", "valid_from"], ignore_index=True)


def _today(territory, draws, *, merged_from):
    names_now = names.spelled(draws.generator("spelling of today"), territory.unit_name)
    out = _rows(territory, territory.unit_part, territory.code, names_now)
    weights = territory.households
    total = np.bincount(territory.unit, weights)
    for column in ("elevation_m", "distance_km", "ethnic_minority_pct"):
        mean = np.bincount(territory.unit, weights * getattr(territory, column)) / total
        out[column] = mean.round(0 if column == "elevation_m" else 1)
    out["valid_from"] = np.where(territory.merged, merged_from, FIRST_DAY)
    out["valid_from"] = pd.to_datetime(out["valid_from"])
    return out.assign(valid_to=pd.NaT, successor_code=None, successor_name=None)


def _rows(territory, parts, code, name):
    district = territory.district[parts]
    return pd.DataFrame(
        {
            "code": code[parts],
            "name": name,
            "type": territory.type[parts],
            "area": np.where(territory.urban[parts], "urban", "rural"),
            "district_code": territory.district_code[district],
            "district": territory.district_name[district],
            "province_code": territory.province_code[district],
            "province": territory.province_name[district],
            "valid_from": FIRST_DAY,
            "valid_to": pd.NaT,
            "successor_code": None,
            "successor_name": None,
            "elevation_m": territory.elevation_m[parts],
            "distance_km": territory.distance_km[parts],
            "ethnic_minority_pct": territory.ethnic_minority_pct[parts],
        }
    )


@dataclass(frozen=True)
class Boundaries:
    """How yearly figures of the parts are delivered: by part before the mergers, by unit after.

    ``rows`` numbers the delivered commune-years (parts × years), in the order of code and year; ``codes``
    and ``years`` name them; ``part`` and ``t`` are the part whose code each bears and the year's index.
    """

    rows: np.ndarray
    codes: np.ndarray
    years: np.ndarray
    part: np.ndarray
    t: np.ndarray

    @classmethod
    def of(cls, territory, years, *, mergers):
        """Return the boundaries on which the figures of these years are delivered."""
        n, T = len(territory.unit), len(years)
        apart = years < MERGER.year if mergers else np.zeros(T, dtype=bool)
        bearer = np.where(apart, np.arange(n)[:, None], territory.unit_part[territory.unit][:, None])
        found, rows = np.unique(bearer * T + np.arange(T), return_inverse=True)
        part, t = np.divmod(found, T)
        return cls(rows.reshape(n, T), territory.code[part], years[t], part, t)

    def sum(self, values):
        """Return the sum of an array (parts × years) by delivered commune-year."""
        return np.bincount(self.rows.ravel(), values.ravel().astype(float))

    def count(self, values):
        """Return the sum of whole numbers, exactly."""
        out = np.zeros(len(self.codes), dtype=np.int64)
        np.add.at(out, self.rows.ravel(), values.ravel())
        return out

    def least(self, values):
        """Return the smallest value by delivered commune-year."""
        out = np.full(len(self.codes), np.iinfo(np.int64).max)
        np.minimum.at(out, self.rows.ravel(), values.ravel())
        return out
