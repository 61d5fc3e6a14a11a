"""The options that several commands share, said once and the same everywhere."""

from pathlib import Path
from typing import Annotated, Literal

import typer

SHIPPED = ("published", "provinces")  # names of data sets in the package
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


def _shipped(path: Path) -> Path:
    """A folder as it is; one of the data sets that come with evalkit where no such folder stands here."""
    from evalkit.load.dataset import shipped

    return shipped(str(path)) if str(path) in SHIPPED and not path.exists() else path


Data = Annotated[
    Path,
    typer.Argument(
        help="Folder of a data set: dataset.toml and tables; or published, provinces, which come with evalkit.",
        metavar="DATA",
        callback=_shipped,
    ),
]
Known = Annotated[
    Path,
    typer.Option("--data", help="Data set that says what is there already.", callback=_shipped),
]
