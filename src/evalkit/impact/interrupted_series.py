"""Interrupted series: a line before a date, another after it."""

from dataclasses import dataclass, replace

import numpy as np
import pandas as pd

from evalkit.errors import DataError, ParameterError
from evalkit.impact import autoregressive, frames, gates, regression
from evalkit.impact.effect import Effect, Reason

# Pairs of waves that stand for the season: two follow a year with one peak and one shoulder (Bernal et al.
# 2017).
SEASON_WAVES = 2
# Newey–West errors come too small from a few dozen periods (Kiefer & Vogelsang 2005, Econometric Theory 21): of
# twelve-year series in benchmarks/impact_coverage.py they miss one in four.
LONG_SERIES = 30


@dataclass(frozen=True)
class SeriesEffect(Effect):
    """An Effect with the p-value from errors of first-order autocorrelation (gaussian series only)."""

    p_autocorrelated: float = np.nan


def interrupted_series(
    series,
    *,
    outcome,
    time,
    start,
    slope_change=True,
    lags=None,
    family="gaussian",
    offset=None,
    season=None,
    despite=(),
    confidence=0.95,
):
    r"""Change of level, and of slope, of one series at a date.

    .. math:: y_t = \beta_0 + \beta_1 t + \beta_2 D_t + \beta_3 (t - s) D_t + e_t

    with t counted from zero at the first row and D_t = 1 from ``start`` on. series: one row per time,
    equally spaced. slope_change: whether the slope may change as well. season: rows per cycle (12 for
    months in a year); two pairs of sines and cosines are added, as far as so many rows tell them apart.

    family "gaussian": least squares with Newey–West errors of ``lags`` lags, scaled by n/(n − k); None
    takes ⌊4 (n/100)^{2/9}⌋. Below 30 periods these errors are too small: unless ``lags`` is given, lower and
    upper and the headline p-value (``p_autocorrelated``) then come from errors of first-order autocorrelation
    (see ``autoregressive``); std_error and p_value stay Newey–West's. Unit: the outcome's. family "poisson": counts, with log(``offset``) as their
    exposure, so coefficients are logarithms of rate ratios; errors are widened by the Pearson dispersion,
    or are Newey–West where ``lags`` is given.

    The estimate is the change of level at ``start``; ``coefficients`` holds level, slope, level change,
    slope change and slope after. A single series has nothing to be compared with: level L1. Gates:
    years_before and years_after, one_basis. Raises DataError where times repeat or leave gaps,
    ParameterError where ``start`` lies outside them.

    Sources: Linden (2015), Stata Journal 15; Newey & West (1987, 1994); Bernal, Cummins & Gasparrini (2017),
    Int. J. Epidemiology 46.
    """
    series = frames.tabled(series, outcome, time, offset, table="series")
    frames.check_numbers(series, outcome, offset, table="series")
    if family not in ("gaussian", "poisson"):
        raise ParameterError(f"family {family!r}: use 'gaussian' or 'poisson'.")
    if lags is not None and (isinstance(lags, bool) or not isinstance(lags, int | np.integer) or lags < 0):
        raise ParameterError(f"lags={lags!r}: a whole number, zero or more.")
    if season is not None and (
        isinstance(season, bool) or not isinstance(season, int | np.integer) or season < 2
    ):
        raise ParameterError(f"season={season!r}: rows per cycle, a whole number of at least 2.")
    if offset is not None and family != "poisson":
        raise ParameterError("offset: only counts (family='poisson') have an exposure. Leave it out.")
    frame = series.dropna(subset=[outcome, time, *frames.columns_of(offset)]).sort_values(
        time, ignore_index=True
    )
    if frame.empty:
        raise DataError(f"series: no row has {outcome!r} and {time!r}. Give a series.")
    if offset is not None and (frame[offset] <= 0).any():
        raise DataError(f"series, column {offset!r}: an exposure is positive. Mend or leave out those rows.")
    position = positions(frame[time])
    try:
        after = (frame[time] >= start).to_numpy()
    except TypeError:
        raise ParameterError(
            f"start={start!r}: can't be compared with {frame[time].dtype} times. Give a time of that kind."
        ) from None
    if not after.any() or after.all():
        raise ParameterError(
            f"start={start!r}: the series runs from {frame[time].iloc[0]} to "
            f"{frame[time].iloc[-1]}. Start between them."
        )
    design = regressors(position, after, slope_change, season)
    solved, described, said, diagnostics = solve(frame, design, outcome, family, offset, lags)
    rows = solved.table(confidence)
    if slope_change:
        rows = pd.concat(
            [rows, combination(solved, ["slope", "slope_change"], "slope_after", confidence)],
            ignore_index=True,
        )
    if family == "poisson":
        rows = rows.assign(
            rate_ratio=np.exp(rows["estimate"]),
            rate_ratio_lower=np.exp(rows["lower"]),
            rate_ratio_upper=np.exp(rows["upper"]),
        )
        diagnostics["rate_ratio"] = float(rows.set_index("term").loc["level_change", "rate_ratio"])
    level = rows.set_index("term").loc["level_change"]
    effect = SeriesEffect(
        level.estimate,
        level.std_error,
        level.lower,
        level.upper,
        n=len(frame),
        method=described,
        confidence=confidence,
        p_value=level.p_value,
        outcome=outcome,
        dose=f"from {start}",
        coefficients=rows,
        diagnostics=diagnostics,
        unit="log rate ratio" if family == "poisson" else "",
        warnings=(*said, Reason("no_comparison")),
    )
    if family == "gaussian":
        effect = with_autocorrelation(effect, design, frame[outcome].to_numpy(float), short=lags is None)
    conditions = [
        gates.years_before(int((~after).sum()), gates.FEWEST_SERIES_PERIODS),
        gates.years_after(int(after.sum()), gates.FEWEST_SERIES_PERIODS if slope_change else 1),
        gates.one_basis(frame, outcome, None),
    ]
    return gates.judge(effect, conditions, level="L1", despite=despite)


def with_autocorrelation(effect, design, y, *, short):
    """Return the effect with the bounds by autocorrelated errors among its diagnostics.

    They are the ones to report where the series is short and the researcher named no lags (``short``).
    """
    covariance, mean = autoregressive.covariance(design.to_numpy(), y)
    fit = regression.Fit(
        pd.Series([effect.estimate], index=["level_change"]),
        pd.DataFrame(covariance, index=design.columns, columns=design.columns).loc[
            ["level_change"], ["level_change"]
        ],
        y,
        len(design) - design.shape[1],
    )
    row = fit.table(effect.confidence).iloc[0]
    found = {"autocorrelation": mean, "autocorrelated_lower": row.lower, "autocorrelated_upper": row.upper}
    effect = replace(effect, p_autocorrelated=row.p_value, diagnostics={**effect.diagnostics, **found})
    if len(y) >= LONG_SERIES:
        return effect
    details = {"periods": len(y), "needed": LONG_SERIES}
    if not short:
        return replace(effect, warnings=(*effect.warnings, Reason("short_series", details)))
    return replace(
        effect,
        lower=row.lower,
        upper=row.upper,
        headline="p_autocorrelated",
        method=f"{effect.method}; interval by errors of first-order autocorrelation",
        warnings=(*effect.warnings, Reason("short_series_interval", details)),
    )


def positions(times):
    """Return 0, 1, 2, ... for equally spaced times (months count as equal); else raise DataError."""
    if times.duplicated().any():
        raise DataError(
            f"series, column {times.name!r}: {times[times.duplicated()].iloc[0]} stands twice. Keep "
            f"one row per time."
        )
    values = spacing(times)
    steps = np.diff(values)
    if len(steps) and not np.allclose(steps, steps[0]):
        at = int(np.argmax(~np.isclose(steps, np.median(steps))))
        raise DataError(
            f"series, column {times.name!r}: a gap after {times.iloc[at]}. Fill the missing times."
        )
    return np.arange(len(times), dtype=float)


def spacing(times):
    """Return times as numbers in which whole months, or whole days, are equal steps."""
    if isinstance(times.dtype, pd.PeriodDtype):
        return times.array.asi8.astype(float)
    if not pd.api.types.is_datetime64_any_dtype(times):
        return times.to_numpy(float)
    if times.dt.day.nunique() == 1 or times.dt.is_month_end.all():
        return (12 * times.dt.year + times.dt.month).to_numpy(float)
    return (times - times.iloc[0]).dt.days.to_numpy(float)


def regressors(position, after, slope_change, season):
    """Return the columns of the segmented line and the season's waves."""
    start = position[after][0]
    columns = {"level": np.ones(len(position)), "slope": position, "level_change": after.astype(float)}
    if slope_change:
        columns["slope_change"] = (position - start) * after
    if season:
        for wave in range(1, min(SEASON_WAVES, season // 2) + 1):
            angle = 2 * np.pi * wave * position / season
            if 2 * wave < season:
                columns[f"sine_{wave}"] = np.sin(angle)
            columns[f"cosine_{wave}"] = np.cos(angle)
    return pd.DataFrame(columns)


def solve(frame, design, outcome, family, offset, lags):
    """Return the Fit, the method in words, warnings and diagnostics."""
    import statsmodels.api as sm
    from statsmodels.stats.stattools import durbin_watson

    y = frame[outcome].to_numpy(float)
    n, k = design.shape
    if np.linalg.matrix_rank(design) < k or n <= k:
        raise DataError(
            f"series: {n} rows don't determine {k} coefficients. Give a longer series, or slope_change=False."
        )
    if lags is not None and lags >= n:
        raise ParameterError(f"lags={lags}: the series has {n} rows. Take fewer.")
    if family == "gaussian":
        lags = int(4 * (n / 100) ** (2 / 9)) if lags is None else lags
        result = sm.OLS(y, design).fit(cov_type="HAC", cov_kwds={"maxlags": lags, "use_correction": True})
        least = (
            regression.COLLINEAR * np.linalg.norm(y - y.mean()),
            regression.COLLINEAR**2 * np.linalg.norm(y),
        )
        if np.linalg.norm(result.resid) <= max(least):
            raise DataError(
                f"series, column {outcome!r}: lies on the line before and after, or never varies; nothing is left to "
                "estimate its error from. Check the series."
            )
        described = f"segmented regression, Newey-West errors ({lags} lags, n/(n-k))"
        return (
            as_fit(result, n - k),
            described,
            (),
            {"lags": lags, "durbin_watson": float(durbin_watson(result.resid))},
        )
    if (y < 0).any() or (y != np.round(y)).any():
        raise DataError(f"series, column {outcome!r}: not counts. Use family='gaussian'.")
    if not y[design["level_change"] == 0].any() or not y[design["level_change"] == 1].any():
        raise DataError(
            f"series, column {outcome!r}: all counts before the start, or all after it, are zero; a ratio of rates has no "
            "bound then. Compare the counts themselves."
        )
    exposure = None if offset is None else np.log(frame[offset].to_numpy(float))
    model = sm.GLM(y, design, family=sm.families.Poisson(), offset=exposure)
    dispersion = float(model.fit().pearson_chi2 / (n - k))
    said = (Reason("overdispersed", {"scale": gates.number(dispersion)}),) if dispersion > 1 else ()
    if lags is None:
        result = model.fit(scale="X2")
        described = "segmented Poisson regression, errors widened by the Pearson dispersion"
    else:
        result = model.fit(cov_type="HAC", cov_kwds={"maxlags": lags, "use_correction": True})
        described = f"segmented Poisson regression, Newey-West errors ({lags} lags, n/(n-k))"
    return as_fit(result, n - k), described, said, {"dispersion": dispersion}


def as_fit(result, degrees_of_freedom):
    """Return a statsmodels result as a Fit."""
    covariance = pd.DataFrame(result.cov_params(), index=result.params.index, columns=result.params.index)
    return regression.Fit(
        result.params,
        covariance,
        np.asarray(result.resid_response if hasattr(result, "resid_response") else result.resid),
        degrees_of_freedom,
    )


def combination(solved, terms, name, confidence):
    """Return the row of the sum of some coefficients."""
    total = pd.Series([solved.coefficients[terms].sum()], index=[name])
    variance = pd.DataFrame(
        [[solved.covariance.loc[terms, terms].to_numpy().sum()]], index=[name], columns=[name]
    )
    return replace(solved, coefficients=total, covariance=variance).table(confidence)
