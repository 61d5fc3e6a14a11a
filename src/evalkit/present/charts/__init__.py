"""Figures of a report. Each takes a place and returns a block: drawing, caption, text alternative, table behind."""

from evalkit.present.charts.credit import groups, mix
from evalkit.present.charts.impact import around_supply, curve
from evalkit.present.charts.income import income
from evalkit.present.charts.poverty import poverty
from evalkit.present.charts.spine import spine
from evalkit.present.contribution import decomposition

__all__ = ["around_supply", "curve", "decomposition", "groups", "income", "mix", "poverty", "spine"]
