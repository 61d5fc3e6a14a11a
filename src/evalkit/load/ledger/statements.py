"""The SQL that turns a file's text into typed rows, each with the rules that it breaks.

Every identifier comes from the schema; values travel as parameters or in tables.
"""

from evalkit.load.ledger.engine import quoted

_WHOLE = {
    "plain": r"-?\d+",
    "vi": r"-?(\d{1,3}(\.\d{3})+|\d+)",
    "en": r"-?(\d{1,3}(,\d{3})+|\d+)",
}
# Exactly three digits after a single mark could be thousands or decimals: such a text is read as neither.
_DECIMAL = {
    "plain": r"-?\d+\.(\d{1,2}|\d{4,})",
    "vi": r"-?(\d{1,3}(\.\d{3})+|\d+),(\d{1,2}|\d{4,})",
    "en": r"-?(\d{1,3}(,\d{3})+|\d+)\.(\d{1,2}|\d{4,})",
}
_THOUSANDS = {"plain": "", "vi": ".", "en": ","}


def pseudonym_sql(value):
    """SQL of the keyed hash of a text: the first 64 bits of SHA-256 over the key and the text, as 16 digits.

    The key has at least 32 bytes and the digest is cut, so neither guessing identity numbers nor extending a
    message works without the key. Two of ten million households share a hash with a chance of 3 in a million.
    """
    return f"left(sha256(getvariable('pseudonym_key') || {value}), 16)"


def rows_sql(table, source, *, scan, keyed, labels, placed):
    """SELECT of one file's rows as they are staged: the stored columns, period, province, faults and raw.

    ``faults`` is NULL for a row that is accepted, else the list of "column:rule"; ``raw`` then holds the
    row's own text without its personal columns. ``keyed``: whether there is a key for pseudonyms; without
    one the columns that need it stay empty. ``labels``: columns whose printed labels stand in the table
    ``labels``. ``placed``: whether the table ``places`` gives each code (each loan, for instalments) its province.
    """
    present = {f.name: f"trim(c{source.columns[f.name]})" for f in table.kept if f.name in source.columns}
    typed = ", ".join(
        f"{_value(f, present.get(f.name), source, keyed, labels)} AS {quoted(f.name)}" for f in table.kept
    )
    raw = ", ".join(f"nullif({text}, '') AS {quoted('raw ' + name)}" for name, text in present.items())
    violations = _violations(table, source, labels, placed)
    broken = " OR ".join(condition for _, condition in violations)
    listed = ", ".join(f"CASE WHEN {condition} THEN '{rule}' END" for rule, condition in violations)
    kept_text = ", ".join(
        f"'{f.name}': {quoted('raw ' + f.name)}" for f in table.kept if f.name in present and not f.personal
    )
    code = "place.code" if "code" not in present else "text.code"
    stored = ", ".join(code if name == "code" else f"text.{quoted(name)}" for name in table.stored if name != "source")
    join = "code" if "code" in present else "loan"
    place = f"LEFT JOIN places AS place ON place.{join} = text.{join}" if placed else ""
    province = "place.province" if placed else "NULL::VARCHAR"
    return f"""
        SELECT {stored}, $source::SMALLINT AS source, {table.period_sql} AS period, {province} AS province,
            CASE WHEN {broken} THEN list_filter([{listed}], lambda fault: fault IS NOT NULL) END AS faults,
            CASE WHEN {broken} THEN to_json({{{kept_text}}})::VARCHAR END AS raw
        FROM (SELECT {typed}, {raw} FROM {scan}) AS text {place}"""


def _value(field, text, source, keyed, labels):
    """SQL of a field's typed value; NULL where the text is none of its type."""
    if text is None or (field.personal == "key" and not keyed):
        return f"NULL::{field.storage}"
    present = f"nullif({text}, '')"
    if field.personal == "key":
        return pseudonym_sql(present)
    if field.name in labels:
        return _label(field.name, text)
    if field.type == "date":
        return (
            f"CASE WHEN {text}[5:5] = '-' THEN try_cast({text} AS DATE) "
            f"ELSE try_strptime({text}, '%d/%m/%Y')::DATE END"
        )
    if field.type in ("number", "integer"):
        return _number(field, text, source)
    return present


def _label(name, text):
    """SQL of the code of a printed label: as spelled in the first rows, else blind to case and accents."""
    folded = (
        f"trim(regexp_replace(lower(strip_accents(replace(lower({text}), 'đ', 'd'))), '[^a-z0-9]+', ' ', 'g'))"
    )
    return f"coalesce(getvariable('spelled_{name}')[{text}], getvariable('folded_{name}')[{folded}])"


def _number(field, text, source):
    """SQL of a number in the base unit; VND must come out whole."""
    style, scale = source.numbers, source.scale.get(field.name, 1)
    bare = f"replace({text}, '{_THOUSANDS[style]}', '')" if _THOUSANDS[style] else text
    dotted = f"replace({bare}, ',', '.')" if style == "vi" else bare
    times = f" * {scale}" if scale != 1 else ""
    fraction = f"try_cast({dotted} AS DECIMAL(30, 6)){times}"
    if field.storage == "BIGINT":
        fraction = f"CASE WHEN {fraction} = floor({fraction}) THEN try_cast({fraction} AS BIGINT) END"
    return (
        f"CASE WHEN regexp_full_match({text}, '{_WHOLE[style]}') THEN try_cast({bare} AS {field.storage}){times} "
        f"WHEN regexp_full_match({text}, '{_DECIMAL[style]}') THEN {fraction} END"
    )


def _violations(table, source, labels, placed):
    """Return "column:rule" with the SQL that is true for a row that breaks it, never NULL."""
    found = []
    for field in table.kept:
        if field.name not in source.columns:
            continue
        raw, value = quoted("raw " + field.name), f"text.{quoted(field.name)}"
        if field.required:
            found.append((f"{field.name}:required", f"{raw} IS NULL"))
        if field.name in labels or field.type != "string":
            rule = "enum" if field.name in labels else "type"
            found.append((f"{field.name}:{rule}", f"({value} IS NULL AND {raw} IS NOT NULL)"))
        for rule, bound, sign in (("minimum", field.minimum, "<"), ("maximum", field.maximum, ">")):
            if bound is not None:
                found.append((f"{field.name}:{rule}", f"coalesce({value} {sign} {bound}, false)"))
        if field.pattern:
            matched = f"regexp_full_match({value}, '{field.pattern}')"
            found.append((f"{field.name}:pattern", f"NOT coalesce({matched}, true)"))
    if placed:
        key = "code" if "code" in source.columns else "loan"
        found.append((f"{key}:reference", f"(place.code IS NULL AND text.{key} IS NOT NULL)"))
    if table.period == "as_of":
        found.append(("as_of:future", "coalesce(text.as_of > current_date, false)"))
    return found
