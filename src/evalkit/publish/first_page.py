"""What the overview shows, from places, run and release."""

from evalkit.publish import overview
from evalkit.publish.distribution import distribution
from evalkit.publish.download import table_csv
from evalkit.publish.names import alphabetical
from evalkit.publish.outline import outline
from evalkit.publish.svg import drawing


def first_page(pages, lang, summary, release, folder):
    """Return the parts of the overview in one language; its figure is written to ``folder``."""
    from evalkit.present import words

    t = pages.translate[lang]
    current = _current(pages.places)
    rows, about = overview.main_figures(None if release is None else release.figures, pages.places)
    if about:
        values = {place: _plain(row["value"]) for place, row in rows.items()}
        current = [p for p in current if _belongs(p, rows, about["year"])]
        show = lambda value: words.rounded(value, about["unit"], lang)  # noqa: E731
        title = f"{words.indicator(about['indicator'], lang)}, {about['period']}"
    else:
        values = {p["place_id"]: p["kinds"] for p in current if p["kinds"]}
        show, title = str, str(t("Kinds of figures held"))
    tiles, bounds = overview.tiles(current, values)
    districts = overview.districts(current, values)
    figure = _figure(rows, pages, about, lang, t, folder) if about else None
    return {
        "coverage": overview.coverage(pages.places),
        "run": overview.run(summary) if summary else None,
        "names": {p["place_id"]: p["name"] for p in pages.places},
        "title": title,
        "indicator": about["indicator"] if about else "",
        "tiles": tiles,
        "bounds": [(mark, show(low), show(high)) for mark, (low, high) in sorted(bounds.items())],
        "marks": {tile["mark"] for _, group in tiles for tile in group},
        "show": show,
        "districts": districts,
        "finding": _finding(districts, show, t) if about else "",
        "figure": figure,
        "map": outline(release.boundaries if release else None, tiles),
        "slugs": {
            tuple(own[0][k] for k in ("province", "district")): s for s, (_, own) in pages.by_district.items()
        },
    }


def _belongs(place, rows, year):
    """Whether a place is drawn: it has a figure or, standing in that year, lacks one."""
    stood = place["place_id"] in rows or overview.stood(place, year)
    return place["status"] == "published" and stood


def _current(places):
    return sorted(places, key=lambda p: (alphabetical(p["district"]), alphabetical(p["name"])))


def _plain(value):
    return None if value != value else value


def _finding(districts, show, t):
    known = [d for d in districts if d["median"] is not None]
    if len(known) < 2:
        return ""
    low, high = (pick(known, key=lambda d: d["median"]) for pick in (min, max))
    return t(
        "By district the median is lowest in {low} ({lowest}) and highest in {high} ({highest}).",
        low=low["name"],
        lowest=show(low["median"]),
        high=high["name"],
        highest=show(high["median"]),
    )


def _figure(rows, pages, about, lang, t, folder):
    from evalkit.present import words

    names = {p["place_id"]: p["name"] for p in pages.places}
    block = distribution(rows, names, words.indicator(about["indicator"], lang), lang, t)
    if block is None:
        return None
    block["anchor"] = "distribution"
    svg, block["width"], block["height"] = drawing(block["svg"], "overview: distribution")
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "distribution.svg").write_text(svg, encoding="utf-8")
    text = table_csv(block, {"place_id": "", "code": ""})
    (folder / "distribution.csv").write_bytes(text.encode())
    return block
