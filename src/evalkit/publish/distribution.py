"""How one indicator is spread over the places: a figure with its sentence and the table behind it."""

from statistics import quantiles

from evalkit.publish.names import isolate

FEWEST = 10  # values below which a spread isn't drawn
KEYS = ("indicator", "period", "value", "lower", "upper", "unit", "basis", "method", "flags")


def distribution(rows, names, indicator, lang, t):
    """Return the block of a figure from disclosed rows of one indicator, period and basis; None for too few.

    rows: {place: row}; names: {place: name}. The sentence says median, middle half and both ends.
    """
    from evalkit.present import words

    known = {place: row["value"] for place, row in rows.items() if row["value"] == row["value"]}
    if len(known) < FEWEST:
        return None
    first = next(iter(rows.values()))
    say = lambda value: words.rounded(value, first["unit"], lang)  # noqa: E731
    ordered = sorted(known, key=known.get)
    lower, middle, upper = quantiles(known.values(), n=4, method="inclusive")
    alt = t(
        "In the {n} places with a figure the median is {median}; half of them lie between {lower} and {upper}. "
        "Lowest: {lowest} ({low}); highest: {highest} ({high}).",
        n=len(known),
        median=say(middle),
        lower=say(lower),
        upper=say(upper),
        lowest=isolate(names[ordered[0]]),
        low=say(known[ordered[0]]),
        highest=isolate(names[ordered[-1]]),
        high=say(known[ordered[-1]]),
    )
    title = t("{indicator}, {period}: how the places are spread", indicator=indicator, period=first["period"])
    raw = [[place, names[place], *(_plain(rows[place][k]) for k in KEYS)] for place in sorted(rows)]
    return {
        "kind": "figure",
        "title": title.unescape(),
        "alt": alt.unescape(),
        "caption": alt.unescape(),
        "svg": _draw(
            list(known.values()), (lower, middle, upper), first["unit"], str(t("Number of places")), lang
        ),
        "columns": [
            {"key": key, "label": key, "numeric": False, "unit": ""} for key in ("place", "name", *KEYS)
        ],
        "raw": raw,
    }


def _plain(value):
    return None if value is None or value != value else value


def _draw(values, middle, unit, axis, lang):
    import numpy as np

    from evalkit.present import words
    from evalkit.present.charts.canvas import AREA, PLACE, canvas, svg

    scale = 1e6 if unit.startswith("VND") else 1
    with canvas(2.6) as (figure, axes):
        counts, edges = np.histogram([v / scale for v in values], bins="auto")
        axes.bar(
            (edges[:-1] + edges[1:]) / 2,
            counts,
            width=np.diff(edges),
            facecolor=PLACE,
            edgecolor="white",
            linewidth=1,
        )
        axes.axvline(middle[1] / scale, color=AREA, linewidth=2, linestyle="--")
        axes.axvspan(middle[0] / scale, middle[2] / scale, color=AREA, alpha=0.12, zorder=0)
        name = words.t("million VND", lang) if scale > 1 else words.unit_name(unit, lang)
        axes.set_xlabel("%" if unit == "percent" else name)
        axes.set_ylabel(axis)
        return svg(figure)
