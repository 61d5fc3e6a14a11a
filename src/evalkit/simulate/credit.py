"""The bank's yearly book: lent, collected, outstanding and doubtful debt by programme."""

from dataclasses import dataclass

import numpy as np
import pandas as pd

from evalkit.simulate import products
from evalkit.simulate.draws import whole

_TENTH_VND = 100_000  # tenths of a million
_BUNDLED = 0.7  # share of big loans for other purposes whose household also takes a big production loan


@dataclass(frozen=True)
class Book:
    """Yearly figures by part, programme and year of the data; money in VND.

    customers: distinct households with a loan of any programme, by part and year. bundles: by part,
    programme and year of the loans, the big loans for another purpose whose household took a big
    production loan in the same year.
    """

    lent: np.ndarray
    collected: np.ndarray
    outstanding: np.ndarray
    overdue: np.ndarray
    frozen: np.ndarray
    extended: np.ndarray
    written_off: np.ndarray
    borrowers: np.ndarray
    loans: np.ndarray
    customers: np.ndarray
    bundles: np.ndarray


def book(history, draws):
    """Return the book that follows from the loans: every stock is the sum of what each loan still owes."""
    loans = history.loans
    shape = loans.small.shape
    by_year = {
        k: np.zeros(shape, dtype=np.int64)
        for k in ("owed", "written_off", "overdue", "frozen", "extended", "loans", "borrowers")
    }
    for i, code in enumerate(products.codes()):
        _programme({k: v[:, i] for k, v in by_year.items()}, loans, i, products.PRODUCTS[code].remaining)
    a = loans.amounts_million
    lent = 10 * (
        loans.small * a[None, :, :, 0] + loans.big * a[None, :, :, 1] + loans.top_up * a[None, :, :, 2]
    )
    before = np.concatenate([np.zeros_like(lent[:, :, :1]), by_year["owed"][:, :, :-1]], axis=2)
    collected = before + lent - by_year["written_off"] - by_year["owed"]
    bundles = _bundles(loans, draws)
    customers = by_year["borrowers"].sum(axis=1) - _double_counted(bundles)
    T = len(history.years)
    money = {"lent": lent, "collected": collected, "outstanding": by_year["owed"]}
    money |= {k: by_year[k] for k in ("overdue", "frozen", "extended", "written_off")}
    counts = {k: by_year[k][:, :, -T:] for k in ("borrowers", "loans")}
    money = {k: v[:, :, -T:] * _TENTH_VND for k, v in money.items()}
    return Book(**money, **counts, customers=customers[:, -T:], bundles=bundles)


def _programme(out, loans, i, remaining):
    """Add one programme's loans to ``out`` over their ages (arrays parts × years; tenths of a million)."""
    term, Y = len(remaining), len(loans.years)
    amounts = loans.amounts_million[i]
    kinds = ((loans.small, 0, 1), (loans.big, 1, 1), (loans.top_up, 2, 0))
    for age, tenths in enumerate(remaining):
        now, then = slice(age, Y), slice(0, Y - age)
        for number, size, household in kinds:
            n = number[:, i, then]
            out["owed"][:, now] += n * amounts[then, size] * tenths
            out["loans"][:, now] += n
            out["borrowers"][:, now] += n * household
    missed = loans.late[:, i, :-1] * amounts[:-1, 0] * (remaining[0] - remaining[1])
    out["owed"][:, 1:] += missed
    out["overdue"][:, 1:] += missed
    last = amounts[:, 0] * remaining[-1]
    extended = loans.troubled - loans.overdue - loans.frozen
    for age in range(term, term + products.WORKOUT):
        now, then = slice(age, Y), slice(0, Y - age)
        for key, number in (("overdue", loans.overdue), ("frozen", loans.frozen), ("extended", extended)):
            out[key][:, now] += number[:, i, then] * last[then]
        troubled = loans.troubled[:, i, then]
        out["owed"][:, now] += troubled * last[then]
        out["loans"][:, now] += troubled
        out["borrowers"][:, now] += troubled
    end = term + products.WORKOUT
    out["written_off"][:, end:] += loans.written_off[:, i, : Y - end] * last[: Y - end]


def _bundles(loans, draws):
    production = products.is_production()
    free = loans.big[:, production].sum(axis=1)
    u = draws.uniform("bundles", *loans.big.shape)
    out = np.zeros_like(loans.big)
    for i in np.flatnonzero(~production):
        out[:, i] = np.minimum(whole(_BUNDLED * loans.big[:, i], u[:, i]), np.minimum(loans.big[:, i], free))
        free = free - out[:, i]
    return out


def _double_counted(bundles):
    """Return the households counted in two programmes, by part and year: while both loans are open."""
    out = np.zeros((bundles.shape[0], bundles.shape[2]), dtype=np.int64)
    for i, code in enumerate(products.codes()):
        together = min(len(products.PRODUCTS[code].remaining), products.PRODUCTION_TERM)
        for age in range(together):
            out[:, age:] += bundles[:, i, : bundles.shape[2] - age]
    return out


_COLUMNS = (
    "lent",
    "collected",
    "outstanding",
    "overdue",
    "frozen",
    "extended",
    "written_off",
    "borrowers",
    "loans",
)


def table(book, boundaries):
    """Return the table of credit: commune × year × programme, and the office's own row ``total``.

    A programme has a row where anything was owed or moved. Borrowers are households, counted once in a
    programme; those of the row ``total`` are counted once over all programmes.
    """
    codes = products.codes()
    columns = {}
    for name in _COLUMNS:
        values = getattr(book, name)
        by_programme = np.stack([boundaries.count(values[:, i]) for i in range(len(codes))], axis=1)
        total = boundaries.count(book.customers) if name == "borrowers" else by_programme.sum(axis=1)
        columns[name] = np.concatenate([by_programme, total[:, None]], axis=1)
    moved = (columns["outstanding"] > 0) | (columns["lent"] > 0) | (columns["collected"] > 0)
    row, column = np.nonzero(moved)
    frame = {
        "code": boundaries.codes[row],
        "year": boundaries.years[row],
        "programme": np.array([*codes, "total"])[column],
    }
    counts = {"borrowers", "loans"}
    frame |= {name if name in counts else f"{name}_vnd": columns[name][row, column] for name in _COLUMNS}
    return pd.DataFrame(frame)
