"""The one door to anything a reader sees: a place with what may be shown of it."""

from dataclasses import dataclass

import pandas as pd

from evalkit import building as built
from evalkit.errors import ParameterError
from evalkit.load import places

AUDIENCES = ("public", "private")
_COUNTED = {"households", "customers", "borrowers", "persons", "loans", "cases"}


@dataclass(frozen=True)
class Place:
    """What may be shown of one place: its figures, the areas and places that it stands beside, the findings.

    unit: the place itself (a row of the build's places). rows, beside, among, findings: tables of the
    build, cut to the place. before, after: units that it came from and became. audience: who is looking. parts: the place's change taken apart (see ``present.impact.parts`` for what may be
    shown of it).
    """

    unit: pd.Series
    rows: pd.DataFrame
    beside: pd.DataFrame
    among: pd.DataFrame
    findings: pd.DataFrame
    before: tuple
    after: object
    settings: dict
    audience: str
    parts: pd.DataFrame | None = None

    def __repr__(self):
        unit = self.unit
        where = ", ".join(str(unit[c]) for c in ("district", "province") if pd.notna(unit[c]) and unit[c])
        return f"{unit['name']} ({unit['place']}; {where}): {len(self.rows)} figures, for a {self.audience} reader"


def place(build_folder, code, audience="public"):
    """Return one place of a build, found by code, identity or name, with what ``audience`` may see.

    For the public, counts of people below the data set's suppression threshold (zero aside) are hidden,
    and with them every ratio of which they are the numerator: value, bounds and counts are missing and the
    row carries the flag ``hidden``.
    Raises PlaceError for a place that is unknown, ambiguous or without figures, ParameterError for another
    audience, DataError where the folder is no build.
    """
    if audience not in AUDIENCES:
        raise ParameterError(f"audience = {audience!r}: write one of {', '.join(AUDIENCES)}.")
    settings = built.manifest(build_folder)["settings"]
    identity = built.find(build_folder, code)
    units = built.read(build_folder, "places")
    unit = units[units["place"] == identity].iloc[0]
    rows, beside, among, findings = (
        built.read(build_folder, name, identity).reset_index(drop=True)
        for name in ("indicators", "beside", "among", "findings")
    )
    threshold = settings["publish"]["suppression_threshold"]
    if audience == "public" and threshold:
        rows, beside = hide_small(rows, threshold), hide_small(beside, threshold)
    return Place(
        unit=unit,
        rows=rows,
        beside=beside,
        among=among,
        findings=findings,
        before=tuple(places.predecessors(next(units[units["place"] == identity].itertuples()), units)),
        after=next(iter(units[units["place"] == unit["successor_place"]].itertuples()), None),
        settings=settings,
        audience=audience,
        parts=built.read(build_folder, "decomposition", identity),
    )


def hide_small(rows, threshold):
    """Hide counts of people below ``threshold`` (zero aside) and the ratios that would give them back."""
    count = rows["numerator"].where(
        rows["numerator"].notna(), rows["value"].where(rows["unit"].isin(_COUNTED))
    )
    rest = rows["denominator"] - rows["numerator"]
    small = count.between(0, threshold, inclusive="neither") | rest.between(0, threshold, inclusive="neither")
    out = rows.copy()
    for column in ("value", "lower", "upper", "numerator", "denominator"):
        out.loc[small, column] = float("nan")
    out.loc[small, "flags"] = (out.loc[small, "flags"].fillna("") + ";hidden").str.strip(";")
    return out
