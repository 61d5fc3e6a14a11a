"""Hypothesis runs without a deadline here: a machine under load is no fault of a measure."""

from hypothesis import settings

settings.register_profile("metrics", deadline=None)
settings.load_profile("metrics")
