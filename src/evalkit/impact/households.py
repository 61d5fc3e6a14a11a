"""Household designs: borrowers and others made comparable before their changes are compared."""

from dataclasses import dataclass, field, replace

import numpy as np
import pandas as pd

from evalkit.errors import DataError, ParameterError
from evalkit.impact import estimation, frames, gates, regression
from evalkit.impact.effect import TABLE, Effect, Reason

# Crump, Hotz, Imbens & Mitnik (2009), Biometrika 96: outside these scores the comparison rests on nobody.
LEAST_SCORE, MOST_SCORE = 0.1, 0.9


@dataclass(frozen=True)
class Comparable:
    """Households kept, with columns named ``score`` and ``weight``, the share of the treated kept, and the balance.

    balance: per covariate the means of treated and others and their standardised difference before and after.
    """

    frame: pd.DataFrame
    overlap: float
    balance: pd.DataFrame
    score: str = "score"
    weight: str = "comparison_weight"


def comparable(households, *, treated, covariates, weights=None):
    r"""Weight the untreated to resemble the treated: w = e(x)/(1 − e(x)), with e(x) the logit score.

    Households with a score outside 0.1 to 0.9 are left out. treated: column of 0 and 1. covariates: as they
    stood before. weights: survey weights, multiplied in. Raises DataError where nobody is left on one side.

    Source: Hirano, Imbens & Ridder (2003), Econometrica 71; Rosenbaum & Rubin (1983).
    """
    import statsmodels.api as sm

    covariates = frames.columns_of(covariates)
    households = frames.tabled(households, treated, covariates, weights, table="households")
    frame = households.dropna(subset=[treated, *covariates, *frames.columns_of(weights)])
    frames.check_zero_one(frame, treated, table="households")
    x = regression.indicators(frame, list(covariates))
    on = frame[treated].to_numpy(float)
    base = np.ones(len(frame)) if weights is None else frame[weights].to_numpy(float)
    scaled = (x - x.mean()) / x.std().replace(0.0, 1.0)
    model = sm.GLM(
        on,
        sm.add_constant(scaled.to_numpy(), has_constant="add"),
        family=sm.families.Binomial(),
        freq_weights=base / base.mean(),
    )
    score = model.fit().fittedvalues
    kept = (score > LEAST_SCORE) & (score < MOST_SCORE)
    overlap = float(base[kept & (on == 1)].sum() / base[on == 1].sum()) if (on == 1).any() else 0.0
    if not (kept & (on == 1)).any() or not (kept & (on == 0)).any():
        raise DataError(
            f"households: no {treated} and others with like covariates. Use fewer covariates, or "
            f"another comparison."
        )
    weight = base * np.where(on == 1, 1.0, score / (1 - score))
    balance = standardised(x, on, base, "before").join(standardised(x[kept], on[kept], weight[kept], "after"))
    names = frames.unused(frame, "score", "comparison_weight")
    kept_rows = frame.assign(**dict(zip(names, (score, weight), strict=True)))[kept]
    return Comparable(kept_rows, overlap, balance, *names)


def standardised(x, on, weight, label):
    """Return weighted means of both sides and their difference in standard deviations of the treated."""
    one, other = on == 1, on == 0
    mean = {
        side: np.average(x[rows], axis=0, weights=weight[rows])
        for side, rows in (("treated", one), ("others", other))
    }
    spread = np.sqrt(np.average((x[one] - mean["treated"]) ** 2, axis=0, weights=weight[one]))
    spread[spread == 0] = 1.0
    return pd.DataFrame(
        {
            f"treated_{label}": mean["treated"],
            f"others_{label}": mean["others"],
            f"difference_{label}": (mean["treated"] - mean["others"]) / spread,
        },
        index=x.columns,
    )


def household_difference(
    households,
    *,
    outcome,
    treated,
    covariates,
    unit,
    time,
    before,
    after,
    as_of=None,
    earlier=None,
    weights=None,
    cluster=None,
    wild=True,
    draws=9999,
    seed=20141122,
    despite=(),
    confidence=0.95,
):
    """Change of those who took up credit less the change of comparable others, the covariates held as well.

    households: one row per household and time. treated: 0 and 1 at ``as_of``, from ``before`` on and earlier than
    ``after`` (at ``after`` where none is named). covariates: as of ``before``. Take ``before`` = ``as_of`` with the
    outcome itself among the covariates: who borrows is decided by how the household stands then, and a baseline
    from an earlier round misses that (a warning says so). earlier: a time before ``before``, from which the same
    comparison must find no difference. cluster: the level at which credit is decided (the savings-and-loan group, or the commune),
    the household where none is named. Weighting and regression are both used: one of the two suffices
    (doubly robust).

    Estimates the effect on the treated where selection follows what was measured, or never changes. Gates:
    overlap, balance, clusters; dated_before demotes to L1 where credit is read at the same time as the
    outcome (whoever is poor then may borrow for it); pre_trends, untested without ``earlier``. Level L2: who
    borrows is chosen. Diagnostics: overlap, pre_trends_p; ``gates`` and the effect's coefficients hold the rest. Raises DataError where a
    household has two rows.

    Sources: Heckman, Ichimura & Todd (1997); Abadie (2005), Rev. Econ. Stud. 72; Sant'Anna & Zhao (2020).
    """
    covariates = frames.columns_of(covariates)
    needed = frames.columns_of(outcome, treated, covariates, unit, time, weights, cluster)
    households = frames.tabled(households, needed, table="households")
    if households.duplicated([unit, time]).any():
        raise DataError(f"households: several rows for one {unit} and {time}. Keep one.")
    as_of = after if as_of is None else as_of
    if not before < after or as_of > after:
        raise ParameterError(f"before={before!r}, as_of={as_of!r}, after={after!r}: give them in this order.")
    if earlier is not None and not earlier < before:
        raise ParameterError(f"earlier={earlier!r}: lies before before={before!r}. Name an earlier time.")
    at = {
        t: households[households[time] == t].set_index(unit) for t in {before, after, as_of, earlier} - {None}
    }
    absent = [t for t, rows in at.items() if rows.empty]
    if absent:
        there = ", ".join(map(str, sorted(households[time].dropna().unique())))
        raise ParameterError(f"households, column {time!r}: no row of {absent[0]!r}; there are {there}.")
    changes = at[before][list(dict.fromkeys([*covariates, *frames.columns_of(weights, cluster)]))].copy()
    change, past, borrowed = frames.unused(
        changes, f"change of {outcome}", f"earlier change of {outcome}", f"{treated}"
    )
    changes[change] = at[after][outcome] - at[before][outcome]
    changes[borrowed] = at[as_of][treated]
    if earlier is not None:
        changes[past] = at[before][outcome] - at[earlier][outcome]
    changes = changes.dropna(subset=[change, borrowed]).reset_index()
    match = comparable(changes, treated=borrowed, covariates=covariates, weights=weights)
    model = {
        "regressors": borrowed,
        "controls": covariates,
        "weights": match.weight,
        "cluster": cluster or unit,
    }
    design = regression.prepare(match.frame, outcome=change, **model)
    effect = estimation.estimate(
        design,
        outcome=outcome,
        dose=treated,
        wild=wild and cluster is not None,
        draws=draws,
        seed=seed,
        confidence=confidence,
    )
    p = None
    if earlier is not None:
        p = regression.fit(regression.prepare(match.frame, outcome=past, **model)).wald_p([borrowed])
    effect = replace(
        effect,
        method=f"weighted difference in differences of households, {effect.method}",
        warnings=effect.warnings
        + ((Reason("older_baseline", {"before": before, "as_of": as_of}),) if before < as_of < after else ()),
        diagnostics={**effect.diagnostics, "overlap": match.overlap, "pre_trends_p": p},
    )
    conditions = [
        gates.clusters(design.cluster_count),
        gates.overlap(match.overlap),
        gates.balance(match.balance["difference_after"]),
        gates.gate("dated_before", as_of < after, cap="L1", found=as_of, treated=treated, outcome=outcome),
        gates.pre_trends(p),
    ]
    return gates.judge(as_household(effect, match.balance), conditions, level="L2", despite=despite)


@dataclass(frozen=True)
class HouseholdEffect(Effect):
    """An Effect with the balance of covariates behind it, before and after weighting."""

    balance: pd.DataFrame = field(default_factory=pd.DataFrame, **TABLE)


def as_household(effect, balance):
    """Return an Effect with its balance."""
    return HouseholdEffect(
        **{name: getattr(effect, name) for name in Effect.__dataclass_fields__}, balance=balance
    )
