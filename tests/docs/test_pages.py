"""The pages of docs do what they say: their Python runs, their links lead somewhere."""

import importlib.util
import re
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
PAGES = sorted([*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md"), *(ROOT / "data").glob("*.md")])
LINK = re.compile(r"\]\((?!https?:|#|mailto:)([^)#\s]+)")


def code(page):
    """The Python of a page, one block after another, as it would be typed into one notebook."""
    return "\n".join(re.findall(r"```python\n(.*?)```", page.read_text(encoding="utf-8"), flags=re.DOTALL))


@pytest.mark.parametrize("name", ["extending", "method"])
def test_the_code_of_the_page_runs(name):
    text = code(ROOT / "docs" / f"{name}.md")
    assert text
    exec(text, {})


def test_the_generated_pages_are_what_the_code_says():
    """Mend with `make docs`."""
    spec = importlib.util.spec_from_file_location("generate", ROOT / "docs" / "generate.py")
    generate = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(generate)
    stale = [
        path for path, text in generate.pages().items() if (ROOT / path).read_text(encoding="utf-8") != text
    ]
    assert stale == []


def test_the_picture_of_the_readme_is_small_and_described():
    picture = ROOT / "docs" / "images" / "report.png"
    assert picture.stat().st_size < 200_000
    (alt,) = re.findall(
        r"!\[([^\]]+)\]\(docs/images/report\.png\)", (ROOT / "README.md").read_text(encoding="utf-8")
    )
    assert len(alt) > 40


def test_version_and_licence_are_the_same_everywhere():
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    citation = (ROOT / "CITATION.cff").read_text(encoding="utf-8")
    changes = (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")
    assert f"version: {project['version']}" in citation
    assert re.search(r"^## (\S+)", changes, re.M)[1] == project["version"]
    assert project["license"] == "MIT AND CC-BY-4.0"
    assert all((ROOT / file).is_file() for file in project["license-files"])


@pytest.mark.parametrize("page", PAGES, ids=lambda p: p.name)
def test_links_between_pages_lead_somewhere(page):
    targets = LINK.findall(page.read_text(encoding="utf-8"))
    assert [t for t in targets if not (page.parent / t).exists()] == []
