"""Small notebooks of the kind that the batch runs: a parameters cell, tables, figures, marked outputs."""

from pathlib import Path

import nbformat

PARAMETERS = '''place: str = "08473"  # code as text
build: str = "build"
lang: str = "vi"'''

REPORT = (
    "import pandas as pd\nimport matplotlib.pyplot as plt\nfrom IPython.display import display",
    "table = pd.DataFrame({'place': [place] * 3, 'year': [2022, 2023, 2024], 'poor': [9.5, 4, 1]})\ntable",
    "figure, axes = plt.subplots(figsize=(4, 2))\naxes.plot(table.year, table.poor)\naxes.set_title(place)",
    "display({'application/vnd.evalkit+json': {'place': place, 'lang': lang, 'rows': (1, 2)}, "
    "'text/plain': 'marked'}, raw=True)",
    "print('xong', place)",
)


def write_notebook(path: Path, *cells: str, parameters: str = PARAMETERS) -> Path:
    """A notebook with a parameters cell, a line of Markdown and these code cells."""
    notebook = nbformat.v4.new_notebook()
    notebook.metadata["kernelspec"] = {"name": "python3", "display_name": "Python 3", "language": "python"}
    first = nbformat.v4.new_code_cell(parameters, id="parameters")
    first.metadata["tags"] = ["parameters"]
    text = nbformat.v4.new_markdown_cell("# Tín dụng chính sách", id="heading")
    rest = [nbformat.v4.new_code_cell(source, id=f"cell-{number}") for number, source in enumerate(cells)]
    notebook.cells = [first, text, *rest]
    path.parent.mkdir(parents=True, exist_ok=True)
    nbformat.write(notebook, path)
    return path


def instead_of_evalkits(suite: Path) -> Path:
    """Give a suite notebooks of evalkit's own names that do nothing: they take the place of its own in a run."""
    for path in (Path(__file__).resolve().parents[2] / "notebooks").glob("[cp]*/*.ipynb"):
        whole = PARAMETERS.partition("\n")[2] if path.parent.name == "province" else PARAMETERS
        write_notebook(suite / path.parent.name / path.name, "pass", parameters=whole)
    return suite


def outputs(path: Path) -> list:
    """The outputs of each code cell of an executed notebook."""
    notebook = nbformat.read(path, as_version=4)
    return [cell["outputs"] for cell in notebook.cells if cell.cell_type == "code"]
