"""A data set: a folder with dataset.toml and tables named after the schema."""

import tomllib
from dataclasses import dataclass, field
from importlib.resources import files
from pathlib import Path

import pandas as pd

from evalkit.errors import DataError
from evalkit.load import checks, findings, places, schema
from evalkit.load.findings import finding
from evalkit.load.text import nearest

_SETTINGS = {
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
    "publish": {"suppression_threshold": int, "minimum_comparators": int, "comparison_years": int},
}
_DEFAULTS = {
    "data": {"press": False, "levels": ["commune"], "minimum_kinds": 1, "benchmarks": ""},
    "publish": {"suppression_threshold": 5, "minimum_comparators": 5, "comparison_years": 1},
}
_REQUIRED = {("title", "vi"), ("title", "en"), ("data", "real"), ("data", "years")}


@dataclass(frozen=True)
class Dataset:
    """The checked tables of one folder.

    settings: dataset.toml with its defaults. tables: {name: frame}, typed as the schema says, each with the
    column ``place``, the identity of the unit that the row's code meant on the row's date. places: one row
    per unit. findings: what the checks found (warnings and notes; errors prevent opening).
    """

    folder: Path
    settings: dict
    tables: dict[str, pd.DataFrame]
    places: pd.DataFrame
    findings: pd.DataFrame = field(repr=False)

    def _repr_html_(self):
        rows = pd.DataFrame({"rows": {name: len(t) for name, t in self.tables.items()}})
        return f"<p><b>{self.settings['title']['en']}</b></p>{rows.to_html()}"


def open_dataset(folder):
    """Read and check a data set.

    Raises DataError where the folder can't be used; its ``findings`` lists every fault with file, row,
    column, value, rule and the mend.
    """
    dataset, found = _read(Path(folder))
    errors = found[found["severity"] == "error"]
    if len(errors):
        more = f" ({len(errors) - 1} more; `evalkit check {folder}` lists them)" if len(errors) > 1 else ""
        raise DataError(errors["message"].iloc[0] + more, found)
    return dataset


def check(folder):
    """Return everything found in a data set: severity, file, row, column, value, rule, message."""
    return _read(Path(folder))[1]


def shipped(name):
    """Return the folder of a data set that comes with evalkit ("provinces"), or of a path."""
    packaged = Path(str(files("evalkit"))) / "data" / name
    return packaged if packaged.is_dir() else Path(__file__).resolve().parents[3] / "data" / name


def _read(folder):
    found = []
    if not folder.is_dir():
        raise DataError(f"{folder}: no such folder. Name a folder that holds dataset.toml and the tables.")
    settings = _settings(folder, found)
    raw = {name: _table(folder, name, found) for name in schema.tables()}
    raw = {name: t for name, t in raw.items() if t is not None}
    if not raw:
        found.append(finding("error", "empty_folder", file=str(folder)))
    tables = {}
    for name, (file, text) in raw.items():
        tables[name] = checks.table(name, file, text, found)
    units = pd.DataFrame()
    if "communes" in tables and not any(f["severity"] == "error" for f in found):
        units = places.units(tables.pop("communes"))
        for name, frame in tables.items():
            tables[name] = checks.assign_places(name, raw[name][0], frame, units, found)
        if not any(f["severity"] == "error" for f in found):
            found += checks.plausibility(tables, units, raw)
    elif "communes" not in tables and raw:
        found.append(finding("error", "missing_column", file="communes.csv", column="code", near=""))
    frame = findings.table(found)
    return Dataset(folder, settings, tables, units, frame), frame


def _settings(folder, found):
    path = folder / "dataset.toml"
    settings = {section: dict(values) for section, values in _DEFAULTS.items()}
    try:
        given = tomllib.loads(path.read_text(encoding="utf-8-sig"))
    except FileNotFoundError:
        found.append(finding("error", "settings", file="dataset.toml", fault="is missing. `evalkit new` writes one."))
        return settings
    except (tomllib.TOMLDecodeError, UnicodeDecodeError, OSError) as error:
        found.append(finding("error", "settings", file="dataset.toml", fault=f"can't be read: {error}"))
        return settings
    for section, values in given.items():
        if section not in _SETTINGS:
            near = nearest(section, _SETTINGS)
            fault = f"section [{section}] is not known{_did_you_mean(near)}"
            found.append(finding("error", "settings", file="dataset.toml", fault=fault))
            continue
        for key, value in values.items() if isinstance(values, dict) else ():
            expected = _SETTINGS[section].get(key)
            if expected is None:
                fault = f"[{section}] {key} is not known{_did_you_mean(nearest(key, _SETTINGS[section]))}"
            elif type(value) is not expected:
                fault = f"[{section}] {key} = {value!r} should be of type {expected.__name__}"
            else:
                settings.setdefault(section, {})[key] = value
                continue
            found.append(finding("error", "settings", file="dataset.toml", fault=fault))
    for section, key in sorted(_REQUIRED):
        if key not in settings.get(section, {}):
            found.append(finding("error", "settings", file="dataset.toml", fault=f"[{section}] {key} is missing"))
    years = settings["data"].get("years")
    if years is not None and not (len(years) == 2 and all(type(y) is int for y in years) and years[0] <= years[1]):
        fault = f"[data] years = {years} should be the first and the last year, such as [2014, 2024]"
        found.append(finding("error", "settings", file="dataset.toml", fault=fault))
    for section in ("title", "source", "rights"):
        settings.setdefault(section, {"vi": "", "en": ""})
    return settings


def _did_you_mean(near):
    return f" (did you mean {near}?)" if near else ""


def _table(folder, name, found):
    """Read one table as text: (file name, frame of text), or None where the folder has no such table."""
    csv, parquet = folder / f"{name}.csv", folder / f"{name}.parquet"
    path = csv if csv.is_file() else parquet if parquet.is_file() else None
    if path is None:
        return None
    try:
        if path.suffix == ".parquet":
            return path.name, pd.read_parquet(path)
        return path.name, pd.read_csv(path, dtype="string", keep_default_na=False, encoding="utf-8-sig")
    except Exception as error:  # any reader's own exception becomes one finding
        found.append(finding("error", "unreadable", file=path.name, fault=str(error).splitlines()[0]))
        return None
