"""The replication notebook runs, and shows the published numbers."""

import re
from pathlib import Path

NOTEBOOK = Path(__file__).resolve().parents[2] / "notebooks" / "methods" / "replications.ipynb"


def test_the_notebook_shows_the_published_numbers(replication, tmp_path):
    import papermill

    done = papermill.execute_notebook(
        NOTEBOOK, tmp_path / "done.ipynb", {"folder": str(replication)}, progress_bar=False
    )
    shown = " ".join(
        output["data"].get("text/plain", "") + output["data"].get("text/html", "")
        for cell in done.cells
        for output in cell.get("outputs", ())
        if "data" in output
    )
    for figure in (
        "-0.0199",
        "-0.0510",
        "-0.1373",
        "-0.1008",
        "-20.058",
        "4.72",
        "-1.77947",
        "0.07",
        "treatment",
    ):
        assert re.search(re.escape(figure), shown), figure
