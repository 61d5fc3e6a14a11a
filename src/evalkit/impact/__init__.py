"""What may be claimed: designs, their gates, inference, sensitivity and the level of evidence."""

from evalkit.impact.fixed_effects import fixed_effects

__all__ = ["fixed_effects"]
