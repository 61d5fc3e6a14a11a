"""The impact report of a data set, and the part of it that concerns one place.

Sentences follow the level: below L3 an estimate "goes with" credit. What was refused has no figure here, because
the build keeps none.
"""

from evalkit.present.impact.data import Impact, block, impact, nothing
from evalkit.present.impact.firmness import bounds, checks
from evalkit.present.impact.story import finding, plan, question, sceptic, verdict
from evalkit.present.impact.tables import detectable, elsewhere, estimates, gates
from evalkit.present.impact.wording import (
    DESIGNS,
    DOSES,
    GATES,
    OUTCOMES,
    SUBGROUPS,
    change,
    design,
    displayed,
    figure,
    interval,
    modest,
    name,
    p_value,
    reasons,
)

__all__ = [
    "DESIGNS",
    "DOSES",
    "GATES",
    "OUTCOMES",
    "SUBGROUPS",
    "Impact",
    "block",
    "bounds",
    "change",
    "checks",
    "design",
    "detectable",
    "displayed",
    "elsewhere",
    "estimates",
    "figure",
    "finding",
    "gates",
    "impact",
    "interval",
    "modest",
    "name",
    "nothing",
    "p_value",
    "plan",
    "question",
    "reasons",
    "sceptic",
    "verdict",
]
