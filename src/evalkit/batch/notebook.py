"""Executed notebooks as files: written fast, and with ids that stay the same."""

import json
from pathlib import Path

from evalkit.batch.journal import write_atomically


def settle_ids(notebook) -> None:
    """papermill gives the cells that it adds random ids; a run repeated should write the same bytes."""
    for number, cell in enumerate(notebook.cells):
        tags = cell.metadata.get("tags", [])
        if "injected-parameters" in tags:
            cell["id"] = "injected-parameters"
        elif "papermill-error-cell-tag" in tags:
            cell["id"] = f"papermill-error-{number}"


def write(notebook, path: Path) -> None:
    """Write a notebook whose parts nbformat has checked, a line to each cell.

    nbformat's own writer copies the notebook, splits its texts into lists of lines and indents them in Python.
    """
    from nbformat.v4.rwbase import strip_transient

    settle_ids(notebook)
    rest = dict(strip_transient(notebook))
    cells = ",\n".join(_json(cell) for cell in rest.pop("cells"))
    write_atomically(path, f'{{"cells": [\n{cells}\n],\n{_json(rest)[1:]}\n'.encode())


def path_for_papermill(path):
    """papermill fills braces in a path with parameters; a path of ours is meant as it stands."""
    return path.replace("{", "{{").replace("}", "}}")


def _json(value):
    return json.dumps(value, ensure_ascii=False, sort_keys=True)
