"""The command line: `evalkit new / check / request / build / run / publish / report / lab`."""

import json
import sys
from pathlib import Path
from shlex import quote

import typer
from typer.main import get_command

from evalkit.cli import data as of_data
from evalkit.cli import ends, lab, speech
from evalkit.cli.jobs import jobs_of, suite
from evalkit.cli.options import (
    CellTimeout,
    Cluster,
    Data,
    DryRun,
    Json,
    Lang,
    Langs,
    Memory,
    Out,
    Pdf,
    Places,
    Since,
    Suite,
    Timeout,
    Workers,
)
from evalkit.cli.speech import N_, next_step, say, spoken, t
from evalkit.errors import EvalkitError, ParameterError, printable
from evalkit.load.said import Said

__all__ = ["app", "main", "suite"]
PRELOAD = ("evalkit", "matplotlib.pyplot", "evalkit.present.warm:warm_up")
PLACES = {  # what becomes of a place in a site
    "published": N_("with a report"),
    "failed": N_("report not made"),
    "left_out": N_("left out this time"),
    "too_few": N_("too few figures"),
    "no_data": N_("without data"),
}
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
    print(_compute(data, out / "build", since))
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
    jobs = jobs_of(out, _languages(langs), place, notebooks)
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
    from evalkit.publish.publication import foreseen, publication

    languages = _languages(langs)
    summary = _last_run(out, languages)
    if dry_run:
        for status, count in foreseen(out, summary).items():
            print(f"{count} {t(PLACES[status])}")
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
    from evalkit.publish.publication import publication

    languages = _languages(langs)
    if dry_run:
        _foretell(data, out, languages, place, notebooks, as_json)
        return
    if sys.stderr.isatty():
        say("Reading and computing {data} …", data=data)
    _compute(data, out / "build", since, place or ())
    jobs = jobs_of(out, languages, place, notebooks)
    summary = _run(jobs, out, as_json, workers, cluster, timeout, cell_timeout, memory)
    index = publication(out, languages, summary, since=since, pdf=pdf)
    if as_json:
        print(json.dumps({"event": "site", "index": str(index)}))
    else:
        _published(index)
    raise typer.Exit(1 if summary.failed else 0)


app.command()(lab.lab)


def _compute(data, out, since, wanted=()):
    """Build, and say so where that took the place of another data set's build."""
    from evalkit.building import build as compute

    before = _title(out)
    made = compute(data, out, since, wanted=wanted)
    if before not in (None, after := _title(made)):
        said = "{folder}: this is now “{after}”. The build of “{before}” that stood there is gone."
        say(said, folder=out, after=after, before=before)
    return made


def _title(build_folder):
    """The title of the data set that a build is of, or None where there is no build that can be read."""
    from evalkit.building import manifest

    try:
        return manifest(build_folder)["settings"]["title"][spoken()]
    except EvalkitError:
        return None


def _languages(langs):
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


def _preview(jobs, as_json):
    from evalkit.batch import preview

    found = preview(jobs)
    print(found.to_json() if as_json else found)


def _foretell(data, out, languages, chosen, own, as_json):
    """Say which notebooks a report would run, on the build that stands or on one made aside for the answer."""
    from tempfile import TemporaryDirectory

    from evalkit.building import build, stands

    if stands(out / "build", data):
        _preview(jobs_of(out, languages, chosen, own), as_json)
        return
    with TemporaryDirectory(prefix="evalkit-") as aside:
        made = build(data, Path(aside) / "build", wanted=chosen or ())
        _preview(jobs_of(out, languages, chosen, own, made), as_json)


def _last_run(out, languages):
    """The summary of the last run in ``out``, where there are notebooks in each of the languages."""
    from evalkit.batch import RunSummary
    from evalkit.present.words import LANGUAGES

    folder = out / "private"
    if not (folder / "summary.json").is_file():
        said = "{folder}: no notebooks have been run there. Run `evalkit run --out {out}` first."
        raise ParameterError(Said(said, folder=folder, out=out))
    there = [lang for lang in LANGUAGES if any(folder.glob(f"*/{lang}"))]
    if there and not set(languages) <= set(there):
        said = "--langs {langs}: {folder} holds notebooks in {there} only. Run the others, or write --langs {there}."
        raise ParameterError(Said(said, langs=",".join(languages), folder=folder, there=",".join(there)))
    return RunSummary.read(folder)


def _published(index):
    print(index)
    say("Open that page in a browser; to give it away, copy the whole folder {folder}.", folder=index.parent)


def _run(jobs, out, as_json, workers, cluster, timeout, cell_timeout, memory):
    from evalkit.batch import run
    from evalkit.folders import alone

    progress = "json" if as_json else "rich" if sys.stderr.isatty() else None
    try:
        with alone(out):
            summary = run(
                jobs,
                progress=progress,
                preload=[*PRELOAD, f"evalkit.present.warm:of_build:{(out / 'build').resolve()}"],
                workers=workers,
                timeout=timeout,
                cell_timeout=cell_timeout,
                memory_limit=memory,
                cluster=cluster,
                together=suite("commune", ()),
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
