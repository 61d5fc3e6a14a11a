"""Findings that someone has looked at and accepted: they stay quiet until the value changes."""

import json
from dataclasses import dataclass

from evalkit.load.findings import RULES, SECTIONS, finding, plain
from evalkit.load.said import Said
from evalkit.load.text import like, nearest

_OF_FILES = {
    rule
    for section in ("The folder and its files", "Columns and cells", "Corrections and acknowledgements")
    for rule in SECTIONS[section]
} - {"out_of_bounds", "in_future"}


@dataclass(frozen=True)
class Acknowledgement:
    """One [[acknowledge]] of dataset.toml: the rule, what it speaks of, the value that was looked at, and why.

    Of what: ``place``, the row's ``key`` ("code=08473;year=2019"), or ``file`` and ``row``; all that are given
    must hold.
    """

    rule: str
    value: object
    reason: str
    place: str | None = None
    key: str | None = None
    file: str | None = None
    row: int | None = None

    @property
    def subject(self):
        parts = (self.place, self.key, self.file, None if self.row is None else f"row {self.row}")
        return ", ".join(part for part in parts if part)

    def holds(self, found):
        """Return whether a finding (a dict) is the one that was acknowledged, its value unchanged."""
        given = {"place": self.place, "key": self.key, "file": self.file, "row": self.row}
        return (
            found["rule"] == self.rule
            and found["value"] == plain(self.value)
            and all(found[name] == wanted for name, wanted in given.items() if wanted is not None)
        )


def apply(found, acknowledgements):
    """Return findings (dicts), those acknowledged as notes with the reason, and a warning for each one unused."""
    found = [dict(f) for f in found]
    for entry in acknowledgements:
        where = {"file": "dataset.toml", "value": plain(entry.value)}
        if entry.rule not in RULES:
            near = like(nearest(entry.rule, RULES))
            fault = Said(
                "{name} is not known{near}. Correct the name or remove it.",
                name=f"[[acknowledge]] rule “{entry.rule}”",
                near=near,
            )
            found.append(finding("error", "settings", file="dataset.toml", fault=fault))
            continue
        if entry.rule in _OF_FILES:
            found.append(finding("error", "not_acknowledgeable", **where, rule_name=entry.rule))
            continue
        held = [f for f in found if entry.holds(f)]
        for f in held:
            f["severity"] = "note"
            f["message"] += f" Acknowledged: {entry.reason}"
            f["arguments"] = json.dumps(
                json.loads(f["arguments"]) | {"acknowledged": entry.reason}, ensure_ascii=False
            )
        if not held:
            said = {"rule_name": entry.rule, "subject": entry.subject}
            found.append(finding("warning", "acknowledgement_unused", **where, **said))
    return found
