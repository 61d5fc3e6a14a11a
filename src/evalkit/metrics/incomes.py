"""Income per person from the table of income: per year or per month, never converted, each method apart."""

from evalkit.metrics.definitions import Quantity, Ratio

_MEANING = {
    "year": "Income per person per year in the money of the year, as the commune or the survey reports it.",
    "month": "Income per person per month in the money of the year, as the commune or the survey reports it.",
}
DEFINITIONS = {
    per: Quantity(f"income_{per}_vnd", "income", f"VND/person/{per}", _MEANING[per], basis="current")
    for per in ("year", "month")
}
OF_AREAS = {
    per: Ratio(
        f"income_{per}_vnd",
        ("income_times_households",),
        ("households",),
        f"VND/person/{per}",
        "Mean of the communes' incomes per person, weighted by households because persons aren't counted.",
        basis="current",
        flags=("computed", "household_weights"),
    )
    for per in ("year", "month")
}


def sums(income, households):
    """Return income by commune, year, ``per`` and method, with the commune's households as its weight."""
    out = income.rename(columns={"income_vnd": "income", "basis": "method"})
    out = out[["place", "year", "per", "method", "income"]].merge(
        households, on=["place", "year"], how="left"
    )
    return out.assign(
        income=out["income"].astype(float), income_times_households=out["income"] * out["households"]
    )
