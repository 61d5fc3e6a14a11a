"""The commands about data: `evalkit check`, `evalkit new` and `evalkit request`."""

from pathlib import Path
from shlex import quote
from typing import Annotated

import typer

from evalkit.cli.options import Data, Known, Lang
from evalkit.cli.speech import next_step, say, spoken
from evalkit.errors import ParameterError, printable
from evalkit.load.said import Said

_COLOURS = {"error": "bold red", "warning": "yellow", "note": "dim"}


def check(
    data: Data,
    as_json: Annotated[bool, typer.Option("--json", help="Print the findings as JSON.")] = False,
    lang: Lang = None,
):
    """Read a data set and list what is wrong, doubtful or worth knowing, with file, row, column and mend."""
    from evalkit.load.dataset import check as find

    found = find(data)
    if as_json:
        print(found.drop(columns="arguments").to_json(orient="records", force_ascii=False, indent=1))
    else:
        _print(found, spoken())
    if (found["severity"] == "error").any():
        say(
            "Mend the errors in the files themselves, then check again; a report needs a data set without errors."
        )
        raise typer.Exit(1)
    next_step(f"evalkit report {quote(str(data))}")


def _print(found, lang):
    """Print each finding once: where it stands, then what it is; the rows that share it in one line."""
    from rich.console import Console
    from rich.padding import Padding
    from rich.text import Text

    from evalkit.present.words import t

    console = Console(highlight=False)
    if found.empty:
        console.print(t("The checks found nothing to object to.", lang))
        return
    said = found.assign(said=[_without_place(row, lang) for row in found.itertuples()])
    errors = found["severity"].eq("error")
    if errors.any() and not errors.all():
        console.print(
            t("First the errors. What follows them may go with them: rows with an error are left out.", lang)
        )
        console.print()
    by = ["severity", "file", "sheet", "column", "said"]
    for (severity, *_, sentence), rows in said.groupby(by, sort=False, dropna=False):
        console.print(
            Text(f"{t(severity, lang)}  ", _COLOURS[severity]) + Text(printable(_where(rows, lang)), "bold")
        )
        console.print(Padding(Text(printable(sentence)), (0, 0, 1, 2)))
    counts = found["severity"].value_counts()
    plural = "s" if lang == "en" else ""
    console.print(", ".join(f"{counts.get(s, 0)} {t(s, lang)}{plural}" for s in _COLOURS))


def _where(rows, lang):
    """File, sheet, column, rows and places of findings that say the same."""
    from evalkit.load.findings import listed
    from evalkit.present.words import name_of, t

    first, numbers = rows.iloc[0], sorted(rows["row"].dropna().unique())
    places = [place for place in rows["place"].unique() if place]
    parts = (
        first["file"],
        first["sheet"],
        name_of(first["column"], lang),
        (t("row {row}", lang, row=listed(numbers))) if numbers else "",
    )
    named = f" ({', '.join(places[:4])}{' …' if len(places) > 4 else ''})" if places else ""
    return ", ".join(filter(None, parts)) + named


def _without_place(row, lang):
    """The sentence of a finding without the file, row and column that it begins with, which stand above it."""
    from evalkit.present.tables.checked import sentence
    from evalkit.present.words import t

    said = row.message if lang == "en" else sentence(row, lang)
    if not said.startswith(row.file) or ": " not in said:
        return said
    where, rest = said.split(": ", 1)
    numbered = t("row {row}", lang, row=row.row) in where or "," not in where
    return rest[0].upper() + rest[1:] if numbered else said


def new(
    folder: Annotated[
        Path, typer.Argument(help="Folder to make; it must not hold anything yet.", metavar="FOLDER")
    ],
    tables: Annotated[
        str | None,
        typer.Option(
            "--tables",
            help="Tables that get a form beside communes, separated by commas: credit, groups, poverty, income, facts, "
            "loans, repayments, households; or all. Default: credit,poverty,income.",
        ),
    ] = None,
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
    lang: Lang = None,
):
    """Write a starter data set: settings, an Excel form for each table, an example filled in."""
    of_province = {"communes": communes, "seed": seed}
    of_province = {name: value for name, value in of_province.items() if value is not None}
    if simulated:
        if tables:
            raise ParameterError(
                Said("--tables is for forms, which --simulated doesn't write. Leave out one.")
            )
        _simulated(folder, of_province)
    elif of_province:
        said = "--{option} belongs to --simulated. Add --simulated or leave it out."
        raise ParameterError(Said(said, option=next(iter(of_province))))
    else:
        _forms(folder, tables)


def _simulated(folder, chosen):
    from evalkit.simulate import province

    print(province(folder, **chosen))
    next_step(f"evalkit report {quote(str(folder))}")


def _forms(folder, tables):
    from evalkit.load import templates

    named = [name.strip() for name in (tables or "").split(",") if name.strip()]
    print(templates.new(folder, "all" if named == ["all"] else named or templates.USUAL))
    say(
        "Open the workbooks in Excel and put your own figures in the place of the example (the sheet “Hướng dẫn” says "
        "what belongs where); delete the workbook of a table that you don't use; say in dataset.toml whose figures "
        "they are."
    )
    next_step(f"evalkit check {quote(str(folder))}", f"evalkit report {quote(str(folder))}")


def request(
    place: Annotated[str, typer.Argument(help="Code or name of the place.", metavar="PLACE")],
    data: Known = Path("published"),
    out: Annotated[Path, typer.Option("--out", help="Folder for the forms and the letter.")] = Path(
        "out/request"
    ),
    lang: Lang = None,
):
    """Write the forms and the covering letter that ask the offices for what is missing of one place."""
    from evalkit.load.request import write

    for path in write(place, data, out):
        print(path)
    say(
        "Read the letter, put in your contact and the date, and send it with the workbook. Put the workbook that comes "
        "back into your data set's folder as it is: each sheet is read as its table."
    )
    next_step("evalkit check FOLDER")
