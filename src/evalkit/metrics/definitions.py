"""What an indicator is: its formula as data, so that what is computed and what is documented can't differ.

A definition names columns of a table of sums (one row per place and year: see evalkit.metrics.credit and its
siblings). Sums are added over the communes of an area first and ratios taken after, so that one definition
serves communes, districts and provinces. A column that is missing for a commune leaves that commune out of
numerator and denominator alike, and so does a share of which more is counted than there is: one of its two
counts is wrong, which the checks say, and no figure is made of it.
"""

from dataclasses import dataclass

import numpy as np

from evalkit.metrics import intervals


class Definition:
    """What every definition has: columns that must be known, and whether areas add it up.

    upto: columns that only raise an upper bound. additive: an area's figure is the sum of its communes'.
    """

    upto = ()
    additive = False

    @property
    def interval(self):
        """How lower and upper come about."""
        return "none: a full count"

    def known(self, values):
        """Which rows of the columns are known."""
        return np.all([~np.isnan(values[c]) for c in self.columns], axis=0)


@dataclass(frozen=True)
class Quantity(Definition):
    """A sum of counts or money. Exact as far as the table is: lower = value = upper.

    sparse: zero makes no row (one programme of many, in which nothing is owed).
    """

    name: str
    column: str
    unit: str
    meaning: str
    basis: str | None = None
    flags: tuple[str, ...] = ()
    sparse: bool = False
    source: str = ""
    additive = True

    @property
    def columns(self):
        """Columns that must be known."""
        return (self.column,)

    @property
    def formula(self):
        """The formula in words of the columns."""
        return self.column

    def of(self, sums):
        """Return value, lower, upper, numerator, denominator from summed columns."""
        value = sums[self.column]
        if self.sparse:
            value = np.where(value == 0, np.nan, value)
        return {"value": value, "lower": value, "upper": value}


@dataclass(frozen=True)
class Ratio(Definition):
    """``scale`` × (sum of ``over`` / sum of ``under`` − ``less``).

    upto: columns of the same kind that may belong to the numerator; with them it is the upper bound.
    over_least, under_least: the least that numerator or denominator can be where they are known only between
    two bounds. part: the numerator is a part of the denominator, so that nothing is known of a commune where it
    is more. counts: numerator and denominator count things, a part and its whole, and the interval is Wilson's.
    """

    name: str
    over: tuple[str, ...]
    under: tuple[str, ...]
    unit: str
    meaning: str
    scale: float = 1.0
    less: float = 0.0
    upto: tuple[str, ...] = ()
    over_least: str = ""
    under_least: str = ""
    part: bool = False
    counts: bool = False
    basis: str | None = None
    flags: tuple[str, ...] = ("computed",)
    source: str = ""

    @property
    def columns(self):
        """Columns that must be known."""
        return tuple(c for c in (*self.over, *self.under, self.over_least, self.under_least) if c)

    def known(self, values):
        """Which rows of the columns are known, and possible."""
        found = super().known(values)
        if not (self.part or self.counts):
            return found
        over, under = (sum(values[c] for c in columns) for columns in (self.over, self.under))
        return found & ~(over > under)

    @property
    def formula(self):
        """The formula in words of the columns."""
        over, under = " + ".join(self.over), " + ".join(self.under)
        over = f"({over})" if len(self.over) > 1 else over
        ratio = f"{over} / {under}" + (f" − {self.less:g}" if self.less else "")
        if self.scale == 1:
            return ratio
        return f"{self.scale:g} × ({ratio})" if self.less else f"{self.scale:g} × {ratio}"

    @property
    def interval(self):
        """How lower and upper come about."""
        parts = ["Wilson score, 95 %"] if self.counts else []
        if self.upto:
            parts.append(f"upper: {' + '.join(self.upto)} added to the numerator")
        if self.over_least:
            parts.append(f"lower: {self.over_least} as numerator")
        if self.under_least:
            parts.append(f"upper: {self.under_least} as denominator")
        return "; ".join(parts) or "none: a full count"

    def of(self, sums):
        """Return value, bounds, numerator, denominator from summed columns, and the mark of single rows.

        repeats: numerator or denominator known between two bounds only.
        """
        over, under = sum(sums[c] for c in self.over), sum(sums[c] for c in self.under)
        least = sums[self.over_least] if self.over_least else over
        under_least = sums[self.under_least] if self.under_least else under
        most = over + sum((sums[c] for c in self.upto), np.zeros_like(over))
        under, under_least = (
            np.where(under > 0, under, np.nan),
            np.where(under_least > 0, under_least, np.nan),
        )
        value = over / under
        lower, upper = least / under, most / under_least
        if self.under_least:
            upper = np.where(sums[self.under_least] == 0, np.inf, upper)
        if self.counts:
            (lower, _), (_, upper) = intervals.wilson(least, under), intervals.wilson(most, under)
        if self.upto and self.unit == "percent":
            upper = np.where(np.isnan(upper), 1.0, np.minimum(upper, np.maximum(value, 1.0)))
        out = {"value": value, "lower": lower, "upper": upper}
        out = {k: self.scale * (v - self.less) for k, v in out.items()}
        repeats = (least != over) | (np.nan_to_num(under_least) != np.nan_to_num(under))
        return out | {"numerator": over, "denominator": under, "repeats": repeats}


@dataclass(frozen=True)
class Concentration(Definition):
    """Herfindahl index of ``parts`` of ``whole``: Σ (part / whole)².

    lower: the value, as if what the parts leave of the whole were spread thinly; upper: as if it were one
    more part.
    """

    name: str
    parts: tuple[str, ...]
    whole: str
    unit: str
    meaning: str
    basis: str | None = None
    flags: tuple[str, ...] = ("computed",)
    source: str = ""

    @property
    def columns(self):
        """Columns that must be known."""
        return (*self.parts, self.whole)

    @property
    def formula(self):
        """The formula in words of the columns."""
        return f"Σ (part / {self.whole})², over the programmes"

    @property
    def interval(self):
        """How lower and upper come about."""
        return "upper: what the programmes leave of the whole as one more programme"

    def of(self, sums):
        """Return value, lower, upper from summed columns."""
        whole = np.where(sums[self.whole] > 0, sums[self.whole], np.nan)
        shares = np.array([sums[p] / whole for p in self.parts])
        value = (shares**2).sum(axis=0)
        rest = np.maximum(1 - shares.sum(axis=0), 0)
        return {"value": value, "lower": value, "upper": value + rest**2}


@dataclass(frozen=True)
class NumberOf(Definition):
    """How many of ``parts`` are above zero."""

    name: str
    parts: tuple[str, ...]
    unit: str
    meaning: str
    basis: str | None = None
    flags: tuple[str, ...] = ()
    source: str = ""
    additive = True

    @property
    def columns(self):
        """Columns that must be known."""
        return self.parts

    @property
    def formula(self):
        """The formula in words of the columns."""
        return "number of programmes with outstanding > 0"

    def of(self, sums):
        """Return value, lower, upper from summed columns."""
        known = ~np.isnan(sums[self.parts[0]])
        value = np.where(known, sum((sums[p] > 0).astype(float) for p in self.parts), np.nan)
        return {"value": value, "lower": value, "upper": value}
