"""Runs parameterised notebooks over many places: checked first, supervised, resumed, never lost."""

from evalkit.batch.plan import Job, plan, read_parameters
from evalkit.batch.summary import RunSummary
from evalkit.batch.supervisor import run

__all__ = ["Job", "RunSummary", "plan", "read_parameters", "run"]
