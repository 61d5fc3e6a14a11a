"""Loan outcomes from single loans: one definition for a pandas frame and for a DuckDB relation.

Ten loans in a test and thirty million in a Parquet store run the same SQL. Loans have the columns of the
``loans`` table (loan, code, group, union, programme, disbursed_on, amount_vnd, as_of, outstanding_vnd,
overdue_vnd, days_past_due, status), one row per loan and reporting date; instalments those of
``repayments``. A table without ``as_of`` is one reporting date.

Every function takes ``by``, the columns that name the groups (programme, group, union, code, or purpose after
:func:`with_purpose`), and returns a frame with one row per group; a group without loans has no row. Money is
VND, value a proportion. These are full counts, so lower and upper are no sampling interval: they bound the
value over all that the missing entries could be, and equal it where none is missing.

A frame is held against the schema before it is used: one row per key, known labels, amounts of 0 or more and no
more overdue than outstanding, or DataError. A relation comes from the store, which was checked when it was filled.

Loans written off or repaid are not part of the portfolio. A loan whose status is "current" has 0 days past
due even where the days are missing; for any other loan missing days are unknown, not 0.
"""

from itertools import pairwise

import numpy as np
import pandas as pd

from evalkit.errors import DataError
from evalkit.metrics import intervals, relations
from evalkit.metrics.relations import aggregate, on_date, relation, whole_days

RESTRUCTURED = "status IN ('frozen', 'extended')"
IN_PORTFOLIO = "coalesce(status, '') NOT IN ('written_off', 'repaid') AND coalesce(outstanding_vnd, 1) > 0"
_LOST = "status = 'written_off'"
_LIVE = f"NOT coalesce({_LOST}, FALSE)"
DAYS = "coalesce(days_past_due, CASE WHEN status = 'current' THEN 0 END)"


def portfolio_at_risk(loans, *, days, as_of=None, by=()):
    r"""PAR(days): unpaid principal of loans more than ``days`` past due, over the portfolio.

    .. math:: \text{PAR}_d = \sum_{i:\, \text{days}_i > d} B_i \Big/ \sum_i B_i

    B: outstanding principal, the whole of it for a loan at risk. Not the bank's overdue ratio, which counts
    the overdue instalments alone (:func:`arrears_ratio`) and is never above PAR(0). Frozen and extended loans
    whose clock stands still are shown beside it: restructured_vnd is their principal not yet at risk, and
    with_restructured the value if all of it were.

    as_of: reporting date; may be left out where the table holds one. Columns: value, lower, upper, numerator,
    denominator (principal of loans with known days), unknown_vnd, restructured_vnd, with_restructured, loans.

    Raises DataError where a column is missing or the table holds no row of that date.
    Source: CGAP (2003), Definitions of Selected Financial Terms, Ratios and Adjustments for Microfinance.
    """
    at_risk = f"{DAYS} > {whole_days(days, 'days')}"
    known = f"{DAYS} IS NOT NULL"
    found = _portfolio(
        loans, ("days_past_due",), as_of, by, known, f"outstanding_vnd * ({at_risk})::INT", at_risk
    )
    return found.assign(days=days, unit="proportion", method=f"PAR({days}), whole principal of loans at risk")


def arrears_ratio(loans, *, as_of=None, by=()):
    r"""Arrears ratio: overdue amounts over outstanding principal. This is the bank's "tỷ lệ nợ quá hạn".

    .. math:: \sum_i O_i \Big/ \sum_i B_i

    O: the amount converted into overdue debt, the rest of the loan counting as not yet due (QĐ 976/QĐ-TTg of
    2015), so the ratio is at most PAR(0) and must not be compared with a PAR. Columns as
    :func:`portfolio_at_risk`; with_restructured is the value if all frozen and extended debt were overdue.

    Raises DataError as :func:`portfolio_at_risk`.
    Source: QĐ 976/QĐ-TTg (1 July 2015); CGAP (2003), arrears rate.
    """
    found = _portfolio(loans, ("overdue_vnd",), as_of, by, "overdue_vnd IS NOT NULL", "overdue_vnd", "FALSE")
    return found.assign(unit="proportion", method="arrears ratio, overdue amounts alone")


def ageing(loans, *, as_of=None, by=(), edges=(30, 90, 180, 365)):
    """Outstanding principal by days past due: 0, 1 to the first edge, and so on, over the last, unknown.

    Every band has a row in every group, with 0 where it holds no loan. Columns: band, loans,
    outstanding_vnd, overdue_vnd (NaN where that of a loan is missing) and value, the band's share of the
    group's outstanding principal.

    Raises DataError where a column is missing, edges don't rise, or the table holds no row of that date.
    """
    edges = [0, *(whole_days(edge, "edges") for edge in edges)]
    if edges != sorted(set(edges)):
        raise DataError(f"edges={tuple(edges[1:])!r}: must rise from above 0. Write (30, 90, 180, 365).")
    bands = [
        "0",
        *(f"{a + 1}-{b}" for a, b in pairwise(edges)),
        f">{edges[-1]}",
        "unknown",
    ]
    cases = " ".join(f"WHEN {DAYS} <= {edge} THEN {i}" for i, edge in enumerate(edges))
    band = f"CASE WHEN {DAYS} IS NULL THEN {len(edges) + 1} {cases} ELSE {len(edges)} END"
    rel, by = _snapshot(loans, as_of, by, ("outstanding_vnd", "overdue_vnd", "days_past_due", "status"))
    rel = rel.filter(IN_PORTFOLIO).project(f"*, {band} AS band_number")
    table = aggregate(
        rel,
        [*by, "band_number"],
        loans="count(*)",
        outstanding_vnd="sum(outstanding_vnd)",
        overdue_vnd="CASE WHEN count(overdue_vnd) = count(*) THEN sum(overdue_vnd) END",
        lacking="count(*) FILTER (outstanding_vnd IS NULL)",
    )
    _all_balances_known(table.pop("lacking"))
    groups = table[by].drop_duplicates() if by else pd.DataFrame(index=[0])
    full = groups.merge(pd.DataFrame({"band_number": range(len(bands))}), how="cross")
    table = full.merge(table, how="left", on=[*by, "band_number"])
    table.loc[table.loans.isna(), ["loans", "outstanding_vnd", "overdue_vnd"]] = 0
    whole = (
        table.groupby(by, dropna=False).outstanding_vnd.transform("sum")
        if by
        else table.outstanding_vnd.sum()
    )
    return table.assign(
        band=[bands[i] for i in table.band_number],
        loans=table.loans.astype(int),
        value=table.outstanding_vnd / np.where(whole == 0, np.nan, whole),
    ).drop(columns="band_number")


def vintages(loans, *, days=30, by=(), period="year"):
    r"""Static pools: of what was lent in a period, how much is at risk or written off at each reporting date.

    .. math:: v(t) = \Big(\sum_{i:\, \text{days}_i > d} B_i(t) + \sum_{\text{written off by } t} L_i\Big)
              \Big/ \sum_i \text{amount}_i

    L: what was written off, the last balance above 0 that the table shows of the loan. It stays lost at all
    later dates, with or without a row of the loan; one that is live again at a later date isn't lost. The
    denominator, all that was lent (a loan's largest amount), is the same at every date, so new lending can't
    dilute it. period: year, quarter or month of disbursement. Columns: vintage (first day), as_of,
    months_on_book, loans and amount_vnd of the pool, outstanding_vnd, at_risk_vnd, written_off_vnd,
    unknown_vnd (days or balance missing, a balance before the loan was disbursed, a loss that never showed a
    balance), not_seen (loans of the pool neither in the table at that date nor written off: repaid and
    dropped, or missing), value, lower, upper. Loans repaid before the first reporting date are in no row at
    all: a pool is whole only if reports began when it was lent.

    Raises DataError where a column is missing or the period is another.
    """
    if period not in ("year", "quarter", "month"):
        raise DataError(f'period={period!r}: choose "year", "quarter" or "month".')
    by, limit = _names(by), whole_days(days, "days")
    needed = (
        "loan",
        "disbursed_on",
        "amount_vnd",
        "as_of",
        "outstanding_vnd",
        "days_past_due",
        "status",
        *by,
    )
    rel = relation(loans, needed).filter("disbursed_on IS NOT NULL")
    rel = rel.project(f"*, date_trunc('{period}', CAST(disbursed_on AS DATE))::DATE AS vintage")
    keys = [*by, "vintage"]
    table = _with_losses(_at_each_date(rel, keys, limit), _pools(rel, keys), keys)
    amount = table.amount_vnd.where((table.amount_vnd > 0) & (table.lacking == 0))
    bad = table.at_risk_vnd + table.written_off_vnd
    vintage, as_of = pd.to_datetime(table.vintage), pd.to_datetime(table.as_of)
    return (
        table.assign(
            months_on_book=(as_of.dt.year - vintage.dt.year) * 12 + as_of.dt.month - vintage.dt.month,
            not_seen=table.pool_loans - table.seen - table.lost_loans,
            value=(bad / amount).where(table.unknown_vnd == 0),
            lower=bad / amount,
            upper=(bad + table.unknown_vnd) / amount,
            days=days,
        )
        .rename(columns={"pool_loans": "loans"})
        .drop(columns=["seen", "lacking", "lost_loans"])
    )


def _pools(rel, keys):
    """What was lent in each pool, by the date on which it was lost (missing: never), with what was lost then."""
    each = rel.aggregate(
        f"""{relations.names(keys)}, loan, max(amount_vnd) AS amount_vnd,
        arg_max(outstanding_vnd, as_of) FILTER (outstanding_vnd > 0) AS lost_vnd, max(as_of) FILTER ({_LIVE}) AS live,
        min(as_of) FILTER ({_LOST}) AS first_lost, max(as_of) FILTER ({_LOST}) AS last_lost""",
        f"{relations.names(keys)}, loan",
    ).project(
        "*, CASE WHEN live IS NULL OR first_lost > live THEN first_lost WHEN last_lost > live THEN last_lost END "
        "AS lost_on"
    )
    return aggregate(
        each,
        [*keys, "lost_on"],
        pool_loans="count(*)",
        amount_vnd="sum(amount_vnd)",
        lacking="count(*) - count(amount_vnd)",
        lost_vnd="coalesce(sum(lost_vnd), 0)",
        lost_unknown="coalesce(sum(amount_vnd) FILTER (lost_vnd IS NULL), 0)",
    )


def _at_each_date(rel, keys, limit):
    """What of each pool is owed, at risk (more than ``limit`` days) and unknown at each reporting date."""
    early = "CAST(as_of AS DATE) < CAST(disbursed_on AS DATE)"
    return aggregate(
        rel,
        [*keys, "as_of"],
        seen=f"count(*) FILTER ({_LIVE})",
        outstanding_vnd=f"coalesce(sum(outstanding_vnd) FILTER ({_LIVE}), 0)",
        at_risk_vnd=f"coalesce(sum(outstanding_vnd) FILTER ({_LIVE} AND {DAYS} > {limit} AND NOT {early}), 0)",
        unknown_vnd=f"coalesce(sum(coalesce(outstanding_vnd, amount_vnd)) FILTER ({_LIVE} AND ("
        f"outstanding_vnd IS NULL OR (outstanding_vnd > 0 AND ({DAYS} IS NULL OR {early})))), 0)",
    )


def _with_losses(table, pool, keys):
    """Add to each pool at each date its size and what had been written off by then."""
    sizes = pool.groupby(keys, dropna=False)[["pool_loans", "amount_vnd", "lacking"]].sum().reset_index()
    losses = pool[pool.lost_on.notna()].rename(columns={"pool_loans": "lost_loans"})
    losses = losses[[*keys, "lost_on", "lost_loans", "lost_vnd", "lost_unknown"]]
    so_far = table[[*keys, "as_of"]].merge(losses, on=keys)
    so_far = so_far[so_far.lost_on <= so_far.as_of].drop(columns="lost_on")
    so_far = so_far.groupby([*keys, "as_of"], dropna=False).sum().reset_index()
    table = table.merge(sizes, on=keys, how="left").merge(so_far, on=[*keys, "as_of"], how="left")
    table[["lost_loans", "lost_vnd", "lost_unknown"]] = table[
        ["lost_loans", "lost_vnd", "lost_unknown"]
    ].fillna(0)
    return (
        table.assign(
            lost_loans=table.lost_loans.astype(int), unknown_vnd=table.unknown_vnd + table.lost_unknown
        )
        .drop(columns="lost_unknown")
        .rename(columns={"lost_vnd": "written_off_vnd"})
    )


def cure_rates(loans, *, start, end, days=30, by=(), confidence=0.95):
    r"""Share of the loans at risk on ``start`` that are back in order or repaid on ``end``.

    .. math:: \hat p = \text{cured} / (\text{at risk} - \text{unknown})

    Cured: ``days`` past due or less, or repaid. Frozen or extended isn't cured; it has its own column, as
    have still_at_risk, written_off and unknown (no row on ``end``, or days missing). Counts of loans;
    at_risk_vnd and cured_vnd are their principal on ``start``. Interval: Wilson, over the loans whose end is
    known.

    Raises DataError where a column is missing, end isn't after start, or the table holds no row of either.
    """
    by = _names(by)
    limit = whole_days(days, "days")
    if relations.day(end) <= relations.day(start):
        raise DataError(f"end={end!r}: not after start={start!r}. Give the earlier date as start.")
    needed = ("loan", "as_of", "outstanding_vnd", "days_past_due", "status", *by)
    rel = relation(loans, needed)
    first = on_date(rel, start).filter(f"{IN_PORTFOLIO} AND {DAYS} > {limit}")
    first = first.project(relations.names(["loan", "outstanding_vnd", *by])).set_alias("first")
    outcome = f"""CASE WHEN status = 'written_off' THEN 'written_off' WHEN status = 'repaid' THEN 'cured'
        WHEN {RESTRUCTURED} THEN 'restructured' WHEN {DAYS} > {limit} THEN 'still_at_risk'
        WHEN {DAYS} <= {limit} THEN 'cured' ELSE 'unknown' END"""
    last = on_date(rel, end).project(f"loan, {outcome} AS outcome").set_alias("last")
    joined = first.join(last, "loan", how="left")
    counted = {
        name: f"count(*) FILTER (coalesce(outcome, 'unknown') = '{name}')"
        for name in ("cured", "still_at_risk", "restructured", "written_off", "unknown")
    }
    table = aggregate(
        joined,
        by,
        at_risk="count(*)",
        **counted,
        at_risk_vnd="sum(outstanding_vnd)",
        cured_vnd="coalesce(sum(outstanding_vnd) FILTER (outcome = 'cured'), 0)",
    )
    table = table[table.at_risk > 0].reset_index(drop=True)
    known = table.at_risk - table.unknown
    lower, upper = intervals.wilson(table.cured, known, confidence=confidence)
    return table.assign(
        value=table.cured / known,
        lower=lower,
        upper=upper,
        numerator=table.cured,
        denominator=known,
        unit="proportion",
        method=f"cured of loans over {days} days; Wilson interval",
    )


def repayment_on_time(repayments, *, as_of, loans=None, by=(), grace_days=0):
    r"""Share of what fell due up to ``as_of`` that was paid by its due date, plus ``grace_days``.

    .. math:: \sum_j \min(\text{paid}_j, \text{due}_j)\, 1(\text{paid on}_j \le \text{due on}_j + g)
              \Big/ \sum_j \text{due}_j

    Instalments still within their days of grace on ``as_of`` don't count yet. No date and no amount paid
    means unpaid; an amount paid without a date (or the reverse), or a missing due amount, is unknown and
    widens lower and upper. loans: the table that carries the ``by`` columns, joined on loan, its last row
    for each. Columns: value, lower, upper, numerator and denominator in VND, unknown_vnd, instalments.

    Raises DataError where a column is missing.
    """
    by = _names(by)
    if loans is not None and by:
        repayments, loans = relations.together(repayments, loans)
        repayments = repayments.set_alias("instalment").join(_last_rows(loans, by), "loan", how="left")
    rel = relation(repayments, ("loan", "due_on", "due_vnd", "paid_on", "paid_vnd", *by), name="repayments")
    grace = f"CAST(due_on AS DATE) + {whole_days(grace_days, 'grace_days')}"
    in_time = f"(CAST(paid_on AS DATE) <= {grace})::INT"
    rel = rel.filter(f"{grace} <= {relations.date(as_of)}")
    unpaid = "coalesce(paid_vnd, 0) = 0 AND paid_on IS NULL"
    # SQL's least() would take the known one of two amounts, and read a payment of unknown size as the due.
    known = "paid_vnd IS NOT NULL AND due_vnd IS NOT NULL"
    timely = f"CASE WHEN {unpaid} THEN due_vnd * 0 WHEN {known} THEN least(paid_vnd, due_vnd) * {in_time} END"
    table = aggregate(
        rel,
        by,
        instalments="count(*)",
        numerator=f"coalesce(sum({timely}), 0)",
        denominator=f"coalesce(sum(due_vnd) FILTER ({timely} IS NOT NULL), 0)",
        unknown_vnd=f"coalesce(sum(due_vnd) FILTER ({timely} IS NULL), 0)",
        lacking="count(*) FILTER (due_vnd IS NULL)",
    )
    table = table[table.instalments > 0].reset_index(drop=True)
    whole = (table.denominator + table.unknown_vnd).where(lambda due: due > 0)
    return table.assign(
        value=table.numerator / table.denominator.where(table.denominator > 0),
        lower=(table.numerator / whole).where(table.lacking == 0, 0),
        upper=((table.numerator + table.unknown_vnd) / whole).where(table.lacking == 0, 1),
        unit="proportion",
        method=f"paid within {grace_days} days of the due date, by amount",
    ).drop(columns="lacking")


def with_purpose(loans, programmes):
    """Return the loans, frame or relation, with a column ``purpose``: that of the programme's code.

    programmes: the programme table, with code and purpose. A programme that it doesn't name has no purpose
    and groups as missing.
    """
    purpose = programmes.set_index("code")["purpose"].dropna()
    if isinstance(loans, pd.DataFrame):
        return loans.assign(purpose=loans["programme"].map(purpose))
    cases = " ".join(f"WHEN {relations.text(code)} THEN {relations.text(to)}" for code, to in purpose.items())
    return relation(loans, ("programme",)).project(f"*, CASE programme {cases} END AS purpose")


def _portfolio(loans, columns, as_of, by, known, numerator, at_risk):
    rel, by = _snapshot(loans, as_of, by, ("outstanding_vnd", "status", *columns))
    standing = f"{RESTRUCTURED} AND NOT coalesce({at_risk}, FALSE)"
    rest = "outstanding_vnd - overdue_vnd" if "overdue_vnd" in columns else "outstanding_vnd"
    table = aggregate(
        rel.filter(IN_PORTFOLIO),
        by,
        numerator=f"coalesce(sum({numerator}) FILTER ({known}), 0)",
        denominator=f"coalesce(sum(outstanding_vnd) FILTER ({known}), 0)",
        unknown_vnd=f"coalesce(sum(outstanding_vnd) FILTER (NOT ({known})), 0)",
        restructured_vnd=f"coalesce(sum(coalesce({rest}, outstanding_vnd)) FILTER ({standing}), 0)",
        restructured_unknown=f"coalesce(sum(outstanding_vnd) FILTER (({standing}) AND NOT ({known})), 0)",
        loans="count(*)",
        lacking="count(*) FILTER (outstanding_vnd IS NULL)",
    )
    table = table[table.loans > 0].reset_index(drop=True)
    _all_balances_known(table.lacking)
    whole = (table.denominator + table.unknown_vnd).where(lambda vnd: vnd > 0)
    worst = table.numerator + table.restructured_vnd
    return table.assign(
        value=table.numerator / table.denominator.where(table.denominator > 0),
        lower=table.numerator / whole,
        upper=(table.numerator + table.unknown_vnd) / whole,
        with_restructured=worst / (table.denominator + table.restructured_unknown).where(lambda vnd: vnd > 0),
    ).drop(columns=["lacking", "restructured_unknown"])


def _all_balances_known(lacking):
    if lacking.sum():
        raise DataError(
            f"loans, outstanding_vnd: missing for {int(lacking.sum())} loans of the portfolio, so no "
            "ratio to it can be formed. Ask for the balances, or leave these loans out and say so."
        )


def _last_rows(loans, by):
    """Each loan with its last known group, for a join."""
    rel = relation(loans, ("loan", *by))
    latest = "as_of" if "as_of" in rel.columns else "loan"
    picked = ", ".join(
        f"arg_max({relations.names([name])}, {latest}) AS {relations.names([name])}" for name in by
    )
    return rel.aggregate(f"loan, {picked}", "loan").set_alias("last_row")


def _names(by):
    return [by] if isinstance(by, str) else list(by)


def _snapshot(loans, as_of, by, columns):
    """Rows of one reporting date, and the names in ``by``."""
    by = _names(by)
    rel = relation(loans, (*columns, *by))
    return on_date(rel, as_of), by
