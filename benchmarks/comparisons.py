"""How long it takes to judge every place beside all its comparators: a country of 10,600 communes, 11 years.

The rows of the simulated province are repeated until there are so many communes. ``--json`` prints the measures.
"""

import argparse
import json
import time
from pathlib import Path

import pandas as pd

from evalkit.load.dataset import open_dataset
from evalkit.metrics import comparators, compare, rollup
from evalkit.metrics.indicators import assemble

DATA = Path(__file__).resolve().parents[1] / "data" / "simulated-province"
YEARS = (2014, 2024)
LIKE = ("place", "code", "province_code", "district_code")


def copies(table, times, columns):
    """Return ``times`` copies of a table, its codes told apart by a prefix."""
    return pd.concat(
        [table.assign(**{c: f"{i}-" + table[c] for c in columns}) for i in range(times)], ignore_index=True
    )


def measure(rows, units, times):
    """Return communes, rows and seconds of one comparison of ``times`` provinces."""
    rows, units = copies(rows, times, ["place"]), copies(units, times, LIKE)
    start = time.perf_counter()
    peers = comparators.peers_of(units, YEARS[1], outcomes=compare.TESTS)
    table = comparators.compared(rows, units, peers, minimum=5)
    seconds = time.perf_counter() - start
    communes = int((units["level"] == "commune").sum())
    return {"communes": communes, "rows": len(rows), "judged": len(table), "seconds": round(seconds, 1)}


def main():
    """Measure a quarter, a half and the whole of the country."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--json", action="store_true")
    arguments = parser.parse_args()
    dataset = open_dataset(DATA)
    units, rows = rollup.with_areas(dataset.places), assemble(dataset)
    rows = rows[rows["year"].between(*YEARS) & rows["indicator"].isin(compare.TESTS)]
    found = [measure(rows, units, times) for times in (8, 16, 33)]
    if arguments.json:
        ratio = (found[-1]["seconds"] / found[0]["seconds"]) / (found[-1]["communes"] / found[0]["communes"])
        print(json.dumps({"measures": found, "ratios": {"time_per_commune_8_to_33": round(ratio, 2)}}))
    else:
        print(pd.DataFrame(found).to_string(index=False))


if __name__ == "__main__":
    main()
