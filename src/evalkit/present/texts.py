"""Texts of a report: which place this is, what stands out, the evidence level, and what can't be said."""

import pandas as pd

from evalkit.present import say, words
from evalkit.present.blocks import Block
from evalkit.present.contribution import change  # noqa: F401  (a text of the report, like those below)
from evalkit.present.words import t


def _text(place, id, section, lang, title, paragraphs, **content):
    paragraphs = tuple(p for p in paragraphs if p)
    return Block(
        kind=content.pop("kind", "text"),
        id=id,
        section=section,
        lang=lang,
        audience=place.audience,
        title=title,
        paragraphs=paragraphs,
        **content,
    )


def header(place, *, lang):
    """Return which place this is: type, code, district and province, since and until when, what it came from and became."""
    unit = place.unit
    where = ", ".join(
        say.unit_name({"type": kind, "name": unit[column]}, lang)
        for kind, column in (("huyện", "district"), ("tỉnh", "province"))
        if pd.notna(unit[column]) and unit[column] and unit[column] != unit["name"]
    )
    name = say.unit_name(unit, lang)
    code = (
        t("code {code}", lang, code=unit["code"])
        if unit["code"].isdigit()
        else t("no official code was found", lang)
    )
    first = f"{name[0].upper()}{name[1:]} ({code})" + (f", {where}." if where else ".")
    span = say.span(unit, lang)
    said = [first, t("The unit existed {span}.", lang, span=span) if span else ""]
    if place.after is not None:
        after = place.after
        said.append(
            t(
                "It became part of {name} (code {code}, {span}).",
                lang,
                name=say.unit_name(after._asdict(), lang),
                code=after.code,
                span=say.span(after._asdict(), lang),
            )
        )
    elif pd.notna(unit["successor_name"]):
        said.append(
            t(
                "Its territory passed to {name} (code {code}).",
                lang,
                name=unit["successor_name"],
                code=unit["successor_code"],
            )
        )
    if place.before:
        parts = ", ".join(f"{say.unit_name(p._asdict(), lang)} ({p.code})" for p in place.before)
        said.append(
            t(
                "It was formed from {parts}; figures before that day are theirs, not this unit's.",
                lang,
                parts=parts,
            )
        )
    if not unit["verified"] if pd.notna(unit["verified"]) else False:
        said.append(t("The match of name and code is not verified.", lang))
    simulated = (
        ""
        if place.settings["data"]["real"]
        else t("These data are simulated: no figure here is about a real place.", lang)
    )
    return _text(
        place,
        "header",
        "credit",
        lang,
        t("The place", lang),
        [" ".join(filter(None, said)), simulated],
        kind="place",
    )


def _latest(place, indicator):
    """The latest row of an indicator; of two of one year, the one that is known exactly."""
    rows = place.rows[(place.rows["indicator"] == indicator) & place.rows["value"].notna()]
    if rows.empty:
        return None
    rows = rows.assign(exact=rows["lower"] == rows["upper"])
    return rows.sort_values(["year", "exact"], kind="stable", na_position="first").iloc[-1]


def portfolio(place, *, lang):
    """Return the credit of the place in sentences: what is lent, to how many, in how many groups, how much is overdue."""
    title = t("Credit in brief", lang)
    said = []
    debt, borrowers, each = (
        _latest(place, i)
        for i in ("outstanding_loans_vnd", "borrower_households", "outstanding_per_borrower_vnd")
    )
    if debt is not None:
        said.append(
            t(
                "Outstanding loans: {x} ({period}).",
                lang,
                x=say.value(debt, lang),
                period=words.period(debt["period"], lang),
            )
        )
    if each is not None:
        said.append(
            t(
                "That is {x} for each of {n} {counted}.",
                lang,
                x=say.value(each, lang),
                n=words.decimal(each["denominator"], lang, 0),
                counted=_counted(each, lang),
            )
        )
    elif borrowers is not None:
        said.append(
            t(
                "Borrowers: {x} ({period}).",
                lang,
                x=say.value(borrowers, lang),
                period=words.period(borrowers["period"], lang),
            )
        )
    size = _latest(place, "borrowers_per_group")
    if size is None:
        size = _latest(place, "members_per_group_computed")
    if size is not None:
        low, high = say.group_limits()
        said.append(
            t(
                "A savings-and-loan group has {x} on average; the law allows {low} to {high} members.",
                lang,
                x=say.value(size, lang),
                low=low,
                high=high,
            )
        )
    savings = _latest(place, "savings_to_loans_pct")
    if savings is not None:
        said.append(
            t("Savings deposited through the groups are {x} of loans.", lang, x=say.value(savings, lang))
        )
    arrears = _latest(place, "overdue_pct")
    if arrears is not None:
        said.append(
            t(
                "The overdue ratio is printed as {x}. It is an arrears ratio (QĐ 976/2015): only amounts already due and unpaid count, frozen and extended debt don't. It is not portfolio at risk.",
                lang,
                x=say.value(arrears, lang),
            )
        )
    if not said:
        said = [t("The data set holds no figure on credit for this place.", lang)]
    return _text(place, "brief", "credit", lang, title, [" ".join(said), _turns(place, lang)])


def _counted(row, lang):
    return {
        "households": t("borrower households", lang),
        "borrowers": t("borrowers", lang),
        "customers": t("customers", lang),
    }.get(row["basis"], t("borrower households", lang))


def _turns(place, lang):
    served = _latest(place, "households_served_cumulative")
    if served is None:
        served = _latest(place, "borrowing_turns")
    if served is None:
        return ""
    return t(
        "“{x}” over {period} counts loans made: a household that borrowed twice is counted twice, so it can't be divided by the number of households.",
        lang,
        x=say.value(served, lang),
        period=words.period(served["period"], lang),
    )


def poverty(place, *, lang):
    """Return the poverty of the place in sentences, each rate with its standard, none subtracted across standards."""
    rows = place.rows[
        (place.rows["indicator"] == "poverty_rate_pct") & place.rows["value"].notna()
    ].sort_values("year", kind="stable")
    title = t("Poverty in brief", lang)
    if rows.empty:
        return _text(
            place,
            "brief",
            "poverty_income",
            lang,
            title,
            [t("The data set holds no poverty rate for this place.", lang)],
        )
    said = []
    for _, row in rows.iloc[[0, -1] if len(rows) > 1 else [0]].iterrows():
        said.append(
            t(
                "{period}: {x} of households poor by the {standard} ({method}).",
                lang,
                period=words.period(row["period"], lang),
                x=say.value(row, lang),
                standard=words.standard(row["basis"], lang),
                method=say.method(row["method"], lang),
            )
        )
    first, last = rows.iloc[0], rows.iloc[-1]
    warning = ""
    if len(rows) > 1 and (
        pd.isna(first["basis"]) or pd.isna(last["basis"]) or first["basis"] != last["basis"]
    ):
        warning = t(
            "The two rates stand on different standards. Their difference is no change in poverty: part of it, up or down, is the new line. It is not computed here.",
            lang,
        )
    elif len(rows) > 1 and first["method"] == last["method"]:
        change = words.quantity(last["value"] - first["value"], "percent", lang)
        warning = t(
            "Both stand on one standard: a difference of {x} in percentage points.",
            lang,
            x=change.replace("%", "").strip(),
        )
    both = _latest(place, "poor_plus_near_poor_rate_pct")
    closest = (
        t(
            "Poor and near-poor together, the closest to the older income headcount: {x} ({period}, {standard}).",
            lang,
            x=say.value(both, lang),
            period=words.period(both["period"], lang),
            standard=words.standard(both["basis"], lang),
        )
        if both is not None
        else ""
    )
    return _text(place, "brief", "poverty_income", lang, title, [" ".join(said), warning, closest])


def income(place, *, lang):
    """Return the income of the place in sentences: per year or per month as printed, nominal and real."""
    for kind, per in (("income_year", t("per year", lang)), ("income_month", t("per month", lang))):
        rows = place.rows[
            (place.rows["indicator"] == f"{kind}_vnd") & place.rows["year"].notna()
        ].sort_values("year", kind="stable")
        if rows.empty:
            continue
        last = rows.iloc[-1]
        said = [
            t(
                "Income per person {per}: {x} in {period} ({method}).",
                lang,
                per=per,
                x=say.value(last, lang),
                period=words.period(last["period"], lang),
                method=say.method(last["method"], lang),
            )
        ]
        if kind == "income_year":
            said.append(
                t(
                    "A commune computes this figure itself, against a target that brings a reward; figures just above a threshold deserve a second look.",
                    lang,
                )
            )
        real = (
            place.rows[place.rows["indicator"] == f"{kind}_real_vnd"]
            .drop_duplicates("year")
            .set_index("year")["value"]
        )
        first = rows.iloc[0]
        if first["year"] != last["year"] and {first["year"], last["year"]} <= set(real.index):
            growth = 100 * (
                (real[last["year"]] / real[first["year"]]) ** (1 / (last["year"] - first["year"])) - 1
            )
            said.append(
                t(
                    "In real terms it changed by {x} a year between {first} and {last}, deflated by the national consumer price index.",
                    lang,
                    x=words.rounded(growth, "percent", lang),
                    first=int(first["year"]),
                    last=int(last["year"]),
                )
            )
        return _text(
            place, "income_brief", "poverty_income", lang, t("Income in brief", lang), [" ".join(said)]
        )
    return _text(
        place,
        "income_brief",
        "poverty_income",
        lang,
        t("Income in brief", lang),
        [t("The data set holds no income for this place.", lang)],
    )


def level(place, *, lang):
    """Return the evidence level of what the report says of this place, and why it isn't higher."""
    got = place.unit["evidence"]
    names = {
        "L0": t("L0: one place described", lang),
        "L1": t("L1: compared with others on the same basis", lang),
    }
    why = {
        "L0": t(
            "The figures describe this place alone. Too few other places are known on the same basis to compare it with.",
            lang,
        ),
        "L1": t(
            "At least one figure can be compared with others of the same year, standard and kind of statistic.",
            lang,
        ),
    }
    said = [f"{names[got]}. {why[got]}"]
    if place.settings["data"]["press"]:
        said.append(
            t(
                "The register is a convenience sample: newspapers and offices chose which communes and which figures to print, mostly good news. A position among them is no rank in the country.",
                lang,
            )
        )
    said.append(
        t(
            "From these figures nothing can be said of the part that credit played. That would need many communes over many years, and a reason why credit changed that has nothing to do with poverty (level L3), or an experiment (L4).",
            lang,
        )
    )
    return _text(place, "level", "evaluation", lang, t("How far the evidence goes", lang), said, level=got)


def cannot_say(place, *, lang):
    """Return what can't be said from these figures, and why."""
    have = set(place.rows["indicator"])
    standards = place.rows.loc[place.rows["indicator"] == "poverty_rate_pct", "basis"].dropna().unique()
    said = [
        t(
            "That credit lifted households out of poverty: the bank lends in every commune, so there is none without credit to compare with; and the list of the poor decides who may borrow, so poverty drives lending as much as the other way round.",
            lang,
        )
    ]
    if len(standards) > 1:
        said.append(
            t(
                "By how much poverty fell: the first and the last rate stand on different standards ({standards}), and no year counted on both is known here.",
                lang,
                standards="; ".join(words.standard(s, lang) for s in standards),
            )
        )
    if "households_served_cumulative" in have or "borrowing_turns" in have:
        said.append(t("How many households were ever reached: turns of borrowing repeat households.", lang))
    if "jobs_created" in have:
        said.append(
            t(
                "That jobs were created: the number comes from loan files; jobs that would exist anyway, or were lost elsewhere, are not known.",
                lang,
            )
        )
    if "overdue_pct" in have:
        said.append(
            t(
                "How risky the loans are: the overdue ratio leaves out frozen and extended debt and what is not yet due.",
                lang,
            )
        )
    if {"groups_rated_good_pct", "groups_rated_good"} & have:
        said.append(
            t(
                "That the groups differ from others: where nearly all groups are rated good, the rating tells none apart.",
                lang,
            )
        )
    return _text(
        place, "cannot", "evaluation", lang, t("What can't be said from these figures, and why", lang), said
    )
