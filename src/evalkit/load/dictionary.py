"""The data dictionary, written from the schema so that it can't drift from what is read."""

from evalkit.load import schema

BEGIN, END = "<!-- tables: generated from schema.json -->", "<!-- end of tables -->"


def markdown():
    """Return the tables and columns of the schema as Markdown: type, unit, limits and labels in both languages."""
    parts = []
    for table in schema.tables():
        resource = schema.resource(table)
        parts.append(f"### `{table}` · {resource['label']['en']} · {resource['label']['vi']}\n")
        key = ", ".join(f"`{k}`" for k in schema.key(table))
        parts.append(f"One row: {resource['row']['en']}. Needed for: {resource['needed_for']}. Key: {key}.\n")
        parts.append("| column | type | unit | limits | English | Vietnamese |\n|---|---|---|---|---|---|")
        for name, field in schema.fields(table).items():
            cells = [
                f"`{name}`",
                field["type"],
                field.get("unit", ""),
                _limits(field),
                field["label"]["en"],
                field["label"]["vi"],
            ]
            parts.append("| " + " | ".join(cells) + " |")
        parts.append("")
    return "\n".join(parts)


def _limits(field):
    limits = field.get("constraints", {})
    said = ["required"] if limits.get("required") else []
    if "minimum" in limits or "maximum" in limits:
        said.append(f"{limits.get('minimum', '…')} to {limits.get('maximum', '…')}")
    if "enum" in limits:
        said.append(", ".join(limits["enum"]))
    if "personal" in limits:
        said.append("personal: dropped" if limits["personal"] == "drop" else "personal: keyed")
    return "; ".join(said)
