"""What a simulated province is made from: its size, its seed, the true effect and the difficulties."""

from dataclasses import dataclass, field, fields
from difflib import get_close_matches
from numbers import Integral

from evalkit.errors import ParameterError


@dataclass(frozen=True)
class Effect:
    """The true effect of one million VND (prices of the first year) of production credit per household.

    poverty_pp: change of the share of poor households, in percentage points, one year later.
    log_income: change of the log of real income per person, one year later.
    """

    poverty_pp: float = -0.3
    log_income: float = 0.01

    @classmethod
    def none(cls):
        """Return the effect of a province where credit changes nothing."""
        return cls(poverty_pp=0.0, log_income=0.0)


@dataclass(frozen=True)
class Difficulties:
    """What makes the real task hard; each can be switched off by itself.

    list_steers_lending: new loans follow last year's lists of the poor (reverse causality), and recognition
        as New Rural ends lending for difficult areas. Off: lending follows propensities of the commune
        that have nothing to do with its poverty.
    mean_reversion: high rates fall faster and shocks last. Off: parallel paths, independent shocks.
    floor: poverty nears zero and can't fall below. Off: the level is high enough never to meet it.
    standards_break: the review changes its standard, with a bridge that differs by commune. Off: one
        standard throughout.
    supply_2019: the ceiling of loans to poor households rises, for their successors on the list too.
    supply_2022: a package of job-creation lending in proportion to the commune's earlier use of it.
    district_shocks: shocks shared by a district, which move poverty, income and lending together.
    mergers_2020: communes merge on 1 January 2020; codes live on under other names. Off: the same
        communes on the boundaries of today throughout.
    missing_years: some communes deliver no table in some years.
    heaping: in the year of recognition the commune reports an income just over the threshold.
    concurrent_programmes: poor communes receive another programme, which lowers poverty and draws credit.
    hidden_overdue: debt that wasn't repaid shows as frozen or extended instead of overdue.
    press_rounding: published facts are rounded and qualified ("over", "nearly"). Off: exact.
    """

    list_steers_lending: bool = True
    mean_reversion: bool = True
    floor: bool = True
    standards_break: bool = True
    supply_2019: bool = True
    supply_2022: bool = True
    district_shocks: bool = True
    mergers_2020: bool = True
    missing_years: bool = True
    heaping: bool = True
    concurrent_programmes: bool = True
    hidden_overdue: bool = True
    press_rounding: bool = True

    @classmethod
    def none(cls):
        """Return the easy province: every difficulty switched off."""
        return cls(**{f.name: False for f in fields(cls)})

    @classmethod
    def only(cls, *names):
        """Return a province with the named difficulties and no other."""
        unknown = set(names) - {f.name for f in fields(cls)}
        if unknown:
            known = ", ".join(f.name for f in fields(cls))
            raise ParameterError(
                f"difficulties: {', '.join(sorted(unknown))} is not known. Known are: {known}."
            )
        return cls(**{f.name: f.name in names for f in fields(cls)})


@dataclass(frozen=True)
class Parameters:
    """Everything that decides a simulated data set; the same parameters give the same figures.

    districts, communes: of all provinces together; communes counts the units on the boundaries of today.
    years: first and last year, both included. loan_communes: communes (of today) whose loans are simulated
    one by one. survey_communes: communes in which households are surveyed, every second year.
    press_communes: communes about which facts were published.
    """

    districts: int = 13
    communes: int = 225
    years: tuple[int, int] = (2012, 2024)
    seed: int = 1
    effect: Effect = field(default_factory=Effect)
    difficulties: Difficulties = field(default_factory=Difficulties)
    provinces: int = 1
    loan_communes: int = 4
    survey_communes: int = 50
    press_communes: int = 30

    @classmethod
    def of(cls, options):
        """Return the parameters that options by name stand for; raise ParameterError where one isn't known."""
        known = [f.name for f in fields(cls)]
        for name in options:
            if name not in known:
                near = get_close_matches(name, known, n=1, cutoff=0.5)
                meant = f" Did you mean {near[0]!r}?" if near else ""
                raise ParameterError(f"simulate: no parameter {name!r}; there are {', '.join(known)}.{meant}")
        return cls(**options)

    def __post_init__(self):
        self._check_kinds()
        first, last = self.years
        faults = [
            (self.provinces < 1, f"provinces = {self.provinces} should be at least 1"),
            (
                self.districts < self.provinces,
                f"districts = {self.districts} should be at least one a province",
            ),
            (self.communes < self.districts, f"communes = {self.communes} should be at least one a district"),
            (self.districts > 999, f"districts = {self.districts}: a district's code has three digits"),
            (last <= first, f"years = {self.years} should span two years or more, such as (2012, 2024)"),
            (self.seed < 0, f"seed = {self.seed} should be zero or a positive whole number"),
            (self.loan_communes < 0, f"loan_communes = {self.loan_communes} can't be negative"),
            (self.survey_communes < 0, f"survey_communes = {self.survey_communes} can't be negative"),
            (self.press_communes < 0, f"press_communes = {self.press_communes} can't be negative"),
        ]
        for wrong, fault in faults:
            if wrong:
                raise ParameterError(f"simulate: {fault}.")

    def _check_kinds(self):
        wanted = {"effect": Effect, "difficulties": Difficulties}
        for f in fields(self):
            value = getattr(self, f.name)
            if f.name == "years":
                right = isinstance(value, tuple | list) and len(value) == 2 and all(map(_is_whole, value))
                kind = "two whole years, such as (2012, 2024)"
            elif f.name in wanted:
                right, kind = isinstance(value, wanted[f.name]), f"of simulate.{wanted[f.name].__name__}"
            else:
                right, kind = _is_whole(value), "a whole number"
            if not right:
                raise ParameterError(f"simulate: {f.name} = {value!r} should be {kind}.")


def _is_whole(value):
    return isinstance(value, Integral) and not isinstance(value, bool)
