"""How often 95 % intervals hold the truth, and how often an effect is seen where there is none.

Draws simulated provinces whose true effect is known, applies every design and counts. The naive before-after
and the naive contemporaneous regression are there to show why they fail. Refusals are counted apart: a design
that refuses claims nothing.

    python benchmarks/impact_coverage.py --provinces 300 --json out.json
"""

import argparse
import itertools
import os
import time
from concurrent.futures import ProcessPoolExecutor
from dataclasses import fields

import numpy as np
import pandas as pd

# Arrays here are small: one thread a process, so that the processes don't fight for the cores.
for variable in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS"):
    os.environ.setdefault(variable, "1")

YEARS = (2013, 2024)
DOSE = "production_credit_lag1"
LONG = ("2016-2020", 2016, 2021)  # one standard, its first and last year


def settings():
    """Return name → difficulties: none, each by itself, all."""
    from evalkit.simulate import Difficulties

    alone = {f.name: Difficulties.only(f.name) for f in fields(Difficulties)}
    return {"none": Difficulties.none(), **alone, "all": Difficulties()}


def panels(seed, difficulties, effect, communes):
    """Return the panels with the dose a year before and in the same year."""
    from evalkit import impact, simulate
    from evalkit.load import reference

    tables = ("communes", "credit", "poverty", "income")
    drawn = simulate.draw(
        seed=seed, communes=communes, years=YEARS, tables=tables, difficulties=difficulties, effect=effect
    )
    shared = {name: drawn[name] for name in tables} | {
        "programmes": reference.programmes(),
        "prices": reference.price_index(YEARS[0]),
        "price_year": YEARS[0],
    }
    return impact.intensity_panel(**shared), impact.intensity_panel(**shared, lag=0), drawn["credit"]


def before_after(panel):
    """Naive: the mean change of poverty over that of credit, as if nothing else had happened."""
    ends = panel[panel["year"].isin([YEARS[0] + 1, YEARS[1]])].drop_duplicates(["unit", "year"], keep="last")
    wide = ends.pivot(index="unit", columns="year", values=["poor_pct", DOSE]).dropna()
    change = wide["poor_pct"][YEARS[1]] - wide["poor_pct"][YEARS[0] + 1]
    moved = (wide[DOSE][YEARS[1]] - wide[DOSE][YEARS[0] + 1]).mean()
    middle, error = change.mean() / moved, change.std() / np.sqrt(len(change)) / abs(moved)
    return middle, middle - 1.96 * error, middle + 1.96 * error


def bounds(effect):
    """Return estimate and interval, or None where the design refused."""
    return None if effect.refused else (effect.estimate, effect.lower, effect.upper)


def designs(panel, same_year, credit):
    """Yield (design, outcome, estimate with interval or None)."""
    from evalkit import impact

    unit, cluster = {"unit": "unit_standard", "time": "year_standard"}, {"cluster": "district_code"}
    yield "naive before-after", "poverty", before_after(panel)
    naive = impact.fixed_effects(
        same_year,
        outcome="poor_pct",
        dose="production_credit_lag0",
        cluster="unit",
        wild=False,
        despite=("mechanical_link", "one_basis"),
    )
    yield "naive same-year regression", "poverty", bounds(naive)
    by_district = {**unit, "within": "district_code"}
    for label, outcome, options in (
        ("unit and year effects", "poor_pct", unit),
        ("unit and district-year effects", "poor_pct", by_district),
        ("the same, baseline held", "poor_pct", {**by_district, "baseline": "poor_pct"}),
        (
            "unit and district-year effects",
            "log_income",
            {"unit": "unit", "time": "year", "within": "district_code"},
        ),
    ):
        found = impact.fixed_effects(panel, outcome=outcome, dose=DOSE, **options, **cluster)
        yield label, "income" if outcome == "log_income" else "poverty", bounds(found)
    standard, start, end = LONG if panel["standard"].nunique() > 1 else (panel["standard"].iloc[0], *LONG[1:])
    one = panel[panel["standard"] == standard]
    one.attrs = panel.attrs
    long = impact.long_differences(
        one,
        outcome="poor_pct",
        dose=DOSE,
        unit="unit",
        time="year",
        start=start,
        end=end,
        within="district_code",
    )
    yield "long differences", "poverty", bounds(long)
    mix = (
        impact.exposure(credit, programmes=["jobs"], years=[2019, 2020], by="code")
        .rename_axis("unit")
        .reset_index()
    )
    shifted = panel[panel["year"] >= 2017].merge(mix, on="unit")
    shifted.attrs = panel.attrs
    package = impact.shift_share(
        shifted,
        outcome="log_income",
        dose=DOSE,
        exposure="exposure",
        unit="unit",
        time="year",
        start=2023,
        within="district_code",
        draws=199,
        **cluster,
    )
    yield "shift-share of 2022", "income", bounds(package.effect)


def one(task):
    """Return the rows of one simulated province."""
    from evalkit.simulate import Effect

    setting, effect_name, seed, communes = task
    effect = Effect.none() if effect_name == "none" else Effect()
    truth = {"poverty": effect.poverty_pp, "income": effect.log_income}
    rows = []
    for design, outcome, found in designs(*panels(seed, settings()[setting], effect, communes)):
        row = {
            "setting": setting,
            "effect": effect_name,
            "design": design,
            "outcome": outcome,
            "refused": found is None,
        }
        if found is not None:
            middle, low, high = found
            row |= {
                "covered": low <= truth[outcome] <= high,
                "seen": low > 0 or high < 0,
                "error": middle - truth[outcome],
            }
        rows.append(row)
    return rows


def main():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--provinces", type=int, default=300)
    parser.add_argument("--communes", type=int, default=225)
    parser.add_argument("--settings", nargs="*", default=None)
    parser.add_argument("--effects", nargs="*", default=["true", "none"])
    parser.add_argument("--workers", type=int, default=os.cpu_count())
    parser.add_argument("--json", help="file for the table")
    chosen = parser.parse_args()
    began = time.perf_counter()
    names = chosen.settings or list(settings())
    seeds = range(1, chosen.provinces + 1)
    tasks = [(*task, chosen.communes) for task in itertools.product(names, chosen.effects, seeds)]
    with ProcessPoolExecutor(chosen.workers) as pool:
        rows = pd.DataFrame(itertools.chain.from_iterable(pool.map(one, tasks, chunksize=4)))
    grouped = rows.groupby(["effect", "setting", "design", "outcome"], sort=False)
    table = grouped.agg(
        provinces=("refused", "size"),
        refused=("refused", "mean"),
        covered=("covered", lambda s: s.dropna().astype(float).mean()),
        seen=("seen", lambda s: s.dropna().astype(float).mean()),
        bias=("error", "mean"),
    ).reset_index()
    print(table.round(3).to_string(index=False))
    print(f"{len(tasks)} provinces in {time.perf_counter() - began:.0f} s")
    if chosen.json:
        table.to_json(chosen.json, orient="records", indent=1)


if __name__ == "__main__":
    main()
