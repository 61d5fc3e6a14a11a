"""The release: every figure that may be shown, as one table, with what it takes to reuse and to cite it."""

import json
from dataclasses import dataclass
from itertools import groupby
from operator import itemgetter
from pathlib import Path

import pandas as pd

from evalkit import building
from evalkit.errors import DataError
from evalkit.publish import provenance
from evalkit.publish.download import rows_csv, write_csv

FIGURES = [
    *("place", "name", "period", "indicator", "value", "lower", "upper", "numerator", "denominator"),
    *("unit", "basis", "method", "source", "title", "flags"),
]
PLACES = [
    *("place", "code", "name", "type", "district", "province", "valid_from", "valid_to"),
    *("successor_code", "successor_name", "successor_place"),
]
TYPES = {
    "value": "number",
    "lower": "number",
    "upper": "number",
    "numerator": "number",
    "denominator": "number",
}
MEANINGS = {
    "place": "identity of the place in this release; the official code, with a year where the code was used again",
    "name": "name of the place",
    "code": "code of the statistical office, text",
    "period": "year, month, day or span (start/end) the figure is of",
    "indicator": "name of the indicator; see indicators.csv",
    "value": "the figure in `unit`; empty where missing or hidden, never 0 for either",
    "lower": "lower bound; equal to value where the figure is exact",
    "upper": "upper bound; empty where there is none (printed as “over”)",
    "numerator": "count or amount above the line, where the figure is a ratio",
    "denominator": "count or amount below the line, where the figure is a ratio",
    "unit": "unit of value, lower and upper; money is VND",
    "basis": "poverty standard, price year, or what was counted; figures of different basis are not to be subtracted",
    "method": "kind of statistic: review, survey, self_survey, bank, press, yearbook, register",
    "source": "address of the source, where the figure was published",
    "title": "title of the source",
    "flags": "how the figure was read or made, separated by semicolons; `hidden`: withheld to protect households",
}


@dataclass(frozen=True)
class Release:
    """What is given away with a site. figures: disclosed rows. places: their units. manifest: of the build.

    definitions: {indicator: hash of its formula and meaning}. fingerprints: of data, code, environment.
    boundaries: the data set's own boundaries.geojson, or None.
    """

    figures: pd.DataFrame
    places: pd.DataFrame
    manifest: dict
    definitions: dict
    fingerprints: dict
    boundaries: dict | None = None

    @property
    def settings(self):
        return self.manifest["settings"]


def release(build):
    """Return the release of a build: the rows of all places as a public reader may see them.

    Raises DataError where the folder is no build.
    """
    from evalkit.present import disclose
    from evalkit.publish.methods import definition_hashes

    manifest = building.manifest(build)
    places = building.read(build, "places")
    rows = disclose.rows(build, "indicators")
    outlines = Path(build) / "boundaries.geojson"
    return Release(
        figures=rows.assign(name=rows["place"].map(places.set_index("place")["name"])),
        places=places,
        manifest=manifest,
        definitions=definition_hashes(),
        fingerprints=provenance.fingerprints(manifest),
        boundaries=json.loads(outlines.read_text(encoding="utf-8-sig")) if outlines.is_file() else None,
    )


def write(folder, release, lang="en"):
    """Write the release to ``folder``: figures and places as CSV and Parquet, dictionary, citation, licence."""
    folder.mkdir(parents=True)
    figures, places = release.figures[FIGURES], release.places[PLACES]
    for name, frame in (("figures", figures), ("places", places), ("indicators", dictionary())):
        write_csv(folder / f"{name}.csv", frame)
    figures.to_parquet(folder / "figures.parquet", index=False)
    places.to_parquet(folder / "places.parquet", index=False)
    save = lambda name, text: (folder / name).write_text(text, encoding="utf-8", newline="\n")  # noqa: E731
    save("datapackage.json", json.dumps(package(release), ensure_ascii=False, indent=1) + "\n")
    save("CITATION.cff", citation(release))
    save("LICENCE.txt", "\n".join(release.settings["rights"].values()) + "\n")
    save("environment.txt", provenance.environment())
    kept = {"definitions": release.definitions, "built": release.manifest["built"]}
    save("release.json", json.dumps(kept | release.fingerprints, indent=1) + "\n")


def dictionary():
    """Return the indicators of the release: unit, labels, formula, meaning."""
    from evalkit.publish.methods import indicators

    return pd.DataFrame(
        [
            {key: entry[key] for key in ("indicator", "section", "unit", "label_vi", "label_en")}
            | {
                "formula": "; ".join(d["formula"] for d in entry["definitions"]),
                "meaning": "; ".join(d["meaning"] for d in entry["definitions"]),
            }
            for entry in indicators()
        ]
    )


def package(release):
    """Return the descriptor of the release (Frictionless Data Package)."""
    settings = release.settings
    tables = {"figures": FIGURES, "places": PLACES}
    resources = []
    for name, columns in tables.items():
        fields = [
            {"name": c, "type": TYPES.get(c, "date" if c.startswith("valid_") else "string")}
            | ({"description": MEANINGS[c]} if c in MEANINGS else {})
            for c in columns
        ]
        schema = {"fields": fields, "missingValues": [""]}
        if name == "figures":
            schema["foreignKeys"] = [
                {"fields": "place", "reference": {"resource": "places", "fields": "place"}}
            ]
        else:
            schema["primaryKey"] = "place"
        resources.append(
            {
                "name": name,
                "path": f"{name}.csv",
                "format": "csv",
                "mediatype": "text/csv",
                "encoding": "utf-8",
            }
            | {"profile": "tabular-data-resource", "schema": schema}
        )
    return {
        "profile": "data-package",
        "name": "evalkit-release",
        "title": settings["title"]["en"],
        "description": settings["source"]["en"],
        "licenses": [{"name": "see-licence-txt", "title": settings["rights"]["en"], "path": "LICENCE.txt"}],
        "created": release.manifest["built"],
        "version": release.manifest["evalkit"],
        "fingerprints": release.fingerprints,
        "simulated": not settings["data"]["real"],
        "resources": resources,
    }


def citation(release):
    """Return how to cite the release, as a CITATION.cff file."""
    said = {
        "cff-version": "1.2.0",
        "message": "If you use these data, please cite them and their own sources.",
        "type": "dataset",
        "title": release.settings["title"]["en"],
        "authors": [{"name": "The evalkit authors"}],
        "version": release.fingerprints["data"][: provenance.SHOWN],
        "date-released": release.manifest["built"][:10],
    }
    return "".join(f"{key}: {json.dumps(value, ensure_ascii=False)}\n" for key, value in said.items())


def read_back(folder):
    """Return (figures, release.json) of an earlier release: a site, or its release folder.

    Raises DataError where there is none.
    """
    figures = building.released(folder)
    if figures is None:
        raise DataError(
            f"{folder}: no release there (release.json is missing). Give the site of an earlier release, or its release folder."
        )
    kept = next(f for f in (folder / "release.json", folder / "release" / "release.json") if f.is_file())
    return figures, json.loads(kept.read_text(encoding="utf-8"))


def write_places(folder, release, places):
    """Write ``folder/<place>.csv`` with the figures of each of ``places``, every column of the release."""
    folder.mkdir(parents=True)
    kept = release.figures[release.figures["place"].isin(places)][FIGURES].copy()
    for column in TYPES:
        kept[column] = kept[column].where(kept[column].abs() != float("inf"))
    kept = kept.astype(object).where(kept.notna(), None)
    for place, rows in groupby(
        sorted(kept.itertuples(index=False, name=None), key=itemgetter(0)), itemgetter(0)
    ):
        (folder / f"{place}.csv").write_bytes(rows_csv(FIGURES, rows).encode("utf-8", errors="replace"))
