"""Which cells must stay hidden by themselves: few people, or money of few."""

import numpy as np
import pandas as pd

from evalkit.load import reference
from evalkit.metrics import groups, rollup
from evalkit.metrics.lending import PURPOSES, TOTAL
from evalkit.metrics.suppress.cells import PEOPLE, REST, from_tables

_AT = ["place", "year", "expr"]
_ABOVE = ("district", "province")
_OF_UNIONS = {f"entrusted_share_{union}_union_pct" for union in groups.UNIONS}
_OF_GROUPS = _OF_UNIONS | {
    d.name
    for d in (*groups.DEFINITIONS, *groups.WITH_CREDIT)
    if {"savings", "outstanding_of_groups"} & set(d.columns)
}


def sensitive(system, tables, units, *, threshold, percent, zeros=False):
    r"""Return for each cell how wide the interval that others can work out must be; 0 where it isn't sensitive.

    Counts of people and households from 1 to ``threshold`` − 1, and what such a count leaves of its whole,
    are sensitive (zeros: nought as well); the interval must be at least ``threshold`` wide, so that it always
    holds counts above the threshold. Amounts of money are sensitive where fewer than ``threshold`` borrowers
    stand behind them, or where single loans are known and the largest borrower can be estimated by the second
    to within ``percent`` (the p% rule):

    .. math:: X - x_1 - x_2 < \tfrac{p}{100}\, x_1

    X: the amount; x₁, x₂: the largest borrower's and the second's. The interval of an amount must be at least
    2p% of it wide.

    Source: Hundepool et al. (2012), Statistical Disclosure Control, chapter 4.
    """
    cells = system.cells
    value, expr = cells["value"].to_numpy(float), cells["expr"].str.split("@").str[0]
    people = (expr.isin(PEOPLE) | expr.str.startswith(REST)).to_numpy()
    few = people & (value < threshold) & ((value > 0) | zeros)
    width = np.where(few, float(threshold), 0.0)
    behind = _contributors(tables, units, percent)
    if len(behind) and threshold:
        at = pd.MultiIndex.from_frame(behind[_AT])
        cell = pd.MultiIndex.from_arrays([cells["place"], cells["year"], expr])
        found = at.get_indexer(cell)
        there = found >= 0
        number, dominated = behind["number"].to_numpy(float)[found], behind["dominated"].to_numpy(bool)[found]
        money = there & (value > 0) & ~people & ((number > 0) & (number < threshold) | dominated)
        width = np.where(money, np.maximum(2 * percent / 100 * value, 1.0), width)
    return width


def money_of_few_members(rows, table, units, threshold):
    """Return which rows print money of savings-and-loan groups behind which stand fewer members than ``threshold``.

    Shares of the unions count where one union's groups have so few, other money of groups where all groups of
    the place do. The same rows of its district and province count as well, so that nothing is left to subtract.
    """
    known = table.assign(members=table["members"].astype(float)).dropna(subset=["members"])
    found = pd.Series(False, index=rows.index)
    for definitions, by in ((_OF_UNIONS, ["union"]), (_OF_GROUPS, [])):
        members = known.groupby(["place", "year", *by])["members"].sum().reset_index()
        few = members[members["members"].between(0, threshold, inclusive="neither")]
        places = [few["place"], *(few["place"].map(rollup.areas(units, level)) for level in _ABOVE)]
        at = {
            (place, int(year)) for column in places for place, year in zip(column, few["year"], strict=True)
        }
        here = pd.MultiIndex.from_frame(rows[["place", "year"]]).isin(at) if at else False
        found |= here & rows["indicator"].isin(definitions) & from_tables(rows)
    return found


def _contributors(tables, units, percent):
    """How many stand behind each amount of money, and whether one dominates it: place, year, expr, …"""
    found = []
    if "credit" in tables and "borrowers" in tables["credit"]:
        counts = _borrowers(tables["credit"])
        found += [
            counts.assign(place=counts["place"].map(rollup.areas(units, level))) for level in rollup.LEVELS
        ]
    if {"household", "outstanding_vnd", "as_of", "programme"} <= set(tables.get("loans", ())):
        found.append(_loans(tables["loans"]))  # of communes: a district's other communes may have none
    if not found:
        return pd.DataFrame(columns=[*_AT, "number", "dominated"])
    every = pd.concat(found, ignore_index=True).dropna(subset=["place", "year"]).astype({"place": object})
    single = every[every["amount"].notna() & (every["amount"] > 0)]
    counts = every[every["amount"].isna()].groupby(_AT)["number"].sum()
    if len(single):
        holder = single.groupby([*_AT, "household"])["amount"].sum().reset_index()
        holder = holder.sort_values("amount", ascending=False, kind="stable")
        total = holder.groupby(_AT)["amount"].agg(["sum", "size", "first"])
        second = holder.groupby(_AT)["amount"].nth(1)
        second = holder.loc[second.index].set_index(_AT)["amount"]
        rest = total["sum"] - total["first"] - second.reindex(total.index).fillna(0)
        largest = pd.DataFrame({"size": total["size"], "dominated": rest < percent / 100 * total["first"]})
    else:
        largest = pd.DataFrame(columns=["size", "dominated"], index=counts.index[:0])
    out = pd.DataFrame({"number": counts}).join(largest, how="outer")
    out["number"] = out["number"].fillna(out["size"]).astype(float)
    out["dominated"] = out["dominated"].eq(True)
    return out.reset_index(names=_AT)[[*_AT, "number", "dominated"]]


def _borrowers(credit):
    """Borrowers behind the outstanding of each programme and purpose."""
    own = credit.loc[credit["programme"] != TOTAL, ["place", "year", "programme", "borrowers"]]
    own = own.rename(columns={"borrowers": "number"}).astype({"number": float, "year": "int64"})
    purpose = own.assign(expr=own["programme"].map(reference.programmes()["purpose"]))
    whole = own.assign(expr="outstanding")
    own = own.assign(expr="outstanding_" + own["programme"])
    found = pd.concat([own, purpose[purpose["expr"].isin(PURPOSES)], whole], ignore_index=True)
    return found.assign(amount=np.nan, household=None)[[*_AT, "number", "amount", "household"]]


def _loans(loans):
    """The amounts of single households behind each sum of the books."""
    year = pd.to_datetime(loans["as_of"]).dt.year
    base = pd.DataFrame({"place": loans["place"], "year": year, "household": loans["household"]})
    debt = loans["outstanding_vnd"].astype(float)
    amounts = {"outstanding": debt}
    if "overdue_vnd" in loans:
        amounts["overdue"] = loans["overdue_vnd"].astype(float)
    if "status" in loans:
        amounts |= {s: debt.where(loans["status"].eq(s), 0.0) for s in ("frozen", "extended")}
    parts = [base.assign(expr=e, amount=a) for e, a in amounts.items()]
    parts.append(base.assign(expr="outstanding_" + loans["programme"], amount=debt))
    parts.append(base.assign(expr=loans["programme"].map(reference.programmes()["purpose"]), amount=debt))
    return (
        pd.concat(parts, ignore_index=True).assign(number=np.nan).dropna(subset=["household", "year", "expr"])
    )
