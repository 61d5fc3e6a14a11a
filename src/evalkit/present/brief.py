"""Credit, poverty and income of a place in a few sentences each."""

import pandas as pd

from evalkit.metrics import changes
from evalkit.present import say, words, yearly
from evalkit.present.blocks import Block
from evalkit.present.words import t


def text(place, id, section, lang, title, paragraphs, **content):
    """Return a block of sentences; empty ones are left out."""
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


def _latest(place, indicator):
    """The latest row of an indicator, of the whole place if there is one; of one year, that which is known exactly."""
    rows = place.rows[(place.rows["indicator"] == indicator) & place.rows["value"].notna()]
    if rows.empty:
        return None
    rows = rows.assign(whole=say.of_the_whole(rows), exact=rows["lower"] == rows["upper"])
    order = ["whole", "year", "exact"]
    return rows.sort_values(order, kind="stable", na_position="first").iloc[-1]


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
                x=say.with_scope(debt, lang),
                period=words.period(debt["period"], lang),
            )
        )
    if each is not None:
        said.append(
            t(
                "That is {x} for each of {n} {counted}.",
                lang,
                x=say.with_scope(each, lang),
                n=words.decimal(each["denominator"], lang, 0),
                counted=_counted(each, lang),
            )
        )
    elif borrowers is not None:
        said.append(
            t(
                "Borrowers: {x} ({period}).",
                lang,
                x=say.with_scope(borrowers, lang),
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
                x=say.with_scope(size, lang),
                low=low,
                high=high,
            )
        )
    savings = _latest(place, "savings_to_loans_pct")
    if savings is not None:
        said.append(
            t("Savings deposited through the groups are {x} of loans.", lang, x=say.with_scope(savings, lang))
        )
    arrears, bound = _latest(place, "overdue_share_pct"), _latest(place, "overdue_frozen_extended_pct")
    if arrears is not None and bound is not None and arrears["year"] == bound["year"]:
        said.append(
            t(
                "Overdue at the end of {year}: {x} of the outstanding, an arrears ratio (Decision 976/QĐ-TTg), not portfolio at risk; with frozen and extended debt {bound}.",
                lang,
                year=int(arrears["year"]),
                x=words.rounded(arrears["value"], "percent", lang),
                bound=words.rounded(bound["value"], "percent", lang),
            )
        )
    elif (arrears := _latest(place, "overdue_pct")) is not None:
        said.append(
            t(
                "The overdue ratio is printed as {x}. It is an arrears ratio (Decision 976/QĐ-TTg): only amounts already due and unpaid count, frozen and extended debt don't. It is not portfolio at risk.",
                lang,
                x=say.with_scope(arrears, lang),
            )
        )
    if not said:
        said = [t("The data set holds no figure on credit for this place.", lang)]
    return text(place, "brief", "credit", lang, title, [" ".join(said), _turns(place, lang)])


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
        x=say.with_scope(served, lang),
        period=words.period(served["period"], lang),
    )


def poverty(place, *, lang):
    """Return the poverty of the place in sentences, each rate with its standard, none subtracted across standards."""
    rows = place.rows[
        (place.rows["indicator"] == "poverty_rate_pct") & place.rows["value"].notna()
    ].sort_values("year", kind="stable")
    title = t("Poverty in brief", lang)
    if rows.empty:
        return text(
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
                x=say.with_scope(row, lang),
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
    both = _latest(place, "poor_plus_near_poor_rate_pct")
    closest = (
        t(
            "Poor and near-poor together, the closest to the older income headcount: {x} ({period}, {standard}).",
            lang,
            x=say.with_scope(both, lang),
            period=words.period(both["period"], lang),
            standard=words.standard(both["basis"], lang),
        )
        if both is not None
        else ""
    )
    return text(
        place,
        "brief",
        "poverty_income",
        lang,
        title,
        [" ".join(said), *_by_standard(place, lang), warning, closest],
    )


def _by_standard(place, lang):
    """Return for each standard how its rate changed from the first to the last year counted on it."""
    rows = yearly.of(place, ("poverty_rate_pct",))
    rows = rows[rows["basis"].notna()]
    said = []
    for _, span in changes.spans(rows).sort_values("year").iterrows():
        own = rows[(rows["basis"] == span["basis"]) & (rows["method"] == span["method"])].set_index("year")
        parts = {
            "standard": words.standard(span["basis"], lang),
            "since": int(span["since"]),
            "year": int(span["year"]),
            "first": words.rounded(own.at[span["since"], "value"], "percent", lang),
            "last": words.rounded(own.at[span["year"], "value"], "percent", lang),
            "change": say.signed(span["change"], lang),
        }
        if span["lower"] == span["upper"]:
            sentence = t(
                "By the {standard}, from {first} in {since} to {last} in {year}: {change} percentage points.",
                lang,
                **parts,
            )
        else:
            sentence = t(
                "By the {standard}, from {first} in {since} to {last} in {year}: {change} percentage points (95 % interval {low} to {high}), {verdict}.",
                lang,
                **parts,
                low=say.signed(span["lower"], lang),
                high=say.signed(span["upper"], lang),
                verdict=say.verdict(span, lang),
            )
        said.append(sentence)
    return said


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
                x=say.with_scope(last, lang),
                period=words.period(last["period"], lang),
                method=say.method(last["method"], lang),
            )
        ]
        if last["method"] == "self_survey":
            said.append(
                t(
                    "A commune computes this figure itself, against a target that brings a reward; figures just above a threshold deserve a second look.",
                    lang,
                )
            )
        said.append(_real_growth(place, kind, rows[rows["method"] == last["method"]], lang))
        return text(
            place,
            "income_brief",
            "poverty_income",
            lang,
            t("Income in brief", lang),
            [" ".join(filter(None, said))],
        )
    return text(
        place,
        "income_brief",
        "poverty_income",
        lang,
        t("Income in brief", lang),
        [t("The data set holds no income for this place.", lang)],
    )


def _real_growth(place, kind, rows, lang):
    """Say how income changed in real terms from the first to the last figure of the whole place, counted in one way."""
    rows = rows[say.of_the_whole(rows)]
    real = place.rows[place.rows["indicator"] == f"{kind}_real_vnd"]
    real = real[real["year"].isin(rows["year"]) & real["method"].isin(rows["method"])]
    real = real.sort_values("year", kind="stable").drop_duplicates("year")
    if len(real) < 2 or not (real["value"].iloc[[0, -1]] > 0).all():
        return ""
    first, last = real.iloc[0], real.iloc[-1]
    growth = 100 * ((last["value"] / first["value"]) ** (1 / (last["year"] - first["year"])) - 1)
    return t(
        "In real terms it changed by {x} a year between {first} and {last}, deflated by the national consumer price index.",
        lang,
        x=words.rounded(growth, "percent", lang),
        first=int(first["year"]),
        last=int(last["year"]),
    )
