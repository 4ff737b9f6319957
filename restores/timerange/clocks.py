"""Finds the time of day and the zone in what a person wrote, and leaves the rest."""

import re

_CLOCK = re.compile(
    r"(?<![\d:.])(\d{1,2}):(\d\d)(?::(\d\d)(?:[.,](\d{1,9}))?)?\s?(?:([ap])\.?m\b\.?)?(?![\d:])"
    r"|(?<![\d:./-])(\d{1,2})\s?([ap])\.?m\b\.?",
    re.ASCII,
)
_OFFSET = re.compile(
    r"(?:(?<=[\s\d])(?:utc|gmt)\s?|(?<=:\d\d)|(?<=\s))([+-])(\d{1,2})(?::?(\d\d))?(?=$|\s)",
    re.ASCII,
)
# Letters that stand for one distance from UTC, and those that stand for several.
_ZONES = {
    "z": "Z", "utc": "Z", "gmt": "Z", "wet": "+00:00", "west": "+01:00", "cet": "+01:00",
    "cest": "+02:00", "mez": "+01:00", "mesz": "+02:00", "eet": "+02:00", "eest": "+03:00",
    "msk": "+03:00", "sast": "+02:00", "est": "-05:00", "edt": "-04:00", "cdt": "-05:00",
    "mdt": "-06:00", "pst": "-08:00", "pdt": "-07:00", "brt": "-03:00", "jst": "+09:00",
    "kst": "+09:00", "hkt": "+08:00", "sgt": "+08:00", "aest": "+10:00", "aedt": "+11:00",
    "nzst": "+12:00", "nzdt": "+13:00",
}  # fmt: skip
_EITHER = {
    "bst": ("+01:00", "+06:00"),  # British summer, Bangladesh
    "ist": ("+05:30", "+02:00", "+01:00"),  # India, Israel, Ireland
    "cst": ("-06:00", "+08:00"),  # central North America, China
    "mst": ("-07:00", "+08:00"),  # mountain North America, Malaysia
    "ast": ("-04:00", "+03:00"),  # Atlantic, Arabia
    "gst": ("+04:00", "-02:00"),  # the Gulf, South Georgia
}
_NAME = re.compile(rf"(?:(?<=\d)|(?<![a-z]))({'|'.join([*_ZONES, *_EITHER])})(?![a-z])")


def clock(text: str) -> tuple[str, str] | None:
    """The text without its time of day, and that as ``hh:mm``; None when there is no such time."""
    match = _CLOCK.search(text)
    if match is None:
        return text, ""
    hour, minute, second, fraction, half, bare, bare_half = match.groups()
    hours, half = int(hour or bare), half or bare_half
    if hours > (12 if half else 23) or (half and not hours) or int(minute or 0) > 59:
        return None
    if half:
        hours = hours % 12 + (12 if half == "p" else 0)
    written = f"{hours:02}:{minute or '00'}"
    if second:
        written += f":{second}" + (f".{fraction}" if fraction else "")
    return f"{text[: match.start()]} {text[match.end() :]}", written


def offsets(text: str) -> tuple[str, tuple[str, ...]]:
    """The text without its zone, and the distances from UTC that the zone may stand for."""
    if match := _OFFSET.search(text):
        sign, hours, minutes = match.groups()
        found: tuple[str, ...] = (f"{sign}{int(hours):02}:{minutes or '00'}",)
    elif match := _NAME.search(text):
        found = _EITHER.get(match[1]) or (_ZONES[match[1]],)
    else:
        return text, ()
    return f"{text[: match.start()]} {text[match.end() :]}", found
