"""A province of six communes for the tests of disclosure control."""

import numpy as np
import pandas as pd
from scipy.optimize import linprog

from evalkit.metrics import reviews, rollup, suppress
from evalkit.metrics.tabulate import rows as tabulate

PUBLISH = {
    "suppression_threshold": 5,
    "hide_zeros": False,
    "hide_published": False,
    "dominance_percent": 10,
}
COMMUNES = 6


def province(poor):
    """Six communes of two districts, of 300 households each, with these poor households."""
    codes = [f"1000{i}" for i in range(COMMUNES)]
    units = pd.DataFrame(
        {
            "code": codes,
            "place": codes,
            "name": codes,
            "level": "commune",
            "district_code": ["100"] * 3 + ["101"] * 3,
            "district": ["A"] * 3 + ["B"] * 3,
            "province_code": "10",
            "province": "P",
        }
    )
    review = pd.DataFrame(
        {
            "place": codes,
            "year": 2023,
            "standard": "2022-2025",
            "households": 300.0,
            "poor": np.array(poor, float),
        }
    ).astype({"place": "string", "year": "Int64"})
    found = [
        tabulate(
            reviews.sums(review, units)
            .dropna(axis=1, how="all")
            .reindex(columns=["place", "year", "standard", "households", "poor"]),
            [d for d in reviews.DEFINITIONS if d.name in ("poor_households", "poverty_rate_pct")],
            units,
            method="review",
            source="poverty",
            basis="standard",
        )
    ]
    return pd.concat(found, ignore_index=True), {"poverty": review}, rollup.with_areas(units)


def decided(poor, **more):
    rows, tables, units = province(poor)
    return suppress.decide(rows, tables, units, PUBLISH | more)[0]


def decided_with_cells(poor):
    rows, tables, units = province(poor)
    return *suppress.decide(rows, tables, units, PUBLISH), units


def interval(rows, place):
    """Lowest and highest number of poor households of a commune that the shown rows allow."""
    shown = suppress.shown(rows)
    places = [f"1000{i}" for i in range(COMMUNES)]
    a, b = [], []
    for row in shown[shown["value"].notna()].itertuples():
        members = {"100": places[:3], "101": places[3:], "10": places}.get(row.place, [row.place])
        a.append([float(p in members) for p in places])
        b.append(row.value if row.indicator == "poor_households" else row.numerator)
    cost = np.array([float(p == place) for p in places])
    ends = [linprog(s * cost, A_eq=a or None, b_eq=b or None, bounds=(0, 300)).fun for s in (1, -1)]
    return ends[0], -ends[1]
