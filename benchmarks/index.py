"""The index of 10,600 places in a real browser: its weight, loading, and from a key to the next picture.

    python benchmarks/index.py [--places 10600] [--json]

Places are invented (names of two syllables, districts of 15, provinces of 170). Needs playwright and Chromium.
"""

import argparse
import gzip
import json
import random
import shutil
import statistics
import tempfile
import time
from pathlib import Path

KEYS = ("t", "h", "a", "n", "h", " ", "l", "o", "n", "g", *["Backspace"] * 10, "9", "0", "1", "2")
SYLLABLES = [
    "An",
    "Bình",
    "Cường",
    "Đông",
    "Giang",
    "Hải",
    "Hòa",
    "Khê",
    "Lạc",
    "Long",
    "Lĩnh",
    "Minh",
    "Mỹ",
    "Nam",
    "Nguyên",
    "Phong",
    "Phú",
    "Sơn",
    "Tân",
    "Thanh",
    "Thịnh",
    "Thượng",
    "Trạch",
    "Trung",
    "Xuân",
    "Yên",
]


def main():
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("--places", type=int, default=10_600)
    arguments.add_argument("--json", action="store_true")
    given = arguments.parse_args()
    found = measure(given.places)
    if given.json:
        print(json.dumps({"ratios": {}} | found))
        return
    print(f"{given.places} places: {found['kb']:.0f} kB, {found['gzip_kb']:.0f} kB packed")
    print(f"loading, until it can be typed in: {found['load_ms']:.0f} ms")
    print(f"key to picture: {found['key_ms']:.0f} ms by the median, {found['key_most_ms']:.0f} at most")
    print(f"sorting: {found['sort_ms']:.0f} ms by the median, {found['sort_most_ms']:.0f} at most")


def measure(count):
    """Return kilobytes of the page and milliseconds of loading, typing and sorting in Chromium."""
    from playwright.sync_api import sync_playwright

    with tempfile.TemporaryDirectory() as name:
        page_file = written(Path(name), count)
        size = page_file.read_bytes()
        with sync_playwright() as playwright:
            browser = playwright.chromium.launch(executable_path="/usr/bin/chromium")
            page = browser.new_page(viewport={"width": 1280, "height": 900})
            began = time.perf_counter()
            page.goto(page_file.as_uri())
            page.wait_for_selector("#places.ready")
            loaded = time.perf_counter() - began
            page.focus("#q")
            keys = [_timed(page, lambda key=key: page.keyboard.press(key)) for key in KEYS]
            page.fill("#q", "")
            buttons = page.locator("#places thead button")
            sorts = [_timed(page, buttons.nth(i).click) for i in range(buttons.count()) for _ in range(2)]
            browser.close()
    return {
        "kb": len(size) / 1000,
        "gzip_kb": len(gzip.compress(size)) / 1000,
        "load_ms": loaded * 1000,
        "key_ms": statistics.median(keys),
        "key_most_ms": max(keys),
        "sort_ms": statistics.median(sorts),
        "sort_most_ms": max(sorts),
    }


def _timed(page, act):
    """Milliseconds from the event, as the browser stamps it, to the picture after it."""
    page.evaluate(
        """() => { for (const kind of ["keydown", "click"]) addEventListener(kind, (event) => {
          window.began = event.timeStamp; window.painted = null;
          requestAnimationFrame(() => { const channel = new MessageChannel(); channel.port1.onmessage = () => { window.painted = performance.now(); }; channel.port2.postMessage(0); });
        }, { capture: true, once: true }); window.painted = null; }"""
    )
    act()
    while page.evaluate("window.painted") is None:  # waiting in the page is what its content policy forbids
        time.sleep(0.01)
    return page.evaluate("window.painted - window.began")


def written(folder, count):
    """Write the index of that many invented places and what it loads; return its path."""
    from evalkit.present.words import t
    from evalkit.publish.pages import HERE, Pages
    from evalkit.publish.places import checked

    meta = {"title": "Benchmark", "source": "", "rights": "", "simulated": True, "years": [2012, 2024]}
    meta |= {"generated": "2024-12-31", "version": "0"}
    pages = Pages(checked(invented(count)), meta=meta, languages=("vi", "en"), words=t)
    shutil.copytree(HERE / "assets", folder / "assets")
    path = folder / "vi" / "places" / "index.html"
    path.parent.mkdir(parents=True)
    path.write_text(pages.index("vi"), encoding="utf-8")
    return path


def invented(count):
    """Return places as ``publish.site`` takes them; every sixth came from two others."""
    draw = random.Random(1)
    name = lambda: " ".join(draw.sample(SYLLABLES, 2))  # noqa: E731
    districts = [name() for _ in range(count // 15 + 1)]
    provinces = [name() for _ in range(count // 170 + 1)]
    kin = lambda n: {"name": name(), "code": f"{(n * 7) % 99999:05d}", "place_id": ""}  # noqa: E731
    return [
        {
            "place_id": f"{n:05d}",
            "code": f"{n:05d}",
            "name": name(),
            "type": "xã",
            "district": districts[n // 15],
            "province": provinces[n // 170],
            "level": draw.choice(["L0", "L1", "L2"]),
            "kinds": draw.randint(3, 45),
            "years": [2012, 2024],
            "coverage": ["credit", "groups", "poverty", "income"],
            "predecessors": [kin(n), kin(n + 1)] if n % 6 == 0 else [],
        }
        for n in range(count)
    ]


if __name__ == "__main__":
    main()
