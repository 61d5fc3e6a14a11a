"""Income in real terms, its centre and its percentiles, and how each part of the distribution grew.

An amount has a basis: the year whose prices it is in, per month or per year, and who measured it. Two bases
are never mixed in silence: the functions raise BasisError and name both.

Arguments that all measures share (``design``): weights, strata, cluster, fpc, single_psu, by and the faults
raised are those of :func:`evalkit.metrics.sample.draw`.
"""

import numpy as np
import pandas as pd
from scipy import special

from evalkit.errors import BasisError, DataError
from evalkit.metrics import survey
from evalkit.metrics.quantiles import weighted_quantile
from evalkit.metrics.sample import draw, numbers, same_rows


def deflate(amount, year, *, to, prices, basis=None):
    r"""Amounts of several years in the prices of year ``to``.

    .. math:: y^{\text{real}} = y \cdot \text{index}_{to} / \text{index}_{year}

    amount: in the prices of its own ``year`` (one number, or one per amount). prices: price level by year, a
    Series indexed by year on any base, or a frame with columns year and index; name the deflator with the
    result, as national prices differ from a province's. basis: what each amount measures (survey or
    self-survey, per month or per year), to be refused when mixed. A missing amount stays missing.

    Returns the kind of object that ``amount`` is. Unit: that of amount.
    Raises BasisError where basis differs within the amounts or the prices hold more than one series, and
    DataError where the prices lack a year, a year isn't whole, or amounts and years don't pair.
    """
    one_basis(basis)
    level = _price_level(prices)
    same_rows(amount=amount, year=year)
    if np.ndim(year) and np.shape(year) != np.shape(amount):
        raise DataError(
            f"year: {np.size(year)} entries for {np.size(amount)} amounts. Give one, or one for each."
        )
    years = np.broadcast_to(np.asarray(year, dtype=object), np.shape(amount)).ravel()
    whole, to = {y: _whole_year(y) for y in pd.unique(years) if pd.notna(y)}, _whole_year(to)
    lacking = sorted({*whole.values(), to} - set(level.index))
    if lacking:
        raise DataError(
            f"prices: no level for {', '.join(map(str, lacking))}; there are {level.index.min()} to "
            f"{level.index.max()}. Add the years with their source."
        )
    by_year = {year: level[to] / level[whole[year]] for year in whole}
    factor = np.array([by_year.get(year, np.nan) for year in years], dtype=float)
    if isinstance(amount, pd.Series):
        return pd.Series(numbers(amount, "amount") * factor, amount.index, name=amount.name)
    real = np.asarray(numbers(np.ravel(amount), "amount") * factor).reshape(np.shape(amount))
    return real if real.ndim else float(real)


def per_month(amount, per):
    """Amounts per month from amounts ``per`` "month" or "year" (one word, or one per amount).

    Raises BasisError where ``per`` is missing or another word, as the two differ twelvefold.
    """
    same_rows(amount=amount, per=per)
    words = np.broadcast_to(np.asarray(per, dtype=object), np.shape(amount))
    other = [word for word in pd.unique(words.ravel()) if word not in ("month", "year")]
    if other:
        raise BasisError(f'per: {other[0]!r}. Say "month" or "year" for every amount.')
    return amount / np.where(words == "year", 12, 1) if words.ndim else amount / (12 if per == "year" else 1)


def one_basis(basis):
    """Return the one basis that all labels share (None where none is given). Raises BasisError otherwise."""
    found = sorted(pd.Series(basis, dtype=object).fillna("not stated").astype(str).unique())
    if len(found) > 1:
        raise BasisError(
            f"basis: {', '.join(found)} stand together. Compare amounts of one basis, or convert first."
        )
    return found[0] if found else None


def mean(income, *, unit="VND", confidence=0.95, **design):
    """Weighted mean income; see :func:`evalkit.metrics.survey.mean`."""
    return survey.mean(income, unit=unit, confidence=confidence, **design)


def median(income, *, rule="averaged_inverted_cdf", unit="VND", confidence=0.95, **design):
    """Weighted median income; see :func:`percentile`."""
    return percentile(income, 50, rule=rule, unit=unit, confidence=confidence, **design)


def percentile(income, rank, *, rule="averaged_inverted_cdf", unit="VND", confidence=0.95, **design):
    r"""Weighted percentile of income: the amount that ``rank`` per cent of the weight don't exceed.

    rule: how the quantile is taken (:func:`evalkit.metrics.quantiles.weighted_quantile`). Interval:
    Woodruff's, the quantiles at the limits of the share at or below the estimate, half an observation
    further out at either end (continuity); its standard error is the interval's length over twice the t
    quantile. Returns an Estimate, or with ``by`` a table.

    Raises DataError where rank lies outside 0 to 100.
    Source: Woodruff (1952), JASA 47, 635-646.
    """
    if not 0 < rank < 100:
        raise DataError(f"rank={rank!r}: must lie between 0 and 100. 50 is the median.")
    drawn = draw(income, **design)
    y, w, mine = drawn.values, drawn.weights, drawn.group

    def at(share):
        share = np.nan_to_num(share, nan=0.5)
        return weighted_quantile(y, w, share, group=mine, groups=drawn.groups, rule=rule)

    value = at(np.full(drawn.groups, rank / 100))
    below, influence = survey.mean_and_influence(drawn, (y <= value[mine]).astype(float))
    found = survey.precision(drawn, below, influence)
    share = np.full(drawn.groups, rank / 100)
    lower, upper = survey.share_interval(share, found, confidence)
    unknown = np.isnan(lower) | np.isnan(found.std_error)
    step = 0.5 / np.maximum(found.n, 1)
    lower = np.where(unknown, np.nan, at(np.maximum(lower - step, 0)))
    upper = np.where(unknown, np.nan, at(np.minimum(upper + step, 1)))
    quantile = special.stdtrit(np.maximum(found.freedom, 1), (1 + confidence) / 2)
    found = survey.Precision((upper - lower) / (2 * quantile), found.n, found.clusters, found.freedom)
    method = f"percentile {rank:g}, {rule}; Woodruff interval"
    return survey.present(drawn, value, found, (lower, upper), method, unit, confidence)


def percentiles(income, ranks=(10, 25, 50, 75, 90), *, by=None, **options):
    """Table of several percentiles, with a column ``percentile``; see :func:`percentile`."""
    by = np.zeros(len(income), int) if by is None else by
    tables = [percentile(income, rank, by=by, **options).assign(percentile=rank) for rank in ranks]
    return pd.concat(tables, ignore_index=True)


def growth_incidence(
    before,
    after,
    *,
    weights_before=None,
    weights_after=None,
    ranks=tuple(range(5, 100, 5)),
    years=1,
    basis=None,
    rule="averaged_inverted_cdf",
    confidence=0.95,
):
    r"""Growth incidence curve: yearly growth of each percentile between two samples.

    .. math:: g(p) = \Big(\frac{y_2(p)}{y_1(p)}\Big)^{1/\text{years}} - 1

    Compares percentiles, not households: those at the bottom needn't be the same. Incomes must be real, of
    one basis and one unit: basis is the pair of their bases, compared. Columns: percentile, before, after,
    growth (proportion per year), lower, upper. Interval: delta method on the logarithm from the two Woodruff
    standard errors, for independent samples; too wide for a panel, where the two are positively correlated.
    A percentile of 0 or less at either end has no growth (NaN).

    Raises BasisError where the two bases differ, DataError where years isn't positive.
    Source: Ravallion and Chen (2003), Economics Letters 78, 93-99.
    """
    one_basis(basis)
    if not years > 0:
        raise DataError(f"years={years!r}: must be the positive number of years between the two samples.")
    first = percentiles(before, ranks, weights=weights_before, rule=rule, confidence=confidence)
    second = percentiles(after, ranks, weights=weights_after, rule=rule, confidence=confidence)
    if first.empty or second.empty:
        raise DataError("income: no known value in one of the two samples, so there is no growth to show.")
    y1, y2 = first.estimate.where(first.estimate > 0), second.estimate.where(second.estimate > 0)
    spread = special.ndtri((1 + confidence) / 2) * np.hypot(first.std_error / y1, second.std_error / y2)
    log_growth = np.log(y2 / y1)
    return pd.DataFrame(
        {
            "percentile": first.percentile,
            "before": first.estimate,
            "after": second.estimate,
            "growth": np.expm1(log_growth / years),
            "lower": np.expm1((log_growth - spread) / years),
            "upper": np.expm1((log_growth + spread) / years),
        }
    )


def pro_poor_growth(before, after, line, *, weights_before=None, weights_after=None, years=1, basis=None):
    r"""Rate of pro-poor growth: the yearly fall of the Watts index over the headcount before.

    .. math:: g = \frac{W_1 - W_2}{\text{years} \cdot H_1}

    It is the mean of the growth incidence curve up to the headcount before. Unit: proportion per year (of
    the logarithm). NaN where nobody was poor before.

    Raises BasisError where the two bases differ, DataError as :func:`evalkit.metrics.poverty.watts`.
    Source: Ravallion and Chen (2003), Economics Letters 78, 93-99.
    """
    from evalkit.metrics import poverty

    one_basis(basis)
    first = poverty.watts(before, line, weights=weights_before).estimate
    second = poverty.watts(after, line, weights=weights_after).estimate
    poor = poverty.fgt(before, line, alpha=0, weights=weights_before).estimate
    return (first - second) / (years * poor) if poor > 0 else np.nan


def _price_level(prices):
    if isinstance(prices, pd.DataFrame):
        for column in ("series", "basis"):
            if column in prices:
                one_basis(prices[column])
        if not {"year", "index"} <= set(prices):
            raise DataError(f"prices: columns {', '.join(prices)}. Give year and index, or a Series by year.")
        prices = prices.set_index("year")["index"]
    level = pd.Series(prices, dtype=float)
    if level.index.has_duplicates:
        year = level.index[level.index.duplicated()][0]
        raise BasisError(f"prices: {year} occurs twice, so two series stand together. Choose one.")
    level.index = [_whole_year(year) for year in level.index]
    if not ((level.dropna() > 0) & (level.dropna() < np.inf)).all():
        raise DataError("prices: a level of 0 or less, or infinite. A price index is positive.")
    return level.dropna()


def _whole_year(year):
    try:
        whole = int(year)
    except (TypeError, ValueError):
        whole = None
    if whole is None or (not isinstance(year, str) and whole != year):
        raise DataError(f"year: {year!r}. Give whole years, such as 2014.")
    return whole
