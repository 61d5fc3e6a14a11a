"""dataset.toml: what a data set is, what may be shown of it, and which findings were looked at and accepted."""

import tomllib

from evalkit.load import plan
from evalkit.load.acknowledged import Acknowledgement
from evalkit.load.findings import finding
from evalkit.load.text import like, nearest

FILE = "dataset.toml"
SETTINGS = {
    "title": {"vi": str, "en": str},
    "source": {"vi": str, "en": str},
    "rights": {"vi": str, "en": str},
    "data": {
        "real": bool,
        "press": bool,
        "years": list,
        "levels": list,
        "minimum_kinds": int,
        "benchmarks": str,
    },
    "publish": {
        "suppression_threshold": int,
        "hide_zeros": bool,
        "hide_published": bool,
        "dominance_percent": int,
        "minimum_comparators": int,
        "comparison_years": int,
    },
}
_DEFAULTS = {
    "data": {"press": False, "levels": ["commune"], "minimum_kinds": 1, "benchmarks": ""},
    "publish": {
        "suppression_threshold": 5,
        "hide_zeros": False,
        "hide_published": False,
        "dominance_percent": 10,
        "minimum_comparators": 5,
        "comparison_years": 1,
    },
}
_REQUIRED = (("data", "real"), ("data", "years"), ("title", "en"), ("title", "vi"))
_ACKNOWLEDGE = {
    "rule": str,
    "place": str,
    "key": str,
    "file": str,
    "row": int,
    "value": object,
    "reason": str,
}


def read(folder, found):
    """Return (settings with their defaults, acknowledgements) of a data set; faults are appended to ``found``."""
    settings = {section: dict(values) for section, values in _DEFAULTS.items()}
    faults, acknowledged = [], []
    try:
        given = tomllib.loads((folder / FILE).read_text(encoding="utf-8-sig"))
    except FileNotFoundError:
        given = None
        faults.append("is missing. `evalkit new` writes one.")
    except (tomllib.TOMLDecodeError, UnicodeDecodeError, OSError) as error:
        given = None
        faults.append(f"can't be read: {error}. Correct that line.")
    if given is not None:
        acknowledged = _acknowledgements(given.pop("acknowledge", []), faults)
        planned = plan.read(given.pop("plan", None), faults)
        if planned:
            settings["plan"] = planned
        _take(given, settings, faults)
        _require(settings, faults)
    for section in ("title", "source", "rights"):
        settings.setdefault(section, {"vi": "", "en": ""})
    found += [finding("error", "settings", file=FILE, fault=fault) for fault in faults]
    return settings, acknowledged


def _take(given, settings, faults):
    for section, values in given.items():
        if section not in SETTINGS:
            near = like(nearest(section, [*SETTINGS, "plan", "acknowledge"]))
            faults.append(f"section [{section}] is not known{near}. Correct the name or remove it.")
            continue
        if not isinstance(values, dict):
            faults.append(f"{section} = {values!r} should be a section, written [{section}].")
            continue
        for key, value in values.items():
            expected = SETTINGS[section].get(key)
            if expected is None:
                near = like(nearest(key, SETTINGS[section]))
                faults.append(f"[{section}] {key} is not known{near}. Correct the name or remove it.")
            elif type(value) is not expected:
                faults.append(f"[{section}] {key} = {value!r} should be of type {expected.__name__}.")
            else:
                settings.setdefault(section, {})[key] = value


def _require(settings, faults):
    for section, key in _REQUIRED:
        if key not in settings.get(section, {}):
            faults.append(f"[{section}] {key} is missing. Add it; `evalkit new` writes an example.")
    years = settings["data"].get("years")
    if years is not None and not (
        len(years) == 2 and all(type(y) is int for y in years) and years[0] <= years[1]
    ):
        faults.append(f"[data] years = {years} should be the first and the last year, such as [2014, 2024].")


def _acknowledgements(entries, faults):
    if not isinstance(entries, list):
        faults.append("acknowledge should be written [[acknowledge]], once for each finding.")
        return []
    taken = []
    for number, entry in enumerate(entries, start=1):
        label = f"[[acknowledge]] no. {number}"
        unknown = [key for key in entry if key not in _ACKNOWLEDGE]
        wrong = [
            key for key in entry if key in _ACKNOWLEDGE and not isinstance(entry[key], _ACKNOWLEDGE[key])
        ]
        missing = [key for key in ("rule", "value", "reason") if key not in entry]
        for key in unknown:
            faults.append(f"{label}: {key} is not known{like(nearest(key, _ACKNOWLEDGE))}. Correct the name.")
        for key in wrong:
            faults.append(f"{label}: {key} = {entry[key]!r} should be of type {_ACKNOWLEDGE[key].__name__}.")
        for key in missing:
            faults.append(f"{label}: {key} is missing. `evalkit check --json` shows what each finding has.")
        if not {"place", "key", "file"} & set(entry):
            faults.append(f"{label}: say of what: place, or key, or file and row.")
        elif not (unknown or wrong or missing):
            taken.append(Acknowledgement(**entry))
    return taken
