"""Browsers of people: each is empty of cookies and storage when somebody takes it."""

from dataclasses import dataclass, field

from playwright.sync_api import Browser, BrowserContext, CDPSession, Page

STORAGE = "cookies,local_storage,indexeddb,cache_storage,service_workers,websql,file_systems"
Look = tuple[int, int, bool]


@dataclass
class Kept:
    """What a kept context has beside its people's pages: an empty page that nobody looks at.

    A window that loses its last page closes, and each new window of Chromium loads pages for its
    own address bar, which cost more than ours.
    """

    look: Look
    anchor: Page
    cleaner: CDPSession


@dataclass
class Contexts:
    """Contexts of one Chromium.

    Those that are kept are given to the next who wants the same look: what a browser keeps of
    scripts stays in them, so a page opens in half the time, as it does for people.
    """

    browser: Browser
    is_keeping: bool = False
    _free: dict[Look, list[BrowserContext]] = field(default_factory=dict)
    _kept: dict[BrowserContext, Kept] = field(default_factory=dict)

    def take(self, *, width: int = 1440, height: int = 900, dark: bool = False) -> BrowserContext:
        """A browser in which nobody has been."""
        look = (width, height, dark)
        if self._free.get(look):
            return self._free[look].pop()
        context = self.browser.new_context(
            viewport={"width": width, "height": height},
            color_scheme="dark" if dark else "light",
        )
        if self.is_keeping:
            anchor = context.new_page()
            self._kept[context] = Kept(look, anchor, context.new_cdp_session(anchor))
        return context

    def give_back(self, context: BrowserContext, url: str) -> None:
        """Close its pages, and leave nothing in it of who has been at this address."""
        if not self.is_keeping:
            context.close()
            return
        kept = self._kept[context]
        for page in context.pages:
            if page != kept.anchor:
                page.close()
        context.unroute_all()
        context.clear_permissions()
        context.clear_cookies()
        kept.cleaner.send("Storage.clearDataForOrigin", {"origin": url, "storageTypes": STORAGE})
        self._free.setdefault(kept.look, []).append(context)
