"""What the command line says: in the reader's language, with examples that work, and what comes next."""

import re
from pathlib import Path

import pytest
from rich.console import Console
from typer.main import get_command

from evalkit import cli
from evalkit.batch.journal import Row
from evalkit.batch.summary import RunSummary
from evalkit.cli import speech
from evalkit.errors import DataError, EvalkitError
from evalkit.load.templates import new as starter

COMMANDS = sorted(get_command(cli.app).commands)


@pytest.mark.parametrize(
    ("arguments", "environment", "expected"),
    [
        ([], {}, "en"),
        ([], {"LANG": "vi_VN.UTF-8"}, "vi"),
        ([], {"LANG": "vi_VN.UTF-8", "LC_ALL": "C.UTF-8"}, "en"),
        ([], {"LANG": "C.UTF-8", "EVALKIT_LANG": "vi"}, "vi"),
        (["check", "x", "--lang", "en"], {"EVALKIT_LANG": "vi"}, "en"),
        (["check", "x", "--lang=vi"], {}, "vi"),
        (["report", "x", "--langs", "vi"], {}, "en"),
    ],
)
def test_the_language_is_the_one_asked_for_before_that_of_the_system(arguments, environment, expected):
    assert speech.language(arguments, environment) == expected


@pytest.mark.parametrize("lang", ["en", "vi"])
@pytest.mark.parametrize("command", COMMANDS)
def test_help_shows_every_option_and_an_example_in_each_language(typed, command, lang):
    status, out, _ = typed(f"evalkit {command} --help", lang)
    assert status == 0
    for parameter in get_command(cli.app).commands[command].params:
        assert max(parameter.opts, key=len) in out or parameter.param_type_name == "argument"
    assert ("Ví dụ" if lang == "vi" else "Examples") in out
    assert f"evalkit {command}" in out.split("Ví dụ" if lang == "vi" else "Examples")[1]


def test_square_brackets_in_help_are_printed_and_not_taken_for_markup(typed):
    assert "evalkit[pdf]" in typed("evalkit report --help")[1]


def test_every_command_has_examples_and_no_example_an_unknown_option():
    commands = get_command(cli.app).commands
    assert sorted(speech.EXAMPLES) == COMMANDS
    for name, examples in speech.EXAMPLES.items():
        known = {option for p in commands[name].params for option in (*p.opts, *p.secondary_opts)}
        for line, _ in examples:
            assert line.startswith(f"evalkit {name} ")
            assert {word for word in line.split() if word.startswith("--")} <= known


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("evalkit check nowhere", "không có thư mục này"),
        ("evalkit build nowhere", "không có thư mục này"),
        ("evalkit run --out nowhere", "chưa có kết quả tính"),
        ("evalkit publish --out nowhere", "chưa có sổ tay nào được chạy ở đây"),
        ("evalkit report nowhere --langs fr", "cách nhau bằng dấu phẩy"),
        ("evalkit request Nowhere", "không có địa phương"),
        ("evalkit request 08434", "Hãy hỏi bằng mã: 08473, 08434-until-2025"),
        ("evalkit new x --communes 4", "chỉ dùng cùng --simulated"),
        ("evalkit new /dev/null/x", "không thể tạo thư mục ở đây"),
    ],
)
def test_an_error_is_one_line_in_vietnamese_for_a_vietnamese_reader(typed, line, said):
    status, _, err = typed(line, "vi")
    assert status == 2
    assert len(err.strip().splitlines()) == 1
    assert said in err


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("report --plce x", "Không có tùy chọn --plce (có phải là --place, --since?). Xem hướng dẫn: `evalkit report --help`."),
        ("check --xyzzy", "Không có tùy chọn --xyzzy."),
        ("reprt data", "Không có lệnh 'reprt'. Có phải là 'report'?"),
        ("xyzzy", "Không có lệnh 'xyzzy'."),
        ("--lang vi", "Chưa có tên lệnh."),
        ("report", "Thiếu 'DATA'."),
        ("run --workers", "Sau '--workers' phải có một giá trị."),
        ("run --json=1", "Sau '--json' không được có giá trị."),
        ("check my data", "Thừa data: nếu là một tên có dấu cách"),
        ("run --workers two", "Giá trị của '--workers' phải là số nguyên."),
        ("run --timeout long", "Giá trị của '--timeout' phải là một số."),
        ("run --workers 0", "Giá trị của '--workers' phải từ 1 trở lên."),
        ("check x --lang=vie", "không thể là 'vie'; hãy chọn 'en', 'vi'."),
        ("lab --new mine", "--new cần kèm một địa phương (PLACE)"),
    ],
)  # fmt: skip
def test_a_line_that_is_typed_wrongly_is_explained_in_one_line_of_vietnamese(typed, line, said):
    status, out, err = typed(f"evalkit {line}", "vi")
    assert (status, out) == (2, "")
    assert len(err.strip().splitlines()) == 1
    assert said in err


def test_a_misuse_that_has_no_translation_is_said_as_it_is():
    assert speech._reworded("The moon is full.") == "The moon is full."


def test_new_and_check_say_where_they_wrote_and_what_comes_next(typed):
    status, out, err = typed("evalkit new 'my data'")
    assert (status, out.strip()) == (0, "my data")
    assert "Next: evalkit check 'my data'" in err
    status, out, err = typed("evalkit check 'my data'")
    assert status == 0
    assert "Next: evalkit report 'my data'" in err
    assert "Tiếp theo: evalkit report 'my data'" in typed("evalkit check 'my data'", "vi")[2]


def test_a_build_that_takes_the_place_of_another_data_sets_says_so(typed, tmp_path):
    typed("evalkit new mine")
    settings = tmp_path / "mine" / "dataset.toml"
    for title, gone in (("Một", None), ("Một", None), ("Hai", "Một")):
        text = re.sub(
            r'(?m)^(vi|en) = ".*"', rf'\1 = "{title}"', settings.read_text(encoding="utf-8"), count=2
        )
        settings.write_text(text, encoding="utf-8")
        status, _, said = typed("evalkit build mine --out out", lang="vi")
        assert status == 0, said
        assert ("không còn nữa" in said) == bool(gone)
        assert not gone or f"nay là kết quả tính của “{title}”. Kết quả của “{gone}”" in said


def test_request_says_what_to_do_with_the_letter(typed):
    status, out, err = typed("evalkit request 08473")
    assert status == 0
    assert [Path(line).suffix for line in out.split()] == [".xlsx", ".md"]
    assert "send it with the workbook" in err
    assert "Next: evalkit check" in err


def test_findings_that_say_the_same_are_said_once_with_their_rows(typed, tmp_path):
    folder = starter(tmp_path / "data")
    (folder / "income.xlsx").unlink()
    rows = "".join(f"99001,{year},45000000,week,self_survey\n" for year in (2022, 2023, 2024))
    (folder / "income.csv").write_text(f"code,year,income_vnd,per,basis\n{rows}", encoding="utf-8")
    status, out, err = typed("evalkit check data")
    assert status == 1
    assert out.count("“week” is not one of") == 1
    assert "row 2, 3, 4" in out
    assert "3 errors" in out
    assert "Mend the errors" in err


def test_errors_come_first_and_what_may_follow_from_them_is_said_to(typed, tmp_path):
    folder = starter(tmp_path / "data")
    (folder / "poverty.xlsx").unlink()
    head = "code,year,standard,households,poor,poor_pct\n"
    (folder / "poverty.csv").write_text(
        f"{head}99001,2022,2022-2025,1500,90,9\n99001,2023,2022-2025,1500,x,\n"
    )
    _, out, _ = typed("evalkit check data", "vi")
    first, rest = out.split("Trước hết là các lỗi.")[1].split("cảnh báo  ", 1)
    assert "lỗi  poverty.csv, Số hộ nghèo, dòng 3" in first
    assert "poverty.csv, Tỷ lệ hộ nghèo, dòng 2 (99001)" in rest
    (folder / "poverty.csv").write_text(f"{head}99001,2022,2022-2025,1500,90,9\n")
    assert "Trước hết" not in typed("evalkit check data", "vi")[1]


def test_a_site_in_a_language_that_no_notebook_was_run_in_is_refused(typed, tmp_path):
    (tmp_path / "out" / "private" / "99001" / "vi").mkdir(parents=True)
    RunSummary(()).save(tmp_path / "out" / "private")
    status, _, err = typed("evalkit publish --out out", "vi")
    assert status == 2
    assert "chỉ có sổ tay bằng vi" in err
    assert "no build there" in typed("evalkit publish --out out --langs vi")[2]  # what is missing next


def test_a_dry_run_of_a_report_names_the_notebooks_and_writes_nothing(typed, tmp_path):
    starter(tmp_path / "data")
    status, out, err = typed("evalkit report data --langs vi --place 99001 --place 'Ví Dụ Một' --dry-run")
    assert status == 0, err
    assert "99001/vi/credit" in out
    assert "6 to run, 0 unchanged" in out
    assert not (tmp_path / "out").exists()


def test_brackets_in_an_error_of_a_notebook_are_printed_as_they_are(capsys):
    row = Row(
        **{f.name: None for f in Row.__dataclass_fields__.values()}
        | {"name": "99001/vi/credit", "status": "failed", "seconds": 1.0, "memory_mb": 80.0}
        | {"error": "KeyError: [/red] and [bold]"}
    )
    Console(width=200).print(RunSummary((row,), 1.0))
    assert "KeyError: [/red] and [bold]" in capsys.readouterr().out


def test_a_reader_of_a_notebook_sees_the_sentence_and_their_own_line():
    def users_line():
        raise DataError("facts.csv: no column code. Add it.")

    try:
        users_line()
    except EvalkitError as error:
        shown = error._render_traceback_()
    assert shown == [
        f'line {_line_of("raise DataError(")}: raise DataError("facts.csv: no column code. Add it.")',
        "DataError: facts.csv: no column code. Add it.",
    ]


def _line_of(text):
    lines = Path(__file__).read_text(encoding="utf-8").splitlines()
    return next(i for i, line in enumerate(lines, 1) if line.strip().startswith(text))


def test_frames_of_evalkit_are_left_out_of_what_a_notebook_shows(tmp_path):
    import evalkit as ek

    try:
        ek.open_dataset(tmp_path / "none")
    except DataError as error:
        shown = "\n".join(error._render_traceback_())
    assert "src/evalkit" not in shown
    assert re.match(r"line \d+: ek\.open_dataset\(tmp_path / \"none\"\)\nDataError: ", shown)
