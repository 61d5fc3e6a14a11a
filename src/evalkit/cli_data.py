"""The commands about data: `evalkit check`, `evalkit new` and `evalkit request`."""

from pathlib import Path
from typing import Annotated

import typer

from evalkit.errors import printable

Data = Annotated[Path, typer.Argument(help="Folder of a data set: dataset.toml and tables.", metavar="DATA")]
_COLOURS = {"error": "bold red", "warning": "yellow", "note": "dim"}


def check(
    data: Data,
    as_json: Annotated[bool, typer.Option("--json", help="Print the findings as JSON.")] = False,
    lang: Annotated[str, typer.Option("--lang", help="Language of the findings: en or vi.")] = "en",
):
    """Read a data set and list what is wrong, doubtful or worth knowing, with file, row, column and mend."""
    from evalkit.load.dataset import check as find

    found = find(data)
    if as_json:
        print(found.drop(columns="arguments").to_json(orient="records", force_ascii=False, indent=1))
    else:
        _print(found, lang)
    raise typer.Exit(1 if (found["severity"] == "error").any() else 0)


def _print(found, lang):
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    from evalkit.present.tables.checked import sentence
    from evalkit.present.words import name_of, t

    console = Console(highlight=False)
    if found.empty:
        console.print(t("The checks found nothing to object to.", lang))
        return
    headings = ("", t("Where", lang), t("Finding", lang))
    table = Table(*headings, box=None, header_style="bold", pad_edge=False)
    said = found["message"] if lang == "en" else [sentence(row, lang) for row in found.itertuples()]
    by_sentence = found.fillna({"row": 0}).assign(said=said).groupby(["severity", "said"], sort=False)
    for (severity, text), rows in by_sentence:
        first = rows.iloc[0]
        parts = (
            first["file"],
            first["sheet"],
            str(first["row"] or ""),
            name_of(first["column"], lang),
            first["place"],
        )
        where = ", ".join(filter(None, parts))
        others = t("and {count} more", lang, count=len(rows) - 1) if len(rows) > 1 else ""
        table.add_row(
            Text(t(severity, lang), _COLOURS[severity]),
            Text(printable(" ".join(filter(None, (where, others))))),
            Text(printable(text)),
        )
    console.print(table)
    counts = found["severity"].value_counts()
    plural = "s" if lang == "en" else ""
    console.print(", ".join(f"{counts.get(s, 0)} {t(s, lang)}{plural}" for s in _COLOURS))


def new(
    folder: Annotated[
        Path, typer.Argument(help="Folder to make; it must not hold anything yet.", metavar="FOLDER")
    ],
    simulated: Annotated[
        bool,
        typer.Option(
            "--simulated", help="A simulated province, whose truth is known, instead of empty forms."
        ),
    ] = False,
    communes: Annotated[int | None, typer.Option(help="With --simulated: number of communes.")] = None,
    seed: Annotated[
        int | None, typer.Option(help="With --simulated: the same seed gives the same figures.")
    ] = None,
):
    """Write a starter data set: settings, an Excel form for each table, an example filled in."""
    from evalkit.errors import ParameterError

    chosen = {name: value for name, value in (("communes", communes), ("seed", seed)) if value is not None}
    if simulated:
        from evalkit.simulate import province

        print(province(folder, **chosen))
        return
    if chosen:
        raise ParameterError(
            f"--{next(iter(chosen))} belongs to --simulated. Add --simulated or leave it out."
        )
    from evalkit.load.templates import new as write

    print(write(folder))


def request(
    place: Annotated[str, typer.Argument(help="Code or name of the place.", metavar="PLACE")],
    data: Annotated[Path, typer.Option("--data", help="Data set that says what is there already.")] = Path(
        "data/published"
    ),
    out: Annotated[Path, typer.Option("--out", help="Folder for the forms and the letter.")] = Path(
        "out/request"
    ),
):
    """Write the forms and the covering letter that ask the offices for what is missing of one place."""
    from evalkit.load.request import write

    for path in write(place, data, out):
        print(path)
