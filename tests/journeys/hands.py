"""How people move through pages: with a pointer, or with the keyboard alone.

Both find things by what is written on them, and count the screens that they were shown.
"""

from __future__ import annotations

import re
from datetime import date, time
from typing import ClassVar

from playwright.sync_api import Frame, Locator, Page, expect

from tests.cast import PASSWORD, Person

MOST_TABS = 150


class Pointer:
    """Clicks and types; ``shown`` is how many screens came since it was last set to zero."""

    def __init__(self, page: Page, url: str) -> None:
        self.page, self.url, self.shown = page, url, 0
        page.on("framenavigated", self._count)

    def _count(self, frame: Frame) -> None:
        self.shown += frame == self.page.main_frame

    @property
    def main(self) -> Locator:
        """Where the page itself is, under its menu."""
        return self.page.locator("main")

    def title(self, words: str) -> None:
        """Wait for the page with these words in its title."""
        expect(self.page.get_by_role("heading", level=1)).to_contain_text(words)

    def sees(self, words: str) -> None:
        """Wait for these words in the page."""
        expect(self.main).to_contain_text(words)

    def enter(self, person: Person) -> None:
        """Sign in."""
        assert person.sign_in is not None
        self.page.goto(f"{self.url}/connexion")
        self.write("Identifiant", person.sign_in.user_name)
        self.write("Mot de passe", PASSWORD)
        self.press("Se connecter")
        self.title("Bonjour")

    def leave(self) -> None:
        """Sign out, for another person to sign in."""
        self.page.context.clear_cookies()

    def follow(self, link: str) -> None:
        """Open a link of the page."""
        self.use(self.page.locator("main, aside").get_by_role("link", name=link).first)

    def press(self, button: str) -> None:
        """Press a button of the page."""
        self.use(self.main.get_by_role("button", name=button, exact=True))

    def unfold(self, words: str) -> None:
        """Open what is folded under these words."""
        self.use(self.main.locator("summary", has_text=words))

    def menu(self, link: str) -> None:
        """Open a link of the menu, under the word that holds it."""
        everything = self.page.get_by_role("button", name="Menu", exact=True)
        if everything.is_visible():
            self.use(everything)
        navigation = self.page.get_by_role("navigation", name="Navigation principale")
        under = navigation.locator("details:not([open])", has_text=link)
        if under.count():
            self.use(under.locator("summary"))
        self.use(navigation.get_by_role("link", name=link))

    def use(self, target: Locator) -> None:
        """Press something."""
        target.click()

    def field(self, label: str) -> Locator:
        """The field of this label, which may also ask or say that it is left to choice."""
        return self.main.get_by_label(re.compile(rf"^{re.escape(label)}(\s\?)?(\s*\(facultatif\))?$"))

    def write(self, label: str, words: str) -> None:
        """Replace what a field holds."""
        self.field(label).fill(words)

    def write_day(self, label: str, day: date) -> None:
        """Write a day in a calendar's field."""
        self.field(label).fill(day.isoformat())

    def write_hour(self, label: str, hour: time) -> None:
        """Write an hour in a clock's field."""
        self.field(label).fill(f"{hour:%H:%M}")

    def choose(self, label: str, option: str) -> None:
        """Choose in a list."""
        self.field(label).select_option(label=option)

    def tick(self, label: str) -> None:
        """Choose one answer of several, or tick a box."""
        self.field(label).check()


class Keyboard(Pointer):
    """Nothing but keys; what has the focus must show it."""

    SEEN: ClassVar = """element => {
      for (let each = element; each && each.localName !== 'main'; each = each.parentElement) {
        const style = getComputedStyle(each);  // a card that is a link is outlined as a whole
        if (style.outlineStyle !== 'none' && parseFloat(style.outlineWidth) >= 2) return true;
      }
      return false;
    }"""

    def reach(self, target: Locator) -> None:
        """Go to something with the tabulation key, as far as one lap of the page."""
        expect(target).to_be_visible()
        for _tab in range(MOST_TABS):
            if target.evaluate("element => element === document.activeElement"):
                assert target.evaluate(self.SEEN), f"no visible focus: {target}"
                return
            self.page.keyboard.press("Tab")
        raise AssertionError(f"out of reach: {target}")

    def use(self, target: Locator) -> None:
        """Press something."""
        self.reach(target)
        self.page.keyboard.press("Enter")

    def write(self, label: str, words: str) -> None:
        """Replace what a field holds."""
        self.reach(self.field(label))
        self.page.keyboard.press("Control+a")
        self.page.keyboard.type(words)

    def write_day(self, label: str, day: date) -> None:
        """Write a day figure by figure."""
        self._write_parts(label, day.isoformat(), [day.strftime("%d%m%Y"), day.strftime("%m%d%Y")])

    def write_hour(self, label: str, hour: time) -> None:
        """Write an hour figure by figure."""
        self._write_parts(label, f"{hour:%H:%M}", [hour.strftime("%H%M"), hour.strftime("%I%M%p")])

    def _write_parts(self, label: str, value: str, orders: list[str]) -> None:
        """A field in parts is written in the order in which this browser, by its language, asks for them."""
        field = self.field(label)
        self.reach(field)
        for keys in orders:
            self.page.keyboard.type(keys)
            if field.input_value() == value:
                return
            for _part in range(3):
                self.page.keyboard.press("ArrowLeft")
        raise AssertionError(f"not written: {label}")

    def choose(self, label: str, option: str) -> None:
        """Choose in a list, by the first letters."""
        field = self.field(label)
        self.reach(field)
        self.page.keyboard.type(option)
        expect(field.locator("option:checked")).to_have_text(option)

    def tick(self, label: str) -> None:
        """Choose one answer of several with the arrows, or tick a box."""
        target = self.field(label)
        if target.get_attribute("type") == "checkbox":
            self.reach(target)
            self.page.keyboard.press("Space")
        else:
            self._choose_among(target)
        expect(target).to_be_checked()

    def _choose_among(self, target: Locator) -> None:
        """A group of answers is one stop: the one that is chosen, else the first."""
        group = self.main.locator(f"input[name='{target.get_attribute('name')}']")
        chosen = group.and_(self.main.locator(":checked"))
        self.reach(chosen if chosen.count() else group.first)
        if not chosen.count():
            self.page.keyboard.press("Space")
        for _answer in range(group.count()):
            if target.is_checked():
                return
            self.page.keyboard.press("ArrowDown")
