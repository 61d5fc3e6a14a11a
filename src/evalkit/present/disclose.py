"""The one door to anything a reader sees: a place with what may be shown of it."""

from dataclasses import dataclass
from functools import cached_property

import pandas as pd

from evalkit import building as built
from evalkit.errors import ParameterError
from evalkit.load import places
from evalkit.metrics import suppress
from evalkit.present import judgements, yearly

AUDIENCES = ("public", "private")


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
        parts=built.read(build_folder, "decomposition", identity),
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


def _quoting_nothing_hidden(findings, rows):
    """Leave out the findings on a table of which the same place has a hidden row."""
    hidden = rows[rows["hidden"].fillna("").ne("")]
    tables = {
        (place, table)
        for place, source in zip(hidden["place"], hidden["source"], strict=True)
        for table in str(source).split("; ")
    }
    quoting = [
        (place, str(file).split(".")[0]) in tables
        for place, file in zip(findings["place"], findings["file"], strict=True)
    ]
    return findings[~pd.Series(quoting, index=findings.index, dtype=bool)]
