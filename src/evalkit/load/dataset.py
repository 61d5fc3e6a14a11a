"""A data set: a folder with dataset.toml and tables named after the schema."""

import html
from dataclasses import dataclass, field
from importlib.resources import files
from pathlib import Path

import pandas as pd

from evalkit.errors import DataError
from evalkit.load import (
    accounts,
    acknowledged,
    checks,
    corrections,
    deliveries,
    findings,
    identities,
    persons,
    places,
    schema,
    series,
    settings,
    templates,
    terms,
    territory,
)
from evalkit.load.findings import finding
from evalkit.load.said import Said


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
        counts = self.findings["severity"].value_counts()
        found = ", ".join(f"{n} {severity}s" for severity, n in counts.items()) or "no findings"
        title = html.escape(self.settings["title"]["en"])
        return f"<p><b>{title}</b>: {len(self.places)} places; {found} (.findings)</p>{rows.to_html()}"


def open_dataset(folder):
    """Read and check a data set.

    Raises DataError where the folder can't be used; its ``findings`` lists every fault with file, row,
    column, value, rule and the mend.
    """
    dataset, found = _read(Path(folder))
    errors = found[found["severity"] == "error"]
    if len(errors):
        more = f" ({len(errors) - 1} more; `evalkit check {folder}` lists them)" if len(errors) > 1 else ""
        raise DataError(_placed(errors.iloc[0]) + more, found)
    return dataset


def check(folder):
    """Return everything found in a data set: severity, file, row, column, value, rule, message, place, key."""
    return _read(Path(folder))[1]


def shipped(name):
    """Return the folder of a data set that comes with evalkit ("provinces"), or of a path."""
    packaged = Path(str(files("evalkit"))) / "data" / name
    return packaged if packaged.is_dir() else Path(__file__).resolve().parents[3] / "data" / name


def _placed(error):
    """The message of an error, begun with file, row and column where its sentence doesn't say them."""
    message = error["message"]
    if error["file"] in message:
        return message
    row = "" if pd.isna(error["row"]) else f", row {error['row']}"
    return f"{error['file']}{row}, {error['column']}: {message}"


def _read(folder):
    if not folder.is_dir():
        raise DataError(
            Said(
                "{folder}: no such folder. Name a folder that holds dataset.toml and the tables.",
                folder=str(folder),
            )
        )
    found = []
    chosen, accepted = settings.read(folder, found)
    tables = _tables(folder, found)
    units = pd.DataFrame()
    if "communes" in tables:
        found += territory.of_units(tables["communes"])
        units = places.units(tables.pop("communes").frame.dropna(subset="code"))
        if templates.kept(chosen, units):
            found.append(finding("warning", "settings_of_the_example", file=settings.FILE))
        successor = territory.successions(units)
        tables = {name: territory.assign(t, units, successor, found) for name, t in tables.items()}
        found += _plausibility(tables, units)
    elif not any(f["file"].startswith("communes") for f in found) and any(tables):
        found.append(finding("error", "missing_column", file="communes.csv", column="code", near=""))
    frame = findings.table(acknowledged.apply(found, accepted))
    return Dataset(folder, chosen, {name: t.frame for name, t in tables.items()}, units, frame), frame


def _tables(folder, found):
    """Return {name: Delivery} of the tables that could be read, corrected and checked by themselves."""
    sources = deliveries.sources(folder, found)
    if not any(sources.values()):
        found.append(finding("error", "empty_folder", file=str(folder)))
    declared = corrections.read(folder, found)
    read = {
        name: deliveries.read(name, sources[name], found, declared)
        for name in schema.tables()
        if sources[name]
    }
    read = corrections.apply({name: t for name, t in read.items() if t is not None}, declared, found)
    read = persons.without(read, found)
    if "communes" in read:
        places_ = read["communes"].frame
        read = {name: territory.codes_by_name(t, places_, found) for name, t in read.items()}
    return {name: checks.table(terms.normalise(t, found), found) for name, t in read.items()}


def _plausibility(tables, units):
    """Return what can't be true, or not true together, in tables that the schema accepts."""
    found = identities.of_facts(tables["facts"]) if "facts" in tables else []
    return [*found, *accounts.of_tables(tables, units), *series.of_tables(tables, units)]
