"""The SQL that turns a file's text into typed rows and sets aside those that break a rule.

Every identifier comes from the schema; values travel as parameters or in tables.
"""

import hashlib

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
    """SQL of the keyed hash of a text: the first 64 bits of SHA-256 over the key's text and the value.

    The digest is cut, so that knowing one pseudonym doesn't let anyone extend it. Two of ten million
    households share one with a chance of 3 in a million. :func:`pseudonym_key` gives the key's text.
    """
    return f"left(sha256(getvariable('pseudonym_key') || {value}), 16)"


def pseudonym_key(key):
    """Return the text that stands for a secret key in :func:`pseudonym_sql`: 128 bits as 32 digits."""
    return hashlib.sha256(b"evalkit pseudonym" + key).hexdigest()[:32]


def rows_sql(table, source, *, scan, keyed, labels, placed):
    """SELECT of one file's accepted rows: the stored columns, the period and province, in the store's order.

    A row that breaks a rule goes to the function set_aside(faults, raw): faults lists its "column:rule" (NULL
    for a rule that it keeps), raw is its own text as JSON without the personal columns. One that is accepted
    although its columns contradict each other goes to remark(rules, loan). ``keyed``: whether there is a key
    for pseudonyms; without one the columns that need it stay empty. ``labels``: columns whose printed labels
    have codes. ``placed``: whether the table ``places`` gives each code (each loan, for instalments) its
    province.
    """
    texts = {f.name: _text(f, source, labels) for f in table.kept if f.name in source.columns}
    typed = [f"{_value(f, texts.get(f.name), source, keyed, labels)} AS {quoted(f.name)}" for f in table.kept]
    raw = [f"c{source.columns[name]}" for name in texts]
    present = [f for f in table.kept if f.name in texts]
    rules = [rule for f in present for rule in _rules(f, texts[f.name], labels)]
    suspect = [
        _suspect(f, texts[f.name]) for f in present if f.required or f.type != "string" or f.name in labels
    ]
    join, code = ("code", "row.code") if "code" in texts else ("loan", "place.code")
    if placed:
        rules.append((f"{join}:reference", f"place.code IS NULL AND row.{join} IS NOT NULL"))
        suspect.append("place.code IS NULL")
    suspect += [
        condition for rule, condition in rules if rule.split(":")[1] in ("minimum", "maximum", "future")
    ]
    # The codes of the table of places have the right form, so that only without one the form is looked at.
    suspect += [condition for rule, condition in rules if rule.endswith(":pattern") and not placed]
    faults = ", ".join(f"CASE WHEN {condition} THEN '{rule}' END" for rule, condition in rules)
    odd = ", ".join(f"CASE WHEN NOT ({sql}) THEN '{rule}' END" for rule, sql in table.consistency.items())
    inconsistent = " OR ".join(f"NOT ({sql})" for sql in table.consistency.values())
    shown = ", ".join(
        f"'{f.name}': c{source.columns[f.name]}" for f in table.kept if f.name in texts and not f.personal
    )
    stored = ", ".join(
        code if name == "code" else f"row.{quoted(name)}" for name in table.stored if name != "source"
    )
    place = f"LEFT JOIN places AS place ON place.{join} = row.{join}" if placed else ""
    return f"""
        SELECT {stored}, $source::SMALLINT AS source, {table.period_sql} AS {table.period},
            {"place.province" if placed else "NULL::VARCHAR"} AS province
        FROM (SELECT {", ".join(typed + raw)} FROM {scan}) AS row {place}
        WHERE CASE
            WHEN {" OR ".join(suspect)} THEN set_aside([{faults}], to_json({{{shown}}})::VARCHAR)
            WHEN {inconsistent} THEN remark([{odd}], row.loan)
            ELSE true END
        ORDER BY {", ".join(quoted(name) for name in table.order)}"""


def _suspect(field, text):
    """SQL that is true or NULL where a value is missing that is needed, or isn't of its type."""
    value = f"row.{quoted(field.name)}"
    return f"{value} IS NULL" if field.required else f"({value} IS NULL AND {text} IS NOT NULL)"


def _text(field, source, labels):
    """SQL of a cell's text, NULL where blank. Only free text is trimmed; other values match as they are."""
    cell = f"c{source.columns[field.name]}"
    return cell if field.type != "string" or field.name in labels else f"nullif(trim({cell}), '')"


def _value(field, text, source, keyed, labels):
    """SQL of a field's typed value; NULL where the text is none of its type."""
    if text is None or (field.personal == "key" and not keyed):
        return f"NULL::{field.storage}"
    if field.personal == "key":
        return pseudonym_sql(text)
    if field.name in labels:
        return _label(field.name, text)
    if field.type == "date":
        return (
            f"CASE WHEN {text}[5:5] = '-' THEN try_cast({text} AS DATE) "
            f"ELSE try_strptime({text}, '%d/%m/%Y')::DATE END"
        )
    return text if field.type == "string" else _number(field, text, source)


def _label(name, text):
    """SQL of the code of a printed label: as spelled in the first rows, else blind to case and accents."""
    plain = f"lower(strip_accents(replace(lower({text}), 'đ', 'd')))"
    folded = f"trim(regexp_replace({plain}, '[^a-z0-9]+', ' ', 'g'))"
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
        f"CASE WHEN regexp_full_match({text}, '{_WHOLE[style]}') "
        f"THEN try_cast({bare} AS {field.storage}){times} "
        f"WHEN regexp_full_match({text}, '{_DECIMAL[style]}') THEN {fraction} END"
    )


def _rules(field, text, labels):
    """Return "column:rule" with the SQL that is true for a row that breaks it, never NULL."""
    value = f"row.{quoted(field.name)}"
    typed = field.name in labels or field.type != "string"
    rules = []
    if field.required:
        rules.append((f"{field.name}:required", f"{text} IS NULL" if typed else f"{value} IS NULL"))
    if typed:
        rule = "enum" if field.name in labels else "type"
        rules.append((f"{field.name}:{rule}", f"{value} IS NULL AND {text} IS NOT NULL"))
    for rule, bound, sign in (("minimum", field.minimum, "<"), ("maximum", field.maximum, ">")):
        if bound is not None:
            rules.append((f"{field.name}:{rule}", f"coalesce({value} {sign} {bound}, false)"))
    if field.pattern:
        rules.append(
            (f"{field.name}:pattern", f"NOT coalesce(regexp_full_match({value}, '{field.pattern}'), true)")
        )
    if field.name == "as_of":
        rules.append(("as_of:future", f"coalesce({value} > current_date, false)"))
    return rules
