"""What self-reported, targeted figures do to an estimate: heaping at a threshold, and return to the mean."""

import numpy as np
import pandas as pd

from evalkit.errors import DataError, ParameterError
from evalkit.impact import frames, regression


def heaping(values, *, threshold, window, favourable="above"):
    r"""Whether figures crowd just on the rewarded side of a threshold.

    Under a smooth density about half of the figures within ``window`` of the threshold lie on either side.
    favourable: "above" counts threshold ≤ x < threshold + window against threshold − window ≤ x <
    threshold; "below" counts threshold − window < x ≤ threshold against those beyond. Test: exact binomial,
    one-sided. Choose a window so narrow that the density is close to flat in it, and at least ten times the
    rounding of the figures.

    Returns one row: threshold, window, favourable, other, share, lower, upper (exact 95 % of the share),
    p_value. Source: Cattaneo, Frandsen & Titiunik (2015), J. Causal Inference 3 (local randomisation);
    Clopper & Pearson (1934).
    """
    from scipy.stats import binomtest

    if favourable not in ("above", "below") or window <= 0:
        raise ParameterError("heaping: favourable is 'above' or 'below', and window is positive.")
    x = pd.Series(values, dtype=float).dropna().to_numpy()
    distance = (x - threshold) * (1 if favourable == "above" else -1)
    good, other = (
        int(((distance >= 0) & (distance < window)).sum()),
        int(((distance < 0) & (distance >= -window)).sum()),
    )
    if good + other == 0:
        return pd.DataFrame(
            [
                {
                    "threshold": threshold,
                    "window": window,
                    "favourable": 0,
                    "other": 0,
                    "share": np.nan,
                    "lower": np.nan,
                    "upper": np.nan,
                    "p_value": np.nan,
                }
            ]
        )
    test = binomtest(good, good + other, 0.5, alternative="greater")
    bounds = binomtest(good, good + other).proportion_ci(method="exact")
    return pd.DataFrame(
        [
            {
                "threshold": threshold,
                "window": window,
                "favourable": good,
                "other": other,
                "share": good / (good + other),
                "lower": float(bounds.low),
                "upper": float(bounds.high),
                "p_value": float(test.pvalue),
            }
        ]
    )


def mean_reversion(panel, *, outcome, unit, time, start, end, noise_variance=None):
    r"""How much of the change between two times goes with where each unit stood at first.

    Regresses the change on the value at ``start``, with heteroskedasticity-robust errors (HC1). Noise in
    the first value alone gives a slope of −s²/Var(y₀), s² the variance of the noise; pass noise_variance
    (for shares p of N households: the mean of p(1 − p)/N) to see how much of the slope it accounts for.
    Conditioning on the baseline, or comparing with units of the same baseline, is then due.

    Returns one row: slope, std_error, lower, upper, p_value, n, noise_slope. Source: Galton (1886);
    Barnett, van der Pols & Dobson (2005), Int. J. Epidemiology 34.
    """
    panel = frames.tabled(panel, outcome, unit, time)
    if panel.duplicated([unit, time]).any():
        raise DataError(f"panel: several rows for one {unit} and {time}. Keep one.")
    wide = panel[panel[time].isin([start, end])].pivot(index=unit, columns=time, values=outcome)
    if start not in wide or end not in wide:
        raise ParameterError(f"start={start!r}, end={end!r}: one of them is not in column {time!r}.")
    wide = pd.DataFrame({"baseline": wide[start], "change": wide[end] - wide[start]}).dropna()
    design = regression.prepare(wide, outcome="change", regressors="baseline")
    row = regression.fit(design).table().iloc[0]
    noise = np.nan if noise_variance is None else -float(noise_variance) / float(wide["baseline"].var())
    return pd.DataFrame(
        [
            {
                "slope": row.estimate,
                "std_error": row.std_error,
                "lower": row.lower,
                "upper": row.upper,
                "p_value": row.p_value,
                "n": len(wide),
                "noise_slope": noise,
            }
        ]
    )


def same_baseline(panel, *, outcome, unit, time, baseline, neighbours=10):
    """Return for each unit those whose outcome at ``baseline`` lay nearest: unit, comparator, distance.

    Ties are kept in order of the unit's name, so the choice is the same on every run.
    """
    panel = frames.tabled(panel, outcome, unit, time)
    first = panel[panel[time] == baseline].set_index(unit)[outcome].dropna().astype(float).sort_index()
    if len(first) < 2:
        raise ParameterError(f"baseline={baseline!r}: fewer than two units have {outcome!r} then.")
    gap = np.abs(first.to_numpy()[:, None] - first.to_numpy()[None, :])
    np.fill_diagonal(gap, np.inf)
    take = min(neighbours, len(first) - 1)
    nearest = np.argsort(gap, axis=1, kind="stable")[:, :take]
    names = first.index.to_numpy()
    return pd.DataFrame(
        {
            unit: np.repeat(names, take),
            "comparator": names[nearest].ravel(),
            "distance": np.take_along_axis(gap, nearest, 1).ravel(),
        }
    )
