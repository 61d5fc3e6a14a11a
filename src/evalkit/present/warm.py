"""What every report needs, loaded once in the process that forks: words, law, fonts, the drawing library."""

import pandas as pd

from evalkit.load import reference
from evalkit.present import charts, tables, texts, words  # noqa: F401  (imported for the children)
from evalkit.present.charts.canvas import canvas, svg


def warm_up():
    """Fill the caches that a notebook would otherwise fill for itself. Reads no data set and starts no thread."""
    import pyarrow.parquet  # noqa: F401

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
    with canvas(2.0) as (figure, axes):
        axes.plot([2014, 2024], [1, 2], "o-", label="Tỷ lệ hộ nghèo")
        axes.set_title("Ưu đãi, bảo đảm, ổn định")
        figure.legend(loc="outside lower left")
        svg(figure)
