"""What must hold before a number may be called more than a description, and what follows when it does not.

A gate that fails refuses the number; one with a cap lets it stand at that level, with the reason among the
warnings. A researcher who wants it all the same names the gate in ``despite``; the result says so and stands
at level L2 at most. A gate that can't be tested refuses nothing, but caps the level at L2 and says so: a
condition nobody could look at is not a condition that holds.
"""

from dataclasses import dataclass, replace

import numpy as np
import pandas as pd

from evalkit.errors import ParameterError
from evalkit.impact.effect import Reason

LEVELS = ("L0", "L1", "L2", "L3", "L4")
# Below six clusters no bootstrap weight has enough patterns to reach p = 0.05 (2^5 sign patterns tie in
# pairs).
FEWEST_CLUSTERS = 6
# With fewer treated clusters the wild bootstrap may be far off either way: MacKinnon & Webb (2018),
# Econometrics Journal 21, find it unreliable below about six. From one alone no clustered error can be formed.
FEW_TREATED_CLUSTERS, FEWEST_TREATED_CLUSTERS = 6, 2
# "Few" may mean anything below 20 to 50 clusters: Cameron & Miller (2015), J. Human Resources 50, section VI.
# The upper end costs a second of computing and can't mislead.
FEW_CLUSTERS = 50
# Staiger & Stock (1997), Econometrica 65: below 10 the instrument is weak by their rule of thumb.
WEAK_FIRST_STAGE = 10.0
# Lee, McCrary, Moreira & Porter (2022), AER 112: the usual 5 % t test is right from F = 104.7.
SAFE_FIRST_STAGE = 104.7
# The usual 5 % test of no trend before the start; its power is reported beside it (Roth 2022).
PRE_TRENDS_P = 0.05
# A synthetic control that misses by more than this share of the spread between units follows nothing.
WORST_PRE_FIT = 0.25
# Fewer periods fit any donor by luck: Abadie (2021), J. Econ. Lit. 59, section 5 asks for many.
FEWEST_FIT_PERIODS = 5
# Two points determine level and slope of a line without leaving anything to estimate their error from.
FEWEST_SERIES_PERIODS = 3
# Crump et al. (2009), Biometrika 96: keep propensity scores within 0.1 and 0.9; most of the treated must
# remain.
LEAST_OVERLAP_PCT = 80.0
# Rubin (2001): standardised differences beyond 0.25 leave regression to extrapolate.
WORST_IMBALANCE = 0.25
# A bias of one standard error brings the coverage of a 95 % interval down to 83 %.
MOST_MOVED = 1.0
# Squared correlation from which outcome and dose, effects absorbed, are one and the same figure.
IDENTITY_R2 = 1 - 1e-9


@dataclass(frozen=True)
class Gate:
    """One condition: its name, whether it holds (None: couldn't be tested), the reason if not.

    cap: the level at which a result that fails it may still stand; without one it is refused.
    """

    name: str
    passed: bool | None
    reason: Reason | None = None
    found: object = None
    cap: str | None = None


def gate(name, passed, code=None, *, found=None, cap=None, **details):
    """Return a Gate whose reason has the code ``name`` unless another is given."""
    reason = None if passed else Reason(code or name, {"found": found, **details})
    return Gate(name, passed, reason, found, cap)


def number(value):
    """Write a figure for a sentence: three significant digits."""
    return f"{value:.3g}"


def clusters(count):
    """Enough clusters to know how uncertain the estimate is."""
    return gate("clusters", count >= FEWEST_CLUSTERS, found=count, clusters=count, needed=FEWEST_CLUSTERS)


def treated_clusters(count):
    """More than one treated cluster: what differs between the treated is then known at all."""
    return _several("treated_clusters", count, "treated")


def comparison_clusters(count):
    """More than one cluster to compare with: what differs between the untreated is then known at all."""
    return _several("comparison_clusters", count, "others")


def _several(name, count, counted):
    needed = FEWEST_TREATED_CLUSTERS
    return gate(name, count >= needed, found=count, needed=needed, **{counted: count})


def few_treated(count):
    """Return the warning that few clusters are treated, or nothing."""
    return (Reason("few_treated_clusters", {"treated": count}),) if 1 < count < FEW_TREATED_CLUSTERS else ()


def first_stage(f):
    """An instrument that moves the dose."""
    return gate("first_stage", f >= WEAK_FIRST_STAGE, found=f, f=number(f), needed=number(WEAK_FIRST_STAGE))


def pre_trends(p):
    """No divergence before the start; ``p`` of the joint test, or None where there is nothing to test."""
    if p is None or np.isnan(p):
        return gate("pre_trends", None, "pre_trends_untested")
    return gate("pre_trends", p >= PRE_TRENDS_P, found=p, p=number(p))


def years_before(found, needed):
    """Enough periods before the start."""
    return gate("years_before", found >= needed, found=found, needed=needed)


def years_after(found, needed):
    """Enough periods after the start."""
    return gate("years_after", found >= needed, found=found, needed=needed)


def overlap(share):
    """Most of the treated (share, 0 to 1) have comparable untreated units."""
    return gate(
        "overlap",
        100 * share >= LEAST_OVERLAP_PCT,
        found=share,
        share=number(100 * share),
        needed=number(LEAST_OVERLAP_PCT),
    )


def balance(differences):
    """Covariates agree after matching or weighting; ``differences`` in standard deviations by column."""
    column = differences.abs().idxmax()
    worst = float(abs(differences[column]))
    return gate(
        "balance",
        worst <= WORST_IMBALANCE,
        found=worst,
        column=column,
        difference=number(worst),
        allowed=WORST_IMBALANCE,
    )


def starting_point(effect, held, outcome):
    """The estimate doesn't rest on units that start high falling faster; ``held``: the outcome's start held."""
    return gate(
        "starting_point",
        bool(abs(effect.estimate - held) <= MOST_MOVED * effect.std_error),
        found=held,
        cap="L1",
        outcome=outcome,
        estimate=number(effect.estimate),
        held=number(held),
    )


def pre_fit(ratio):
    """The synthetic unit follows the treated one before the start; ``ratio``: error to spread of units."""
    return gate("pre_fit", ratio <= WORST_PRE_FIT, found=ratio, ratio=number(ratio), allowed=WORST_PRE_FIT)


def single_date(count):
    """All treated units start together."""
    return gate("single_date", count <= 1, found=count, dates=count)


def mechanical_link(frame, outcome, dose, outcome_left=None, dose_left=None):
    """Outcome and dose are not made from the same counts, nor the same figure twice.

    ``frame.attrs["made_of"]`` may say of each column what it was made from (``impact.panel`` does).
    Households may stand in both denominators. outcome_left, dose_left: what effects and controls leave of
    the two.
    """
    made_of = frame.attrs.get("made_of", {})
    shared = (set(made_of.get(outcome, ())) & set(made_of.get(dose, ()))) - {"households"}
    if outcome == dose:
        shared = {outcome}
    if not shared and outcome_left is not None:
        both = (outcome_left @ outcome_left) * (dose_left @ dose_left)
        if both > 0 and (outcome_left @ dose_left) ** 2 / both > IDENTITY_R2:
            shared = {"the same figure"}
    names = ", ".join(sorted(shared))
    return gate("mechanical_link", not shared, found=names, outcome=outcome, dose=dose, shared=names)


def basis_column(frame, outcome):
    """Return the column that holds the basis of an outcome, None where there is none."""
    named = frame.attrs.get("basis", {}).get(outcome)
    if named:
        return named if named in frame.columns else None
    return next((c for c in ("basis", "standard") if c in frame.columns and names_kinds(frame[c])), None)


def names_kinds(column):
    """Whether a column names kinds (text, a price year) rather than measures something."""
    if not pd.api.types.is_float_dtype(column):
        return True
    known = column.dropna()
    return bool((known == known.round()).all())


def one_basis(frame, outcome, unit):
    """No unit's outcome changes its standard or price basis within the sample.

    The basis stands in the column that ``frame.attrs["basis"]`` names for the outcome, else in ``basis`` or
    ``standard``, where there is one.
    """
    column = basis_column(frame, outcome)
    if column is None:
        return Gate("one_basis", True)
    kinds = frame.groupby(unit)[column].nunique() if unit else pd.Series({"": frame[column].nunique()})
    broken = int((kinds > 1).sum())
    return gate("one_basis", broken == 0, found=broken, outcome=outcome, units=broken)


def merged_units(frame, unit):
    """No unit merged in these years without a crosswalk (column ``merged`` of 0 and 1: whether it did)."""
    if "merged" not in frame.columns or not set(frame["merged"].dropna().unique()) <= {0, 1}:
        return Gate("merged_units", True)
    merged = frame[(frame["merged"] == 1).fillna(False).to_numpy(bool)]
    count = int(merged[unit].nunique()) if unit else len(merged)
    return gate("merged_units", count == 0, found=count, units=count)


def data_gates(frame, outcome, unit):
    """Return the gates that look at the rows alone."""
    return [one_basis(frame, outcome, unit), merged_units(frame, unit)]


def lower_of(*levels):
    """Return the lowest of the levels."""
    return min(levels, key=LEVELS.index)


def judge(effect, gates, *, level, despite=()):
    """Return the effect at its level, or without numbers where a gate failed that ``despite`` does not name.

    level: what the design may claim if every gate holds. Raises ParameterError where ``despite`` names no
    gate of this design.
    """
    names = [g.name for g in gates]
    despite = (despite,) if isinstance(despite, str) else tuple(despite)
    unknown = [name for name in despite if name not in names]
    if unknown:
        raise ParameterError(
            f"despite: no gate {', '.join(map(repr, unknown))} here; there are {', '.join(names)}."
        )
    failed = [g for g in gates if g.passed is False]
    set_aside = tuple(g.name for g in failed if g.name in despite)
    demoted = [g for g in failed if g.name not in despite and g.cap]
    refusals = tuple(g.reason for g in failed if g.name not in despite and not g.cap)
    warnings = [g.reason for g in (*(g for g in gates if g.passed is None), *demoted)]
    for g in failed:
        if g.name in set_aside:
            warnings += [Reason("set_aside", {"gate": g.name}), g.reason]
    level = lower_of(level, *(g.cap for g in demoted))
    if set_aside or any(g.passed is None for g in gates):
        level = lower_of(level, "L2")
    record = pd.DataFrame(
        [{"gate": g.name, "passed": g.passed, "found": g.found, "reason": g.reason} for g in gates],
        columns=["gate", "passed", "found", "reason"],
    )
    effect = replace(
        effect,
        level=level,
        despite=set_aside,
        refusals=refusals,
        gates=record,
        warnings=tuple(effect.warnings) + tuple(warnings),
    )
    return effect.without_numbers() if refusals else effect
