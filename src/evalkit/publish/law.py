"""Law, public series and terms as the method pages show them: the reference data and the site's own glossary."""

from evalkit.publish.names import tongue
from evalkit.publish.wording import N_

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
    "several": N_("several authors"),
    "national": N_("the whole country"),
    "northern_mountains": N_("Northern midlands and mountains"),
    "red_river_delta": N_("Red River Delta"),
    "north_central": N_("North Central Coast"),
    "south_central_coast": N_("South Central Coast"),
    "central_highlands": N_("Central Highlands"),
    "south_east": N_("South East"),
    "mekong_delta": N_("Mekong River Delta"),
    "VND per person per year": N_("VND per person per year"),
    "percent of households": N_("% of households"),
    "GSO annual average": N_("General Statistics Office, annual average"),
    "World Bank FP.CPI.TOTL.ZG (annual average on annual average)": N_(
        "World Bank FP.CPI.TOTL.ZG (annual average on annual average)"
    ),
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
            if "programme" in columns:
                row["programme"] = reference.programmes()[f"name_{lang}"][row["programme"]]
            address = row.get("source_url", "")
            called = row.get("source_title") or address
            source = {
                "text": called,
                "url": address,
                "verified": row.get("verified"),
                "lang": tongue(called),
            }
            rows.append({"cells": [_cell(key, row[key], lang, t) for key in keys], "source": source})
        header = [t(COLUMNS[c]) for c in columns]
        found.append({"id": name, "title": t(title), "header": header, "rows": rows})
    return found


def _cell(key, value, lang, t):
    from evalkit.present import words

    if key == "legal_basis" and value and lang != "vi":
        return _cited(value, lang)
    if value is None or value != value:
        return ""
    if hasattr(value, "year"):
        return words.date(value, lang)
    if isinstance(value, str):
        return t(CODES[value]) if value in CODES else words.dated(value, lang)
    if isinstance(value, float):
        return words.decimal(value, lang, 2)
    return str(value)


def _cited(basis, lang):
    """A law in the reader's language, and below it as it is cited in Vietnamese, by which it is found."""
    from markupsafe import Markup

    from evalkit.load import reference
    from evalkit.present import words

    said = words.dated(reference.legal_basis(basis, lang), lang)
    return Markup('{} <cite class="printed" lang="vi">{}</cite>').format(said, words.dated(basis, "vi"))


def glossary(lang, t):
    """Return terms and meanings: the site's own words, then the statuses of a debt from the reference data."""
    from evalkit.load import reference

    own = [(t(term), t(meaning)) for term, meaning in GLOSSARY]
    debts = reference.table("debt_statuses").to_dict("records")
    return own + [(row[f"name_{lang}"], row[f"meaning_{lang}"]) for row in debts]
