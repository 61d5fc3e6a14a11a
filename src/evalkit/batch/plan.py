"""What is to be run: one job per notebook and parameter set, checked before anything starts."""

import ast
import difflib
import hashlib
import importlib.metadata
import json
import os
import platform
import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from evalkit.batch.notebook import path_for_papermill
from evalkit.errors import ParameterError

KINDS = {"str": str, "int": int, "float": (int, float), "bool": bool, "list": list, "dict": dict}
KIND_NAMES = {
    "str": "text",
    "int": "a whole number",
    "float": "a number",
    "bool": "True or False",
    "list": "a list",
    "dict": "a dictionary",
}


@dataclass(frozen=True)
class Job:
    """One notebook to execute once.

    ``inputs`` are the files (or folders) whose content, together with the notebook, the parameters and the
    package versions, decides whether the work has to be done again. ``name`` identifies the job in the
    journal and is unique in a run; it is also the output's path below the output folder, without suffix.
    """

    notebook: Path
    parameters: dict[str, object]
    output: Path
    inputs: tuple[Path, ...] = ()
    name: str = ""


def plan(
    notebooks: Iterable[Path | str],
    parameter_sets: Iterable[Mapping[str, object]],
    out: Path | str,
    *,
    inputs: Iterable[Path | str] | Callable[[Mapping[str, object]], Iterable[Path | str]] = (),
    name: str | None = None,
) -> list[Job]:
    """One job per notebook and parameter set, in the order of the parameter sets.

    ``inputs``: the files every job reads, or a function from the parameters to the files of that one job.
    ``name``: a pattern such as ``"{place}/{lang}/{notebook}"``; without it the parameter values that can be
    file names make the folder, in their order, and the notebook's name follows.

    Raises ParameterError where a parameter is unknown, of another kind than the notebook's parameters cell
    declares, or can't be written into a notebook, and where two jobs would write the same file.
    """
    notebooks = [Path(notebook).absolute() for notebook in notebooks]
    slices = inputs if callable(inputs) else (lambda _: inputs)
    jobs = {}
    for parameters in parameter_sets:
        files = tuple(Path(path).absolute() for path in slices(parameters))
        for notebook in notebooks:
            checked = check_parameters(notebook, parameters)
            job_name = _job_name(notebook, checked, name)
            if job_name in jobs:
                raise ParameterError(
                    f"{notebook.name}: two sets of parameters would write {job_name}.ipynb: "
                    f"{jobs[job_name].parameters} and {checked}. Give a name pattern that tells them apart."
                )
            output = Path(out).absolute() / f"{job_name}.ipynb"
            jobs[job_name] = Job(notebook, checked, output, files, job_name)
    return list(jobs.values())


def check_parameters(notebook: Path, parameters: Mapping[str, object]) -> dict[str, object]:
    """The parameters, if the notebook's parameters cell knows every one and agrees with its kind."""
    declared = declared_parameters(notebook)
    if parameters and not declared:
        raise ParameterError(f'{notebook.name}: no parameters in a cell tagged "parameters". Tag that cell.')
    for parameter, value in parameters.items():
        if parameter not in declared:
            raise ParameterError(f"{notebook.name}: {_unknown(parameter, declared)}")
        _check_kind(notebook, parameter, value, *declared[parameter])
    return dict(parameters)


def folder_of(jobs: list[Job]) -> Path:
    """The one folder below which every job's output lies under the job's name. Raises ParameterError."""
    folders = {str(job.output).removesuffix(os.path.normpath(f"/{job.name}.ipynb")) for job in jobs}
    if len(folders) != 1 or any(str(job.output) in folders for job in jobs):
        raise ParameterError(
            f"{len(jobs)} jobs write into {len(folders)} folders. Give jobs made by one plan."
        )
    return Path(folders.pop())


def read_parameters(notebook: Path | str, texts: Mapping[str, str]) -> dict[str, object]:
    """Parameters given as text (on a command line), each read as the kind that the notebook declares.

    ``place=01001`` stays the text "01001" where the notebook declares text; ``years=[2019, 2024]`` becomes a
    list where it declares one. Raises ParameterError for an unknown parameter or a text of another kind.
    """
    notebook = Path(notebook)
    declared = declared_parameters(notebook)
    values = {}
    for parameter, text in texts.items():
        if parameter not in declared:
            raise ParameterError(f"{notebook.name}: {_unknown(parameter, declared)}")
        kinds, default = declared[parameter]
        value = text if not kinds or "str" in kinds else _literal(text)
        values[parameter] = text if value is ... else value
        _check_kind(notebook, parameter, values[parameter], kinds, default)
    return values


def declared_parameters(notebook: Path) -> dict[str, tuple[frozenset[str], str]]:
    """Name → (kinds that the parameters cell allows, the default as written). No kind: nothing is known."""
    return _declared(notebook, notebook.stat().st_mtime_ns)


@cache
def _declared(path, _changed):
    cells = (source for _, source, tags in _cells(path)[0] if "parameters" in tags)
    try:
        return _assignments(next(cells, ""))
    except SyntaxError:  # another language, or a magic command
        return _inspected(path)


def _cells(path):
    """The notebook's cells as (kind, source, tags), and its kernel's name."""
    notebook = json.loads(path.read_text(encoding="utf-8"))
    if notebook["nbformat"] != 4:
        import nbformat  # slow to import, and seldom needed

        notebook = nbformat.read(path, as_version=4)
    cells = [
        (one["cell_type"], "".join(one["source"]), one["metadata"].get("tags", []))
        for one in notebook["cells"]
    ]
    return cells, notebook["metadata"].get("kernelspec", {}).get("name", "")


def _assignments(source):
    """The parameters of a Python cell; papermill's reading overlooks annotations such as ``int | None``."""
    found = {}
    for statement in ast.parse(source).body:
        if isinstance(statement, ast.AnnAssign) and statement.value is not None:
            found[statement.target.id] = (
                _kinds(ast.unparse(statement.annotation)),
                ast.unparse(statement.value),
            )
        elif isinstance(statement, ast.Assign):
            default = ast.unparse(statement.value)
            names = [target.id for target in statement.targets if isinstance(target, ast.Name)]
            found |= dict.fromkeys(names, (_kind_of_default(default), default))
    return found


def _inspected(path):
    import papermill

    found = papermill.inspect_notebook(path_for_papermill(str(path)))
    return {name: (_kind_of_default(one["default"]), one["default"]) for name, one in found.items()}


def _kinds(annotation):
    plain = re.sub(r"\[.*?\]+", "", annotation)
    names = {part.strip().lower() for part in plain.split("|")}
    return frozenset(names) if names <= KINDS.keys() | {"none"} else frozenset()


def _kind_of_default(text):
    return frozenset({type(_literal(text)).__name__}) & KINDS.keys()


def _literal(text):
    try:
        return ast.literal_eval(text)
    except (ValueError, SyntaxError):
        return ...


def _check_kind(notebook, parameter, value, kinds, default):
    try:
        json.dumps(value, allow_nan=False)
    except (TypeError, ValueError):
        raise ParameterError(
            f"{notebook.name}: parameter {parameter} is {value!r}, which can't be written into a notebook. "
            "Give text, a number, True or False, None, or a list or dictionary of these."
        ) from None
    if not kinds or (value is None and "none" in kinds):
        return
    if any(
        isinstance(value, KINDS[kind]) and _is_bool(value) <= (kind == "bool") for kind in kinds - {"none"}
    ):
        return
    wanted = " or ".join(sorted(KIND_NAMES.get(kind, "None") for kind in kinds))
    mend = (
        f"Give it as text with every leading zero, as {default} is." if "str" in kinds else f"Give {wanted}."
    )
    raise ParameterError(
        f"{notebook.name}: parameter {parameter} is {wanted} (there: {default}), "
        f"but {value!r} is {KIND_NAMES.get(type(value).__name__, type(value).__name__)}. {mend}"
    )


def _is_bool(value):
    return isinstance(value, bool)


def _unknown(parameter, declared):
    near = difflib.get_close_matches(parameter, declared, n=1, cutoff=0.5)
    hint = f"Did you mean {near[0]}? " if near else ""
    return f"no parameter {parameter}. {hint}It has {', '.join(declared)}."


def _job_name(notebook, parameters, pattern):
    if pattern is not None:
        return pattern.format(notebook=notebook.stem, **parameters)
    words = [str(value) for value in parameters.values() if re.fullmatch(r"[\w-][\w.-]{0,79}", str(value))]
    return "/".join([*words, notebook.stem])


class Digests:
    """Content digests of files and folders, each file read once in a run."""

    def __init__(self):
        self.of_file = cache(_file_digest)

    def key(self, job: Job) -> str:
        """Digest of everything the job's result depends on: the journal's key."""
        parts = {
            "notebook": _notebook_digest(job.notebook, self.of_file(job.notebook)),
            "parameters": job.parameters,
            "inputs": [self._of(path) for path in job.inputs],
            "versions": versions(),
        }
        text = json.dumps(parts, sort_keys=True, ensure_ascii=False)
        return hashlib.sha256(text.encode()).hexdigest()

    def _of(self, path):
        if path.is_dir():
            return [
                [str(f.relative_to(path)), self.of_file(f)] for f in sorted(path.rglob("*")) if f.is_file()
            ]
        return self.of_file(path)


def _file_digest(path):
    try:
        with path.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    except FileNotFoundError:
        raise ParameterError(
            f"{path}: no such file, though a job's result depends on it. Build it first."
        ) from None


@cache
def _notebook_digest(path, _file_digest):
    """Digest of the cells' sources, kinds and tags: outputs left in a notebook change nothing."""
    return hashlib.sha256(json.dumps(_cells(path)).encode()).hexdigest()


@cache
def versions() -> dict[str, str]:
    """Versions of Python, of evalkit and of what evalkit requires; evalkit's own files by content, so that a
    change in a working copy counts as another version."""
    package = Path(__file__).parents[1]
    sources = [f for f in sorted(package.rglob("*")) if f.is_file() and f.suffix not in {".pyc", ".mo"}]
    digest = hashlib.sha256(b"".join(f.read_bytes() for f in sources)).hexdigest()
    return {"python": platform.python_version(), "evalkit": digest, **_requirements()}


def _requirements():
    try:
        names = [re.match(r"[\w.-]+", text)[0] for text in importlib.metadata.requires("evalkit") or []]
    except importlib.metadata.PackageNotFoundError:
        names = [one.name for one in importlib.metadata.distributions()]
    found = {}
    for name in names:
        try:
            found[name] = importlib.metadata.version(name)
        except importlib.metadata.PackageNotFoundError:
            continue
    return found
