"""How often 95 % intervals hold the truth, and how often an effect is seen where there is none.

Draws simulated provinces whose true effect is known, applies every design and counts. The naive before-after
and the naive regressions are there to show why they fail. Refusals are counted apart: a design that refuses
claims nothing; so are results that a gate demoted below the level of the design.

    python benchmarks/impact_coverage.py --provinces 300 --resume coverage.jsonl --json table.json

Each finished province is a line of the file named by --resume; a run that was cut short goes on from there,
and --table prints what the file holds so far.
"""

import argparse
import itertools
import json
import os
import time
from concurrent.futures import ProcessPoolExecutor
from dataclasses import fields
from functools import cached_property
from pathlib import Path

# Arrays here are small: one thread a process, so that the processes don't fight for the cores.
for variable in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS"):
    os.environ.setdefault(variable, "1")

import numpy as np  # noqa: E402
import pandas as pd  # noqa: E402

YEARS = (2013, 2024)
DOSE = "production_credit_lag1"
TABLES = ("communes", "credit", "poverty", "income", "households")
# These two change columns that no design reads (overdue debt, published facts): their provinces are "none".
NOT_READ = ("hidden_overdue", "press_rounding")
ONE_STANDARD = ("2016-2020", 2016, 2021)  # a standard, its first and last year
# Lots drawn in each province that has one: most of a row's luck is in who starts.
LOTS = 3
# What the programme laid over the province adds where credit works as well: log income, points of poverty.
# How strongly a commune may take the programme up, where it does so in its own measure.
STRENGTHS = 0.5, 1.5
# Treated communes of the design for several.
SEVERAL = 6
ADDED = {"log_income": 0.03, "poor_pct": -1.0, "one_commune": 0.15, "province": 0.10}


def settings():
    """Return name → difficulties: none, each by itself, all."""
    from evalkit.simulate import Difficulties

    names = [f.name for f in fields(Difficulties) if f.name not in NOT_READ]
    return (
        {"none": Difficulties.none()}
        | {name: Difficulties.only(name) for name in names}
        | {"all": Difficulties()}
    )


class Province:
    """One simulated province: its panel, the years of one standard, and a programme laid over it.

    Communes start the programme by lot, or the poorest first where the list of the poor steers lending. Its
    own effect is known exactly; like any real reform it runs beside everything else that happens.
    """

    def __init__(self, name, seed, difficulties, effect, communes, *, households=True, only_households=False):
        from evalkit import impact, simulate
        from evalkit.load import reference

        drawn = simulate.draw(
            seed=seed,
            communes=communes,
            years=YEARS,
            tables=TABLES if households else TABLES[:4],
            difficulties=difficulties,
            effect=effect,
        )
        self.credit, self.truth = drawn["credit"], effect
        self.households = drawn.tables.get("households")
        self.works = effect.poverty_pp != 0
        self.rng = np.random.default_rng([seed, *map(ord, name)])
        # A stream for each design that joined later, so that the draws of the others stay.
        self.doses, self.several = self.rng.spawn(2)
        if only_households:
            return
        panel = impact.intensity_panel(
            **{name: drawn[name] for name in TABLES[:4]},
            programmes=reference.programmes(),
            prices=reference.price_index(YEARS[0]),
            price_year=YEARS[0],
        )
        self.attrs = panel.attrs
        standard, start, end = ONE_STANDARD
        if panel["standard"].nunique() == 1:
            standard = panel["standard"].iloc[0]
        self.steered = difficulties.list_steers_lending
        self.panel = self.kept(panel)
        self.place = self.queue()
        one = panel[(panel["standard"] == standard) & panel["year"].between(start, end)]
        self.one_standard = self.kept(one)
        self.yearly = self.kept(panel.dropna(subset=["log_income"]).drop_duplicates(["unit", "year"]))

    def kept(self, frame):
        """Return the frame with what the panel knows of its columns."""
        frame = frame.reset_index(drop=True)
        frame.attrs = self.attrs
        return frame

    def queue(self):
        """Return each unit's place in the queue for the programme, 0 (first) to 1."""
        first = self.panel.groupby("unit")["poor_pct"].first()
        rank = -first if self.steered else pd.Series(self.rng.random(len(first)), index=first.index)
        return rank.rank(pct=True)

    @cached_property
    def lots(self):
        """Return the queues of the programme, lots drawn several times."""
        return [self.queue() for _ in range(1 if self.steered else LOTS)]

    def added(self, name):
        """Return what the programme adds, zero in a province where nothing has an effect."""
        return ADDED[name] if self.works else 0.0


def same_year(panel):
    """Return the panel with the dose of the same year: next year's lagged one."""
    later = (
        panel[["unit", "year", DOSE]].drop_duplicates(["unit", "year"]).assign(year=lambda f: f["year"] - 1)
    )
    out = panel.drop(columns=DOSE).merge(later.rename(columns={DOSE: "dose"}), on=["unit", "year"])
    return out.assign(unit="all")


def found(effect, p=None):
    """Return what a row records of an Effect."""
    return {
        "estimate": effect.estimate,
        "lower": effect.lower,
        "upper": effect.upper,
        "p": effect.p_headline if p is None else p,
        "level": effect.level,
        "refused": [reason.code for reason in effect.refusals],
        "warned": sorted({w.code for w in effect.warnings if hasattr(w, "code")}),
    }


def before_after(province):
    """Naive: the mean change of poverty over that of credit, as if nothing else had happened."""
    ends = province.panel[province.panel["year"].isin([YEARS[0] + 1, YEARS[1]])]
    wide = ends.drop_duplicates(["unit", "year"], keep="last").pivot(
        index="unit", columns="year", values=["poor_pct", DOSE]
    )
    wide = wide.dropna()
    change = wide["poor_pct"][YEARS[1]] - wide["poor_pct"][YEARS[0] + 1]
    moved = (wide[DOSE][YEARS[1]] - wide[DOSE][YEARS[0] + 1]).mean()
    middle, error = change.mean() / moved, change.std() / np.sqrt(len(change)) / abs(moved)
    low, high = middle - 1.96 * error, middle + 1.96 * error
    p = 0.0 if low > 0 or high < 0 else 1.0
    return {"estimate": middle, "lower": low, "upper": high, "p": p, "level": "naive", "refused": []}


def plain_regression(frame, outcome, dose):
    """Naive: least squares without effects or controls, robust errors."""
    from evalkit.impact import regression

    row = regression.fit(regression.prepare(frame, outcome=outcome, regressors=dose)).table().iloc[0]
    named = {"estimate": row.estimate, "lower": row.lower, "upper": row.upper, "p": row.p_value}
    return {**named, "level": "naive", "refused": []}


def on_intensity(province):
    """Yield (design, outcome, truth, record) of the designs on lagged credit per household."""
    from evalkit import impact

    truth = {"poor_pct": province.truth.poverty_pp, "log_income": province.truth.log_income}
    panel, one = province.panel, province.one_standard
    yield "naive before-after", "poor_pct", truth["poor_pct"], before_after(province)
    naive = plain_regression(same_year(panel), "poor_pct", "dose")
    yield "naive same-year regression", "poor_pct", truth["poor_pct"], naive
    columns = {
        "poor_pct": {"unit": "unit_standard", "time": "year_standard"},
        "log_income": {"unit": "unit", "time": "year"},
    }
    shared = {"dose": DOSE, "cluster": "district_code"}
    for label, outcome, options in (
        ("unit and year effects", "poor_pct", {}),
        ("unit and district-year effects", "poor_pct", {"within": "district_code"}),
        ("the same, baseline held", "poor_pct", {"within": "district_code", "baseline": "poor_pct"}),
        ("unit and district-year effects", "log_income", {"within": "district_code"}),
        ("the same, baseline held", "log_income", {"within": "district_code", "baseline": "log_income"}),
    ):
        effect = impact.fixed_effects(panel, outcome=outcome, **columns[outcome], **options, **shared)
        record = found(effect)
        if "baseline_held" in effect.diagnostics and effect.std_error > 0:
            record["moved"] = (effect.estimate - effect.diagnostics["baseline_held"]) / effect.std_error
        yield label, outcome, truth[outcome], record
    for label, held in (("long differences, baseline held", True), ("long differences alone", False)):
        effect = impact.long_differences(
            one,
            outcome="poor_pct",
            dose=DOSE,
            unit="unit",
            time="year",
            start=ONE_STANDARD[1],
            end=ONE_STANDARD[2],
            within="district_code",
            baseline=held,
        )
        yield label, "poor_pct", truth["poor_pct"], found(effect)


def on_shifts(province):
    """Yield the designs on the dated shifts of supply: ratio and reduced form."""
    from evalkit import impact

    for label, outcome, frame, programmes, years, start in (
        ("shift-share of 2022", "log_income", province.yearly, ["jobs"], [2020, 2021], 2023),
        ("shift-share of 2019", "poor_pct", province.one_standard, ["poor"], [2016, 2017], 2020),
    ):
        mix = impact.exposure(province.credit, programmes=programmes, years=years, by="code")
        mix = mix.rename_axis("unit").reset_index()
        made = impact.shift_share(
            province.kept(frame[frame["year"] >= 2016].merge(mix, on="unit")),
            outcome=outcome,
            dose=DOSE,
            exposure="exposure",
            unit="unit",
            time="year",
            start=start,
            within="district_code",
            cluster="district_code",
        )
        truth = {"poor_pct": province.truth.poverty_pp, "log_income": province.truth.log_income}[outcome]
        yield label, outcome, truth, found(made.effect)
        yield f"{label}, reduced form", outcome, None if province.works else 0.0, found(made.reduced_form)


def on_starts(province):
    """Yield the designs on a programme that half of the communes start at one date."""
    from evalkit import impact

    one, added = province.one_standard, province.added("poor_pct")
    for queue in province.lots:
        early, post = one["unit"].map(queue) <= 0.5, one["year"] >= 2019
        frame = province.kept(
            one.assign(
                treated=early * 1.0,
                post=post * 1.0,
                first=np.where(early, 2019, 0),
                poor_pct=one["poor_pct"] + added * (early & post),
            )
        )
        shared = {"outcome": "poor_pct", "unit": "unit", "time": "year", "cluster": "district_code"}
        effect = impact.difference_in_differences(frame, treated="treated", post="post", **shared)
        yield "difference in differences", "poor_pct", added, found(effect)
        study = impact.event_study(frame, first_treated="first", **shared)
        yield "event study", "poor_pct", added, found(study)


def on_staggered(province):
    """Yield the designs on a programme that a third of the communes start in 2017, another in 2020."""
    from evalkit import impact

    yearly, added = province.yearly, province.added("log_income")
    for queue in province.lots:
        place = yearly["unit"].map(queue)
        first = np.select([place <= 1 / 3, place <= 2 / 3], [2017, 2020], 0)
        on = (first > 0) & (yearly["year"] >= first)
        frame = province.kept(yearly.assign(first=first, log_income=yearly["log_income"] + added * on))
        for label, options in (
            ("staggered starts", {}),
            ("staggered starts, by district", {"cluster": "district_code"}),
            ("staggered starts, imputation", {"method": "imputation"}),
            ("staggered starts, Sun and Abraham", {"method": "sun_abraham"}),
        ):
            study = impact.staggered(
                frame, outcome="log_income", unit="unit", time="year", first_treated="first", **options
            )
            yield label, "log_income", added, found(study)
        yield from on_doses(province, yearly, first, on, added)


def on_doses(province, yearly, first, on, added):
    """Yield the design on starts of different strength: the mean effect and its slope in the dose."""
    from evalkit import impact

    units = yearly["unit"].unique()
    strength = pd.Series(province.doses.uniform(*STRENGTHS, len(units)), index=units)
    dose = yearly["unit"].map(strength).where(first > 0, 0.0)
    frame = province.kept(
        yearly.assign(first=first, dose=dose, log_income=yearly["log_income"] + added * dose * on)
    )
    effect = impact.dose_response(
        frame, outcome="log_income", unit="unit", time="year", first_treated="first", dose="dose"
    )
    whole = frame.groupby("unit")["year"].transform("size") == frame["year"].nunique()
    mean = strength[frame.loc[whole & (frame["first"] > 0), "unit"].unique()].mean()
    yield "continuous dose", "log_income", added * mean, found(effect)
    slope = {"estimate": effect.diagnostics.get("slope")}
    slope |= {name: effect.diagnostics.get(f"slope_{name}") for name in ("lower", "upper")}
    outside = None not in slope.values() and not slope["lower"] <= 0 <= slope["upper"]
    yield "continuous dose, slope", "log_income", added, found(effect, p=0.0 if outside else 1.0) | slope


def on_single_series(province):
    """Yield the designs for one commune, and for the province's own series."""
    from evalkit import impact

    yearly, added = province.yearly, province.added("one_commune")
    whole = yearly.groupby("unit")["year"].transform("size") == yearly["year"].nunique()
    units = province.place[yearly.loc[whole, "unit"].unique()].sort_values()
    chosen = [units.index[0], *province.rng.permutation(units.index[1:])[:39]]
    on = (yearly["unit"] == chosen[0]) & (yearly["year"] >= 2020)
    frame = yearly.assign(log_income=yearly["log_income"] + added * on)
    frame = province.kept(frame[frame["unit"].isin(chosen)])
    effect = impact.synthetic_control(
        frame, outcome="log_income", unit="unit", time="year", treated=chosen[0], start=2020
    )
    yield "synthetic control", "log_income", added, found(effect)
    whole = frame[frame.groupby("unit")["year"].transform("size") == frame["year"].nunique()]
    effect = impact.synthetic_did(
        whole, outcome="log_income", unit="unit", time="year", treated=chosen[0], start=2020
    )
    yield "synthetic difference in differences", "log_income", added, found(effect)
    yield from on_several(province, yearly, units)
    series = yearly.groupby("year", as_index=False)["log_income"].mean()
    added = province.added("province")
    series["log_income"] += added * (series["year"] >= 2019)
    effect = impact.interrupted_series(series, outcome="log_income", time="year", start=2019)
    yield "interrupted series", "log_income", added, found(effect)


def on_several(province, yearly, units):
    """Yield the design for several treated communes, the first in the queue, with its three errors."""
    from evalkit import impact

    added, treated = province.added("one_commune"), list(units.index[:SEVERAL])
    chosen = [*treated, *province.several.permutation(units.index[SEVERAL:])[: 40 - SEVERAL]]
    on = yearly["unit"].isin(treated) & (yearly["year"] >= 2020)
    frame = yearly.assign(log_income=yearly["log_income"] + added * on)
    frame = province.kept(frame[frame["unit"].isin(chosen)])
    for errors in ("placebo", "bootstrap", "jackknife"):
        effect = impact.synthetic_did(
            frame, outcome="log_income", unit="unit", time="year", treated=treated, start=2020, errors=errors
        )
        yield f"synthetic DiD, several, {errors}", "log_income", added, found(effect)


def on_households(province):
    """Yield the comparisons of borrowers with others; within a commune borrowing itself changes nothing."""
    from evalkit import impact

    frame = province.households.assign(
        log_income=lambda f: np.log(f["income_month_vnd"]), borrowed=lambda f: f["borrowed"].astype(float)
    )
    frame["place"] = frame["household"] + frame["year"].astype(str)
    last = frame[frame["year"] == 2020]
    yield (
        "naive borrowers against others",
        "log_income",
        0.0,
        plain_regression(last, "log_income", "borrowed"),
    )
    for year in (2016, 2018):
        then = frame[frame["year"] == year].set_index("household")
        for column in ("log_income", "borrowed"):
            frame[f"{column} {year}"] = frame["household"].map(then[column])
    older = ["log_income 2016", "borrowed 2016", "members", "area"]
    then = {"before": 2018, "as_of": 2018, "earlier": 2014}
    now = ["log_income 2018", *older]
    nearest = {"method": "matching", "exact": ["area"]}
    for label, covariates, options in (
        ("household differences, same year", older, {"before": 2016}),
        ("household differences, older baseline", older, {"before": 2016, "as_of": 2018, "earlier": 2014}),
        ("household differences, baseline then", now, then),
        ("household matching, covariates", now, {**then, **nearest}),
        ("household matching, score", now, {**then, **nearest, "distance": "score"}),
    ):
        effect = impact.household_difference(
            frame,
            outcome="log_income",
            treated="borrowed",
            covariates=covariates,
            unit="household",
            time="year",
            after=2020,
            weights="weight",
            cluster="cluster",
            **options,
        )
        yield label, "log_income", 0.0, found(effect)


PARTS = {
    "intensity": on_intensity,
    "shifts": on_shifts,
    "starts": on_starts,
    "staggered": on_staggered,
    "series": on_single_series,
    "households": on_households,
}


def one(task):
    """Return the record of one simulated province: every design's result beside the truth."""
    import warnings

    from evalkit.errors import EvalkitError
    from evalkit.simulate import Effect

    warnings.simplefilter("ignore")
    setting, effect_name, seed, communes, parts = task
    effect = Effect.none() if effect_name == "none" else Effect()
    province = Province(
        f"{setting} {effect_name}",
        seed,
        settings()[setting],
        effect,
        communes,
        households="households" in parts,
        only_households=list(parts) == ["households"],
    )
    rows = []
    for part in parts:
        try:
            for design, outcome, truth, record in PARTS[part](province):
                rows.append({"design": design, "outcome": outcome, "truth": truth, **record})
        except EvalkitError as why:
            rows.append({"design": f"{part} raised", "outcome": "", "truth": None, "refused": [str(why)]})
    names = {"setting": setting, "effect": effect_name, "seed": seed, "communes": communes}
    return {**names, "parts": list(parts), "rows": rows}


def finished(file):
    """Return the provinces that a results file holds; a line cut short by an interruption is left out."""
    out = []
    for line in Path(file).read_text().splitlines() if file and Path(file).exists() else ():
        try:
            out.append(json.loads(line))
        except ValueError:
            continue
    return out


def run(tasks, *, workers, file):
    """Return the records of all tasks, each written to the file as it comes."""
    records = []
    with ProcessPoolExecutor(workers) as pool, open(file or os.devnull, "a", buffering=1) as out:
        for record in pool.map(one, tasks, chunksize=1):
            records.append(record)
            out.write("\n" + json.dumps(record, default=float))
    return records


def table(records):
    """Return one row per effect, setting and design: what was refused, demoted, covered and seen."""
    rows = pd.DataFrame(
        [{**row, **{k: r[k] for k in ("setting", "effect", "seed")}} for r in records for row in r["rows"]]
    )
    rows["refused"] = rows["refused"].map(bool) | rows["estimate"].isna()
    rows["demoted"] = rows["level"].isin(["L0", "L1"]) & ~rows["refused"]
    said = rows[~rows["refused"]].assign(
        covered=lambda f: ((f["lower"] <= f["truth"]) & (f["truth"] <= f["upper"])).where(
            f["truth"].notna() & f["lower"].notna()
        ),
        seen=lambda f: (f["p"] < 0.05 + 1e-12).astype(float),
        error=lambda f: f["estimate"] - f["truth"].astype(float),
    )
    by = ["effect", "setting", "design", "outcome"]
    counts = rows.groupby(by, sort=False).agg(
        provinces=("seed", "nunique"), refused=("refused", "mean"), demoted=("demoted", "mean")
    )
    figures = said.groupby(by, sort=False).agg(
        claims=("seed", "size"),
        covered=("covered", lambda s: s.dropna().astype(float).mean()),
        seen=("seen", "mean"),
        bias=("error", "mean"),
    )
    out = counts.join(figures)
    for name in ("covered", "seen"):
        out[f"{name}_mc_error"] = np.sqrt(out[name] * (1 - out[name]) / out["claims"])
    return out.reset_index()


def markdown(table):
    """Return the table as docs/impact-coverage.md shows it: shares in per cent, the Monte-Carlo error beside."""

    def percent(value):
        return "–" if pd.isna(value) else f"{100 * value:.0f}"

    lines = [
        "| effect | province | design | outcome | provinces | claims | refused | demoted | covered (± MC) | seen | bias |",
        "|---|---|---|---|---|---|---|---|---|---|---|",
    ]
    for r in table.itertuples():
        covered = "–" if pd.isna(r.covered) else f"{percent(r.covered)} ± {percent(r.covered_mc_error)}"
        bias = "–" if pd.isna(r.bias) else f"{r.bias:.3f}"
        names = [r.effect, r.setting, r.design, r.outcome]
        counts = [
            r.provinces,
            0 if pd.isna(r.claims) else int(r.claims),
            percent(r.refused),
            percent(r.demoted),
        ]
        lines.append("| " + " | ".join(map(str, [*names, *counts, covered, percent(r.seen), bias])) + " |")
    return "\n".join(lines)


def compact(table):
    """Return one row per design and one column per province: covered of both effects together, seen where none is."""
    said = table.assign(
        held=table["covered"] * table["claims"], weight=table["claims"].where(table["covered"].notna())
    )
    both = said.groupby(["design", "setting"], sort=False)[["held", "weight"]].sum(min_count=1)
    seen = table[table["effect"] == "none"].set_index(["design", "setting"])["seen"]
    cells = {}
    for key, row in both.join(seen).iterrows():
        figures = [row["held"] / row["weight"], row["seen"]]
        cells[key] = " / ".join("–" if pd.isna(value) else f"{100 * value:.0f}" for value in figures)
    wide = pd.Series(cells).unstack(sort=False)
    lines = ["| design | " + " | ".join(wide.columns) + " |", "|---" * (wide.shape[1] + 1) + "|"]
    lines += [f"| {design} | " + " | ".join(row.fillna("")) + " |" for design, row in wide.iterrows()]
    return "\n".join(lines)


def main():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--provinces", type=int, default=300)
    parser.add_argument("--communes", type=int, default=104, help="in 13 districts")
    parser.add_argument("--settings", nargs="*", default=None)
    parser.add_argument("--effects", nargs="*", default=["none", "true"])
    parser.add_argument("--parts", nargs="*", choices=PARTS, default=list(PARTS))
    parser.add_argument("--workers", type=int, default=1)
    parser.add_argument("--resume", metavar="FILE", help="results so far; finished provinces are added")
    parser.add_argument("--table", action="store_true", help="print what the file holds and stop")
    parser.add_argument("--markdown", action="store_true", help="print the table as the documents show it")
    parser.add_argument(
        "--compact", action="store_true", help="print one column per province, both effects together"
    )
    parser.add_argument("--json", help="file for the table")
    chosen = parser.parse_args()
    began = time.perf_counter()
    names = chosen.settings or list(settings())
    records = finished(chosen.resume)
    if not chosen.table:
        done = {
            (r["setting"], r["effect"], r["seed"], r["communes"], part)
            for r in records
            for part in r["parts"]
        }
        tasks = []
        for seed, *rest in itertools.product(range(1, chosen.provinces + 1), chosen.effects, names):
            key = (rest[1], rest[0], seed, chosen.communes)
            parts = [part for part in chosen.parts if (*key, part) not in done]
            tasks += [(*key, parts)] if parts else []
        records += run(tasks, workers=chosen.workers, file=chosen.resume)
        print(f"{len(tasks)} provinces in {time.perf_counter() - began:.0f} s")
    made = table(records)
    if chosen.settings:
        made = made[made["setting"].isin(chosen.settings)]
    if chosen.compact:
        print(compact(made))
    else:
        print(markdown(made) if chosen.markdown else made.round(3).to_string(index=False))
    if chosen.json:
        made.to_json(chosen.json, orient="records", indent=1)


if __name__ == "__main__":
    main()
