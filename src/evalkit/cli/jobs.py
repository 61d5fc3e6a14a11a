"""Which notebooks run, and on what: once per place and language, or once per data set and language."""

from evalkit.errors import EvalkitError, ParameterError
from evalkit.load.said import Said


def jobs_of(out, languages, chosen, own, folder=None):
    """The notebooks to run on ``out/build``; ``folder`` is where that build is read while it isn't in its place."""
    from evalkit.batch import plan
    from evalkit.building import find, manifest, read
    from evalkit.load.reference import reference_folder

    law = sorted(reference_folder().glob("*.csv"))
    build, folder = str((out / "build").resolve()), folder or out / "build"
    units, settings = read(folder, "places"), manifest(folder)["settings"]
    if chosen:
        wanted = list(dict.fromkeys(find(folder, code) for code in chosen))
        _refuse_unreported(wanted, units, settings["data"])
    else:
        wanted = list(units.loc[units["reported"], "place"])
    if not wanted:
        raise EvalkitError(
            Said(
                "{folder}: no place has {least} kinds of figures. Lower minimum_kinds in dataset.toml or add data.",
                folder=str(folder),
                least=settings["data"]["minimum_kinds"],
            )
        )
    sets = [{"place": code, "build": build, "lang": lang} for code in wanted for lang in languages]
    of_places = plan(
        suite("commune", own),
        sets,
        out / "private",
        inputs=lambda p: [folder / "places" / f"{p['place']}.sha256", *law],
        name="{place}/{lang}/{notebook}",
    )
    return of_places + plan(
        suite("province", own),
        [{"build": build, "lang": lang} for lang in languages],
        out / "private",
        inputs=[
            *(
                folder / f"{n}.parquet"
                for n in ("findings", "indicators", "compared", "effects", "periods", "curve", "checks")
            ),
            folder / "plan.json",
            *law,
        ],
        name="dataset/{lang}/{notebook}",
    )


def _refuse_unreported(wanted, units, limits):
    """Raise ParameterError where the data set's settings leave a chosen place without a report."""
    reported = set(units.loc[units["reported"], "place"])
    if left := [place for place in wanted if place not in reported]:
        raise ParameterError(
            Said(
                "--place {place}: the data set makes no report of it, for its reports are of level {levels} with at least {least} "
                "kinds of figures. Add data, or change levels or minimum_kinds in dataset.toml.",
                place=", ".join(left),
                levels=", ".join(limits["levels"]),
                least=limits["minimum_kinds"],
            )
        )


def suite(kind, own=None):
    """Return the notebooks that run once per commune ("commune") or once per data set ("province").

    own: a folder laid out the same way, whose notebooks are added; one of the same name takes the place of
    evalkit's. Raises ParameterError where that folder holds no notebook of either kind.
    """
    from evalkit.publish.archive import notebooks_folder

    if own and not any(own.glob("commune/*.ipynb")) and not any(own.glob("province/*.ipynb")):
        raise ParameterError(
            Said(
                "--notebooks {folder}: no notebook in {folder}/commune or {folder}/province. "
                "`evalkit lab PLACE --new NAME` writes one.",
                folder=str(own),
            )
        )
    folders = [notebooks_folder(), *([own] if own else [])]
    found = {path.name: path for folder in folders for path in (folder / kind).glob("*.ipynb")}
    return [found[name] for name in sorted(found)]
