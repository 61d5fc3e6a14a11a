"""Time of the heavy computations of evalkit.impact beside the best library for each: same numbers, faster.

Each pair runs in one process, alternating, after one warm-up of both (none with --repeats 0); the ratio is of the
medians. A library
that is not installed is left out and named. A library that would take hours does a stated subset, and its time is
multiplied up. Needs requirements-oracles.txt for the comparisons.

    python benchmarks/impact_speed.py --json
"""

import argparse
import json
import os
import statistics
import time
import warnings

# Arrays here are small: threads that wait for one another would count as processor time of both.
for variable in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS"):
    os.environ.setdefault(variable, "1")

import numpy as np  # noqa: E402
import pandas as pd  # noqa: E402

REPEATS = 3
UNITS = 225  # communes of a province
SUBSET = 2  # of them given to pysyncon where it searches predictor weights, its time multiplied up: all take it hours


def alternating(ours, theirs, repeats=REPEATS):
    """Return the medians of both in seconds of processor time, and what they returned.

    repeats: after a first call that isn't counted; 0 counts the first call alone, for what takes minutes.
    """
    times = ([], [])
    for _ in range(repeats + 1):
        results = []
        for call, record in zip((ours, theirs), times, strict=True):
            began = time.process_time()
            results.append(call())
            record.append(time.process_time() - began)
    return [statistics.median(t[1:] or t) for t in times], results


def country(units=10_600, years=11, seed=1):
    """Return a panel of communes with staggered starts and a dose, effect 0.5 each."""
    rng = np.random.default_rng(seed)
    frame = pd.DataFrame(
        {"unit": np.repeat(np.arange(units), years), "year": np.tile(np.arange(2014, 2014 + years), units)}
    )
    frame["district"] = frame["unit"] // 15
    first = rng.choice([0, 2017, 2019, 2021], size=units)
    frame["first"] = first[frame["unit"]]
    frame["dose"] = rng.normal(size=len(frame)) + rng.normal(size=units)[frame["unit"]]
    on = (frame["first"] > 0) & (frame["year"] >= frame["first"])
    level = rng.normal(size=units)[frame["unit"]]
    frame["y"] = (
        0.5 * on + 0.5 * frame["dose"] + level + 0.1 * (frame["year"] - 2014) + rng.normal(size=len(frame))
    )
    return frame


def wild():
    """9,999 draws of the wild cluster bootstrap, 50 clusters, beside wildboottest."""
    import statsmodels.formula.api as smf
    from wildboottest.wildboottest import wildboottest

    from evalkit.impact import bootstrap, regression

    frame = country(units=1000, years=10).assign(cluster=lambda f: f["unit"] // 20)
    frame = frame.assign(c1=np.sin(frame["unit"]), c2=np.cos(frame["unit"] + frame["year"]))
    rng = np.random.default_rng(3)
    frame["y"] = frame["y"] - 0.5 * frame["dose"] + rng.normal(size=50)[frame["cluster"]]
    frame["x"] = rng.normal(size=50)[frame["cluster"]] + 0.5 * frame["c2"]

    def ours():
        design = regression.prepare(
            frame, outcome="y", regressors="x", controls=["c1", "c2"], cluster="cluster"
        )
        return bootstrap.scores(design, draws=9999, rng=1).p_value()

    def theirs():
        model = smf.ols("y ~ x + c1 + c2", frame)
        table = wildboottest(model, param="x", cluster=frame["cluster"], B=9999, seed=1, show=False)
        return float(table["p-value"].iloc[0])

    return ours, theirs, 0.02  # two independent sets of 9,999 draws


def absorbed():
    """Two-way fixed effects with clustered errors on 10,600 × 11 rows, beside pyfixest."""
    import pyfixest as pf

    from evalkit.impact import regression

    frame = country()
    ssc = pf.ssc(k_adj=True, k_fixef="none", G_adj=True)

    def ours():
        design = regression.prepare(
            frame, outcome="y", regressors="dose", absorb=["unit", "year"], cluster="unit"
        )
        row = regression.fit(design).table().iloc[0]
        return np.array([row["estimate"], row["std_error"]])

    def theirs():
        fitted = pf.feols("y ~ dose | unit + year", frame, vcov={"CRV1": "unit"}, ssc=ssc)
        return np.array([fitted.coef()["dose"], fitted.se()["dose"]])

    return ours, theirs, 1e-6


def staggered():
    """Group-time effects with all aggregations on 10,600 × 11 rows, beside moderndid."""
    import moderndid

    from evalkit import impact

    frame = country()

    def ours():
        return impact.staggered(frame, outcome="y", unit="unit", time="year", first_treated="first").estimate

    def theirs():
        made = moderndid.att_gt(data=frame, yname="y", tname="year", idname="unit", gname="first", boot=False)
        return float(moderndid.aggte(made, type="simple").overall_att)

    return ours, theirs, 1e-6


def provinces_series():
    """Return 225 communes over eleven years, with two traits that go with their outcomes."""
    frame = country(units=UNITS, years=11, seed=5)
    frame["y"] = frame["y"] + 0.3 * np.sin(frame["unit"] / 9) * (frame["year"] - 2014)
    rng = np.random.default_rng(6)
    level = frame.groupby("unit")["y"].transform("mean")
    return frame.assign(
        **{trait: level + rng.normal(size=UNITS)[frame["unit"]] for trait in ("size", "remote")}
    )


def synthetic():
    """Synthetic controls of 225 communes and all their placebos, by earlier outcomes, beside pysyncon."""
    from pysyncon import Synth

    from evalkit import impact

    frame = provinces_series()
    before = frame[frame["year"] < 2020].pivot(index="year", columns="unit", values="y")

    def ours():
        table = impact.all_placebos(frame, outcome="y", unit="unit", time="year", start=2020)
        return table["pre_mspe"].to_numpy()

    def theirs():
        errors = []
        spread = before.var(axis=1).to_numpy()  # undoes its scaling, so that both minimise the same error
        for unit in before.columns:
            target, donors = before[unit], before.drop(columns=unit)
            made = Synth()
            made.fit(X0=donors, X1=target, Z0=donors, Z1=target, custom_V=spread)
            errors.append(((target - donors.to_numpy() @ made.W) ** 2).mean())
        return np.array(errors)

    return ours, theirs, 1e-3


def synthetic_with_predictors():
    """The same by two traits and two earlier outcomes, whose weights are searched.

    pysyncon does SUBSET of the units, its time counts UNITS / SUBSET times. Its one start may end in another
    valley: the difference is how much worse the fit here is than there, zero where it is better.
    """
    from pysyncon import Synth

    from evalkit import impact

    frame = provinces_series()
    names = [("size", [2019]), ("remote", [2019]), ("y", [2015]), ("y", [2019])]
    before = frame[frame["year"] < 2020].pivot(index="year", columns="unit", values="y")
    traits = frame.drop_duplicates("unit").set_index("unit")[["size", "remote"]].T
    predictors = pd.concat([traits, before.loc[[2015, 2019]]])
    best = []

    def ours():
        table = impact.all_placebos(
            frame, outcome="y", unit="unit", time="year", start=2020, predictors=names
        )
        best[:] = table["pre_mspe"].to_numpy()[:SUBSET]
        return np.zeros(SUBSET)

    def theirs():
        worse = []
        for k, unit in enumerate(before.columns[:SUBSET]):
            made = Synth()
            made.fit(
                X0=predictors.drop(columns=unit), X1=predictors[unit],
                Z0=before.drop(columns=unit), Z1=before[unit],
            )  # fmt: skip
            error = ((before[unit] - before.drop(columns=unit).to_numpy() @ made.W) ** 2).mean()
            worse.append(max(best[k] - error, 0.0))
        return np.array(worse)

    return ours, theirs, 1e-3, UNITS / SUBSET


PAIRS = {
    "wild_bootstrap_vs_wildboottest": wild,
    "fixed_effects_vs_pyfixest": absorbed,
    "staggered_vs_moderndid": staggered,
    "synthetic_controls_vs_pysyncon": synthetic,
    "synthetic_controls_with_predictors_vs_pysyncon": synthetic_with_predictors,
}
# Runs only where named: pysyncon takes minutes to hours for one unit.
SLOW = ("synthetic_controls_with_predictors_vs_pysyncon",)


def main():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--json", action="store_true", help="print the ratios as JSON")
    parser.add_argument("--repeats", type=int, default=REPEATS)
    parser.add_argument("--only", nargs="*", choices=PAIRS, default=[p for p in PAIRS if p not in SLOW])
    chosen = parser.parse_args()
    warnings.simplefilter("ignore")
    report = {"ratios": {}, "seconds": {}, "not_installed": []}
    for name in chosen.only:
        try:
            ours, theirs, tolerance, *whole = PAIRS[name]()
        except ImportError as missing:
            report["not_installed"].append(f"{name}: {missing.name}")
            continue
        (mine, other), (first, second) = alternating(ours, theirs, chosen.repeats)
        other *= whole[0] if whole else 1
        first, second = np.atleast_1d(first), np.atleast_1d(second)
        difference = float(np.abs(first[: len(second)] - second).max())
        report["ratios"][name] = round(other / mine, 2)
        report["seconds"][name] = {"evalkit": round(mine, 4), "library": round(other, 4)}
        report.setdefault("difference", {})[name] = difference
        if difference > tolerance:
            report.setdefault("differs", []).append(name)
    if chosen.json:
        print(json.dumps(report, indent=1))
        return
    for name, ratio in report["ratios"].items():
        seconds = report["seconds"][name]
        times = f"{seconds['evalkit']:9.3f} s {seconds['library']:9.3f} s"
        print(f"{name:36} {times} {ratio:7.2f} times, difference {report['difference'][name]:.1e}")
    for missing in report["not_installed"]:
        print(f"left out: {missing} is not installed")


if __name__ == "__main__":
    main()
