"""What the checks find: one row per fault, with where it stands, what was found and the mend.

The sentence of each rule is a template in English; it is also the message that the catalogues translate,
so that a report can say the same thing in the reader's language.
"""

import json

import numpy as np
import pandas as pd

from evalkit.load.said import Said

COLUMNS = [
    *("severity", "file", "row", "column", "value", "rule", "message"),
    *("place", "sheet", "key", "arguments", "table"),
]

SECTIONS = {
    "The folder and its files": {
        "empty_folder": "{file}: no table found. Put at least communes.csv there, or start with `evalkit new`.",
        "settings": "{file}: {fault}",
        "settings_of_the_example": (
            "{file}: the title is still that of the example, so every report would bear it and call the figures "
            "invented. Write your own title, source and rights, and real = true once the figures are real."
        ),
        "unreadable": "{file}: can't be read ({fault}). Save it again as CSV (UTF-8) or XLSX.",
        "not_understood": "{fault}",
        "file_not_read": "{file}: is named after no table{near}; it is not read.",
        "kind_not_read": "{file}: {kind} files aren't read. Save it as .csv, .xlsx, .xls, .parquet or .dta.",
        "not_a_file": "{file}: is {kind}, no file of this folder; it is not read. Put the file itself there.",
        "sheet_not_read": "{file}: the sheet is named after no table; it is not read.",
        "reading_note": "{note}",
        "measure_assumed": (
            "{file}: nothing says what the columns of programmes or years hold; they are read as {column}. "
            "Write it in the title, as in “Dư nợ theo chương trình”."
        ),
        "hidden_cells": "{file}: hidden, and read all the same: {parts}. Ask the office whether they count.",
        "marked_figures": "{file}: {count} figures of {column} are marked as {flag}.",
        "inexact_figures": (
            "{file}: {count} figures of {column} are printed as {flag}, and are reckoned with as if exact. "
            "Ask the office for the exact ones."
        ),
        "rows_set_aside": "{file}: {count} rows are set aside. {reasons}.",
        "empty_rows": "{file}: {count} rows hold no figure and are set aside: {rows}.",
        "personal_data": (
            "{file}: {column} names persons. It is left out here; ask the office for the table without it."
        ),
        "personal_key": (
            "{file}: {count} values of {column} are identity or telephone numbers. Running numbers stand for them "
            "here; ask the office for keys of its own."
        ),
    },
    "Columns and cells": {
        "missing_column": "{file}: column “{column}” is missing{near}. Add it, or rename the column that holds it.",
        "unknown_column": "{file}: column “{column}” is not known{near}; it is left aside.",
        "unit_unknown": (
            "{file}: column “{column}” states no unit. Write it behind the header, as in “{column} (triệu đồng)”, "
            "or above the table, as in “Đơn vị: triệu đồng”."
        ),
        "ragged_row": "{file}, row {row}: {found} cells under a header of {expected}. Put each value under its column.",
        "missing_value": "{file}, row {row}, {column}: empty, but every row needs it. Fill it in or remove the row.",
        "wrong_kind": "{file}, row {row}, {column}: {fault}",
        "out_of_bounds": (
            "{file}, row {row}, {column}: {value} is outside what is possible ({bounds}). Check digits and unit."
        ),
        "not_allowed": "{file}, row {row}, {column}: “{value}” is not one of {allowed}{near}.",
        "bad_format": "{file}, row {row}, {column}: “{value}” is not written as expected ({expected}).",
        "in_future": "{file}, row {row}, {column}: {value} is still to come. Check the date.",
        "duplicate_key": "{file}, row {row}: the same {key_columns} as in {first} ({value}). Keep one of them.",
        "repeated_row": "{file}, row {row}: says again what an earlier row says; it is set aside.",
        "repeated_delivery": "{file}: all {count} rows say again what {first} says; they are set aside.",
    },
    "Corrections and acknowledgements": {
        "corrected": "{file}, row {row}, {column}: {value} is corrected to {corrected} ({reason}).",
        "correction_fails": "corrections.csv, row {row}: {fault}",
        "not_acknowledgeable": (
            "dataset.toml: “{rule_name}” is a fault of the files and can't be acknowledged. Mend it there."
        ),
        "acknowledgement_unused": (
            "dataset.toml: nothing is found any more under the acknowledgement of “{rule_name}” for {subject} "
            "with the value {value}. Look at it again, or remove it."
        ),
    },
    "Places": {
        "unknown_place": "{file}, row {row}, code: “{value}” is not in communes{near}. Correct the code or add the place.",
        "name_not_unique": (
            "{file}, row {row}: {count} places of communes are called “{value}”. Give the code of the one that is meant."
        ),
        "code_under_other_name": (
            "{file}, row {row}: {code} is {name} on {date}, not “{printed}”. A code can live on under another name: "
            "give the unit that is meant."
        ),
        "name_differs": "{file}, row {row}: {code} is {name} in communes, “{printed}” here. Check which is meant.",
        "place_not_valid": (
            "{file}, row {row}: {subject} is dated {date}, when {name} did not exist ({start} – {end}). "
            "Check the date, or give the unit of that day."
        ),
        "counted_twice": (
            "{file}, row {row}: {name} has figures of {year}, and so has {successor}, into which it went on {date}. "
            "They would be counted twice: keep one boundary for each year."
        ),
        "foreign_letters": (
            "{file}, row {row}, {column}: “{value}” holds {letters}, which only look like letters of a name. "
            "Type the name anew."
        ),
        "dates_reversed": "{file}, row {row}: {name} ends ({end}) before it begins ({start}). Exchange the dates.",
        "units_overlap": (
            "{file}, row {row}: {name} and {other} have the code {code} at the same time. "
            "End the first before the second begins."
        ),
        "unknown_successor": (
            "{count} successors of {file} are not in communes ({rows}): their own figures can't be joined to the units "
            "they took over. Add them."
        ),
    },
    "One figure against another": {
        "group_size": "{members} members in {groups} groups are {found} per group; the law allows {minimum} to {maximum}.",
        "part_exceeds_whole": "{part} ({part_value}) is more than {whole} ({whole_value}), of which it is a part.",
        "ratio_mismatch": (
            "{rate} is printed as {printed} %, but {numerator} over {denominator} gives {computed} %. "
            "One of the three is misprinted."
        ),
        "different_denominators": (
            "{first} % and {second} % of the same page imply two totals, {first_total} and {second_total} households. "
            "One rate or count is misprinted, or they count different things."
        ),
        "denominator_households": (
            "{count} at {rate} % imply {total} in all: households, not the {population} inhabitants."
        ),
        "bridge_households": (
            "The two counts of {year} are of {first} and {second} households: "
            "one review, counted on two standards, has one total."
        ),
        "sum_mismatch": "{parts} add up to {found}, not to {expected}.",
        "missing_total": (
            "The office's total of {year} is missing, which other years have ({others}): the figures of {year} are the "
            "sum of the programmes listed ({count}), and fall where one of them isn't. Add the total."
        ),
        "stock_flow": (
            "Outstanding rose from {opening} to {closing}, but lending less collection and write-off is {flow}: "
            "a gap of {gap}."
        ),
        "review_flow": (
            "The poor went from {opening} to {closing} households, but those who fell back or became poor, "
            "less those who left, are {flow}."
        ),
        "groups_against_credit": "The groups hold {part} of an outstanding of {whole} ({found} %): some are probably missing.",
        "status_mismatch": "The loan is said to be {status}, but {amount} of it is {column}.",
        "more_households_than_people": (
            "{indicator} ({count}) can't be: the place has {population} inhabitants. A unit has slipped."
        ),
        "households_against_population": (
            "{count} ({indicator}) would hold at least {people} of {population} inhabitants: "
            "probably persons, or another count."
        ),
        "implausible_average": (
            "{indicator} is {found} per borrower, above the largest ceiling of any household programme ({ceiling})."
        ),
        "small_average": (
            "All programmes together come to {found} per borrower, less than what is possible ({least} or more): "
            "a unit has probably slipped."
        ),
    },
    "One year against another": {
        "no_growth": "{indicator} is the same on {first} and {second}: one of them was probably copied.",
        "copied_year": "{count} of {total} rows of {year} repeat every figure of {previous}: the year was probably copied.",
        "fast_growth": "{indicator} went from {first} to {second} between {start} and {end}, {rate} % a year: check both.",
        "households_jump": (
            "The households went from {first} to {second} within a year, and communes tells of no merger or split: "
            "perhaps the row of another commune, or a merger that isn't told there."
        ),
        "jump_thousand": "{indicator} went from {first} to {second}, a factor near 1,000: a unit has probably slipped.",
        "unit_slip": (
            "{file}: {indicator} of {year} is typically {found}, {factor} of what is usual ({usual}): "
            "the whole delivery is probably in another unit."
        ),
        "rates_as_fractions": (
            "{file}: all {count} values of {column} in {year} are at most {largest}: probably shares of 1 and not "
            "per cent. Multiply them by 100, or say in the header what they are."
        ),
        "heaping": (
            "In the year of recognition {just_over} communes report an income just over the threshold of New Rural "
            "recognition, {further} a little further over (p = {p_value}): more than chance would heap there. "
            "The communes survey themselves."
        ),
    },
    "Poverty standards": {
        "standard_not_in_force": "{indicator} of {date} is said to stand on {standard}, which was in force {start} – {end}.",
        "standard_unknown": "{indicator} of {date}: the page doesn't say on which poverty standard, and two are possible.",
        "standard_inferred": "{indicator} of {date}: the standard ({standard}) is inferred from the date, not printed.",
        "two_statistics": "{indicator} of {date} is published twice, {first} and {second}, by two kinds of statistic.",
    },
    "What a published figure covers": {
        "partial_portfolio": "{indicator}: the figure covers a part of the commune's credit only ({note}).",
        "uncertain_scope": "{indicator}: it is not certain what the figure covers ({note}).",
        "undated": "{indicator}: the page bears no date.",
        "date_inferred": "{indicator}: the date is inferred ({note}).",
        "reading_inferred": "{indicator}: what is meant is inferred ({note}). Ask the office before using it.",
        "printed_error": "{indicator}: printed with an error ({note}).",
        "turns_not_households": (
            "{indicator} counts turns of borrowing; a household that borrowed twice is counted twice."
        ),
    },
}
RULES = {rule: sentence for rules in SECTIONS.values() for rule, sentence in rules.items()}


def finding(
    severity,
    rule,
    *,
    file="",
    sheet=None,
    row=None,
    column="",
    value="",
    place="",
    key="",
    table="",
    **arguments,
):
    """Return one finding as a dict; ``arguments`` fill the rule's sentence.

    Arguments stay what they are (numbers, dates, texts), so that a report can write them in its language.
    ``value`` is the figure found, ``key`` the row's key ("code=08473;year=2019"), by which a finding is
    acknowledged, ``table`` the table of the row, whatever its file is called.
    """
    shown = f"{file} ({sheet})" if sheet else file
    known = {"file": shown, "row": row, "column": column, "value": value, **arguments}
    return {
        "severity": severity,
        "file": file,
        "row": row,
        "column": column,
        "value": plain(value),
        "rule": rule,
        "message": RULES[rule].format(**{k: _english(v) for k, v in known.items()}),
        "place": place,
        "sheet": sheet or "",
        "key": key,
        "arguments": json.dumps({k: _stored(v) for k, v in known.items()}, ensure_ascii=False),
        "table": table,
    }


def plain(value):
    """Return a value as the text by which it is acknowledged: 26500000000.0 is "26500000000", missing is ""."""
    if value is None or value is pd.NA or value is pd.NaT or value != value:
        return ""
    if isinstance(value, pd.Timestamp):
        return f"{value:%Y-%m-%d}"
    if isinstance(value, float | np.floating):
        return str(int(value)) if value.is_integer() else repr(float(value))
    return str(value)


def _english(value):
    if isinstance(value, pd.Timestamp):
        return f"{value:%Y-%m-%d}"
    if value is pd.NaT:
        return "…"
    if isinstance(value, float):
        return f"{value:,.3f}".rstrip("0").rstrip(".") if abs(value) < 1e6 else f"{value:,.0f}"
    return value


def _stored(value):
    if isinstance(value, Said):
        return {"says": value.template, "parts": {k: _stored(v) for k, v in value.parts.items()}}
    if isinstance(value, pd.Timestamp) or value is pd.NaT:
        return "…" if value is pd.NaT else f"{value:%Y-%m-%d}"
    if value is pd.NA:
        return None
    return value.item() if hasattr(value, "item") else value


def table(findings):
    """Return findings as a frame, errors first, then in the order of files and rows."""
    frame = pd.DataFrame(list(findings), columns=COLUMNS)
    frame["row"] = frame["row"].astype("Int64")
    rank = frame["severity"].map({"error": 0, "warning": 1, "note": 2})
    return (
        frame.assign(rank=rank).sort_values("rank", kind="stable").drop(columns="rank").reset_index(drop=True)
    )


def listed(rows, most=8):
    """Return row numbers as text: "3, 4, 7"; "3, 4, … (120)" where there are more than ``most``."""
    rows = list(rows)
    text = ", ".join(str(row) for row in rows[:most])
    return text if len(rows) <= most else f"{text}, … ({len(rows)})"
