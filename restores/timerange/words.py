"""The words for dates and times in eight languages: tables for native speakers to review.

Everything is in lower case. Spellings of one word are separated by commas, the full one first;
Chinese and Japanese count the months and so name none.
"""

# January to December.
MONTHS = {
    "en": (
        "january, jan", "february, feb", "march, mar", "april, apr", "may", "june, jun",
        "july, jul", "august, aug", "september, sept, sep", "october, oct", "november, nov",
        "december, dec",
    ),
    "de": (
        "januar, jänner, jan", "februar, feb", "märz, maerz, mär, mrz", "april, apr", "mai",
        "juni, jun", "juli, jul", "august, aug", "september, sept, sep", "oktober, okt",
        "november, nov", "dezember, dez",
    ),
    "fr": (
        "janvier, janv", "février, fevrier, févr, fév", "mars", "avril, avr", "mai", "juin",
        "juillet, juil", "août, aout", "septembre, sept", "octobre, oct", "novembre, nov",
        "décembre, decembre, déc",
    ),
    "es": (
        "enero, ene", "febrero, feb", "marzo, mar", "abril, abr", "mayo, may", "junio, jun",
        "julio, jul", "agosto, ago", "septiembre, setiembre, sept, sep", "octubre, oct",
        "noviembre, nov", "diciembre, dic",
    ),
    "it": (
        "gennaio, gen", "febbraio, feb", "marzo, mar", "aprile, apr", "maggio, mag",
        "giugno, giu", "luglio, lug", "agosto, ago", "settembre, sett, set", "ottobre, ott",
        "novembre, nov", "dicembre, dic",
    ),
    "pt": (
        "janeiro, jan", "fevereiro, fev", "março, marco, mar", "abril, abr", "maio, mai",
        "junho, jun", "julho, jul", "agosto, ago", "setembro, set", "outubro, out",
        "novembro, nov", "dezembro, dez",
    ),
}  # fmt: skip

# Monday to Sunday.
WEEKDAYS = {
    "en": (
        "monday, mon", "tuesday, tues, tue", "wednesday, wed", "thursday, thurs, thur, thu",
        "friday, fri", "saturday, sat", "sunday, sun",
    ),
    "de": (
        "montag, mo", "dienstag, di", "mittwoch, mi", "donnerstag, do", "freitag, fr",
        "samstag, sonnabend, sa", "sonntag, so",
    ),
    "fr": (
        "lundi, lun", "mardi, mar", "mercredi, mer", "jeudi, jeu", "vendredi, ven",
        "samedi, sam", "dimanche, dim",
    ),
    "es": (
        "lunes, lun", "martes, mar", "miércoles, miercoles, mié", "jueves, jue",
        "viernes, vie", "sábado, sabado, sáb", "domingo, dom",
    ),
    "it": (
        "lunedì, lunedi, lun", "martedì, martedi, mar", "mercoledì, mercoledi, mer",
        "giovedì, giovedi, gio", "venerdì, venerdi, ven", "sabato, sab", "domenica, dom",
    ),
    "pt": (
        "segunda-feira, segunda, seg", "terça-feira, terça, ter", "quarta-feira, quarta, qua",
        "quinta-feira, quinta, qui", "sexta-feira, sexta, sex", "sábado, sáb", "domingo, dom",
    ),
    "zh": (
        "星期一, 周一, 週一, 礼拜一", "星期二, 周二, 週二, 礼拜二", "星期三, 周三, 週三, 礼拜三",
        "星期四, 周四, 週四, 礼拜四", "星期五, 周五, 週五, 礼拜五", "星期六, 周六, 週六, 礼拜六",
        "星期日, 星期天, 周日, 周天, 週日, 礼拜天",
    ),
    "ja": (
        "月曜日, 月曜, (月)", "火曜日, 火曜, (火)", "水曜日, 水曜, (水)", "木曜日, 木曜, (木)",
        "金曜日, 金曜, (金)", "土曜日, 土曜, (土)", "日曜日, 日曜, (日)",
    ),
}  # fmt: skip

# Words before or after a weekday that make it one before today.
LAST = {
    "en": "last", "de": "letzten, letzter, vergangenen", "fr": "dernier, dernière",
    "es": "pasado, pasada", "it": "scorso, scorsa", "pt": "passado, passada",
    "zh": "", "ja": "",
}  # fmt: skip

# The day before yesterday, yesterday, today, tomorrow.
DAYS = {
    "en": ("day before yesterday, the day before yesterday", "yesterday", "today", "tomorrow"),
    "de": ("vorgestern", "gestern", "heute", "morgen"),
    "fr": ("avant-hier", "hier", "aujourd'hui, ce jour", "demain"),
    "es": ("anteayer, antes de ayer", "ayer", "hoy", "mañana"),
    "it": ("l'altro ieri, avantieri", "ieri", "oggi", "domani"),
    "pt": ("anteontem", "ontem", "hoje", "amanhã"),
    "zh": ("前天", "昨天, 昨日", "今天, 今日", "明天, 明日"),
    "ja": ("一昨日, おととい", "昨日, きのう", "今日, きょう, 本日", "明日, あした"),
}  # fmt: skip

# A day and a part of it in one word: that day, and the part as in PARTS.
DAY_PARTS = {
    "en": {"last night": (-1, "night"), "tonight": (0, "evening"), "this morning": (0, "morning"),
           "this afternoon": (0, "afternoon"), "this evening": (0, "evening")},
    "de": {},
    "fr": {"ce matin": (0, "morning"), "cet après-midi": (0, "afternoon"),
           "ce soir": (0, "evening"), "cette nuit": (0, "night")},
    "es": {"anoche": (-1, "night"), "esta mañana": (0, "morning"), "esta tarde": (0, "afternoon"),
           "esta noche": (0, "evening")},
    "it": {"stamattina": (0, "morning"), "stamani": (0, "morning"), "stasera": (0, "evening"),
           "stanotte": (0, "night")},
    "pt": {"esta manhã": (0, "morning"), "esta tarde": (0, "afternoon"),
           "esta noite": (0, "evening")},
    "zh": {"昨晚": (-1, "evening"), "昨夜": (-1, "night"), "今早": (0, "morning"),
           "今晨": (0, "morning"), "今晚": (0, "evening")},
    "ja": {"昨晩": (-1, "evening"), "昨夜": (-1, "night"), "今朝": (0, "morning"),
           "今晩": (0, "evening"), "今夜": (0, "evening")},
}  # fmt: skip

# Which half or part of the day a clock of twelve hours means. Noon and midnight are times, too.
PARTS = {
    "am": {"zh": "上午", "ja": "午前"},
    "pm": {"zh": "下午", "ja": "午後"},
    "morning": {
        "en": "in the morning, morning",
        "de": "morgens, früh, vormittags, vormittag",
        "fr": "du matin, matin",
        "es": "de la mañana, por la mañana, de la madrugada",
        "it": "di mattina, del mattino, mattina, mattino",
        "pt": "da manhã, de manhã, da madrugada, de madrugada",
        "zh": "早上, 早晨, 凌晨, 清晨",
        "ja": "朝, 早朝, 未明",
    },
    "afternoon": {
        "en": "in the afternoon, afternoon",
        "de": "nachmittags, nachmittag",
        "fr": "de l'après-midi, après-midi",
        "es": "de la tarde, por la tarde",
        "it": "del pomeriggio, di pomeriggio, pomeriggio",
        "pt": "da tarde, de tarde, à tarde",
        "zh": "",
        "ja": "夕方",
    },
    "evening": {
        "en": "in the evening, evening",
        "de": "abends, abend",
        "fr": "du soir, au soir, soir",
        "es": "de la noche, por la noche",
        "it": "di sera, della sera, sera",
        "pt": "da noite, à noite, de noite",
        "zh": "晚上, 傍晚",
        "ja": "夜, 晩",
    },
    "night": {
        "en": "at night, night",
        "de": "nachts, nacht",
        "fr": "de la nuit, nuit",
        "es": "",
        "it": "di notte, notte",
        "pt": "",
        "zh": "半夜, 深夜",
        "ja": "深夜, 夜中",
    },
    "noon": {
        "en": "noon, midday",
        "de": "mittag, mittags",
        "fr": "midi",
        "es": "mediodía, del mediodía, al mediodía",
        "it": "mezzogiorno",
        "pt": "meio-dia",
        "zh": "中午, 正午",
        "ja": "正午",
    },
    "midnight": {
        "en": "midnight",
        "de": "mitternacht",
        "fr": "minuit",
        "es": "medianoche",
        "it": "mezzanotte",
        "pt": "meia-noite",
        "zh": "午夜",
        "ja": "",
    },
}

# What follows a bare hour: 14 Uhr, 8 heures. German and French count 24 hours.
HOUR_WORDS = {
    "en": "o'clock, hrs, hours", "de": "uhr", "fr": "heures, heure, h", "es": "horas, hora, hs",
    "it": "", "pt": "horas, hora", "zh": "点, 點, 时, 時", "ja": "時",
}  # fmt: skip

# Words that introduce an hour: um 14, alle 15, às 15.
AT = {
    "en": "at",
    "de": "um",
    "fr": "à, vers",
    "es": "a las, a la, sobre las, hacia las, desde las",
    "it": "alle ore, alle, all', ore, verso le, dalle",
    "pt": "às, as, por volta das, desde as",
    "zh": "",
    "ja": "",
}

# Words between a date and a time of day that change neither.
FILLERS = {
    "en": "at, on, of, the, around, about, since, from, between, ca",
    "de": "am, um, den, der, gegen, ab, seit, von, vom, zwischen",
    "fr": "à, a, le, du, vers, depuis, dès, entre",
    "es": "a, el, del, de, las, sobre, entre",
    "it": "il, del, di, alle, ore, verso, dalle, tra, fra",
    "pt": "às, no, na, em, de, do, da, das, entre",
    "zh": "在, 于, 的, 大约, 约",
    "ja": "に, の, 頃, ごろ",
}

# Between the two times of a range.
UNTIL = {
    "en": "to, until, till, and", "de": "bis, und", "fr": "à, et, jusqu'à", "es": "a, y, hasta",
    "it": "e, alle", "pt": "às, e, até", "zh": "到, 至", "ja": "から",
}  # fmt: skip

# Whole phrases, in the spelling of URLs.
PHRASES = {
    "now": "just now, jetzt, maintenant, ahora, adesso, ora, agora, 现在, 今",
    "now/w": "this week, diese woche, cette semaine, esta semana, questa settimana, 本周, 这周, "
    "今週",
    "now-1w/w": "last week, letzte woche, la semaine dernière, semaine dernière, "
    "la semana pasada, semana pasada, la settimana scorsa, settimana scorsa, a semana passada, "
    "semana passada, 上周, 上星期, 先週",
    "now/M": "this month, diesen monat, dieser monat, ce mois, ce mois-ci, este mes, "
    "questo mese, este mês, 本月, 这个月, 今月",
    "now-1M/M": "last month, letzten monat, letzter monat, le mois dernier, mois dernier, "
    "el mes pasado, mes pasado, il mese scorso, mese scorso, o mês passado, mês passado, "
    "上月, 上个月, 先月",
    "now/y": "this year, dieses jahr, cette année, este año, quest'anno, este ano, 今年",
    "now-1y/y": "last year, letztes jahr, l'année dernière, année dernière, el año pasado, "
    "año pasado, l'anno scorso, anno scorso, o ano passado, ano passado, 去年",
}  # fmt: skip

# How long ago: {} stands for a number and a unit.
AGO = {
    "en": "{} ago, last {}, past {}", "de": "vor {}", "fr": "il y a {}", "es": "hace {}",
    "it": "{} fa", "pt": "há {}, {} atrás", "zh": "{}前, {}之前", "ja": "{}前",
}  # fmt: skip
UNITS = {
    "m": "m, min, mins, minute, minutes, minuten, minuto, minutos, minuti, 分钟, 分鐘, 分",
    "h": "h, hr, hrs, hour, hours, std, stunde, stunden, heure, heures, hora, horas, ora, ore, "
    "小时, 小時, 个小时, 時間",
    "d": "d, day, days, tag, tage, tagen, jour, jours, día, días, dia, dias, giorno, giorni, "
    "天, 日",
    "w": "w, week, weeks, woche, wochen, semaine, semaines, semana, semanas, settimana, "
    "settimane, 周, 個星期, 个星期, 週間",
    "M": "month, months, monat, monate, monaten, mois, mes, meses, mese, mesi, mês, 个月, "
    "か月, ヶ月",
    "y": "y, year, years, jahr, jahre, jahren, an, ans, año, años, anno, anni, ano, anos, 年",
}  # fmt: skip
ONE = {"a", "an", "one", "eine", "einer", "einem", "une", "un", "una", "uno", "uma", "um"}

# Chinese and Japanese put the week before the weekday.
WEEKS = {"上": -1, "上个": -1, "这": 0, "本": 0, "先週の": -1, "先週": -1, "今週の": 0, "今週": 0}

# What comes before a duration, which looks like a time of day: "took 12:45".
DURATIONS = {
    "en": "took, takes, for, within, lasted, duration, elapsed, uptime, after, in",
    "de": "dauerte, dauert, dauer, laufzeit, innerhalb von, nach",
    "fr": "durée, duré, dure, pendant, en",
    "es": "duración, duró, durante, tardó, tiempo", "it": "durata, durato, durante, per",
    "pt": "duração, durou, durante, por", "zh": "耗时, 持续, 用时, 历时", "ja": "所要時間, 時間",
}  # fmt: skip
