"""Files that lie about themselves: each is read for what it holds, or refused with its name and the mend."""

import ast
import datetime
import subprocess
import sys
import zipfile

import hostile_files as made
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

sys.path.insert(0, str(made.TESTS / "load"))
import xls_book

from evalkit.errors import DataError
from evalkit.load.spreadsheet import read_spreadsheet
from evalkit.load.workbook.xlsx import shows_percent

OUTSTANDING = 1_234_500_000
PLAIN = [made.HEADER, made.ROW]
LINE = ";".join(made.HEADER) + "\n" + ";".join(made.ROW) + "\n"


def amounts(path):
    return read_spreadsheet(path, table="credit").frame["outstanding_vnd"].tolist()


def sheet(path, more, **other):
    return made.archive(path, made.parts(made.rows(*more), **other))


def line(i, amount, programme="Hộ nghèo"):
    """Row ``i`` of a sheet, its amount given as a cell."""
    texts = zip("ABC", ["08473", str(2010 + i), programme], strict=True)
    return f'<row r="{i}">' + "".join(made.inline(f"{at}{i}", t) for at, t in texts) + amount + "</row>"


def refused(path, *parts, table="credit"):
    with pytest.raises(DataError) as raised:
        read_spreadsheet(path, table=table)
    said = str(raised.value)
    assert path.name in said
    assert all(part in said for part in parts), said


# Formulas, links, macros: never calculated, never followed; only what was stored counts.

FORMULAS = {
    "a link to another workbook": "'[1]Dư nợ'!$B$2",
    "a program by DDE": "cmd|' /C calc'!A0",
    "a web request": 'WEBSERVICE("http://example.org/")',
    "itself": "D3",
}


@pytest.mark.parametrize("formula", FORMULAS.values(), ids=FORMULAS)
def test_a_formula_counts_by_its_stored_result_alone(tmp_path, formula):
    with_result = line(3, f'<c r="D3"><f>{formula}</f><v>7</v></c>')
    without = line(4, f'<c r="D4"><f>{formula}</f></c>') + line(5, f'<c r="D5"><f>{formula}</f><v></v></c>')
    shared = line(6, '<c r="D6"><f t="shared" si="0"/></c>')
    error = line(7, f'<c r="D7" t="e"><f>{formula}</f><v>#REF!</v></c>')
    reading = read_spreadsheet(
        sheet(tmp_path / "credit.xlsx", [with_result, without, shared, error]), table="credit"
    )
    assert reading.frame["outstanding_vnd"].tolist() == [OUTSTANDING, 7_000_000]
    faults = reading.rejected.dropna(subset="column").set_index("row")
    assert faults.index.tolist() == [4, 5, 6, 7]
    assert faults.at[7, "value"] == "#REF!"
    assert faults["reason"].str.contains("formula|error of the spreadsheet").all()


def test_a_formula_with_an_empty_text_as_its_result_is_an_empty_cell(tmp_path):
    path = sheet(tmp_path / "a.xlsx", [line(3, '<c r="D3" t="str"><f>IF(1,"")</f><v></v></c>')])
    reading = read_spreadsheet(path, table="credit")
    assert reading.frame["outstanding_vnd"].isna().tolist() == [False, True]


def test_macros_and_links_in_a_workbook_are_left_alone(tmp_path):
    path = sheet(
        tmp_path / "credit.xlsm",
        [],
        xl__vbaProject_bin=b"\xd0\xcf\x11\xe0 Sub Auto_Open() Shell calc",
        xl__externalLinks__externalLink1_xml=f'<externalLink xmlns="{made.MAIN}"/>',
        xl__connections_xml=f'<connections xmlns="{made.MAIN}"><connection id="1" url="http://example.org"/></connections>',
    )
    before = sorted(tmp_path.iterdir())
    assert amounts(path) == [OUTSTANDING]
    assert sorted(tmp_path.iterdir()) == before


# Percentages and errors however a program writes them.


@pytest.mark.parametrize(
    ("code", "shown"),
    [("0.00%", True), ('0.00"%"', False), (r"0.00\%", False), ("[Red]0%;[Blue]-0%", True), ("0_%", False)],
)
def test_only_a_percent_sign_that_multiplies_makes_a_percentage(code, shown):
    assert shows_percent(code) == shown


@pytest.mark.parametrize(("code", "value"), [("0.00%", 4.25), ('0.00"%"', 0.0425), (r"0.00\%", 0.0425)])
def test_a_share_is_read_as_it_is_shown(tmp_path, code, value):
    cells = [["Mã xã", "Năm", "Chuẩn nghèo", "Số hộ nghèo", "Tỷ lệ hộ nghèo (%)"]]
    cells.append(["08473", 2019, "2016-2020", 85, 0.0425])
    path = made.workbook(tmp_path / "poverty.xlsx", cells, formats={"E2": code})
    assert read_spreadsheet(path, table="poverty").frame["poor_pct"].tolist() == [value]


@pytest.mark.parametrize("style", ["prefixed", "single quotes", "no references", "strict"])
def test_percentages_and_errors_in_the_xml_of_other_programs(tmp_path, style):
    cells = [["Mã xã", "Năm", "Chuẩn nghèo", "Số hộ nghèo", "Tỷ lệ hộ nghèo (%)"]]
    cells += [["08473", 2019, "2016-2020", 85, 0.0425], ["08474", 2019, "2016-2020", 85, "=1/0"]]
    path = made.workbook(tmp_path / "poverty.xlsx", cells, formats={"E2": "0.00%"})
    with zipfile.ZipFile(path) as file:
        parts = {name: file.read(name).decode() for name in file.namelist()}
    name = "xl/worksheets/sheet1.xml"
    xml = parts[name].replace('<c r="E3"><f>1/0</f><v /></c>', '<c r="E3" t="e"><f>1/0</f><v>#DIV/0!</v></c>')
    assert 't="e"' in xml
    if style == "prefixed":
        for tag in ("worksheet", "sheetData", "row", "c", "v", "is", "t", "f"):
            xml = (
                xml.replace(f"<{tag} ", f"<x:{tag} ")
                .replace(f"<{tag}>", f"<x:{tag}>")
                .replace(f"</{tag}>", f"</x:{tag}>")
            )
        xml = xml.replace("xmlns=", "xmlns:x=")
        for tag in (
            "sheetPr",
            "outlinePr",
            "pageSetUpPr",
            "dimension",
            "sheetViews",
            "sheetView",
            "selection",
            "sheetFormatPr",
            "pageMargins",
        ):
            xml = xml.replace(f"<{tag}", f"<x:{tag}").replace(f"</{tag}", f"</x:{tag}")
    elif style == "single quotes":
        xml = xml.replace('"', "'")
    elif style == "no references":
        for at in ("A1", "B1", "C1", "D1", "E1", "A2", "B2", "C2", "D2", "E2", "A3", "B3", "C3", "D3", "E3"):
            xml = xml.replace(f'<c r="{at}"', "<c")
    else:
        xml = xml.replace(made.MAIN, "http://purl.oclc.org/ooxml/spreadsheetml/main")
        parts["xl/styles.xml"] = parts["xl/styles.xml"].replace(
            made.MAIN, "http://purl.oclc.org/ooxml/spreadsheetml/main"
        )
    made.archive(path, parts | {name: xml})
    reading = read_spreadsheet(path, table="poverty")
    assert reading.frame["poor_pct"].tolist() == [4.25]
    assert reading.rejected.dropna(subset="column")["value"].tolist() == ["#DIV/0!"]


# Containers that are something else, or broken.


@pytest.mark.parametrize(
    ("name", "content", "said"),
    [
        ("credit.xlsx", b"%PDF-1.4", "a PDF document"),
        ("credit.xls", b"\r\n <html><table><tr><td>1", "a web page"),
        ("credit.xls", b'<?xml version="1.0"?><Workbook>', "an XML file"),
        ("credit.xls", rb"{\rtf1", "a text document"),
        ("credit.xlsx", LINE.encode(), "a text file"),
        ("credit.xlsx", b"", "can't be opened"),
        ("credit.xlsx", b"PK\x03\x04" + bytes(100), "can't be opened"),
        ("credit.xls", b"\xd0\xcf\x11\xe0" + bytes(5000), "can't be opened"),
        ("credit.xlsb", b"PK\x03\x04", ".xlsb files are not read"),
        ("credit.ods", b"PK\x03\x04", ".ods files are not read"),
    ],
)  # fmt: skip
def test_what_the_name_hides_is_said(tmp_path, name, content, said):
    (tmp_path / name).write_bytes(content)
    refused(tmp_path / name, said, "ave ")


def test_text_under_the_name_of_an_old_workbook_is_read(tmp_path):
    (tmp_path / "credit.xls").write_text(LINE.replace(";", "\t"), encoding="utf-16")
    assert amounts(tmp_path / "credit.xls") == [OUTSTANDING]


@pytest.mark.parametrize("kept", [0.3, 0.6, 0.95])
def test_a_cut_off_workbook_is_refused(tmp_path, kept):
    path = made.workbook(tmp_path / "credit.xlsx", PLAIN)
    data = path.read_bytes()
    path.write_bytes(data[: int(len(data) * kept)])
    refused(path, "can't be opened as a workbook")


def test_names_of_parts_that_lead_out_of_the_folder_write_nothing(tmp_path):
    inner = tmp_path / "a" / "b"
    inner.mkdir(parents=True)
    parts = made.parts() | {
        "../../escaped.txt": "x",
        "/tmp/evalkit-escaped.txt": "x",
        "xl/../../up.xml": "<x/>",
    }
    assert amounts(made.archive(inner / "credit.xlsx", parts)) == [OUTSTANDING]
    assert sorted(p.name for p in tmp_path.rglob("*")) == ["a", "b", "credit.xlsx"]


@pytest.mark.filterwarnings("ignore:Duplicate name")
def test_a_workbook_that_says_one_thing_twice_is_refused(tmp_path):
    twice = [
        *made.parts().items(),
        ("xl/worksheets/sheet1.xml", made.parts(made.rows(line(3, "")))["xl/worksheets/sheet1.xml"]),
    ]
    refused(made.archive(tmp_path / "credit.xlsx", twice), "two parts of one name")


def test_two_sheets_of_one_name_are_refused(tmp_path):
    parts = made.parts()
    for part, old, new in (
        ("xl/workbook.xml", "</sheets>", '<sheet name="A" sheetId="2" r:id="rId3"/></sheets>'),
        ("xl/_rels/workbook.xml.rels", "</Relationships>", '<Relationship Id="rId3" Type="http://schemas.openxmlformats.org/officeDocument/2006/relationships/worksheet" Target="worksheets/sheet2.xml"/></Relationships>'),
    ):  # fmt: skip
        parts[part] = parts[part].replace(old, new)
    parts["xl/worksheets/sheet2.xml"] = parts["xl/worksheets/sheet1.xml"]
    refused(made.archive(tmp_path / "credit.xlsx", parts.items()), "two sheets of one name")


def test_a_password_is_said(tmp_path):
    path = xls_book.save(tmp_path / "credit.xls", [("A", PLAIN, [])])
    data = path.read_bytes()
    encrypted = tmp_path / "book.xls"
    encrypted.write_bytes(data.replace(b"\x42\x00\x02\x00\xb0\x04", b"\x2f\x00\x02\x00\x01\x00"))
    refused(encrypted, "protected by a password", "save the file again")


@pytest.mark.parametrize("place", ['r="A0"', 'r="0"', 'r="D"', 'r="$D$2"'])
def test_a_cell_that_lies_nowhere_spoils_no_other(tmp_path, place):
    """Row 0 would count from the end, and an error there take the place of the last row's figure."""
    stray = f'<row r="3"><c {place} t="e"><v>#REF!</v></c></row>'
    refused(sheet(tmp_path / "credit.xlsx", [stray]), "no cell can be called")


def test_hidden_rows_columns_and_sheets_are_read_and_said(tmp_path):
    cells = [*PLAIN, ["08474", 2019, "Hộ nghèo", "5"]]
    path = made.workbook(tmp_path / "credit.xlsx", cells)
    import openpyxl

    book = openpyxl.load_workbook(path)
    book.active.row_dimensions[3].hidden = True
    book.active.column_dimensions["B"].hidden = True
    book.save(path)
    reading = read_spreadsheet(path, table="credit")
    assert len(reading.frame) == 2
    assert any("hidden, and read all the same: rows 3; columns B" in note for note in reading.notes)


@pytest.mark.parametrize("column", ["D", "E"])
def test_a_figure_merged_over_two_places_is_neither_ones(tmp_path, column):
    import openpyxl

    rows = [[*row, count] for row, count in zip(PLAIN, ("Số khách hàng còn dư nợ", 10), strict=True)]
    rows += [["08474", 2019, "Hộ nghèo", 7, 20], ["08475", 2019, "Hộ nghèo", 8, 30]]
    path = made.workbook(tmp_path / "credit.xlsx", rows)
    book = openpyxl.load_workbook(path)
    book.active.merge_cells(f"{column}2:{column}3")
    book.save(path)
    reading = read_spreadsheet(path, table="credit")
    assert reading.frame["code"].tolist() == ["08475"]
    aside = reading.rejected.set_index("row")["reason"]
    assert aside[2] == aside[3]
    assert "is merged over rows 2 to 3" in aside[2]


def test_a_merge_that_reaches_below_the_table_changes_nothing(tmp_path):
    import openpyxl

    path = made.workbook(tmp_path / "credit.xlsx", PLAIN)
    book = openpyxl.load_workbook(path)
    book.active.merge_cells("D2:D3")
    book.save(path)
    assert read_spreadsheet(path, table="credit").frame["outstanding_vnd"].tolist() == [OUTSTANDING]


# Text files.


def text(path, content):
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return path


def test_one_zero_byte_is_damage_and_no_utf_16(tmp_path):
    refused(text(tmp_path / "credit.csv", LINE + "08474;2019;Hộ ng\0hèo;5\n"), "row 3", "zero bytes")


@pytest.mark.parametrize("encoding", ["utf-16", "utf-16-le", "utf-16-be"])
def test_utf_16_with_and_without_its_mark(tmp_path, encoding):
    assert amounts(text(tmp_path / "credit.csv", LINE.encode(encoding))) == [OUTSTANDING]


@pytest.mark.parametrize("cut", ["odd byte", "half a surrogate"])
def test_broken_utf_16_is_refused(tmp_path, cut):
    data = LINE.encode("utf-16-le")
    data = data[:-1] if cut == "odd byte" else data + b"\x00\xd8;\0"
    refused(text(tmp_path / "credit.csv", data), "zero bytes")


def test_half_a_surrogate_in_utf_8_and_two_encodings_in_one_file(tmp_path):
    lines = [";".join(made.HEADER), ";".join(made.ROW), "08474;2019;Hộ nghèo;5"]
    half = b"08475;2019;H\xed\xa0\x80;6"
    old = b"08476;2019;" + b"H\xe9 ngh\xeco;7"  # TCVN3
    data = b"\n".join([*(line.encode() for line in lines), half, old])
    frame = read_spreadsheet(text(tmp_path / "credit.csv", data), table="credit").frame.set_index("code")
    assert frame["outstanding_vnd"].tolist() == [OUTSTANDING, 5e6, 6e6, 7e6]
    assert frame.at["08474", "programme"] == "Hộ nghèo"


@pytest.mark.parametrize("closed_again", [False, True])
def test_an_open_quotation_mark_swallows_no_rows(tmp_path, closed_again):
    rows = [f"{8473 + i:05d};2019;Hộ nghèo;{i + 1}" for i in range(9)]
    rows[3] = rows[3].replace("Hộ nghèo", '"Hộ nghèo')
    if closed_again:
        rows[6] = rows[6].replace("Hộ nghèo", 'Hộ nghèo"')
    content = ";".join(made.HEADER) + "\n" + "\n".join(rows) + "\n"
    refused(text(tmp_path / "credit.csv", content), "row 5", "quotation mark")


def test_a_decimal_comma_in_a_file_of_commas_moves_no_figure_into_another_column(tmp_path):
    head = ",".join([*made.HEADER, "Số khách hàng còn dư nợ"])
    lines = [
        head,
        "08473,2019,Hộ nghèo,1.234,5,100",
        "08474,2019,Hộ nghèo,2000,200",
        "08475,2019,Hộ nghèo,3,4,,",
    ]
    reading = read_spreadsheet(text(tmp_path / "credit.csv", "\n".join(lines)), table="credit")
    assert reading.frame["code"].tolist() == ["08474", "08475"]
    assert reading.frame["outstanding_vnd"].tolist() == [2_000_000_000, 3_000_000]
    assert "more cells than the 5 of the header" in reading.rejected.set_index("row")["reason"][2]


def test_a_cell_of_two_lines_and_quotes_inside_a_cell_stay(tmp_path):
    content = 'Mã xã;Năm;Chương trình;"Dư nợ\n(triệu đồng)";Ghi chú\n08473;2019;Hộ nghèo;5;"Tổ ""Đoàn Kết""\nkhu 3; khu 4"\n'
    frame = read_spreadsheet(text(tmp_path / "credit.csv", content), table="credit").frame
    assert frame["outstanding_vnd"].tolist() == [5e6]


def test_lines_end_where_a_table_says_and_not_at_rare_separators(tmp_path):
    content = LINE + "08474;2019;Hộ\u2028nghèo\x0cmới\x85;5\n"
    reading = read_spreadsheet(text(tmp_path / "credit.csv", content), table="credit")
    assert reading.frame["outstanding_vnd"].tolist() == [OUTSTANDING, 5e6]
    assert reading.rows_read == 3


@pytest.mark.parametrize("separator", ["\f", "\v", "\x1c", "\x85", "\u2028", "\u2029"])
def test_a_rare_separator_in_a_quoted_cell_ends_no_row(tmp_path, separator):
    """However many delimiters stand behind it, or commas in a file cut by semicolons."""
    note = f"xã{separator}huyện; tỉnh; cũ; mới; khác"
    rows = "".join(f'08473;2019;poor;{n};"{note}\nPhú Thọ"\n' for n in (5, 6))
    frame = read_spreadsheet(text(tmp_path / "a.csv", f"code;year;programme;loans;note\n{rows}")).frame
    assert frame["note"].unique() == ["xã huyện; tỉnh; cũ; mới; khác Phú Thọ"]
    many = f"code;note{separator}a,b{separator}c,d;year\n08473;x;2019\n"
    assert len(read_spreadsheet(text(tmp_path / "b.csv", many)).frame.columns) == 3


def test_a_mark_of_byte_order_in_the_middle_and_invisible_letters_change_no_code(tmp_path):
    content = LINE + "\ufeff08474;2019;Hộ ng\u200bhèo\u202e;5\n"
    frame = read_spreadsheet(text(tmp_path / "credit.csv", content), table="credit").frame
    assert frame["code"].tolist() == ["08473", "08474"]
    assert frame["programme"].tolist() == ["Hộ nghèo", "Hộ nghèo"]


# Parquet and Stata.


@pytest.mark.parametrize(
    ("column", "said"),
    [
        (pa.array([["a"]]), "list"),
        (pa.array([{"a": 1}]), "struct"),
        (pa.array([b"\x80"]), "binary"),
    ],
)
def test_values_within_values_are_refused(tmp_path, column, said):
    table = pa.Table.from_pandas(made.frame()).append_column("note", column)
    pq.write_table(table, tmp_path / "credit.parquet")
    refused(tmp_path / "credit.parquet", "“note”", said, "one value in each cell")


def test_a_table_is_read_whatever_its_types(tmp_path):
    frame = made.frame().assign(
        year=pd.Categorical([2019]), outstanding_vnd=pd.array([1_234_500_000], dtype="Int64")
    )
    frame = frame.set_index(["code", "year"])
    frame.to_parquet(tmp_path / "credit.parquet")
    read = read_spreadsheet(tmp_path / "credit.parquet", table="credit").frame
    assert read.iloc[0][["code", "year", "outstanding_vnd"]].tolist() == ["08473", 2019, OUTSTANDING]


def test_metadata_of_a_frame_can_run_nothing(tmp_path):
    """Pickles in the places where a reader might look for types: nothing is loaded from them."""
    mark = tmp_path / "executed"
    pickle = f"cposix\nsystem\n(S'touch {mark}'\ntR.".encode()
    schema = pa.schema(
        [pa.field("code", pa.string(), metadata={b"ARROW:extension:name": b"arrow.py_extension_type",
                                                  b"ARROW:extension:metadata": pickle}), pa.field("year", pa.int64())],
        metadata={b"pandas": b'{"index_columns": ["nowhere"], "columns": [{"name": "code", "numpy_type": "nonsense"}]}'},
    )  # fmt: skip
    path = tmp_path / "credit.parquet"
    pq.write_table(pa.table([pa.array(["08473"]), pa.array([2019])], schema=schema), path)
    with pytest.raises(DataError, match=r"credit\.parquet"):
        read_spreadsheet(path, table="credit")
    assert not mark.exists()


@pytest.mark.parametrize("kind", ["parquet", "dta"])
@pytest.mark.parametrize(
    "spoil", [lambda d: d[: len(d) // 2], lambda d: d[:20] + bytes(len(d) - 20), lambda d: b""]
)
def test_a_damaged_file_of_figures_is_refused(tmp_path, kind, spoil):
    path = tmp_path / f"credit.{kind}"
    made.frame().to_parquet(path) if kind == "parquet" else made.frame().to_stata(path, write_index=False)
    path.write_bytes(spoil(path.read_bytes()))
    with pytest.raises(DataError) as raised:
        read_spreadsheet(path, table="credit")
    assert "credit." in str(raised.value)


def test_dates_in_a_parquet_file_are_days_and_a_time_of_day_is_no_day(tmp_path):
    frame = pd.DataFrame({"code": ["08473"], "name": ["A"], "valid_from": [datetime.date(2020, 1, 1)]})
    frame.to_parquet(tmp_path / "communes.parquet")
    read = read_spreadsheet(tmp_path / "communes.parquet", table="communes").frame
    assert read.at[0, "valid_from"] == pd.Timestamp(2020, 1, 1)


def test_reading_starts_no_program_but_the_reader_and_opens_no_connection(tmp_path):
    """Python's own audit of a real run: sockets, programs and files opened for writing."""
    sheet(tmp_path / "credit.xlsx", [line(3, "<c r=\"D3\"><f>cmd|' /C calc'!A0</f><v>1</v></c>")])
    script = (
        "import sys\n"
        "from evalkit.load.spreadsheet import read_spreadsheet\n"
        "seen = []\n"
        "def hook(event, args):\n"
        "    writes = event == 'open' and isinstance(args[1], str) and set(args[1]) & set('wax+')\n"
        "    if event.startswith('socket.') or event in ('os.system', 'os.exec', 'subprocess.Popen') or writes:\n"
        "        seen.append((event, str(args)))\n"
        "sys.addaudithook(hook)\n"
        "read_spreadsheet('credit.xlsx', table='credit')\n"
        "print(seen)\n"
    )
    done = subprocess.run([sys.executable, "-c", script], cwd=tmp_path, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    seen = ast.literal_eval(done.stdout)
    assert len(seen) == 1
    assert "workbook/__main__.py" in seen[0][1]
