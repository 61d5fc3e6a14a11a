"""What the identity and plausibility checks found, in the reader's language."""

import json
import re
from operator import itemgetter

from evalkit.load.findings import RULES
from evalkit.present import words
from evalkit.present.tables.parts import Column, block, table
from evalkit.present.words import t


def findings(place, *, lang):
    """Return what the identity and plausibility checks found on this place, in words."""
    title = t("Checks of these figures", lang)
    rows = place.findings
    if rows.empty:
        text = t("The identity and plausibility checks found nothing to object to.", lang)
        return block(place, "text", "checks", "evaluation", lang, title, paragraphs=(text,))
    grouped = {}
    for row in rows.itertuples():
        grouped.setdefault((row.rule, row.severity), []).append(sentence(row, lang))
    severities = {"error": t("error", lang), "warning": t("warning", lang), "note": t("note", lang)}
    said = [(severity, s) for (_, severity), all_ in grouped.items() for s in dict.fromkeys(all_)]
    columns = (
        Column("severity", t("Weight", lang), lambda f: severities[f[0]], lambda f: severities[f[0]]),
        Column("finding", t("Finding", lang), itemgetter(1)),
    )
    return table(place, "checks", "evaluation", lang, title, columns, said)


def sentence(found, lang):
    """Return a finding in the reader's language: indicators, standards, numbers and dates as elsewhere."""
    given = json.loads(found.arguments)
    reason = given.pop("acknowledged", None)
    said = t(RULES[found.rule], lang, **{k: _said(k, v, lang) for k, v in given.items()})
    return f"{said} {t('Acknowledged: {reason}', lang, reason=reason)}" if reason else said


def _said(key, value, lang):
    if isinstance(value, dict):
        parts = {name: _said(name, part, lang) for name, part in value["parts"].items()}
        template = value["says"]
        words_of_its_own = re.search(r"[^\W\d]", re.sub(r"{\w+}", "", template))
        return (t(template, lang) if words_of_its_own else template).format(**parts)
    if key in ("row", "year", "previous"):
        return value
    if isinstance(value, float | int):
        return words.decimal(value, lang, 3)
    if key == "standard":
        return words.standard(value, lang)
    if isinstance(value, str) and re.fullmatch(r"\d{4}-\d{2}(-\d{2})?", value):
        return words.period(value, lang)
    if isinstance(value, str):
        return " + ".join(words.name_of(part, lang) for part in value.split(" + "))
    return value
