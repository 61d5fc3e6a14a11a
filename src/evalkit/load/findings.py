"""What the checks find: one row per fault, with where it stands, what was found and the mend.

The sentence of each rule is a template in English; it is also the message that the catalogues translate,
so that a report can say the same thing in the reader's language.
"""

import json

import pandas as pd

COLUMNS = ["severity", "file", "row", "column", "value", "rule", "message", "place", "arguments"]

RULES = {
    # the files themselves
    "empty_folder": "{file}: no table found. Put at least communes.csv there, or start with `evalkit new`.",
    "settings": "{file}: {fault}",
    "unreadable": "{file}: can't be read ({fault}). Save it again as CSV (UTF-8) or XLSX.",
    "missing_column": "{file}: column “{column}” is missing{near}. Add it, or rename the column that holds it.",
    "unknown_column": "{file}: column “{column}” is not known{near}; it is left aside.",
    "missing_value": "{file}, row {row}, {column}: empty, but every row needs it. Fill it in or remove the row.",
    "wrong_kind": "{file}, row {row}, {column}: “{value}” is not {kind}. Write it as {example}.",
    "out_of_bounds": "{file}, row {row}, {column}: {value} is outside what is possible ({bounds}). Check digits and unit.",
    "not_allowed": "{file}, row {row}, {column}: “{value}” is not one of {allowed}{near}.",
    "bad_format": "{file}, row {row}, {column}: “{value}” is not written as expected ({expected}).",
    "duplicate_key": "{file}, row {row}: the same {key} as in row {first} ({value}). Keep one of them.",
    "repeated_row": "{file}, row {row}: says again what an earlier row says; it is set aside.",
    "unknown_place": "{file}, row {row}, code: “{value}” is not in communes{near}. Correct the code or add the place.",
    "place_not_valid": (
        "{file}, row {row}: {value} is dated {date}, when {name} did not exist ({start} – {end}). "
        "Check the date, or give the unit of that day."
    ),
    # what figures say of one another
    "group_size": (
        "{members} members in {groups} groups are {found} per group; the law allows {minimum} to {maximum}."
    ),
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
    "sum_mismatch": "{parts} add up to {found}, not to {expected}.",
    "stock_flow": (
        "Outstanding rose from {opening} to {closing}, but lending less collection and write-off is {flow}: "
        "a gap of {gap}."
    ),
    "more_households_than_people": (
        "{value} ({count}) can't be: the place has {population} inhabitants. A unit has slipped."
    ),
    "households_against_population": (
        "{count} ({value}) would hold at least {people} of {population} inhabitants: "
        "probably persons, or another count."
    ),
    "no_growth": "{value} is the same on {first} and {second}: one of them was probably copied.",
    "fast_growth": "{value} went from {first} to {second} between {start} and {end}, {rate} % a year: check both.",
    "jump_thousand": "{value} went from {first} to {second}, a factor near 1,000: a unit has probably slipped.",
    "implausible_average": (
        "{value} is {found} per borrower, above the largest ceiling of any household programme ({ceiling})."
    ),
    "standard_not_in_force": "{value} of {date} is said to stand on {standard}, which was in force {start} – {end}.",
    "standard_unknown": "{value} of {date}: the page doesn't say on which poverty standard, and two are possible.",
    "standard_inferred": "{value} of {date}: the standard ({standard}) is inferred from the date, not printed.",
    "two_statistics": "{value} of {date} is published twice, {first} and {second}, by two kinds of statistic.",
    "partial_portfolio": "{value}: the figure covers a part of the commune's credit only ({note}).",
    "uncertain_scope": "{value}: it is not certain what the figure covers ({note}).",
    "undated": "{value}: the page bears no date.",
    "date_inferred": "{value}: the date is inferred ({note}).",
    "reading_inferred": "{value}: what is meant is inferred ({note}). Ask the office before using it.",
    "printed_error": "{value}: printed with an error ({note}).",
    "turns_not_households": "{value} counts turns of borrowing; a household that borrowed twice is counted twice.",
}


def finding(severity, rule, *, file="", row=None, column="", value="", place="", **arguments):
    """Return one finding as a dict; ``arguments`` fill the rule's sentence.

    Arguments stay what they are (numbers, dates, texts), so that a report can write them in its language.
    """
    known = {"file": file, "row": row, "column": column, "value": value, **arguments}
    return {
        "severity": severity,
        "file": file,
        "row": row,
        "column": column,
        "value": str(value),
        "rule": rule,
        "message": RULES[rule].format(**{k: _english(v) for k, v in known.items()}),
        "place": place,
        "arguments": json.dumps({k: _plain(v) for k, v in known.items()}, ensure_ascii=False),
    }


def _english(value):
    if isinstance(value, pd.Timestamp):
        return f"{value:%Y-%m-%d}"
    if value is pd.NaT:
        return "…"
    if isinstance(value, float):
        return f"{value:,.3f}".rstrip("0").rstrip(".") if abs(value) < 1e6 else f"{value:,.0f}"
    return value


def _plain(value):
    if isinstance(value, pd.Timestamp) or value is pd.NaT:
        return "…" if value is pd.NaT else f"{value:%Y-%m-%d}"
    return value.item() if hasattr(value, "item") else value


def table(findings):
    """Return findings as a frame, errors first, then in the order of files and rows."""
    frame = pd.DataFrame(list(findings), columns=COLUMNS)
    frame["row"] = frame["row"].astype("Int64")
    rank = frame["severity"].map({"error": 0, "warning": 1, "note": 2})
    return frame.assign(rank=rank).sort_values("rank", kind="stable").drop(columns="rank").reset_index(drop=True)
