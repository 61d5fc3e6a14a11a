"""The replication archive: what another needs to make the site again, in the order of the AEA data editors' template."""

import inspect
import json
import re
import zipfile
from importlib import import_module
from pathlib import Path

from evalkit.publish.provenance import environment

STAMP = (2000, 1, 1, 0, 0, 0)  # the same input gives the same bytes
CALL = re.compile(r"ek\.show\((ek\.charts|ek\.tables|ek\.texts|province|quality|impact)\.(\w+)\(")
KINDS = {"charts": "figure", "tables": "table", "texts": "text"}  # other modules make all three
README = """README and guide
================

{title}. {simulated}

Data availability and provenance statements
-------------------------------------------
{source}
Rights: {rights}
The archive holds the figures that are shown to readers ({figures} of them), never a row of a loan or a
household: those stay with the office that holds them. With access to the data set's folder the whole is made
again from it; its fingerprint (SHA-256) is {data}.

Dataset list
------------
| file | content |
|---|---|
| release/figures.csv, figures.parquet | every published figure with unit, basis, method, source and flags |
| release/places.csv, places.parquet | the places with their codes, dates of validity and successors |
| release/indicators.csv | the indicators with unit, formula and meaning |
| release/datapackage.json | descriptor of the above (Frictionless) |
| reference/ | the law and the public series as dated data, each row with its source |

Computational requirements
--------------------------
evalkit {version} (fingerprint of the code {code}).
Packages and versions: environment.txt. 4 GB of memory will do up to a thousand communes.
{run}

Description of programs
-----------------------
notebooks/commune: once per place and language; notebooks/province: once per data set and language. They hold
calls only; the functions are in the package evalkit.

Instructions to replicators
---------------------------
1. Install evalkit in the version above with the packages of environment.txt.
2. evalkit check DATA    (lists what is wrong with the data set; nothing should be)
3. evalkit report DATA --out out
4. Compare out/site/release/figures.csv with release/figures.csv.

List of figures, tables and programs
------------------------------------
| in the report | notebook | function | file |
|---|---|---|---|
{programs}

References
----------
Sources of single figures: columns source and title of release/figures.csv. Law and series: reference/.
"""


def archive(folder, release):
    """Write ``folder/replication.zip``: README, release, reference data, notebooks without outputs."""
    from evalkit.load.reference import reference_folder

    suite = notebooks()
    settings = release.settings
    readme = README.format(
        title=_plain(settings["title"]["en"]),
        simulated="" if settings["data"]["real"] else "The data are simulated and describe no real place.",
        source=_plain(settings["source"]["en"]),
        rights=_plain(settings["rights"]["en"]),
        figures=f"{len(release.figures):,}",
        version=release.manifest["evalkit"],
        run="No random number is drawn without a stated seed.",
        programs="\n".join(f"| {' | '.join(row)} |" for row in programs(suite)),
        **{key: release.fingerprints[key] for key in ("data", "code")},
    )
    with zipfile.ZipFile(folder / "replication.zip", "w", zipfile.ZIP_DEFLATED) as packed:
        _put(packed, "README.md", readme)
        _put(packed, "environment.txt", environment())
        for path in sorted(p for p in folder.iterdir() if p.suffix != ".zip"):
            _put(packed, f"release/{path.name}", path.read_bytes())
        for path in sorted(reference_folder().glob("*.csv")):
            _put(packed, f"reference/{path.name}", path.read_bytes())
        for path, content in suite.items():
            _put(packed, f"notebooks/{path}", json.dumps(content, ensure_ascii=False, indent=1) + "\n")


def _plain(text):
    """A text of the data set as Markdown that stays text."""
    return text.replace("<", r"\<")


def programs(notebooks):
    """Return (kind and name, notebook, function, file) of each display in the notebooks, in their order, each once."""
    found = []
    for path, content in notebooks.items():
        source = "\n".join(
            "".join(cell["source"]) for cell in content["cells"] if cell["cell_type"] == "code"
        )
        for group, name in CALL.findall(source):
            module = f"evalkit.present.{group.removeprefix('ek.')}"
            function = inspect.unwrap(getattr(import_module(module), name))
            file = Path(inspect.getsourcefile(function)).relative_to(Path(__file__).parents[1])
            called = group.replace("ek.", "evalkit.") if group.startswith("ek.") else module
            kind = KINDS.get(module.rpartition(".")[2], "block")
            found.append((f"{kind} {name}", path, f"{called}.{name}", f"evalkit/{file.as_posix()}"))
    return list(dict.fromkeys(found))


def notebooks_folder():
    """Return the folder of the notebooks: the packaged one, else that of the repository."""
    package = Path(__file__).resolve().parents[1]
    packaged = package / "notebooks"
    return packaged if packaged.is_dir() else package.parents[1] / "notebooks"


def notebooks():
    """Return {path: notebook without its outputs} of evalkit's own notebooks."""
    found = {}
    top = notebooks_folder()
    for path in sorted(top.glob("*/*.ipynb")):
        content = json.loads(path.read_text(encoding="utf-8"))
        for cell in content["cells"]:
            if cell["cell_type"] == "code":
                cell |= {"outputs": [], "execution_count": None}
        found[path.relative_to(top).as_posix()] = content
    return found


def _put(packed, name, content):
    packed.writestr(zipfile.ZipInfo(name, STAMP), content, zipfile.ZIP_DEFLATED)
