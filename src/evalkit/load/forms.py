"""Excel forms of the schema's tables: headers in both languages, units, drop-downs and explanations."""

from evalkit.errors import printable
from evalkit.load import reference, schema
from evalkit.load.deliveries import GUIDE_SHEETS
from evalkit.load.terms import TOTAL

GUIDE, LISTS = GUIDE_SHEETS
_MILLION_VND = "triệu đồng"
_HEADER = 3  # row of the header
_ROWS = 1000  # rows under the header that get drop-downs
_UNITS = {"percent": "%", "households": "hộ", "persons": "người", "loans": "món", "days": "ngày"}
_NAMED = ("credit", "groups", "poverty", "income")  # tables whose rows say the place's name beside its code
_KINDS = {
    "number": ("số", "number"),
    "integer": ("số nguyên", "whole number"),
    "date": ("ngày dd/mm/yyyy", "date dd/mm/yyyy"),
    "boolean": ("có hoặc không", "yes or no"),
    "string": ("chữ", "text"),
}


def columns(table):
    """Return the columns of a table's form: those of the schema without names of persons, and the place's name."""
    fields = schema.fields(table)
    kept = [n for n, f in fields.items() if f.get("constraints", {}).get("personal") != "drop"]
    return [kept[0], "name", *kept[1:]] if table in _NAMED else kept


def options(table, column):
    """Return what a cell of a column may say, as it is written in Vietnamese; empty where anything may stand."""
    if column == "programme":
        return [*reference.programmes()["name_vi"], "Tổng cộng"]
    if column == "standard":
        return [*reference.standards().query("measured_by == 'review'").index]
    if column not in schema.fields(table):
        return []
    field = schema.fields(table)[column]
    limits = field.get("constraints", {})
    labels = limits.get("enumLabels", {})
    if field["type"] == "boolean":
        return ["có", "không"]
    return [labels[name][0] if name in labels else name for name in limits.get("enum", ())]


def written(table, column, value):
    """Return a typed value as the form writes it: names for codes, million VND for amounts."""
    if column == "programme":
        return "Tổng cộng" if value == TOTAL else reference.programmes()["name_vi"].get(value, value)
    field = schema.fields(table).get(column, {})
    labels = field.get("constraints", {}).get("enumLabels", {})
    if value in labels:
        return labels[value][0]
    if isinstance(value, bool):
        return "có" if value else "không"
    return value / 1e6 if field.get("unit") == "VND" and value is not None else value


def add_sheet(book, table, rows, remark=""):
    """Add a table's form to a workbook, with ``rows`` (dicts of typed values) filled in; return the sheet.

    remark: a line under the title, such as who fills the form in.
    """
    from openpyxl.comments import Comment
    from openpyxl.styles import Alignment, Font, PatternFill
    from openpyxl.utils import get_column_letter

    label = schema.resource(table)["label"]
    sheet = book.create_sheet(label["vi"])
    sheet.append([f"{label['vi'].upper()} · {label['en']}"])
    _append(sheet, [remark or " "])
    names = columns(table)
    sheet.append([f"{header(table, name)}\n{english(table, name)}" for name in names])
    for row in rows:
        _append(sheet, [written(table, name, row.get(name)) for name in names])
    sheet["A1"].font = Font(bold=True, size=13)
    sheet["A2"].font = Font(italic=True)
    for j, name in enumerate(names, start=1):
        letter = get_column_letter(j)
        top = sheet.cell(_HEADER, j)
        top.font = Font(bold=True, color="FFFFFF")
        top.fill = PatternFill("solid", fgColor="1F4E79" if name in schema.required(table) else "5B7FA6")
        top.alignment = Alignment(wrap_text=True, vertical="top")
        top.comment = Comment("\n".join(explanation(table, name)), "evalkit", width=320, height=140)
        sheet.column_dimensions[letter].width = max(12, min(34, len(header(table, name)) + 2))
        _format_column(sheet, table, name, letter)
        _add_drop_down(book, sheet, table, name, letter)
    sheet.freeze_panes = f"{'C' if table in _NAMED else 'B'}{_HEADER + 1}"
    return sheet


def header(table, name):
    """Return a column's header in Vietnamese with its unit: "Tổng dư nợ (triệu đồng)"."""
    if name == "name" and name not in schema.fields(table):
        return "Tên xã"
    field = schema.fields(table)[name]
    unit = _MILLION_VND if field.get("unit") == "VND" else "%" if field.get("unit") == "percent" else ""
    return f"{field['label']['vi']} ({unit})" if unit else field["label"]["vi"]


def english(table, name):
    """Return a column's header in English."""
    return schema.fields(table)[name]["label"]["en"] if name in schema.fields(table) else "Name"


def explanation(table, name):
    """Return what belongs into a column, one line in Vietnamese and one in English."""
    if name not in schema.fields(table):
        return (
            "Tên xã, để đối chiếu với mã.",
            "The place's name, to be compared with its code.",
        )
    field = schema.fields(table)[name]
    limits = field.get("constraints", {})
    vi, en = _KINDS[field["type"]]
    unit = field.get("unit")
    if unit == "VND":
        vi, en = f"{vi}, {_MILLION_VND}", f"{en}, million VND"
    elif unit and unit != "count":
        vi, en = f"{vi}, {_UNITS.get(unit, unit)}", f"{en}, {unit}"
    if options(table, name):
        vi, en = "chọn trong danh sách", "choose from the list"
    need = (
        ("bắt buộc", "required")
        if limits.get("required")
        else ("để trống nếu không có", "leave empty if unknown")
    )
    return f"{field['label']['vi']}: {vi}; {need[0]}.", f"{field['label']['en']}: {en}; {need[1]}."


def _format_column(sheet, table, name, letter):
    """Give the column its number format, for the cells that are there and for those still to be filled in."""
    kind = schema.fields(table).get(name, {"type": "string"})["type"]
    form = {"string": "@", "date": "dd/mm/yyyy", "number": "#,##0.###", "integer": "0"}.get(kind)
    if form:
        sheet.column_dimensions[letter].number_format = form
        for i in range(_HEADER + 1, sheet.max_row + 1):
            sheet[f"{letter}{i}"].number_format = form


def _add_drop_down(book, sheet, table, name, letter):
    from openpyxl.worksheet.datavalidation import DataValidation

    choices = options(table, name)
    vi, en = explanation(table, name)
    if choices:
        rule = DataValidation(type="list", formula1=_listed(book, name, choices), allow_blank=True)
        rule.error, rule.errorTitle = (
            "Chọn một mục trong danh sách. · Choose from the list.",
            header(table, name)[:30],
        )
        rule.showErrorMessage = name not in ("programme",)
    else:
        rule = DataValidation(allow_blank=True)
    rule.promptTitle, rule.prompt, rule.showInputMessage = header(table, name)[:30], f"{vi}\n{en}"[:250], True
    sheet.add_data_validation(rule)
    rule.add(f"{letter}{_HEADER + 1}:{letter}{_HEADER + _ROWS}")


def _listed(book, name, choices):
    """The range of the sheet of lists that holds the choices of a column."""
    from openpyxl.utils import get_column_letter

    sheet = book[LISTS] if LISTS in book.sheetnames else book.create_sheet(LISTS)
    heads = [cell.value for cell in sheet[1]]
    j = heads.index(name) + 1 if name in heads else len([h for h in heads if h]) + 1
    for i, text in enumerate([name, *choices], start=1):
        sheet.cell(i, j).value = text
    letter = get_column_letter(j)
    return f"='{LISTS}'!${letter}$2:${letter}${len(choices) + 1}"


def add_guide(book, tables, lines):
    """Add the sheet that explains the forms: ``lines`` first, then each column of each table, in both languages."""
    from openpyxl.styles import Alignment, Font

    sheet = book.create_sheet(GUIDE, 0)
    for line in lines:
        _append(sheet, [line])
    for table in tables:
        resource = schema.resource(table)
        sheet.append([])
        sheet.append([f"{resource['label']['vi']} · {resource['label']['en']}"])
        sheet.cell(sheet.max_row, 1).font = Font(bold=True)
        sheet.append([f"Mỗi dòng: {resource['row']['vi']} · One row: {resource['row']['en']}"])
        for name in columns(table):
            sheet.append(list(explanation(table, name)))
    sheet.column_dimensions["A"].width = sheet.column_dimensions["B"].width = 70
    for row in sheet.iter_rows():
        for cell in row:
            cell.alignment = Alignment(wrap_text=True, vertical="top")
    if LISTS in book.sheetnames:
        book.move_sheet(LISTS, offset=len(book.sheetnames))
        book[LISTS].sheet_state = "hidden"
    return sheet


def _append(sheet, values):
    """Add a row in which every text stays text: none becomes a formula, none holds what a sheet can't."""
    sheet.append([printable(value) if isinstance(value, str) else value for value in values])
    for cell in sheet[sheet.max_row]:
        if cell.data_type == "f":
            cell.data_type = "s"


def workbook():
    """Return an empty workbook."""
    from openpyxl import Workbook

    book = Workbook()
    book.remove(book.active)
    return book
