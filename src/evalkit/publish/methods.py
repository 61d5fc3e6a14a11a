"""How each figure is made: definitions, docstrings and reference data as pages."""

import ast
import hashlib
import inspect
import re
import sys
import textwrap
from functools import cache
from importlib import import_module

from evalkit.publish.wording import N_

SECTIONS = {
    "credit": N_("Credit"),
    "quality": N_("Quality of debt"),
    "groups": N_("Groups"),
    "poverty": N_("Poverty"),
    "income": N_("Income"),
    "context": N_("Context"),
    "outputs": N_("Outputs"),
}
MODULES = {
    "evalkit.metrics.poverty": N_("Measures of poverty"),
    "evalkit.metrics.inequality": N_("Measures of inequality"),
    "evalkit.metrics.income": N_("Income in real terms"),
    "evalkit.metrics.intervals": N_("Intervals"),
    "evalkit.impact": N_("Designs and their checks"),
}
# columns shown of each table of data/reference; `_` stands for the reader's language
REFERENCE = {
    "poverty_standards": (
        N_("Poverty standards"),
        ("label_", "area", "class", "income_min_vnd", "income_max_vnd", "deprivations_min", "legal_basis"),
    ),
    "series_breaks": (N_("Breaks in the series"), ("date", "what_", "legal_basis")),
    "programmes": (N_("Credit programmes"), ("name_", "lends_to_", "legal_basis")),
    "programme_terms": (
        N_("Terms of the programmes"),
        (
            "programme",
            "valid_from",
            "valid_to",
            "annual_rate_pct",
            "ceiling_vnd",
            "term_months",
            "legal_basis",
        ),
    ),
    "group_rules": (N_("Rules for savings-and-loan groups"), ("label_", "minimum", "maximum", "legal_basis")),
    "nrd_criteria": (
        N_("Criteria of new rural development"),
        ("label_", "area", "valid_from", "valid_to", "threshold", "unit", "legal_basis"),
    ),
    "consumer_prices": (N_("Consumer prices"), ("year", "change_pct", "basis")),
    "external_evidence": (
        N_("Evidence from elsewhere"),
        ("authors", "year", "place_", "design", "finding_"),
    ),
}
COLUMNS = {
    "label_": N_("Name"),
    "name_": N_("Name"),
    "what_": N_("What changed"),
    "lends_to_": N_("Lends to"),
    "place_": N_("Place"),
    "finding_": N_("Finding"),
    "area": N_("Area"),
    "class": N_("Class"),
    "income_min_vnd": N_("Income above (VND per person per month)"),
    "income_max_vnd": N_("Income up to (VND per person per month)"),
    "deprivations_min": N_("Deprivations, at least"),
    "legal_basis": N_("Legal basis"),
    "date": N_("Date"),
    "programme": N_("Programme"),
    "valid_from": N_("From"),
    "valid_to": N_("Until"),
    "annual_rate_pct": N_("Interest (% a year)"),
    "ceiling_vnd": N_("Ceiling (VND)"),
    "term_months": N_("Term (months)"),
    "minimum": N_("At least"),
    "maximum": N_("At most"),
    "threshold": N_("Threshold"),
    "unit": N_("Unit"),
    "year": N_("Year"),
    "change_pct": N_("Change on the year before (%)"),
    "basis": N_("Basis"),
    "authors": N_("Authors"),
    "design": N_("Design"),
}
CODES = {
    "rural": N_("rural"),
    "urban": N_("urban"),
    "poor": N_("poor"),
    "near_poor": N_("near-poor"),
    "experiment": N_("experiment"),
    "quasi-experiment": N_("quasi-experiment"),
    "observational": N_("observational"),
    "review": N_("review of studies"),
}
GLOSSARY = (
    (N_("Outstanding loans"), N_("What borrowers still owe at a date: principal lent and not yet repaid.")),
    (N_("Lending in the year"), N_("What was paid out to borrowers during the year.")),
    (
        N_("Savings-and-loan group"),
        N_(
            "Neighbours who borrow through one of four mass organisations; the group meets, screens and collects interest."
        ),
    ),
    (
        N_("Overdue share"),
        N_(
            "Overdue amounts over outstanding loans. Only the part that fell due counts, so it is no portfolio at risk."
        ),
    ),
    (
        N_("Poor and near-poor households"),
        N_("Households on the commune's list at the year-end review, by the standard in force."),
    ),
    (
        N_("Standard"),
        N_(
            "The line and the rules by which a household counts as poor. Rates on two standards are not to be subtracted."
        ),
    ),
    (
        N_("Interval"),
        N_(
            "The range within which a figure could have come out otherwise; where two intervals overlap the places are not told apart."
        ),
    ),
    (N_("Median"), N_("The value in the middle: half of the places lie below, half above.")),
    (
        N_("Hidden"),
        N_(
            "Withheld because so few households stand behind the figure that one could be recognised. Hidden is not zero."
        ),
    ),
    (N_("Missing"), N_("Not received. Missing is not zero either.")),
)


@cache
def indicators():
    """Return every indicator in the order of the reference table: labels, unit, and its definitions as data."""
    from evalkit.load import reference
    from evalkit.metrics import facts
    from evalkit.metrics.catalogue import definitions

    found = {}
    for table, definition in definitions():
        made = {key: getattr(definition, key) for key in ("meaning", "formula", "interval", "source")}
        found.setdefault(definition.name, []).append(made | {"table": table})
    for ratio in facts.RATIOS:
        over = " + ".join(ratio.numerators)
        over = f"({over})" if len(ratio.numerators) > 1 else over
        scale = f"{ratio.scale:g} × " if ratio.scale != 1 else ""
        made = {"table": "facts", "formula": f"{scale}{over} / {ratio.denominator}", "source": ""}
        made |= {
            "meaning": "From published figures of one place and date.",
            "interval": "from printed bounds",
        }
        found.setdefault(ratio.name, []).append(made)
    rows = reference.table("indicators").to_dict("records")
    return [row | {"definitions": found.get(row["indicator"], [])} for row in rows]


@cache
def names():
    """Return the names of all indicators."""
    return frozenset(entry["indicator"] for entry in indicators())


def definition_hashes():
    """Return {indicator: hash of its formulas, meanings and unit}: two releases differ where the definition did."""
    said = lambda e: repr((e["unit"], [sorted(d.items()) for d in e["definitions"]]))  # noqa: E731
    return {e["indicator"]: hashlib.sha256(said(e).encode()).hexdigest()[:16] for e in indicators()}


@cache
def functions():
    """Return {module: [function]} of what the package computes: name, parameters, docstring in pieces."""
    found = {}
    for name in MODULES:
        module = import_module(name)
        public = getattr(module, "__all__", None) or [n for n in vars(module) if not n.startswith("_")]
        own = [getattr(module, n) for n in public]
        found[name] = [
            {"name": f.__name__, "call": f"{f.__name__}{_parameters(f)}", "pieces": pieces(said)}
            for f in own
            if inspect.isfunction(f) and f.__module__.startswith(name) and (said := docstring(f))
        ]
    return found


def docstring(function):
    """Return a function's docstring; from its source where Python was told to strip it (``-OO``)."""
    if function.__doc__ or not sys.flags.optimize:
        return inspect.getdoc(function)
    (defined,) = ast.parse(textwrap.dedent(inspect.getsource(function))).body
    return ast.get_docstring(defined)


def _parameters(function):
    return "(" + ", ".join(str(p) for p in inspect.signature(function).parameters.values()) + ")"


def pieces(docstring):
    """Return a docstring as (kind, text): paragraphs, and formulas as they are written."""
    found = []
    for part in re.split(r"\n\s*\n", inspect.cleandoc(docstring)):
        if part.lstrip().startswith(".. math::"):
            found.append(("formula", inspect.cleandoc(part.split("::", 1)[1]).strip()))
        elif found and found[-1] == ("formula", ""):
            found[-1] = ("formula", inspect.cleandoc(part).strip())
        else:
            found.append(("text", part.replace("``", "")))
    return found


def reference_tables(lang, t):
    """Return the tables of the law and the public series: id, title, header, rows of (text, address, verified)."""
    from evalkit.load import reference

    found = []
    for name, (title, columns) in REFERENCE.items():
        if not (reference.reference_folder() / f"{name}.csv").is_file():
            continue
        frame = reference.table(name)
        keys = [c + lang if c.endswith("_") else c for c in columns]
        rows = []
        for row in frame.to_dict("records"):
            address = row.get("source_url", "")
            source = {
                "text": row.get("source_title") or address,
                "url": address,
                "verified": row.get("verified"),
            }
            rows.append({"cells": [_cell(row[key], lang, t) for key in keys], "source": source})
        header = [t(COLUMNS[c]) for c in columns]
        found.append({"id": name, "title": t(title), "header": header, "rows": rows})
    return found


def _cell(value, lang, t):
    from evalkit.present import words

    if value is None or value != value:
        return ""
    if hasattr(value, "year"):
        return words.date(value, lang)
    if isinstance(value, str):
        return t(CODES[value]) if value in CODES else words.dated(value, lang)
    if isinstance(value, float):
        return words.decimal(value, lang, 2)
    return str(value)


def glossary(lang, t):
    """Return terms and meanings: the site's own words, then the statuses of a debt from the reference data."""
    from evalkit.load import reference

    own = [(t(term), t(meaning)) for term, meaning in GLOSSARY]
    debts = reference.table("debt_statuses").to_dict("records")
    return own + [(row[f"name_{lang}"], row[f"meaning_{lang}"]) for row in debts]
