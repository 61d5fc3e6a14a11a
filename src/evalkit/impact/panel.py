"""The panel that the designs run on: one row per unit, year and poverty standard, with lagged real credit."""

import numpy as np
import pandas as pd

from evalkit.errors import DataError
from evalkit.impact import frames
from evalkit.load import places
from evalkit.metrics.income import deflate

# Programmes that lend by the list of the poor: in the same year their volume is itself a count of the poor.
LISTED = ("poor", "near_poor", "escaped")
PURPOSES = ("production", "study", "water", "housing", "other")


def intensity_panel(*, credit, poverty, communes, programmes, prices, price_year, income=None, lag=1):
    r"""Poverty and income of every unit beside the credit it had ``lag`` years before.

    .. math:: d_{i,t} = \frac{1}{10^6\,H_{i,t-l}} \sum_p \mathrm{outstanding}_{i,p,t-l} \cdot
              \frac{P_{\text{price\_year}}}{P_{t-l}}

    credit, poverty, communes, income: tables of the schema. programmes: code → purpose (Series, or frame
    with a column purpose, by code). prices: level by year.

    Columns: unit (code, or code-year where a merger re-used it: a merged unit is a new one), district_code,
    year, standard, unit_standard and year_standard (for effects by standard: no difference crosses a change
    of standard), households (all), poor, poor_pct, poor_near_poor_pct, log_odds_poor (with ½ added to both
    counts), log_income (real, per month, on the row of the year's first standard), income_basis, and per
    purpose ``{purpose}_credit_lag{lag}`` with total_credit_lag{lag}, in million VND of price_year per
    household.

    A unit-year without a credit delivery has missing credit; within a delivery a purpose without a row is
    zero. attrs: made_of (column → counts behind it) and basis (outcome → its column of bases) serve the
    gates.
    """
    frames.check_columns(credit, "code", "year", "programme", "outstanding_vnd", table="credit")
    frames.check_columns(
        poverty, "code", "year", "standard", "households", "poor", "near_poor", table="poverty"
    )
    units = places.units(communes)
    out = rates(located(poverty, units, "poverty"))
    purpose = programmes["purpose"] if isinstance(programmes, pd.DataFrame) else programmes
    doses = intensity(located(credit, units, "credit"), out, purpose, prices, price_year)
    doses["year"] += lag
    names = [c for c in doses if c not in ("unit", "year")]
    renamed = {name: f"{name}_credit_lag{lag}" for name in names}
    out = out.merge(doses.rename(columns=renamed), on=["unit", "year"], how="left")
    if income is not None:
        out = with_income(out, located(income, units, "income"), prices, price_year)
    district = units.set_index("place")["district_code"]
    out.insert(1, "district_code", out["unit"].map(district))
    out["unit_standard"] = out["unit"] + " " + out["standard"]
    out["year_standard"] = out["year"].astype(str) + " " + out["standard"]
    listed = sorted({purpose[code] for code in LISTED if code in purpose.index}) if lag == 0 else []
    out = out.sort_values(["unit", "year", "standard"], ignore_index=True)
    by_standard = dict.fromkeys(("poor_pct", "poor_near_poor_pct", "log_odds_poor"), "standard")
    out.attrs = {"made_of": sources(renamed, listed), "basis": by_standard | {"log_income": "income_basis"}}
    return out


def located(table, units, name):
    """Return a table with the column unit: which unit each code meant at the end of its year."""
    pairs = table[["code", "year"]].astype({"code": object, "year": int}).drop_duplicates(ignore_index=True)
    ends = pd.to_datetime(pairs["year"].astype(str) + "-12-31")
    pairs["unit"] = places.place_of(pairs["code"], ends, ends, units).astype(object)
    if pairs["unit"].isna().any():
        code = pairs.loc[pairs["unit"].isna(), "code"].iloc[0]
        raise DataError(f"{name}: code {code!r} is not in the table of communes. Add it with its dates.")
    return table.astype({"code": object, "year": int}).merge(pairs, on=["code", "year"]).drop(columns="code")


def rates(poverty):
    """Return one row per unit, year and standard with shares of all households, in per cent, and log odds."""
    if poverty.duplicated(["unit", "year", "standard"]).any():
        raise DataError("poverty: a unit has two rows for one year and standard. Keep one.")
    counts = poverty[["unit", "year", "standard", "households", "poor", "near_poor"]].copy()
    counts[["households", "poor", "near_poor"]] = counts[["households", "poor", "near_poor"]].astype(float)
    more = counts["poor"] + counts["near_poor"].fillna(0) > counts["households"]
    counts.loc[more, ["households", "poor", "near_poor"]] = np.nan  # one of the counts is wrong
    counts = counts[counts["households"] > 0]
    return counts.assign(
        poor_pct=100 * counts["poor"] / counts["households"],
        poor_near_poor_pct=100 * (counts["poor"] + counts["near_poor"]) / counts["households"],
        log_odds_poor=np.log((counts["poor"] + 0.5) / (counts["households"] - counts["poor"] + 0.5)),
    )


def intensity(credit, rates, purpose, prices, price_year):
    """Return real outstanding per household by unit and year, one column per purpose and the total."""
    single = credit[credit["programme"] != "total"]
    unknown = sorted(set(single["programme"]) - set(purpose.index))
    if unknown:
        raise DataError(
            f"credit, programme: no purpose known for {', '.join(unknown)}. Add them to the programmes."
        )
    real = deflate(single["outstanding_vnd"].astype(float), single["year"], to=price_year, prices=prices)
    table = single.assign(real=real, purpose=single["programme"].map(purpose))
    summed = table.groupby(["unit", "year", "purpose"])["real"].sum(skipna=False).unstack(fill_value=0.0)
    summed = summed.reindex(columns=[p for p in PURPOSES if p in set(purpose)], fill_value=0.0)
    summed["total"] = summed.sum(axis=1, skipna=False)
    households = rates.drop_duplicates(["unit", "year"]).set_index(["unit", "year"])["households"]
    return summed.div(1e6 * households.reindex(summed.index), axis=0).rename_axis(columns=None).reset_index()


def with_income(panel, income, prices, price_year):
    """Return the panel with log real income per month, once per unit and year."""
    monthly = income["income_vnd"].astype(float) / np.where(income["per"] == "year", 12, 1)
    real = deflate(monthly, income["year"], to=price_year, prices=prices)
    income = income.assign(log_income=np.log(real.where(real > 0)), income_basis=income["basis"])
    if income.duplicated(["unit", "year"]).any():
        raise DataError("income: a unit has two rows for one year. Keep one basis.")
    out = panel.merge(income[["unit", "year", "log_income", "income_basis"]], on=["unit", "year"], how="left")
    out.loc[out.sort_values("standard").duplicated(["unit", "year"]), "log_income"] = np.nan
    return out


def sources(renamed, listed):
    """Return column → the counts it is made of, for the gate against mechanical links."""
    made_of = {
        "poor_pct": ("poor", "households"),
        "log_odds_poor": ("poor", "households"),
        "poor_near_poor_pct": ("poor", "near_poor", "households"),
    }
    for name, column in renamed.items():
        steered = ("poor",) if name in listed or (name == "total" and listed) else ()
        made_of[column] = ("outstanding_vnd", "households", *steered)
    return made_of


def exposure(credit, *, programmes, years, by="code"):
    """Share of each unit's outstanding credit that lay in some programmes, mean over ``years`` (0 to 1).

    The earlier mix decides how strongly a later change of those programmes reaches the unit. Returns a
    Series by ``by``; a unit without credit in those years is missing, and so is a year in which one amount is.
    """
    rows = credit[credit["year"].isin(list(np.atleast_1d(years))) & (credit["programme"] != "total")]
    amount = rows["outstanding_vnd"].astype(float)
    chosen = (
        amount.where(rows["programme"].isin(list(programmes)), 0.0).groupby([rows[by], rows["year"]]).sum()
    )
    whole = amount.groupby([rows[by], rows["year"]]).sum(skipna=False)
    return (chosen / whole.where(whole > 0)).groupby(level=0).mean().rename("exposure")
