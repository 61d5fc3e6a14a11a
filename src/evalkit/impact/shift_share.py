"""A dated change of supply that reaches units by how they borrowed before."""

from dataclasses import dataclass, replace

import pandas as pd

from evalkit.impact import frames, gates
from evalkit.impact.effect import Effect, EventStudy, Reason
from evalkit.impact.event_study import event_study
from evalkit.impact.fixed_effects import fixed_effects


@dataclass(frozen=True)
class ShiftShare:
    """First stage (exposure on dose), reduced form (exposure on outcome), by period, and their ratio."""

    first_stage: EventStudy
    reduced_form: EventStudy
    effect: Effect

    def summary(self):
        """Return one row per part."""
        parts = {"first_stage": self.first_stage, "reduced_form": self.reduced_form, "effect": self.effect}
        return pd.concat(
            [part.summary().assign(part=name) for name, part in parts.items()], ignore_index=True
        )


def shift_share(
    panel,
    *,
    outcome,
    dose,
    exposure,
    unit,
    time,
    start,
    within=None,
    controls=(),
    weights=None,
    cluster=None,
    draws=9999,
    seed=20141122,
    despite=(),
    confidence=0.95,
):
    """Effect of the dose, moved by a dated shift in supply that reaches units by their earlier ``exposure``.

    exposure: column that doesn't change over time (see ``panel.exposure``). start: first time at which the
    outcome can respond. The instrument is exposure from ``start`` on. What must hold: units of different
    exposure would have gone the same way without the shift, which the reduced form's earlier periods test.

    The effect passes to L3 where the reduced form's pre-trends hold and the first-stage F is at least 10; a
    failed gate of the reduced form refuses the effect as well. Sources: Goldsmith-Pinkham, Sorkin & Swift
    (2020), AER 110; Borusyak, Hull & Jaravel (2022), Rev. Econ. Stud. 89.
    """
    panel = frames.tabled(panel, outcome, dose, exposure, unit, time)
    used = panel.dropna(subset=[outcome, dose, exposure])
    shared = {
        "unit": unit,
        "time": time,
        "within": within,
        "controls": controls,
        "weights": weights,
        "cluster": cluster,
        "draws": draws,
        "seed": seed,
        "confidence": confidence,
    }
    instrument = f"{exposure} from {start}"
    used = used.assign(**{instrument: used[exposure] * (used[time] >= start)})
    used.attrs = panel.attrs
    effect = fixed_effects(
        used,
        outcome=outcome,
        dose=dose,
        instruments=instrument,
        despite=despite_of(
            despite, "first_stage", "mechanical_link", "one_basis", "merged_units", "clusters"
        ),
        **shared,
    )
    dated = {"dose": exposure, "first_treated": start}
    reduced = event_study(
        used,
        outcome=outcome,
        despite=despite_of(despite, "pre_trends", "one_basis", "merged_units", "clusters"),
        **dated,
        **shared,
    )
    # The dose has no standard: it is counted alike whatever the outcome's basis.
    read = {dose, exposure, *frames.columns_of(unit, time, within, controls, weights, cluster)}
    plain = used[[name for name in used if name in read]].copy()
    plain.attrs = {}
    stage = event_study(plain, outcome=dose, despite=("pre_trends",), wild=False, **dated, **shared)
    lost = len(panel) - len(used)
    said = (Reason("rows_left_out", {"rows": lost}),) if lost else ()
    reduced = replace(reduced, warnings=said + reduced.warnings)
    effect = join(effect, reduced)
    return ShiftShare(stage, reduced, replace(effect, warnings=said + effect.warnings))


def despite_of(despite, *known):
    """Return the gates set aside that this part has."""
    despite = (despite,) if isinstance(despite, str) else despite
    return tuple(name for name in despite if name in known)


def join(effect, reduced):
    """Return the effect under the gates of its reduced form as well."""
    gates_of_both = pd.concat([effect.gates, reduced.gates], ignore_index=True).drop_duplicates(
        "gate", ignore_index=True
    )
    if reduced.refused:
        refusals = tuple(dict.fromkeys((*effect.refusals, *reduced.refusals)))
        return replace(effect.without_numbers(), refusals=refusals, gates=gates_of_both)
    if effect.refused:
        return replace(effect, gates=gates_of_both)
    despite = tuple(dict.fromkeys((*effect.despite, *reduced.despite)))
    tested = all(passed is not None for passed in gates_of_both["passed"])
    level = "L3" if tested and not despite else "L2"
    said = tuple(
        w
        for w in reduced.warnings
        if isinstance(w, Reason)
        and w.code in ("low_power", "pre_trends_untested", "set_aside", "pre_trends", "starting_point")
    )
    return replace(
        effect,
        level=gates.lower_of(level, reduced.level),
        despite=despite,
        gates=gates_of_both,
        warnings=(*effect.warnings, *said),
    )
