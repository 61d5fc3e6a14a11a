"""Time and extent of disclosure control on a data set: python benchmarks/disclosure.py DATA [--json]."""

import json
import sys
import time

from evalkit.load.dataset import open_dataset
from evalkit.metrics import rollup, suppress
from evalkit.metrics.indicators import assemble
from evalkit.present import attack


def main(folder):
    """Decide what is hidden in ``folder``, attack it, and print counts and seconds."""
    dataset = open_dataset(folder)
    units, rows = rollup.with_areas(dataset.places), assemble(dataset)
    start = time.perf_counter()
    decided, sensitive = suppress.decide(rows, dataset.tables, units, dataset.settings["publish"])
    middle = time.perf_counter()
    found = attack.intervals(suppress.shown(decided), sensitive, units)
    end = time.perf_counter()
    reasons = decided["hidden"].value_counts()
    print(
        json.dumps(
            {
                "rows": len(rows),
                "protected": len(sensitive),
                "primary": int(reasons.get("primary", 0)),
                "secondary": int(reasons.get("secondary", 0)),
                "disclosed": int(found["disclosed"].sum()),
                "suppression_s": round(middle - start, 1),
                "attack_s": round(end - middle, 1),
            }
        )
    )


if __name__ == "__main__":
    main(next(a for a in sys.argv[1:] if not a.startswith("--")))
