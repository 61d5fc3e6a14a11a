"""How sure: bootstrap, permutation, several outcomes, what could have been seen, partial pooling."""

from dataclasses import replace

import numpy as np
import pandas as pd

from evalkit.errors import DataError, ParameterError
from evalkit.impact import bootstrap, estimation, frames, gates, regression
from evalkit.metrics.estimate import check_confidence

# Draws that tie with the observed statistic count as ties whatever the order of summation was.
TIE = bootstrap.TIE
# Assignments handled at once in a permutation test.
BLOCK = 512


def wild_bootstrap(
    panel,
    *,
    outcome,
    dose,
    cluster,
    controls=(),
    absorb=(),
    instruments=(),
    weights=None,
    draws=9999,
    kind="auto",
    seed=20141122,
    despite=(),
    confidence=0.95,
):
    """Wild cluster bootstrap of a coefficient, with the null imposed and the interval by inversion.

    absorb: columns whose effects are absorbed. kind: "auto" and "rademacher" flip signs, and take every
    pattern where 2^clusters is no more than ``draws``; "webb" draws six-point weights, for few clusters.
    p_wild is the share of draws (the sample among them) at least as extreme; lower and upper hold the
    values not rejected, and ``headline`` is p_wild however many the clusters. p_value stays the
    conventional one. With one instrument the test is Anderson–Rubin's. Gates: clusters, treated_clusters (with the null
    imposed, hardly any draw is further out than the sample where one cluster alone is treated). Level L2.

    Sources: Cameron, Gelbach & Miller (2008); MacKinnon (2023); Webb (2023); Davidson & MacKinnon (2010); MacKinnon &
    Webb (2018).
    """
    design = regression.prepare(
        panel,
        outcome=outcome,
        regressors=dose,
        controls=controls,
        instruments=instruments,
        absorb=absorb,
        weights=weights,
        cluster=cluster,
    )
    effect = estimation.estimate(design, outcome=outcome, dose=dose, wild=False, confidence=confidence)
    effect = estimation.with_bootstrap(effect, design, draws=draws, seed=seed, kind=kind)
    effect = replace(
        effect,
        lower=effect.diagnostics["wild_lower"],
        upper=effect.diagnostics["wild_upper"],
        headline="p_wild",
        warnings=(*estimation.left_out(panel, design), *effect.warnings, *estimation.disagreement(effect)),
    )
    moved = estimation.moved_clusters(design, *(frames.columns_of(instruments) or [dose]))
    effect = replace(effect, warnings=(*effect.warnings, *gates.few_treated(moved)))
    conditions = [gates.clusters(design.cluster_count), gates.treated_clusters(moved)]
    return gates.judge(effect, conditions, level="L2", despite=despite)


def randomisation_inference(
    panel,
    *,
    outcome,
    dose,
    unit,
    controls=(),
    absorb=(),
    strata=None,
    weights=None,
    cluster=None,
    draws=1999,
    seed=20141122,
):
    """P-value of no effect on any unit: the doses are dealt out anew among the units, their paths kept whole.

    strata: a column within which doses are exchanged (a district, say). Units exchange the whole path of the
    dose over the rows they have in order; all must have as many rows. Statistic: the clustered t. Returns a
    table of one row: estimate, t, p_value, draws.

    Raises DataError where units differ in their number of rows. Source: Young (2019), QJE 134.
    """
    frames.check_draws(draws)
    if len(frames.columns_of(cluster)) > 1:
        raise ParameterError("cluster: a permutation test takes clusters of one kind. Name one column.")
    design = regression.prepare(
        panel,
        outcome=outcome,
        regressors=dose,
        controls=controls,
        absorb=absorb,
        weights=weights,
        cluster=cluster or unit,
    )
    frame = design.frame
    if strata is not None:
        frames.constant_within(frame, strata, unit, "Give each unit one.")
        if frame[strata].isna().any():
            raise DataError(
                f"panel, column {strata!r}: {int(frame[strata].isna().sum())} rows have none. Fill them, or leave them out."
            )
    codes, names = pd.factorize(frame[unit])
    counts = np.bincount(codes)
    if len(set(counts)) > 1:
        raise DataError(
            f"panel: units have {counts.min()} to {counts.max()} rows; doses can only be exchanged "
            f"between equal ones."
        )
    order = np.argsort(codes, kind="stable").reshape(len(names), -1)
    layer = np.zeros(len(names), int) if strata is None else pd.factorize(frame.iloc[order[:, 0]][strata])[0]
    paths = frame[dose].to_numpy(float)[order]
    rng = np.random.default_rng(seed)
    estimates, t = [], []
    for start in range(0, draws + 1, BLOCK):
        block = []
        for number in range(start, min(start + BLOCK, draws + 1)):
            dealt = np.arange(len(names)) if number == 0 else deal(layer, rng)
            column = np.empty(len(frame))
            column[order] = paths[dealt]
            block.append(column)
        b, statistic = many_t(design, np.column_stack(block))
        estimates.append(b)
        t.append(statistic)
    t = np.abs(np.concatenate(t))
    return pd.DataFrame(
        [
            {
                "estimate": float(estimates[0][0]),
                "t": float(t[0]),
                "p_value": float((t >= t[0] * (1 - TIE)).mean()),
                "draws": draws,
            }
        ]
    )


def by_placebos(estimate, placebos, confidence):
    """Return estimate, error, interval and p-value by the spread of placebos and the rank among them.

    Source: Arkhangelsky et al. (2021), AER 111, algorithm 4.
    """
    from scipy.stats import norm

    error = float(placebos.std())
    reach = norm.ppf(0.5 + confidence / 2) * error
    p = (1 + (np.abs(placebos) >= abs(estimate)).sum()) / (1 + len(placebos))
    return estimate, error, estimate - reach, estimate + reach, float(p)


def deal(layer, rng):
    """Return a permutation of the units that keeps each within its layer."""
    dealt = np.arange(len(layer))
    for code in np.unique(layer):
        members = np.flatnonzero(layer == code)
        dealt[members] = rng.permutation(members)
    return dealt


def many_t(design, doses):
    """Return coefficient and clustered t of each column of doses in place of the design's own dose."""
    from scipy.sparse import csr_array

    weight = design.root_weights**2
    clean = regression.absorb_effects(doses, design.absorbed, weight) * design.root_weights[:, None]
    others = design.x[:, 1:]
    if others.shape[1]:
        clean = clean - others @ np.linalg.lstsq(others, clean, rcond=None)[0]
        y = design.y - others @ np.linalg.lstsq(others, design.y, rcond=None)[0]
    else:
        y = design.y
    squares = (clean**2).sum(axis=0)
    b = clean.T @ y / squares
    scores = clean * (y[:, None] - clean * b)
    by_cluster = csr_array((np.ones(len(y)), (design.clusters, np.arange(len(y))))) @ scores
    with np.errstate(divide="ignore", invalid="ignore"):
        return b, b * squares / np.sqrt((by_cluster**2).sum(axis=0))


def adjust_p_values(p_values, *, method="holm"):
    """Return p-values adjusted for their number: "holm" (any wrong one) or "fdr_bh" (their share).

    p_values: a Series or list; missing ones stay missing and don't count. Sources: Holm (1979), Scand. J.
    Stat. 6; Benjamini & Hochberg (1995), JRSS B 57.
    """
    from statsmodels.stats.multitest import multipletests

    if method not in ("holm", "fdr_bh"):
        raise ParameterError(f"method {method!r}: use 'holm' or 'fdr_bh'.")
    given = pd.Series(p_values, dtype=object)
    p = pd.to_numeric(given, errors="coerce").astype(float)
    wrong = given[(p.isna() & given.notna()) | (p < 0) | (p > 1)]
    if len(wrong):
        raise ParameterError(
            f"p_values: found {wrong.iloc[0]!r}. Give numbers from 0 to 1, missing where refused."
        )
    known = p.notna()
    adjusted = p.copy()
    if known.any():
        adjusted[known] = multipletests(p[known], method=method)[1]
    return adjusted


def romano_wolf(
    panel,
    *,
    outcomes,
    dose,
    cluster,
    controls=(),
    absorb=(),
    weights=None,
    draws=9999,
    seed=20141122,
    confidence=0.95,
):
    """One row per outcome: estimate, std_error, p_value, p_wild, p_adjusted for all outcomes together.

    The wild bootstrap draws the same weights for every outcome, so their dependence is kept; the stepdown
    compares each |t| with the largest of the outcomes not yet rejected. All outcomes use the rows complete in
    all. Source: Romano & Wolf (2005, 2016), Statistics & Probability Letters 113.
    """
    check_confidence(confidence)
    rows, t = [], []
    outcomes = frames.columns_of(outcomes)
    frames.check_columns(panel, *outcomes)
    complete = panel.dropna(subset=outcomes)
    for outcome in outcomes:
        design = regression.prepare(
            complete,
            outcome=outcome,
            regressors=dose,
            controls=controls,
            absorb=absorb,
            weights=weights,
            cluster=cluster,
        )
        row = regression.fit(design).table(confidence).iloc[0]
        scores = bootstrap.scores(design, draws=draws, rng=seed)
        rows.append(
            {
                "outcome": outcome,
                **row.drop("term"),
                "p_wild": scores.p_value(),
                "n": len(design.y),
                "clusters": design.cluster_count,
            }
        )
        t.append(np.abs(scores.t(0.0)))
    return pd.DataFrame(rows).assign(p_adjusted=stepdown(np.array(t)))


def stepdown(statistics):
    """Return the adjusted p-value of each row of |t| (outcomes, draws), the sample's in column 0."""
    observed = statistics[:, 0]
    order = np.argsort(-observed)
    adjusted = np.empty(len(observed))
    least = 0.0
    for place, row in enumerate(order):
        largest = statistics[order[place:]].max(axis=0)
        least = max(least, float((largest >= observed[row] * (1 - TIE)).mean()))
        adjusted[row] = least
    return adjusted


def partial_pooling(effects, *, estimate="estimate", std_error="std_error", confidence=0.95):
    r"""Pull noisy estimates of many places towards their mean as far as noise warrants (empirical Bayes).

    .. math:: \tilde\theta_i = \hat\mu + \frac{\hat\tau^2}{\hat\tau^2 + s_i^2} (\hat\theta_i - \hat\mu)

    τ², the variance of true effects between places, is found by Paule and Mandel's iteration. Returns the
    table with shrunk, shrunk_std_error, lower, upper, weight (1: left as it is, 0: the common mean), mean
    and tau2. The error includes that of the mean. A row without estimate or error gets the common mean and
    τ as its error.

    Sources: Morris (1983), JASA 78; Paule & Mandel (1982); DerSimonian & Kacker (2007).
    """
    from scipy.stats import norm
    from statsmodels.stats.meta_analysis import combine_effects

    check_confidence(confidence)
    frames.check_columns(effects, estimate, std_error, table="effects")
    known = effects[estimate].notna() & (effects[std_error] > 0)
    if known.sum() < 2:
        raise DataError(
            f"effects: {int(known.sum())} places have an estimate and a positive error; two are needed."
        )
    theta, variance = (
        effects.loc[known, estimate].to_numpy(float),
        effects.loc[known, std_error].to_numpy(float) ** 2,
    )
    pooled = combine_effects(theta, variance, method_re="iterated")
    tau2 = max(float(pooled.tau2), 0.0)
    precision = 1 / (tau2 + variance)
    mean, mean_variance = float(precision @ theta / precision.sum()), float(1 / precision.sum())
    weight = pd.Series(0.0, index=effects.index)
    weight[known] = tau2 / (tau2 + variance)
    shrunk = mean + weight * (effects[estimate].astype(float).fillna(mean) - mean)
    error = np.sqrt((1 - weight) * tau2 + (1 - weight) ** 2 * mean_variance)
    reach = norm.ppf(0.5 + confidence / 2) * error
    return effects.assign(
        shrunk=shrunk,
        shrunk_std_error=error,
        shrunk_lower=shrunk - reach,
        shrunk_upper=shrunk + reach,
        weight=weight,
        mean=mean,
        mean_std_error=np.sqrt(mean_variance),
        tau2=tau2,
    )
