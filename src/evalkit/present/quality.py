"""The quality of a data set for a reader: what the checks found, what is covered, what was set aside.

Only counts of places and findings leave here; the figures behind them stay in the build.
"""

from dataclasses import dataclass

import pandas as pd

from evalkit import building as built
from evalkit.errors import ParameterError
from evalkit.load import reference
from evalkit.load.findings import SECTIONS
from evalkit.load.titles import TITLES
from evalkit.present.blocks import Block
from evalkit.present.words import LANGUAGES, t

_SEVERITIES = ("error", "warning", "note")
_SIMULATED = "These data are simulated: no figure here is about a real place."
_SUBJECTS = {"credit": "Credit", "groups": "Groups", "poverty": "Poverty", "income": "Income"}
_ASIDE = (
    "rows_set_aside",
    "empty_rows",
    "repeated_row",
    "repeated_delivery",
    "unknown_column",
    "sheet_not_read",
)


@dataclass(frozen=True)
class Quality:
    """The findings, figures and settings of one build, for all places at once."""

    findings: pd.DataFrame
    rows: pd.DataFrame
    settings: dict

    def _repr_html_(self):
        return f"<p>{len(self.findings)} findings, {len(self.rows)} figures</p>"


def quality(build_folder):
    """Return the ``Quality`` of a build. Raises DataError where the folder is no build."""
    settings = built.manifest(build_folder)["settings"]
    return Quality(built.read(build_folder, "findings"), built.read(build_folder, "indicators"), settings)


def overview(quality, *, lang):
    """Return how many findings there are of each weight, and in how many places."""
    counts = quality.findings["severity"].value_counts()
    said = t(
        "The checks found {errors} errors, {warnings} warnings and {notes} notes. An error keeps a data set from being "
        "used, a warning asks for a second look, a note says how a figure was read.",
        lang,
        **{f"{severity}s": int(counts.get(severity, 0)) for severity in _SEVERITIES},
    )
    simulated = "" if quality.settings["data"]["real"] else t(_SIMULATED, lang)
    paragraphs = tuple(p for p in (said, simulated) if p)
    return _block("text", "overview", lang, t("Quality of the data", lang), paragraphs=paragraphs)


def by_rule(quality, *, lang):
    """Return the findings by rule and weight: how many, and in how many places."""
    title = t("Findings by rule", lang)
    found = quality.findings
    if found.empty:
        return _block(
            "text", "rules", lang, title, paragraphs=(t("The checks found nothing to object to.", lang),)
        )
    section_of = {rule: section for section, rules in SECTIONS.items() for rule in rules}
    weights = {severity: t(severity, lang) for severity in _SEVERITIES}
    grouped = found.assign(place=found["place"].replace("", pd.NA)).groupby(["severity", "rule"], sort=False)
    counted = grouped.agg(findings=("rule", "size"), places=("place", "nunique")).reset_index()
    rank = counted["severity"].map(_SEVERITIES.index)
    counted = counted.assign(rank=rank).sort_values(
        ["rank", "findings"], ascending=[True, False], kind="stable"
    )
    rows = [
        (weights[r.severity], t(section_of[r.rule], lang), r.rule, r.findings, r.places or "–")
        for r in counted.itertuples()
    ]
    columns = (
        ("severity", t("Weight", lang), False),
        ("section", t("About", lang), False),
        ("rule", t("Rule", lang), False),
        ("findings", t("Findings", lang), True),
        ("places", t("Number of places", lang), True),
    )
    caption = t("The table to download gives the code of each rule, which docs/checks.md explains.", lang)
    return _table("rules", lang, title, columns, rows, caption=caption)


def coverage(quality, *, lang):
    """Return of how many places there are figures, by subject and year."""
    title = t("Places with figures, by subject and year", lang)
    sections = reference.table("indicators").set_index("indicator")["section"]
    rows = quality.rows.assign(section=quality.rows["indicator"].map(sections)).dropna(subset=["year"])
    held = rows.groupby(["year", "section"])["place"].nunique().unstack(fill_value=0)
    if held.empty:
        return _block("text", "coverage", lang, title, paragraphs=(t("No figure bears a year.", lang),))
    names = [s for s in _SUBJECTS if s in held]
    shown = [(str(int(year)), *(int(held.at[year, s]) for s in names)) for year in held.index]
    columns = (("year", t("Year", lang), False), *((s, t(_SUBJECTS[s], lang), True) for s in names))
    return _table("coverage", lang, title, columns, shown)


def set_aside(quality, *, lang):
    """Return what was read and not used: by file, how many findings say so, and of which rule."""
    title = t("What was set aside", lang)
    found = quality.findings[quality.findings["rule"].isin(_ASIDE)]
    if found.empty:
        return _block(
            "text", "aside", lang, title, paragraphs=(t("Every row of every file was used.", lang),)
        )
    counted = found.groupby(["file", "rule"], sort=False).size()
    rows = [(file, rule, int(n)) for (file, rule), n in counted.items()]
    columns = (
        ("file", t("File", lang), False),
        ("rule", t("Rule", lang), False),
        ("findings", t("Findings", lang), True),
    )
    return _table("aside", lang, title, columns, rows)


def _table(id, lang, title, columns, rows, caption=""):
    """A table whose rules are shown by their titles; the machine values keep the codes."""
    shown = tuple(
        tuple(
            t(TITLES[cell], lang) if key == "rule" else str(cell)
            for (key, _, _), cell in zip(columns, row, strict=True)
        )
        for row in rows
    )
    return _block(
        "table", id, lang, title, columns=columns, rows=shown, raw=tuple(map(tuple, rows)), caption=caption
    )


def _block(kind, id, lang, title, **content):
    if lang not in LANGUAGES:
        raise ParameterError(f"lang = {lang!r}: write one of {', '.join(LANGUAGES)}.")
    return Block(kind=kind, id=id, section="quality", lang=lang, audience="public", title=title, **content)
