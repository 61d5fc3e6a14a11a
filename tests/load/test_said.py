"""Sentences about a delivery: each has its Vietnamese, and nothing English is left inside a Vietnamese finding."""

import ast
import copy
import pickle
import re
from pathlib import Path

import pytest
from babel.messages.pofile import read_po
from dataset_sample import credit, write

from evalkit.load.dataset import check
from evalkit.load.numbers import parse_number
from evalkit.load.said import Said, joined
from evalkit.present.tables.checked import sentence

ROOT = Path(__file__).resolve().parents[2]


def _constants(tree):
    """{name: value} of the constants that are assigned in a syntax tree."""
    return {
        node.targets[0].id: node.value.value
        for node in ast.walk(tree)
        if isinstance(node, ast.Assign)
        and isinstance(node.value, ast.Constant)
        and isinstance(node.targets[0], ast.Name)
    }


def templates():
    """The templates of ``Said(...)`` in the package of reading: a text there, or a name that holds one."""
    for path in sorted((ROOT / "src/evalkit/load").glob("*.py")):
        tree = ast.parse(path.read_text(encoding="utf-8"))
        texts = _constants(tree)
        for function in [f for f in ast.walk(tree) if isinstance(f, ast.FunctionDef)]:
            local = texts | _constants(function)
            for call in ast.walk(function):
                if isinstance(call, ast.Call) and getattr(call.func, "id", None) == "Said":
                    first = call.args[0]
                    text = (
                        local.get(first.id) if isinstance(first, ast.Name) else getattr(first, "value", None)
                    )
                    if text and path.name != "said.py":
                        yield text


TEMPLATES = sorted(set(templates()))


def names_in(text):
    return set(re.findall(r"{(\w+)}", text))


def test_the_templates_are_found():
    assert len(TEMPLATES) > 80
    assert "“{text}” is no number." in TEMPLATES


@pytest.mark.parametrize("template", [t for t in TEMPLATES if re.search(r"[^\W\d]", re.sub(r"{\w+}", "", t))])
def test_every_template_has_its_vietnamese(template):
    with (ROOT / "src/evalkit/present/locale/vi.po").open("rb") as file:
        known = {m.id: m.string for m in read_po(file, locale="vi") if m.id and m.string}
    # Vietnamese says a column by its label alone; it may leave a part out, and adds none.
    assert names_in(known[template]) <= names_in(template)


def test_a_sentence_is_its_english_text():
    said = Said("row {row}: {fault}", row=3, fault=Said("“{text}” is no number.", text="{x}"))
    assert said == "row 3: “{x}” is no number."
    assert joined([said, "", None, "Ask."]) == "row 3: “{x}” is no number. Ask."
    assert copy.deepcopy(said).parts["fault"].template == "“{text}” is no number."
    assert pickle.loads(pickle.dumps(said)) == said


MESSY = """\
DƯ NỢ NĂM 2019;;;;
Đơn vị tính: triệu đồng;;;;
Mã xã;Chương trình;Tổng dư nợ;Nợ quá hạnn;Số hộ còn dư nợ
10001;Hộ nghèo;#REF!;1;10
10001;Nước sạch và vệ sinh;abc;1;10
10004;Hộ nghèo;1.234;1;10
10004;Nước sạch và vệ sinh;5;1;10,5
;Hộ nghèo;1.000;1;10
;Tổng cộng;99;;
Ghi chú: số liệu của xã
"""


def test_findings_of_a_messy_delivery_in_vietnamese(tmp_path):
    folder = write(tmp_path / "d")
    (folder / "credit.csv").write_text(MESSY, encoding="utf-8")
    said = [sentence(row, "vi") for row in check(folder).itertuples()]
    text = " | ".join(said)
    for expected in (
        "“#REF!” là lỗi của bảng tính, không phải số liệu. Hãy sửa công thức.",
        "“abc” không phải là số.",
        "“10,5” không phải số nguyên.",
        "“1.234” có thể đọc là 1.234.000.000 hoặc 1.234.000",
        "cột “Nợ quá hạnn” chưa được đọc; có thể là “Nợ quá hạn”.",
        "năm 2019 lấy từ tên biểu",
        "dòng tổng: 9",
        "ghi chú hoặc chữ ký: 10",
        "hãy ghi đủ “Mã đơn vị hành chính” ở mọi dòng",
    ):
        assert expected in text, said
    without_names = re.sub(r"“[^”]*”|credit\.csv", " ", text)
    assert not re.search(r"\b(the|is|was|of|row|column|no|and|read)\b", without_names), without_names


def test_faults_of_settings_and_corrections_in_vietnamese(tmp_path):
    settings = '[title]\nvi = "a"\nen = "b"\n[data]\nreel = true\nyears = [2019]\n'
    folder = write(tmp_path / "d", settings=settings, credit=credit())
    lines = "table,key,column,value,expectation,reason\ncredits,code=1,lent_vnd,1,2,vì\n"
    (folder / "corrections.csv").write_text(lines, encoding="utf-8")
    said = [sentence(row, "vi") for row in check(folder).itertuples()]
    assert any("không có mục [data] reel (có phải “real” không?)" in s for s in said), said
    assert any("không có bảng “credits” (có phải “credit” không?)" in s for s in said)


def test_an_error_that_is_raised_reads_as_before():
    with pytest.raises(ValueError, match=r"“1\.234” reads as 1,234 or as 1\.234\. Write it without"):
        parse_number("1.234")
