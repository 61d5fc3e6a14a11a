"""What every report needs, loaded once in the process that forks: words, law, fonts, the drawing library."""

import string

import pandas as pd

from evalkit import building
from evalkit.load import reference
from evalkit.present import charts, tables, texts, words  # noqa: F401  (imported for the children)
from evalkit.present.charts.canvas import canvas, fill, svg


def warm_up():
    """Fill the caches that a notebook would otherwise fill for itself. Reads no data set and starts no thread."""
    import scipy.stats  # noqa: F401

    for lang in words.LANGUAGES:
        words.t("Sources", lang)
        words.date(pd.Timestamp(2024, 12, 31), lang)
        words.quantity(1.5e9, "VND", lang)
    words.section("population")
    for name in (
        "poverty_standards",
        "series_breaks",
        "external_evidence",
        "data_requests",
        "group_rules",
        "indicators",
    ):
        reference.table(name)
    reference.standards()
    _letters()


def of_build(folder):
    """Read what every report of a build reads: the list of places and the footers of the tables."""
    for name in ("places", "indicators", "beside", "among", "compared", "peers", "findings", "decomposition"):
        building.read(folder, name, None if name == "places" else "")
    building.manifest(folder)


def _letters():
    """Draw every letter of the catalogue, in both weights, so that its outlines are kept."""
    letters = "".join(
        sorted({*"".join(words.catalogue("vi").values()), *string.printable} - {*string.whitespace})
    )
    with canvas(2.0) as (figure, axes):
        axes.plot([2014, 2024], [1, 2], "o-", label="a")
        axes.bar([2014], [1], label="b", **fill(1))
        axes.set_title(letters, fontsize=2)
        axes.set_xlabel(letters, fontsize=2, fontweight="bold")
        figure.legend(loc="outside lower left")
        svg(figure)
