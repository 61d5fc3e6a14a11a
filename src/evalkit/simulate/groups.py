"""Savings-and-loan groups: their members, unions, debts, savings and ratings."""

import numpy as np
import pandas as pd

from evalkit.simulate import law

_UNIONS = ("women", "farmers", "veterans", "youth")
_UNION_SHARES = (0.42, 0.36, 0.14, 0.08)
_GOLDEN = 0.6180339887498949  # spreads a commune's groups evenly over the unions
_FULL = (34, 58)  # members on average above which a commune opens another group; it differs by commune
_UNEVEN = 6  # members by which two neighbouring groups differ at most from their mean
_THOUSAND = 1_000
_RATINGS = np.array(["good", "fair", "average", "weak"])


def sizes(customers, draws):
    """Return (part, year index, number of the group, members) of every group, as arrays.

    Members are the households that owe, so that a part's groups add up to its customers; where these are
    fewer than a group must have, there is none.
    """
    least, most = law.group_size()
    full = np.minimum(draws.generator("full groups").integers(*_FULL, len(customers)), most)[:, None]
    groups = np.minimum(-(-customers // full), customers // least)
    part, year = np.divmod(np.repeat(np.arange(customers.size), groups.ravel()), customers.shape[1])
    number = _position(groups.ravel())
    of = groups[part, year]
    base, extra = np.divmod(customers[part, year], of)
    members = base + (number < extra)
    return part, year, number, members + _uneven(draws, part, number, of, members, least, most)


def _position(lengths):
    """Return 0, 1, 2 … within each run of the given lengths."""
    starts = np.repeat(np.cumsum(lengths) - lengths, lengths)
    return np.arange(lengths.sum()) - starts


def _uneven(draws, part, number, of, members, least, most):
    """Move a few members within pairs of neighbouring groups: the first gains what the second loses."""
    pair = number // 2
    wish = np.rint(_UNEVEN * (2 * _hashed(draws, part * 97 + pair) - 1)).astype(np.int64)
    first = number % 2 == 0
    paired = np.where(first, number + 1 < of, True)
    room = np.minimum(members - least, most - members)
    partner = np.where(
        first, np.minimum(np.arange(len(number)) + 1, max(len(number) - 1, 0)), np.arange(len(number)) - 1
    )
    limit = np.where(paired, np.minimum(room, room[partner] if len(room) else room), 0)
    step = np.clip(wish, -limit, limit)
    return np.where(first, step, -step)


def _hashed(draws, keys):
    """Return a uniform number for each key, the same for the same key."""
    if not len(keys):
        return np.zeros(0)
    return draws.uniform("group sizes", keys.max() + 1)[keys]


def unions(part, number):
    """Return the union that each group was entrusted by; it stays with the group."""
    position = ((number + 1) * _GOLDEN + part * _GOLDEN**2) % 1
    return np.array(_UNIONS)[np.searchsorted(np.cumsum(_UNION_SHARES)[:-1], position, side="right")]


def table(layout, book, history, territory, draws, *, loans, mergers):
    """Return the table of groups; what a part's groups owe adds up to what the part owes.

    layout: what ``sizes`` returned. loans: the table of single loans; where it has a part's loans, its
    groups' debts are counted from them.
    """
    part, year, number, members = layout
    label, years = identity(territory, part, number), history.years[year]
    outstanding = _spread(book.outstanding.sum(axis=1)[part, year], part, year, members, draws)
    overdue = _placed(book.overdue.sum(axis=1), part, year, outstanding, draws)
    if loans is not None:
        outstanding, overdue = _counted(label, years, outstanding, overdue, loans)
    g = draws.generator("savings of groups")
    price = history.prices[year]
    savings = (
        np.rint(members * price * 900 * np.exp(0.3 * g.standard_normal(len(members)))).astype(np.int64)
        * _THOUSAND
    )
    code = np.where((years < 2020) & mergers, territory.code[part], territory.unit_code[territory.unit[part]])
    frame = pd.DataFrame(
        {
            "code": code,
            "year": years,
            "group": label,
            "union": unions(part, number),
            "members": members,
            "outstanding_vnd": outstanding,
            "overdue_vnd": overdue,
            "savings_vnd": savings,
            "rating": _rating(overdue, outstanding, g.random(len(members))),
        }
    )
    return frame.sort_values(["code", "year", "group"], ignore_index=True)


def _counted(label, years, outstanding, overdue, loans):
    """Replace the debts of groups whose single loans are known by their sums."""
    sums = loans.groupby([loans["group"], loans["as_of"].dt.year])[["outstanding_vnd", "overdue_vnd"]].sum()
    found = sums.reindex(pd.MultiIndex.from_arrays([label, years]))
    known = found["outstanding_vnd"].notna().to_numpy()
    outstanding[known] = found["outstanding_vnd"][known]
    overdue[known] = found["overdue_vnd"][known]
    return outstanding, overdue


def identity(territory, part, number):
    """Return the name of each group: the code of the commune that founded it and a running number."""
    labels = np.array([f"-{i + 1:02d}" for i in range(number.max(initial=-1) + 1)], dtype=str)
    return np.char.add(territory.code[part].astype(str), labels[number])


def _spread(total, part, year, members, draws):
    """Divide what a part owes over its groups by members and chance, to the last dong."""
    weight = members * np.exp(0.15 * draws.normal("debt of groups", len(members)))
    key = part * 10_000 + year
    _, run = np.unique(key, return_inverse=True)
    share = weight / np.bincount(run, weight)[run] if len(run) else weight
    out = np.floor(total * share / _THOUSAND).astype(np.int64) * _THOUSAND
    last = np.append(np.diff(run) != 0, True)[: len(run)]
    missing = total[last] - np.bincount(run, out).astype(np.int64)[run[last]] if len(run) else 0
    out[last] += missing
    return out


def _placed(overdue, part, year, outstanding, draws):
    """Place a part's overdue debt in a few of its groups, never more than a group owes."""
    total_owed = np.zeros_like(overdue)
    np.add.at(total_owed, (part, year), outstanding)
    heaviest = np.maximum(0.3, overdue / np.maximum(total_owed, 1))[part, year]
    limit = np.minimum(np.ceil(outstanding * heaviest).astype(np.int64), outstanding)
    order = np.lexsort((draws.uniform("overdue of groups", len(part)), year, part))
    filled = np.cumsum(limit[order])
    run_start = np.append(True, np.diff((part * 10_000 + year)[order]) != 0)[: len(order)]
    start = np.maximum.accumulate(np.where(run_start, filled - limit[order], 0)) if len(order) else filled
    out = np.zeros(len(part), dtype=np.int64)
    out[order] = np.clip(overdue[part, year][order] - (filled - limit[order] - start), 0, limit[order])
    return out


def _rating(overdue, outstanding, u):
    """Rate groups by their overdue debt; without any, most are good."""
    share = overdue / np.maximum(outstanding, 1)
    rank = np.select([share > 0.15, share > 0.05, share > 0.01], [3, 2, 1], 0)
    return _RATINGS[np.minimum(rank + (u > 0.93), 3)]
