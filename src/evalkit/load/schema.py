"""The tables and columns that evalkit reads, as declared in schema.json."""

import json
from functools import lru_cache
from importlib.resources import files

import pandas as pd

LARGEST_EXACT = 2**53  # beyond it a float skips whole numbers


@lru_cache(maxsize=1)
def _resources():
    text = files("evalkit.load").joinpath("schema.json").read_text(encoding="utf-8")
    return {r["name"]: r for r in json.loads(text)["resources"]}


def tables():
    """Return the names of all tables, in the order of the schema."""
    return list(_resources())


def resource(table):
    """Return the declaration of one table (a Frictionless resource with labels)."""
    return _resources()[table]


def fields(table):
    """Return the declared columns of a table as {name: declaration}."""
    return {f["name"]: f for f in resource(table)["schema"]["fields"]}


def key(table):
    """Return the names of the columns that identify a row."""
    return list(resource(table)["schema"]["primaryKey"])


def required(table):
    """Return the names of the columns without which a table can't be used."""
    return [n for n, f in fields(table).items() if f.get("constraints", {}).get("required")]


def label(table, column, lang):
    """Return a column's label in Vietnamese (vi) or English (en)."""
    return fields(table)[column]["label"][lang]


def _dates(text):
    """Parse ISO and dd/mm/yyyy dates; what can't be read becomes NaT."""
    iso = pd.to_datetime(text, format="%Y-%m-%d", errors="coerce")
    return iso.fillna(pd.to_datetime(text, format="%d/%m/%Y", errors="coerce"))


_TRUE, _FALSE = {"true", "1", "có", "x", "yes"}, {"false", "0", "không", "no"}


def typed(frame, table):
    """Convert the text columns of ``frame`` to the declared types.

    Returns the converted frame, with every declared column (all missing where the file has none), and
    the cells that could not be converted, as a list of (row position, column, text). Empty text is missing.
    """
    out, wrong = pd.DataFrame(index=frame.index), []
    for name, field in fields(table).items():
        kind = field["type"]
        if name not in frame:
            text = pd.Series(pd.NA, index=frame.index, dtype="string")
        else:
            text = frame[name]
            if not pd.api.types.is_string_dtype(text) and kind != "string":
                out[name] = text.astype("Int64") if kind == "integer" else text
                continue
            text = text.astype("string").str.strip().replace("", pd.NA)
        if kind in ("number", "integer"):
            value = pd.to_numeric(text, errors="coerce")
            if kind == "integer":
                value = value.where((value % 1 == 0) & (value.abs() <= LARGEST_EXACT))
            value = value.astype("Int64" if kind == "integer" else "float64")
        elif kind == "date":
            value = _dates(text)
        elif kind == "boolean":
            low = text.str.lower()
            value = low.isin(_TRUE).astype("boolean").where(low.isin(_TRUE | _FALSE))
        else:
            value = text
        out[name] = value
        wrong += [(i, name, text.iloc[i]) for i in (text.notna() & value.isna()).to_numpy().nonzero()[0]]
    return out, wrong
