"""[plan] of dataset.toml: what is to be estimated, written down before the data are looked at."""

from datetime import date

from evalkit.load.said import Said
from evalkit.load.text import like, nearest

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
        said = "{name} = {value} should be a section, written [{name}]."
        faults.append(Said(said, name="plan", value=repr(given)))
        return None
    before = len(faults)
    for key in given:
        if key not in (*LISTS, "decided_on"):
            near = like(nearest(key, [*LISTS, "decided_on"]))
            said = "{name} is not known{near}. Correct the name or remove it."
            faults.append(Said(said, name=f"[plan] {key}", near=near))
    decided = given.get("decided_on")
    if type(decided) is not date:
        said = "[plan] decided_on = {value} should be the day of the decision, such as 2024-01-15 without quotes."
        faults.append(Said(said, value=repr(decided)))
    for key, known in LISTS.items():
        faults += _of_list(key, given.get(key, [] if key == "subgroups" else None), known)
    if len(faults) > before:
        return None
    return {key: list(given.get(key, [])) for key in LISTS} | {"decided_on": decided.isoformat()}


def _of_list(key, values, known):
    if not isinstance(values, list) or not (values or key == "subgroups"):
        said = "[plan] {key} = {value} should be a list of {known}. Write at least one."
        return [Said(said, key=key, value=repr(values), known=", ".join(known))]
    wrong = [value for value in values if value not in known]
    if wrong:
        near = like(nearest(str(wrong[0]), known))
        said = "[plan] {key} holds {value}, which is not known{near}. There are {known}."
        return [Said(said, key=key, value=repr(wrong[0]), near=near, known=", ".join(known))]
    if len(set(values)) < len(values):
        said = "[plan] {key} names one of {values} twice. Name each once."
        return [Said(said, key=key, values=", ".join(values))]
    return []
