"""What is checked of every table: the schema, places and dates, and whether figures can be true together."""

import pandas as pd

from evalkit.load import identities, places, schema
from evalkit.load.findings import finding
from evalkit.load.text import nearest

_EXAMPLES = {
    "number": ("a number", "26500000000"),
    "integer": ("a whole number", "614"),
    "date": ("a date", "31/12/2024"),
    "boolean": ("true or false", "true"),
}


def table(name, file, text, found):
    """Check a table of text against the schema and return it typed; findings are appended to ``found``.

    Row numbers are those of the file: its first line is the header.
    """
    known = schema.fields(name)
    for column in schema.required(name):
        if column not in text:
            near = nearest(column, [c for c in text.columns if c not in known])
            found.append(finding("error", "missing_column", file=file, column=column, near=_like(near)))
    for column in text.columns.difference(list(known)):
        near = nearest(column, [c for c in known if c not in text])
        found.append(finding("note", "unknown_column", file=file, column=column, near=_like(near)))
    frame, wrong = schema.typed(text, name)
    for row, column, value in wrong:
        kind, example = _EXAMPLES[known[column]["type"]]
        found.append(
            finding("error", "wrong_kind", file=file, row=row + 2, column=column, value=value, kind=kind, example=example)
        )
    found += _constraints(name, file, frame, {(row, column) for row, column, _ in wrong})
    repeated = _repeated(name, frame)
    for row in frame.index[repeated]:
        found.append(finding("note", "repeated_row", file=file, row=row + 2))
    frame = frame[~repeated]
    found += _duplicates(name, file, frame)
    return frame


def _like(near):
    return f" (is it “{near}”?)" if near else ""


def _pandera(name):
    import pandera.pandas as pa

    columns = {}
    for column, field in schema.fields(name).items():
        limits, checks = field.get("constraints", {}), []
        if "minimum" in limits:
            checks.append(pa.Check.ge(limits["minimum"], name="out_of_bounds"))
        if "maximum" in limits:
            checks.append(pa.Check.le(limits["maximum"], name="out_of_bounds"))
        if field["type"] == "number":
            checks.append(pa.Check(lambda s: s.abs() < float("inf"), name="out_of_bounds"))
        if "enum" in limits:
            checks.append(pa.Check.isin(limits["enum"], name="not_allowed"))
        if "pattern" in limits:
            checks.append(pa.Check.str_matches(limits["pattern"], name="bad_format"))
        columns[column] = pa.Column(checks=checks, nullable=not limits.get("required"))
    return pa.DataFrameSchema(columns)


def _constraints(name, file, frame, already):
    from pandera.errors import SchemaErrors

    try:
        _pandera(name).validate(frame.reset_index(drop=True), lazy=True)
    except SchemaErrors as errors:
        cases = errors.failure_cases
    else:
        return
    for case in cases.itertuples():
        limits = schema.fields(name)[case.column]["constraints"] if case.column in schema.fields(name) else {}
        row = None if pd.isna(case.index) else int(case.index)
        if (row, case.column) in already or row is None:
            continue
        where = {"file": file, "row": row + 2, "column": case.column, "value": case.failure_case}
        if case.check == "not_nullable":
            yield finding("error", "missing_value", **(where | {"value": ""}))
        elif case.check == "not_allowed":
            near = nearest(str(case.failure_case), limits["enum"])
            yield finding("error", "not_allowed", **where, allowed=", ".join(limits["enum"]), near=_like(near))
        elif case.check == "bad_format":
            yield finding("error", "bad_format", **where, expected=limits["pattern"])
        else:
            bounds = f"{limits.get('minimum', '−∞')} to {limits.get('maximum', '∞')}"
            yield finding("error", "out_of_bounds", **where, bounds=bounds)


def _repeated(name, frame):
    """Rows that repeat the key and every measure of an earlier row; texts outside the key are remarks."""
    measures = [c for c, field in schema.fields(name).items() if field["type"] != "string"]
    return frame.duplicated(list(dict.fromkeys([*schema.key(name), *measures])))


def _duplicates(name, file, frame):
    keys = schema.key(name)
    again = frame.duplicated(keys)
    first = frame[~again].reset_index(names="first").set_index(keys)["first"] if again.any() else None
    for row in frame[again].itertuples():
        value = tuple(getattr(row, k) for k in keys)
        at = first.loc[[value if len(keys) > 1 else value[0]]].iloc[0]
        shown = ", ".join(str(v) for v in value if pd.notna(v))
        yield finding(
            "error", "duplicate_key", file=file, row=row.Index + 2, value=shown, key=" + ".join(keys), first=at + 2
        )


def assign_places(name, file, frame, units, found):
    """Add ``place``, the identity of the unit that each row's code meant on the row's date, and check it."""
    starts, ends = _days(name, frame)
    frame = frame.assign(place=places.place_of(frame["code"], starts, ends, units))
    known = set(units["code"])
    for row in frame[~frame["code"].isin(known) & frame["code"].notna()].itertuples():
        near = nearest(row.code, list(known))
        found.append(
            finding("error", "unknown_place", file=file, row=row.Index + 2, column="code", value=row.code, near=_like(near))
        )
    dated = frame.assign(starts=starts, ends=ends).merge(
        units[["place", "name", "valid_from", "valid_to"]].rename(columns={"name": "unit_name"}), on="place", how="left"
    )
    outside = (dated["starts"] > dated["valid_to"]) | (dated["ends"] < dated["valid_from"])
    for row in dated[outside].itertuples():
        value = getattr(row, "indicator", name)
        found.append(
            finding(
                "warning", "place_not_valid", file=file, row=row.Index + 2, column="code", value=value,
                place=row.place, date=row.starts, name=row.unit_name, start=row.valid_from, end=row.valid_to,
            )
        )  # fmt: skip
    return frame


def _days(name, frame):
    if name == "facts":
        from evalkit.load import facts

        read = facts.read(frame)
        return read["starts"], read["ends"]
    if "year" in frame:
        day = pd.to_datetime(frame["year"].astype("string") + "-12-31", format="%Y-%m-%d", errors="coerce")
        return day, day
    day = frame["disbursed_on"] if "disbursed_on" in frame else pd.Series(pd.NaT, index=frame.index)
    return day, day


def plausibility(tables, units, raw):
    """Return what can't be true, or not true together, in tables that the schema accepts."""
    found = []
    if "facts" in tables:
        found += identities.of_facts(tables["facts"], units, raw["facts"][0])
    return found
