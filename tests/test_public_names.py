"""The names that the outside relies on, with the parameters that they promise."""

import inspect
import subprocess
import sys

import pytest

import evalkit as ek

PROMISED = {
    "open_dataset": ["folder"],
    "check": ["folder"],
    "read_spreadsheet": ["path", "table", "sheet", "unit"],
    "parse_number": ["text", "unit"],
    "build": ["folder", "out"],
    "place": ["build_folder", "code", "audience"],
    "panel": ["build_folder"],
    "own.text": ["place", "section", "id", "title", "paragraphs", "lang", "level"],
    "own.table": ["place", "section", "id", "frame", "title", "lang", "caption", "level"],
    "own.figure": ["place", "section", "id", "figure", "title", "alt", "lang", "caption", "level"],
    "charts.save": ["chart", "place", "path", "width_mm", "font_pt", "dpi"],
    "poverty.fgt": ["income", "line", "alpha", "weights", "strata", "cluster", "inclusive"],
    "poverty.watts": ["income", "line"],
    "poverty.sen": ["income", "line"],
    "poverty.alkire_foster": ["deprivations", "dimension_weights", "k", "weights"],
    "poverty.at_risk_rate": ["income", "share", "weights"],
    "inequality.gini": ["income", "weights"],
    "inequality.theil": ["income", "weights"],
    "inequality.mean_log_deviation": ["income", "weights"],
    "inequality.atkinson": ["income", "weights"],
    "inequality.quintile_ratio": ["income", "weights"],
    "income.deflate": ["amount", "year", "to", "prices"],
    "income.growth_incidence": [],
    "credit.portfolio_at_risk": ["loans", "days", "as_of"],
    "credit.arrears_ratio": [],
    "credit.vintages": [],
    "impact.fixed_effects": [
        "panel",
        "outcome",
        "dose",
        "unit",
        "time",
        "controls",
        "instruments",
        "weights",
        "cluster",
        "wild",
    ],
    "impact.event_study": [
        "panel",
        "outcome",
        "unit",
        "time",
        "first_treated",
        "dose",
        "controls",
        "cluster",
    ],
    "impact.difference_in_differences": [
        "panel",
        "outcome",
        "treated",
        "post",
        "unit",
        "controls",
        "weights",
        "cluster",
    ],
    "impact.interrupted_series": [
        "series",
        "outcome",
        "time",
        "start",
        "slope_change",
        "lags",
        "family",
        "offset",
        "season",
    ],
    "impact.synthetic_control": [
        "panel",
        "outcome",
        "unit",
        "time",
        "treated",
        "start",
        "predictors",
        "placebos",
    ],
    "impact.staggered": ["panel", "outcome", "unit", "time", "first_treated", "controls", "control_group"],
    "impact.sensitivity": ["event_study", "bound", "values"],
    "impact.oster": [],
    "impact.wild_bootstrap": [],
    "impact.minimum_detectable_effect": [],
}


@pytest.mark.parametrize("name", PROMISED)
def test_the_name_is_there_with_its_parameters(name):
    found = ek
    for part in name.split("."):
        found = getattr(found, part)
    parameters = inspect.signature(found).parameters
    open_ended = any(p.kind is p.VAR_KEYWORD for p in parameters.values())
    assert [p for p in PROMISED[name] if p not in parameters and not open_ended] == []
    assert inspect.getdoc(found)


def test_importing_evalkit_loads_nothing_heavy():
    code = "import evalkit, sys; print([m for m in ('pandas', 'matplotlib', 'statsmodels', 'duckdb', 'papermill') if m in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_a_name_stays_what_it_is_when_its_module_is_loaded():
    code = (
        "import evalkit as ek, evalkit.cli, evalkit.building, evalkit.present.disclose\n"
        "print(all(callable(getattr(ek, n)) for n in ('build', 'check', 'place', 'show', 'open_dataset')))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "True"


def test_what_names_offer_by_completion_has_a_docstring():
    names = [n for n in dir(ek) if not n.startswith("_")]
    assert names == sorted(names)
    assert [n for n in names if not (getattr(ek, n).__doc__ or "").strip()] == []
