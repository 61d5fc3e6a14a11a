"""Cells that say what the cell above says: said once, over all their rows."""


def row_spans(rows):
    """Return for each cell over how many rows it stands, 0 where the one above stands for it.

    A cell is joined to the one above where it says the same and so do all cells before it in their rows, so
    that the rows of one indicator name it once; an empty cell joins nothing, and the last column stays whole.
    """
    spans = [[1] * len(row) for row in rows]
    heads = [0] * max(map(len, rows), default=0)  # the row in which each column's joined cell begins
    for n, row in enumerate(rows):
        joined = n > 0
        for column, cell in enumerate(row):
            joined = joined and bool(cell) and column < len(row) - 1 and cell == rows[n - 1][column]
            if joined:
                spans[n][column] = 0
                spans[heads[column]][column] += 1
            else:
                heads[column] = n
    return spans
