"""What may be claimed: designs, their gates, inference, sensitivity and the level of evidence."""

from evalkit.impact.difference_in_differences import difference_in_differences
from evalkit.impact.event_study import event_study
from evalkit.impact.fixed_effects import fixed_effects
from evalkit.impact.interrupted_series import interrupted_series
from evalkit.impact.staggered import dose_response, goodman_bacon, staggered
from evalkit.impact.synthetic_control import all_placebos, synthetic_control
from evalkit.impact.synthetic_did import synthetic_did

__all__ = ["difference_in_differences", "dose_response", "event_study", "fixed_effects", "goodman_bacon", "staggered"]
