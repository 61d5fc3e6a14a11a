"""The rows of a block's table as markup; a cell that says what the cell above says is said once, over all its rows."""

from html import escape

from evalkit.publish import methods


def body(block, here):
    """Return the rows of a block's table: the first cell heads its row, an indicator links to its definition.

    Written here and not in the template, which took three times as long over the some thousand cells of a page.
    here: address of the language's folder.
    """
    from markupsafe import Markup

    plain = ["<td class=num" if column["numeric"] else "<td" for column in block["columns"]]
    linked = block["raw"] and block["columns"][:1] and block["columns"][0]["key"] == "indicator"
    lines = []
    for number, (row, spans) in enumerate(zip(block["rows"], row_spans(block["rows"]), strict=True)):
        cells = []
        for position, (cell, span) in enumerate(zip(row, spans, strict=True)):
            if not span:
                continue
            over = f' rowspan="{span}">' if span > 1 else ">"
            text = escape(str(cell), quote=False)
            if position:
                cells.append(f"{plain[position]}{over}{text}</td>")
            else:
                name = block["raw"][number][0] if linked else None
                if name in methods.names():
                    text = f'<a href="{here}methods/indicators.html#{name}">{text}</a>'
                cells.append(f'<th scope="row"{over}{text}</th>')
        lines.append(f"  <tr>{''.join(cells)}</tr>")
    return Markup("\n".join(lines))


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
