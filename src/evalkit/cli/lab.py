"""`evalkit lab`: one's own copies of the notebooks for a place, opened in JupyterLab."""

import json
import os
import re
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Annotated

import typer

from evalkit.cli.options import Lang, Out
from evalkit.cli.speech import N_, next_step, say, spoken, t
from evalkit.errors import ParameterError
from evalkit.load.said import Said

_OWN = (
    ("markdown", N_("# A question of my own\n\nSay here what you want to know, and of whom.")),
    ("parameters", ""),
    ("code", "import evalkit as ek\n\nplace = ek.place(build, place)\nplace"),
    ("markdown", N_("The figures that stand behind the report, to look at. Plain output stays with you.")),
    ("code", 'rows = place.rows[place.rows["value"].notna()]\nrows[["indicator", "period", "value", "unit", "basis", "source"]]'),
    ("markdown", N_("Rates over the years: a colour is a standard, and no line joins two.")),
    ("code", 'import seaborn as sns\n\nsns.relplot(rows[rows["unit"] == "percent"], x="year", y="value", hue="basis", style="indicator")'),
    ("markdown", N_("What is shown with `ek.show` is published. Give the block a name of its own.")),
    ("code", 'ek.show(ek.own.text(place, "evaluation", "my-remark", title="…", paragraphs=["…"], lang=lang))'),
)  # fmt: skip
_OVERRIDES = {  # nothing is fetched from the web while a researcher works
    "@jupyterlab/apputils-extension:notification": {"fetchNews": "false", "checkForUpdates": False}
}


def lab(
    place: Annotated[
        str | None,
        typer.Argument(help="Code or name of the place to begin with. Default: the whole data set."),
    ] = None,
    options: Annotated[
        list[str] | None,
        typer.Argument(metavar="[-- JUPYTER...]", help="Options handed to JupyterLab, such as --no-browser."),
    ] = None,
    out: Out = Path("out"),
    folder: Annotated[
        Path, typer.Option("--folder", help="Folder of your copies; what stands there is kept.")
    ] = Path("lab"),
    new: Annotated[
        str | None,
        typer.Option("--new", metavar="NAME", help="Begin a notebook of your own, in FOLDER/own/commune."),
    ] = None,
    opened: Annotated[
        bool, typer.Option("--open/--no-open", help="Open JupyterLab, or only make the copies.")
    ] = True,
    lang: Lang = None,
):
    """Open JupyterLab on your own copies of the notebooks, set to a place; the originals stay as they are."""
    from evalkit.building import find, read

    build = out / "build"
    if new and not place:
        raise ParameterError(Said("--new needs a PLACE to try the notebook on."))
    if place:
        identity = find(build, place)
        first = (
            own(folder, new, identity, build, spoken()) if new else copies(folder, identity, build, spoken())
        )
    else:
        read(build, "places")
        first = copies(folder, None, build, spoken())
    print(first)
    say("Your own copy: change it freely. Rename or delete it, and the next `evalkit lab` makes it anew.")
    if new:
        next_step(f"evalkit report DATA --out {out} --notebooks {folder / 'own'}")
    if opened:
        raise typer.Exit(_jupyter(first, options or []))


def copies(folder, place, build, lang):
    """Write the notebooks of a place, or of the whole data set (None), set to it; return the one to begin with.

    What stands in ``folder`` already is kept: it may be somebody's work.
    """
    from evalkit.publish.archive import notebooks_folder

    kind, name, first = ("commune", place, "credit") if place else ("province", "dataset", "comparison")
    target = folder / name
    for source in sorted((notebooks_folder() / kind).glob("*.ipynb")):
        if not (target / source.name).exists():
            content = json.loads(source.read_text(encoding="utf-8"))
            _save(content, target / source.name, place, build, lang)
    return target / f"{first}.ipynb"


def own(folder, name, place, build, lang):
    """Write a notebook to begin a question of one's own with, and return its path; one that stands is kept."""
    import nbformat.v4 as nb

    from evalkit.publish.archive import notebooks_folder

    target = folder / "own" / "commune" / f"{Path(name).stem}.ipynb"
    if target.exists():
        return target
    model = json.loads((notebooks_folder() / "commune" / "credit.ipynb").read_text(encoding="utf-8"))
    parameters = next(c for c in model["cells"] if "parameters" in c["metadata"].get("tags", ()))
    cells = []
    for kind, source in _OWN:
        if kind == "markdown":
            cells.append(nb.new_markdown_cell(t(source)))
        else:
            cells.append(nb.new_code_cell(source or "".join(parameters["source"])))
            cells[-1].metadata = {"tags": ["parameters"]} if kind == "parameters" else {}
    _save(nb.new_notebook(cells=cells, metadata=model["metadata"]), target, place, build, lang)
    return target


def _save(content, target, place, build, lang):
    """Write a notebook aside and rename it, without outputs and with its parameters set."""
    import nbformat

    target.parent.mkdir(parents=True, exist_ok=True)
    given = {"place": place, "build": os.path.relpath(build, target.parent), "lang": lang}
    for cell in content["cells"]:
        if cell["cell_type"] == "code":
            cell |= {"outputs": [], "execution_count": None}
        if "parameters" in cell["metadata"].get("tags", ()):
            cell["source"] = _with(given, "".join(cell["source"]))
    aside = target.with_name(f".{target.name}")
    nbformat.write(nbformat.from_dict(content), aside)
    aside.replace(target)


def _with(given, source):
    """The parameters cell with its texts replaced: `place: str = "08473"  # …` keeps name, kind and remark."""
    for name, value in given.items():
        if value is not None:
            set_to = json.dumps(value, ensure_ascii=False)
            source = re.sub(rf'(?m)^({name}\b[^=\n]*= *)"[^"\n]*"', lambda m, v=set_to: m[1] + v, source)
    return source


def _jupyter(first, options):
    """Run JupyterLab on a notebook; its menus speak the language where the language pack is installed."""
    top = Path.cwd() if first.resolve().is_relative_to(Path.cwd()) else first.resolve().parents[1]
    overrides = dict(_OVERRIDES)
    if spoken() == "vi":
        overrides["@jupyterlab/translation-extension:plugin"] = {"locale": "vi_VN"}
    with tempfile.TemporaryDirectory(prefix="evalkit-") as settings:
        (Path(settings) / "labconfig").mkdir()
        (Path(settings) / "labconfig" / "default_setting_overrides.json").write_text(json.dumps(overrides))
        paths = [settings, *filter(None, [os.environ.get("JUPYTER_CONFIG_PATH")])]
        return subprocess.call(
            [
                *(sys.executable, "-m", "jupyter", "lab", f"--ServerApp.root_dir={top}"),
                "--LabApp.extension_manager=readonly",
                f"--LabApp.default_url=/lab/tree/{first.resolve().relative_to(top).as_posix()}",
                *options,
            ],
            env=os.environ | {"JUPYTER_CONFIG_PATH": os.pathsep.join(paths)},
        )
