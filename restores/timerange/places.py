"""Names of time zones that the time zone database doesn't have: abbreviations, cities, countries.

Everything is in lower case, several spellings separated by commas.
"""

# The zones that an abbreviation may stand for. Where clocks change, the abbreviation of one
# season is an offset; where several are in use, all are listed.
ABBREVIATIONS = {
    "z": ("UTC",), "utc": ("UTC",), "gmt": ("UTC",), "zulu": ("UTC",),
    "wet": ("UTC",), "west": ("UTC+1",), "cet": ("UTC+1",), "cest": ("UTC+2",),
    "mez": ("UTC+1",), "mesz": ("UTC+2",), "eet": ("UTC+2",), "eest": ("UTC+3",),
    "msk": ("Europe/Moscow",), "sast": ("Africa/Johannesburg",),
    "est": ("UTC-5",), "edt": ("UTC-4",), "et": ("America/New_York",),
    "cdt": ("UTC-5",), "ct": ("America/Chicago",),
    "mdt": ("UTC-6",), "mt": ("America/Denver",),
    "pst": ("UTC-8",), "pdt": ("UTC-7",), "pt": ("America/Los_Angeles",),
    "brt": ("America/Sao_Paulo",), "jst": ("Asia/Tokyo",), "kst": ("Asia/Seoul",),
    "hkt": ("Asia/Hong_Kong",), "sgt": ("Asia/Singapore",), "aest": ("UTC+10",),
    "aedt": ("UTC+11",), "nzst": ("UTC+12",), "nzdt": ("UTC+13",),
    "bst": ("UTC+1", "UTC+6"),  # British summer, Bangladesh
    "ist": ("UTC+5:30", "UTC+2", "UTC+1"),  # India, Israel, Ireland
    "cst": ("UTC-6", "UTC+8"),  # central North America, China
    "mst": ("UTC-7", "UTC+8"),  # mountain North America, Malaysia
    "ast": ("UTC-4", "UTC+3"),  # Atlantic, Arabia
    "gst": ("UTC+4", "UTC-2"),  # the Gulf, South Georgia
}  # fmt: skip

# The places whose zone is chosen by an abbreviation that stands for several offsets.
SEVERAL = {
    "bst": ("Europe/London", "Asia/Dhaka"),
    "ist": ("Asia/Kolkata", "Asia/Jerusalem", "Europe/Dublin"),
    "cst": ("America/Chicago", "Asia/Shanghai"),
    "ast": ("America/Halifax", "Asia/Riyadh"),
    "gst": ("Asia/Dubai", "Atlantic/South_Georgia"),
}

# Times named after a place.
PHRASES = {
    "Asia/Shanghai": "北京时间, 北京時間, 中国时间, 中国時間, 中國時間",
    "Asia/Tokyo": "日本時間, 日本时间, 東京時間, 东京时间",
    "Europe/Berlin": "德国时间, 柏林时间, ドイツ時間",
    "Europe/London": "英国时间, 伦敦时间, 英国時間",
    "Europe/Paris": "法国时间, 巴黎时间, フランス時間",
    "UTC": "世界标准时间, 协调世界时, 世界時, 協定世界時",
    "America/New_York": "eastern time, 美东时间, 纽约时间, 米国東部時間",
    "America/Chicago": "central time",
    "America/Denver": "mountain time",
    "America/Los_Angeles": "pacific time, 美西时间, 太平洋时间, 米国太平洋時間",
}

# Cities that the database has under another name, and names in other languages.
CITIES = {
    "Asia/Shanghai": "beijing, peking, pékin, pekín, pechino, pequim, 北京, 上海, shanghái, "
    "shenzhen, 深圳, guangzhou, 广州, hangzhou, 杭州, chengdu, guiyang, 贵阳, ulanqab",
    "Asia/Hong_Kong": "香港, hongkong",
    "Asia/Tokyo": "tokio, tōkyō, tóquio, 東京, 东京, osaka, 大阪, kyoto, yokohama, nagoya, fukuoka",
    "Asia/Seoul": "首尔, ソウル, seúl, seul",
    "Asia/Singapore": "新加坡, シンガポール, singapur, singapour, singapura",
    "Asia/Kolkata": "mumbai, delhi, new delhi, bangalore, bengaluru, chennai, hyderabad, pune",
    "Asia/Jakarta": "雅加达",
    "Asia/Bangkok": "曼谷",
    "Asia/Dubai": "abu dhabi, 迪拜",
    "Europe/Berlin": "berlino, berlim, berlín, 柏林, ベルリン, munich, münchen, monaco di baviera, "
    "hamburg, frankfurt, köln, koeln, cologne, stuttgart, düsseldorf, leipzig, dresden, magdeburg",
    "Europe/Paris": "parís, parigi, 巴黎, パリ, lyon, marseille, toulouse",
    "Europe/Madrid": "马德里, マドリード, barcelona, valencia, sevilla",
    "Europe/Rome": "rom, roma, 罗马, ローマ, milan, milano, mailand, turin, torino, naples, napoli",
    "Europe/Lisbon": "lisboa, lissabon, lisbonne, lisbona, 里斯本, リスボン, porto",
    "Europe/London": "londres, londra, 伦敦, ロンドン, manchester, edinburgh",
    "Europe/Dublin": "dublino, 都柏林",
    "Europe/Amsterdam": "rotterdam, the hague, den haag",
    "Europe/Brussels": "brüssel, bruxelles, bruselas",
    "Europe/Vienna": "wien, vienne, viena",
    "Europe/Zurich": "zürich, zuerich, genf, geneva, genève, bern, basel",
    "Europe/Warsaw": "warschau, varsovie, varsovia, krakow",
    "Europe/Prague": "prag, praga",
    "Europe/Moscow": "moskau, moscou, moscú, mosca, 莫斯科, モスクワ",
    "America/New_York": "nueva york, nova york, 纽约, ニューヨーク, washington, boston, atlanta, "
    "miami, philadelphia, eastern",
    "America/Chicago": "芝加哥, dallas, houston, austin, central",
    "America/Denver": "mountain",
    "America/Los_Angeles": "洛杉矶, ロサンゼルス, san francisco, seattle, san diego, "
    "silicon valley, pacific",
    "America/Mexico_City": "ciudad de méxico, mexiko-stadt, 墨西哥城",
    "America/Sao_Paulo": "são paulo, 圣保罗, サンパウロ, rio de janeiro, brasília, brasilia",
    "America/Argentina/Buenos_Aires": "布宜诺斯艾利斯",
    "America/Santiago": "santiago de chile",
    "Africa/Johannesburg": "cape town, kapstadt, pretoria, durban",
    "Australia/Sydney": "悉尼, シドニー, canberra",
}

# Countries by the two letters of ISO 3166, under names that it doesn't list in English.
COUNTRIES = {
    "CN": "prc, 中国, 中國, chine, cina",
    "JP": "日本, japon, japón, giappone, japão",
    "DE": "deutschland, allemagne, alemania, germania, alemanha, 德国, ドイツ",
    "FR": "frankreich, francia, frança, 法国, フランス",
    "ES": "spanien, espagne, españa, spagna, espanha, 西班牙, スペイン",
    "IT": "italien, italie, italia, itália, 意大利, イタリア",
    "PT": "葡萄牙, ポルトガル, portogallo",
    "BR": "brasilien, brésil, brasil, brasile, 巴西, ブラジル",
    "GB": "uk, united kingdom, great britain, england, scotland, großbritannien, royaume-uni, "
    "reino unido, regno unito, 英国, イギリス",
    "US": "usa, u.s., united states of america, vereinigte staaten, états-unis, estados unidos, "
    "stati uniti, 美国, アメリカ",
    "KR": "korea, south korea, südkorea, 韩国, 韓国",
    "TW": "台湾, 臺灣",
    "HK": "香港",
    "IN": "indien, inde, índia, 印度, インド",
    "IE": "irland, irlande, irlanda, 爱尔兰",
    "NL": "holland, the netherlands, niederlande, pays-bas, países bajos, 荷兰",
    "CH": "schweiz, suisse, svizzera, suiza, 瑞士",
    "AT": "österreich, autriche, 奥地利",
    "MX": "méxico, mexiko, messico, mexique",
    "CZ": "czech republic, tschechien",
    "TR": "turkey, türkei",
    "RU": "russland, russie, rusia, 俄罗斯",
    "ZA": "südafrika, 南非",
    "AE": "uae, emirates",
}
