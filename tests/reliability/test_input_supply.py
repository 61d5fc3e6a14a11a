"""What is installed and what may run: the lock names everything with its hash, and nothing is executed from data."""

import ast
import re
import tomllib
from collections import Counter
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from evalkit.publish.archive import notebooks_folder

ROOT = Path(__file__).resolve().parents[2]
SOURCE = ROOT / "src/evalkit"
# Where Python's own loaders of values are used, and why that is no data's code.
ALLOWED = {
    ("load/workbook/__init__.py", "marshal.loads"),  # plain values from evalkit's own child process
    ("batch/engine.py", "__import__"),  # the text of a line for a kernel: evalkit's own module
    ("batch/schema.py", "fastjsonschema.compile"),  # nbformat's own schema of notebooks, as nbformat does
}


def locked():
    """[(requirement, its hashes)] of requirements.lock."""
    text = (ROOT / "requirements.lock").read_text().replace("\\\n", " ")
    lines = [line for line in text.splitlines() if line.strip() and not line.lstrip().startswith("#")]
    split = [re.split(r"\s+--hash=", line) for line in lines]
    return [(Requirement(first.strip()), [h.strip() for h in hashes]) for first, *hashes in split]


def test_the_lock_pins_each_package_with_its_hashes():
    lines = locked()
    assert len(lines) > 100
    for requirement, hashes in lines:
        assert [s.operator for s in requirement.specifier] == ["=="], requirement
        assert hashes, requirement
        assert all(re.fullmatch("sha256:[0-9a-f]{64}", one) for one in hashes), requirement
        assert not requirement.url
    text = (ROOT / "requirements.lock").read_text()
    assert not re.search(
        r"^\s*(-e|--editable|--index|--extra-index|--find.links|--trusted|git\+|https?:)", text, re.M
    )


def test_the_lock_says_no_package_twice_for_one_python():
    said = Counter((canonicalize_name(r.name), str(r.marker)) for r, _ in locked())
    assert [line for line, times in said.items() if times > 1] == []


def test_the_lock_holds_all_that_the_project_asks_for():
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())
    extras = project["project"]["optional-dependencies"]
    asked = [*project["project"]["dependencies"], *(line for lines in extras.values() for line in lines)]
    asked += project["build-system"]["requires"]
    versions = {}
    for requirement, _ in locked():
        version = next(iter(requirement.specifier)).version
        versions.setdefault(canonicalize_name(requirement.name), []).append(version)
    for line in map(Requirement, asked):
        held = versions.get(canonicalize_name(line.name), [])
        assert held, f"{line} is not in the lock"
        assert all(line.specifier.contains(version) for version in held), f"{line}: {held}"


def _dotted(node):
    parts = []
    while isinstance(node, ast.Attribute):
        parts.append(node.attr)
        node = node.value
    return ".".join([*([node.id] if isinstance(node, ast.Name) else []), *reversed(parts)])


_RUNS = re.compile(
    r"(?:.*\.)?(?:eval|exec|compile|__import__|popen|read_pickle|to_pickle|read_html|read_hdf|execfile)"
    r"|(?:pickle|marshal|shelve|dill|cloudpickle|joblib)\.(?:load|loads|open|Unpickler)|yaml\.(?:load|unsafe_load|full_load)"
    r"|os\.system|runpy\..*"
)
_NOT_RUNNING = re.compile(r"re\.compile|typst\.compile")


def calls(path):
    """Names of the calls in a file that could run or rebuild what a text says, and of switches that allow it."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if not isinstance(node, ast.Call):
            continue
        name = _dotted(node.func)
        if _RUNS.fullmatch(name) and not _NOT_RUNNING.fullmatch(name):
            yield name
        for keyword in node.keywords:
            allowed = isinstance(keyword.value, ast.Constant) and keyword.value.value
            if keyword.arg in ("shell", "allow_pickle", "unsafe_allow_html") and allowed:
                yield f"{name}({keyword.arg}={allowed})"


def test_nothing_in_the_library_runs_a_text():
    found = {(str(path.relative_to(SOURCE)), name) for path in SOURCE.rglob("*.py") for name in calls(path)}
    assert found - ALLOWED == set()


@pytest.mark.parametrize(
    "line",
    ["eval(x)", "import os\nos.system(x)", "pickle.loads(x)", "yaml.load(x)", "run(x, shell=True)", "pd.read_pickle(x)",
     "frame.eval(x)", "np.load(x, allow_pickle=True)"],
)  # fmt: skip
def test_the_search_finds_what_it_looks_for(tmp_path, line):
    (tmp_path / "a.py").write_text(line)
    assert list(calls(tmp_path / "a.py"))


def test_a_notebook_in_a_data_folder_is_none_of_the_projects(tmp_path, monkeypatch):
    for folder in ("notebooks/commune", "commune"):
        (tmp_path / folder).mkdir(parents=True)
        (tmp_path / folder / "credit.ipynb").write_text("{}")
    monkeypatch.chdir(tmp_path)
    assert notebooks_folder().resolve() in (ROOT / "notebooks", SOURCE / "notebooks")


def test_reading_never_looks_for_notebooks():
    texts = [p.read_text(encoding="utf-8") for p in (SOURCE / "load").rglob("*.py")]
    assert not any("ipynb" in text or "papermill" in text for text in texts)
