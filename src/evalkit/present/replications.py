"""Published studies computed again with evalkit, each number beside the published one.

The published numbers are data (``data/reference/replications.csv``), as text: the digits printed say how close
the number here must come. The public data files are read where they lie and never copied.
"""

from dataclasses import replace
from pathlib import Path

import pandas as pd

from evalkit import impact
from evalkit.errors import DataError, ParameterError
from evalkit.load import reference
from evalkit.metrics import inequality, loans

AGREES, EXPLAINED, DIFFERS = "agrees", "differs as explained", "differs"
# fixest counts the seven year effects in n − k where evalkit counts no absorbed effect.
FIXEST_FACTOR = (344 - 7) / (344 - 14)
# Days past due and status of each kind of loan, as the data set names them.
OPEN_LOAN_STATUSES = {
    "Current": ("current", 0),
    "In Grace Period": ("overdue", 1),
    "Late (16-30 days)": ("overdue", 16),
    "Late (31-120 days)": ("overdue", 31),
    "Charged Off": ("written_off", 121),
    "Fully Paid": ("repaid", 0),
}


def replicate(study, folder):
    """One study's published numbers beside those computed here from its public data.

    ``study`` is a key of ``STUDIES``, ``folder`` holds the public data files. Index: ``quantity``. Columns:
    ``published`` (text, as printed), ``here``, ``difference`` (here less published), ``verdict`` and ``why``.
    The verdict is ``agrees`` within half a unit of the last printed digit, ``differs as explained`` within the
    tolerance that the reason in ``why`` gives, else ``differs``. ParameterError: no such study. DataError: its
    file isn't in the folder. Sources: column ``source_title`` of ``data/reference/replications.csv``.
    """
    if study not in STUDIES:
        raise ParameterError(f"There is no study {study!r}. Ask for one of: {', '.join(STUDIES)}.")
    file, compute = STUDIES[study]
    path = Path(folder) / file
    if not path.is_file():
        raise DataError(f"{path}: not found. Give the folder that holds {file}, the public data of {study}.")
    rows = reference.table("replications").query("study == @study").set_index("quantity")
    here = pd.Series(compute(path), dtype=float).reindex(rows.index)
    off = here - pd.to_numeric(rows["published"])
    half_a_digit = rows["published"].map(_half_a_digit)
    tolerance = pd.to_numeric(rows["tolerance"].replace("", None)).fillna(0)
    verdict = pd.Series(DIFFERS, index=rows.index)
    verdict[off.abs() <= tolerance] = EXPLAINED
    verdict[off.abs() <= half_a_digit] = AGREES
    return pd.DataFrame(
        {
            "published": rows["published"],
            "here": here,
            "difference": off,
            "verdict": verdict,
            "why": rows["why"].where(verdict != AGREES, ""),
        }
    )


def _half_a_digit(printed):
    return 0.5 * 10.0 ** -len(printed.partition(".")[2]) * (1 + 1e-9)


def _teen_employment(path):
    study = impact.staggered(
        pd.read_csv(path), outcome="lemp", unit="countyreal", time="year", first_treated="first.treat"
    )
    events = study.periods.set_index("event_time")["estimate"].rename(lambda e: f"event {e:.0f}")
    groups = study.groups.set_index(study.groups.columns[0])["estimate"].rename(lambda g: f"started {g:.0f}")
    return {"overall": study.estimate, **events, **groups}


def _california_1989(path):
    states = pd.read_csv(path, sep=";")
    states["california"] = (states["State"] == "California").astype(int)
    states["after"] = (states["Year"] >= 1989).astype(int)
    names = {"outcome": "PacksPerCapita", "unit": "State", "time": "Year"}
    start = {"treated": "California", "start": 1989, **names}
    return {
        "difference in differences": impact.difference_in_differences(
            states, treated="california", post="after", **names
        ).estimate,
        "synthetic difference in differences": impact.synthetic_did(states, **start).estimate,
        "synthetic control": impact.synthetic_control(states, placebos=False, **start).estimate,
    }


def _smoking(path):
    states = pd.read_stata(path)
    return states.assign(
        year=states["year"].astype(int),
        state=states["state"].astype(str),
        cigsale=states["cigsale"].astype(float),
    )


def _california_predictors(path):
    eighties = range(1980, 1989)
    control = impact.synthetic_control(
        _smoking(path),
        outcome="cigsale",
        unit="state",
        time="year",
        treated="California",
        start=1989,
        predictors=[
            *((name, eighties) for name in ("lnincome", "age15to24", "retprice")),
            ("beer", range(1984, 1989)),
            *(("cigsale", year) for year in (1975, 1980, 1988)),
        ],
    )
    return {
        **control.weights,
        "ratio of errors after to before": control.diagnostics["mspe_ratio"],
        "rank": control.diagnostics["rank"],
        "states": control.diagnostics["units"],
    }


def _california_series(path):
    california = _smoking(path).query("state == 'California'")
    effect = impact.interrupted_series(california, outcome="cigsale", time="year", start=1989, lags=1)
    terms = effect.coefficients.set_index("term")["estimate"]
    return {**terms, "error of level_change": effect.std_error}


def _basque_country(path):
    regions = pd.read_csv(path).query("regionno != 1 and year >= 1960")
    regions["school.high"] += regions["school.post.high"]
    schools = ["school.illit", "school.prim", "school.med", "school.high"]
    regions[schools] = 100 * regions[schools].div(regions[schools].sum(axis=1, min_count=4), axis=0)
    predictors = [
        *((name, range(1964, 1970)) for name in [*schools, "invest"]),
        ("gdpcap", range(1960, 1970)),
        *((name, range(1961, 1970, 2)) for name in regions if name.startswith("sec.")),
        ("popdens", 1969),
    ]
    return impact.synthetic_control(
        regions,
        outcome="gdpcap",
        unit="regionname",
        time="year",
        treated="Basque Country (Pais Vasco)",
        start=1970,
        predictors=predictors,
        placebos=False,
    ).weights


def _mathematics_reform(path):
    states = pd.read_csv(path)
    names = {"outcome": "incearn_ln", "unit": "state", "time": "cls"}
    pieces = impact.goodman_bacon(states, first_treated="reformyr_math", **names)
    weight = pieces.groupby("comparison")["weight"].sum()
    mean = (pieces["weight"] * pieces["estimate"]).groupby(pieces["comparison"]).sum() / weight
    return {
        **weight.rename(lambda kind: f"weight of {kind}"),
        **mean.rename(lambda kind: f"mean of {kind}"),
        "two-way fixed effects": impact.fixed_effects(states, dose="reform_math", **names).estimate,
    }


def _medicaid(path):
    states = pd.read_stata(path)
    states = states.assign(year=states["year"].astype(int), yexp2=states["yexp2"].astype(float))
    states = states[(states["year"] < 2016) & (states["yexp2"].isna() | (states["yexp2"] != 2015))]
    study = impact.event_study(
        states, outcome="dins", unit="stfips", time="year", first_treated="yexp2", cluster="stfips"
    )
    as_fixest = replace(study, covariance=study.covariance * FIXEST_FACTOR)
    bounds = {
        "relative magnitude": impact.sensitivity(as_fixest, values=[0.5, 1, 1.5, 2]),
        "smoothness": impact.sensitivity(as_fixest, bound="smoothness", values=[0, 0.01, 0.02, 0.03]),
    }
    return {
        f"{name} {row.value:g} {end}": getattr(row, end)
        for name, table in bounds.items()
        for row in table.itertuples()
        for end in ("lower", "upper")
    }


def _voters(path):
    categories = ["Q1_immigration", "Q2_defense"]
    effect = impact.wild_bootstrap(
        pd.read_csv(path).astype(dict.fromkeys(categories, "category")),
        outcome="proposition_vote",
        dose="treatment",
        controls=["log_income", *categories],
        cluster="group_id1",
        draws=99_999,
    )
    return {
        "estimate": effect.estimate,
        "t": effect.estimate / effect.std_error,
        "p of the bootstrap": effect.p_wild,
        "lower": effect.lower,
        "upper": effect.upper,
    }


def _ilocos_incomes(path):
    table = inequality.inequality_by(
        pd.read_csv(path), by=["province"], income="income", measures=("atkinson", "theil")
    )
    return {f"{row.province} {row.indicator}": row.estimate for row in table.itertuples()}


def _open_loans(path):
    rows = pd.read_csv(path)
    status = rows["loan_status"].map(OPEN_LOAN_STATUSES)
    table = pd.DataFrame(
        {
            "loan": rows["rownames"],
            "outstanding_vnd": rows["balance"],  # US dollars; a share has no currency
            "days_past_due": status.str[1],
            "status": status.str[0],
        }
    )
    at_risk = {days: loans.portfolio_at_risk(table, days=days).iloc[0] for days in (15, 30)}
    return {
        "outstanding": at_risk[15].denominator,
        **{f"over {days} days, per cent": 100 * row.value for days, row in at_risk.items()},
    }


STUDIES = {
    "teen_employment": ("mpdta.csv", _teen_employment),
    "california_1989": ("california_prop99.csv", _california_1989),
    "california_predictors": ("sc_smoking_ADH.dta", _california_predictors),
    "california_series": ("sc_smoking_ADH.dta", _california_series),
    "basque_country": ("basque.csv", _basque_country),
    "mathematics_reform": ("bacon_math_reform.csv", _mathematics_reform),
    "medicaid": ("ehec_data.dta", _medicaid),
    "voters": ("voters.csv", _voters),
    "ilocos_incomes": ("Ilocos.csv", _ilocos_incomes),
    "open_loans": ("openintro_loans_full_schema_subset.csv", _open_loans),
}
