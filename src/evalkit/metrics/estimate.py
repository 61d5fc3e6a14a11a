"""The value that every statistical measure returns."""

from dataclasses import asdict, dataclass
from math import nan

import pandas as pd


@dataclass(frozen=True)
class Estimate:
    """A number with its uncertainty and how it came about.

    estimate, std_error, lower, upper are in the measure's own unit; lower and upper bound the interval at
    ``confidence``. n counts the observations used, clusters the independent sampling units (None where
    there are none). method names estimator and interval.
    """

    estimate: float
    std_error: float = nan
    lower: float = nan
    upper: float = nan
    n: int = 0
    clusters: int | None = None
    method: str = ""
    unit: str = ""
    confidence: float = 0.95
    p_value: float = nan
    p_wild: float = nan
    level: str = "L0"
    refusals: tuple[str, ...] = ()
    warnings: tuple[str, ...] = ()

    def __float__(self):
        return float(self.estimate)

    def summary(self):
        """Return the estimate as a tidy table of one row."""
        return pd.DataFrame([asdict(self)])

    def _repr_html_(self):
        return self.summary().T.rename(columns={0: self.method}).to_html()
