"""Keys of services by the prefix that the service gives them, whole or cut off; addresses that are a key themselves;
hashes of passwords, which name their own scheme.

The prefixes are what GitHub's and GitLab's secret scanning know, where gitleaks wants an exact length or has no rule.
"""

from __future__ import annotations

import re
from functools import cache

UUID = r"[0-9a-fA-F]{8}-(?:[0-9a-fA-F]{4}-){3}[0-9a-fA-F]{12}"
PREFIXED = {
    "$aact_": r"\$aact_(?:prod|hmlg)_[\w$:=+-]{30,250}",  # Asaas
    "1/": r"1/\d{13,19}:[a-f0-9]{32}(?![\w-])",  # Asana
    "1//0": r"1//0[\w-]{30,200}",  # Google, refresh token
    "2/": r"2/\d{13,19}/\d{13,19}:[a-f0-9]{32}(?![\w-])",  # Asana
    "4/0a": r"4/0A[\w-]{30,200}",  # Google, authorization code
    "a21aa": r"A21AA[\w-]{60,120}",  # PayPal, access token
    "aaaaaaaaaaaaaaaaaaaaa": r"A{21,25}[\w%=+/-]{60,120}",  # Twitter, bearer
    "access_token$": r"access_token\$(?:production|sandbox)\$[a-z0-9]{16}\$[a-f0-9]{32}",  # Braintree
    "aik_": r"AIK_[A-Z]{2,10}_\w{20,90}",  # Aikido
    "aio_": r"aio_[A-Za-z0-9]{28}(?![\w-])",  # Adafruit IO
    "ak-": r"ak-[A-Za-z0-9]{22}(?![\w-])",  # Modal
    "akcp": r"AKCp\w{60,80}",  # Artifactory
    "akid": r"AKID[A-Za-z0-9]{32}(?![\w-])",  # Tencent
    "amzn.mws.": rf"amzn\.mws\.{UUID}",
    "api-": rf"api-{UUID}",  # LaunchDarkly
    "api_live": r"api_live(?:_(?:us|ca|eu))?\.[\w-]{10,24}(?:\.[\w-]{20,60})?",  # Onfido
    "api_org_": r"api_org_[A-Za-z0-9]{30,40}",  # Hugging Face
    "apify_api_": r"apify_api_[A-Za-z0-9]{30,60}",
    "apk_": r"apk_(?:user_)?[\w+/=-]{60,200}",  # Devin
    "aq.": r"AQ\.[A-Za-z][\w-]{40,90}",  # Google, Gemini
    "aqe": r"AQE[\w+/=-]{90,220}(?![\w-])",  # Adyen
    "aqvn": r"AQVN[\w-]{35,40}(?![\w-])",  # Yandex
    "as-": r"as-[A-Za-z0-9]{22}(?![\w-])",
    "astracs:": r"AstraCS:[A-Za-z0-9]{20,40}(?::[a-f0-9]{60,70})?",  # DataStax
    "atat": r"ATAT[\w=-]{80,250}",  # Atlassian
    "atatt3": r"ATATT3[\w=-]{60,250}",  # Atlassian
    "atbb": r"ATBB[A-Za-z0-9]{28,40}",  # Bitbucket
    "atctt3": r"ATCTT3[\w=-]{60,250}",
    "atta": r"ATTA[A-Za-z0-9]{60,80}(?![\w-])",  # Trello
    "avns_": r"AVNS_[\w-]{16,24}(?![\w-])",  # Aiven
    "bbdc-": r"BBDC-[\w+/=-]{36,60}",  # Bitbucket
    "bbff-": r"BBFF-[A-Za-z0-9]{30}",  # Ubidots
    "bkaj_": r"bk(?:aj|pt|cl)_[\w-]{30,140}",  # Buildkite
    "bkct_": r"bkct_[\w-]{30,60}",  # Buildkite
    "bkpt_": r"bkpt_[\w-]{30,140}",
    "bkua_": r"bkua_[A-Za-z0-9]{40,60}",  # Buildkite
    "bsa": r"BSA[\w-]{27,30}(?![\w-])",  # Brave
    "ccipat_": r"CCIPAT_[\w]{30,100}",  # CircleCI
    "cflt": r"cflt[\w+/]{56,64}(?![\w-])",  # Confluent
    "cfpat-": r"CFPAT-[\w-]{40,60}",  # Contentful
    "cio": r"cio[A-Za-z0-9]{32}(?![\w-])",  # crates.io
    "cmvmdgtu": r"cmVmdGtu[\w-]{40,70}",  # JFrog
    "cnvca": r"cnvca[\w-]{40,60}",  # Canva
    "cog_": r"cog_[a-z0-9]{40,60}",  # Devin
    "cohere_": r"cohere_[A-Za-z0-9]{32,48}(?![\w-])",
    "configcat-sdk-1/": r"configcat-sdk-1/[\w-]{22}/[\w-]{22}",
    "csk-": r"csk-[a-z0-9]{40,60}",  # Cerebras
    "dapi": r"dapi[a-f0-9]{32}(?:-\d)?(?![\w-])",  # Databricks
    "dbtu_": r"dbtu_[\w-]{30,60}",
    "dckr_": r"dckr_(?:pat|oat)_[\w-]{20,60}",  # Docker
    "ddapp_": r"ddapp_[A-Za-z0-9]{30,40}",  # Datadog
    "ddp": r"ddp\w?_[A-Za-z0-9]{30,40}(?![\w-])",
    "dg9ro": r"dG9rO[A-Za-z0-9+/]{50,60}={0,2}",  # Intercom
    "dvc_": r"dvc_(?:client|mobile|server)_\w{12,60}",  # DevCycle
    "e2b_": r"e2b_[a-f0-9]{36,48}",
    "eaa": r"EAA[A-Za-z0-9]{80,400}",  # Facebook
    "eaaa": r"EAAA[\w-]{56,64}(?![\w-])",  # Square
    "essu_": r"essu_[\w=-]{60,200}",  # Elastic
    "exo": r"EXO[A-Za-z0-9]{26,28}(?![\w-])",  # Exoscale
    "eyjrijoi": r"eyJrIjoi[A-Za-z0-9+/]{30,400}={0,3}",  # Grafana, before 9
    "eyjtaxjv": r"eyJtaXJv[\w-]{20,80}",  # Miro
    "ezak": r"EZ[AT]K[A-Za-z0-9]{54}",
    "fc-": r"fc-[a-f0-9]{32}(?![\w-])",  # Firecrawl
    "figd_": r"figd_[\w-]{35,60}",  # Figma
    "figo_": r"fig[our]{1,2}_[\w-]{35,60}",  # Figma
    "figu_": r"figu_[\w-]{35,60}",
    "fio-u-": r"fio-u-[\w-]{60,70}",  # Frame.io
    "flwseck-": r"FLWSECK-[a-f0-9]{32}(?:-X)?",  # Flutterwave
    "flyv1 ": r"FlyV1 [\w+/=,-]{40,4000}",  # Fly.io
    "fw_": r"fw_[A-Za-z0-9]{22,30}(?![\w-])",  # Fireworks
    "gcntfy-": r"gcntfy-[\w-]{80,160}",  # Canada's notifications
    "ghr_": r"ghr_[A-Za-z0-9]{36,255}",
    "github_pat_": r"github_pat_\w{22,255}",
    "glc_": r"glc_[\w+/=-]{32,400}",  # Grafana
    "glpat-": r"glpat-[\w-]{20,300}(?:\.\w{2}\.\w{9})?",  # GitLab
    "gocspx-": r"GOCSPX-[\w-]{20,40}",  # Google, client secret
    "gsk_": r"gsk_[A-Za-z0-9]{40,80}",  # Groq
    "hawk.": r"hawk\.[\w-]{18,24}\.[\w-]{18,24}",  # StackHawk
    "hcaik_": r"hcaik_[a-z0-9]{40,70}",  # Honeycomb
    "hf_": r"hf_[A-Za-z0-9]{30,44}(?![\w-])",  # Hugging Face
    "hrku-": r"HRKU-[\w-]{36,70}",  # Heroku
    "hvb.": r"hvb\.[\w-]{80,300}",  # Vault
    "hvs.": r"hvs\.[\w-]{20,120}",  # Vault
    "ico-": r"ico-[A-Za-z0-9]{32}(?![\w-])",  # Infracost
    "igaa": r"IGAA[\w-]{90,260}",  # Instagram
    "igqv": r"IGQV[\w-]{90,260}",
    "jina_": r"jina_[\w-]{40,80}",
    "k10": r"K10[a-f0-9]{64}::\w{1,20}:\w{16,64}",  # K3s
    "key-": r"key-[a-f0-9]{32}(?![\w-])",  # Mailgun
    "key_": r"key_[a-f0-9]{24,40}(?![\w-])",  # Retell
    "klarna_": r"klarna_(?:live|test)_api_[\w-]{20,200}",
    "lin_oauth_": r"lin_oauth_[a-f0-9]{60,70}",  # Linear
    "lip_": r"lip_\w{20}(?![\w-])",  # Lichess
    "live_": r"live_[\w-]{28,44}(?![\w-])",  # Mollie, Lob, GoCardless
    "lsv2_": r"lsv2_(?:pt|sk)_[a-f0-9]{32}(?:_[a-f0-9]{10})?",  # LangSmith
    "ltai": r"LTAI[A-Za-z0-9]{12,30}(?![\w-])",  # Alibaba
    "mdb_sa_sk_": r"mdb_sa_sk_[\w-]{40}",  # MongoDB Atlas
    "mlsn.": r"mlsn\.[A-Za-z0-9]{30,80}",  # MailerSend
    "mob-": rf"mob-{UUID}",  # LaunchDarkly
    "napi_": r"napi_[a-z0-9]{40,80}",  # Neon
    "nfp_": r"nfp_[A-Za-z0-9]{30,50}",  # Netlify
    "nrak-": r"NRAK-[A-Z0-9]{27}",  # New Relic
    "nrii-": r"NRII-[\w-]{30,40}",  # New Relic
    "ntn_": r"ntn_[A-Za-z0-9]{40,60}",  # Notion
    "nvapi-": r"nvapi-[\w-]{40,100}",  # NVIDIA
    "ops_eyj": r"ops_eyJ[\w+/=-]{100,1200}",  # 1Password
    "os_v2_": r"os_v2_(?:app|org)_[a-z0-9]{60,120}",  # OneSignal
    "oy2": r"oy2[a-z0-9]{43}(?![\w-])",  # NuGet
    "pa-": r"pa-[\w-]{40,50}(?![\w-])",  # Voyage
    "pat-": rf"pat-(?:na|eu|ap)\d-{UUID}",  # HubSpot
    "pat.": r"pat\.[\w-]{20,24}\.[a-f0-9]{20,26}\.[\w-]{16,24}",  # Harness
    "pcsk_": r"pcsk_[A-Za-z0-9_]{40,90}",  # Pinecone
    "persona_": r"persona_(?:production|sandbox)_[\w-]{20,60}",
    "phnhbw": r"PHNhbW[A-Za-z0-9+/%]{60,}={0,2}",  # an assertion of SAML: `<saml` in base64
    "phs_": r"phs_[\w-]{40,60}",  # PostHog
    "phx_": r"phx_[\w-]{40,60}",  # PostHog
    "pina_": r"pin[ac]_[\w-]{24,120}",  # Pinterest
    "pk_": r"pk_\d{6,10}_[A-Z0-9]{32}",  # ClickUp
    "pnu_": r"pn[ub]_[A-Za-z0-9]{30,40}",  # Prefect
    "polar_": r"polar_[a-z]{2,3}_(?:[a-z]_)?[\w-]{20,80}",
    "pplx-": r"pplx-[A-Za-z0-9]{40,60}",  # Perplexity
    "r8_": r"r8_[A-Za-z0-9]{30,50}",  # Replicate
    "ramp_": r"ramp_(?:id|sec)_[A-Za-z0-9]{40,60}",
    "re_": r"re_[A-Za-z0-9]{6,10}_[A-Za-z0-9]{20,28}(?![\w-])",  # Resend
    "rgapi-": rf"RGAPI-{UUID}",  # Riot
    "rnd_": r"rnd_[A-Za-z0-9]{26,40}(?![\w-])",  # Render
    "rpa_": r"rpa_[A-Za-z0-9]{30,60}",  # RunPod, redirect.pizza
    "rzp_": r"rzp_(?:live|test)_[A-Za-z0-9]{14}",  # Razorpay
    "sb_secret_": r"sb_secret_[\w-]{20,60}",  # Supabase
    "sbp_": r"sbp_[\w-]{40}",
    "scw": r"SCW[A-Z0-9]{17}(?![\w-])",  # Scaleway
    "sdk-": rf"sdk-{UUID}",  # LaunchDarkly
    "secret_": r"secret_[A-Za-z0-9]{40,50}(?![\w-])",  # Notion
    "sgp_": r"sgp_(?:(?:[a-fA-F0-9]{16}|local)_)?(?:[a-fA-F0-9]{40}|[A-Za-z0-9]{60,70})",  # Sourcegraph, Segment
    "sk-": r"sk-(?:(?:proj|svcacct|admin|ant|or|lf)-[\w-]{20,200}|[A-Za-z0-9]{32,64}(?![\w-]))",
    "sk.eyj": r"sk\.eyJ[\w-]{30,200}\.[\w-]{16,40}",  # Mapbox
    "sk_": r"sk_[a-f0-9]{40,64}(?![\w-])",  # ElevenLabs
    "sk_car_": r"sk_car_[\w-]{18,30}",  # Cartesia
    "sl.": r"sl\.(?:u\.)?[A-Za-z][\w-]{100,1400}",  # Dropbox
    "sntrys_": r"sntrys_eyJ[\w+/=-]{60,400}",  # Sentry
    "snyk_": r"snyk_\w{2,8}\.[a-f0-9]{8}\.[\w-]{30,60}",
    "sq0": r"sq0[a-z]{3}-[\w-]{22,43}",  # Square
    "sqa_": r"sqa_[a-f0-9]{40}",  # SonarQube
    "sqp_": r"sqp_[a-f0-9]{40}",  # SonarQube
    "squ_": r"squ_[a-f0-9]{40}",
    "ssws ": r"(?i:ssws) 00[\w-]{38,42}",  # Okta
    "sts.": r"STS\.[A-Za-z0-9]{20,40}(?![\w-])",  # Alibaba
    "swmkey-1-": r"SWMKEY-1-[\w+/=]{40,50}",  # Docker Swarm
    "swmtkn-": r"SWMTKN-1-[a-z0-9]{40,60}-[a-z0-9]{20,30}",  # Docker Swarm
    "tfp_": r"tfp_[\w-]{40,70}",  # Typeform
    "tgp_v1_": r"tgp_v1_[\w-]{40,60}",  # Together
    "tk-us-": r"tk-us-[\w-]{40,60}",
    "tskey-": r"tskey-[a-z]{2,12}-[\w-]{16,80}",  # Tailscale
    "tss_": r"tss_[\w-]{20,60}",  # Thunderstore
    "tvly-": r"tvly-(?:dev-|prod-)?[\w-]{28,60}",  # Tavily
    "ucat_": r"ucat_[A-Za-z0-9]{25,60}",  # UpCloud
    "vca_": r"vca_[\w-]{40,100}",
    "vci_": r"vci_[\w-]{40,100}",
    "vck_": r"vck_[\w-]{40,100}",
    "vcp_": r"vcp_[\w-]{40,100}",  # Vercel
    "vcr_": r"vcr_[\w-]{40,100}",
    "vercel_blob_rw_": r"vercel_blob_rw_[A-Za-z0-9]{12,20}_[A-Za-z0-9]{24,40}",
    "vtwn_": r"vtwn_[\w-]{20,60}",  # Val Town
    "wandb_v1_": r"wandb_v1_[\w-]{50,100}",
    "whsec_": r"whsec_[\w+/=]{24,100}",  # Stripe, Clerk, Svix: a hook's secret
    "wpl_ap": r"WPL_AP\d\.[A-Za-z0-9]{12,20}\.[\w+/=]{6,16}",  # LinkedIn
    "wrka": r"wrka[a-z]{2}-eyJ[\w.-]{60,1000}",  # Workato
    "xai-": r"xai-[\w-]{40,120}",
    "xoxc-": r"xoxc-[\w-]{30,160}",  # Slack, a browser's session
    "xoxd-": r"xoxd-[\w%-]{40,400}",
    "xoxr-": r"xox[sr]-[\w-]{28,200}",
    "xoxs-": r"xox[sr]-[\w-]{28,200}",  # Slack
    "xsmtpsib-": r"xsmtpsib-[a-f0-9]{64}-\w{16}",  # Brevo
    "y0_": r"y0_[\w-]{50,64}",  # Yandex
    "ya29.": r"ya29\.[\w-]{30,400}",  # Google, access token
    "zpka_": r"zpka_[\w-]{30,60}",  # Zuplo
}
"""`sk-` is that of OpenAI, Anthropic, DeepSeek, OpenRouter and Langfuse."""
ENDED = {
    "-us": (r"(?<![\w-])[a-f0-9]{32}", r"-us\d{1,2}(?![\w-])"),  # Mailchimp
    ":aa": (r"(?<!\d)\d{8,10}", r":AA[\w-]{32,35}(?![\w-])"),  # Telegram
    "!aq": (r"(?<!\w)00D\w{12,15}", r"!AQ[\w.-]{40,120}"),  # Salesforce, a session
    "@tcp(": (r"(?<=:)[^\s:@\"'/]{3,64}", r"(?=@)"),  # a Go program's connection to MySQL
    "@unix(": (r"(?<=:)[^\s:@\"'/]{3,64}", r"(?=@)"),
    ":apa91b": (r"(?<!\w)AAAA[\w-]{7}", r":APA91b[\w-]{100,180}"),  # Firebase, a server's key
    "==:": (r"(?<![\w+/])[\w+/]{22}", r"==:[A-Za-z0-9]{32}(?!\w)"),  # Tableau
    "azdo": (r"(?<!\w)[A-Za-z0-9]{76}", r"AZDO[A-Za-z0-9]{4}(?!\w)"),  # Azure DevOps
}
"""By what they end with: what stands before it, and the end."""
ADDRESSES = {
    "/api/webhooks/": r"(?P<value>\d{15,22}/[\w-]{50,90})",  # Discord
    "/bot/v2/hook/": rf"(?P<value>{UUID})",  # Feishu
    "/owa/calendar/": r"[^\s/]{1,100}/(?P<value>[a-f0-9]{32,80})/",
    "/private-": r"(?P<value>[a-f0-9]{32})/",  # a calendar of Google's
    "hooks.zapier.com/hooks/": r"\w{1,16}/(?P<value>\d{4,10}/(?:v\d/)?\w{5,40})",
    "hooks.slack.com/workflows/": r"(?P<value>[\w/]{30,160})",
    "hooks.slack.com/triggers/": r"(?P<value>[\w/]{30,160})",
    "webhook.office.com/webhookb2/": r"(?P<value>[\w@/-]{40,250})",
    "alchemy.com/v2/": r"(?P<value>[\w-]{32})(?![\w-])",
    "infura.io/v3/": r"(?P<value>[a-f0-9]{32})(?![\w-])",
    " secret key\n": r"(?P<value>RW[\w+/]{80,300}={0,2})",  # signify's, minisign's
    ".make.com/": r"(?P<value>[a-z0-9]{28,36})(?![\w-])",
    "maker.ifttt.com/": r"[^\s?#]{1,80}/key/(?P<value>[\w-]{20,60})",
}
"""Whoever knows them may post, or read: what follows the word."""
LINKS = dict.fromkeys(
    ("reset-password/", "password-reset/", "reset_password/", "password/reset/", "password_reset/", "/magic-link/",
     "/verify-email/", "/activate/", "/invite/"),
    r"[a-z_/-]{4,24}/(?:[\w-]{1,12}/)?([\w.-]{20,400})",
)  # fmt: skip
"""Of mails: whoever opens them is let in."""
CRYPT = r"[A-Za-z0-9./]"
HASHES = {
    "$1$": rf"\$1\$[^\s$:\"']{{1,16}}\${CRYPT}{{22}}",
    "$apr1$": rf"\$apr1\$[^\s$:\"']{{1,16}}\${CRYPT}{{22}}",
    "$2": rf"\$2[abxy]?\$\d\d\${CRYPT}{{53}}",
    "$5$": rf"\$5\$(?:rounds=\d{{1,9}}\$)?[^\s$:\"']{{1,16}}\${CRYPT}{{43}}",
    "$6$": rf"\$6\$(?:rounds=\d{{1,9}}\$)?[^\s$:\"']{{1,16}}\${CRYPT}{{86}}",
    "$y$": rf"\$y\${CRYPT}{{1,12}}\${CRYPT}{{1,86}}\${CRYPT}{{43}}",
    "$8$": rf"\$8\${CRYPT}{{14}}\${CRYPT}{{43}}",
    "$9$": rf"\$9\$(?:{CRYPT}{{14}}\${CRYPT}{{43}}|[\w./-]{{12,100}})",
    "$argon2": r"\$argon2(?:id|i|d)\$v=\d{1,3}\$[mtp=,\d]{5,60}\$[A-Za-z0-9+/]{8,100}\$[A-Za-z0-9+/]{16,200}",
    "$pbkdf2": r"\$pbkdf2(?:-sha\d{1,3})?\$\d{1,9}\$[\w./+]{4,100}\$[\w./+]{16,200}",
    "pbkdf2_sha": r"pbkdf2_sha\d{1,3}\$\d{1,9}\$[^\s$\"']{4,64}\$[A-Za-z0-9+/]{24,100}={0,2}",
    "pbkdf2:sha": r"pbkdf2:sha\d{1,3}:\d{1,9}\$[^\s$\"']{4,64}\$[a-f0-9]{32,128}",
    "scrypt:": r"scrypt:\d{1,9}:\d{1,3}:\d{1,3}\$[^\s$\"']{4,64}\$[a-f0-9]{32,128}",
    "scram-sha-": r"SCRAM-SHA-\d{1,3}\$\d{1,9}:[A-Za-z0-9+/=]{8,64}\$[A-Za-z0-9+/=]{24,100}:[A-Za-z0-9+/=]{24,100}",
    "{sha}": r"\{SHA\}[A-Za-z0-9+/]{27}=",
    "{ssha": r"\{SSHA\d{0,3}\}[A-Za-z0-9+/]{28,120}={0,2}",
    "aad3b435b51404ee": r"aad3b435b51404ee[a-f0-9]{16}:[a-f0-9]{32}",
}
"""crypt(5), Cisco's and Juniper's, argon2, passlib, Django, Werkzeug, PostgreSQL, LDAP, and Windows' (no LM hash)."""


@cache
def compiled(pattern: str) -> re.Pattern[str]:
    """When its word first stands in a text: most never do."""
    return re.compile(pattern)
