"""What a page was made from: fingerprints of the data, the code and the environment."""

import hashlib
import platform
from functools import cache
from importlib.metadata import distributions
from pathlib import Path

SHOWN = 12  # characters of a fingerprint that a page shows
CODE = {".py", ".po", ".json", ".csv", ".html", ".css", ".js", ".typ"}


@cache
def environment():
    """Return the interpreter and the packages in use as lines of text, sorted."""
    found = {f"{d.name.lower()}=={d.version}" for d in distributions() if d.name}
    return "\n".join([f"python=={platform.python_version()}", *sorted(found), ""])


@cache
def code():
    """Return a hash of evalkit's own files: source, words, templates, reference data."""
    from evalkit.load.reference import reference_folder

    package, reference = Path(__file__).resolve().parents[1], reference_folder().resolve()
    folders = [package] if reference.is_relative_to(package) else [package, reference]
    digest = hashlib.sha256()
    for folder in folders:
        for path in sorted(p for p in folder.rglob("*") if p.suffix in CODE and p.is_file()):
            digest.update(path.relative_to(folder).as_posix().encode())
            digest.update(path.read_bytes())
    return digest.hexdigest()


def fingerprints(manifest):
    """Return {data, code, environment}: hashes in full, of the build's data and of what runs now."""
    return {
        "data": manifest["data"],
        "code": code(),
        "environment": hashlib.sha256(environment().encode()).hexdigest(),
    }
