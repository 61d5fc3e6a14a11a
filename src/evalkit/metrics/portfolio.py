"""The loan book in one pass: every amount and count that the annual tables need, from one scan of the loans.

The conditions are those of :mod:`evalkit.metrics.loans`, so that a sum here equals the numerator there.
"""

import pandas as pd

from evalkit.metrics.loans import DAYS, IN_PORTFOLIO
from evalkit.metrics.relations import aggregate, date, relation, together

COLUMNS = [
    "code",
    "household",
    "programme",
    "disbursed_on",
    "amount_vnd",
    "as_of",
    "outstanding_vnd",
    "overdue_vnd",
    "days_past_due",
    "status",
]
AGEING_EDGES = (30, 90, 180, 365)


def annual(loans, *, by=("code", "programme")):
    """Return the portfolio of each group at each reporting date: one row per ``by`` and as_of.

    In VND: outstanding, overdue (the bank's own, instalments alone), at_risk_0, at_risk_30, … (whole
    principal of loans more than so many days past due), frozen, extended, written_off, lent (in the year up
    to as_of) and days_unknown (principal of loans without days past due). Counts: loans and households of the
    portfolio, loans_lent. Households are distinct within the group: a household in two programmes is one in
    each, and one with ``by=("code",)``. A sum leaves missing values out.

    Raises DataError where a column is missing.
    """
    rel = relation(loans, (*COLUMNS, *by)).project(f"*, {IN_PORTFOLIO} AS standing, {DAYS} AS days")
    at_risk = {
        f"at_risk_{edge}_vnd": f"coalesce(sum(outstanding_vnd) FILTER (standing AND days > {edge}), 0)"
        for edge in (0, *AGEING_EDGES)
    }
    lent = "CAST(disbursed_on AS DATE) > CAST(as_of AS DATE) - INTERVAL 1 YEAR"
    return aggregate(
        rel,
        [*by, "as_of"],
        loans="count(*) FILTER (standing)",
        households="count(DISTINCT household) FILTER (standing)",
        outstanding_vnd="coalesce(sum(outstanding_vnd) FILTER (standing), 0)",
        overdue_vnd="coalesce(sum(overdue_vnd) FILTER (standing), 0)",
        **at_risk,
        days_unknown_vnd="coalesce(sum(outstanding_vnd) FILTER (standing AND days IS NULL), 0)",
        frozen_vnd="coalesce(sum(outstanding_vnd) FILTER (standing AND status = 'frozen'), 0)",
        extended_vnd="coalesce(sum(outstanding_vnd) FILTER (standing AND status = 'extended'), 0)",
        written_off_vnd="coalesce(sum(outstanding_vnd) FILTER (status = 'written_off'), 0)",
        loans_lent=f"count(*) FILTER ({lent})",
        lent_vnd=f"coalesce(sum(amount_vnd) FILTER ({lent}), 0)",
    )


def annual_of(ledger, *, by=("code", "programme")):
    """Return :func:`annual` of every snapshot of a ledger, one after the other so that memory stays small.

    ``ledger`` has snapshots (dates) and loans(as_of=date), as :class:`evalkit.load.ledger.Ledger`.
    """
    return pd.concat([annual(ledger.loans(as_of=day), by=by) for day in ledger.snapshots], ignore_index=True)


def overlap(loans, *, by=("code",)):
    """Return how far programmes share their borrowers: one row per ``by`` and as_of.

    Columns: households (distinct, with a loan in the portfolio), in_one, in_two, in_more (households by the
    number of their programmes) and programme_households, the sum of each programme's households, which counts
    a household once per programme. Loans without a household are left out and counted in loans_unknown.

    Raises DataError where a column is missing.
    """
    rel = relation(loans, ("household", "programme", "as_of", "outstanding_vnd", "status", *by)).filter(
        IN_PORTFOLIO
    )
    keys = ", ".join(f'"{name}"' for name in (*by, "as_of"))
    each = rel.aggregate(
        f"{keys}, household, count(DISTINCT programme) AS programmes, count(*) AS loans", f"{keys}, household"
    )
    known = "household IS NOT NULL"
    return aggregate(
        each,
        [*by, "as_of"],
        households=f"count(*) FILTER ({known})",
        in_one=f"count(*) FILTER ({known} AND programmes = 1)",
        in_two=f"count(*) FILTER ({known} AND programmes = 2)",
        in_more=f"count(*) FILTER ({known} AND programmes > 2)",
        programme_households=f"coalesce(sum(programmes) FILTER ({known}), 0)",
        loans_unknown=f"coalesce(sum(loans) FILTER (NOT {known}), 0)",
    )


def standing_on(loans, repayments, as_of):
    """Return the loans as they stood on any day, from their instalments: a relation like ``loans``.

    Outstanding: amount lent less what was paid by that day. Overdue: what was due before that day and not yet
    paid; days_past_due counts from the oldest such instalment. A loan is taken from its row of the latest
    reporting date; its status then is current, overdue or repaid, for when a debt was frozen, extended or
    written off is not in the instalments: at a reporting date prefer the table's own rows.

    Raises DataError where a column is missing or one table is a frame and the other a relation.
    """
    loans, repayments = together(loans, repayments)
    day = date(as_of)
    rows = relation(loans, ("loan", *COLUMNS))
    names = [name for name in rows.columns if name not in ("loan", *_FROM_INSTALMENTS)]
    latest = ", ".join(f'arg_max("{name}", as_of) AS "{name}"' for name in names if name != "as_of")
    once = (
        rows.filter(f"CAST(disbursed_on AS DATE) <= {day}")
        .aggregate(f"loan, {latest}", "loan")
        .set_alias("lent")
    )
    paid = f"CASE WHEN CAST(paid_on AS DATE) <= {day} THEN coalesce(paid_vnd, 0) ELSE 0 END"
    behind = f"CAST(due_on AS DATE) < {day} AND due_vnd > {paid}"
    sums = (
        relation(repayments, ("loan", "due_on", "due_vnd", "paid_on", "paid_vnd"), name="repayments")
        .aggregate(
            f"loan AS instalment_of, sum({paid}) AS paid, sum(due_vnd - {paid}) FILTER ({behind}) AS late, "
            f"min(CAST(due_on AS DATE)) FILTER ({behind}) AS late_since",
            "loan",
        )
        .set_alias("instalments")
    )
    listed = ", ".join(f'"{name}"' for name in names if name != "as_of")
    return once.join(sums, "loan = instalment_of", how="left").project(
        f"loan, {listed}, {day} AS as_of, amount_vnd - coalesce(paid, 0) AS outstanding_vnd, "
        f"coalesce(late, 0) AS overdue_vnd, coalesce({day} - late_since, 0) AS days_past_due, "
        "CASE WHEN amount_vnd <= coalesce(paid, 0) THEN 'repaid' WHEN late > 0 THEN 'overdue' "
        "ELSE 'current' END "
        "AS status"
    )


_FROM_INSTALMENTS = ("outstanding_vnd", "overdue_vnd", "days_past_due", "status")
