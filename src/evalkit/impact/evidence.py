"""What may be said at each level, and the evidence from elsewhere."""

import pandas as pd

from evalkit.errors import ParameterError
from evalkit.impact import frames

# What each level is, and whether its sentences may speak of causes.
LEVELS = {
    "L0": ("description of one place", False),
    "L1": ("comparison on one basis", False),
    "L2": ("association across places, with fixed effects and uncertainty", False),
    "L3": ("a design whose gates pass", True),
    "L4": ("an experiment", True),
}
# Designs from elsewhere, the strongest first.
STRENGTH = ("experiment", "quasi-experiment", "observational", "review", "structural")


def may_say_cause(level):
    """Whether a finding at this level may be worded as an effect."""
    if level not in LEVELS:
        raise ParameterError(f"level {level!r}: there are {', '.join(LEVELS)}.")
    return LEVELS[level][1]


def beside(effect, studies, *, outcome=None, lang="vi"):
    """Return the estimate and what rigorous studies found elsewhere, as one table to be shown together.

    studies: the table of external evidence (columns place, period, design, outcome, finding in ``lang``,
    authors, year, source_url); outcome: keep the studies of this outcome. Experiments come first. The first
    row is the estimate itself, with its level and interval.
    """
    place, finding = f"place_{lang}", f"finding_{lang}"
    frames.check_columns(
        studies,
        "authors",
        "year",
        "design",
        "outcome",
        place,
        finding,
        "source_url",
        table="external evidence",
    )
    chosen = studies if outcome is None else studies[studies["outcome"] == outcome]
    strength = chosen["design"].map({d: k for k, d in enumerate(STRENGTH)}).fillna(len(STRENGTH))
    chosen = chosen.assign(strength=strength).sort_values(["strength", "year"], kind="stable")
    columns = {place: "place", finding: "finding"}
    others = chosen.rename(columns=columns)[
        ["authors", "year", "place", "design", "outcome", "finding", "source_url"]
    ]
    own = {
        "design": effect.method,
        "outcome": effect.outcome,
        "estimate": effect.estimate,
        "lower": effect.lower,
        "upper": effect.upper,
        "level": effect.level,
    }
    return pd.concat([pd.DataFrame([own]), others], ignore_index=True)
