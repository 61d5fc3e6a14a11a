"""A simulated province, and a simulated country, on which every method can be judged: the truth is known."""

from evalkit.simulate.parameters import Difficulties, Effect, Parameters
from evalkit.simulate.province import Simulated, country, draw, province

__all__ = ["Difficulties", "Effect", "Parameters", "Simulated", "country", "draw", "province"]
