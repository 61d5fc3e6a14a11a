"""A private folder as the notebooks leave it: payloads of a commune, with everything a page can hold."""

import io
import json

import matplotlib

matplotlib.use("svg")
from matplotlib.figure import Figure

from evalkit.batch import RunSummary
from evalkit.batch.journal import Row

MIME = "application/vnd.evalkit.v1+json"
ARTICLE = "https://baophutho.vn/diem-sang-trong-thuc-hien-tin-dung-chinh-sach-xa-hoi-218958.htm"
META = {
    "title": {"vi": "Tín dụng chính sách theo xã", "en": "Policy credit by commune"},
    "source": {
        "vi": "Báo chí và Ngân hàng Chính sách xã hội",
        "en": "The press and the Bank for Social Policies",
    },
    "rights": "CC BY 4.0",
    "simulated": False,
    "years": list(range(2014, 2025)),
    "generated": "2025-07-15",
    "version": "0.1.0",
}
QUOTING = "ValueError: household 01-SECRET has no members"
RUN = RunSummary(
    (
        Row("08473/vi/credit", "credit", "ok", 2.0, 1.0, 40.0, parameters={"place": "08473", "lang": "vi"}),
        Row("05233/vi/credit", "credit", "ok", 4.5, 3.5, 90.0, parameters={"place": "05233", "lang": "vi"}),
        Row(
            "05125/vi/credit",
            "credit",
            "failed",
            0.5,
            0.4,
            30.0,
            QUOTING,
            parameters={"place": "05125", "lang": "vi"},
        ),
        Row(
            "05125/en/credit",
            "credit",
            "timeout",
            60.0,
            59.0,
            30.0,
            "longer than 60 s",
            parameters={"place": "05125", "lang": "en"},
        ),
    ),
    66.0,
)
TAM_NONG = {"name": "Tam Nông", "code": "08434", "place_id": "08434-2025", "date": "2025-07-01"}
PLACES = [
    {
        "place_id": "08473",
        "code": "08473",
        "name": "Hương Nộn",
        "type": "xã",
        "district": "Tam Nông",
        "province": "Phú Thọ",
        "valid_to": "2025-06-30",
        "successors": [TAM_NONG],
        "level": "L1",
        "kinds": 12,
        "years": [2014, 2016, 2022, 2024],
        "coverage": ["credit", "groups", "poverty"],
        "status": "published",
    },
    {
        "place_id": "08434-2025",
        "code": "08434",
        "name": "Tam Nông",
        "type": "xã",
        "province": "Phú Thọ",
        "valid_from": "2025-07-01",
        "predecessors": [
            {"name": "Hương Nộn", "code": "08473", "place_id": "08473"},
            {"name": "Hưng Hóa", "code": "08434", "place_id": "08434"},
            {"name": "Dân Quyền", "code": "08491", "place_id": None},
        ],
        "status": "no_data",
    },
    {
        "place_id": "05233",
        "code": "05233",
        "name": "Tòng Đậu",
        "type": "xã",
        "district": "Mai Châu",
        "province": "Hòa Bình",
        "valid_to": "2025-06-30",
        "level": "L0",
        "kinds": 9,
        "years": [2018],
        "coverage": ["credit", "groups"],
        "status": "published",
    },
    {
        "place_id": "05125",
        "code": "05125",
        "name": "Yên Thượng",
        "type": "xã",
        "district": "Cao Phong",
        "province": "Hòa Bình",
        "valid_to": "2019-12-31",
        "successors": [{"name": "Thạch Yên", "code": "05125", "date": "2020-01-01"}],
        "status": "failed",
        "reason": "05125, credit: the notebook stopped in cell 4.",
    },
]


def drawing(labels, values, colours, unit):
    """Return a bar chart as the SVG text matplotlib writes."""
    figure = Figure(figsize=(6.6, 0.55 * len(labels) + 0.9), layout="constrained")
    axes = figure.add_subplot()
    axes.barh(labels[::-1], values[::-1], color=colours[::-1], height=0.55)
    axes.spines[["top", "right", "left"]].set_visible(False)
    axes.tick_params(left=False)
    axes.set_xlabel(unit)
    text = io.StringIO()
    with matplotlib.rc_context({"svg.hashsalt": "evalkit", "svg.fonttype": "path"}):
        figure.savefig(text, format="svg", metadata={"Date": None})
    return text.getvalue()


def payloads(lang):
    """Return {notebook: [payload, ...]} of one commune in one language."""
    vi = lang == "vi"
    say = lambda vietnamese, english: vietnamese if vi else english  # noqa: E731
    number = lambda text: text.replace(".", ",") if vi else text  # noqa: E731
    balance = {
        "kind": "figure",
        "id": "balance_per_household",
        "section": "credit",
        "level": "L1",
        "title": say("Dư nợ bình quân một hộ còn dư nợ", "Outstanding per borrower household"),
        "caption": say(
            "Dư nợ chia cho số hộ còn dư nợ; các xã có số liệu cùng loại.",
            "Outstanding loans over households that still owe; communes with the same kind of figures.",
        ),
        "alt": say(
            "Hương Nộn trên 43,2 triệu đồng một hộ (2024), Yên Thượng 40,7, Tòng Đậu 18,7 triệu.",
            "Hương Nộn over 43.2 million VND per household (2024), Yên Thượng 40.7, Tòng Đậu 18.7.",
        ),
        "svg": drawing(
            ["Hương Nộn 2024 (>)", "Yên Thượng ≤2019", "Tòng Đậu 2018"],
            [43.2, 40.7, 18.7],
            ["#0b5a66", "#a9b4b8", "#a9b4b8"],
            say("triệu đồng", "million VND"),
        ),
        "columns": [
            {"key": "place", "label": say("Xã", "Commune"), "numeric": False},
            {"key": "period", "label": say("Năm", "Year"), "numeric": False},
            {
                "key": "value_vnd",
                "label": say("Dư nợ/hộ (triệu đồng)", "Per household (million VND)"),
                "numeric": True,
                "unit": "VND",
            },
        ],
        "rows": [
            ["Hương Nộn", "2024", number("> 43.2")],
            ["Yên Thượng", "≤ 2019", number("40.7")],
            ["Tòng Đậu", "2018", number("18.7")],
        ],
        "raw": [["08473", "2024", 43159609.12], ["05125", None, 40700000], ["05233", "2018", 18700000]],
        "notes": [
            say("Số in là “trên 26,5 tỷ đồng”: cận dưới.", "Printed as “over 26.5 billion”: a lower bound.")
        ],
    }
    checks = {
        "kind": "table",
        "id": "identities",
        "section": "credit",
        "level": "L0",
        "title": say("Kiểm tra số liệu", "Checks on the figures"),
        "columns": [
            {"key": "check", "label": say("Phép kiểm tra", "Check"), "numeric": False},
            {"key": "value", "label": say("Giá trị", "Value"), "numeric": True},
            {"key": "finding", "label": say("Kết luận", "Finding"), "numeric": False},
        ],
        "rows": [
            [
                say("Số hộ mỗi tổ (luật: 5–60)", "Households per group (legal 5–60)"),
                number("38.4"),
                say("trong giới hạn", "within the law"),
            ],
            [
                say("Tiền gửi trên dư nợ", "Savings to loans"),
                say("≤ 3,1 %", "≤ 3.1 %"),
                say("hợp lý", "plausible"),
            ],
        ],
        "raw": [["households_per_group", 38.375, "ok"], ["savings_to_loans", None, "ok"]],
    }
    poverty = {
        "kind": "figure",
        "id": "poverty_rates",
        "section": "poverty_income",
        "level": "L1",
        "title": say("Tỷ lệ hộ nghèo, theo chuẩn từng giai đoạn", "Poverty rate, each on its own standard"),
        "caption": say(
            "Hai năm theo hai chuẩn khác nhau: không nối, không trừ cho nhau.",
            "Two years on two standards: neither joined nor subtracted.",
        ),
        "alt": say(
            "Năm 2014: 9,5 % so với 9,7 % của tỉnh. Năm 2024, theo chuẩn khác: 1 % so với 2,53 % của tỉnh.",
            "2014: 9.5 % beside the province's 9.7 %. 2024, on another standard: 1 % beside 2.53 %.",
        ),
        "svg": drawing(
            ["Hương Nộn 2014", "Phú Thọ 2014", "Hương Nộn 2024", "Phú Thọ 2024"],
            [9.5, 9.7, 1, 2.53],
            ["#0b5a66", "#a9b4b8"] * 2,
            "%",
        ),
        "columns": [
            {"key": "year", "label": say("Năm", "Year"), "numeric": False},
            {"key": "standard", "label": say("Chuẩn", "Standard"), "numeric": False},
            {"key": "commune_pct", "label": say("Xã (%)", "Commune (%)"), "numeric": True},
            {"key": "province_pct", "label": say("Tỉnh (%)", "Province (%)"), "numeric": True},
        ],
        "rows": [
            ["2014", "2011–2015", number("9.5"), number("9.7")],
            ["2024", "2022–2025", "1", number("2.53")],
        ],
        "raw": [[2014, "2011-2015", 9.5, 9.7], [2024, "2022-2025", 1, 2.53]],
        "notes": [
            say(
                "Số của xã là rà soát hộ; số của tỉnh là điều tra mẫu.",
                "The commune's figure is a household review, the province's a sample survey.",
            )
        ],
    }
    limits = {
        "kind": "notice",
        "id": "limits",
        "section": "evaluation",
        "title": say("Điều không thể khẳng định", "What can't be said"),
        "paragraphs": [
            say(
                "Ngân hàng Chính sách xã hội cho vay ở mọi xã, nên không có xã nào làm đối chứng. "
                "Số liệu báo chí là mẫu thuận tiện.",
                "The bank lends in every commune, so none serves as a control. "
                "Figures from the press are a convenience sample.",
            )
        ],
    }
    prior = {
        "kind": "text",
        "id": "experiments",
        "section": "evaluation",
        "level": "L4",
        "title": say("Các thực nghiệm ở nơi khác", "What experiments found elsewhere"),
        "paragraphs": [
            say(
                "Sáu thực nghiệm ngẫu nhiên cho thấy tác động tích cực nhưng khiêm tốn.",
                "Six randomised experiments found modestly positive, but not transformative, effects.",
            )
        ],
    }
    claims = {
        "kind": "claims",
        "id": "claims",
        "section": "evaluation",
        "title": say("Các nhận định đã đối chiếu", "Claims checked"),
        "items": [
            {
                "text": say("100 % số tổ xếp loại tốt", "100 % of groups rated good"),
                "url": ARTICLE,
                "verified": True,
            },
            {"text": say("52 việc làm được tạo thêm", "52 jobs created"), "url": None, "verified": False},
        ],
    }
    needed = {
        "kind": "table",
        "id": "data_to_ask_for",
        "section": "evaluation",
        "title": say("Số liệu cần xin thêm", "Data to ask for"),
        "columns": [
            {"key": "table", "label": say("Bảng", "Table"), "numeric": False},
            {"key": "holder", "label": say("Nơi giữ", "Held by"), "numeric": False},
            {"key": "adds", "label": say("Cho biết thêm", "What it adds"), "numeric": False},
        ],
        "rows": [
            [
                say(
                    "Hộ nghèo, cận nghèo cuối 2015 theo cả hai chuẩn",
                    "Poor and near-poor, end of 2015, both standards",
                ),
                say("Ủy ban nhân dân xã", "The commune's People's Committee"),
                say("Nối hai giai đoạn", "A bridge between the two periods"),
            ]
        ],
    }
    sources = {
        "kind": "sources",
        "id": "sources",
        "section": "evaluation",
        "title": say("Nguồn", "Sources"),
        "items": [
            {
                "text": "Báo Phú Thọ: Điểm sáng trong thực hiện tín dụng chính sách xã hội",
                "url": ARTICLE,
                "verified": True,
            },
            {
                "text": say("Quyết định 491/QĐ-TTg (2009)", "Decision 491/QĐ-TTg (2009)"),
                "url": None,
                "verified": False,
            },
        ],
    }
    place = {
        "kind": "place",
        "id": "place",
        "paragraphs": [
            say(
                "Xã có tám chương trình tín dụng; danh mục cho vay ở mức bình thường.",
                "Eight credit programmes; the portfolio is ordinary beside comparable communes.",
            )
        ],
        "columns": [
            {"key": "what", "label": "", "numeric": False},
            {"key": "value", "label": "", "numeric": True},
            {"key": "when", "label": "", "numeric": False},
        ],
        "rows": [
            [say("Dư nợ", "Outstanding loans"), say("trên 26,5 tỷ đồng", "over 26.5 billion VND"), "2024"],
            [say("Hộ còn dư nợ", "Borrower households"), "614", "2024"],
            [say("Số hộ mỗi tổ", "Households per group"), number("38.4"), "2024"],
        ],
    }
    notebooks = {
        "credit": [place, balance, checks],
        "poverty_income": [place, poverty],
        "evaluation": [place, limits, prior, claims, needed, sources],
    }
    return {name: [block | {"lang": lang} for block in blocks] for name, blocks in notebooks.items()}


def notebook(blocks):
    """Return an executed notebook whose other contents must never be published."""
    secret = {"output_type": "stream", "name": "stdout", "text": ["SECRET household 17, 3 members"]}
    error = {"output_type": "display_data", "metadata": {}, "data": {"text/plain": "SECRET repr"}}
    marked = [
        {
            "output_type": "display_data",
            "metadata": {},
            "data": {MIME: block, "text/html": "<b>SECRET html</b>", "text/plain": "SECRET plain"},
        }
        for block in blocks
    ]
    cell = {
        "cell_type": "code",
        "execution_count": 1,
        "id": "a",
        "metadata": {"secret": "SECRET metadata"},
        "source": ["SECRET = 'source'"],
        "outputs": [secret, *marked, error],
    }
    text = {"cell_type": "markdown", "id": "b", "metadata": {}, "source": ["SECRET markdown"]}
    return {"cells": [text, cell], "metadata": {"secret": "SECRET"}, "nbformat": 4, "nbformat_minor": 5}


def write_private(folder, place_id, by_lang):
    """Write {lang: {notebook: [payload]}} as executed notebooks of one place."""
    for lang, notebooks in by_lang.items():
        for name, blocks in notebooks.items():
            path = folder / place_id / lang / f"{name}.ipynb"
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(json.dumps(notebook(blocks), ensure_ascii=False), encoding="utf-8")


def write_sample(folder, languages=("vi", "en")):
    """Write the private outputs of the published places of PLACES."""
    by_lang = {lang: payloads(lang) for lang in languages}
    for place in PLACES:
        if place["status"] == "published":
            write_private(folder, place["place_id"], by_lang)
