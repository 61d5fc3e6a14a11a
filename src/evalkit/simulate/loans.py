"""Single loans and their instalments, which add up to the bank's book exactly."""

from dataclasses import dataclass

import numpy as np
import pandas as pd

from evalkit.simulate import groups, places, products

_TENTH_VND = 100_000  # tenths of a million
_RETURNING = 0.6  # share of new loans that go to former borrowers, where there are as many
_KINDS = ("frozen", "overdue", "extended", "late", "small", "bundled", "big", "top_up")
_TROUBLED = 3  # the first three kinds


@dataclass(frozen=True)
class Ledger:
    """Loans one by one, as arrays of one length; years are indices into ``Loans.years``.

    begun, closed: the year of the loan and the year in which it ended. household: number within its part.
    """

    part: np.ndarray
    programme: np.ndarray
    begun: np.ndarray
    closed: np.ndarray
    kind: np.ndarray
    written_off: np.ndarray
    amount_million: np.ndarray
    household: np.ndarray
    identity: np.ndarray
    month: np.ndarray
    day: np.ndarray


def chosen_parts(parameters, territory, draws):
    """Return the parts whose loans are simulated one by one: a merged commune first, then others by lot."""
    order = draws.generator("loan communes").permutation(len(territory.unit_part))
    order = np.concatenate([order[territory.merged[order]][:1], order[~territory.merged[order]]])
    return np.flatnonzero(np.isin(territory.unit, order[: parameters.loan_communes]))


def ledger(parts, history, book, territory, draws):
    """Return every loan of the given parts that was open in the years of the data."""
    loans = history.loans
    counts = _counts(loans, book, parts)
    index = np.repeat(np.arange(counts.size), counts.ravel())
    own, programme, begun, kind = np.unravel_index(index, counts.shape)
    part = parts[own]
    position = np.arange(len(index)) - np.repeat(np.cumsum(counts.ravel()) - counts.ravel(), counts.ravel())
    before = np.concatenate([np.zeros_like(counts[..., :1]), np.cumsum(counts, axis=3)[..., :-1]], axis=3)
    rank = position + before[own, programme, begun, kind]  # within part, programme and year
    troubled = kind < _TROUBLED
    term = np.array([len(products.PRODUCTS[c].remaining) for c in products.codes()])[programme]
    size = np.select([kind == _KINDS.index("top_up"), kind >= _KINDS.index("bundled")], [2, 1], 0)
    g = draws.generator("dates of loans")
    month, day = _disbursement(programme, loans.years[begun], g)
    closed = begun + term + products.WORKOUT * troubled
    household = _households(
        own, programme, begun, closed, kind, rank, history.households[parts], loans.years, g
    )
    years, code = loans.years[begun].astype(str), territory.code[part].astype(str)
    numbers = np.char.zfill((rank + 1).astype(str), 4)
    labels = np.array([f"-{i + 1:02d}-" for i in range(len(products.codes()))])[programme]
    identity = np.char.add(np.char.add(np.char.add(code, labels), years), np.char.add("-", numbers))
    keep = closed >= len(loans.years) - len(history.years)
    columns = {
        "part": part,
        "programme": programme,
        "begun": begun,
        "closed": closed,
        "kind": np.array(_KINDS)[kind],
        "written_off": troubled & (rank < loans.written_off[part, programme, begun]),
        "amount_million": loans.amounts_million[programme, begun, size],
        "household": household,
        "identity": identity,
        "month": month,
        "day": day,
    }
    return Ledger(**{name: values[keep] for name, values in columns.items()})


def _counts(loans, book, parts):
    """Return the number of loans by part, programme, year and kind, in the order of ``_KINDS``."""
    of = {
        name: getattr(loans, name)[parts]
        for name in ("small", "big", "top_up", "late", "troubled", "overdue", "frozen")
    }
    bundled = book.bundles[parts].copy()
    # A bundle has two sides: a big loan for another purpose and a big production loan of the same year.
    wanted = bundled.sum(axis=1)
    for i in np.flatnonzero(products.is_production()):
        bundled[:, i] = np.minimum(of["big"][:, i], wanted)
        wanted = wanted - bundled[:, i]
    plain = of["small"] - of["late"] - of["troubled"]
    extended = of["troubled"] - of["overdue"] - of["frozen"]
    kinds = (
        of["frozen"],
        of["overdue"],
        extended,
        of["late"],
        plain,
        bundled,
        of["big"] - bundled,
        of["top_up"],
    )
    return np.stack(kinds, axis=3)


def _disbursement(programme, years, g):
    """Return month and day of each loan: any day to the 28th, never before its programme began."""
    starts = pd.DatetimeIndex([p.started_on for p in products.programmes()])
    first_year = starts.year.fillna(0).to_numpy()[programme]
    first_month = np.where(years == first_year, starts.month.fillna(0).to_numpy()[programme], 0).astype(int)
    month = first_month + 1 + np.floor(g.random(len(years)) * np.maximum(12 - first_month, 1)).astype(int)
    late_start = month > 12  # a programme that began in December
    day = g.integers(1, 29, len(years))
    return np.where(late_start, 12, month), np.where(late_start, 28, day)


def _households(own, programme, begun, closed, kind, rank, households, years, g):
    """Give each loan a household, so that distinct borrowers are those of the book.

    A household has one loan at a time, but for bundles (a production loan beside one for another purpose)
    and top-ups (a second loan of the same programme).
    """
    out = np.zeros(len(own), dtype=np.int64)
    production = products.is_production()[programme]
    bundled, top_up = kind == _KINDS.index("bundled"), kind == _KINDS.index("top_up")
    offset = len(years) - households.shape[1]
    busy_until = np.full((len(households), households.max(initial=0) + 1), -1)
    for cell in _by_part_and_year(own, begun):
        p, y = own[cell[0]], begun[cell[0]]
        guests = cell[bundled[cell] & ~production[cell]]
        hosts = cell[bundled[cell] & production[cell]]
        heads = cell[~top_up[cell] & ~np.isin(cell, guests)]
        out[heads] = _free(busy_until[p], y, households[p, max(y - offset, 0)], len(heads), g)
        out[guests] = out[hosts]
        extra, primary = cell[top_up[cell]], cell[~top_up[cell]]
        own_heads = {programme[i]: [] for i in extra}
        for i in primary:
            if programme[i] in own_heads:
                own_heads[programme[i]].append(i)
        for i in extra:
            out[i] = out[own_heads[programme[i]].pop()]
        np.maximum.at(busy_until[p], out[cell], closed[cell])
    return out


def _by_part_and_year(own, begun):
    """Return the positions of the loans of each part and year, the years of a part in order."""
    order = np.lexsort((begun, own))
    breaks = np.flatnonzero(np.diff(own[order]) | np.diff(begun[order])) + 1
    return np.split(order, breaks) if len(order) else []


def _free(busy_until, y, households, n, g):
    """Return n different households without an open loan, former borrowers first."""
    idle = np.flatnonzero(busy_until[1 : households + 1] <= y) + 1
    known = g.permutation(idle[busy_until[idle] >= 0])
    returning = known[: int(_RETURNING * n)]
    others = g.permutation(np.setdiff1d(idle, returning))
    return np.concatenate([returning, others])[:n]


def snapshots(book_of_loans, history, territory, layout, *, mergers):
    """Return the table of loans: every loan at each 31 December from its year to the year in which it ended.

    layout: what ``groups.sizes`` returned; a group's members are neighbours (consecutive numbers).
    """
    first = len(history.loans.years) - len(history.years)
    frames = [
        _snapshot(book_of_loans, history, territory, layout, t, first + t, mergers)
        for t in range(len(history.years))
    ]
    frame = pd.concat(frames, ignore_index=True)
    return frame.sort_values(["loan", "as_of"], ignore_index=True)


def _snapshot(book_of_loans, history, territory, layout, t, y, mergers):
    of = Ledger(
        **{
            k: v[(book_of_loans.begun <= y) & (book_of_loans.closed >= y)]
            for k, v in vars(book_of_loans).items()
        }
    )
    year, age = int(history.years[t]), y - of.begun
    begun_years = history.loans.years[of.begun]
    remaining, missed, term = _schedule(of.programme, age)
    open_ = y < of.closed
    late = (of.kind == "late") & (age == 1)
    worked_out = open_ & (age >= term)
    owed = np.where(open_, remaining + missed * late, 0)
    overdue = np.where(late, missed, np.where(worked_out & (of.kind == "overdue"), remaining, 0))
    as_of = pd.Timestamp(year, 12, 31)
    unpaid_since = _date(begun_years + np.where(late, 1, term), of.month, of.day)
    status = np.select(
        [~open_ & of.written_off, ~open_, overdue > 0, worked_out],
        ["written_off", "repaid", "overdue", of.kind],
        "current",
    )
    extended = (of.kind == "extended") & (age >= term)
    group, number = _group_of(of, layout, t, open_)
    old = year < places.MERGER.year and mergers
    return pd.DataFrame(
        {
            "loan": of.identity,
            "code": territory.code[of.part] if old else territory.unit_code[territory.unit[of.part]],
            "group": groups.identity(territory, of.part, number),
            "union": group,
            "household": _label(territory, of.part, of.household),
            "programme": np.array(products.codes())[of.programme],
            "disbursed_on": _date(begun_years, of.month, of.day),
            "due_on": _date(begun_years + term + products.WORKOUT * extended, of.month, of.day),
            "amount_vnd": of.amount_million * 10 * _TENTH_VND,
            "as_of": as_of,
            "outstanding_vnd": of.amount_million * owed * _TENTH_VND,
            "overdue_vnd": of.amount_million * overdue * _TENTH_VND,
            "days_past_due": np.where(overdue > 0, (as_of - pd.DatetimeIndex(unpaid_since)).days, 0),
            "status": status,
        }
    )


def _schedule(programme, age):
    """Return (tenths owed by plan at an age, tenths of the first instalment, term) of each loan.

    From the end of the term on, what is owed by one who didn't pay the last instalment.
    """
    plans = [products.PRODUCTS[c].remaining for c in products.codes()]
    terms = np.array([len(p) for p in plans])
    table = np.array([list(p) + [p[-1]] * (products.LONGEST + products.WORKOUT + 1 - len(p)) for p in plans])
    return table[programme, age], (table[:, 0] - table[:, 1])[programme], terms[programme]


def _group_of(of, layout, t, open_):
    """Return (union, number of the group) of each loan: a group's members are consecutive borrowers."""
    parts, years, _, members = layout
    number = np.zeros(len(of.part), dtype=np.int64)
    for part in np.unique(of.part):
        mine = of.part == part
        borrowers = np.unique(of.household[mine & open_])
        sizes = members[(parts == part) & (years == t)]
        last = borrowers[np.cumsum(sizes)[:-1] - 1] if len(sizes) else borrowers[:0]
        number[mine] = np.searchsorted(last, of.household[mine])
    return groups.unions(of.part, number), number


def instalments(book_of_loans, history, draws):
    """Return the table of repayments: every instalment of every loan, paid or not by the last year.

    What wasn't paid by then has no day of payment and zero paid.
    """
    of = book_of_loans
    g = draws.generator("payments")
    terms = np.array([len(products.PRODUCTS[c].remaining) for c in products.codes()])[of.programme]
    loan = np.repeat(np.arange(len(terms)), terms)
    age = np.arange(len(loan)) - np.repeat(np.cumsum(terms) - terms, terms) + 1
    programme, kind, last = of.programme[loan], of.kind[loan], age == terms[loan]
    plan = _schedule(programme, age - 1)[0]
    due_tenths = plan - np.where(last, 0, _schedule(programme, age)[0])
    begun = history.loans.years[of.begun[loan]]
    troubled = last & np.isin(kind, ("frozen", "overdue", "extended"))
    late = (kind == "late") & (age == 1)
    due_year = begun + age + products.WORKOUT * (last & (kind == "extended"))
    paid_year = begun + age + products.WORKOUT * troubled + late
    month, day = of.month[loan], of.day[loan]
    due_on = _date(due_year, month, day)
    usual = due_on + g.integers(-15, 11, len(loan)).astype("timedelta64[D]")
    within = np.clip(usual, _date(paid_year, 1, 1), _date(paid_year, 12, 31))
    settled = _date(paid_year, g.integers(1, 13, len(loan)), g.integers(1, 29, len(loan)))
    paid_on = np.where(paid_year > due_year, settled, within)
    paid = (paid_year <= history.years[-1]) & ~(troubled & of.written_off[loan])
    amount = of.amount_million[loan] * due_tenths * _TENTH_VND
    frame = pd.DataFrame(
        {
            "loan": of.identity[loan],
            "due_on": due_on,
            "due_vnd": amount,
            "paid_on": np.where(paid, paid_on, np.datetime64("NaT", "D")),
            "paid_vnd": np.where(paid, amount, 0),
        }
    )
    return frame[due_tenths > 0].sort_values(["loan", "due_on"], ignore_index=True)


def _date(year, month, day):
    year, month, day = np.broadcast_arrays(year, month, day)
    months = (year - 1970).astype("timedelta64[Y]").astype("timedelta64[M]") + (month - 1).astype(
        "timedelta64[M]"
    )
    return (np.datetime64("1970-01", "M") + months).astype("datetime64[D]") + (day - 1).astype(
        "timedelta64[D]"
    )


def _label(territory, part, household):
    return np.char.add(
        np.char.add(territory.code[part].astype(str), "-H"), np.char.zfill(household.astype(str), 4)
    )
