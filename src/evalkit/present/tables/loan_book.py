"""The place's own loans, read from the ledger: what single loans add to the office's totals.

For the researcher alone: these tables are shown in the notebook and never published, since the cells of a
commune's loans by date were not among those that disclosure control decided on.
"""

from dataclasses import replace

import pandas as pd

from evalkit.load.ledger import open_ledger
from evalkit.metrics import loans as measures
from evalkit.metrics import portfolio
from evalkit.present import words
from evalkit.present.blocks import absent
from evalkit.present.tables.parts import Column, field, lines, table
from evalkit.present.words import t

_DAYS = 30


def loan_book(place, *, lang):
    """Return the portfolio at each reporting date: loans, borrowers, arrears beside PAR, what frees from arrears.

    One row per date. Households are distinct, also those with two programmes. The overdue ratio is the
    bank's own (instalments past due over outstanding), PAR(30) the whole principal of loans more than 30
    days past due; frozen and extended debt is outside both. In VND; private.
    Raises DataError where the ledger that dataset.toml names can't be opened.
    """
    title = t("The loan book, from the loans themselves", lang)
    loans = _loans(place)
    if loans.empty:
        return absent(place, "loan_book", "credit", lang, title, _why(place, lang))
    shared = portfolio.overlap(loans).drop(columns=["code", "households"])
    dates = portfolio.annual(loans, by=("code",)).merge(shared, on="as_of", how="left")
    all_known = dates["loans_unknown"] == 0
    dates["households"] = dates["households"].where(all_known)
    dates["several"] = (dates["in_two"] + dates["in_more"]).where(all_known)
    known = dates["outstanding_vnd"].where(dates["outstanding_vnd"] > 0)
    dates["overdue_pct"] = 100 * dates["overdue_vnd"] / known
    dates["par_pct"] = (100 * dates[f"at_risk_{_DAYS}_vnd"] / known).where(dates["days_unknown_vnd"] == 0)
    dates["aside_vnd"] = dates["frozen_vnd"] + dates["extended_vnd"]
    columns = (
        _date("as_of", t("Date", lang), lang),
        _number("loans", t("Loans", lang), "count", lang),
        _number("households", t("Households", lang), "count", lang),
        _number("several", t("of these in several programmes", lang), "count", lang),
        _number("outstanding_vnd", t("Outstanding", lang), "VND", lang),
        _number("lent_vnd", t("Lent in the year", lang), "VND", lang),
        _number("overdue_pct", t("Overdue ratio", lang), "percent", lang),
        _number("par_pct", t("PAR over {days} days", lang, days=_DAYS), "percent", lang),
        _number("aside_vnd", t("Frozen or extended", lang), "VND", lang),
        _number("written_off_vnd", t("Written off", lang), "VND", lang),
    )
    caption = t(
        "The overdue ratio counts instalments past due alone; PAR counts the whole principal of such loans. A dash: not known of every loan (the household, or the days past due).",
        lang,
    )
    return _private(place, "loan_book", lang, title, columns, dates, caption)


def lending_years(place, *, lang):
    """Return what became of the loans of each year by the last reporting date: at risk or written off.

    One row per year of disbursement: loans, amount lent, what is still outstanding, the share at risk (more
    than 30 days past due) or written off of all that was lent, and loans no longer in the book. In VND;
    private. Raises DataError where the ledger that dataset.toml names can't be opened.
    """
    title = t("What became of each year's loans", lang)
    loans = _loans(place)
    if loans.empty:
        return absent(place, "lending_years", "credit", lang, title, _why(place, lang))
    pools = measures.vintages(loans, days=_DAYS)
    pools = pools[pd.to_datetime(pools["as_of"]) == pd.to_datetime(pools["as_of"]).max()]
    pools = pools.assign(year=pd.to_datetime(pools["vintage"]).dt.year, bad_pct=100 * pools["value"])
    columns = (
        _number("year", t("Lent in", lang), "year", lang),
        _number("loans", t("Loans", lang), "count", lang),
        _number("amount_vnd", t("Amount lent", lang), "VND", lang),
        _number("outstanding_vnd", t("Still outstanding", lang), "VND", lang),
        _number("bad_pct", t("At risk or written off", lang), "percent", lang),
        _number("not_seen", t("No longer in the book", lang), "count", lang),
    )
    caption = t(
        "On {date}, as a share of all that was lent in the year, so that new lending can't dilute it. A loan that is no longer in the book was repaid, or the file lost it: the ledger can't tell. Loans repaid before the first date of the ledger are in no row.",
        lang,
        date=words.date(pools["as_of"].iloc[0], lang),
    )
    return _private(place, "lending_years", lang, title, columns, pools, caption)


def _loans(place):
    """Return the place's loans at the dates at which it had its code, none where there is no ledger."""
    store, unit = place.settings["data"].get("ledger"), place.unit
    if not store or unit["level"] != "commune":
        return pd.DataFrame()
    with open_ledger(store, threads=1) as ledger:
        if not ledger.manifest.covering("loans", unit["code"]):
            return pd.DataFrame()
        loans = ledger.loans(code=unit["code"]).df()
    day = pd.to_datetime(loans["as_of"])
    first, last = unit["valid_from"], unit["valid_to"]
    known = (pd.isna(first) | (day >= first)) & (pd.isna(last) | (day <= last))
    return loans[known]


def _why(place, lang):
    if not place.settings["data"].get("ledger"):
        return t("The data set names no ledger of loans ([data] ledger in dataset.toml).", lang)
    return t("The ledger holds no loans of this place.", lang)


def _private(place, id, lang, title, columns, rows, caption):
    made = table(place, id, "credit", lang, title, columns, lines(rows), caption=caption)
    return replace(made, audience="private")


def _number(name, label, unit, lang):
    return Column(name, label, lambda row: words.rounded(row[name], unit, lang), field(name), numeric=True)


def _date(name, label, lang):
    return Column(name, label, lambda row: words.date(row[name], lang), lambda row: str(row[name])[:10])
