"""What the command line says, in the reader's language: help, examples, errors, where it wrote and what comes next."""

import os
import re
import sys
from itertools import pairwise

from evalkit.errors import DataError, printable
from evalkit.load.said import Said

VARIABLES = ("EVALKIT_LANG", "LC_ALL", "LC_MESSAGES", "LANG")
N_ = str  # marks a sentence that is translated where it is said

EXAMPLES = {
    "new": (
        ("evalkit new my-data", N_("Excel forms with an example, to be replaced by your own figures")),
        ("evalkit new more --tables groups,loans", N_("the forms of these tables; --tables all for every one")),
        ("evalkit new province --simulated --communes 40", N_("a province whose truth is known, to practise on")),
    ),
    "check": (
        ("evalkit check my-data", N_("a table of what is wrong or doubtful, and how to mend it")),
        ("evalkit check my-data --lang vi", N_("the same in Vietnamese")),
        ("evalkit check my-data --json", N_("for programs: file, row, column, value, rule, message")),
    ),
    "request": (
        ("evalkit request 08473", N_("forms and a letter for what the published register lacks")),
        ("evalkit request 99001 --data my-data --out letters", N_("the same for a data set of your own")),
    ),
    "build": (("evalkit build my-data --out out", N_("tables for the notebooks, in out/build")),),
    "run": (
        ("evalkit run --out out --dry-run", N_("what would run, and about how long")),
        ("evalkit run --out out --langs vi --workers 2", N_("Vietnamese only, two notebooks at a time")),
    ),
    "publish": (
        ("evalkit publish --out out --dry-run", N_("which places would get a page, and whether anything hidden leaks")),
        ("evalkit publish --out out", N_("the site in out/site")),
    ),
    "report": (
        ("evalkit report my-data --out out", N_("everything: check, build, run, publish")),
        ("evalkit report my-data --out out --dry-run", N_("the check and the plan; nothing is written")),
        ("evalkit report my-data --out out --place 99001 --langs vi", N_("one place, one language")),
    ),
    "lab": (
        ("evalkit lab 08473", N_("your own copy of the commune's notebooks, opened in JupyterLab")),
        ("evalkit lab 08473 --new my_question", N_("a notebook of your own to begin with")),
        ("evalkit lab 08473 --no-open", N_("only make the copies")),
    ),
}  # fmt: skip

# What Typer says of a line that it can't take; another version's other words stay English.
MISUSES = (
    N_("No such option: {name} (Possible options: {known})"),
    N_("No such option: {name}"),
    N_("No such command {name}. Did you mean {known}?"),
    N_("No such command {name}."),
    N_("Missing command."),
    N_("Missing argument {name}."),
    N_("Option {name} requires an argument."),
    N_("Option {name} does not take a value."),
    N_("Got unexpected extra argument(s) ({name})"),
    N_("Invalid value for {name}: Input should be a valid integer, unable to parse string as an integer"),
    N_("Invalid value for {name}: Input should be a valid number, unable to parse string as a number"),
    N_("Invalid value for {name}: Input should be greater than or equal to {least}"),
    N_("Invalid value for {name}: Value error, {value} is not one of {known}."),
)


def language(arguments, environment):
    """Return the language to speak: ``--lang``, else EVALKIT_LANG, else the locale's, else English."""
    given = [a.partition("=")[2] for a in arguments if a.startswith("--lang=")]
    given += [after for a, after in pairwise(arguments) if a == "--lang"]
    given += [environment[name] for name in VARIABLES if environment.get(name)]
    return "vi" if given and given[0].lower().startswith("vi") else "en"


def spoken():
    """Return the language of this process's command line."""
    return language(sys.argv[1:], os.environ)


def t(message, **values):
    """Return a sentence of the command line in the reader's language."""
    lang = spoken()
    if lang == "en":
        return message.format(**values) if values else message
    from evalkit.present import words

    return words.t(message, lang, **values)


def say(message, **values):
    """Say a sentence on standard error, so that standard output holds nothing but the result."""
    print(t(message, **values), file=sys.stderr)


def next_step(*commands):
    """Say what to type next, a command a line."""
    for command in commands:
        say("Next: {command}", command=command)


def tell(summary):
    """Say how a run went; each notebook that did not end well is named with its error."""
    from rich.console import Console

    from evalkit.publish.run import STATUSES

    if summary.failed or spoken() == "en":
        Console(stderr=True, soft_wrap=True).print(summary)
    else:
        statuses = ", ".join(f"{count} {t(STATUSES[status])}" for status, count in summary.counts.items())
        say(
            "{count} notebooks in {seconds} s: {statuses}",
            count=len(summary.rows),
            seconds=round(summary.seconds),
            statuses=statuses,
        )


def error(fault):
    """Return an error as one line in the reader's language; what has no translation stays English."""
    lang = spoken()
    if lang == "en":
        return str(fault)
    from evalkit.present.tables.checked import sentence

    found = fault.findings if isinstance(fault, DataError) else None
    if found is None or not (found["severity"] == "error").any():
        return translated(fault.args[0]) if fault.args else str(fault)
    errors = list(found[found["severity"] == "error"].itertuples())
    first, text = errors[0], sentence(errors[0], lang)
    where = (
        f"{first.file}, {t('row {row}', row=first.row)}: " if first.row == first.row else f"{first.file}: "
    )
    more = t("{count} more; `evalkit check DATA` lists them", count=len(errors) - 1) if errors[1:] else ""
    return (text if first.file in text else where + text) + (f" ({more})" if more else "")


def translated(text):
    """Return a sentence that was raised as ``Said`` in the reader's language; any other text as it is."""
    if not isinstance(text, Said):
        return str(text)
    from evalkit.present import words

    template = words.translated(text.template, spoken())
    return template.format(**{name: translated(part) for name, part in text.parts.items()})


def misused(fault):
    """Say in one line what is wrong with what was typed, as Typer found it, and where it is explained."""
    if type(fault).__name__ == "NoArgsIsHelpError":  # the help has been printed
        return
    context = getattr(fault, "ctx", None)
    command = context.command_path if context else "evalkit"
    said = printable(_reworded(fault.format_message())).rstrip(".")
    mark = "" if said.endswith("?") else "."
    print(f"evalkit: {said}{mark} {t('`{command} --help` explains it.', command=command)}", file=sys.stderr)


def _reworded(said):
    for template in MISUSES:
        form = re.sub(r"\\{(\w+)\\}", r"(?P<\1>.+)", re.escape(template))
        if found := re.fullmatch(form, said):
            return t(template, **found.groupdict())
    return said


def localised(command):
    """Return the command line (Typer's group) with its helps in the reader's language and examples under each."""
    import typer.rich_utils as rich_utils
    from rich.markup import escape

    rich_utils.ARGUMENTS_PANEL_TITLE = t("Arguments")
    rich_utils.OPTIONS_PANEL_TITLE = t("Options")
    rich_utils.COMMANDS_PANEL_TITLE = t("Commands")
    rich_utils.DEFAULT_STRING = t("[default: {}]")
    rich_utils.REQUIRED_LONG_STRING = t("[required]")
    rich_utils.ENVVAR_STRING = t("[env var: {}]")
    rich_utils.rich_format_error = misused
    for one in (command, *command.commands.values()):
        one.help = escape(t(sentence_of(one.help)))
        names = command.context_settings["help_option_names"]
        of_help = one.get_help_option(one.context_class(one, help_option_names=names))
        of_help.help = t("Show this message and exit.")
        for parameter in one.params:
            if parameter.help:
                parameter.help = escape(t(parameter.help))
        if one.name in EXAMPLES:
            one.epilog = _examples(EXAMPLES[one.name])
    return command


def sentence_of(help):
    """Return a docstring as the one line under which its translation is listed."""
    return " ".join((help or "").split())


def _examples(examples):
    from rich.markup import escape

    lines = [f"[bold]{t('Examples')}[/bold]"]
    for command, meaning in examples:
        lines += [f"  [cyan]{escape(command)}[/cyan]", f"    {escape(t(meaning))}"]
    return "\n".join(lines)
