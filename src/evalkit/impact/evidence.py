"""What may be said at each level, the evidence from elsewhere, and the plan made before."""

import hashlib
import json

import pandas as pd

from evalkit.errors import DataError, ParameterError
from evalkit.impact import regression

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
    regression.check_columns(
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


def plan_digest(plan):
    """Return the SHA-256 of a plan of analysis, the same whatever the order of its keys."""
    text = json.dumps(plan, sort_keys=True, ensure_ascii=False, default=str)
    return hashlib.sha256(text.encode()).hexdigest()


def analyses(plan):
    """Return the analyses of a plan, checked: a list of {name, design, options}.

    plan: mapping with ``decided_on`` (a date) and ``analyses``, a list of mappings with name, design and the
    design's own options. Raises DataError where one of them is missing, repeated, or names no known design.
    """
    from evalkit import impact

    if "decided_on" not in plan or "analyses" not in plan:
        raise DataError("dataset.toml, [plan]: needs decided_on (a date) and analyses (a list). Write both.")
    listed = []
    for number, entry in enumerate(plan["analyses"], 1):
        missing = {"name", "design"} - set(entry)
        if missing:
            raise DataError(
                f"dataset.toml, [plan], analysis {number}: no {' and no '.join(sorted(missing))}. Add it."
            )
        if entry["design"] not in impact.DESIGNS:
            raise DataError(
                f"dataset.toml, [plan], analysis {entry['name']!r}: no design {entry['design']!r}; "
                f"there are {', '.join(impact.DESIGNS)}."
            )
        options = {k: v for k, v in entry.items() if k not in ("name", "design")}
        listed.append({"name": entry["name"], "design": entry["design"], "options": options})
    names = [entry["name"] for entry in listed]
    if len(set(names)) < len(names):
        raise DataError("dataset.toml, [plan]: two analyses have one name. Give each its own.")
    return listed


def run_plan(panel, plan, *, before=None):
    """Run the planned analyses; return (effects by name, one-row-per-analysis table).

    before: the digest of the plan as it stood earlier. The table has planned (True), plan_digest,
    decided_on and plan_changed, so that a report can say what was decided when. An analysis that fails
    keeps its row with the reason under ``refusals``. Whatever else is estimated belongs in a table of its
    own, marked exploratory.
    """
    from evalkit import impact
    from evalkit.errors import EvalkitError

    digest = plan_digest(plan)
    effects, rows = {}, []
    for entry in analyses(plan):
        label = {
            "analysis": entry["name"],
            "design": entry["design"],
            "planned": True,
            "plan_digest": digest,
            "decided_on": str(plan["decided_on"]),
            "plan_changed": before is not None and before != digest,
        }
        try:
            effect = getattr(impact, entry["design"])(panel, **entry["options"])
        except (EvalkitError, TypeError) as why:
            rows.append(pd.DataFrame([{**label, "level": "L0", "refusals": (str(why),)}]))
            continue
        effects[entry["name"]] = effect
        rows.append(effect.summary().assign(**label))
    return effects, pd.concat(rows, ignore_index=True) if rows else pd.DataFrame()
