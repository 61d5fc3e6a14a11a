"""Time and weight of publishing, beside nbconvert's HTMLExporter on the same executed notebooks.

    python benchmarks/publish.py out --copies 3 [--json]

``out`` is an output folder with build/ and private/ (a finished run). Pages are rendered from its places,
``--copies`` times over, until at least that many are done; the country is projected from the mean.
"""

import argparse
import json
import shutil
import statistics
import tempfile
import time
from importlib import import_module
from pathlib import Path

COUNTRY = 10_600 * 2  # pages
EXPORTED = 12  # notebooks that nbconvert exports


def main():
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("out", type=Path)
    arguments.add_argument("--copies", type=int, default=1)
    arguments.add_argument("--json", action="store_true")
    given = arguments.parse_args()
    found = measure(given.out, given.copies)
    if given.json:
        print(json.dumps({"ratios": {"nbconvert_per_page": round(found["ratio"], 1)}} | found))
        return
    print(
        f"{found['pages']} pages: {found['median_ms']:.0f} ms by the median, {found['mean_ms']:.0f} by the mean; "
        f"{found['processor_ms']:.0f} ms of a processor by the median"
    )
    print(f"weight with figures: {found['median_kb']:.0f} kB by the median, {found['most_kb']:.0f} at most")
    print(f"nbconvert: {found['nbconvert_ms']:.0f} ms for the notebooks of one page")
    print(f"10,600 communes in two languages: {found['country_minutes']:.0f} minutes, projected")


def measure(out, copies):
    """Return milliseconds and kilobytes by page of a place, nbconvert's milliseconds, and the projection."""
    from evalkit.batch import RunSummary
    from evalkit.building import read
    from evalkit.present import words
    from evalkit.publish.listing import listing
    from evalkit.publish.pages import Pages
    from evalkit.publish.places import checked

    publishing = import_module("evalkit.publish.site")  # the package's own name `site` is the function
    private = out / "private"
    places = checked(listing(read(out / "build", "places"), RunSummary.read(private)))
    published = [p for p in places if p["status"] == "published"]
    meta = {"title": "Benchmark", "source": "", "rights": "", "simulated": True, "years": [2024]}
    meta |= {"generated": "2024-12-31", "version": "0"}
    pages = Pages(places, meta=meta, languages=("vi", "en"), words=words.t)
    times, busy, weights = [], [], []
    with tempfile.TemporaryDirectory() as name:
        for copy in range(copies):
            for lang in pages.languages:
                for place in published:
                    folder = Path(name) / lang / f"{place['place_id']}-{copy}"
                    began, worked = time.perf_counter(), time.process_time()
                    publishing._write_place(folder, private, place, lang, pages, False)
                    times.append(time.perf_counter() - began)
                    busy.append(time.process_time() - worked)
                    shown = [f for f in folder.iterdir() if f.suffix in (".html", ".svg")]
                    weights.append(sum(f.stat().st_size for f in shown) / 1000)
                    shutil.rmtree(folder)
    exported = _nbconvert(private, published)
    mean = statistics.mean(times)
    return {
        "pages": len(times),
        "median_ms": statistics.median(times) * 1000,
        "mean_ms": mean * 1000,
        "processor_ms": statistics.median(busy) * 1000,
        "median_kb": statistics.median(weights),
        "most_kb": max(weights),
        "nbconvert_ms": exported * 1000,
        "ratio": exported / statistics.median(times),
        "country_minutes": mean * COUNTRY / 60,
    }


def _nbconvert(private, published):
    from nbconvert import HTMLExporter

    exporter, times = HTMLExporter(), []
    for place in published[: EXPORTED // 3]:
        began = time.perf_counter()
        for path in sorted((private / place["place_id"] / "vi").glob("*.ipynb")):
            exporter.from_filename(str(path))
        times.append(time.perf_counter() - began)
    return statistics.median(times)


if __name__ == "__main__":
    main()
