"""dataset.toml: what a data set is, what may be shown of it, and which findings were looked at and accepted."""

import tomllib

from evalkit.load import plan
from evalkit.load.acknowledged import Acknowledgement
from evalkit.load.findings import finding
from evalkit.load.folder import strange
from evalkit.load.said import Said
from evalkit.load.text import like, nearest

FILE = "dataset.toml"
_LARGEST = 2**20  # bytes
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
        "ledger": str,
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
_BOUNDS = {  # the least and the most that a number may be
    "minimum_kinds": (0, None),
    "suppression_threshold": (0, None),
    "dominance_percent": (0, 100),
    "minimum_comparators": (0, None),
    "comparison_years": (0, None),
}
_UNKNOWN = "{name} is not known{near}. Correct the name or remove it."
_UNREADABLE = (
    'can\'t be read: {error}. Correct that line; a text stands between straight marks, as in vi = "Tam Nông".'
)
_DEFAULTS = {
    "data": {"press": False, "levels": ["commune"], "minimum_kinds": 1, "benchmarks": "", "ledger": ""},
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
    path, given = folder / FILE, None
    try:
        if path.exists() and (what := strange(path, folder)):
            faults.append(Said("is {kind}. Put the file itself into the folder.", kind=what))
        elif path.stat().st_size > _LARGEST:
            faults.append(Said("is larger than settings ever are. Look at what it holds."))
        else:
            given = tomllib.loads(path.read_text(encoding="utf-8-sig"))
    except FileNotFoundError:
        faults.append(Said("is missing. `evalkit new` writes one."))
    except RecursionError:
        faults.append(Said("holds lists within lists without an end. Correct it."))
    except (ValueError, OSError) as error:  # what is no TOML, no text, or a number without an end
        faults.append(Said(_UNREADABLE, error=str(error)))
    if given is not None:
        acknowledged = _acknowledgements(given.pop("acknowledge", []), faults)
        planned = plan.read(given.pop("plan", None), faults)
        if planned:
            settings["plan"] = planned
        _take(given, settings, faults)
        _find_ledger(folder, settings["data"], faults)
        _require(settings, faults)
    for section in ("title", "source", "rights"):
        settings.setdefault(section, {"vi": "", "en": ""})
    found += [finding("error", "settings", file=FILE, fault=fault) for fault in faults]
    return settings, acknowledged


def _take(given, settings, faults):
    for section, values in given.items():
        if section not in SETTINGS:
            near = like(nearest(section, [*SETTINGS, "plan", "acknowledge"]))
            faults.append(Said(_UNKNOWN, name=f"[{section}]", near=near))
            continue
        if not isinstance(values, dict):
            faults.append(
                Said(
                    "{name} = {value} should be a section, written [{name}].",
                    name=section,
                    value=repr(values),
                )
            )
            continue
        for key, value in values.items():
            expected = SETTINGS[section].get(key)
            if expected is None:
                near = like(nearest(key, SETTINGS[section]))
                faults.append(Said(_UNKNOWN, name=f"[{section}] {key}", near=near))
            elif type(value) is not expected:
                faults.append(_of_kind(f"[{section}] {key}", value, expected))
            elif beyond := _beyond(f"[{section}] {key}", value, *_BOUNDS.get(key, (None, None))):
                faults.append(beyond)
            else:
                settings.setdefault(section, {})[key] = value


def _of_kind(name, value, kind):
    said = "{name} = {value} should be of type {kind}."
    return Said(said, name=name, value=repr(value), kind=kind.__name__)


def _beyond(name, value, least, most):
    if most is not None and not least <= value <= most:
        return Said(
            "{name} = {value} should be from {least} to {most}.",
            name=name,
            value=value,
            least=least,
            most=most,
        )
    if least is not None and value < least:
        return Said("{name} = {value} should be {least} or more.", name=name, value=value, least=least)
    return None


def _find_ledger(folder, data, faults):
    """Make the path of the ledger, which stands beside the data set, one that holds from anywhere."""
    if not data["ledger"]:
        return
    store = (folder / data["ledger"]).resolve()
    data["ledger"] = str(store)
    if not (store / "manifest.json").is_file():
        said = "[data] ledger: there is no ledger in {folder}. Make one with evalkit.load.ledger.ingest, or correct the path."
        faults.append(Said(said, folder=str(store)))


def _require(settings, faults):
    for section, key in _REQUIRED:
        if key not in settings.get(section, {}):
            name = f"[{section}] {key}"
            faults.append(Said("{name} is missing. Add it; `evalkit new` writes an example.", name=name))
    years = settings["data"].get("years")
    if years is not None and not (
        len(years) == 2 and all(type(y) is int for y in years) and years[0] <= years[1]
    ):
        said = "[data] years = {years} should be the first and the last year, such as [2014, 2024]."
        faults.append(Said(said, years=str(years)))


def _acknowledgements(entries, faults):
    if not isinstance(entries, list):
        faults.append(Said("acknowledge should be written [[acknowledge]], once for each finding."))
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
            faults.append(Said(_UNKNOWN, name=f"{label} {key}", near=like(nearest(key, _ACKNOWLEDGE))))
        for key in wrong:
            faults.append(_of_kind(f"{label} {key}", entry[key], _ACKNOWLEDGE[key]))
        for key in missing:
            said = "{name} is missing. `evalkit check --json` shows what each finding has."
            faults.append(Said(said, name=f"{label} {key}"))
        if not {"place", "key", "file"} & set(entry):
            faults.append(Said("{name}: say of what: place, or key, or file and row.", name=label))
        elif not (unknown or wrong or missing):
            taken.append(Acknowledgement(**entry))
    return taken
