"""Figures of a report. Each takes a place and returns a block: drawing, caption, text alternative, table behind."""

from evalkit.present.charts.credit import groups, mix
from evalkit.present.charts.impact import around_supply, curve
from evalkit.present.charts.income import income
from evalkit.present.charts.ledger import ledger
from evalkit.present.charts.outcomes import outcomes
from evalkit.present.charts.paper import save
from evalkit.present.charts.portfolio import flows, portfolio, reach
from evalkit.present.charts.poverty import poverty
from evalkit.present.charts.province import distribution, funnel, years
from evalkit.present.charts.spine import spine
from evalkit.present.contribution import decomposition
from evalkit.present.opened import refusing

__all__ = [
    "around_supply",
    "curve",
    "decomposition",
    "distribution",
    "flows",
    "funnel",
    "groups",
    "income",
    "ledger",
    "mix",
    "outcomes",
    "portfolio",
    "poverty",
    "reach",
    "save",
    "spine",
    "years",
]

globals().update(refusing({name: globals()[name] for name in __all__}))
