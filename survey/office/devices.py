"""What a browser is called on the page of sessions: "Chrome trên Windows", and no more of it."""

from __future__ import annotations

from survey.text import t

#: What a browser says of itself -> its name; the first that fits counts.
BROWSERS = (
    ("Edg", "Edge"), ("OPR", "Opera"), ("SamsungBrowser", "Samsung Internet"),
    ("coc_coc", "Cốc Cốc"), ("Firefox", "Firefox"), ("FxiOS", "Firefox"), ("CriOS", "Chrome"),
    ("Chrome", "Chrome"), ("Safari", "Safari"), ("curl", "curl"),
)  # fmt: skip
SYSTEMS = (
    ("Android", "Android"), ("iPhone", "iPhone"), ("iPad", "iPad"), ("Windows", "Windows"),
    ("CrOS", "ChromeOS"), ("Mac OS", "macOS"), ("Linux", "Linux"),
)  # fmt: skip


def words(agent: str) -> str:
    """Return the browser and the system that a User-Agent names."""
    browser = next((name for mark, name in BROWSERS if mark in agent), "")
    system = next((name for mark, name in SYSTEMS if mark in agent), "")
    if browser and system:
        return t("people.device", browser=browser, system=system)
    return browser or system or t("people.device_unknown")
