"""[plan] of dataset.toml: what is to be estimated, written down before the data are looked at."""

from datetime import date

from evalkit.load.clean import like
from evalkit.load.text import nearest

OUTCOMES = ("poor_pct", "poor_near_poor_pct", "log_odds_poor", "log_income")
DOSES = ("production", "study", "water", "housing", "other", "total")
DESIGNS = ("fixed_effects", "long_differences", "shift_share")
SUBGROUPS = ("rural", "urban", "poorer_at_first", "less_poor_at_first")
LISTS = {"outcomes": OUTCOMES, "doses": DOSES, "designs": DESIGNS, "subgroups": SUBGROUPS}
# What is estimated where a data set brings no plan of its own.
DEFAULT = {
    "outcomes": ["poor_pct", "log_income"],
    "doses": ["production"],
    "designs": list(DESIGNS),
    "subgroups": [],
}


def read(given, faults):
    """Return the plan with its date as ISO text, or None where there is none; faults are appended.

    given: the section as TOML gives it. The first outcome and the first dose are the main ones. subgroups may
    be left out; the date of the decision may not.
    """
    if given is None:
        return None
    if not isinstance(given, dict):
        faults.append(f"plan = {given!r} should be a section, written [plan].")
        return None
    before = len(faults)
    for key in given:
        if key not in (*LISTS, "decided_on"):
            near = like(nearest(key, [*LISTS, "decided_on"]))
            faults.append(f"[plan] {key} is not known{near}. Correct the name or remove it.")
    decided = given.get("decided_on")
    if type(decided) is not date:
        faults.append(
            f"[plan] decided_on = {decided!r} should be the day of the decision, such as 2024-01-15 without quotes."
        )
    for key, known in LISTS.items():
        faults += _of_list(key, given.get(key, [] if key == "subgroups" else None), known)
    if len(faults) > before:
        return None
    return {key: list(given.get(key, [])) for key in LISTS} | {"decided_on": decided.isoformat()}


def _of_list(key, values, known):
    if not isinstance(values, list) or not (values or key == "subgroups"):
        return [f"[plan] {key} = {values!r} should be a list of {', '.join(known)}. Write at least one."]
    wrong = [value for value in values if value not in known]
    if wrong:
        near = like(nearest(str(wrong[0]), known))
        return [f"[plan] {key} holds {wrong[0]!r}, which is not known{near}. There are {', '.join(known)}."]
    if len(set(values)) < len(values):
        return [f"[plan] {key} names one of {', '.join(values)} twice. Name each once."]
    return []
