"""From a data set to the build folder: everything computed once for all places, read by the notebooks."""

import hashlib
import json
import shutil
from datetime import UTC, datetime
from functools import lru_cache
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from evalkit.errors import DataError
from evalkit.folders import whole
from evalkit.load import peers, places, reference
from evalkit.load.dataset import open_dataset, shipped
from evalkit.load.folder import strange
from evalkit.load.ledger.store import Manifest, read_manifest
from evalkit.load.said import Said, first_line
from evalkit.metrics import benchmarks, comparators, rollup, suppress
from evalkit.metrics.indicators import assemble

TABLES = (
    *("places", "indicators", "beside", "among", "compared", "peers"),
    *("findings", "sensitive", "decomposition"),
)
_ROW_GROUP = 4_000  # rows: one place is read without its neighbours
_AREA_LEVELS = ("district", "province", "region", "national")


def build(folder, out, earlier=None, *, wanted=()):
    """Compute everything that reports need from the data set in ``folder`` and write it to ``out``.

    earlier: folder of a release that readers have (a site, or its release); default: the ``site`` beside ``out``.
    What is hidden is decided with what it shows. wanted: codes or names of places that reports are wanted of.
    Writes one Parquet table for each of TABLES and of
    ``impact.estimates``, plan.json and manifest.json; the folder appears whole or not at all. Returns ``out``.
    Raises DataError where the data set can't be used, and where ``out`` holds it or anything else that is no build;
    PlaceError where one of ``wanted`` is no place with figures, EvalkitError where another process is writing
    beside ``out``. Nothing is computed before.
    """
    out = Path(out)
    _refuse_what_a_build_would_replace(folder, out)
    with whole(out) as aside:
        before = fingerprint(folder, out)
        dataset = open_dataset(folder)
        if fingerprint(folder, out) != before:
            raise DataError(
                f"{folder} changed while it was read. Wait until the files are written, and run again."
            )
        _refuse_unless_found(wanted, dataset)
        _write(dataset, before, out, released(earlier or out.parent / "site"), aside)
    return out


def _refuse_what_a_build_would_replace(folder, out):
    if Path(folder).resolve().is_relative_to(out.resolve()):
        raise DataError(
            Said(
                "{out}: the data set lies there, and a build would take its place. Choose another folder (--out).",
                out=str(out),
            )
        )
    if out.exists() and not (out.is_dir() and (not any(out.iterdir()) or (out / "manifest.json").is_file())):
        raise DataError(
            Said(
                "{out}: what lies there is no build of evalkit and is left alone. Move it or choose another folder (--out).",
                out=str(out),
            )
        )


def _write(dataset, data, out, earlier, aside):
    """Write the build of a data set to the folder ``aside``.

    data: the data set's fingerprint. out: where the last build stands. earlier: figures that readers have.
    """
    from evalkit.impact import estimates

    tables = compute(dataset, earlier)
    estimated, record = estimates.of_dataset(dataset, plan_record(out), tables["indicators"])
    tables["decomposition"] = estimated.pop("decomposition")
    manifest = {
        "evalkit": _own_version(),
        "settings": dataset.settings,
        "data": data,
        "built": datetime.now(UTC).isoformat(timespec="seconds"),
    }
    for name in TABLES:
        ordered = tables[name].sort_values("place", kind="stable", ignore_index=True)
        ordered.to_parquet(aside / f"{name}.parquet", index=False, row_group_size=_ROW_GROUP)
    if (dataset.folder / "boundaries.geojson").is_file():
        shutil.copyfile(dataset.folder / "boundaries.geojson", aside / "boundaries.geojson")
    (aside / "plan.json").write_text(json.dumps(record, ensure_ascii=False, indent=1), encoding="utf-8")
    for name, table in estimated.items():
        table.to_parquet(aside / f"{name}.parquet", index=False)
    _write_slices(tables, aside / "places", dataset.settings["data"]["ledger"])
    (aside / "manifest.json").write_text(json.dumps(manifest, ensure_ascii=False, indent=1), encoding="utf-8")


def plan_record(build_folder):
    """Read what a build says of its plan of analysis (``impact.plan.record``), None where there is no build."""
    path = Path(build_folder) / "plan.json"
    return json.loads(path.read_text(encoding="utf-8")) if path.is_file() else None


def _write_slices(tables, folder, ledger):
    """Write one small file per place that changes when, and only when, what its reports read changes.

    A report that reads the ledger changes with the ledger's files that may hold loans of the place.
    """
    folder.mkdir()
    digests = {
        place: hashlib.sha256() for place in tables["places"].loc[tables["places"]["reported"], "place"]
    }
    for name in TABLES:
        for place, cut in tables[name].groupby("place", sort=False):
            if place in digests:
                digests[place].update(cut.to_json(orient="values", date_format="iso").encode())
    loans = read_manifest(ledger) if ledger else Manifest()
    codes = tables["places"].set_index("place")["code"]
    for place, digest in digests.items():
        if ledger and pd.notna(codes[place]):
            digest.update(repr(loans.covering("loans", codes[place])).encode())
        (folder / f"{place}.sha256").write_text(digest.hexdigest() + "\n", encoding="ascii")


def fingerprint(folder, out=None):
    """Return a hash of every file of a data set, for the page that is made from it.

    Hidden files and what office programs leave while a table is open are none of its files, nor is what evalkit
    itself writes for the build ``out``, where that lies in the same folder.
    """
    digest, folder = hashlib.sha256(), Path(folder)
    made = _made_in(folder.resolve(), Path(out).resolve()) if out else ()
    for path in sorted(p for p in folder.rglob("*") if p.is_file() and not p.name.startswith((".", "~$"))):
        if strange(path, folder) or any(path.resolve().is_relative_to(part) for part in made):
            continue
        digest.update(str(path.relative_to(folder)).encode())
        with path.open("rb") as file:
            while block := file.read(2**20):
                digest.update(block)
    return digest.hexdigest()


def _made_in(folder, out):
    """Return what evalkit writes inside a data set's folder: a build, the notebooks and the site beside it."""
    if out.parent == folder:
        return out, folder / "private", folder / "site"
    return (out.parent,) if out.parent.is_relative_to(folder) else ()


def released(folder):
    """Return the figures that a site, or its release folder, shows to readers; None where there is no release."""
    folder = Path(folder)
    paths = [f / "figures.parquet" for f in (folder, folder / "release") if (f / "release.json").is_file()]
    return pd.read_parquet(paths[0]) if paths else None


def compute(dataset, earlier=None):
    """Return the tables of a build, for every place at once, without writing anything.

    earlier: figures of a release that readers have (see ``evalkit.metrics.suppress.decide``).
    """
    settings, yearly, units = dataset.settings, _has_yearly(dataset), _units(dataset)
    full, sensitive = suppress.decide(assemble(dataset), dataset.tables, units, settings["publish"], earlier)
    rows = suppress.shown(full)  # what else is computed for readers is computed from what they may see
    references, areas = _of_areas(rows, units, settings["data"]["benchmarks"])
    comparable = reference.table("indicators").query("comparable == 'true'")["indicator"]
    communes = units[units["level"] != "province"].set_index("place")
    among = benchmarks.among(
        rows,
        units.set_index("place")["level"],
        comparable,
        minimum=settings["publish"]["minimum_comparators"],
        years=settings["publish"]["comparison_years"],
        provinces=communes["province_code"] if yearly else None,
    )
    pairs = benchmarks.beside(
        rows, parents(units, areas), references, comparable=comparable if yearly else None
    )
    alike = comparators.peers_of(
        units, settings["data"]["years"][1], outcomes=comparable, frozen=peers.frozen(dataset.folder)
    )
    return {
        "places": summary(dataset, units, rows, among),
        "indicators": full.sort_values(["place", "indicator", "year"], kind="stable"),
        "beside": benchmarks.preferred(pairs),
        "among": among,
        "compared": comparators.compared(
            full, units, alike, minimum=settings["publish"]["minimum_comparators"]
        ),
        "peers": alike,
        "findings": dataset.findings,
        "sensitive": sensitive,
    }


def _of_areas(rows, units, beside):
    """The rows and the places of the areas that a place may be put beside, with those of the data set ``beside``."""
    references, areas = rows, units
    if beside:
        other = open_dataset(shipped(beside))
        references = pd.concat([rows, assemble(other)], ignore_index=True)
        areas = pd.concat([units, other.places], ignore_index=True)
    areas = areas[areas["level"].isin(_AREA_LEVELS)].drop_duplicates("place")
    references = references[references["place"].isin(areas["place"])]
    return references.drop_duplicates(["place", "indicator", "period", "basis", "method", "value"]), areas


def _refuse_unless_found(wanted, dataset):
    if wanted:
        units, held = _units(dataset), with_figures(dataset)
        for query in wanted:
            places.find(query, units, held)


def with_figures(dataset):
    """Return the identities of the places that a build will have figures of: of rows in a table, or rolled up."""
    held = {place for table in dataset.tables.values() for place in table["place"].dropna().unique()}
    if _has_yearly(dataset):
        areas = [rollup.areas(_units(dataset), level) for level in rollup.LEVELS]
        held |= {area for of in areas for area in of[of.index.isin(held)].dropna()}
    return held


def _has_yearly(dataset):
    return bool(set(dataset.tables) - {"facts"})


def _units(dataset):
    """The places of a data set; where it has yearly tables also the areas that they are rolled up to."""
    return rollup.with_areas(dataset.places) if _has_yearly(dataset) else dataset.places


def parents(units, areas):
    """Return which areas each place belongs to: place, parent, parent_name, parent_level."""
    names = areas.set_index("place")[["name", "level"]]
    found = []
    for unit in units.itertuples():
        own = [unit.district_code, unit.province_code if unit.level != "province" else None, "viet-nam"]
        if unit.level == "commune":
            own = own[:2]
        named = [c for c in own if pd.notna(c) and c in names.index and c != unit.place]
        found += [(unit.place, c, names.at[c, "name"], names.at[c, "level"]) for c in named]
    return pd.DataFrame(found, columns=["place", "parent", "parent_name", "parent_level"])


def summary(dataset, units, rows, among):
    """Return the places with what is known of each: kinds of figures, years, evidence level, reported or not."""
    data = dataset.settings["data"]
    facts = dataset.tables.get("facts", pd.DataFrame(columns=["place", "indicator"]))
    kinds = pd.concat(
        [
            facts[["place", "indicator"]],
            rows.loc[~rows["flags"].fillna("").str.contains("computed"), ["place", "indicator"]],
        ]
    )
    kinds = kinds.replace({"indicator": {"income_per_capita_vnd": "income_year_vnd"}})
    units = units.copy()
    units["kinds"] = units["place"].map(kinds.drop_duplicates().groupby("place").size()).fillna(0).astype(int)
    years = rows[rows["year"].notna()].groupby("place")["year"].unique()
    units["years"] = [json.dumps(sorted(int(y) for y in years.get(p, ()))) for p in units["place"]]
    sections = rows.assign(
        section=rows["indicator"].map(reference.table("indicators").set_index("indicator")["section"])
    )
    held = sections.groupby("place")["section"].unique()
    units["coverage"] = [
        json.dumps([s for s in ("credit", "groups", "poverty", "income") if s in held.get(p, ())])
        for p in units["place"]
    ]
    compared = set(among.loc[among["median"].notna(), "place"])
    units["evidence"] = ["L1" if p in compared else "L0" for p in units["place"]]
    units["reported"] = units["level"].isin(data["levels"]) & (units["kinds"] >= data["minimum_kinds"])
    after = [places.successor(u, units) for u in units.itertuples()]
    units["successor_place"] = pd.array([a.place if a is not None else None for a in after], dtype="string")
    return units


def read(build_folder, table, place=None):
    """Read one table of a build, whole or cut to one place. Raises DataError where the folder is no build."""
    path = Path(build_folder) / f"{table}.parquet"
    if not path.is_file():
        raise _no_build(build_folder, f"{table}.parquet")
    try:
        if place is not None:
            return _read_place(path, place)
        return _read_places(path, _state(path)).copy() if table == "places" else pd.read_parquet(path)
    except pa.ArrowInvalid as error:
        raise _damaged(path, error) from error


def _state(path):
    found = path.stat()
    return found.st_ino, found.st_mtime_ns, found.st_size


@lru_cache(maxsize=4)
def _read_places(path, _state):
    """The list of places, read without a thread: a process that forks may read it first."""
    with pq.ParquetFile(path, pre_buffer=False) as file:
        return file.read(use_threads=False).to_pandas(use_threads=False)


def _read_place(path, place):
    """Read the row groups that may hold the place, with text as Python's: quicker than Arrow's in small tables."""
    metadata, spans = _row_groups(path, _state(path))
    groups = [n for n, (first, last) in enumerate(spans) if first <= place <= last]
    with pq.ParquetFile(path, metadata=metadata, pre_buffer=False) as file:
        rows = file.read_row_groups(groups, use_threads=False)
    with pd.option_context("mode.string_storage", "python"):
        return rows.filter(pc.equal(rows["place"], place)).to_pandas(use_threads=False)


@lru_cache(maxsize=64)
def _row_groups(path, _state):
    """A file's footer, and the first and last place of each of its row groups."""
    metadata = pq.read_metadata(path)
    column = metadata.schema.names.index("place")
    bounds = (metadata.row_group(n).column(column).statistics for n in range(metadata.num_row_groups))
    return metadata, [(b.min, b.max) if b and b.has_min_max else ("", "\U0010ffff") for b in bounds]


def manifest(build_folder):
    """Read the manifest of a build: settings, fingerprint of the data, version, time.

    Raises DataError where the folder is no build, or one that another version of evalkit made.
    """
    found = _read_manifest(build_folder)
    if found["evalkit"] != _own_version():
        raise DataError(
            Said(
                "{folder}: built by evalkit {other}, and this is {own}. Run `evalkit build DATA --out OUT` again.",
                folder=str(build_folder),
                other=found["evalkit"],
                own=_own_version(),
            )
        )
    return found


def stands(build_folder, data):
    """Tell whether a build of this version of evalkit stands there, of the data as they are."""
    try:
        return manifest(build_folder)["data"] == fingerprint(data, build_folder)
    except DataError:
        return False


def _read_manifest(build_folder):
    path = Path(build_folder) / "manifest.json"
    if not path.is_file():
        raise _no_build(build_folder, "manifest.json")
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
    except ValueError as error:
        raise _damaged(path, error) from error
    if not isinstance(found, dict) or not {"evalkit", "settings", "data"} <= set(found):
        raise _damaged(path, "no manifest of a build")
    return found


def _damaged(path, error):
    return DataError(
        Said(
            "{file}: can't be read ({fault}). Run `evalkit build DATA --out OUT` again.",
            file=str(path),
            fault=first_line(error),
        )
    )


def _no_build(folder, file):
    inside = Path(folder) / "build"
    if (inside / file).is_file():
        return DataError(
            Said("{folder}: the build stands in {inside}. Name that.", folder=folder, inside=inside)
        )
    return DataError(
        Said(
            "{folder}: no build there ({file} is missing). Run `evalkit build DATA --out OUT` first.",
            folder=str(folder),
            file=file,
        )
    )


def _own_version():
    try:
        return version("evalkit")
    except PackageNotFoundError:
        return "source"


def indicators(build_folder, place=None):
    """Return the indicator rows of a build, of all places or of one (code, identity or name).

    Columns: place, period, indicator, value, lower, upper, numerator, denominator, unit, basis, method,
    source, flags, year, title, note, hidden. These are the full rows; ``hidden`` says which of them no reader
    may see and why (primary, secondary): for the researcher, not for readers. Raises PlaceError for a place that is unknown or ambiguous, DataError where there is no build.
    """
    if place is None:
        return read(build_folder, "indicators")
    return read(build_folder, "indicators", find(build_folder, place))


def panel(build_folder):
    """Return the panel that the estimates of a build stand on: one row per unit, year and poverty standard.

    Columns and their units: ``evalkit.impact.intensity_panel``. Add columns of your own and hand it to
    ``ek.impact``. Not for readers. Raises DataError where there is no build, or no panel in it.
    """
    found = read(build_folder, "panel")
    if found.empty:
        raise DataError(
            f"{build_folder}: no panel of communes in this build; it takes the tables credit and poverty of two "
            "years or more, in two districts or more. `evalkit new FOLDER --simulated` makes such a data set."
        )
    return found


def find(build_folder, query):
    """Return the identity of the one place that a code, identity or name means; see evalkit.load.places.find."""
    units = read(build_folder, "places")
    return places.find(query, units, set(units.loc[units["kinds"] > 0, "place"]))
