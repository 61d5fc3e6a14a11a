"""The command line: `evalkit check / new / request / build / run / publish / report / lab`."""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Annotated

import typer

from evalkit import cli_data, cli_ends
from evalkit.cli_data import Data
from evalkit.errors import EvalkitError

PRELOAD = ("evalkit", "matplotlib.pyplot", "evalkit.present.warm:warm_up")
app = typer.Typer(
    no_args_is_help=True,
    add_completion=True,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
    help="What happened in a commune, how it compares, and what may honestly be said about the part credit played. "
    "Exit status: 0 all well, 1 a report failed or a finding is an error, 2 the input can't be used, "
    "130 interrupted (the same command resumes).",
)
Out = Annotated[Path, typer.Option("--out", help="Folder to write to; everything goes below it.")]
Langs = Annotated[str, typer.Option("--langs", help="Languages of the reports, separated by commas.")]
Places = Annotated[
    list[str] | None,
    typer.Option(
        "--place",
        help="Only this place (code or name); may be repeated. Default: every place with enough figures.",
    ),
]
Suite = Annotated[
    Path | None,
    typer.Option(
        "--notebooks", help="Folder of the notebooks (with commune/ and province/). Default: evalkit's own."
    ),
]
Since = Annotated[
    Path | None,
    typer.Option(
        "--since",
        help="Site of an earlier release: the new one lists what changed. Default: the site that stands here.",
    ),
]
Pdf = Annotated[bool, typer.Option("--pdf", help="A PDF of each report as well (needs evalkit[pdf]).")]
Workers = Annotated[
    int | None, typer.Option("--workers", min=1, help="Notebooks at a time. Default: one per processor.")
]
Cluster = Annotated[
    str | None,
    typer.Option(
        "--cluster", metavar="ADDRESS", help="Run on the workers of this Dask scheduler (tcp://HOST:8786)."
    ),
]
Json = Annotated[
    bool, typer.Option("--json", help="Progress for machines: one JSON object a line on standard output.")
]
Timeout = Annotated[float, typer.Option("--timeout", min=1, help="Seconds that a notebook may take.")]
CellTimeout = Annotated[float, typer.Option("--cell-timeout", min=1, help="Seconds that a cell may take.")]
Memory = Annotated[
    float | None,
    typer.Option("--memory", min=1, metavar="MB", help="Private memory that a notebook may take (Linux)."),
]


def main():
    """Run the command line; what a user can mend is one line on standard error and exit status 2."""
    cli_ends.speak_to_any_terminal()
    cli_ends.end_cleanly_when_told()
    try:
        app(standalone_mode=True)
    except EvalkitError as error:
        print(f"evalkit: {error}", file=sys.stderr)
        raise SystemExit(2) from None
    except OSError as error:
        print(f"evalkit: {cli_ends.sentence(error)}", file=sys.stderr)
        raise SystemExit(2) from None


for command in (cli_data.check, cli_data.new, cli_data.request):
    app.command()(command)


@app.command()
def build(data: Data, out: Out = Path("out")):
    """Compute everything for all places of a data set at once; the notebooks read the result."""
    from evalkit.building import build as compute

    print(compute(data, out / "build"))


@app.command()
def run(
    out: Out = Path("out"),
    langs: Langs = "vi,en",
    place: Places = None,
    workers: Workers = None,
    notebooks: Suite = None,
    cluster: Cluster = None,
    timeout: Timeout = 1800,
    cell_timeout: CellTimeout = 900,
    memory: Memory = None,
    as_json: Json = False,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Show what would run, and run nothing.")] = False,
):
    """Run the notebooks once per place and language on a build; unchanged work is skipped."""
    jobs = _jobs(out, _languages(langs), place, notebooks)
    if dry_run:
        from evalkit.batch import preview

        found = preview(jobs)
        print(found.to_json() if as_json else found)
        return
    summary = _run(jobs, out, as_json, workers, cluster, timeout, cell_timeout, memory)
    _say(f"next: evalkit publish --out {out} --langs {langs}")
    raise typer.Exit(1 if summary.failed else 0)


@app.command()
def publish(out: Out = Path("out"), langs: Langs = "vi,en", since: Since = None, pdf: Pdf = False):
    """Write the static site from what the executed notebooks marked for readers."""
    from evalkit.batch import RunSummary
    from evalkit.publish.publication import publication

    print(publication(out, _languages(langs), RunSummary.read(out / "private"), since=since, pdf=pdf))


@app.command()
def report(
    data: Data,
    out: Out = Path("out"),
    langs: Langs = "vi,en",
    place: Places = None,
    workers: Workers = None,
    notebooks: Suite = None,
    cluster: Cluster = None,
    timeout: Timeout = 1800,
    cell_timeout: CellTimeout = 900,
    memory: Memory = None,
    as_json: Json = False,
    since: Since = None,
    pdf: Pdf = False,
):
    """Build, run and publish in one go; ends by printing the path of the site's index page."""
    from evalkit.building import build as compute
    from evalkit.publish.publication import publication

    languages = _languages(langs)
    compute(data, out / "build")
    jobs = _jobs(out, languages, place, notebooks)
    summary = _run(jobs, out, as_json, workers, cluster, timeout, cell_timeout, memory)
    index = publication(out, languages, summary, since=since, pdf=pdf)
    print(json.dumps({"event": "site", "index": str(index)}) if as_json else index)
    raise typer.Exit(1 if summary.failed else 0)


@app.command()
def lab(
    place: Annotated[str | None, typer.Argument(help="Code of a place to begin with.")] = None,
    out: Out = Path("out"),
):
    """Open JupyterLab on the notebooks, with the kernel ready."""
    folder = notebooks_folder()
    if place:
        from evalkit.building import find

        print(f'Set place = "{find(out / "build", place)}" in the first cell.')
    command = [
        sys.executable,
        "-m",
        "jupyter",
        "lab",
        f"--ServerApp.root_dir={folder.parent}",
        f"--LabApp.default_url=/lab/tree/{folder.name}/commune/credit.ipynb",
    ]
    raise typer.Exit(subprocess.call(command))


def notebooks_folder():
    """Return the folder of the notebooks: the packaged one, else that of the repository."""
    packaged = Path(__file__).parent / "notebooks"
    return packaged if packaged.is_dir() else Path(__file__).resolve().parents[2] / "notebooks"


def _languages(langs):
    from evalkit.errors import ParameterError
    from evalkit.present.words import LANGUAGES

    chosen = [lang.strip() for lang in langs.split(",") if lang.strip()]
    wrong = [lang for lang in chosen if lang not in LANGUAGES]
    if wrong or not chosen:
        raise ParameterError(
            f"--langs {langs!r}: write one or more of {', '.join(LANGUAGES)}, separated by commas."
        )
    return list(dict.fromkeys(chosen))


def _jobs(out, languages, chosen, suite):
    from evalkit.batch import plan
    from evalkit.building import find, manifest, read

    folder = out / "build"
    units, manifest_ = read(folder, "places"), manifest(folder)
    if chosen:
        wanted = [find(folder, code) for code in chosen]
    else:
        wanted = list(units.loc[units["reported"], "place"])
    if not wanted:
        raise EvalkitError(
            f"{folder}: no place has {manifest_['settings']['data']['minimum_kinds']} kinds of figures. Lower minimum_kinds in dataset.toml or add data."
        )
    suite, build = suite or notebooks_folder(), str(folder.resolve())
    sets = [{"place": code, "build": build, "lang": lang} for code in wanted for lang in languages]
    jobs = plan(
        sorted((suite / "commune").glob("*.ipynb")),
        sets,
        out / "private",
        inputs=lambda p: [folder / "places" / f"{p['place']}.sha256"],
        name="{place}/{lang}/{notebook}",
    )
    return jobs + plan(
        sorted((suite / "province").glob("*.ipynb")),
        [{"build": build, "lang": lang} for lang in languages],
        out / "private",
        inputs=[
            *(
                folder / f"{n}.parquet"
                for n in ("findings", "indicators", "compared", "effects", "curve", "checks")
            ),
            folder / "plan.json",
        ],
        name="dataset/{lang}/{notebook}",
    )


def _run(jobs, out, as_json, workers, cluster, timeout, cell_timeout, memory):
    from evalkit.batch import run
    from evalkit.load.whole import alone

    if as_json:
        progress = "json"
    elif sys.stderr.isatty():
        progress = "rich"
    else:
        progress = "lines" if os.environ.get("EVALKIT_PROGRESS") else None
    try:
        with alone(out):
            summary = run(
                jobs,
                workers=workers,
                timeout=timeout,
                cell_timeout=cell_timeout,
                memory_limit=memory,
                progress=progress,
                preload=PRELOAD,
                cluster=cluster,
            )
    except KeyboardInterrupt:
        _say(f"interrupted; what had finished stands in {out / 'private'}, and the same command resumes")
        raise SystemExit(130) from None
    from rich.console import Console

    Console(stderr=True, soft_wrap=True).print(summary)
    _say(f"{out / 'private'}: the executed notebooks (not for readers), journal.jsonl, summary.json")
    return summary


def _say(line):
    print(line, file=sys.stderr)
