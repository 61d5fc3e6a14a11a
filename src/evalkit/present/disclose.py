"""The one door to anything a reader sees: a place with what may be shown of it."""

from dataclasses import dataclass
from functools import cached_property
from html import escape

import numpy as np
import pandas as pd

from evalkit import building as built
from evalkit.errors import ParameterError
from evalkit.load import places, schema
from evalkit.metrics import suppress
from evalkit.present import judgements, yearly

AUDIENCES = ("public", "private")
_OF_PLACES = ("communes", "facts", "credit", "poverty", "income")  # other tables' rows are of a few people


@dataclass(frozen=True)
class Place:
    """What may be shown of one place: its figures, the areas and places that it stands beside, the findings.

    unit: the place itself (a row of the build's places). rows, beside, among, compared, peers, findings:
    tables of the build, cut to the place. before, after: units that it came from and became. audience: who
    is looking. parts: the place's change taken apart (``present.impact.parts`` says what may be shown of it).
    """

    unit: pd.Series
    rows: pd.DataFrame
    beside: pd.DataFrame
    among: pd.DataFrame
    compared: pd.DataFrame
    peers: pd.DataFrame
    findings: pd.DataFrame
    before: tuple
    after: object
    settings: dict
    audience: str
    parts: pd.DataFrame | None = None

    @cached_property
    def dated(self):
        """The rows dated to one year, for ``yearly.of``."""
        return yearly.dated(self.rows)

    def __repr__(self):
        unit = self.unit
        where = ", ".join(str(unit[c]) for c in ("district", "province") if pd.notna(unit[c]) and unit[c])
        return f"{unit['name']} ({unit['place']}; {where}): {len(self.rows)} figures, for a {self.audience} reader"

    def _repr_html_(self):
        years = self.rows["year"].dropna().astype(int)
        held = [
            f"{len(self.rows)} figures{f', {years.min()}–{years.max()}' if len(years) else ''} (<code>.rows</code>)",
            f"{len(self.beside)} beside its areas (<code>.beside</code>)",
            f"{len(self.compared)} comparisons (<code>.compared</code>)",
            f"{len(self.peers)} peers (<code>.peers</code>)",
            f"{len(self.findings)} findings of the checks (<code>.findings</code>)",
        ]
        return f"<p><b>{escape(repr(self))}</b></p>\n<p>{'; '.join(held)}</p>"


def place(build_folder, code, audience="public"):
    """Return one place of a build, found by code, identity or name, with what ``audience`` may see.

    What the public may see was decided once for the whole build (see evalkit.metrics.suppress): figures of a
    hidden row are missing and it carries the flag ``hidden``. Findings of the checks quote figures, so the
    public sees none of a table of which the place has a hidden row.
    Raises PlaceError for a place that is unknown, ambiguous or without figures, ParameterError for another
    audience, DataError where the folder is no build.
    """
    if audience not in AUDIENCES:
        raise ParameterError(f"audience = {audience!r}: write one of {', '.join(AUDIENCES)}.")
    settings = built.manifest(build_folder)["settings"]
    identity = built.find(build_folder, code)
    units = built.read(build_folder, "places")
    own = units[units["place"] == identity]
    unit = own.iloc[0]
    rows, beside, among, compared, peers, findings = (
        built.read(build_folder, name, identity).reset_index(drop=True)
        for name in ("indicators", "beside", "among", "compared", "peers", "findings")
    )
    if audience == "public":
        findings = _quoting_nothing_hidden(findings, rows)
        rows = suppress.shown(rows)
    rows = rows.drop(columns="hidden", errors="ignore")
    return Place(
        unit=unit,
        rows=rows,
        beside=beside,
        among=among,
        compared=compared,
        peers=judgements.named(peers, units),
        findings=findings,
        before=tuple(places.predecessors(next(own.itertuples()), units)),
        after=next(units[units["place"] == unit["successor_place"]].itertuples(), None)
        if pd.notna(unit["successor_place"])
        else None,
        settings=settings,
        audience=audience,
        parts=_read_parts(build_folder, identity, audience),
    )


def rows(build_folder, table):
    """Return a table of a build as the public may see it, for all places at once.

    Indicator rows that are hidden come without their figures and with the flag ``hidden``. Tables that
    were computed from such rows (beside, among) hold nothing hidden and come as they are; findings are those
    that quote no hidden figure. Raises ParameterError for the table of what is protected, DataError where
    the folder is no build or has no such table.
    """
    if table == "sensitive":
        raise ParameterError('table = "sensitive": it says what is protected and stays in the build.')
    found = built.read(build_folder, table)
    if table == "findings":
        return _quoting_nothing_hidden(found, built.read(build_folder, "indicators"))
    return suppress.shown(found)


def estimates(table):
    """Return a table of estimates with its figures to three significant digits; whole numbers as they are.

    An estimate reckons with every commune, hidden figures included. Whoever knows all the others could tell from
    its last digits which count fits.
    """
    out = table.copy()
    for column in table.columns[table.dtypes == "float64"]:
        values = table[column].to_numpy(float)
        known = np.isfinite(values) & (values != np.round(values))
        out.loc[known, column] = [float(f"{v:.3g}") for v in values[known]]
    return out


def _read_parts(build_folder, identity, audience):
    parts = built.read(build_folder, "decomposition", identity)
    return estimates(parts) if audience == "public" else parts


def _quoting_nothing_hidden(findings, rows):
    """Leave out findings on single households, loans or groups, and those on a table with a hidden row of the place."""
    hidden = rows[rows["hidden"].fillna("").ne("")]
    tables = set(schema.tables())
    quoted = {
        (place, table if table in tables else "facts")  # the source of a fact is the page that printed it
        for place, source in zip(hidden["place"], hidden["source"], strict=True)
        for table in str(source).split("; ")
    }
    public = [
        table in _OF_PLACES and (place, table) not in quoted
        for place, table in zip(findings["place"], findings["table"], strict=True)
    ]
    return findings[pd.Series(public, index=findings.index, dtype=bool)]
