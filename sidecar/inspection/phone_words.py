"""The words that stand beside phone numbers, in fifteen countries' languages, and beside numbers of another kind."""

from __future__ import annotations

import re

from sidecar.inspection.context import HUMP, WORDS, Context, label_end
from sidecar.inspection.keywords import listed

NEW = Context.of(
    "new number", "new nr", "new num", "my nr", "my num", "neue nummer", "neue nr", "nouveau numéro", "nouveau num",
    "mon num", "nuevo número", "nuevo numero", "nuevo num", "mi num", "nuovo numero", "novo número", "nieuwe nummer",
    "nieuwe nr", "mijn nr", "mn nr", "nowy numer", "nya nummer", "nye nummer",
)  # fmt: skip
"""As messages from a new telephone have them."""
CONTEXT = Context.union(
    (
        Context.words(
            """
            anruf anrufen appeler appelez bel bellen call called calling calls cell cellphone cellulare celular chiamami
            chiamare dial fax festnetz gsm handy handynummer hotline komórka landline ligar llamar llame mobiel mobil
            mobile mobilephone mobilnummer msisdn móvil pager phone phonenumber phones puh puhelin puhelinnumero ring
            ringa rufnummer sms soita tel telefon telefone telefonnummer telefono telefoon telefoonnummer telemóvel
            telephone teléfono tlf tél téléphone voicemail whatsapp zadzwoń
            angerufen callback handynr handynummern mobilfunk mobilfunknummer mobilnr mobiltelefon mobnr rufnummern
            rufnr rückruf telefonnr telefonnummern telnr zurückrufen appelle joignable rappeler rappelez rappelle
            téléphoner téléphonez chiamarmi chiamatemi chiami richiamami richiamare cellulari telefonico llamarme
            llámame llámeme llámenos movil telefonía ligue telemovel telefónico terugbellen mobielnummer gsmnummer
            telefax durchwahl rückrufnummer télécopie telf tfno tlfno telef teléf telem telefónica telefonica telefoonnr
            mobielnr móvel hemtelefon matkapuhelin kännykkä puhelinnro mobiltlf fastnet rückrufnr notrufnummer
            dzwoń dzwonić zadzwonić komórkowy komórkowego telefonu telefonem mobilnummeret ringe telefonnummeret
            mobiltelefonnummer numeroni puhelimeni soittaa soittakaa tavoitat tavoittaa phoneno mobileno telno
            gebeld belde belt anzurufen zurückgerufen telefonisch rappelé rappelée richiamatemi richiamatelo
            richiamatela richiamarlo richiamarla telefonare telefonate telefonato telefonico rintracciabile reperibile
            llamadme llámenme llamarlo llamarla localizable localizarme centralino centralita switchboard texted phoned
            appelé appelée chiamato chiamata llamaron llamado
            """
        ),
        Context.of(
            "rufen sie", "rufe mich", "ruf mich", "ruft mich", "erreichen mich", "mich erreichen", "erreichst mich",
            "erreichbar unter", "uns erreichen", "me joindre", "nous joindre", "joindre au", "bereiken op",
            "bereikbaar op", "bereik me", "bereik mij", "mij bereiken", "me bereiken", "når mig", "nå mig", "nås på",
            "pod numer", "pod numerem",
        ),
        NEW,
    )
)  # fmt: skip
GENERIC = Context.words("number numéro número numero numer nummer contact text reach signal")
"""Words that stand beside a phone number, and beside every other kind too."""
SPOKEN = Context.union(
    (
        Context.words(
            """
            phone telephone tel tél call called calling mobile cell cellphone fax whatsapp sms dial office answering
            hotline puh telefon telefonnummer handy rufnummer mobil mobilnummer téléphone portable teléfono telefono
            móvil celular cellulare telefoon telefoonnummer gsm telemóvel telefone puhelin tlf landline festnetz
            handynr telnr telefonnr rufnr llamarme llámame chiamarmi rappelez
            """
        ),
        Context.of(
            "my number", "meine nummer", "mon numéro", "mi número", "mio numero", "meu número", "mijn nummer",
            "mój numer", "mitt nummer", "mit nummer",
        ),
    )
)  # fmt: skip
"""Words beside which even a local number (no area code) is one."""
BEFORE = frozenset(
    listed(
        "cel contacto contato contatto ddi fijo fisso fixe fon kom kontakt mob ph port portable recapito telnr tlm tm"
        " utenza"
    )
)
"""Words that say so right before a number, and elsewhere are too many other things."""
HEADINGS = Context.words(
    """
    cell cellphone cellulare celular cellular fax festnetz fon gsm handy handynr handynummer hotline komórka landline
    mob mobiel mobil mobile mobileno mobilephone mobilenumber mobilnr mobilnummer mobilfunk mobiltelefon movil msisdn
    móvil phone phoneno phonenumber phones portable puhelin puhelinnumero rufnummer tel telefon telefone telefonnr
    telefonnummer telefono telefoon telefoonnummer telemovel telemóvel telephone telnr telno teléfono tlf tlm tél
    téléphone whatsapp
    """
)
"""Words that name a table's column."""
OTHER_HEADINGS = Context.words(
    """
    account amount ausweis ausweisnummer betrag blz bsn cif code cpr customer cvr date datum dni ein id importe insz
    konto kontonummer kvnr montant mrn nie nif nin nino nip nir niss npi nss number nummer numero numéro número order
    passport passeport pasaporte passaporto passaporte paspoort paszport personnummer pesel price regon reisepass rrn
    security siren siret social ssn steuer steuernummer svnr total utente utr vat versicherungsnummer
    """
)
"""Words that name columns of other numbers."""
NUMBERING = frozenset(listed("code id n no nr nro num number numer numero numret numéro nummer número nº º ref"))
BETWEEN = frozenset(listed("b dd dt span strong td th al au el er es est ist is jest le me o op the to unter é è"))
"""Stands between such a word and its number."""
REFERENCES = (
    "aktenz", "artikel", "auftrag", "beleg", "bestell", "commande", "encomenda", "facture", "factura", "factuur",
    "faktur", "fatura", "fattura", "geschäftszeichen", "incident", "invoice", "isbn", "issn", "laskun", "lieferschein",
    "bestätigungs", "confirmation", "konferenz", "meeting", "sendungs", "tracking", "viitenumero",
    "order", "ordine", "ordre", "pedido", "rechnung", "sagsn", "sygnatur", "ticket", "tilaus", "vorgang", "zaaknummer",
    "zamówieni", "zleceni", "ärende",
)  # fmt: skip
"""How words begin that name papers, orders and cases."""
REFERENCE_WORDS = frozenset(
    listed(
        "az case clause docket dossier expediente lasku pratica processo sku article artikelnummer articolo batch"
        " lot lotto matricola modell modello modèle part serial serie seriennummer"
        " série teilenummer art réf version versión versione versie wersja build kernel release"
    )
)
IDENTITIES = (
    "ausweis", "burgerservice", "contribuinte", "fuehrerschein", "führerschein", "kontonr", "kontonumm", "körkort",
    "pasaport", "paspoort", "passapor", "passeport", "passport", "paszport", "patente", "patiënt", "permis",
    "personalausweis", "personnum", "prawo", "referenc", "referenz", "referênci", "reisepass", "rijbewijs",
    "rijksregister", "référence", "security", "segurança", "seguridad", "sozialversicherung", "steuer", "sécurité",
    "utente", "versicherungsn",
)  # fmt: skip
"""How words begin that name a number of another kind, however that is written."""
IDENTITY_WORDS = frozenset(
    listed(
        "blz bsn cif cpr cvr dni ein iban insz kvnr mrn ni nie nif nino nip nir niss npi nrb nss pesel regon rrn"
        " siren siret ssn svnr utr vat asin cas doi ean gtin lccn oclc upc"
    )
)
NUMBERED = ("nummer", "nr", "nro", "numero", "zeichen", "isbn", "issn")
"""How those end that name the number itself."""
STOP = re.compile(r"[,;!?\n\t|]")
REACH = 40
"""Code points before a number in which the words that label it are looked for."""


def label(text: str, start: int) -> list[str]:
    """The last words, at most four and the nearest first, before `start` in its clause, in lower case."""
    start = label_end(text, start)
    clause = STOP.split(text[max(0, start - REACH) : start].rstrip(" \t\r\n|:=\"'"))[-1]
    return WORDS.findall(HUMP.sub(r"\g<0> ", clause).lower())[:-5:-1]


def is_said_before(words: list[str]) -> bool:
    """Whether a label says that a phone number follows: "portable :", "mon portable est le", "contacto nº"."""
    return next((word for word in words if word not in NUMBERING and word not in BETWEEN), "") in BEFORE


def is_phone(words: list[str]) -> bool:
    """Whether the word right before a number means a phone's and nothing else."""
    word = next((word for word in words if word not in NUMBERING and word not in BETWEEN), "")
    return (word in BEFORE and word != "port") or HEADINGS.among([word])


def is_reference(words: list[str], *, is_dialled: bool) -> bool:
    """Whether a label says that the number is that of an invoice, an order, a case: nothing but "no." is in between.

    `is_dialled`: it is written as phone numbers are. "Questions about your order: 0800 123456" is to be called, and
    "order no. 0800 123456" is not.
    """
    for at, word in enumerate(words):
        if word in IDENTITY_WORDS or word.startswith(IDENTITIES):
            return True
        if word in REFERENCE_WORDS or word.startswith(REFERENCES):
            return at > 0 or not is_dialled or word.endswith(NUMBERED)
        if word not in NUMBERING:
            return False
    return False
