"""Household designs: borrowers and others made comparable before their changes are compared."""

from dataclasses import dataclass, field, replace

import numpy as np
import pandas as pd

from evalkit.errors import DataError
from evalkit.impact import estimation, frames, gates, regression
from evalkit.impact.effect import TABLE, Effect

# Crump, Hotz, Imbens & Mitnik (2009), Biometrika 96: outside these scores the comparison rests on nobody.
LEAST_SCORE, MOST_SCORE = 0.1, 0.9


@dataclass(frozen=True)
class Comparable:
    """Households kept, with score and weight, the share of the treated kept, and the balance.

    balance: per covariate the means of treated and others and their standardised difference before and after.
    """

    frame: pd.DataFrame
    overlap: float
    balance: pd.DataFrame


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
    return Comparable(frame.assign(score=score, comparison_weight=weight)[kept], overlap, balance)


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

    households: one row per household and time. treated: 0 and 1 at ``as_of``, a time between the two (at
    ``after`` where none is named); covariates: as of ``before``. earlier: a time before ``before``, from
    which the same comparison must find no difference. cluster: the level at which credit is decided (the savings-and-loan group, or the commune),
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
    at = {
        t: households[households[time] == t].set_index(unit) for t in {before, after, as_of, earlier} - {None}
    }
    changes = at[before][list(dict.fromkeys([*covariates, *frames.columns_of(weights, cluster)]))].copy()
    changes["change"] = at[after][outcome] - at[before][outcome]
    changes[treated] = at[as_of][treated]
    if earlier is not None:
        changes["earlier change"] = at[before][outcome] - at[earlier][outcome]
    changes = changes.dropna(subset=["change", treated]).reset_index()
    match = comparable(changes, treated=treated, covariates=covariates, weights=weights)
    model = {
        "regressors": treated,
        "controls": covariates,
        "weights": "comparison_weight",
        "cluster": cluster or unit,
    }
    design = regression.prepare(match.frame, outcome="change", **model)
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
        p = regression.fit(regression.prepare(match.frame, outcome="earlier change", **model)).wald_p(
            [treated]
        )
    effect = replace(
        effect,
        method=f"weighted difference in differences of households, {effect.method}",
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
