"""The words of the simulated world: what its instances are called and what people remark."""

from random import Random

LATIN = (
    *("cart", "session", "catalog", "checkout", "pricing", "search", "feed", "auth"),
    *("leaderboard", "ratelimit", "inbox", "stock", "coupon", "geo", "quota", "wishlist"),
)
PLACES = ("prod", "prod-2", "eu-1", "eu-2", "canary", "staging", "blue", "green")

TONGUES: dict[str, tuple[str, ...]] = {
    "german": ("warenkorb-prod", "größen-cache", "suche-live", "cart-prod", "session-eu-2"),
    "japanese": ("カート-本番", "セッション-東京-2", "在庫-キャッシュ", "ranking-live"),
    "chinese": ("推荐-缓存-生产", "购物车-会话", "订单-缓存-生产", "搜索-热词", "cart-prod"),
    "english": ("ledger-hot", "fraud-scores", "card-session", "cart-prod", "fx-rates"),
    "indian": ("playlist-cache", "गीत-सूची", "lyrics-prod", "session-in-1"),
    "mixed": ("ذاكرة-المتجر-1", "מטמון-הזמנות-1", "drill-target", "rehearsal-b"),
}

HTML_REMARK = '<script>alert("restore")</script><b>bold</b> & <img src=x onerror=alert(1)>'
FORMULA_REMARK = "=cmd|' /C calc'!A0"
CHINESE_REMARK = "误删购物车数据,恢复到凌晨三点的备份"
ARABIC_REMARK = "استعادة بعد حذف بالخطأ - تذكرة 4711"
HEBREW_REMARK = "שחזור לאחר מחיקה בטעות (פנייה 815)"
LONG_REMARK = (
    "Second attempt after the first one stopped halfway; agreed with the customer by phone, "
    "window 02:00-03:00, roll back to last night"
)[:128]

ODD_REMARKS = (
    *(HTML_REMARK, FORMULA_REMARK, CHINESE_REMARK, ARABIC_REMARK, HEBREW_REMARK, LONG_REMARK),
    *("+49 30 1234567", "@SUM(A1:A9)", "line one\nline two", "NULL", "🙂 drill"),
)
PLAIN_REMARKS = (
    "wrong keys flushed by deploy",
    "drill",
    "monthly restore test",
    "roll back to last night",
    "customer asked for yesterday's state",
    "before migration",
    "bad cache warm-up",
)


def instance_name(rng: Random, tongue: str) -> str:
    """Draw a name as a customer of that tongue would choose it."""
    if rng.random() < 0.3:
        return rng.choice(TONGUES[tongue])
    return f"{rng.choice(LATIN)}-{rng.choice(PLACES)}"


def remark(rng: Random) -> str | None:
    """Draw a remark as people leave it: mostly none, often a ticket, now and then odd."""
    roll = rng.random()
    if roll < 0.45:
        return None
    if roll < 0.70:
        return f"INC-{rng.randint(10_000, 99_999)}"
    if roll < 0.95:
        return rng.choice(PLAIN_REMARKS)
    return rng.choice(ODD_REMARKS)
