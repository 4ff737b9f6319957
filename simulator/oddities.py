"""Odd records that every world holds once, so that nobody has to hope for chance."""

from collections.abc import Mapping

from . import names

SAME_ID = "5a3e0000-0000-4000-8000-00000000c0de"

# (project, n-th instance of it that can be restored) -> what its oldest restore looks like
ODDITIES: Mapping[tuple[int, int], Mapping[str, object]] = {
    (0, 0): {"restore_id": "../x"},
    (1, 0): {"restore_id": "a?b#c"},
    (2, 0): {"restore_id": "%2e"},
    (3, 0): {"restore_id": SAME_ID},
    (4, 0): {"restore_id": SAME_ID},
    (5, 0): {"restore_id": ".."},
    (0, 1): {"remark": names.HTML_REMARK},
    (1, 1): {"remark": names.LONG_REMARK},
    (2, 1): {"remark": names.CHINESE_REMARK},
    (3, 1): {"remark": names.ARABIC_REMARK},
    (4, 1): {"remark": names.HEBREW_REMARK},
    (5, 1): {"remark": names.FORMULA_REMARK},
    (0, 2): {"final": "failed", "code": "dcs.08.0099", "peak": 41},
    (3, 2): {"final": "failed", "code": "dcs.08.0099", "peak": 0},
    (1, 2): {"final": "rolledback", "code": None, "peak": 12},
}
