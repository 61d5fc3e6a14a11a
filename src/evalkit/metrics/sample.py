"""A sample of households with its design, and the variance that the design gives to a total.

Missing values stay in the sample with weight 0, as a domain: the design is that of the sample drawn, and the
estimate is that of the households whose value is known.

Source: Lumley (2004), Journal of Statistical Software 9(8), whose conventions for ``fpc`` and for strata of
one sampling unit are followed.
"""

from dataclasses import dataclass

import numpy as np
import pandas as pd
from pandas.api import types

from evalkit.errors import DataError

SINGLE_PSU = ("fail", "nan", "certainty", "adjust", "average")


@dataclass(frozen=True)
class Sample:
    """Observations with their design, ready for a measure.

    values (1 where missing) and weights (0 where missing), one per observation; used marks the known ones;
    group is the code of the table row each belongs to and labels names the rows (None: one row, no table).
    psu codes the sampling unit; stratum_of_psu and group_of_stratum lead from unit to stratum to row;
    unsampled is 1 minus the sampling fraction of each stratum.
    """

    values: np.ndarray
    weights: np.ndarray
    used: np.ndarray
    group: np.ndarray
    labels: pd.DataFrame | None
    psu: np.ndarray
    stratum_of_psu: np.ndarray
    group_of_stratum: np.ndarray
    unsampled: np.ndarray
    stratified: bool
    clustered: bool
    single_psu: str

    @property
    def groups(self):
        """Number of rows of the table to be made."""
        return 1 if self.labels is None else len(self.labels)

    def sum(self, values):
        """Sum of ``values`` in each group."""
        return np.bincount(self.group, weights=values, minlength=self.groups).astype(float)


def draw(values, *, weights=None, strata=None, cluster=None, fpc=None, single_psu="fail", by=None):
    """Check the observations and their design and return a :class:`Sample`.

    values: numbers, NaN where unknown. weights: sampling weights (inverse inclusion probabilities; times
    household size for statements on persons), 1 by default. cluster: primary sampling unit, read within its
    stratum; each observation by default. fpc: per observation, the population's number of sampling units in
    its stratum, or the fraction sampled (a value up to 1). single_psu says what a stratum with one sampling
    unit adds to the variance: "fail" raises, "nan" makes the standard error unknown, "certainty" adds
    nothing, "adjust" takes the deviation from the mean of all units, "average" the mean of the other strata.
    by: labels (array, Series or frame) for one estimate per group.

    Columns are paired by position. Raises DataError where lengths or the labels of pandas rows differ, a
    value is no number or infinite, a weight is missing, negative or infinite, or fpc is below the sample or
    differs within a stratum.
    """
    same_rows(values=values, weights=weights, strata=strata, cluster=cluster, fpc=fpc, by=by)
    values = numbers(values, "values")
    n = len(values)
    if np.isinf(values).any():
        raise DataError(
            f"values, position {int(np.argmax(np.isinf(values)))}: infinite. Give a number or leave it empty."
        )
    if single_psu not in SINGLE_PSU:
        raise DataError(f"single_psu={single_psu!r}: choose one of {', '.join(SINGLE_PSU)}.")
    weights = np.ones(n) if weights is None else numbers(weights, "weights")
    group, labels = _group_codes(by, n)
    stratum, psu = _codes(strata, n, "strata"), _codes(cluster, n, "cluster")
    same_length(n, weights=weights)
    wrong = ~((weights >= 0) & (weights < np.inf))
    if wrong.any():
        position = int(np.argmax(wrong))
        raise DataError(
            f"weights, position {position}: {weights[position]} is missing, negative or infinite. "
            "Mend the weight."
        )

    stratum, first_of_stratum = _nest(group, stratum)
    psu, first_of_psu = _nest(stratum, psu)
    used = ~np.isnan(values) & (weights > 0)
    psus_in_stratum = np.bincount(stratum[first_of_psu], minlength=len(first_of_stratum))
    return Sample(
        values=np.where(used, values, 1.0),
        weights=np.where(used, weights, 0.0),
        used=used,
        group=group,
        labels=labels,
        psu=psu,
        stratum_of_psu=stratum[first_of_psu],
        group_of_stratum=group[first_of_stratum],
        unsampled=_unsampled(fpc, n, stratum, first_of_stratum, psus_in_stratum),
        stratified=strata is not None,
        clustered=cluster is not None,
        single_psu=single_psu,
    )


def numbers(values, name):
    """Return values as an array of floats, NaN where missing.

    Raises DataError where they aren't one column of numbers: a table, dates, texts (of which "1.234" has two
    readings).
    """
    if isinstance(values, np.ma.MaskedArray):
        values = values.astype(float).filled(np.nan)
    if np.ndim(values) != 1:
        raise DataError(f"{name}: of {np.ndim(values)} dimensions. Give one column of numbers.")
    if isinstance(values, np.ndarray) and values.dtype.kind in "fiu":
        return values.astype(float)
    column = pd.Series(values, dtype=None if len(values) else float)
    plain = types.is_numeric_dtype(column) and not types.is_complex_dtype(column)
    if not plain and (column.dtype != object or column.map(lambda v: isinstance(v, str | bytes)).any()):
        raise DataError(f"{name}: {column.dtype}, not numbers. Read the column as numbers first.")
    try:
        return column.to_numpy(dtype=float, na_value=np.nan)
    except (TypeError, ValueError) as fault:
        raise DataError(f"{name}: {fault}. Read the column as numbers first.") from None


def variance(sample, influence):
    """Variance of the total of ``influence`` in each group, by the sample's design.

    .. math:: \\sum_h (1 - f_h) \\frac{n_h}{n_h - 1} \\sum_{c} (u_{hc} - \\bar u_h)^2

    u_hc: total of weight times influence in sampling unit c of stratum h; n_h units were drawn there, the
    fraction f_h of them all. Later stages of sampling add nothing of their own (ultimate clusters).
    """
    unit = np.bincount(sample.psu, weights=sample.weights * influence, minlength=len(sample.stratum_of_psu))
    stratum, group = sample.stratum_of_psu, sample.group_of_stratum
    units = np.bincount(stratum, minlength=len(group))
    mean = np.bincount(stratum, weights=unit, minlength=len(group)) / units
    squares = np.bincount(stratum, weights=(unit - mean[stratum]) ** 2, minlength=len(group))
    single = units == 1
    with np.errstate(divide="ignore", invalid="ignore"):
        part = np.where(single, 0.0, sample.unsampled * units / (units - 1) * squares)
    lone = single & (sample.unsampled > 0)
    part = _single_units(sample, part, lone, unit, mean)
    return np.bincount(group, weights=part, minlength=sample.groups)


def _single_units(sample, part, lone, unit, mean):
    if not lone.any():
        return part
    if not sample.stratified or sample.single_psu == "nan":
        return np.where(lone, np.nan, part)
    if sample.single_psu == "fail":
        raise DataError(
            f"strata: {int(lone.sum())} strata have one sampling unit, so their variance can't be estimated. "
            'Merge strata, or choose single_psu="adjust", "average", "certainty" or "nan".'
        )
    if sample.single_psu == "adjust":
        group = sample.group_of_stratum
        units = np.bincount(group[sample.stratum_of_psu], minlength=sample.groups)
        centre = np.bincount(group[sample.stratum_of_psu], weights=unit, minlength=sample.groups) / units
        return np.where(lone, sample.unsampled * (mean - centre[group]) ** 2, part)
    if sample.single_psu == "average":
        group = sample.group_of_stratum
        with np.errstate(divide="ignore", invalid="ignore"):
            others = np.bincount(
                group, weights=np.where(lone, 0, part), minlength=sample.groups
            ) / np.bincount(group[~lone], minlength=sample.groups)
        return np.where(lone, others[group], part)
    return part


def _unsampled(fpc, n, stratum, first_of_stratum, psus_in_stratum):
    if fpc is None:
        return np.ones(len(first_of_stratum))
    given = np.full(n, float(fpc)) if np.ndim(fpc) == 0 else numbers(fpc, "fpc")
    same_length(n, fpc=given)
    fpc = given[first_of_stratum]
    if not np.array_equal(given, fpc[stratum], equal_nan=True):
        raise DataError("fpc: differs within a stratum. Give each stratum's observations one and the same.")
    with np.errstate(divide="ignore"):
        fraction = np.where(fpc <= 1, fpc, psus_in_stratum / fpc)
    # A population of one sampling unit, all of it drawn, is written 1 in either convention.
    if not ((fraction > 0) & (fraction <= 1)).all():
        wrong = int(np.argmax(~((fraction > 0) & (fraction <= 1))))
        raise DataError(
            f"fpc: {fpc[wrong]:g} sampling units in the population of a stratum where "
            f"{psus_in_stratum[wrong]} were drawn. Give the population's number of units, or the fraction "
            "sampled (0 to 1)."
        )
    return 1 - fraction


def _group_codes(by, n):
    if by is None:
        return np.zeros(n, int), None
    frame = pd.DataFrame(by) if not isinstance(by, pd.Series) else by.to_frame(by.name or "group")
    if not isinstance(by, pd.Series | pd.DataFrame):
        frame.columns = ["group"]
    same_length(n, by=frame)
    grouped = frame.reset_index(drop=True).groupby(
        list(frame.columns), dropna=False, observed=True, sort=True
    )
    codes = grouped.ngroup().to_numpy()
    _, first = np.unique(codes, return_index=True)
    return codes, frame.iloc[first].reset_index(drop=True)


def _codes(labels, n, name):
    if labels is None:
        return np.zeros(n, int) if name == "strata" else np.arange(n)
    codes = pd.factorize(pd.Series(labels).reset_index(drop=True))[0]
    same_length(n, **{name: codes})
    if (codes < 0).any():
        raise DataError(
            f"{name}, position {int(np.argmax(codes < 0))}: missing. Every observation needs its {name}."
        )
    return codes


def _nest(outer, inner):
    """Code each combination of outer and inner, and the first observation of each combination."""
    if len(outer) == 0:
        return np.zeros(0, int), np.zeros(0, int)
    _, first, codes = np.unique(outer * (inner.max() + 1) + inner, return_index=True, return_inverse=True)
    return codes, first


def same_rows(**columns):
    """Raise DataError where two columns are pandas objects whose rows are labelled differently.

    Paired by position they would belong to different households, paired by label some would be lost.
    """
    labelled = {name: c.index for name, c in columns.items() if isinstance(c, pd.Series | pd.DataFrame)}
    for name, index in labelled.items():
        first = next(iter(labelled))
        if len(index) == len(labelled[first]) and not index.equals(labelled[first]):
            raise DataError(
                f"{name}: its rows are labelled otherwise than those of {first}. Take both from one table, or "
                "give .to_numpy() of both where they pair by position."
            )


def same_length(n, **columns):
    """Raise DataError where a column has another number of entries than n."""
    for name, column in columns.items():
        if len(column) != n:
            raise DataError(f"{name}: {len(column)} entries for {n} observations. Give one for each.")
