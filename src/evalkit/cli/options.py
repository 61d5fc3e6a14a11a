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
