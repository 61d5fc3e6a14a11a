"""The command line: `evalkit new / check / request / build / run / publish / report / lab`."""

import json
import os
import sys
from pathlib import Path
from shlex import quote
from typing import Annotated

import typer
from typer.main import get_command

from evalkit.cli import data as of_data
from evalkit.cli import ends, lab, speech
from evalkit.cli.options import Data, Lang, Langs, Out, Suite
from evalkit.cli.speech import next_step, say
from evalkit.errors import EvalkitError, printable
from evalkit.load.said import Said

PRELOAD = ("evalkit", "matplotlib.pyplot", "evalkit.present.warm:warm_up")
app = typer.Typer(
    no_args_is_help=True,
    add_completion=True,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
    help="What happened in a commune, how it compares, and what may honestly be said about the part credit played. "
    "Begin with `evalkit new FOLDER`, then `evalkit check FOLDER`, then `evalkit report FOLDER`. "
    "Exit status: 0 all well, 1 a report failed or a finding is an error, 2 the input can't be used, "
    "130 interrupted (the same command resumes).",
)
Places = Annotated[
    list[str] | None,
    typer.Option(
        "--place",
        help="Only this place (code or name); may be repeated. Default: every place with enough figures.",
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


DryRun = Annotated[bool, typer.Option("--dry-run", help="Say what would be done, and write nothing.")]


def main():
    """Run the command line; what a user can mend is one line on standard error and exit status 2."""
    ends.speak_to_any_terminal()
    ends.end_cleanly_when_told()
    try:
        speech.localised(get_command(app))(prog_name="evalkit")
    except EvalkitError as error:
        print(f"evalkit: {printable(speech.error(error))}", file=sys.stderr)
        raise SystemExit(2) from None
    except OSError as error:
        print(f"evalkit: {ends.sentence(error)}", file=sys.stderr)
        raise SystemExit(2) from None


@app.callback()
def _every_command(lang: Lang = None):
    pass


for command in (of_data.new, of_data.check, of_data.request):
    app.command()(command)


@app.command()
def build(data: Data, out: Out = Path("out"), since: Since = None, lang: Lang = None):
    """Compute everything for all places of a data set at once; the notebooks read the result."""
    from evalkit.building import build as compute

    print(compute(data, out / "build", since))
    next_step(f"evalkit run --out {quote(str(out))}", f"evalkit lab PLACE --out {quote(str(out))}")


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
    dry_run: DryRun = False,
    lang: Lang = None,
):
    """Run the notebooks once per place and language on a build; unchanged work is skipped."""
    jobs = _jobs(out, _languages(langs), place, notebooks)
    if dry_run:
        _preview(jobs, as_json)
        return
    summary = _run(jobs, out, as_json, workers, cluster, timeout, cell_timeout, memory)
    next_step(f"evalkit publish --out {quote(str(out))} --langs {langs}")
    raise typer.Exit(1 if summary.failed else 0)


@app.command()
def publish(
    out: Out = Path("out"),
    langs: Langs = "vi,en",
    since: Since = None,
    pdf: Pdf = False,
    dry_run: DryRun = False,
    lang: Lang = None,
):
    """Write the static site from what the executed notebooks marked for readers."""
    from evalkit.batch import RunSummary
    from evalkit.publish.publication import foreseen, publication

    languages, summary = _languages(langs), RunSummary.read(out / "private")
    if dry_run:
        for status, count in foreseen(out, summary).items():
            print(f"{count} {status}")
        return
    _published(publication(out, languages, summary, since=since, pdf=pdf))


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
    dry_run: DryRun = False,
    lang: Lang = None,
):
    """Build, run and publish in one go; ends by printing the path of the site's index page."""
    from evalkit.building import build as compute
    from evalkit.publish.publication import publication

    languages = _languages(langs)
    if dry_run:
        _foretell(data, out, languages, place, notebooks, as_json)
        return
    if sys.stderr.isatty():
        say("Reading and computing {data} …", data=data)
    compute(data, out / "build", since)
    jobs = _jobs(out, languages, place, notebooks)
    summary = _run(jobs, out, as_json, workers, cluster, timeout, cell_timeout, memory)
    index = publication(out, languages, summary, since=since, pdf=pdf)
    if as_json:
        print(json.dumps({"event": "site", "index": str(index)}))
    else:
        _published(index)
    raise typer.Exit(1 if summary.failed else 0)


app.command()(lab.lab)


def _languages(langs):
    from evalkit.errors import ParameterError
    from evalkit.present.words import LANGUAGES

    chosen = [lang.strip() for lang in langs.split(",") if lang.strip()]
    wrong = [lang for lang in chosen if lang not in LANGUAGES]
    if wrong or not chosen:
        raise ParameterError(
            Said(
                "--langs {langs}: write one or more of {known}, separated by commas.",
                langs=repr(langs),
                known=", ".join(LANGUAGES),
            )
        )
    return list(dict.fromkeys(chosen))


def _jobs(out, languages, chosen, own, folder=None):
    """The notebooks to run on ``out/build``; ``folder`` is where that build is read while it isn't in its place."""
    from evalkit.batch import plan
    from evalkit.building import find, manifest, read
    from evalkit.load.reference import reference_folder

    law = sorted(reference_folder().glob("*.csv"))
    build, folder = str((out / "build").resolve()), folder or out / "build"
    units, settings = read(folder, "places"), manifest(folder)["settings"]
    if chosen:
        wanted = [find(folder, code) for code in chosen]
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
    jobs = plan(
        suite("commune", own),
        sets,
        out / "private",
        inputs=lambda p: [folder / "places" / f"{p['place']}.sha256", *law],
        name="{place}/{lang}/{notebook}",
    )
    return jobs + plan(
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


def suite(kind, own=None):
    """Return the notebooks that run once per commune ("commune") or once per data set ("province").

    own: a folder laid out the same way, whose notebooks are added; one of the same name takes the place of
    evalkit's. Raises ParameterError where that folder holds no notebook of either kind.
    """
    from evalkit.errors import ParameterError
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


def _preview(jobs, as_json):
    from evalkit.batch import preview

    found = preview(jobs)
    print(found.to_json() if as_json else found)


def _foretell(data, out, languages, chosen, own, as_json):
    """Say which notebooks a report would run, on the build that stands or on one made aside for the answer."""
    from tempfile import TemporaryDirectory

    from evalkit.building import build, fingerprint, manifest

    standing = out / "build" / "manifest.json"
    if standing.is_file() and manifest(out / "build")["data"] == fingerprint(data, out / "build"):
        _preview(_jobs(out, languages, chosen, own), as_json)
        return
    with TemporaryDirectory(prefix="evalkit-") as aside:
        _preview(_jobs(out, languages, chosen, own, build(data, Path(aside) / "build")), as_json)


def _published(index):
    print(index)
    say("Open that page in a browser; to give it away, copy the whole folder {folder}.", folder=index.parent)


def _run(jobs, out, as_json, workers, cluster, timeout, cell_timeout, memory):
    from evalkit.batch import run
    from evalkit.folders import alone

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
                preload=[*PRELOAD, f"evalkit.present.warm:of_build:{(out / 'build').resolve()}"],
                cluster=cluster,
            )
    except KeyboardInterrupt:
        say(
            "Interrupted; what had finished stands in {folder}, and the same command resumes.",
            folder=out / "private",
        )
        raise SystemExit(130) from None
    speech.tell(summary)
    say(
        "{folder}: the executed notebooks (not for readers), journal.jsonl, summary.json",
        folder=out / "private",
    )
    return summary
