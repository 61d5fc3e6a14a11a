"""What an intruder knows from the year after, which mutation testing found untested in the attack."""

import sys
from pathlib import Path

import pandas as pd

from evalkit.metrics import reviews, rollup, suppress
from evalkit.metrics.tabulate import rows as tabulate
from evalkit.present import attack

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
from suppress_sample import PUBLISH, province

NAMES = ("poor_households", "poverty_rate_pct", "exit_rate_pct")


def two_years():
    """The release of a year with 2 poor households in a commune, and of the next, in which 1 of the 2 left the list."""
    _, tables, units = province([2, 40, 60, 50, 20, 30])
    after = province([20, 40, 60, 50, 20, 30])[1]["poverty"].assign(
        year=2024, escaped=[1, 10, 10, 10, 10, 10]
    )
    review = pd.concat([tables["poverty"].assign(escaped=float("nan")), after], ignore_index=True)
    review = review.astype({"year": "Int64", "escaped": "Float64"})
    units = units[units["level"] == "commune"]
    sums = reviews.sums(review, units).dropna(axis=1, how="all")
    definitions = [d for d in reviews.DEFINITIONS if d.name in NAMES]
    made = tabulate(sums, definitions, units, method="review", source="poverty", basis="standard")
    return *suppress.decide(made, {"poverty": review}, rollup.with_areas(units), PUBLISH), rollup.with_areas(
        units
    )


def test_the_year_after_gives_a_hidden_count_away_where_it_names_the_year_before():
    rows, sensitive, units = two_years()
    small = sensitive["place"].eq("10000") & sensitive["year"].eq(2023)
    assert small.any()
    assert not attack.intervals(suppress.shown(rows), sensitive[small], units)["disclosed"].any()
    exits = rows["indicator"].eq("exit_rate_pct") & rows["place"].eq("10000")
    assert rows.loc[exits, "denominator"].tolist() == [2]
    told = rows.assign(hidden=rows["hidden"].mask(exits, ""))
    found = attack.intervals(suppress.shown(told), sensitive[small], units)
    assert found["disclosed"].all()
    assert found["upper"].max() < 2.01
