"""A report asks for what a place lacks, and for nothing that it has."""

from dataset_sample import tables, write

import evalkit as ek


def asked(build, place):
    return [row[0] for row in ek.tables.data_to_ask(ek.place(build, place), lang="en").rows]


def test_whole_tables_are_not_asked_for_again(tmp_path):
    settings = '[title]\nvi = "a"\nen = "a"\n[data]\nreal = true\nyears = [2019, 2023]\n'
    own = tables()
    own["income"] = own["income"][own["income"]["code"] == "10001"]
    build = ek.build(write(tmp_path / "d", settings=settings, **own), tmp_path / "out")
    assert asked(build, "10001") == ["Loans", "All tables, all communes", "Household survey"]
    assert asked(build, "10004") == ["Income", "Loans", "All tables, all communes", "Household survey"]
