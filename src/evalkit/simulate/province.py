"""The simulated province: a whole data set, all tables consistent with one another, whose truth is known."""

import json
import os
import shutil
import tempfile
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd

from evalkit.errors import DataError, ParameterError
from evalkit.simulate import credit, groups, history, households, income, loans, places, poverty, press, truth
from evalkit.simulate.draws import Draws
from evalkit.simulate.parameters import Parameters

TABLES = (
    *("communes", "credit", "groups", "poverty", "income"),
    *("households", "loans", "repayments", "facts"),
)
_PARQUET = ("loans", "repayments")  # written as Parquet, the others as CSV
_MISSING = {"credit": 0.015, "poverty": 0.02, "income": 0.06}  # share of commune-years without a delivery


@dataclass(frozen=True)
class Simulated:
    """A province in memory. tables: {name: frame} as in the schema; truth: the content of truth.json."""

    parameters: Parameters
    tables: dict[str, pd.DataFrame]
    truth: dict

    def __getitem__(self, name):
        return self.tables[name]


def draw(*, tables=TABLES[:5], **parameters):
    """Draw a province in memory.

    tables: the tables wanted; the others cost next to nothing. parameters: those of ``Parameters``
    (districts, communes, years, seed, effect, difficulties, ...). Returns ``Simulated``; a table for which
    the parameters ask no commune is absent. The same parameters give the same figures whichever tables are
    asked for.

    Raises ParameterError for a parameter or table that isn't known, of the wrong kind or out of range.
    """
    unknown = [name for name in tables if name not in TABLES]
    if unknown:
        raise ParameterError(f"simulate: no table {unknown[0]!r}; there are {', '.join(TABLES)}.")
    return _draw(Parameters.of(parameters), tables)


def country(
    *,
    communes=10_600,
    years=(2014, 2024),
    seed=1,
    tables=("communes", "credit", "poverty", "income"),
    **parameters,
):
    """Draw a simulated country in memory: 63 provinces, 700 districts and ``communes`` communes of today."""
    size = {"provinces": min(63, communes), "districts": min(700, communes), "communes": communes}
    return draw(tables=tables, **(size | {"years": years, "seed": seed, "loan_communes": 0} | parameters))


def province(folder, **parameters):
    """Write a simulated data set to ``folder`` and return its path.

    parameters: those of ``Parameters``. The folder appears whole or not at all; one that exists must hold a
    simulated data set (it is replaced) or be empty. The same parameters give the same bytes.

    Raises DataError where the folder holds anything else, ParameterError for a wrong parameter.
    """
    folder = Path(folder)
    settings = Parameters.of(parameters)
    _refuse_foreign(folder)
    simulated = _draw(settings, TABLES)
    folder.parent.mkdir(parents=True, exist_ok=True)
    aside = Path(tempfile.mkdtemp(prefix=f".{folder.name}-", dir=folder.parent))
    try:
        _write(simulated, aside)
        aside.chmod(0o755)
        _swap(aside, folder)
    except BaseException:
        shutil.rmtree(aside, ignore_errors=True)
        raise
    return folder


def _draw(parameters, wanted):
    draws, on = Draws(parameters.seed), parameters.difficulties
    land = places.draw(parameters, draws)
    past = history.draw(parameters, draws, land)
    bank = credit.book(past, draws)
    delivered = places.Boundaries.of(land, past.years, mergers=on.mergers_2020)
    incomes, heaped = income.table(past, land, delivered, draws, heaping=on.heaping)
    needs = {*wanted, *(("credit", "groups", "poverty") if "facts" in wanted else ())}
    tables = {"communes": places.table(land, draws, mergers=on.mergers_2020), "income": incomes}
    if "credit" in needs:
        tables["credit"] = credit.table(bank, delivered)
    if "poverty" in needs:
        tables["poverty"] = poverty.table(past, delivered)
    if needs & {"groups", "loans", "repayments"}:
        tables |= _debts(parameters, draws, land, past, bank)
    if "households" in needs and parameters.survey_communes:
        switches = {"standards_break": on.standards_break, "mergers": on.mergers_2020}
        tables["households"] = households.table(parameters, past, bank, land, draws, **switches)
    if "facts" in needs and parameters.press_communes:
        tables["facts"] = press.table(tables, parameters, draws, rounding=on.press_rounding)
    if on.missing_years:
        known = land.code[loans.chosen_parts(parameters, land, draws)]
        tables = {name: _with_gaps(name, frame, delivered, known, draws) for name, frame in tables.items()}
    frames = {name: tables[name] for name in wanted if name in tables}
    return Simulated(parameters, frames, truth.statement(parameters, past, land, bank, delivered, heaped))


def _debts(parameters, draws, land, past, bank):
    """Return the tables of groups, loans and repayments, which describe the same debts."""
    mergers = parameters.difficulties.mergers_2020
    layout = groups.sizes(bank.customers, draws)
    parts = loans.chosen_parts(parameters, land, draws)
    if not len(parts):
        return {"groups": groups.table(layout, bank, past, land, draws, loans=None, mergers=mergers)}
    ledger = loans.ledger(parts, past, bank, land, draws)
    single = loans.snapshots(ledger, past, land, layout, mergers=mergers)
    return {
        "groups": groups.table(layout, bank, past, land, draws, loans=single, mergers=mergers),
        "loans": single,
        "repayments": loans.instalments(ledger, past, draws),
    }


def _with_gaps(name, frame, delivered, known, draws):
    """Leave out the commune-years that weren't delivered; the book of communes with loans is whole."""
    if name not in _MISSING:
        return frame
    u = draws.uniform(f"missing {name}", *delivered.rows.shape)[delivered.part, delivered.t]
    lost = u < _MISSING[name]
    if name == "credit":
        lost &= ~np.isin(delivered.codes, known)
    gaps = pd.MultiIndex.from_arrays([delivered.codes[lost], delivered.years[lost]])
    return frame[~pd.MultiIndex.from_frame(frame[["code", "year"]]).isin(gaps)].reset_index(drop=True)


def _refuse_foreign(folder):
    if folder.is_dir() and any(folder.iterdir()) and not (folder / "truth.json").is_file():
        raise DataError(
            f"{folder} holds files that aren't of a simulated data set (no truth.json); nothing was written. "
            "Name a new folder."
        )
    if folder.exists() and not folder.is_dir():
        raise DataError(f"{folder} is a file; nothing was written. Name a new folder.")


def _swap(aside, folder):
    """Put the finished folder in place of the former one."""
    if not folder.exists():
        os.rename(aside, folder)
        return
    former = Path(tempfile.mkdtemp(prefix=f".{folder.name}-former-", dir=folder.parent))
    os.rename(folder, former / folder.name)
    try:
        os.rename(aside, folder)
    except BaseException:
        os.rename(former / folder.name, folder)
        former.rmdir()
        raise
    shutil.rmtree(former)


def _write(simulated, folder):
    for name, frame in simulated.tables.items():
        if name in _PARQUET:
            frame.to_parquet(folder / f"{name}.parquet", index=False, compression="zstd")
        else:
            frame.to_csv(folder / f"{name}.csv", index=False, lineterminator="\n", encoding="utf-8")
    text = json.dumps(simulated.truth, ensure_ascii=False, indent=1, default=_plain)
    (folder / "truth.json").write_text(text + "\n", encoding="utf-8")
    (folder / "dataset.toml").write_text(_SETTINGS.format(p=simulated.parameters), encoding="utf-8")


def _plain(value):
    if isinstance(value, np.generic):
        return value.item()
    raise TypeError(f"{type(value).__name__} has no place in truth.json")


_SETTINGS = """\
[title]
vi = "Tỉnh Giả Lập – số liệu mô phỏng, {p.years[0]}–{p.years[1]}"
en = "The simulated province, {p.years[0]}–{p.years[1]}"

[source]
vi = "Số liệu mô phỏng, do evalkit.simulate tạo ra (hạt giống {p.seed}); mọi xã, mọi con số đều hư cấu."
en = "Simulated by evalkit.simulate (seed {p.seed}); every commune and every figure is invented."

[rights]
vi = "CC0 1.0: được tự do sử dụng."
en = "CC0 1.0: free for any use."

[data]
real = false
years = [{p.years[0]}, {p.years[1]}]

[publish]
suppression_threshold = 5

[plan]
decided_on = {p.years[0]}-01-15  # invented, like everything here; before the first year of the data
outcomes = ["poor_pct", "log_income"]  # the first is the main one
doses = ["production"]
designs = ["fixed_effects", "long_differences", "shift_share"]
subgroups = ["rural", "poorer_at_first"]
"""
