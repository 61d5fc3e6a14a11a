"""What every report needs, loaded once in the process that forks: words, law, fonts, the drawing library."""

import string
from contextlib import suppress
from inspect import signature

import pandas as pd

from evalkit import building
from evalkit.load import reference
from evalkit.present import charts, disclose, tables, texts, words
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
        "legal_bases",
        "external_evidence",
        "data_requests",
        "group_rules",
        "indicators",
    ):
        reference.table(name)
    reference.standards()
    _letters()


def of_build(folder):
    """Read what every report of a build reads, and make each part of one place's report, of which nothing is kept."""
    places = building.read(folder, "places", None)
    building.manifest(folder)
    if not (codes := places.loc[places["reported"], "place"]).empty:
        _make_every_part(folder, codes.iloc[0], words.LANGUAGES[0])


def _make_every_part(folder, code, lang, section="credit"):
    """Make every block that is made of a place alone; pandas, Matplotlib and evalkit keep what they looked up."""
    with suppress(Exception):  # a part that fails will say so in the notebook that shows it
        place = disclose.place(folder, code)
        for module in (charts, tables, texts):
            for part in (getattr(module, name) for name in module.__all__):
                wanted = [*signature(part).parameters]
                if wanted[0] == "place":
                    chosen = {"section": section} if "section" in wanted else {}
                    part(place, **chosen, lang=lang)._repr_html_()


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
