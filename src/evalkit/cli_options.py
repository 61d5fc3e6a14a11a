"""The options that several commands share, said once and the same everywhere."""

from pathlib import Path
from typing import Annotated, Literal

import typer

Out = Annotated[Path, typer.Option("--out", help="Folder to write to; everything goes below it.")]
Langs = Annotated[str, typer.Option("--langs", help="Languages of the reports, separated by commas.")]
Lang = Annotated[
    Literal["en", "vi"] | None,
    typer.Option(
        "--lang",
        envvar="EVALKIT_LANG",
        help="Language that evalkit speaks here. Default: that of the system.",
    ),
]
Suite = Annotated[
    Path | None,
    typer.Option(
        "--notebooks",
        help="Folder of notebooks of your own (commune/, province/), run beside evalkit's; one of the same name "
        "takes its place.",
    ),
]
Data = Annotated[Path, typer.Argument(help="Folder of a data set: dataset.toml and tables.", metavar="DATA")]
