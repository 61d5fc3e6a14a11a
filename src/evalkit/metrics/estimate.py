"""The value that every statistical measure returns."""

from dataclasses import asdict, dataclass, fields
from math import isnan, nan
from numbers import Real

import numpy as np
import pandas as pd

from evalkit.errors import ParameterError


def check_confidence(confidence):
    """Raise ParameterError unless the confidence of an interval is a share between 0 and 1."""
    if not (isinstance(confidence, Real) and 0 < confidence < 1):
        raise ParameterError(f"confidence={confidence!r}: a share between 0 and 1; write 0.95 for 95 %.")


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

    def __post_init__(self):
        """Hold figures as Python's own numbers, whatever library computed them; check the confidence."""
        for name in (f.name for f in fields(self)):
            value = getattr(self, name)
            if isinstance(value, np.generic):
                object.__setattr__(self, name, value.item())
        check_confidence(self.confidence)

    def __float__(self):
        return float(self.estimate)

    def summary(self):
        """Return the estimate as a tidy table of one row."""
        return pd.DataFrame([asdict(self)])

    def described(self):
        """Return what a reader in a notebook needs of it, label → text; what isn't known is left out."""
        unit = f" {self.unit}" if self.unit else ""
        interval = f"{self.lower:.4g} to {self.upper:.4g} ({self.confidence:.0%})"
        lines = {
            "estimate": "" if isnan(self.estimate) else f"{self.estimate:.4g}{unit}",
            "interval": "" if isnan(self.lower) and isnan(self.upper) else interval,
            "n": f"{self.n:,}" + (f" in {self.clusters} clusters" if self.clusters else ""),
            "level": self.level,
            "method": self.method,
            "refused": " ".join(self.refusals),
            "warning": " ".join(self.warnings),
        }
        return {label: text for label, text in lines.items() if text}

    def _repr_html_(self):
        lines = pd.Series(self.described(), dtype=object).to_frame(type(self).__name__)
        with pd.option_context("display.max_colwidth", None):
            return lines.to_html()
