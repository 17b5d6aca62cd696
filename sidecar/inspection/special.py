"""Special categories of personal data (GDPR art. 9), flagged by type: that a text speaks of health, not what it says.

Off unless asked for (`entities: ["+SPECIAL_HEALTH"]`), for a policy that routes or refuses; masking such words would
leave a prompt about an illness without its subject. The finding is the word that gave it away; of a union or a party,
whose names are in every newspaper, its name beside a word for belonging to it or voting for it (memberships.py).
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

from sidecar.inspection.keywords import listed
from sidecar.inspection.memberships import BELONGING, belonging
from sidecar.inspection.spans import Span, Strength
from sidecar.inspection.tokens import places

CATEGORIES: dict[str, tuple[str, ...]] = {
    "SPECIAL_HEALTH": listed(
        "diagnosis diagnosed diabet* cancer cancerous tumour* tumor* hiv aids depression* bipolar schizophren* epilep* "
        "asthma* pregnan* miscarriage* chemotherap* dialysis disabilit* registered_disabled disabled_person* "
        "disabled_people i_am_disabled i'm_disabled addiction alcoholism overdose* "
        "hepatitis "
        "stroke dementia alzheimer* parkinson multiple_sclerosis suicidal autism autistic adhd ptsd anorexi* bulimi* "
        "leukaemia leukemia psychotherap* psychiatr* tuberculosis syphilis crohn's heart_attack panic_attacks "
        "anxiety_disorder abortion* "
        "diagnose* krebs krebskrank* brustkrebs* lungenkrebs* darmkrebs* hautkrebs* prostatakrebs* zuckerkrank* "
        "schwanger* depressiv* behinderung* behindert* schwerbehind* herzinfarkt* schlaganf* sucht suchtkrank* "
        "alkoholkrank* alkoholabhängig* fehlgeburt* krankschreib* krankgeschrieben arbeitsunfähig* burnout burn-out "
        "demenz* rheuma* bluthochdruck leukämie* autismus autistisch* magersucht* "
        "diagnostic cancer_du enceinte grossesse* dépressi* handicap* épilep* vih sida diabèt* diabét* séropositi* "
        "cancéreu* avortement* fausse_couche chimiothérapi* alcooliqu* toxicoman* sclérose_en_plaques leucémi* démence "
        "arrêt_maladie hépatite* asthmatiqu* autis* "
        "diagnóstico* cáncer embarazad* embarazo* depresión depresiones depresiv* discapacidad* discapacitad* "
        "vih_positivo "
        "seropositiv* epilépti* aborto* quimioterapi* alcohólic* esquizofr* baja_médica asmátic* ictus demencia "
        "minusvál* "
        "diagnosi cancro incint* gravidanz* depresso depressa depressi disabil* epiless* epilett* sieropositiv* "
        "chemioterapi* alcolist* alcolizzat* tossicodipenden* schizofren* leucemi* demenza asmatic* "
        "kanker kankerpatiënt* borstkanker longkanker darmkanker suikerziekte seropositie* zwanger* depressie* "
        "depressief "
        "gehandicapt* verslaafd* verslaving* arbeidsongeschikt* dement* miskra* abortus reuma astma* "
        "cukrzyc* cukrzyk* nowotw* raka_piersi raka_płuc chory_na chora_na choruj* ciąż* ciężarn* depresj* "
        "niepełnosprawn* padaczk* alkoholi* uzależnion* autyz* białaczk* chemioterap* zawał* udar udaru udarze "
        "demencj* "
        "astmę astmy astmą poroni* aborcj* inwalid* zwolnieni*_lekarski*"
    ),
    "SPECIAL_RELIGION": listed(
        "catholic* protestant* muslim* islam* jew jews jewish judaism hindu* buddhis* sikh sikhs sikhism atheis* "
        "baptised "
        "baptized mosque* synagog* mormon* jehovah's_witness* anglican* methodist* lutheran* evangelical* "
        "katholi* evangelisch* moslem* muslimisch* ist_jude bin_jude als_jude juden jüdin* jüdisch* konfession* "
        "kirchenaustritt* kirchensteuer* "
        "moschee* buddhistisch* zeug*_jehovas alevit* "
        "catholiqu* musulman* juif* juive* protestan* baptisé* mosquée* bouddhis* athée* hindou* chrétien* "
        "témoin*_de_jéhovah "
        "católic* musulmán judío* judía* evangélic* budist* ateo atea mezquita* sinagog* testigo*_de_jehová "
        "cattolic* ebreo ebrea ebrei ebree ebraic* buddist* moschea battezzat* testimon*_di_geova "
        "katholiek* moslim* joods* jood joden protestants* gereformeerd* hindoe* boeddhis* moskee* "
        "żyd* katoli* muzułma* prawosławn* ateist* buddyst* wyznani* ochrzczon* meczet* ewangeli* świad*_jehowy"
    ),
    "SPECIAL_UNION": listed(
        "trade_union* labor_union* labour_union* union_member* unionised unionized shop_steward* works_council* "
        "gewerkschaft* betriebsrat* betriebsrät* personalrat* "
        "syndicat* syndicalist* syndiqué* délégué*_syndical* "
        "sindicato* sindical* sindacat* sindacal* "
        "vakbond* vakverenig* ondernemingsraad* "
        "związek_zawodowy związku_zawodow* związki_zawodowe związków_zawodowych związkow*"
    ),
    "SPECIAL_ORIENTATION": listed(
        "gay gays lesbian* bisexual* transgender* homosexual* queer* sexual_orientation same-sex_partner* non-binary "
        "pansexual* asexual "
        "schwul* lesbisch* lesbe lesben bisexuell* homosexuell* transsexuell* sexuelle*_orientierung nichtbinär* "
        "homosexuel* lesbienne* bisexuel* transsexuel* orientation_sexuelle "
        "transexual* orientación_sexual omosessual* lesbic* bisessual* transessual* orientamento_sessuale "
        "homoseksue* biseksue* gej geja gejem gejów lesbijk* biseksualn* homoseksual* transpłciow* "
        "orientacj*_seksualn*"
    ),
    "SPECIAL_POLITICS": listed(
        "party_member* political_opinion* voted_for communist* socialist* republican_voter* democrat_voter* "
        "parteimitglied* parteizugehörigkeit parteibuch politische*_überzeugung* politische*_meinung* kommunist* "
        "sozialist* membre_du_parti opinion*_politique* communiste* afiliad*_al_partido opinión_política "
        "opiniones_políticas comunist* iscritt*_al_partito opinion*_politic* partijlid politieke_overtuiging* "
        "politieke_voorkeur* komunist* człon*_partii pogląd*_polityczn*"
    ),
}
"""A star stands for the endings that a language gives the word, up to LONGEST_ENDING letters."""
LONGEST_ENDING = 8
ENDING = rf"[^\W\d_]{{0,{LONGEST_ENDING}}}"


def _begin(word: str) -> str:
    return word.split("*")[0]


def _patterns() -> dict[str, list[tuple[str, re.Pattern[str]]]]:
    """By what a word begins with, which is what the text is scanned for: the type and the whole form."""
    found: dict[str, list[tuple[str, re.Pattern[str]]]] = {}
    for entity, words in CATEGORIES.items():
        for word in words:
            whole = re.escape(word).replace(r"\*", ENDING)
            found.setdefault(_begin(word), []).append((entity, re.compile(rf"{whole}(?![^\W\d_])")))
    return found


PATTERNS = _patterns()
WORDS = (*PATTERNS, *BELONGING)


def special(text: str, low: str, words: Iterable[str]) -> Iterator[Span]:
    """`words` are those of WORDS that stand in `low`."""
    for word in words:
        for at in places(low, word):
            if low[at - 1 : at].isalpha():
                continue
            for entity, form in PATTERNS.get(word, ()):
                match = form.match(low, at)
                if match:
                    yield _span(*match.span(), entity)
            if word in BELONGING:
                yield from (_span(*place) for place in belonging(text, at, at + len(word)))


def _span(start: int, end: int, entity: str) -> Span:
    return Span(start, end, entity, 0.6, "rules/special", Strength.LIST)
