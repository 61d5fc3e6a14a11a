"""A survey of households: poverty, inequality, income and who borrows, by province and district and year.

Communes are too small for a sample. Standard errors and intervals are those of the design (strata, clusters,
weights). An area with fewer than ``minimum_clusters`` sampling units, or with a stratum of a single one, gets
no estimate: its interval would say nothing.
"""

from dataclasses import dataclass

import numpy as np
import pandas as pd

from evalkit.load import reference
from evalkit.metrics import income, inequality, poverty, rollup, survey
from evalkit.metrics.tabulate import ALL_COLUMNS

_FOSTER = "Foster, Greer and Thorbecke (1984), Econometrica 52, 761-766"


@dataclass(frozen=True)
class Measure:
    """An indicator estimated from households.

    of: function of (frame, design) that returns one row per area and year. persons: weighted by household
    members, so that it speaks of persons. positive: needs incomes above 0; an area and year with others
    has none. basis: "standard" (that in force at the year's end), "current" (prices) or None. rounded: to
    three significant digits, where the figure and its bounds would otherwise be single households' own.
    """

    name: str
    unit: str
    meaning: str
    formula: str
    of: object
    scale: float = 1.0
    persons: bool = True
    positive: bool = False
    rounded: bool = False
    basis: str | None = None
    source: str = ""
    interval: str = "t, by the sample's design"


def _fgt(alpha):
    return lambda f, design: poverty.fgt(f["income"], f["line"], alpha=alpha, inclusive=True, **design)


def _share(event, among=None):
    def of(frame, design):
        known = frame[event] if among is None else frame[event].where(frame[among] == 1)
        return survey.proportion(known, **design)

    return of


_WILSON = "Wilson score on the effective sample size of the design"
MEASURES = (
    Measure(
        "income_below_line_pct",
        "percent",
        "Persons whose income is at or below the income line of the standard in force, by area. Income "
        "alone: not the rate of poor households, which from 2016 also counts deprivations.",
        "100 × FGT(0)",
        _fgt(0),
        100,
        basis="standard",
        source=_FOSTER,
        interval=_WILSON,
    ),
    Measure(
        "poverty_gap_pct",
        "percent",
        "Mean shortfall of income from the line, in per cent of the line, over all persons.",
        "100 × FGT(1)",
        _fgt(1),
        100,
        basis="standard",
        source=_FOSTER,
    ),
    Measure(
        "poverty_severity_pct",
        "percent",
        "Mean squared shortfall, which weighs the poorest most.",
        "100 × FGT(2)",
        _fgt(2),
        100,
        basis="standard",
        source=_FOSTER,
    ),
    Measure(
        "poverty_watts_index",
        "index",
        "Mean log of line over income among all persons (0 above the line).",
        "Watts index",
        lambda f, design: poverty.watts(f["income"], f["line"], inclusive=True, **design),
        positive=True,
        basis="standard",
        source="Zheng (1993), Economics Letters 42",
    ),
    Measure(
        "poverty_sen_index",
        "index",
        "Headcount, gap and inequality among the poor in one number.",
        "Sen index",
        lambda f, design: poverty.sen(f["income"], f["line"], inclusive=True, **design),
        basis="standard",
        positive=True,
        source="Sen (1976), Econometrica 44, 219-231",
    ),
    Measure(
        "poverty_rate_pct",
        "percent",
        "Poor households among all, as the survey classified them.",
        "100 × poor / households",
        _share("poor"),
        100,
        persons=False,
        basis="standard",
        interval=_WILSON,
    ),
    Measure(
        "near_poor_rate_pct",
        "percent",
        "Near-poor households among all, as the survey classified them.",
        "100 × near-poor / households",
        _share("near_poor"),
        100,
        persons=False,
        basis="standard",
        interval=_WILSON,
    ),
    Measure(
        "income_month_vnd",
        "VND/person/month",
        "Mean income per person per month in the money of the year.",
        "weighted mean",
        lambda f, design: income.mean(f["income"], **design),
        basis="current",
    ),
    Measure(
        "income_median_month_vnd",
        "VND/person/month",
        "Median income per person per month in the money of the year.",
        "weighted median, to three significant digits",
        lambda f, design: income.median(f["income"], **design),
        rounded=True,
        basis="current",
    ),
    Measure(
        "gini_index",
        "index",
        "Gini coefficient of income per person: 0 all alike, 1 all with one.",
        "Gini",
        lambda f, design: inequality.gini(f["income"], **design),
        positive=True,
    ),
    Measure(
        "theil_index",
        "index",
        "Theil's T of income per person.",
        "Theil T",
        lambda f, design: inequality.theil(f["income"], **design),
        positive=True,
    ),
    Measure(
        "mean_log_deviation",
        "index",
        "Mean log deviation (Theil's L) of income per person.",
        "ln(mean) − mean(ln)",
        lambda f, design: inequality.mean_log_deviation(f["income"], **design),
        positive=True,
    ),
    Measure(
        "atkinson_index",
        "index",
        "Atkinson's index of income per person, inequality aversion 0.5.",
        "Atkinson, ε = 0.5",
        lambda f, design: inequality.atkinson(f["income"], epsilon=0.5, **design),
        positive=True,
    ),
    Measure(
        "income_quintile_ratio",
        "ratio",
        "Income of the richest fifth of persons over that of the poorest.",
        "S80 / S20",
        lambda f, design: inequality.quintile_ratio(f["income"], **design),
        positive=True,
    ),
    Measure(
        "borrowing_households_pct",
        "percent",
        "Households that borrowed among all.",
        "100 × borrowed / households",
        _share("borrowed"),
        100,
        persons=False,
        interval=_WILSON,
    ),
    Measure(
        "borrowing_among_poor_pct",
        "percent",
        "Households that borrowed among the poor: whom credit reaches.",
        "100 × borrowed and poor / poor",
        _share("borrowed", among="poor"),
        100,
        persons=False,
        basis="standard",
        interval=_WILSON,
    ),
    Measure(
        "poor_among_borrowers_pct",
        "percent",
        "Poor households among those that borrowed: to whom credit goes.",
        "100 × borrowed and poor / borrowed",
        _share("poor", among="borrowed"),
        100,
        persons=False,
        basis="standard",
        interval=_WILSON,
    ),
)


def rows(households, units, *, minimum_clusters=6):
    """Return the indicator rows of provinces and districts from a survey of households.

    households: the table, with the design columns weight, stratum and cluster where it has them. Rows carry
    the number of known households as denominator only where the measure is a share; the interval is the
    design's. minimum_clusters: sampling units below which an area has no row.
    """
    frame = _prepared(households)
    found = []
    for level in ("province", "district"):
        own = frame.assign(area=frame["place"].map(rollup.areas(units, level))).dropna(subset="area")
        found += [_estimates(own.reset_index(drop=True), m, minimum_clusters) for m in MEASURES if len(own)]
    found = [f for f in found if len(f)]
    return pd.concat(found, ignore_index=True) if found else pd.DataFrame(columns=ALL_COLUMNS)


def lines():
    """Return the income line of the poor by standard and area, VND per person per month.

    The line of a standard's first alternative: that of income alone where it has one.
    """
    law = reference.table("poverty_standards").query("`class` == 'poor'").dropna(subset="income_max_vnd")
    law = law.sort_values("alternative").drop_duplicates(["standard", "area"])
    return law.set_index(["standard", "area"])["income_max_vnd"]


def _prepared(table):
    given = ("income_month_vnd", "members", "poor", "near_poor", "borrowed", "weight")
    numbers = {c: table[c].astype("Float64").astype(float) if c in table else np.nan for c in given}
    frame = table[["place", "year"]].assign(**numbers)
    frame["weight"] = frame["weight"] if "weight" in table else 1.0
    frame["stratum"] = table["stratum"].fillna("") if "stratum" in table else ""
    cluster = table["cluster"] if "cluster" in table else pd.Series(pd.NA, index=table.index, dtype="string")
    frame["cluster"] = cluster.fillna(table["household"])
    standard = {y: reference.standard_in_force(f"{y}-12-31") for y in frame["year"].dropna().unique()}
    frame["standard"] = frame["year"].map(standard)
    area = table["area"] if "area" in table else pd.Series("rural", index=table.index)
    line = lines()
    frame["line"] = [line.get(key, np.nan) for key in zip(frame["standard"], area, strict=True)]
    frame = frame.rename(columns={"income_month_vnd": "income"})
    return frame[frame["weight"].notna() & frame["year"].notna()]


def _estimates(frame, measure, minimum_clusters):
    if measure.positive:
        frame = frame[~frame["income"].le(0).groupby([frame["area"], frame["year"]]).transform("any")]
    if measure.persons:
        frame = frame[frame["members"].notna()]
    if measure.basis == "standard":
        frame = frame[frame["line"].notna()]
    if frame.empty:
        return pd.DataFrame()
    weight = frame["weight"] * frame["members"] if measure.persons else frame["weight"]
    design = {"weights": weight, "strata": frame["stratum"], "cluster": frame["cluster"], "single_psu": "nan"}
    by = frame[["area", "year", "standard"]].astype({"year": "int64"})
    table = measure.of(frame, design | {"by": by})
    table = table[(table["clusters"] >= minimum_clusters) & table["lower"].notna()]
    scaled = {
        c: table[e] * measure.scale
        for c, e in (("value", "estimate"), ("lower", "lower"), ("upper", "upper"))
    }
    if measure.rounded:
        scaled = {c: values.map(_three_digits) for c, values in scaled.items()}
    return pd.DataFrame(
        {
            "place": table["area"],
            "period": table["year"].astype("string"),
            "indicator": measure.name,
            **scaled,
            "unit": measure.unit,
            "basis": table["standard"] if measure.basis == "standard" else measure.basis,
            "method": "survey",
            "source": "households",
            "flags": "computed;sample",
            "year": table["year"],
        }
    )


def _three_digits(amount):
    return float(f"{amount:.2e}")
