"""From an output folder (build, private notebooks) to its site: what the command line calls."""

from collections import Counter

from evalkit.building import manifest, read
from evalkit.building import released as readers_have
from evalkit.publish.listing import listing
from evalkit.publish.release import release as released
from evalkit.publish.site import site


def publication(out, languages, summary, *, since=None, pdf=False):
    """Write ``out/site`` from ``out/build`` and ``out/private`` and return the path of its first page.

    summary: what the run did. since: folder of an earlier release to compare with, and to attack with; without it
    the site that stands there. pdf: make a PDF of each
    report as well (needs the extra `pdf`). Raises DisclosureError where a hidden figure can be worked out from
    the others, DataError as :func:`evalkit.publish.site.site` does; nothing is published then.
    """
    from evalkit.present import attack, words

    folder = out / "build"
    attack.must_fail(folder, earlier=readers_have(since or out / "site"))
    release, units = released(folder), read(folder, "places")
    settings = release.settings
    units = units[units["level"].isin(settings["data"]["levels"])]
    first, last = settings["data"]["years"]
    meta = {
        "title": settings["title"],
        "source": settings["source"],
        "rights": settings["rights"],
        "simulated": not settings["data"]["real"],
        "years": list(range(first, last + 1)),
        "generated": release.manifest["built"][:10],
        "version": release.manifest["evalkit"],
        "fingerprints": release.fingerprints,
    }
    return site(
        *(out / "private", out, listing(units, summary)),
        meta=meta,
        words=words.t,
        languages=tuple(languages),
        summary=summary,
        release=release,
        since=since,
        pdf=pdf,
    )


def foreseen(out, summary):
    """Return how many places a site of ``out`` would show with which status; writes nothing.

    Raises DisclosureError, as ``publication`` does, where a hidden figure can be worked out from the others.
    """
    from evalkit.present import attack

    attack.must_fail(out / "build")
    units, settings = read(out / "build", "places"), manifest(out / "build")["settings"]
    units = units[units["level"].isin(settings["data"]["levels"])]
    return dict(Counter(place["status"] for place in listing(units, summary)))
