"""The replication notebook shows every published number, and none that differs without a reason."""

from pathlib import Path

import papermill
from bs4 import BeautifulSoup

from evalkit.load import reference

NOTEBOOK = Path(__file__).resolve().parents[2] / "notebooks" / "methods" / "replications.ipynb"


def rows_shown(html: str) -> list[dict[str, str]]:
    """The rows of a table shown in a notebook, by the heads of its columns."""
    lines = [
        [cell.get_text(strip=True) for cell in row.find_all(["th", "td"])]
        for row in BeautifulSoup(html, "html.parser").find_all("tr")
    ]
    heads, names, *rows = lines
    heads = [name or head for head, name in zip(heads, names, strict=True)]
    return [dict(zip(heads, row, strict=True)) for row in rows]


def test_the_notebook_shows_the_published_numbers(replication, tmp_path):
    done = papermill.execute_notebook(
        NOTEBOOK, tmp_path / "done.ipynb", {"folder": str(replication)}, progress_bar=False
    )
    shown = [
        row
        for cell in done.cells
        for output in cell.get("outputs", ())
        if "text/html" in output.get("data", {})
        for row in rows_shown(output["data"]["text/html"])
    ]
    assert sorted(row["quantity"] for row in shown) == sorted(reference.table("replications")["quantity"])
    assert {row["verdict"] for row in shown} == {"agrees", "differs as explained"}
    assert all(row["why"] for row in shown if row["verdict"] != "agrees")
