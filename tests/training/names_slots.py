"""What fills the slots of a template: names of people, places and organisations, dates, numbers, works, products."""

from __future__ import annotations

import random
import re
from collections.abc import Callable
from pathlib import Path

import names_data as data
from babel import Locale
from faker import Faker
from names_invent import invented, manners
from names_lists import LANGS, faker_names, read_lists

MAIN = {
    "en": ("en_US", "en_GB", "en_US", "en_IN", "en_IE"), "de": ("de_DE", "de_AT", "de_DE", "de_CH"),
    "fr": ("fr_FR", "fr_FR", "fr_CA", "fr_BE", "fr_CH"), "es": ("es_ES", "es_MX", "es_AR", "es_CO", "es_CL"),
    "it": ("it_IT",), "nl": ("nl_NL", "nl_NL", "nl_BE"),
}  # fmt: skip
WORLD = (
    "cs_CZ", "da_DK", "en_IN", "en_NG", "en_NZ", "es_AR", "es_MX", "et_EE", "fi_FI", "ga_IE", "hr_HR", "hu_HU",
    "id_ID", "lt_LT", "lv_LV", "no_NO", "pl_PL", "pt_BR", "pt_PT", "ro_RO", "sk_SK", "sl_SI", "sv_SE", "tr_TR",
    "vi_VN", "yo_NG", "tw_GH", "zu_ZA", "en_PK", "en_KE", "az_AZ", "ha_NG", "ig_NG", "sw", "uz_UZ", "is_IS",
)  # fmt: skip
SURNAME_MARK = {
    "de": ("von ", "von der ", "zu "), "fr": ("de ", "de La ", "du ", "d'", "Le "), "es": ("de la ", "del ", "de "),
    "it": ("Di ", "De ", "Della ", "d'", "Lo ", "Del "), "nl": ("van ", "van der ", "de ", "van den ", "ter "),
    "en": ("Mc", "O'", "St. "),
}  # fmt: skip
OF = {"en": "of ", "de": "von ", "fr": "de ", "es": "de ", "it": "di ", "nl": "van "}
SUFFIX = re.compile(
    r"[\s,]+(Inc|Corp|Corporation|PLC|Plc|plc|Ltd|Limited|NV|N\.V\.?|SA|S\.A\.?|SpA|S\.p\.A\.?|AG|SE|Co|Company|"
    r"LLC|LP|BV|AB|ASA|AS|Oyj|Holdings?|Group|Groep|Gruppe|PT|Tbk|A/S|Bhd)\b\.?"
)


class Slots:
    """One value at a time; the same seed gives the same values."""

    def __init__(self, root: Path, folder: Path, seed: int) -> None:
        """Load every list; `folder` is that of the templates."""
        self.pick = random.Random(seed)
        self.names = faker_names()
        self.world = [one for one in WORLD if one in self.names]
        self.orgs = data.organisations(root)
        self.cities = data.places(root)
        self.regions = sorted({row[2] for row in self.cities if row[2]})
        self.lists = {lang: read_lists(folder / f"{lang}.lists") for lang in LANGS}
        self.common = read_lists(folder / "any.lists")
        self.manners = manners(folder / "manners.txt")
        self.countries: dict[str, list[str]] = {}
        self.exonyms: dict[str, list[str]] = {}
        for lang in LANGS:
            locale = Locale(lang)
            self.countries[lang] = [
                name for code, name in locale.territories.items() if code.isalpha() and len(code) == 2
            ]
            self.exonyms[lang] = sorted(
                {zone["city"] for zone in locale.time_zones.values() if zone.get("city") and zone["city"][0].isalpha()}
            )
        self.by_country: dict[str, list[str]] = {}
        for city, country, _ in self.cities:
            self.by_country.setdefault(country, []).append(city)
        self.fakers = {}
        for at, (lang, places) in enumerate(MAIN.items()):
            self.fakers[lang] = [Faker(place) for place in dict.fromkeys(places)]
            for one in self.fakers[lang]:
                one.seed_instance(seed * 100 + at)
        self.abroad = [
            Faker(place) for place in ("pt_BR", "pl_PL", "sv_SE", "fi_FI", "da_DK", "cs_CZ", "tr_TR", "id_ID")
        ]
        for at, one in enumerate(self.abroad):
            one.seed_instance(seed * 100 + 50 + at)
        home = {
            "en": ("United States", "United Kingdom", "Australia", "Canada", "Ireland"),
            "de": ("Germany", "Austria", "Switzerland"), "fr": ("France", "Belgium", "Canada"),
            "es": ("Spain", "Mexico", "Argentina", "Colombia", "Chile"), "it": ("Italy",),
            "nl": ("Netherlands", "Belgium"),
        }  # fmt: skip
        self.home = {
            lang: [city for land in lands for city in self.by_country.get(land, [])] for lang, lands in home.items()
        }
        self.fill: dict[str, Callable[[str], str]] = {
            "P": self.person, "F": self.full, "G": self.given, "S": self.surname, "K": self.ruler, "X": self.single,
            "L": self.place, "C": self.city, "N": self.country, "R": self.region, "V": self.nature,
            "O": self.org, "B": self.business, "U": self.university, "T": self.team, "Q": self.office,
            "A": self.street, "AF": self.postal, "D": self.date, "Y": self.year, "M": self.number,
            "E": self.email, "H": self.phone, "W": self.work, "I": self.identifier, "Z": self.people, "J": self.product,
        }  # fmt: skip

    # people
    def locale(self, lang: str) -> str:
        """Choose a locale: mostly the language's own, else a neighbour's or the world's."""
        draw = self.pick.random()
        if draw < 0.5:
            return self.pick.choice(MAIN[lang])
        if draw < 0.62:
            return "en_US"
        if draw < 0.8:
            return self.pick.choice(MAIN[self.pick.choice(LANGS)])
        return self.pick.choice(self.world)

    def _given(self, where: str) -> str:
        return self.pick.choice(self.names.get(where, self.names["en_US"])[0])

    def invented(self, longest: int) -> str:
        """Make one to `longest` words that sound like some language and are in no list."""
        return invented(self.pick, self.manners, longest)

    def _blend(self, one: str, other: str) -> str:
        """Make a word that is in no list: the head of one name and the tail of another."""
        head, tail = one.split()[0], other.split()[-1].lower()
        if len(head) < 4 or len(tail) < 4 or not (head.isalpha() and tail.isalpha()):
            return one
        return head[: (len(head) + 1) // 2] + tail[len(tail) // 2 :]

    def _family(self, where: str, lang: str) -> str:
        names = self.names.get(where, self.names["en_US"])[1]
        name = self.pick.choice(names)
        draw = self.pick.random()
        if draw < 0.06:
            name += "-" + self.pick.choice(names)
        elif draw < 0.14:
            mark = self.pick.choice(SURNAME_MARK[where[:2] if where[:2] in SURNAME_MARK else lang])
            name = mark + name
        elif draw < 0.26:
            name = self._blend(name, self.pick.choice(names))
        return name

    def given(self, lang: str) -> str:
        """A given name."""
        return self._given(self.locale(lang))

    def surname(self, lang: str) -> str:
        """A family name."""
        return self._family(self.locale(lang), lang)

    def full(self, lang: str) -> str:
        """A full name in one of the forms in use."""
        where = self.locale(lang)
        if self.pick.random() < 0.04:
            return self.invented(2)
        return self._full(where, self._given(where), self._family(where, lang), lang)

    def known(self, lang: str, number: str, said: dict[str, str]) -> None:
        """Make person `number` of a text: {F1}, {S1}, {G1}."""
        where = self.locale(lang)
        given, family = self._given(where), self._family(where, lang)
        if self.pick.random() < 0.06:
            given, family = self.invented(1), self.invented(1)
        said[f"G{number}"], said[f"S{number}"] = given, family
        said[f"F{number}"] = said[f"P{number}"] = self._full(where, given, family, lang)

    def _full(self, where: str, given: str, family: str, lang: str) -> str:
        draw = self.pick.random()
        if draw < 0.62:
            return f"{given} {family}"
        if draw < 0.72:
            return f"{given} {self._given(where)} {family}"
        if draw < 0.80:
            return f"{given} {self.pick.choice('ABCDEFGHJKLMPRSTVW')}. {family}"
        if draw < 0.86:
            return f"{self.pick.choice('ABCDEFGHJKLMPRSTVW')}. {family}"
        if draw < 0.89:
            return f"{given[0]}. {self.pick.choice('ABCDEFGHJKLMPRSTVW')}. {family}"
        if draw < 0.97 and (where.startswith(("es", "pt")) or draw < 0.92):
            return f"{given} {family} {self._family(where, lang)}"
        if draw < 0.985:
            return f"{given} {family} {self.pick.choice(('Jr.', 'Sr.', 'II', 'III', 'IV'))}"
        return f"{given}-{self._given(where)} {family}"

    def ruler(self, lang: str) -> str:
        """A ruler, pope, saint or medieval person."""
        own = self.lists[lang]
        draw = self.pick.random()
        name = self.pick.choice(own["ruler"]) if self.pick.random() < 0.85 else self.invented(1)
        number = self.pick.choice(
            ("I", "II", "III", "IV", "V", "VI", "VII", "VIII", "IX", "X", "XI", "XII", "XIV", "XVI")
        )
        if lang == "de" and self.pick.random() < 0.8:
            number += "."
        if draw < 0.4:
            return f"{name} {number}"
        if draw < 0.5:
            return f"{name} {number} {OF[lang]}{self.pick.choice(self.exonyms[lang] + self.countries[lang])}"
        if draw < 0.8:
            return f"{self.pick.choice((name, self.given(lang)))} {OF[lang]}{self.pick.choice(own['city'])}"
        return self.pick.choice(own["byname"])

    def single(self, lang: str) -> str:
        """A person known by one word, or a fictional one."""
        if self.pick.random() < 0.45:
            return self.pick.choice(self.lists[lang]["single"])
        if self.pick.random() < 0.35:
            return self.invented(2)
        if self.pick.random() < 0.5:
            return self.pick.choice(self.common["person"])
        return self.pick.choice((self.given, self.surname))(lang)

    def person(self, lang: str) -> str:
        """A person in any form."""
        draw = self.pick.random()
        if draw < 0.6:
            return self.full(lang)
        if draw < 0.72:
            return self.surname(lang)
        if draw < 0.8:
            return self.given(lang)
        if draw < 0.88:
            return self.pick.choice(self.common["person"])
        return self.single(lang) if draw < 0.93 else self.ruler(lang)

    # places
    def city(self, lang: str) -> str:
        """A town."""
        draw = self.pick.random()
        if draw < 0.3:
            return self.pick.choice(self.lists[lang]["city"])
        if draw < 0.55:
            return self.pick.choice(self.home[lang])
        if draw < 0.8:
            return self.pick.choice(self.exonyms[lang])
        if draw < 0.88:
            return self.pick.choice(self.cities)[0]
        if draw < 0.95:
            return self.invented(2)
        return self._blend(self.pick.choice(self.home[lang]), self.pick.choice(self.home[lang]))

    def country(self, lang: str) -> str:
        """A country."""
        if self.pick.random() < 0.5:
            return self.pick.choice(self.lists[lang]["country"])
        return self.pick.choice(self.countries[lang])

    def region(self, lang: str) -> str:
        """A region."""
        if self.pick.random() < 0.06:
            return self.invented(1)
        return self.pick.choice(self.lists[lang]["region"] if self.pick.random() < 0.75 else self.regions)

    def nature(self, lang: str) -> str:
        """A river, lake, mountain, sea, island, district, street or building."""
        return self.pick.choice(self.lists[lang]["nature"])

    def place(self, lang: str) -> str:
        """Any place."""
        draw = self.pick.random()
        if draw < 0.45:
            return self.city(lang)
        return self.country(lang) if draw < 0.7 else self.region(lang) if draw < 0.85 else self.nature(lang)

    # organisations
    def business(self, lang: str) -> str:
        """A company."""
        draw = self.pick.random()
        if draw < 0.55:
            name = self.pick.choice(self.orgs)
            if self.pick.random() < 0.75:
                name = SUFFIX.sub("", name) or name
            if name.isupper() and len(name) > 5:
                name = name.title()
            return name
        if draw < 0.8:
            return self.pick.choice(self.common["company"])
        form = self.pick.choice(self.lists[lang]["firm"])
        return form.replace("#", self.surname(lang), 1).replace("#", self.surname(lang), 1)

    def _pattern(self, lang: str, key: str) -> str:
        form = self.pick.choice(self.lists[lang][key])
        return form.replace("#", self.city(lang) if self.pick.random() < 0.8 else self.place(lang))

    def university(self, lang: str) -> str:
        """A school, university, hospital or museum."""
        return self._pattern(lang, "university")

    def team(self, lang: str) -> str:
        """A sports team."""
        return self.pick.choice(self.common["team"]) if self.pick.random() < 0.4 else self._pattern(lang, "team")

    def office(self, lang: str) -> str:
        """A party, ministry, court, army, church, association or band."""
        if self.pick.random() < 0.25:
            return self.pick.choice(self.common["body"])
        return self._pattern(lang, "office")

    def org(self, lang: str) -> str:
        """Any organisation."""
        draw = self.pick.random()
        if draw < 0.4:
            return self.business(lang)
        return self.university(lang) if draw < 0.55 else self.team(lang) if draw < 0.75 else self.office(lang)

    # the rest
    def _faker(self, lang: str) -> Faker:
        return self.pick.choice(self.abroad) if self.pick.random() < 0.15 else self.pick.choice(self.fakers[lang])

    def street(self, lang: str) -> str:
        """A street and number."""
        if self.pick.random() < 0.45:
            form = self.pick.choice(self.lists[lang]["street"])
            form = form.replace("#S", self.surname(lang)).replace("#F", self.full(lang)).replace("#C", self.city(lang))
            return form.replace("#N", self.house())
        return self._faker(lang).street_address().replace("\n", self.pick.choice((", ", " ", "\n")))

    def house(self) -> str:
        """A house number."""
        number = str(self.pick.choice((self.pick.randint(1, 99), self.pick.randint(1, 999), self.pick.randint(1, 20))))
        return number + self.pick.choice(("", "", "", "", "a", "b", " bis", "/A", "-3", ", 2", "/4", " C", ", int. 5"))

    def postal(self, lang: str) -> str:
        """A postal address."""
        draw = self.pick.random()
        gap = self.pick.choice((", ", ", ", "\n", " "))
        if draw < 0.5:
            text = self._faker(lang).address()
            return text if gap == "\n" else text.replace("\n", gap)
        code = self.pick.choice((f"{self.pick.randint(1000, 99999):05d}", f"{self.pick.randint(1000, 9999)} AB"))
        text = f"{self.street(lang)}{gap}{code} {self.city(lang)}"
        return text + (gap + self.country(lang) if self.pick.random() < 0.2 else "")

    def date(self, lang: str) -> str:
        """A date."""
        day, month, year = self.pick.randint(1, 28), self.pick.randint(1, 12), self.pick.randint(1100, 2025)
        name = Locale(lang).months["format"]["wide"][month]
        draw = self.pick.random()
        if draw < 0.5:
            return f"{name} {day}, {year}" if lang == "en" else f"{day}{'.' if lang == 'de' else ''} {name} {year}"
        return (
            f"{day} {name}"
            if draw < 0.7
            else f"{day:02d}/{month:02d}/{year}"
            if draw < 0.85
            else f"{year}-{month:02d}-{day:02d}"
        )

    def year(self, lang: str) -> str:
        """A year."""
        return str(self.pick.randint(1050, 2026) if self.pick.random() < 0.3 else self.pick.randint(1850, 2026))

    def number(self, lang: str) -> str:
        """A number."""
        return str(
            self.pick.choice((self.pick.randint(2, 30), self.pick.randint(2, 999), self.pick.randint(1000, 90000)))
        )

    def email(self, lang: str) -> str:
        """An e-mail address."""
        return self._faker(lang).email()

    def phone(self, lang: str) -> str:
        """A phone number."""
        return self._faker(lang).phone_number()

    def work(self, lang: str) -> str:
        """The title of a work."""
        return self.pick.choice(self.lists[lang]["work"])

    def identifier(self, lang: str) -> str:
        """A word of code."""
        return self.pick.choice(self.common["identifier"])

    def people(self, lang: str) -> str:
        """A people, tribe, dynasty or language, one in four of them in no list."""
        name = self.pick.choice(self.lists[lang]["people"])
        draw = self.pick.random()
        if draw < 0.1:
            return self.invented(1)
        return name if draw < 0.78 else self._blend(self.pick.choice(self.lists[lang]["people"]), name)

    def product(self, lang: str) -> str:
        """A product, program, ship or code name."""
        draw = self.pick.random()
        if draw < 0.5:
            return self.pick.choice(self.common["product"])
        if draw < 0.58:
            return self.given(lang)
        if draw < 0.64:
            return self.invented(1)
        return self._blend(self.pick.choice(self.common["product"]), self.pick.choice(self.orgs))

    def value(self, slot: str, number: str, lang: str, said: dict[str, str]) -> str:
        """What fills a slot; a numbered one has its value from its first use in a text on."""
        if not number:
            return self.fill[slot](lang)
        if slot + number not in said:
            if slot in "FSGP":
                self.known(lang, number, said)
            else:
                said[slot + number] = self.fill[slot](lang)
        return said[slot + number]
