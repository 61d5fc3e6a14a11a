"""The page on the run: how each notebook went, and which reports could not be made."""

from statistics import median

from evalkit.publish.collect import DATASET
from evalkit.publish.wording import N_

STATUSES = {
    "ok": N_("made"),
    "skipped": N_("unchanged, not run again"),
    "failed": N_("a calculation raised an error"),
    "timeout": N_("took too long and was ended"),
    "died": N_("ended itself"),
    "killed": N_("was ended by the system"),
}


def run(summary, places, languages):
    """Return the figures of the page: one row per notebook and the jobs that did not end well.

    An error in a cell may quote a row of the data, so that only its kind is told here; the whole sentence is in
    summary.json among the private files. What ended a job from outside is told in full.
    """
    names = {p["place_id"]: p["name"] for p in places}
    rows = [r for r in summary.rows if r.parameters.get("lang", languages[0]) in languages]
    failed = {id(r) for r in summary.failed}
    return {
        "seconds": summary.seconds,
        "statuses": [(STATUSES[s], n) for s, n in sorted(summary.counts.items())],
        "notebooks": [_of_notebook(name, rows, failed) for name in sorted({r.notebook for r in rows})],
        "failed": [_failure(r, names) for r in rows if id(r) in failed],
    }


def _of_notebook(name, rows, failed):
    own = [r for r in rows if r.notebook == name]
    return {
        "notebook": name,
        "jobs": len(own),
        "failed": sum(id(r) in failed for r in own),
        "seconds": median(r.seconds for r in own),
        "cpu_seconds": median(r.cpu_seconds for r in own),
        "memory_mb": max(r.memory_mb for r in own),
    }


def _failure(row, names):
    place = row.parameters.get("place", "")
    return {
        "place": place,
        "name": names.get(place, place or DATASET),
        "notebook": row.notebook,
        "lang": row.parameters.get("lang", ""),
        "status": STATUSES[row.status],
        "seconds": row.seconds,
        "memory_mb": row.memory_mb,
        "error": row.error.partition(":")[0] if row.status == "failed" else row.error,
    }
