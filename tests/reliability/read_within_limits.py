"""Read the files named on the command line within 4 GiB, and say of each what came of it: a line of JSON."""

import json
import resource
import sys

_MEMORY = 4 * 2**30
_CHILDREN, _SELF = resource.RUSAGE_CHILDREN, resource.RUSAGE_SELF


def main(paths):
    resource.setrlimit(resource.RLIMIT_AS, (_MEMORY, _MEMORY))
    from evalkit.errors import DataError
    from evalkit.load.spreadsheet import read_spreadsheet

    for path in paths:
        start = used()
        try:
            reading = read_spreadsheet(path, table="credit")
            said = {"rows": len(reading.frame), "frame": reading.frame.to_json(), "notes": reading.notes}
        except DataError as error:
            said = {"error": str(error)}
        said |= {"path": path, "seconds": used() - start}
        said |= {"megabytes": max(resource.getrusage(who).ru_maxrss for who in (_SELF, _CHILDREN)) // 1024}
        print(json.dumps(said), flush=True)


def used():
    usage = [resource.getrusage(who) for who in (_SELF, _CHILDREN)]
    return sum(u.ru_utime + u.ru_stime for u in usage)


if __name__ == "__main__":
    main(sys.argv[1:])
