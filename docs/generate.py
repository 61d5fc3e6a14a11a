"""Pages that are written from the code: `python docs/generate.py`. A test fails where they differ from it.

docs/api/*.md (public names with their docstrings), docs/checks.md, docs/glossary.md, docs/commands.md, and the list of
figures in README.md.
"""

import inspect
import re
from pathlib import Path

from typer.main import get_command

import evalkit
from evalkit import cli
from evalkit.cli import speech
from evalkit.load import reference, rule_list, schema
from evalkit.publish import archive
from evalkit.publish.names import alphabetical

ROOT = Path(__file__).resolve().parents[1]
FIGURES = ("<!-- figures: generated -->", "<!-- end of figures -->")
MODULES = [*sorted(evalkit._MODULES - {"simulate"}), "simulate"]
TERMS = {  # words of the field that no reference table holds
    "tín dụng chính sách xã hội": "policy credit",
    "Ngân hàng Chính sách xã hội (NHCSXH)": "Vietnam Bank for Social Policies (VBSP)",
    "dư nợ": "outstanding loans",
    "doanh số cho vay": "lending in a year",
    "doanh số thu nợ": "collection in a year",
    "nợ quá hạn": "overdue debt",
    "tỷ lệ nợ quá hạn": "overdue ratio (of amounts in arrears; not portfolio at risk)",
    "tổ tiết kiệm và vay vốn (TK&VV)": "savings-and-loan group",
    "ủy thác": "entrustment (of lending to the mass organisations)",
    "hộ nghèo, hộ cận nghèo": "poor and near-poor household",
    "hộ mới thoát nghèo": "newly escaped household",
    "rà soát hộ nghèo": "household review (administrative census of the poor)",
    "khảo sát mức sống dân cư": "living-standards survey",
    "chuẩn nghèo đa chiều": "multidimensional poverty standard",
    "chỉ số thiếu hụt": "deprivation indicator",
    "thu nhập bình quân đầu người": "income per person",
    "giá so sánh": "constant prices",
    "nông thôn mới": "New Rural Development",
    "lượt vay": "turns of borrowing (a household may count twice)",
    "khoảng tin cậy": "confidence interval",
    "mức bằng chứng": "evidence level",
    "xã, phường, thị trấn": "commune, ward, township",
}


def pages():
    """Return {path below the project: text} of every generated page."""
    found = {f"docs/api/{name}.md": _module(name) for name in MODULES}
    found["docs/api/top.md"] = _top()
    found["docs/api/README.md"] = _index()
    found["docs/checks.md"] = rule_list.markdown()
    found["docs/glossary.md"] = _glossary()
    found["docs/commands.md"] = _commands()
    found["README.md"] = _readme((ROOT / "README.md").read_text(encoding="utf-8"))
    return found


def _index():
    lines = ["# The Python names", "", "Written from the docstrings by `python docs/generate.py`.", ""]
    lines += [
        "| page | holds |",
        "|---|---|",
        "| [top](top.md) | `ek.…`: data sets, builds, places, display |",
    ]
    for name in MODULES:
        lines.append(f"| [{name}]({name}.md) | `ek.{name}.…`: {_first(getattr(evalkit, name))} |")
    return "\n".join(lines) + "\n"


def _top():
    names = [n for n in evalkit.__all__ if n not in evalkit._MODULES]
    parts = ["# ek", "", "`import evalkit as ek`", ""]
    return "\n".join([*parts, *(_entry(f"ek.{n}", getattr(evalkit, n)) for n in names)])


def _module(name):
    module = getattr(evalkit, name)
    own = getattr(module, "__all__", None) or [
        n
        for n, v in vars(module).items()
        if not n.startswith("_") and getattr(v, "__module__", "") == module.__name__
    ]
    public = [n for n in sorted(own) if callable(getattr(module, n))]
    head = [f"# ek.{name}", "", inspect.getdoc(module), ""]
    return "\n".join([*head, *(_entry(f"ek.{name}.{n}", getattr(module, n)) for n in public)])


def _entry(name, thing):
    try:
        signature = str(inspect.signature(thing))
    except ValueError:
        signature = "(…)"
    signature = re.sub(r" at 0x[0-9a-f]+", "", signature)
    text = inspect.getdoc(thing) or ""
    text = re.sub(r"\.\. math:: ((?:.|\n)+?)(?=\n\n|\Z)", lambda m: f"$${' '.join(m[1].split())}$$", text)
    return f"## {name}\n\n```text\n{name}{signature}\n```\n\n{text}\n"


def _first(thing):
    return (inspect.getdoc(thing) or "").splitlines()[0]


def _glossary():
    rows = list(TERMS.items())
    for table in ("programmes", "unions", "group_ratings", "debt_statuses"):
        rows += reference.table(table)[["name_vi", "name_en"]].itertuples(index=False, name=None)
    rows += reference.standards()[["label_vi", "label_en"]].itertuples(index=False, name=None)
    for table in schema.tables():
        rows += [(f["label"]["vi"], f["label"]["en"]) for f in schema.fields(table).values()]
    seen = {}
    for vi, en in rows:
        seen.setdefault(
            vi[0].lower() + vi[1:] if not vi.isupper() else vi,
            en[0].lower() + en[1:] if en[1:2].islower() else en,
        )
    lines = [
        "# Glossary, Vietnamese – English",
        "",
        "Written from the reference tables and the schema by `python docs/generate.py`; the site's method pages say what each figure means.",
        "",
        "| Vietnamese | English |",
        "|---|---|",
    ]
    lines += [f"| {vi} | {en} |" for vi, en in sorted(seen.items(), key=lambda pair: alphabetical(pair[0]))]
    return "\n".join(lines) + "\n"


def _commands():
    group = get_command(cli.app)
    lines = [
        "# Commands",
        "",
        "Written from the commands by `python docs/generate.py`; `evalkit COMMAND --help` says the same, `--lang vi` in Vietnamese.",
        "",
    ]
    lines += [
        "| exit status | means |",
        "|---|---|",
        "| 0 | all well |",
        "| 1 | a report failed, or a finding of `check` is an error |",
        "| 2 | the input or the line typed can't be used; one line on standard error says why |",
        "| 130 | interrupted; the same command resumes |",
        "",
        "Standard output holds the result alone (a path, a table, JSON); everything said on the way goes to standard error.",
        "",
    ]
    lines += [
        "`evalkit --install-completion` completes commands and options with the Tab key (bash, zsh, fish, PowerShell).",
        "",
    ]
    for name, command in group.commands.items():
        lines += [f"## evalkit {name}", "", speech.sentence_of(command.help), ""]
        lines += [
            "```sh",
            *(f"{line:<60} # {meaning}" for line, meaning in speech.EXAMPLES[name]),
            "```",
            "",
        ]
        lines += ["| option | default | meaning |", "|---|---|---|"]
        for p in command.params:
            default = "" if p.default in (None, False, True, ()) else f"`{p.default}`"
            lines.append(
                f"| `{(p.metavar or p.name.upper()) if p.param_type_name == 'argument' else ', '.join(p.opts)}` | {default} | {p.help or ''} |"
            )
        lines.append("")
    return "\n".join(lines)


def _readme(text):
    begin, end = (text.index(mark) for mark in FIGURES)
    rows = archive.programs(archive.notebooks())
    table = ["| in the report | notebook | function | file |", "|---|---|---|---|"]
    table += [
        f"| {what} | `{notebook}` | `{function}` | `{file}` |" for what, notebook, function, file in rows
    ]
    return text[: begin + len(FIGURES[0])] + "\n" + "\n".join(table) + "\n" + text[end:]


def main():
    for path, text in pages().items():
        (ROOT / path).parent.mkdir(parents=True, exist_ok=True)
        (ROOT / path).write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
