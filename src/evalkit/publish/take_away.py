"""What a reader may take away, and what changed since the last release: files and the pages' contents."""

import json

import pandas as pd

from evalkit.errors import DataError
from evalkit.publish import changes as compared
from evalkit.publish.archive import archive
from evalkit.publish.download import write_csv
from evalkit.publish.release import read_back, write
from evalkit.publish.wording import N_

FILES = {
    "figures.csv": N_("all figures, for a spreadsheet"),
    "figures.parquet": N_("all figures, for a program"),
    "places.csv": N_("the places: codes, dates of validity, successors"),
    "places.parquet": N_("the places, for a program"),
    "indicators.csv": N_("the indicators: unit, formula, meaning"),
    "datapackage.json": N_("descriptor of the tables (Frictionless Data Package)"),
    "CITATION.cff": N_("how to cite, for reference managers"),
    "LICENCE.txt": N_("rights"),
    "environment.txt": N_("packages and versions in use"),
    "replication.zip": N_("all that is needed to repeat the work, without any private row"),
}
SHOWN = 500  # changes on the page; all of them are in the CSV file


def give(folder, release, since, standing, words, languages):
    """Write the release to ``folder`` and return {path of a page: {lang: content}}.

    since: folder of an earlier release, or None for the site that stood at ``standing``; a site made from the
    same data and code hands its own list of changes on.
    """
    write(folder, release)
    found, before = _since(since, standing, release)
    if found is not None:
        write_csv(folder / "changes.csv", found)
        found.to_parquet(folder / "changes.parquet", index=False)
        kept = json.loads((folder / "release.json").read_text(encoding="utf-8")) | {"since": before}
        (folder / "release.json").write_text(json.dumps(kept, indent=1) + "\n", encoding="utf-8")
    archive(folder, release)
    sizes = [(name, (folder / name).stat().st_size) for name in FILES]
    data = {"files": sizes, "fingerprints": release.fingerprints, "meanings": FILES}
    given = {"data/index.html": dict.fromkeys(languages, data)}
    if found is not None:
        content = {lang: {"before": before} | _content(found, lang) for lang in languages}
        given["changes/index.html"] = content
    return given


def _since(since, standing, release):
    try:
        before, kept = read_back(since or standing)
    except DataError:
        if since:
            raise
        return None, ""
    same = all(kept[key] == release.fingerprints[key] for key in ("data", "code"))
    earlier = standing / "release" / "changes.parquet"
    if not since and same:
        return (pd.read_parquet(earlier), kept["since"]) if earlier.is_file() else (None, "")
    return compared.changes(before, kept, release), kept["built"][:10]


def _content(found, lang):
    from evalkit.present import words

    counted = found.groupby(["change", "cause"], sort=True).size()
    rows = [
        {
            "place": row["place"],
            "name": row["name"],
            "indicator": row["indicator"],
            "label": words.name_of(row["indicator"], lang),
            "period": words.period(row["period"] or None, lang),
            "change": compared.CHANGES[row["change"]],
            "cause": compared.CAUSES[row["cause"]],
        }
        | _told_apart(row, lang)
        for row in found.head(SHOWN).to_dict("records")
    ]
    said = [(compared.CHANGES[a], compared.CAUSES[b], int(n)) for (a, b), n in counted.items()]
    return {"counted": said, "rows": rows, "total": len(found)}


def _told_apart(row, lang):
    """Return before and after as a report says them; with every digit where the two would read the same."""
    from evalkit.present import say

    figures = {
        when: {
            "value": row[when],
            "lower": row[f"{when}_lower"],
            "upper": row[f"{when}_upper"],
            "flags": row[f"{when}_flags"],
            "unit": row["unit"],
        }
        for when in ("before", "after")
    }
    said = {when: say.value(figure, lang) for when, figure in figures.items()}
    if said["before"] != said["after"]:
        return said
    of = ("value",) if row["before"] != row["after"] else ("lower", "upper")
    return {when: _in_full(figure, of, lang) for when, figure in figures.items()}


def _in_full(figure, of, lang):
    """The value, or the bounds, to six decimals with the unit as it follows a nought."""
    from evalkit.present import words

    unit = words.quantity(0, figure["unit"], lang).removeprefix("0")
    return " … ".join(words.decimal(figure[key], lang, 6) for key in of) + unit
