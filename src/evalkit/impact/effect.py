"""What the estimators of this package return."""

import csv
from dataclasses import dataclass, field, fields, replace
from functools import cache
from importlib.resources import files
from math import isnan, nan

import numpy as np
import pandas as pd

from evalkit.metrics.estimate import Estimate


@cache
def messages():
    """Return the sentences of this package by code, in "vi" and "en", with places for details in braces."""
    with files(__package__).joinpath("messages.csv").open(encoding="utf-8", newline="") as stream:
        return {row["msgid"]: row for row in csv.DictReader(stream)}


class Reason(str):
    """Why a number was refused, or what must be said beside it.

    Reads as its English sentence, headed by the code; ``code`` and ``details`` are the record behind it and
    ``text(lang)`` gives the sentence in Vietnamese or English.
    """

    code: str
    details: dict

    def __new__(cls, code, details=None):
        details = dict(details or {})
        reason = super().__new__(cls, f"{code}: {messages()[code]['en'].format(**details)}")
        reason.code, reason.details = code, details
        return reason

    def __getnewargs__(self):
        return self.code, self.details

    def text(self, lang="vi"):
        """Return the sentence in ``lang``, "vi" or "en"."""
        return messages()[self.code][lang].format(**self.details)


# A field that holds a table is neither compared nor repeated in the one-row summary.
TABLE = {"compare": False, "repr": False}


@dataclass(frozen=True)
class Effect(Estimate):
    """An estimated effect or association, its gates and what belongs beside it.

    p_value is the conventional one and p_wild that of the wild cluster bootstrap; ``headline`` names the
    one to report, and lower and upper follow it. refusals say why there is no number; ``despite`` names
    failed gates that the researcher set aside, which caps the level at L2. coefficients holds one row per
    term, gates one row per condition tested, diagnostics single figures by name (first_stage_f, mde, ...).
    """

    outcome: str = ""
    dose: str = ""
    headline: str = "p_value"
    despite: tuple[str, ...] = ()
    coefficients: pd.DataFrame = field(default_factory=pd.DataFrame, **TABLE)
    gates: pd.DataFrame = field(default_factory=pd.DataFrame, **TABLE)
    diagnostics: dict = field(default_factory=dict, **TABLE)

    def __post_init__(self):
        """Hold the single figures of the diagnostics as Python's own numbers too."""
        super().__post_init__()
        plain = {k: v.item() if isinstance(v, np.generic) else v for k, v in self.diagnostics.items()}
        object.__setattr__(self, "diagnostics", plain)

    @property
    def refused(self):
        """Whether a gate failed that nobody set aside; estimate is then missing."""
        return bool(self.refusals)

    @property
    def publishable(self):
        """Whether the effect may be published by default: nothing refused, nothing set aside."""
        return not self.refusals and not self.despite

    @property
    def p_headline(self):
        """Return the p-value to report: of the wild bootstrap where clusters are few."""
        return getattr(self, self.headline)

    def described(self):
        """Return what a reader in a notebook needs of it, label → text; a refusal gives its reasons."""
        p = "" if isnan(self.p_headline) else f"{self.p_headline:.3g} ({self.headline})"
        about = f"{self.outcome} on {self.dose}" if self.dose else self.outcome
        lines = {"of": about, **super().described(), "p-value": p, "despite": ", ".join(self.despite)}
        return {label: text for label, text in lines.items() if text}

    def summary(self):
        """Return the effect as a tidy table of one row, with its single-figure diagnostics as columns."""
        row = {f.name: getattr(self, f.name) for f in fields(self) if f.repr}
        return pd.DataFrame([{**row, **self.diagnostics}])

    def without_numbers(self):
        """Return the same effect with every estimated number missing, as a refusal does."""
        return replace(
            self,
            estimate=nan,
            std_error=nan,
            lower=nan,
            upper=nan,
            p_value=nan,
            p_wild=nan,
            level="L0",
            coefficients=self.coefficients.iloc[:0],
        )


@dataclass(frozen=True)
class EventStudy(Effect):
    """Effects by time since the start; the estimate is their average over the treated periods.

    periods: one row per event_time with estimate, std_error, lower, upper, p_value, sorted; the reference
    period stands in it as zero without an error. covariance: of the rows of ``periods`` without the
    reference. groups: one row per cohort (staggered adoption only). base: "universal" where every
    coefficient is relative to one period, ``reference``; "varying" where those before the start are changes from the
    period before, and no period is the reference (missing).
    """

    periods: pd.DataFrame = field(default_factory=pd.DataFrame, **TABLE)
    covariance: np.ndarray = field(default_factory=lambda: np.empty((0, 0)), **TABLE)
    groups: pd.DataFrame = field(default_factory=pd.DataFrame, **TABLE)
    base: str = "universal"
    reference: float = -1

    def without_numbers(self):
        """Return the study with only the periods before the start: they are the evidence for the refusal."""
        before = self.periods[self.periods["event_time"] < 0] if len(self.periods) else self.periods
        keep = int((before["event_time"] != self.reference).sum()) if len(before) else 0
        return replace(
            super().without_numbers(),
            periods=before,
            covariance=self.covariance[:keep, :keep],
            groups=self.groups.iloc[:0],
        )


@dataclass(frozen=True)
class SyntheticControl(Effect):
    """One treated unit against a weighted average of others; the estimate is the mean gap after the start.

    weights: donor → weight, largest first. predictor_weights: predictor → weight in the fit. balance: per
    predictor the treated unit, its synthetic control and the donors' mean. gaps: per time the treated
    value, the synthetic value and their gap. placebos: per unit pre_mspe, post_mspe, ratio and effect,
    every unit treated in turn; p_value is the treated unit's rank among them by ratio, over their number.
    """

    weights: pd.Series = field(default_factory=lambda: pd.Series(dtype=float), **TABLE)
    predictor_weights: pd.Series = field(default_factory=lambda: pd.Series(dtype=float), **TABLE)
    balance: pd.DataFrame = field(default_factory=pd.DataFrame, **TABLE)
    gaps: pd.DataFrame = field(default_factory=pd.DataFrame, **TABLE)
    placebos: pd.DataFrame = field(default_factory=pd.DataFrame, **TABLE)

    def without_numbers(self):
        """Return the control with its weights and fit before the start, and nothing of what came after."""
        before = self.gaps[self.gaps["before"]] if len(self.gaps) else self.gaps
        return replace(super().without_numbers(), gaps=before, placebos=self.placebos.iloc[:0])
