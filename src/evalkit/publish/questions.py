"""Three questions that a reader should be able to answer from a report, each with its answer from the report."""

from evalkit.publish.wording import N_

# question, and the blocks of which the first with something to say answers it: (section, id, how many sentences)
QUESTIONS = (
    (
        N_("How much do households here owe, and what is that for each of them?"),
        (("credit", "brief", 1),),
    ),
    (
        N_("Did poverty fall, and may the first and the last rate be subtracted from each other?"),
        (("poverty_income", "brief", 2),),
    ),
    (
        N_("May one say that credit lowered poverty here? What is missing for that?"),
        (("evaluation", "cannot", 1),),
    ),
)


def questions(blocks):
    """Return the questions that the blocks of a page answer: question, paragraphs, anchor, title of the block."""
    by_id = {(block["section"], block["id"]): block for block in blocks}
    found = []
    for question, places in QUESTIONS:
        for section, slug, count in places:
            block = by_id.get((section, slug))
            if block and block["paragraphs"]:
                answer = block["paragraphs"][:count]
                found.append(
                    {
                        "question": question,
                        "answer": answer,
                        "anchor": block["anchor"],
                        "title": block["title"],
                    }
                )
                break
    return found
