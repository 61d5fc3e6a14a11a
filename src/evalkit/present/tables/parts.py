"""What the tables of a report share."""

import pandas as pd

from evalkit.load import reference
from evalkit.present.blocks import Block

LONG = 60  # rows beyond which a table of all years is cut to the latest of each


def block(place, kind, id, section, lang, title, **content):
    return Block(
        kind=kind, id=id, section=section, lang=lang, audience=place.audience, title=title, **content
    )


def plain(value):
    return None if pd.isna(value) else value


def latest(rows, by):
    return rows.sort_values("year", kind="stable").drop_duplicates(by, keep="last")


def comparable():
    """Return the indicators that don't grow with the size of the place."""
    return set(reference.table("indicators").query("comparable == 'true'")["indicator"])
