"""Three questions that a reader should be able to answer from a report, each with its answer from the report."""

from evalkit.publish.wording import N_

# question, and where the report answers it: (section, id of the block, which of its paragraphs)
QUESTIONS = (
    (
        N_("How much do households here owe, and what is that for each of them?"),
        (("credit", "brief", slice(1)),),
    ),
    (
        N_("Did poverty fall, and may the first and the last rate be subtracted from each other?"),
        (("poverty_income", "brief", slice(None)),),
    ),
    (
        N_("May one say that credit lowered poverty here? What is missing for that?"),
        (("evaluation", "level", slice(-1, None)), ("evaluation", "cannot", slice(1))),
    ),
)


def questions(blocks):
    """Return the questions that the blocks of a page answer: question, paragraphs, the blocks they come from."""
    by_id = {(block["section"], block["id"]): block for block in blocks}
    found = []
    for question, places in QUESTIONS:
        said = [(by_id[section, slug], which) for section, slug, which in places if (section, slug) in by_id]
        answer = [paragraph for block, which in said for paragraph in block["paragraphs"][which]]
        if answer:
            found.append({"question": question, "answer": answer, "blocks": [block for block, _ in said]})
    return found
