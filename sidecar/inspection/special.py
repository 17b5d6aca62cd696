"""Special categories of personal data (GDPR art. 9), flagged by type: that a text speaks of health, not what it says.

Off unless asked for by name (`entities`), for a policy that routes or refuses; masking such words would leave a prompt
about an illness without its subject. The finding is the word that gave it away.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from sidecar.inspection.keywords import listed
from sidecar.inspection.spans import Span, Strength
from sidecar.inspection.tokens import places

CATEGORIES: dict[str, tuple[str, ...]] = {
    "SPECIAL_HEALTH": listed(
        "diagnosis diagnosed diabetes cancer tumour tumor hiv aids depression bipolar schizophrenia epilepsy "
        "asthma pregnant pregnancy miscarriage chemotherapy dialysis disability disabled addiction alcoholism "
        "overdose hepatitis stroke dementia alzheimer diagnose krebs schwanger schwangerschaft depressionen "
        "behinderung schwerbehindert epilepsie herzinfarkt sucht diagnostic cancer_du enceinte grossesse "
        "dépression handicap épilepsie vih diabète diagnóstico cáncer embarazada embarazo depresión "
        "discapacidad epilepsia vih_positivo diagnosi cancro incinta gravidanza depressione disabilità "
        "epilessia kanker zwanger zwangerschap depressie gehandicapt verslaving"
    ),
    "SPECIAL_RELIGION": listed(
        "catholic protestant muslim islamic jewish hindu buddhist sikh atheist baptised mosque synagogue "
        "katholisch evangelisch muslimisch jüdisch konfession kirchenaustritt moschee catholique musulman "
        "musulmane juif juive protestante baptisé mosquée católico católica musulmán judío judía cattolico "
        "cattolica musulmano ebreo ebrea katholiek moslim joods protestants"
    ),
    "SPECIAL_UNION": listed(
        "trade_union labor_union labour_union union_member shop_steward works_council gewerkschaft "
        "gewerkschaftsmitglied betriebsrat syndicat syndicaliste syndiqué sindicato sindicalista sindacato "
        "sindacalista vakbond vakbondslid ondernemingsraad"
    ),
    "SPECIAL_ORIENTATION": listed(
        "gay lesbian bisexual transgender homosexual queer sexual_orientation schwul lesbisch bisexuell "
        "homosexuell transsexuell sexuelle_orientierung homosexuel homosexuelle lesbienne bisexuel lesbiana "
        "bisexuales orientación_sexual omosessuale lesbica bisessuale orientamento_sessuale homoseksueel "
        "biseksueel"
    ),
    "SPECIAL_POLITICS": listed(
        "party_member political_opinion voted_for communist socialist republican_voter democrat_voter "
        "parteimitglied parteizugehörigkeit politische_überzeugung membre_du_parti opinion_politique "
        "afiliado_al_partido opinión_política iscritto_al_partito opinione_politica partijlid "
        "politieke_overtuiging"
    ),
}
ENTITIES = {word: entity for entity, words in CATEGORIES.items() for word in words}
WORDS = tuple(ENTITIES)


def special(_text: str, low: str, words: Iterable[str]) -> Iterator[Span]:
    for word in words:
        entity = ENTITIES.get(word)
        if entity is None:
            continue
        for at in places(low, word):
            end = at + len(word)
            if not (low[at - 1 : at].isalpha() or low[end : end + 1].isalpha()):
                yield Span(at, end, entity, 0.6, "rules/special", Strength.LIST)
