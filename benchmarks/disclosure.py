"""Time and extent of disclosure control on a data set, with an attack on what only its small counts hide.

    python benchmarks/disclosure.py DATA
    python benchmarks/disclosure.py --communes 2000 --provinces 9 [--unprotected]

Without DATA, provinces of 13 districts each are simulated. --unprotected: the attack also on a copy in which only
the small counts themselves are hidden, where it should succeed.
"""

import argparse
import json
import resource
import tempfile
import time
from pathlib import Path

from evalkit import simulate
from evalkit.load.dataset import open_dataset
from evalkit.metrics import rollup, suppress
from evalkit.metrics.indicators import assemble
from evalkit.present import attack

DISTRICTS = 13  # of a simulated province


def main():
    arguments = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    arguments.add_argument("data", nargs="?", type=Path)
    arguments.add_argument("--communes", type=int, default=225)
    arguments.add_argument("--provinces", type=int, default=1)
    arguments.add_argument("--unprotected", action="store_true")
    given = arguments.parse_args()
    if given.data:
        found = measure(given.data, given.unprotected)
    else:
        with tempfile.TemporaryDirectory() as folder:
            size = {"communes": given.communes, "provinces": given.provinces, "loan_communes": 0}
            data = Path(folder) / "data"
            simulate.province(data, districts=DISTRICTS * given.provinces, survey_communes=0, **size)
            found = measure(data, given.unprotected)
    print(json.dumps(found))


def measure(folder, unprotected):
    """Decide what is hidden in ``folder`` and attack it: counts, seconds of a processor, gigabytes at most so far."""
    dataset = open_dataset(folder)
    units, rows = rollup.with_areas(dataset.places), assemble(dataset)
    start = time.process_time()
    decided, sensitive = suppress.decide(rows, dataset.tables, units, dataset.settings["publish"])
    middle, kept = time.process_time(), _peak()
    attacked = attack.intervals(suppress.shown(decided), sensitive, units)
    end = time.process_time()
    reasons = decided["hidden"].value_counts()
    found = {
        "rows": len(rows),
        "protected": len(sensitive),
        "primary": int(reasons.get("primary", 0)),
        "secondary": int(reasons.get("secondary", 0)),
        "disclosed": int(attacked["disclosed"].sum()),
        "suppression_s": round(middle - start, 1),
        "attack_s": round(end - middle, 1),
        "suppression_gb": kept,
        "attack_gb": _peak(),
    }
    if unprotected:
        bare = decided.assign(hidden=decided["hidden"].where(decided["hidden"].eq("primary"), ""))
        again = attack.intervals(suppress.shown(bare), sensitive, units)
        found["disclosed_unprotected"] = int(again["disclosed"].sum())
    return found


def _peak():
    return round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e6, 2)


if __name__ == "__main__":
    main()
