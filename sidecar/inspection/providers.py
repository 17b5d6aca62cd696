"""Keys of services by the prefix that the service gives them, whole or cut off; addresses that are a key themselves;
hashes of passwords, which name their own scheme.

The prefixes are what GitHub's and GitLab's secret scanning know, where gitleaks wants an exact length or has no rule.
"""

from __future__ import annotations

import re

UUID = r"[0-9a-fA-F]{8}-(?:[0-9a-fA-F]{4}-){3}[0-9a-fA-F]{12}"
PREFIXED = {
    "1//0": r"1//0[\w-]{30,200}",  # Google, refresh token
    "4/0a": r"4/0A[\w-]{30,200}",  # Google, authorization code
    "aio_": r"aio_[A-Za-z0-9]{28}(?![\w-])",  # Adafruit IO
    "amzn.mws.": rf"amzn\.mws\.{UUID}",
    "api-": rf"api-{UUID}",  # LaunchDarkly
    "apify_api_": r"apify_api_[A-Za-z0-9]{30,60}",
    "atatt3": r"ATATT3[\w=-]{60,250}",  # Atlassian
    "atbb": r"ATBB[A-Za-z0-9]{28,40}",  # Bitbucket
    "atctt3": r"ATCTT3[\w=-]{60,250}",
    "bbff-": r"BBFF-[A-Za-z0-9]{30}",  # Ubidots
    "bkua_": r"bkua_[a-f0-9]{40}",  # Buildkite
    "ccipat_": r"CCIPAT_[\w]{30,100}",  # CircleCI
    "cfpat-": r"CFPAT-[\w-]{40,60}",  # Contentful
    "cio": r"cio[A-Za-z0-9]{32}(?![\w-])",  # crates.io
    "cmvmdgtu": r"cmVmdGtu[\w-]{40,70}",  # JFrog
    "csk-": r"csk-[a-z0-9]{40,60}",  # Cerebras
    "dbtu_": r"dbtu_[\w-]{30,60}",
    "dckr_": r"dckr_(?:pat|oat)_[\w-]{20,60}",  # Docker
    "eaa": r"EAA[A-Za-z0-9]{80,400}",  # Facebook
    "fc-": r"fc-[a-f0-9]{32}(?![\w-])",  # Firecrawl
    "figd_": r"figd_[\w-]{35,60}",  # Figma
    "flwseck-": r"FLWSECK-[a-f0-9]{32}(?:-X)?",  # Flutterwave
    "flyv1 ": r"FlyV1 f[mo]\d[a-z]?_[\w+/=,-]{40,2000}",  # Fly.io
    "fw_": r"fw_[A-Za-z0-9]{22,30}(?![\w-])",  # Fireworks
    "glpat-": r"glpat-[\w-]{20,300}(?:\.\w{2}\.\w{9})?",  # GitLab
    "gocspx-": r"GOCSPX-[\w-]{20,40}",  # Google, client secret
    "gsk_": r"gsk_[A-Za-z0-9]{40,80}",  # Groq
    "hcaik_": r"hcaik_[a-z0-9]{40,70}",  # Honeycomb
    "hvs.": r"hvs\.[\w-]{20,120}",  # Vault
    "jina_": r"jina_[\w-]{40,80}",
    "klarna_": r"klarna_(?:live|test)_api_[\w-]{20,200}",
    "live_": r"live_[A-Za-z0-9]{28,40}(?![\w-])",  # Mollie
    "lsv2_": r"lsv2_(?:pt|sk)_[a-f0-9]{32}(?:_[a-f0-9]{10})?",  # LangSmith
    "mob-": rf"mob-{UUID}",  # LaunchDarkly
    "napi_": r"napi_[a-z0-9]{40,80}",  # Neon
    "nfp_": r"nfp_[A-Za-z0-9]{30,50}",  # Netlify
    "nrii-": r"NRII-[\w-]{30,40}",  # New Relic
    "ntn_": r"ntn_[A-Za-z0-9]{40,60}",  # Notion
    "nvapi-": r"nvapi-[\w-]{40,100}",  # NVIDIA
    "oy2": r"oy2[a-z0-9]{43}(?![\w-])",  # NuGet
    "pa-": r"pa-[\w-]{40,50}(?![\w-])",  # Voyage
    "pat-": rf"pat-(?:na|eu|ap)\d-{UUID}",  # HubSpot
    "pcsk_": r"pcsk_[A-Za-z0-9_]{40,90}",  # Pinecone
    "phnhbw": r"PHNhbW[A-Za-z0-9+/%]{60,}={0,2}",  # an assertion of SAML: `<saml` in base64
    "phx_": r"phx_[\w-]{40,60}",  # PostHog
    "r8_": r"r8_[A-Za-z0-9]{30,50}",  # Replicate
    "rnd_": r"rnd_[A-Za-z0-9]{26,40}(?![\w-])",  # Render
    "rpa_": r"rpa_[A-Z0-9]{30,50}\w{0,10}",  # RunPod
    "sb_secret_": r"sb_secret_[\w-]{20,60}",  # Supabase
    "sbp_": r"sbp_[a-f0-9]{40}",
    "sdk-": rf"sdk-{UUID}",  # LaunchDarkly
    "secret_": r"secret_[A-Za-z0-9]{40,50}(?![\w-])",  # Notion
    "sgp_": r"sgp_(?:(?:[a-fA-F0-9]{16}|local)_)?[a-fA-F0-9]{40}",  # Sourcegraph
    "sk-": r"sk-(?:(?:proj|svcacct|admin|ant|or|lf)-[\w-]{20,200}|[A-Za-z0-9]{32,64}(?![\w-]))",
    "sk.eyj": r"sk\.eyJ[\w-]{30,200}\.[\w-]{16,40}",  # Mapbox
    "sk_": r"sk_[a-f0-9]{40,64}(?![\w-])",  # ElevenLabs
    "sl.": r"sl\.(?:u\.)?[A-Za-z][\w-]{100,1400}",  # Dropbox
    "sntrys_": r"sntrys_eyJ[\w+/=-]{60,400}",  # Sentry
    "sqp_": r"sqp_[a-f0-9]{40}",  # SonarQube
    "squ_": r"squ_[a-f0-9]{40}",
    "ssws ": r"(?i:ssws) 00[\w-]{38,42}",  # Okta
    "tfp_": r"tfp_[\w-]{40,70}",  # Typeform
    "tgp_v1_": r"tgp_v1_[\w-]{40,60}",  # Together
    "tskey-": r"tskey-[a-z]{2,12}-[\w-]{16,80}",  # Tailscale
    "tvly-": r"tvly-(?:dev-|prod-)?[\w-]{28,60}",  # Tavily
    "xai-": r"xai-[A-Za-z0-9]{40,120}",
    "xoxc-": r"xoxc-[\w-]{30,160}",  # Slack, a browser's session
    "xoxd-": r"xoxd-[\w%-]{40,400}",
    "xsmtpsib-": r"xsmtpsib-[a-f0-9]{64}-\w{16}",  # Brevo
    "ya29.": r"ya29\.[\w-]{30,400}",  # Google, access token
}
"""`sk-` is that of OpenAI, Anthropic, DeepSeek, OpenRouter and Langfuse."""
ENDED = {
    "-us": (r"(?<![\w-])[a-f0-9]{32}", r"-us\d{1,2}(?![\w-])"),  # Mailchimp
    ":aa": (r"(?<!\d)\d{8,10}", r":AA[\w-]{32,35}(?![\w-])"),  # Telegram
    "@tcp(": (r"(?<=:)[^\s:@\"'/]{3,64}", r"(?=@)"),  # a Go program's connection to MySQL
    "@unix(": (r"(?<=:)[^\s:@\"'/]{3,64}", r"(?=@)"),
    "azdo": (r"(?<!\w)[A-Za-z0-9]{76}", r"AZDO[A-Za-z0-9]{4}(?!\w)"),  # Azure DevOps
}
"""By what they end with: what stands before it, and the end."""
ADDRESSES = {
    "/api/webhooks/": r"(?P<value>\d{15,22}/[\w-]{50,90})",  # Discord
    "/bot/v2/hook/": rf"(?P<value>{UUID})",  # Feishu
    "/owa/calendar/": r"[^\s/]{1,100}/(?P<value>[a-f0-9]{32,80})/",
    "/private-": r"(?P<value>[a-f0-9]{32})/",  # a calendar of Google's
    "hooks.zapier.com/hooks/": r"\w{1,16}/(?P<value>\d{4,10}/(?:v\d/)?\w{5,40})",
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


def compiled(table: dict[str, str]) -> dict[str, re.Pattern[str]]:
    return {word: re.compile(pattern) for word, pattern in table.items()}
