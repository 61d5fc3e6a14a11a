"""The shape of the project: imports run one way, conda and pip agree, words exist in both languages."""

import ast
import re
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest
from babel.messages.extract import extract
from typer.main import get_command

from evalkit import cli
from evalkit.cli import speech
from evalkit.load import dictionary, reference
from evalkit.load.findings import RULES
from evalkit.present import say, words

ROOT = Path(__file__).resolve().parents[1]
SOURCE = ROOT / "src" / "evalkit"
# What each package may import of evalkit: those before it in the flow. `load` also serves everything after.
ORDER = ["errors", "folders", "load", "metrics", "impact", "building", "present", "batch", "publish", "cli"]
FREE = {"simulate": {"errors", "load", "simulate"}}


def _package(path):
    parts = path.relative_to(SOURCE).parts
    return parts[0].removesuffix(".py")


def _imports(path):
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        names = [a.name for a in node.names] if isinstance(node, ast.Import) else []
        if isinstance(node, ast.ImportFrom) and node.module and node.level == 0:
            names = (
                [f"{node.module}.{a.name}" for a in node.names] if node.module == "evalkit" else [node.module]
            )
        yield from (n.split(".")[1] for n in names if n.startswith("evalkit."))


def test_imports_run_in_one_direction():
    wrong = []
    for path in SOURCE.rglob("*.py"):
        package = _package(path)
        if package == "__init__":
            continue
        allowed = FREE.get(package) or {
            *ORDER[: ORDER.index(package) + 1],
            *(["simulate"] if package == "cli" else []),
        }
        wrong += [
            f"{path.relative_to(SOURCE)} imports {name}" for name in _imports(path) if name not in allowed
        ]
    assert wrong == []


def test_measures_know_no_file():
    opens = re.compile(r"\bpathlib\b|\bopen\(|\.read_(csv|parquet|excel|text|bytes)\(|\.to_(csv|parquet)\(")
    paths = sorted((SOURCE / "metrics").rglob("*.py"))
    assert [str(path.relative_to(SOURCE)) for path in paths if opens.search(path.read_text("utf-8"))] == []


def test_nothing_imports_the_simulation():
    users = [p for p in SOURCE.rglob("*.py") if _package(p) not in ("simulate", "cli", "__init__")]
    assert [str(p) for p in users if "simulate" in set(_imports(p))] == []


def test_conda_and_pip_ask_for_the_same_packages():
    asked = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["dependencies"]
    lines = re.findall(r"^ +- ([a-z][^\n#]*)$", (ROOT / "environment.yml").read_text(), re.M)
    conda = [
        line.replace("python-duckdb", "duckdb")
        for line in lines
        if line not in ("conda-forge", "pip", "pip:")
    ]
    assert sorted(conda) == sorted([*asked, "python>=3.11,<3.15"])


def test_the_lock_is_hashed_and_names_no_registry():
    lock = (ROOT / "requirements.lock").read_text()
    pins = re.findall(r"^[a-z0-9]\S*==\S+", lock, re.M)
    assert len(pins) > 50
    assert lock.count("--hash=sha256:") >= len(pins)
    assert "://" not in lock


def _messages():
    """Every message that the code can ask for: literals of t(), and the tables of phrases."""
    found = (
        set(RULES.values())
        | set(say._PRINTED.values())
        | set(say._METHODS.values())
        | set(say._FLAGS.values())
    )
    for path in [path for name in ("present", "publish", "cli") for path in (SOURCE / name).rglob("*.*")]:
        method = {".py": "python", ".html": "jinja2.ext:babel_extract"}.get(path.suffix)
        if method is None:
            continue
        options = {"trim_blocks": "true", "lstrip_blocks": "true"} if path.suffix == ".html" else None
        with path.open("rb") as file:
            extracted = extract(
                method, file, keywords=dict.fromkeys(("t", "N_", "say", "Said")), options=options
            )
            found |= {message for _, message, *_ in extracted if isinstance(message, str)}
    return found | _helps()


def _helps():
    """What `--help` says: of the commands, of their options, of their examples."""
    group = get_command(cli.app)
    commands = [group, *group.commands.values()]
    found = {speech.sentence_of(command.help) for command in commands}
    return found | {p.help for command in commands for p in command.params if p.help}


def test_no_message_lacks_a_language():
    assert sorted(m for m in _messages() if m and m not in words.catalogue("vi")) == []


def test_translations_fill_the_same_slots():
    slots = lambda text: set(re.findall(r"{(\w+)}", text))  # noqa: E731
    wrong = [m for m, vi in words.catalogue("vi").items() if slots(m) != slots(vi)]
    assert wrong == []


@pytest.mark.parametrize("lang", words.LANGUAGES)
def test_every_indicator_and_unit_has_words(lang):
    table = reference.table("indicators")
    assert table[f"label_{lang}"].str.len().min() > 2
    assert all(isinstance(words.quantity(1.0, unit, lang), str) for unit in table["unit"].unique())


def test_the_data_dictionary_is_what_the_schema_says():
    text = (ROOT / "data" / "README.md").read_text(encoding="utf-8")
    shown = text[text.index(dictionary.BEGIN) + len(dictionary.BEGIN) : text.index(dictionary.END)]
    assert shown.strip() == dictionary.markdown().strip()


def test_every_reference_table_is_named_in_the_data_readme():
    text = (ROOT / "data" / "README.md").read_text(encoding="utf-8")
    assert [p.name for p in Path(ROOT / "data/reference").glob("*.csv") if f"`{p.name}`" not in text] == []


def test_notebooks_are_thin():
    import nbformat

    for path in (ROOT / "notebooks").rglob("*.ipynb"):
        for cell in nbformat.read(path, as_version=4).cells:
            if cell.cell_type == "code":
                assert len(cell.source.splitlines()) <= 4, path
                assert not re.search(r"\bdef |\bfor |\.merge\(|\b\d{3,}\.", cell.source), (path, cell.source)


def test_stripping_notebooks_before_a_commit_changes_nothing_and_keeps_checked_outputs():
    """What the pre-commit hook does to them; a cell whose output is a test bears the tag that keeps it."""
    import nbformat

    paths = sorted(str(path) for path in (ROOT / "notebooks").rglob("*.ipynb"))
    strip = [sys.executable, "-m", "nbstripout", "--keep-id", "--keep-count", "--verify"]
    assert subprocess.run([*strip, *paths]).returncode == 0
    for path in paths:
        for cell in nbformat.read(path, as_version=4).cells:
            tags = cell.metadata.get("tags", [])
            checked = "nbval-check-output" in tags
            assert ("keep_output" in tags) == checked
            assert checked or cell.get("execution_count") is None


def test_below_level_three_no_sentence_claims_an_effect():
    texts = [
        m for m in _messages() if re.search(r"\b(led to|because of credit|effect of credit|thanks to)\b", m)
    ]
    assert texts == []
