"""Options of a two-way regression clustered by district, which several tests of designs share."""

OPTIONS = {
    "outcome": "y",
    "dose": "dose",
    "unit": "unit",
    "time": "year",
    "cluster": "district",
    "wild": False,
}
