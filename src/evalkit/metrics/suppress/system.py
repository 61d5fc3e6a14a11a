"""The published figures as one linear system: cells, the sums that tie them, and the rows that print them."""

from dataclasses import dataclass

import pandas as pd
from scipy import sparse

from evalkit.metrics.suppress.cells import Finder, Keys, from_tables, printed_in, rests, touches, weights
from evalkit.metrics.suppress.relations import relations

_KEY = ["place", "year", "standard", "expr"]


@dataclass(frozen=True)
class System:
    """cells: place, year, standard, expr, value, level, district, printed. relations: matrix, one row for each
    sum, one column for each cell, whose product with the cells is constant. touches: (row of the indicator
    table, cell) pairs: the row may be shown only where the cell is.
    """

    cells: pd.DataFrame
    relations: sparse.csr_matrix
    touches: pd.DataFrame


def system(rows, units):
    """Return the linear system of the indicator rows that come from tables (published facts are left out)."""
    own = rows[from_tables(rows)].reset_index(names="row")
    own = own.astype({"place": object, "indicator": object, "year": "int64"})
    printed = printed_in(own)
    exprs = [
        *printed["expr"].unique(),
        *(f"{e}@{i}" for e, i in set(zip(printed["expr"], printed["indicator"], strict=True))),
    ]
    keys = Keys(printed["place"], [*printed["standard"].unique(), ""], exprs)
    code = keys.of(*(printed[c] for c in _KEY))
    first = printed["value"].groupby(code, sort=False).transform("first")
    other = (printed["value"] - first).abs() > 1e-6 * first.abs().clip(lower=1)
    printed.loc[other, "expr"] += "@" + printed.loc[other, "indicator"]
    printed["key"] = keys.of(*(printed[c] for c in _KEY))
    cells = printed.drop_duplicates("key")[[*_KEY, "value", "indicator", "role", "key"]]
    cells = cells.assign(printed=True).reset_index(drop=True)
    printed["cell"] = pd.Index(cells["key"]).get_indexer(printed["key"])
    cells = pd.concat([cells, rests(printed)], ignore_index=True)
    where = units.drop_duplicates("place").set_index("place")
    for name, column in (("level", "level"), ("district", "district_code"), ("province", "province_code")):
        cells[name] = cells["place"].map(where[column].astype(object))
    find = Finder(cells, keys)
    touched = pd.concat([touches(own, printed, find), weights(own, cells)], ignore_index=True)
    return System(cells, relations(find, printed, units), touched.drop_duplicates())
