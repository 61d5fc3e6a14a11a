"""peers.csv: the peers of each place that a data set keeps from an earlier release."""

from pathlib import Path

import pandas as pd

from evalkit.errors import DataError

FILE = "peers.csv"


def frozen(folder):
    """Return the peers that a data set keeps from an earlier release (``peers.csv``), or None.

    Raises DataError where a column is missing.
    """
    path = Path(folder) / FILE
    if not path.is_file():
        return None
    table = pd.read_csv(path, dtype={"place": "string", "peer": "string"})
    lacking = [c for c in ("place", "peer", "rank", "distance") if c not in table]
    if lacking:
        raise DataError(
            f"{FILE}: no column {', '.join(lacking)}. Write it from the peers table of the earlier build."
        )
    return table[["place", "peer", "rank", "distance"]]
