"""The two large tables: what the schema says of them, and how each lies in the store."""

import json
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from evalkit.errors import DataError

SCHEMA = Path(__file__).parents[1] / "schema.json"


@dataclass(frozen=True)
class Field:
    """One column of the schema, as far as the ledger needs it."""

    name: str
    type: str
    unit: str | None
    spellings: tuple[str, ...]
    required: bool
    personal: str | None
    minimum: float | None
    maximum: float | None
    pattern: str | None
    labels: dict[str, str] | None

    @property
    def storage(self):
        """SQL type in the store. VND has no smaller coin, so amounts are whole numbers."""
        if self.type == "number":
            return "BIGINT" if self.unit == "VND" else "DOUBLE"
        return {"string": "VARCHAR", "date": "DATE", "integer": "BIGINT"}[self.type]


@dataclass(frozen=True)
class Table:
    """A table of the ledger.

    One row per ``key``. The files are partitioned by ``period`` (the SQL expression ``period_sql``) and
    province, and each is sorted by ``order``, so that the statistics of a row group name few communes.
    ``consistency`` maps the name of a rule to the SQL that holds for a row that obeys it.
    """

    name: str
    fields: tuple[Field, ...]
    key: tuple[str, ...]
    period: str
    period_sql: str
    period_type: str
    order: tuple[str, ...]
    consistency: dict[str, str]

    @property
    def kept(self):
        """Fields that reach the store: not the names and identity numbers, which are dropped at the door."""
        return tuple(field for field in self.fields if field.personal != "drop")

    @property
    def key_in_file(self):
        """Columns of the key that stand in a file; a period that is part of it is in the file's path."""
        return tuple(name for name in self.key if name in self.stored)

    @property
    def stored(self):
        """Columns of a file in the store with their SQL types; the partition's columns are in its path."""
        columns = {field.name: field.storage for field in self.kept if field.name != self.period}
        columns.setdefault("code", "VARCHAR")
        return columns | {"source": "SMALLINT"}


_LAYOUT = {
    "loans": {
        "period": "as_of",
        "period_sql": "as_of",
        "period_type": "DATE",
        "order": ("code",),
        "consistency": {
            "overdue_within_outstanding": "overdue_vnd <= outstanding_vnd",
            "outstanding_within_amount": "outstanding_vnd <= amount_vnd",
            "disbursed_by_as_of": "disbursed_on <= as_of",
            "due_after_disbursed": "due_on >= disbursed_on",
            "days_with_overdue": "(days_past_due > 0) = (overdue_vnd > 0)",
        },
    },
    "repayments": {
        "period": "due_year",
        "period_sql": "year(due_on)",
        "period_type": "BIGINT",
        "order": ("code",),
        "consistency": {
            "paid_within_due": "paid_vnd <= due_vnd",
            "paid_with_date": "paid_vnd = 0 OR paid_on IS NOT NULL",
        },
    },
}


@cache
def table(name):
    """Return the ``Table`` called "loans" or "repayments"; any other name raises DataError."""
    if name not in _LAYOUT:
        raise DataError(f'the ledger holds {" and ".join(_LAYOUT)}, not "{name}".')
    resources = json.loads(SCHEMA.read_text(encoding="utf-8"))["resources"]
    resource = next(r for r in resources if r["name"] == name)
    fields = tuple(_field(f, resources) for f in resource["schema"]["fields"])
    return Table(name=name, fields=fields, key=tuple(resource["schema"]["primaryKey"]), **_LAYOUT[name])


def _field(declared, resources):
    constraints = declared.get("constraints", {})
    return Field(
        name=declared["name"],
        type=declared["type"],
        unit=declared.get("unit"),
        spellings=(declared["name"], *declared["label"].values(), *declared.get("aliases", ())),
        required=constraints.get("required", False),
        personal=constraints.get("personal"),
        minimum=constraints.get("minimum"),
        maximum=constraints.get("maximum"),
        pattern=constraints.get("pattern"),
        labels=_labels(declared["name"], constraints, resources),
    )


def _labels(name, constraints, resources):
    """Return printed label → code of a column with fixed values, from every table that labels that column."""
    if "enum" not in constraints:
        return None
    labels = {code: code for code in constraints["enum"]}
    for resource in resources:
        for field in resource["schema"]["fields"]:
            if field["name"] == name:
                for code, printed in field.get("constraints", {}).get("enumLabels", {}).items():
                    labels |= {label: code for label in printed if code in constraints["enum"]}
    return labels
