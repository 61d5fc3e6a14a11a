"""Kill a run at random moments, resume it, and compare its files with those of an undisturbed run.

    python benchmarks/faults.py --moments 30

In every other round the notebooks of a place may share a process, and some do.

Kills a child, the forking process, the supervisor, and two of them at once, suspends all and kills one, and fills
a disk, in turn (a small file system of random size, where the system lets one be mounted). After every kill the
run is resumed; all its files must be the same byte for byte but for times, and no process may be left behind.
Where supervisor and forking process die at once, what a notebook had started may live until the next run into the
folder, and not longer. Exits with 1 and says where they differ.
"""

import argparse
import itertools
import json
import random
import subprocess
import sys
import tempfile
from collections import Counter
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "tests" / "batch"))

from faults import contents, disturbed_run, jobs_for, resumed, wait_until_gone

from evalkit.batch import run
from evalkit.errors import EvalkitError

VICTIMS = (
    "child",
    "forker",
    "supervisor",
    "disk",
    "child+forker",
    "forker+supervisor",
    "child+supervisor",
    "suspended",
)
ORPHANS = "forker+supervisor"
DISK_KB = (24, 112)  # smaller than what the run writes
FULL_DISK = """
set -e
mount -t tmpfs -o "size=$5k" tmpfs "$1/out"
"$2" "$3" --places "$4" --fill "$1"
"""


def difference(found, wanted):
    """Names of the files that differ; the summary tells what was skipped and is left out."""
    names = (found.keys() | wanted.keys()) - {"summary.json"}
    return sorted(name for name in names if found.get(name) != wanted.get(name))


def after(folder, count, wanted):
    """Resume, and tell what differs and what was left behind before and after."""
    out = Path(folder) / "out"
    before = wait_until_gone(out)
    summary = resumed(folder, count)
    left = wait_until_gone(out)
    return {**summary.counts, "different": difference(contents(out), wanted), "left": left, "before": before}


def killed(victim, seed, count, wanted):
    with tempfile.TemporaryDirectory() as folder:
        together = seed // len(VICTIMS) % 2 == 0
        moment = disturbed_run(folder, victim, seed, count, together)
        found = {"victim": victim, "moment": round(moment, 3), "together": together}
        return found | after(folder, count, wanted)


def disk_full(seed, count, wanted):
    """Run on a file system too small for the output, carry its files to a larger one, resume."""
    size = random.Random(seed).randint(*DISK_KB)
    with tempfile.TemporaryDirectory() as folder:
        (Path(folder) / "out").mkdir()
        command = [
            "unshare",
            "-rm",
            "sh",
            "-c",
            FULL_DISK,
            "sh",
            folder,
            sys.executable,
            __file__,
            str(count),
            str(size),
        ]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        if done.returncode:
            return {"victim": "disk", "not_tried": done.stderr.strip().splitlines()[-1:]}
        return {
            "victim": "disk",
            "size_kb": size,
            "said": done.stdout.strip(),
            **after(folder, count, wanted),
        }


def fill(folder, count):
    """Inside the small file system: run until the disk is full, then carry the files out of it."""
    try:
        run(jobs_for(folder, count), engine="fork", workers=2, preload=())
        print("the disk was large enough")
    except EvalkitError as error:
        print(error)
    carry = 'cp -a "$1/out" "$1/copy" && umount "$1/out" && cp -a "$1/copy/." "$1/out" && rm -r "$1/copy"'
    subprocess.run(["sh", "-c", carry, "sh", folder], check=True)


def main():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--moments", type=int, default=30)
    parser.add_argument("--places", type=int, default=8)
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--fill", help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.fill:
        return fill(given.fill, given.places)
    with tempfile.TemporaryDirectory() as folder:
        run(jobs_for(folder, given.places), engine="fork", workers=2, preload=())
        wanted = contents(Path(folder) / "out")
    rows = []
    for seed, victim in enumerate(itertools.islice(itertools.cycle(VICTIMS), given.moments)):
        rows.append(
            disk_full(seed, given.places, wanted)
            if victim == "disk"
            else killed(victim, seed, given.places, wanted)
        )
        print(rows[-1], file=sys.stderr, flush=True)
    bad = sum(
        bool(row.get("different") or row.get("left") or (row.get("before") and row["victim"] != ORPHANS))
        for row in rows
    )
    if given.json:
        print(json.dumps({"ratios": {}, "moments": rows, "bad": bad}))
    else:
        tried = Counter(row["victim"] for row in rows if "not_tried" not in row)
        print(f"{dict(tried)}: {bad} with a difference or a process left behind")
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main())
