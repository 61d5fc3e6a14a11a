"""A commune's page with its figures is light, where a commune has everything that a report can show."""

import json
import re
from pathlib import Path

import pytest
import site_sample as sample

import evalkit as ek
from evalkit import publish, simulate
from evalkit.building import build
from evalkit.present.blocks import MIME

NOTEBOOKS = Path(__file__).parents[2] / "notebooks" / "commune"
SHOWN = re.compile(r"^ek\.show\((.+)\)$", re.MULTILINE)
BYTES = 470_000  # of the 500 kB promised, what a small simulated province may take: a large one compares with more


def executed(notebook, place, lang):
    """The notebook with what its cells show, without a kernel."""
    content = json.loads(notebook.read_text(encoding="utf-8"))
    for cell in content["cells"]:
        names = {"ek": ek, "place": place, "lang": lang}
        blocks = [eval(call, names) for call in SHOWN.findall("".join(cell["source"]))]
        cell["outputs"] = [
            {"output_type": "display_data", "metadata": {}, "data": {MIME: block.payload()}}
            for block in blocks
            if block.audience == "public"
        ]
    return json.dumps(content)


@pytest.fixture(scope="module")
def folder(tmp_path_factory, words):
    """Folder of the Vietnamese page of a commune of a simulated province of all years."""
    out = tmp_path_factory.mktemp("weight")
    simulate.province(out / "data", districts=1, communes=6, seed=4, loan_communes=0)
    built = build(out / "data", out / "build")
    code = min((out / "data" / "communes.csv").read_text(encoding="utf-8").split("\n")[1:-1])[:5]
    place = ek.place(built, code)
    for notebook in NOTEBOOKS.glob("*.ipynb"):
        path = out / "private" / code / "vi" / notebook.name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(executed(notebook, place, "vi"), encoding="utf-8")
    places = [sample.PLACES[0] | {"place_id": code, "code": code, "successors": []}]
    publish.site(out / "private", out, places, meta=sample.META, words=words, languages=("vi",))
    return out / "site" / "vi" / code


def test_a_commune_with_everything_is_light(folder):
    pieces = {path.name: path.stat().st_size for path in folder.iterdir() if path.suffix in (".html", ".svg")}
    assert len(pieces) >= 9
    assert sum(pieces.values()) < BYTES, pieces


def test_what_a_letter_is_called_is_found_in_its_figure(folder):
    for path in folder.glob("*.svg"):
        text = path.read_text(encoding="utf-8")
        defined = re.findall(r' id="([^"]+)"', text)
        assert len(defined) == len(set(defined))
        assert set(re.findall(r'href="#([^"]+)"', text)) <= set(defined)


def test_its_three_questions_are_answered_with_what_may_not_be_subtracted_and_what_is_missing(folder):
    page = (folder / "index.html").read_text(encoding="utf-8")
    asked = page[page.index('<section id="questions"') :]
    assert asked.count('<details class="question folded">') == 3
    assert "Hiệu của chúng không phải là mức giảm nghèo" in asked
    assert "Muốn nói cần nhiều xã qua nhiều năm" in asked
