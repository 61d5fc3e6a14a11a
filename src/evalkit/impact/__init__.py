"""What may be claimed: designs, their gates, inference, sensitivity and the level of evidence."""

from evalkit.impact.comparisons import comparable
from evalkit.impact.data_quality import heaping, mean_reversion, same_baseline
from evalkit.impact.decompose import decompose, decompose_all, unit_effects
from evalkit.impact.difference_in_differences import difference_in_differences
from evalkit.impact.effect import Effect, EventStudy, Reason, SyntheticControl
from evalkit.impact.event_study import event_study
from evalkit.impact.evidence import beside, may_say_cause
from evalkit.impact.fixed_effects import fixed_effects
from evalkit.impact.households import household_difference
from evalkit.impact.inference import (
    adjust_p_values,
    partial_pooling,
    randomisation_inference,
    romano_wolf,
    wild_bootstrap,
)
from evalkit.impact.interrupted_series import interrupted_series
from evalkit.impact.long_differences import long_differences
from evalkit.impact.panel import exposure, intensity_panel
from evalkit.impact.plan import plan_digest
from evalkit.impact.power import minimum_detectable_effect
from evalkit.impact.sensitivity import (
    leave_one_out,
    oster,
    placebo_dates,
    placebo_outcomes,
    sensitivity,
    specification_curve,
)
from evalkit.impact.shift_share import shift_share
from evalkit.impact.staggered import dose_response, goodman_bacon, staggered
from evalkit.impact.synthetic_control import all_placebos, synthetic_control
from evalkit.impact.synthetic_did import synthetic_did

__all__ = [
    "Effect",
    "EventStudy",
    "Reason",
    "SyntheticControl",
    "adjust_p_values",
    "all_placebos",
    "beside",
    "comparable",
    "decompose",
    "decompose_all",
    "difference_in_differences",
    "dose_response",
    "event_study",
    "exposure",
    "fixed_effects",
    "goodman_bacon",
    "heaping",
    "household_difference",
    "intensity_panel",
    "interrupted_series",
    "leave_one_out",
    "long_differences",
    "may_say_cause",
    "mean_reversion",
    "minimum_detectable_effect",
    "oster",
    "partial_pooling",
    "placebo_dates",
    "placebo_outcomes",
    "plan_digest",
    "randomisation_inference",
    "romano_wolf",
    "same_baseline",
    "sensitivity",
    "shift_share",
    "specification_curve",
    "staggered",
    "synthetic_control",
    "synthetic_did",
    "unit_effects",
    "wild_bootstrap",
]
