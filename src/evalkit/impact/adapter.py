"""The one door to diff-diff: its estimators in, plain tables out. Nothing else in the project imports it.

Each function returns a Staggered record: overall effect with its error and interval, one row per event
time, their covariance where the library gives one, one row per cohort, and the F statistic of its test of
earlier trends with the number of coefficients tested.
"""

import warnings
from dataclasses import dataclass, field
from math import nan

import numpy as np
import pandas as pd

CONTROL_GROUPS = {"never": "never_treated", "not_yet": "not_yet_treated"}
PERIOD_COLUMNS = ["event_time", "estimate", "std_error", "lower", "upper", "p_value"]


@dataclass(frozen=True)
class Staggered:
    """Results of an estimator for staggered starts."""

    estimate: float
    std_error: float
    lower: float
    upper: float
    p_value: float
    periods: pd.DataFrame = field(default_factory=lambda: pd.DataFrame(columns=PERIOD_COLUMNS))
    covariance: np.ndarray = field(default_factory=lambda: np.empty((0, 0)))
    groups: pd.DataFrame = field(default_factory=pd.DataFrame)
    pre_trends: tuple = (nan, 0)
    diagnostics: dict = field(default_factory=dict)


def _quiet(call, *args, **kwargs):
    """Call without the library's warnings: what matters in them is tested by the gates."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return call(*args, **kwargs)


def _bare(panel, *columns):
    """Return these columns without attrs: the library copies whatever it is given at every one of its steps."""
    out = panel[list(dict.fromkeys(columns))].copy(deep=False)
    out.attrs = {}
    return out


def _only(panel, names, controls, cluster):
    """Return the columns that a design on starts reads."""
    return _bare(panel, *names.values(), *controls, *([cluster] if cluster else []))


def _overall(result):
    low, high = result.overall_conf_int
    return tuple(map(float, (result.overall_att, result.overall_se, low, high, result.overall_p_value)))


def _periods(table):
    columns = {
        "event_time": "event_time",
        "att": "estimate",
        "se": "std_error",
        "conf_int_lower": "lower",
        "conf_int_upper": "upper",
        "p_value": "p_value",
    }
    return (
        table.rename(columns=columns)[PERIOD_COLUMNS]
        .astype(float)
        .sort_values("event_time", ignore_index=True)
    )


def _groups(result):
    table = result.aggregate("group").to_dataframe()
    columns = {
        "label": "group",
        "att": "estimate",
        "se": "std_error",
        "conf_int_lower": "lower",
        "conf_int_upper": "upper",
        "p_value": "p_value",
    }
    return table.rename(columns=columns)[list(columns.values())].astype(float)


def callaway_santanna(panel, names, *, controls, control_group, cluster, base, alpha):
    """Group-time effects, doubly robust given controls (Callaway & Sant'Anna 2021)."""
    from diff_diff import CallawaySantAnna

    model = CallawaySantAnna(
        control_group=CONTROL_GROUPS[control_group], base_period=base, cluster=cluster, alpha=alpha
    )
    result = _quiet(
        model.fit, _only(panel, names, controls, cluster), **names, covariates=list(controls) or None
    )
    study = _quiet(result.aggregate, "event_study")
    return Staggered(
        *_overall(result), _periods(study.to_dataframe()), np.asarray(study.vcov), _quiet(_groups, result)
    )


def sun_abraham(panel, names, *, controls, control_group, cluster, alpha, **_):
    """Interaction-weighted event study (Sun & Abraham 2021)."""
    from diff_diff import SunAbraham

    model = SunAbraham(control_group=CONTROL_GROUPS[control_group], cluster=cluster, alpha=alpha)
    result = _quiet(
        model.fit, _only(panel, names, controls, cluster), **names, covariates=list(controls) or None
    )
    rows = [
        {
            "event_time": k,
            "att": e["effect"],
            "se": e["se"],
            "conf_int_lower": e["conf_int"][0],
            "conf_int_upper": e["conf_int"][1],
            "p_value": e["p_value"],
        }
        for k, e in result.event_study_effects.items()
    ]
    reference = {"event_time": float(result.reference_period), "att": 0.0}
    periods = _periods(
        pd.DataFrame([*(r for r in rows if r["event_time"] != reference["event_time"]), reference])
    )
    return Staggered(*_overall(result), periods, np.asarray(result.event_study_vcov))


def imputation(panel, names, *, controls, cluster, alpha, **_):
    """Untreated outcomes imputed from unit and time effects (Borusyak, Jaravel & Spiess 2024)."""
    from diff_diff import ImputationDiD

    result = _quiet(
        ImputationDiD(pretrends=True, cluster=cluster, alpha=alpha).fit,
        _only(panel, names, controls, cluster),
        **names,
        covariates=list(controls) or None,
    )
    study = _quiet(result.aggregate, "event_study")
    earlier = _quiet(result.pretrend_test)
    return Staggered(
        *_overall(result),
        _periods(study.to_dataframe()),
        groups=_quiet(_groups, result),
        pre_trends=(float(earlier["f_stat"]), int(earlier["n_leads"])),
    )


def continuous(panel, names, *, dose, degree, control_group, alpha, draws, seed):
    """Effect by dose (Callaway, Goodman-Bacon & Sant'Anna 2024): the average and its slope in the dose."""
    from diff_diff import ContinuousDiD

    model = ContinuousDiD(
        degree=degree, control_group=CONTROL_GROUPS[control_group], alpha=alpha, n_bootstrap=draws, seed=seed
    )
    result = _quiet(model.fit, _bare(panel, *names.values(), dose), **names, dose=dose)
    low, high = result.overall_att_conf_int
    slope_low, slope_high = result.overall_acrt_conf_int
    return Staggered(
        *map(float, (result.overall_att, result.overall_att_se, low, high, result.overall_att_p_value)),
        diagnostics={
            "slope": float(result.overall_acrt),
            "slope_std_error": float(result.overall_acrt_se),
            "slope_lower": float(slope_low),
            "slope_upper": float(slope_high),
        },
    )


def synthetic_did(panel, *, outcome, treatment, unit, time, after, draws, seed, alpha, errors="placebo"):
    """Return effect, error, interval, p-value, unit weights and time weights (Arkhangelsky et al. 2021)."""
    from diff_diff import SyntheticDiD

    model = SyntheticDiD(variance_method=errors, n_bootstrap=draws, seed=seed, alpha=alpha)
    result = _quiet(
        model.fit,
        _bare(panel, outcome, treatment, unit, time),
        outcome=outcome,
        treatment=treatment,
        unit=unit,
        time=time,
        post_periods=list(after),
    )
    figures = tuple(map(float, (result.att, result.se, *result.conf_int, result.p_value)))
    return figures, pd.Series(result.unit_weights, dtype=float), pd.Series(result.time_weights, dtype=float)


def goodman_bacon(panel, names):
    """Return the two-way estimate and the comparisons it averages (Goodman-Bacon 2021)."""
    from diff_diff import BaconDecomposition

    result = _quiet(BaconDecomposition().fit, _bare(panel, *names.values()), **names)
    table = result.to_dataframe()
    return float(result.twfe_estimate), table
