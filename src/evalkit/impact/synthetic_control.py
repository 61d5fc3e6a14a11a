"""Synthetic control: one treated unit against the weighted average of others that tracked it before.

Donor weights minimise (x₁ − X₀w)'V(x₁ − X₀w) over w ≥ 0, Σw = 1. Since Σw = 1 the distance is ‖Bw‖ with
B = V^½(X₀ − x₁1'), and the point of a hull nearest the origin comes from non-negative least squares exactly:
‖Bu‖² + (1 − Σu)² is smallest at a multiple of the w sought. Predictor weights V minimise the error in the
outcome before the start; that function has many valleys, so several starts are searched.

Sources: Abadie & Gardeazabal (2003), AER 93; Abadie, Diamond & Hainmueller (2010), JASA 105.
"""

from dataclasses import dataclass, replace

import numpy as np
import pandas as pd

from evalkit.errors import DataError, ParameterError
from evalkit.impact import frames, gates
from evalkit.impact.effect import Reason, SyntheticControl

# Predictor weights tried before the search: with one start California ranks ninth of 39 instead of first.
# The best few are searched roughly and the best of those finely, until the error changes by less than this
# share. Twice the effort moves the error before the start of no state's control by as much as it moves
# another's back.
TRIED, KEPT = 200, 4
ROUGH_STEPS, ROUGH_TOLERANCE = 200, 1e-4
FINE_STEPS, FINE_TOLERANCE = 600, 1e-9
# Predictor weights are searched as logarithms down to e^-14: a predictor of less weight than a millionth
# has none.
LOG_RANGE = 14.0
# A p-value of 0.05 needs nineteen other units.
ENOUGH_PLACEBOS = 20


@dataclass(frozen=True)
class Problem:
    """Outcomes (times, units), scaled predictors (predictors, units), which times lie before the start."""

    outcomes: np.ndarray
    predictors: np.ndarray
    before: np.ndarray
    names: tuple[str, ...]
    units: tuple
    times: np.ndarray
    raw: pd.DataFrame
    outcome_only: bool


def synthetic_control(
    panel,
    *,
    outcome,
    unit,
    time,
    treated,
    start,
    predictors=None,
    placebos=True,
    placebo_table=None,
    seed=20141122,
    despite=(),
):
    """Effect on one treated unit as its gap to a synthetic control.

    panel: one row per unit and time. treated: the unit. start: the first treated time. predictors: pairs
    (column, times), each a mean over those times; without them every outcome before the start is one.
    placebos: give every unit the treated one's place and rank it by the ratio of mean squared gaps after and
    before the start; pass the table of ``all_placebos`` as placebo_table to compute it once for many units.

    The estimate is the mean gap from the start on, in outcome units. p_value = rank / units, the smallest
    possible being 1 / units. There is no standard error. Donors with a missing outcome or predictor are left
    out. Gates: years_before, years_after, pre_fit, one_basis, merged_units. Level L3 with placebos, else L2.
    """
    problem, said = pose(panel, outcome, unit, time, start, predictors, treated)
    column = problem.units.index(treated)
    weights, importance = solve(problem, column, seed)
    gaps = gap_table(problem, column, weights)
    ratio_to_spread = fit_ratio(problem, column, weights)
    effect = SyntheticControl(
        float(gaps.loc[~gaps["before"], "gap"].mean()),
        n=problem.outcomes.size,
        clusters=len(problem.units),
        outcome=outcome,
        dose=f"{treated} from {start}",
        warnings=said,
        gaps=gaps,
        method=f"synthetic control, {len(problem.units) - 1} donors, {len(problem.names)} predictors",
        weights=pd.Series(weights, index=[u for u in problem.units if u != treated]).sort_values(
            ascending=False
        ),
        predictor_weights=pd.Series(importance, index=problem.names),
        balance=balance_table(problem, column, weights),
        diagnostics={"pre_rmspe": float(np.sqrt((gaps.loc[gaps["before"], "gap"] ** 2).mean()))},
    )
    if placebos:
        table = every_unit(problem, seed) if placebo_table is None else placebo_table
        effect = with_rank(effect, table, treated)
    conditions = [
        gates.years_before(int(problem.before.sum()), gates.FEWEST_FIT_PERIODS),
        gates.years_after(int((~problem.before).sum()), 1),
        gates.pre_fit(ratio_to_spread),
        *gates.data_gates(panel, outcome, unit),
    ]
    return gates.judge(effect, conditions, level="L3" if placebos else "L2", despite=despite)


def all_placebos(panel, *, outcome, unit, time, start, predictors=None, seed=20141122):
    """Return one row per unit, each treated in turn: pre_mspe, post_mspe, ratio, effect, rank, p_value.

    Computed once it serves the synthetic control of every unit.
    """
    problem, _ = pose(panel, outcome, unit, time, start, predictors)
    return every_unit(problem, seed)


def pose(panel, outcome, unit, time, start, predictors, treated=None):
    """Return the Problem, and warnings of the donors left out for a missing value."""
    panel = frames.tabled(panel, outcome, unit, time, [column for column, _ in predictors or ()])
    frames.check_numbers(panel, outcome, [column for column, _ in predictors or ()])
    if panel.duplicated([unit, time]).any():
        raise DataError(f"panel: several rows for one {unit} and {time}. Keep one.")
    outcomes = panel.pivot(index=time, columns=unit, values=outcome).sort_index().astype(float)
    if treated is not None and treated not in outcomes.columns:
        raise ParameterError(
            f"treated={treated!r}: not among the {outcomes.shape[1]} units of column {unit!r}. Name "
            f"one that is."
        )
    before = np.asarray(outcomes.index < start)
    if not before.any() or before.all():
        raise ParameterError(
            f"start={start!r}: the times run from {outcomes.index[0]} to {outcomes.index[-1]}. "
            f"Start between them."
        )
    if predictors:
        parts = {}
        for column, times in predictors:
            times = list(np.atleast_1d(np.asarray(times)))
            rows = panel[panel[time].isin(times)]
            if rows.empty:
                raise ParameterError(f"predictors: no row of {column!r} in {times}. Name times of the panel.")
            label = f"{column} {times[0]}" + (f"-{times[-1]}" if len(times) > 1 else "")
            parts[label] = rows.groupby(unit)[column].mean()
        raw = pd.DataFrame(parts).T.reindex(columns=outcomes.columns).astype(float)
    else:
        raw = outcomes[before].set_axis([f"{outcome} {t}" for t in outcomes.index[before]])
    complete = outcomes.notna().all() & raw.notna().all()
    if treated is not None and not complete[treated]:
        raise DataError(
            f"panel: {treated!r} misses an outcome or predictor. Fill it, or leave the predictor out."
        )
    outcomes, raw = outcomes.loc[:, complete], raw.loc[:, complete]
    if outcomes.shape[1] < 3:
        raise DataError(
            f"panel: {outcomes.shape[1]} units are complete; a treated unit and two donors are needed."
        )
    lost = int((~complete).sum())
    scale = raw.std(axis=1).replace(0.0, 1.0)
    problem = Problem(
        outcomes.to_numpy(),
        raw.div(scale, axis=0).to_numpy(),
        before,
        tuple(raw.index),
        tuple(outcomes.columns),
        outcomes.index.to_numpy(),
        raw,
        not predictors,
    )
    return problem, ((Reason("donors_left_out", {"units": lost}),) if lost else ())


def solve(problem, column, seed):
    """Return donor weights and predictor weights for the unit in ``column``."""
    others = np.delete(np.arange(problem.outcomes.shape[1]), column)
    path = problem.outcomes[problem.before]
    miss = path[:, others] - path[:, [column]]
    if problem.outcome_only:
        return hull_weights(miss), np.full(len(problem.names), 1 / len(problem.names))
    difference = problem.predictors[:, others] - problem.predictors[:, [column]]
    return search(difference, miss, starts_of(problem, column, seed))


def hull_weights(difference):
    """Return w ≥ 0 with Σw = 1 that brings ``difference`` @ w nearest zero."""
    return Hull(difference).weights(np.ones(len(difference)))


class Hull:
    """Nearest points to zero in the hull of some columns, for many weightings of the rows."""

    def __init__(self, difference):
        self.rows = difference / (np.abs(difference).max() or 1.0)
        self.stacked = np.ones((len(difference) + 1, difference.shape[1]))
        self.target = np.zeros(len(difference) + 1)
        self.target[-1] = 1.0

    def weights(self, roots):
        """Return the weights of the columns when each row counts ``roots`` squared."""
        from scipy.optimize import nnls

        np.multiply(roots[:, None], self.rows, out=self.stacked[:-1])
        u = nnls(self.stacked, self.target, maxiter=100 * self.stacked.shape[1])[0]
        return u / u.sum()


def search(difference, miss, starts):
    """Return donor and predictor weights with the least error before the start, over all starts."""
    from scipy.optimize import minimize

    hull = Hull(difference)

    def weights(log_importance):
        return hull.weights(np.exp((log_importance - log_importance.max()) / 2))

    def error(log_importance):
        missed = miss @ weights(log_importance)
        return missed @ missed / len(missed)

    rough = {"xtol": 1e-2, "ftol": ROUGH_TOLERANCE, "maxfev": ROUGH_STEPS}
    bounds = [(-LOG_RANGE, 0.0)] * len(difference)
    promising = sorted((np.log(start / start.max()) for start in starts), key=error)[:KEPT]
    found = [minimize(error, x, method="Powell", bounds=bounds, options=rough) for x in promising]
    best = min(found, key=lambda f: f.fun)
    fine = {"adaptive": True, "xatol": 1e-3, "fatol": FINE_TOLERANCE * best.fun, "maxfev": FINE_STEPS}
    best = minimize(error, best.x, method="Nelder-Mead", options=fine)
    importance = np.exp(best.x - best.x.max())
    return weights(best.x), importance / importance.sum()


def starts_of(problem, column, seed):
    """Return predictor weights to try: equal, of a regression of the outcome, each alone, random."""
    k = len(problem.names)
    design = np.column_stack([np.ones(problem.predictors.shape[1]), problem.predictors.T])
    slopes = np.linalg.lstsq(design, problem.outcomes[problem.before].T, rcond=None)[0][1:]
    rng = np.random.default_rng([seed, column])
    tried = [np.ones(k), (slopes**2).sum(axis=1), *(np.eye(k) + 1e-3), *rng.dirichlet(np.full(k, 0.5), TRIED)]
    return [np.maximum(start / start.max(), np.exp(-LOG_RANGE)) for start in tried]


def gap_table(problem, column, weights):
    """Return per time the treated and the synthetic value, their gap, and whether before the start."""
    others = np.delete(np.arange(problem.outcomes.shape[1]), column)
    treated, synthetic = problem.outcomes[:, column], problem.outcomes[:, others] @ weights
    return pd.DataFrame(
        {
            "time": problem.times,
            "treated": treated,
            "synthetic": synthetic,
            "gap": treated - synthetic,
            "before": problem.before,
        }
    )


def balance_table(problem, column, weights):
    """Return per predictor the treated unit's value, the synthetic control's and the donors' mean."""
    donors = problem.raw.drop(columns=problem.units[column])
    return pd.DataFrame(
        {
            "treated": problem.raw[problem.units[column]],
            "synthetic": donors.to_numpy() @ weights,
            "donors": donors.mean(axis=1),
        }
    )


def fit_ratio(problem, column, weights):
    """Return the error before the start as a share of the spread between units in those times."""
    others = np.delete(np.arange(problem.outcomes.shape[1]), column)
    path = problem.outcomes[problem.before]
    error = np.sqrt(((path[:, column] - path[:, others] @ weights) ** 2).mean())
    return float(error / np.sqrt(path.var(axis=1).mean()))


def every_unit(problem, seed):
    """Return one row per unit, each in the treated one's place against all others."""
    rows = []
    for column, name in enumerate(problem.units):
        weights, _ = solve(problem, column, seed)
        gaps = gap_table(problem, column, weights)
        early, late = gaps.loc[gaps["before"], "gap"], gaps.loc[~gaps["before"], "gap"]
        rows.append(
            (name, (early**2).mean(), (late**2).mean(), late.mean(), fit_ratio(problem, column, weights))
        )
    table = pd.DataFrame(rows, columns=["unit", "pre_mspe", "post_mspe", "effect", "pre_fit"])
    table.insert(3, "ratio", table["post_mspe"] / table["pre_mspe"].where(table["pre_mspe"] > 0))
    table["rank"] = table["ratio"].fillna(np.inf).rank(ascending=False, method="max").astype(int)
    return table.assign(p_value=table["rank"] / len(table))


def with_rank(effect, table, treated):
    """Return the effect with the treated unit's rank among all units, and a warning where they are few."""
    row = table.set_index("unit").loc[treated]
    figures = {"mspe_ratio": float(row["ratio"]), "rank": int(row["rank"]), "units": len(table)}
    said = effect.warnings
    if len(table) < ENOUGH_PLACEBOS:
        said = (*said, Reason("few_placebos", {"units": len(table), "least": gates.number(1 / len(table))}))
    return replace(
        effect,
        p_value=float(row["p_value"]),
        placebos=table,
        diagnostics={**effect.diagnostics, **figures},
        warnings=said,
    )
