"""Names that sound Vietnamese and belong to no real province."""

import numpy as np

PROVINCE = "Giả Lập"

_FIRST = """
    An Bình Cao Châu Đại Đông Đồng Hải Hòa Hoa Hương Kim Lâm Liên Long Lương Minh Mỹ Nam Ngọc Phú Phúc Phong
    Quang Quảng Sơn Tam Tân Tây Thanh Thạch Thái Thịnh Thủy Thuận Tiên Trung Vạn Văn Vĩnh Xuân Yên
""".split()  # noqa: SIM905
_SECOND = """
    An Bình Châu Cường Đài Điền Định Đức Giang Hà Hải Hòa Hóa Hưng Khánh Khê Lạc Lâm Lập Lĩnh Lộc Long Lợi
    Lương Lý Mai Mỹ Nghĩa Nguyên Phong Phú Phúc Quý Sơn Tân Thành Thắng Thịnh Thọ Thủy Thượng Tiến Trạch Trung
    Văn Vân Xá Xuân Yên
""".split()  # noqa: SIM905
_DISTRICTS = (
    *("Vân Khê", "Thượng Lĩnh", "Đại Nguyên", "Lâm Giang", "Hòa Lĩnh", "Thanh Lạc", "Sơn Khánh"),
    *("Trung Nguyên", "Mai Lĩnh", "Kim Lộc", "Ngọc Trạch", "Đồng Khê", "Tây Lĩnh", "Xuân Khê", "Phong Lạc"),
    *("Hà Nguyên", "Yên Lĩnh", "Thạch Lâm", "Vĩnh Khê", "Long Nguyên"),
)
_OLD_TONES = {"òa": "oà", "óa": "oá", "ỏa": "oả", "ọa": "oạ", "ủy": "uỷ", "úy": "uý", "ùy": "uỳ", "ụy": "uỵ"}
_TWICE = 0.06  # share of communes that bear the name of another commune of the province
_OLD = 0.3  # share of names written with the tone mark in its older place


def provinces(n):
    """Return n names of provinces."""
    return [PROVINCE] if n == 1 else [f"{PROVINCE} {i:02d}" for i in range(1, n + 1)]


def districts(n):
    """Return n names of districts, different from one another up to twenty."""
    return [_DISTRICTS[i % len(_DISTRICTS)] for i in range(n)]


def communes(generator, district):
    """Return a name for each commune: unique within its district, some twice in the province.

    district: index of the district of each commune. generator: numpy random generator.
    """
    pool = np.array([f"{a} {b}" for a in _FIRST for b in _SECOND if a != b])
    n = len(district)
    names = np.concatenate([generator.permutation(pool) for _ in range(n // len(pool) + 1)])[:n]
    twins = generator.random(n) < _TWICE
    names[twins] = names[generator.integers(0, n, twins.sum())]
    taken = set()
    for i, d in enumerate(district):
        while (d, names[i]) in taken:
            names[i] = generator.choice(pool)
        taken.add((d, names[i]))
    return names


def spelled(generator, names):
    """Return the names as a clerk writes them: some with the tone mark in its older place (Hoà for Hòa)."""
    old = generator.random(len(names)) < _OLD
    return np.array([_older(name) if o else name for name, o in zip(names, old, strict=True)])


def _older(name):
    # The older spelling moves the mark only where the rhyme has no final letter: Hòa and Thủy, not Hoàng.
    return " ".join(
        next((w[:-2] + o for n, o in _OLD_TONES.items() if w.endswith(n) and not w.startswith("Qu")), w)
        for w in name.split()
    )
