"""What a build holds of its estimates, and the blocks made from it."""

from dataclasses import dataclass

import pandas as pd

from evalkit import building as built
from evalkit.errors import ParameterError
from evalkit.present import disclose
from evalkit.present.blocks import Block, absent
from evalkit.present.words import LANGUAGES, t


@dataclass(frozen=True)
class Impact:
    """The estimates of one build as tables (see ``evalkit.impact.estimates``), and what is known of its plan."""

    effects: pd.DataFrame
    periods: pd.DataFrame
    curve: pd.DataFrame
    checks: pd.DataFrame
    scope: dict
    record: dict
    settings: dict
    audience: str = "public"

    def _repr_html_(self):
        return (
            f"<p>{len(self.effects)} estimates, {int((self.effects['refusals'] != '[]').sum())} refused</p>"
        )


def impact(build_folder):
    """Return the ``Impact`` of a build. Raises DataError where the folder is no build."""
    settings = built.manifest(build_folder)["settings"]
    names = ("effects", "periods", "curve", "checks")
    tables = {name: disclose.estimates(built.read(build_folder, name)) for name in names}
    panel = built.read(build_folder, "panel")
    scope = {"rows": len(panel)}
    if len(panel):
        scope |= {
            name: int(panel[c].nunique()) for name, c in (("units", "unit"), ("districts", "district_code"))
        }
        scope |= {"first": int(panel["year"].min()), "last": int(panel["year"].max())}
    return Impact(**tables, scope=scope, record=built.plan_record(build_folder), settings=settings)


def block(data, kind, id, lang, title, **content):
    """Return one block of the impact report."""
    if lang not in LANGUAGES:
        raise ParameterError(f"lang = {lang!r}: write one of {', '.join(LANGUAGES)}.")
    return Block(
        kind=kind, id=id, section="evaluation", lang=lang, audience=data.audience, title=title, **content
    )


def nothing(data, id, lang, title):
    """Return the block that stands where nothing was estimated; it isn't published."""
    return absent(data, id, "evaluation", lang, title, t("There is nothing to show here.", lang))
