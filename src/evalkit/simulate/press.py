"""What a newspaper prints: facts on some communes, the better ones, rounded and qualified."""

import numpy as np
import pandas as pd

_STEPS = {"VND": 100_000_000, "households": 10, "percent": 0.1, "VND/person/year": 1_000_000}  # of rounding


def table(tables, parameters, draws, *, rounding):
    """Return the table of facts about ``press_communes`` communes at the end of the last year.

    tables: communes, credit, groups, poverty and income, from which every fact is taken. The communes are
    those with the lowest rates of poor households, as newspapers choose. With ``rounding``, sums and shares
    are printed "over" the next lower or "nearly" the next higher round figure; counts of groups and
    programmes stay exact. Without it every figure is exact.
    """
    year = parameters.years[1]
    facts = pd.concat(_facts(tables, year), ignore_index=True)
    poverty = tables["poverty"].query("year == @year").drop_duplicates("code").set_index("code")["poor_pct"]
    facts = facts[facts["code"].isin(poverty.nsmallest(parameters.press_communes).index)]
    facts = facts.sort_values(["code", "indicator"], kind="stable", ignore_index=True)
    values, qualifiers = _printed(facts, draws) if rounding else (facts["number"], "exact")
    today = tables["communes"].drop_duplicates("code", keep="last").set_index("code")
    place = today.loc[facts["code"]]
    return pd.DataFrame(
        {
            "code": facts["code"],
            "place": place["name"].to_numpy(),
            "level": "commune",
            "district": place["district"].to_numpy(),
            "province": place["province"].to_numpy(),
            "indicator": facts["indicator"],
            "value": [f"{v:.2f}".rstrip("0").rstrip(".") for v in values],
            "unit": facts["unit"],
            "qualifier": qualifiers,
            "as_of": str(year),
            "basis": facts["basis"],
            "method": facts["method"],
            "scope": "whole",
            "source_url": "https://example.org/bao-gia-lap/" + facts["code"],
            "source_title": "Báo Giả Lập (mô phỏng)",
            "published_on": f"{year + 1}-01-15",
        }
    )


def _facts(tables, year):
    """Yield the facts of the year as frames: code, indicator, number, unit, basis, method."""
    credit = tables["credit"].query("year == @year")
    total = credit.query("programme == 'total'").set_index("code")
    groups = tables["groups"].query("year == @year").groupby("code")
    poverty = tables["poverty"].query("year == @year").drop_duplicates("code", keep="last").set_index("code")
    income = tables["income"].query("year == @year").set_index("code")["income_vnd"]
    yield _fact("outstanding_loans_vnd", total["outstanding_vnd"], "VND", "bank")
    yield _fact("borrower_households", total["borrowers"], "households", "bank")
    yield _fact("overdue_pct", 100 * total["overdue_vnd"] / total["outstanding_vnd"], "percent", "bank")
    yield _fact("programmes", credit.query("programme != 'total'").groupby("code").size(), "count", "bank")
    yield _fact("savings_loan_groups", groups.size(), "groups", "bank")
    yield _fact("savings_deposits_vnd", groups["savings_vnd"].sum(), "VND", "bank")
    yield _fact("households_total", poverty["households"], "households", "review")
    yield _fact("poor_households", poverty["poor"], "households", "review", poverty["standard"])
    yield _fact("poverty_rate_pct", poverty["poor_pct"], "percent", "review", poverty["standard"])
    yield _fact("income_per_capita_vnd", income, "VND/person/year", "self_survey")


def _fact(indicator, numbers, unit, method, basis=None):
    frame = pd.DataFrame({"number": numbers.astype(float), "basis": basis}).dropna(subset="number")
    return frame.assign(indicator=indicator, unit=unit, method=method).rename_axis("code").reset_index()


def _printed(facts, draws):
    """Round each figure down ("over") or up ("nearly"), whichever is closer, where its unit is rounded."""
    steps = facts["unit"].map(_STEPS).fillna(0).to_numpy(dtype=float)
    large = facts["number"].to_numpy() >= 10 * steps
    rounded = (steps > 0) & large & ~facts["indicator"].isin(["poor_households", "poverty_rate_pct"])
    rounded &= draws.uniform("press", len(facts)) < 0.7
    step = np.where(rounded, steps, 1.0)
    below = np.floor(facts["number"] / step) * step
    nearly = facts["number"] - below > 0.7 * step
    value = np.where(rounded, below + nearly * step, facts["number"])
    exact = ~rounded | (value == facts["number"])
    return value, np.select([exact, nearly], ["exact", "nearly"], "over")
