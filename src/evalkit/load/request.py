"""`evalkit request PLACE`: the forms and the letter that ask for what is missing of one place."""

from dataclasses import dataclass
from pathlib import Path

import pandas as pd

from evalkit.errors import DataError
from evalkit.load import forms, places, reference, schema
from evalkit.load.dataset import open_dataset
from evalkit.load.said import Said
from evalkit.load.terms import TOTAL
from evalkit.load.text import slug

FORMS = ("credit", "groups", "poverty", "income")
_BANK = ("Phòng giao dịch Ngân hàng Chính sách xã hội {district}", "the bank's district office")
_COMMITTEE = ("Ủy ban nhân dân {unit}", "the people's committee")
_OFFICES = {
    "bank": (_BANK,),
    "committee": (_COMMITTEE,),
    "statistics": (_COMMITTEE, ("Cơ quan thống kê", "the statistics office")),
}
_REMARKS = {
    "credit": (
        "Dòng “Tổng cộng”: số hộ không trùng (mỗi hộ đếm một lần, dù vay mấy chương trình); số món là số lượt vay. "
        "Chương trình xã không có thì để trống dòng. · Total row: distinct households; leave unused programmes empty."
    ),
    "groups": "Mỗi tổ một dòng cho mỗi năm, số liệu ngày 31/12. · One row for each group and year, at 31 December.",
    "poverty": (
        "Kết quả rà soát cuối năm; năm 2015 và 2021 ghi cả hai chuẩn. · Year-end review; 2015 and 2021 on both standards."
    ),
    "income": (
        "Thu nhập bình quân đầu người một năm; cột “Cách thu thập” ghi sẵn xã tự điều tra, xin sửa nếu khác. "
        "· Income per person and year; correct the basis where the commune didn't survey it itself."
    ),
}


@dataclass(frozen=True)
class Request:
    """What is asked for about one place: ``rows`` are {table: rows of the form, keys filled in}.

    unit: the place (a row); successor: the one it went into, or None; parts: the units that lay there.
    """

    unit: object
    successor: object
    parts: tuple
    years: tuple
    rows: dict


def write(place, data, out):
    """Write the forms (.xlsx) and the covering letter (.md) that ask for what the data set lacks of a place.

    place: code or name; data: folder of the data set; out: folder to write to. Returns the two paths.
    Only what is missing is asked for: for each year of the data set, on the boundaries of that year, both
    counts of the years in which the poverty standard changes, distinct households beside loans.
    Raises PlaceError for an unknown or ambiguous place, DataError where nothing is missing.
    """
    asked = missing(place, open_dataset(data))
    if not any(table in asked.rows for table in FORMS):
        raise DataError(
            Said(
                "{place}: every year of {tables} is there; nothing is to be asked for.",
                place=asked.unit.name,
                tables=", ".join(FORMS),
            )
        )
    out = Path(out)
    out.mkdir(parents=True, exist_ok=True)
    stem = f"{slug(asked.unit.name)}-{asked.unit.place}"
    book_path, letter_path = out / f"de-nghi-so-lieu-{stem}.xlsx", out / f"thu-de-nghi-{stem}.md"
    book = forms.workbook()
    for table, rows in asked.rows.items():
        remark = f"{_REMARKS[table]} {_called(asked.unit)}: {_years(rows)}."
        forms.add_sheet(book, table, rows if "group" not in schema.key(table) else [], remark=remark)
    forms.add_guide(book, list(asked.rows), _guide(asked))
    book.save(book_path)
    letter_path.write_text(letter(asked, book_path.name), encoding="utf-8")
    return book_path, letter_path


def missing(place, dataset):
    """Return the ``Request`` for a place: the rows that the tables of a data set lack of it, keys filled in."""
    units = dataset.places
    identity = places.find(place, units, set(units["place"]))
    unit = next(units[units["place"] == identity].itertuples())
    first, last = dataset.settings["data"]["years"]
    years = tuple(range(first, last + 1))
    by_year = {year: _boundaries(unit, units, year) for year in years}
    parts = tuple({part.place: part for own in by_year.values() for part in own}.values())
    rows = {}
    for table in FORMS:
        have = _held(dataset, table)
        wanted = [row for year in years for part in by_year[year] for row in _rows(table, part, year, have)]
        if wanted:
            rows[table] = wanted
    return Request(unit, places.successor(unit, units), parts, years, rows)


def _boundaries(unit, units, year):
    """The units that lay where the place lies, at the end of a year: itself, or those that it was formed from."""
    day = pd.Timestamp(year, 12, 31)
    if pd.notna(unit.valid_from) and unit.valid_from > day:
        before = [p for p in places.predecessors(unit, units) if not p.valid_to < pd.Timestamp(year, 1, 1)]
        return [found for part in before for found in _boundaries(part, units, year)]
    return [unit]  # the bank's offices keep figures on the old boundaries after a merger


def _held(dataset, table):
    """The (place, year[, standard]) of which a table has figures."""
    frame = dataset.tables.get(table)
    if frame is None:
        return set()
    columns = ["place", "year", *(["standard"] if table == "poverty" else [])]
    return set(frame[columns].itertuples(index=False, name=None))


def _rows(table, unit, year, have):
    at = {"code": unit.code, "name": unit.name, "year": year}
    if table == "poverty":
        standards = reference.standards_of_year(year)
        return [at | {"standard": s} for s in standards if (unit.place, year, s) not in have]
    if (unit.place, year) in have:
        return []
    if table == "credit":
        started = reference.programmes()["started_on"]
        running = started.index[started.isna() | (started.dt.year <= year)]
        return [at | {"programme": code} for code in (*running, TOTAL)]
    return [at | {"per": "year", "basis": "self_survey"}] if table == "income" else [at]


def _guide(asked):
    return [
        f"Đề nghị cung cấp số liệu về {_called(asked.unit)} · Data asked for about {asked.unit.name}",
        "Mỗi bảng một trang tính; đừng đổi tên trang và tiêu đề cột. · One sheet per table; keep sheet names and headers.",
        "Ô không có số liệu thì để trống, đừng ghi 0. · Leave a cell empty where nothing is known; don't write 0.",
        "Thêm dòng nếu cần. · Add rows where needed.",
    ]


def _called(unit):
    return f"{unit.type} {unit.name} ({unit.code})" if pd.notna(unit.type) else f"{unit.name} ({unit.code})"


def letter(asked, workbook):
    """Return the covering letter in Vietnamese, each part with its English gloss (Markdown)."""
    unit, first, last = asked.unit, asked.years[0], asked.years[-1]
    where = ", ".join(str(x) for x in (unit.district, unit.province) if pd.notna(x))
    needs = reference.table("data_requests").set_index("table")
    lines = [
        f"# Đề nghị cung cấp số liệu: {_called(unit)}",
        f"*Request for data: {unit.name}, {where}*",
        f"Kính gửi: {_addressees(asked, needs.loc[list(asked.rows), 'office'], 0)}",
        f"*To: {_addressees(asked, needs.loc[list(asked.rows), 'office'], 1)}*",
        f"Chúng tôi đánh giá tín dụng chính sách tại {_called(unit)}, {where}, giai đoạn {first}–{last}. Số liệu đã "
        "công bố chưa đủ, vì vậy kính đề nghị quý cơ quan cung cấp các bảng dưới đây, bằng cách điền vào tệp "
        f"`{workbook}` gửi kèm và gửi lại nguyên dạng.",
        f"*We evaluate policy credit in {unit.name}, {first}–{last}. Published figures are not enough; please fill in "
        "the attached workbook and send it back as it is.*",
        "## Địa giới · Boundaries",
        *_boundary_lines(asked),
        "## Các bảng đề nghị · Tables asked for",
        *(line for table in asked.rows for line in _table_lines(table, asked, needs.loc[table])),
        "Mức khẳng định của báo cáo: L0 mô tả một địa phương; L1 so sánh với địa phương khác; L2 mối liên hệ trên nhiều "
        "xã; L3 thiết kế có nhóm so sánh, vượt qua các kiểm định.",
        "*Levels of a claim: L0 one place described; L1 compared with others; L2 association across communes; L3 a design "
        "with a comparison group that passes its tests.*",
        "## Có thể cung cấp sau · What would help further",
        *(_further(table, needs.loc[table]) for table in ("loans", "comparison", "households")),
        "## Cam kết · Undertaking",
        "Số liệu chỉ dùng cho đánh giá này; số đếm nhỏ được ẩn khi công bố; không cần họ tên và số giấy tờ của người vay. "
        "Ô không có số liệu xin để trống, không ghi 0.",
        "*Used for this evaluation only; small counts are hidden on publication; no names or identity numbers are needed. "
        "Please leave unknown cells empty rather than zero.*",
        "Người liên hệ, điện thoại, thư điện tử: …………………… · *Contact*",
        "Xin gửi lại trước ngày: ……/……/………… · *Please return by*",
        "Trân trọng cảm ơn. · *With thanks.*",
    ]
    return "\n\n".join(lines) + "\n"


def _addressees(asked, offices, lang):
    """The offices in a language, each once: "Ủy ban nhân dân xã Hương Nộn; Cơ quan thống kê"."""
    unit, after = asked.unit, asked.successor
    name = f"{unit.type} {unit.name}" if pd.notna(unit.type) else unit.name
    if after is not None:  # its committee went with the unit
        name += f" (nay là {after.type} {after.name})"
    known = {"unit": name, "district": "" if pd.isna(unit.district) else unit.district}
    named = dict.fromkeys(each for office in offices for each in _OFFICES[office])
    return "; ".join(each[lang].format(**known).strip() for each in named)


def _boundary_lines(asked):
    if len(asked.parts) == 1 and asked.parts[0].place == asked.unit.place:
        yield f"Theo địa giới {_called(asked.unit)} trong mọi năm. · *On the boundary of this unit in every year.*"
    else:
        yield (
            "Theo địa giới cũ của từng năm, không cộng gộp. · *On the old boundaries of each year, not added together:*"
        )
        yield "\n".join(f"- {_called(part)}{_until(part)}" for part in asked.parts)
    if pd.notna(asked.unit.valid_to):
        yield (
            f"Đơn vị đã sáp nhập từ ngày {asked.unit.valid_to + pd.Timedelta(days=1):%d/%m/%Y}; xin cung cấp theo địa giới "
            "cũ (điểm giao dịch xã cũ). · *The unit has merged since; please deliver on the old boundary.*"
        )


def _until(part):
    return f", đến {part.valid_to:%d/%m/%Y}" if pd.notna(part.valid_to) else ""


def _table_lines(table, asked, need):
    label, rows = schema.resource(table)["label"], asked.rows[table]
    vi, en = (_addressees(asked, [need["office"]], lang) for lang in (0, 1))
    yield f"### {label['vi']} · {label['en']}"
    yield f"- Bên điền: {vi} · *filled in by {en}*"
    yield f"- Nội dung: {need['what_vi']}. · *{need['what_en']}.*"
    yield f"- Các năm còn thiếu: {_years(rows)} · *years missing*"
    if table == "poverty" and (both := _bridges(rows)):
        yield f"- Năm {both}: hai dòng, mỗi dòng theo một chuẩn nghèo · *two counts, one on each standard*"
    if table == "credit":
        yield "- Dòng “Tổng cộng”: số hộ không trùng; số lượt vay ghi ở cột số món · *total row: distinct households*"
    claim = need["claim_vi"]
    yield (
        f"- Có bảng này, báo cáo {claim[0].lower()}{claim[1:]}. · *The report could then say: {need['claim_en']}.*"
    )


def _years(rows):
    years = sorted({row["year"] for row in rows})
    runs = []
    for year in years:
        if runs and runs[-1][-1] == year - 1:
            runs[-1].append(year)
        else:
            runs.append([year])
    return ", ".join(f"{run[0]}–{run[-1]}" if len(run) > 1 else str(run[0]) for run in runs)


def _bridges(rows):
    """The years that are asked for on more than one standard."""
    counts = pd.DataFrame(rows).groupby(["code", "year"]).size()
    return ", ".join(str(year) for year in sorted({year for _, year in counts.index[counts > 1]}))


def _further(table, need):
    label = schema.resource(table)["label"]["vi"] if table in schema.tables() else "So sánh"
    return f"- {label}: {need['what_vi']} ({need['whom_vi']}). {need['claim_vi']}. · *{need['claim_en']}.*"
