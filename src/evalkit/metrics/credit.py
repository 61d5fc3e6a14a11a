"""Credit: yearly indicators from the table of credit, and (from evalkit.metrics.loans) those of single loans.

The bank's overdue ratio is an arrears ratio: overdue instalments over outstanding principal (QĐ 976/QĐ-TTg of
2015). It is never a portfolio at risk, for which single loans are needed (:func:`portfolio_at_risk`).
"""

from evalkit.metrics.definitions import Concentration, NumberOf, Quantity, Ratio
from evalkit.metrics.lending import PRICE_YEAR, PROGRAMMES, PURPOSES, sums
from evalkit.metrics.loans import (
    ageing,
    arrears_ratio,
    cure_rates,
    portfolio_at_risk,
    repayment_on_time,
    vintages,
    with_purpose,
)

__all__ = [
    "DEFINITIONS",
    "PER_HOUSEHOLD",
    "PER_POOR_HOUSEHOLD",
    "ageing",
    "arrears_ratio",
    "cure_rates",
    "portfolio_at_risk",
    "repayment_on_time",
    "sums",
    "vintages",
    "with_purpose",
]

# Programmes that the register of published figures already names otherwise than by their code.
STEMS = {
    "poor": "poor_hh",
    "near_poor": "near_poor_hh",
    "escaped": "escaped_poor_hh",
    "water": "water_sanitation",
    "jobs": "job_creation",
    "difficult_area": "difficult_area_programme",
    "ethnic_minority": "ethnic_minority_programme",
}
_CGAP = "CGAP (2003), Definitions of Selected Financial Terms, Ratios and Adjustments for Microfinance"
_ARREARS = "QĐ 976/QĐ-TTg (1 July 2015); CGAP (2003), arrears rate"
_PRICES = f"prices of {PRICE_YEAR}"
_DEFLATOR = "national consumer price index, annual average (data/reference/consumer_prices.csv)"


def _part(column, name, meaning, **more):
    return Ratio(name, (column,), ("outstanding",), "percent", meaning, scale=100, part=True, **more)


DEFINITIONS = (
    Quantity(
        "outstanding_loans_vnd", "outstanding", "VND", "Principal that borrowers owe at the year's end."
    ),
    Quantity(
        "outstanding_loans_real_vnd",
        "outstanding_real",
        "VND",
        "Outstanding at the year's end in the prices of the last year of the price index.",
        basis=_PRICES,
        flags=("computed",),
        source=_DEFLATOR,
    ),
    Quantity("lending_turnover_vnd", "lent", "VND", "Lent in the year.", flags=("flow",)),
    Quantity(
        "debt_collection_turnover_vnd",
        "collected",
        "VND",
        "Principal collected in the year.",
        flags=("flow",),
    ),
    Quantity(
        "current_debt_vnd", "current", "VND", "Outstanding that is neither overdue, frozen nor extended."
    ),
    Quantity(
        "overdue_debt_vnd", "overdue", "VND", "The amounts converted into overdue debt.", source=_ARREARS
    ),
    Quantity("frozen_debt_vnd", "frozen", "VND", "Debt frozen (khoanh) after a risk that the bank accepted."),
    Quantity("extended_debt_vnd", "extended", "VND", "Debt whose due date was put off (gia hạn)."),
    Quantity(
        "write_off_vnd", "written_off", "VND", "Debt written off (xóa nợ) in the year.", flags=("flow",)
    ),
    *(
        Quantity(
            f"outstanding_loans_{STEMS.get(code, code)}_vnd",
            f"outstanding_{code}",
            "VND",
            f"Outstanding at the year's end in the programme “{code}”; no row where nothing is owed.",
            sparse=True,
        )
        for code in PROGRAMMES
    ),
    Quantity(
        "borrower_households",
        "borrower_households",
        "households",
        "Households that owe, each counted once: the office's own total where it lies below the sum of the "
        "programmes, or the only programme's count.",
        basis="households",
    ),
    Quantity(
        "borrowers",
        "borrowers",
        "households",
        "Borrowers of the programmes, added up; a household in two programmes is counted twice.",
        basis="households",
        flags=("repeats",),
    ),
    Quantity(
        "borrower_households_poor_hh",
        "borrowers_poor",
        "households",
        "Households that owe in the programme for poor households; some of them have left the list since.",
        basis="households",
    ),
    Quantity(
        "borrower_households_near_poor_hh",
        "borrowers_near_poor",
        "households",
        "Households that owe in the programme for near-poor households.",
        basis="households",
    ),
    Quantity(
        "loans_count", "loans", "loans", "Loans outstanding at the year's end; a household may have several."
    ),
    NumberOf(
        "programmes",
        tuple(f"outstanding_{code}" for code in PROGRAMMES),
        "count",
        "Programmes in which something is owed.",
    ),
    Ratio(
        "outstanding_growth_pct",
        ("outstanding",),
        ("outstanding_before",),
        "percent",
        "Growth of outstanding on the end of the year before, in the money of each year; communes that "
        "merged are compared with the sum of what they were.",
        scale=100,
        less=1,
    ),
    Ratio(
        "outstanding_real_growth_pct",
        ("outstanding_real",),
        ("outstanding_real_before",),
        "percent",
        "Growth of outstanding on the end of the year before, in prices of one year.",
        scale=100,
        less=1,
        basis=_PRICES,
        source=_DEFLATOR,
    ),
    Ratio(
        "lending_turnover_pct",
        ("lent",),
        ("outstanding_mean",),
        "percent",
        "Lent in the year over the mean of the outstanding at its start and its end.",
        scale=100,
        source=f"{_CGAP}: lending turnover",
    ),
    Ratio(
        "collection_turnover_pct",
        ("collected",),
        ("outstanding_mean",),
        "percent",
        "Collected in the year over the mean of the outstanding at its start and its end. Says how fast the "
        "money comes back, nothing of how well: it isn't a repayment rate.",
        scale=100,
    ),
    Ratio(
        "write_off_rate_pct",
        ("written_off",),
        ("outstanding_mean",),
        "percent",
        "Written off in the year over the mean of the outstanding at its start and its end.",
        scale=100,
        source=f"{_CGAP}: write-off ratio",
    ),
    _part(
        "current",
        "current_share_pct",
        "Share of the outstanding that is neither overdue, frozen nor extended.",
    ),
    _part(
        "overdue",
        "overdue_share_pct",
        "Arrears ratio: overdue amounts alone (the bank's “tỷ lệ nợ quá hạn”). Not a portfolio at risk.",
        upto=("frozen", "extended"),
        source=_ARREARS,
    ),
    _part("frozen", "frozen_share_pct", "Share of the outstanding that is frozen (khoanh)."),
    _part("extended", "extended_share_pct", "Share of the outstanding whose due date was put off (gia hạn)."),
    Ratio(
        "overdue_or_frozen_pct",
        ("overdue", "frozen"),
        ("outstanding",),
        "percent",
        "Overdue and frozen together, as the bank's national figures give them.",
        scale=100,
        part=True,
    ),
    Ratio(
        "overdue_frozen_extended_pct",
        ("overdue", "frozen", "extended"),
        ("outstanding",),
        "percent",
        "All debt that isn't paid as it was agreed: what the arrears ratio would be if all frozen and "
        "extended debt were overdue.",
        scale=100,
        part=True,
    ),
    *(
        _part(
            purpose,
            f"share_{purpose}_pct",
            f"Share of the outstanding lent for {purpose}, by the purpose of each programme "
            "(data/reference/programmes.csv).",
            upto=("rest",),
        )
        for purpose in PURPOSES
    ),
    *(
        _part(
            f"outstanding_{code}",
            f"share_{STEMS.get(code, code)}_pct",
            f"Share of the outstanding in the programme “{code}”.",
            upto=("rest",),
        )
        for code in ("poor", "near_poor", "escaped", "jobs", "students")
    ),
    Concentration(
        "programme_concentration",
        tuple(f"outstanding_{code}" for code in PROGRAMMES),
        "outstanding",
        "index",
        "Herfindahl index of the programmes: 1 where all is lent in one, 1/n where n share equally.",
        source="Hirschman (1964), American Economic Review 54(5), 761",
    ),
    Ratio(
        "outstanding_per_borrower_vnd",
        ("outstanding",),
        ("borrowers_most",),
        "VND",
        "Outstanding per borrower household.",
        under_least="borrowers_least",
        basis="households",
        source=f"{_CGAP}: average outstanding balance per borrower, not per loan",
    ),
    Ratio(
        "outstanding_per_borrower_real_vnd",
        ("outstanding_real",),
        ("borrowers_most",),
        "VND",
        "Outstanding per borrower household, in prices of one year.",
        under_least="borrowers_least",
        basis=_PRICES,
        source=_DEFLATOR,
    ),
    Ratio(
        "outstanding_per_loan_vnd",
        ("outstanding",),
        ("loans",),
        "VND",
        "Outstanding per loan. What was lent per loan needs single loans.",
    ),
    Ratio(
        "loans_per_borrower",
        ("loans",),
        ("borrowers_most",),
        "ratio",
        "Loans per borrower household.",
        under_least="borrowers_least",
    ),
)

PER_HOUSEHOLD = (
    Ratio(
        "outstanding_per_household_vnd",
        ("outstanding",),
        ("households",),
        "VND",
        "Outstanding per household of the commune, borrowers or not: the measure of credit's intensity. All "
        "households are the denominator, for eligibility follows the list of the poor.",
    ),
    Ratio(
        "outstanding_per_household_real_vnd",
        ("outstanding_real",),
        ("households",),
        "VND",
        "Outstanding per household of the commune, in prices of one year.",
        basis=_PRICES,
        source=_DEFLATOR,
    ),
    Ratio(
        "production_per_household_real_vnd",
        ("production_real",),
        ("households",),
        "VND",
        "Outstanding lent for production per household of the commune, in prices of one year: loans for "
        "study, water and housing have no short way to income.",
        upto=("rest_real",),
        basis=_PRICES,
        source=_DEFLATOR,
    ),
    Ratio(
        "household_coverage_pct",
        ("borrowers_most",),
        ("households",),
        "percent",
        "Borrower households among all households of the commune.",
        scale=100,
        over_least="borrowers_least",
        counts=True,
    ),
)

PER_POOR_HOUSEHOLD = (
    Ratio(
        "poor_household_coverage_pct",
        ("borrowers_poor",),
        ("poor",),
        "percent",
        "Households that owe in the programme for poor households over the households on the list of the "
        "poor. Not a share: who left the list still owes until the loan is due, so it may exceed 100.",
        scale=100,
    ),
)
