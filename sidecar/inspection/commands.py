"""Passwords in command lines, in directives of daemons and routers, and in the arguments of calls: by their word."""

from __future__ import annotations

REST = r"[^\s\"'`$<{-][^\s\"'`]{2,128}"
"""No variable, and no other option."""
LINE = r"(?=[ \t])[^\n|;&]{0,160}?[ \t]"
"""From the command to an option of its own."""
SSHPASS = rf"[ \t]{{1,4}}(?:-\w[ \t]{{1,4}}){{0,4}}-p[ \t]{{0,4}}[\"']?(?P<value>{REST})"
CURL = (
    r"(?=[ \t])(?:[^\n|;]|\\\n){0,200}?[ \t](?:-u|--user|--proxy-user)[ =]{0,2}"
    r"[\"']?[^\s\"':$<{]{1,64}:(?P<value>[^\s\"'`$<{][^\s\"'`]{2,128})"
)
NET_USER = r"[ \t]{1,4}[\w.-]{1,40}[ \t]{1,4}(?P<value>[^\s\"'`/*][^\s\"'`]{4,64})(?=[ \t]{1,4}/)"
NET_USE = (
    r"[ \t]{1,4}(?:\w:[ \t]{1,4})?\\\\[^\s\"]{1,100}[ \t]{1,4}(?:/user:[^\s]{1,64}[ \t]{1,4})?"
    r"(?P<value>[^\s\"'`/*][^\s\"'`]{2,64})"
)
HTPASSWD = (
    r"[ \t]{1,4}-\w{0,4}b\w{0,4}[ \t]{1,4}[^\s]{1,128}[ \t]{1,4}[^\s]{1,64}[ \t]{1,4}(?P<value>[^\s\"'`$<{]{3,128})"
)
LDAP = rf"\w{{0,10}}(?=[ \t])[^\n|;]{{0,200}}?[ \t]-w[ \t]{{1,4}}[\"']?(?P<value>{REST})"
REDIS = rf"{LINE}-a[ \t]{{1,4}}[\"']?(?P<value>{REST})"
DOCKER = rf"[ \t][^\n|;]{{0,160}}?-p[ \t]{{1,4}}[\"']?(?P<value>{REST})"
MYSQL = rf"(?:dump|admin|import|show|check)?{LINE}-p[\"']?(?P<value>{REST})"
MONGO = rf"(?:sh|dump|restore|import|export|stat|top)?{LINE}-p[ =]?[\"']?(?P<value>{REST})"
SNMP = (
    rf"(?:walk|get|getnext|set|bulkwalk|bulkget|table|trap|status|df){LINE}-[cA][ \t]{{0,2}}[\"']?"
    rf"(?P<value>{REST}(?:[\"']?[ \t][^\n]{{0,60}}?-X[ \t]{{1,2}}[\"']?[^\s\"']{{3,64}})?)"
)
"""The community, or both passwords of a user of version 3."""
SMB = rf"{LINE}(?:-U|--user)[ =]?[\"']?[^\s%\"']{{1,64}}%(?P<value>{REST})"
ECHO = (
    r"[ \t]{1,4}(?:-\w{1,2}[ \t]{1,4})?[\"']?(?:[\w.-]{1,32}:)?(?P<value>[^\s\"'`$:]{4,256})[\"']?[ \t]{0,2}\|[ \t]{"
    r"0,2}"
    r"(?:sudo[ \t]+-\w{0,4}S|(?:sudo[ \t]+)?(?:chpasswd|passwd[ \t]+--stdin|docker[ \t]+login|cryptsetup"
    r"|gh secret set|wrangler secret|npx wrangler secret|vault kv put|kubectl create secret|docker secret create|wg "
    r"pubkey"
    r"|gpg[^\n|]{0,80}--passphrase-fd|openssl [^\n|]{0,80}stdin|passwd))"
)
HTTPIE = r"[ =][\"']?[^\s\"':]{1,64}:(?P<value>[^\s\"'`$<{][^\s\"'`]{2,128})"
SQLPLUS = r"[ \t]{1,4}(?:-\w{1,2}[ \t]{1,4}){0,3}[\w$]{1,40}/(?P<value>[^\s@\"'/$]{3,64})(?=[@\s]|\Z)"
ORACLE = r"[\w$]{1,40}/(?P<value>[^\s@\"'/$<{]{3,64})@"
DIRECTIVE = (
    r"[ \t]{1,16}(?:--\w{1,16}[ \t]{1,4})?[\"']?(?=\S{0,64}\d|\S{1,128}[ \t]{0,4}(?:\r?\n|\Z))"
    r"(?P<value>[^\s\"'`$<{#-][^\s\"'`]{2,128})"
)
"""With a figure, or at the end of its line."""
SETTING = r"[ \t]{0,16}[ \t=:][ \t]{0,4}(?:--\w{1,16}[ \t]{1,4})?[\"']?(?P<value>[^\s\"'`$<{#=:-][^\s\"'`]{2,128})"
ROUTER = r"[ ](?:\d{1,2}[ ])?[\"']?(?=\S{0,64}\d)(?P<value>[^\s\"'`$<{]{4,128})"
CREATE_USER = (
    r"[ \t]{1,4}(?:-e[ \t]{1,4}\S{1,40}[ \t]{1,4})?\S{1,64}[ \t]{1,4}(?:MD5|SHA)[-\d]{0,4}[ \t]{1,4}"
    r"[\"']?(?P<value>[^\s\"']{3,64}(?:[\"']?[ \t]{1,4}(?:AES|DES)[-\d]{0,4}[ \t]{1,4}[\"']?[^\s\"']{3,64})?)"
)
NUMBERED = (
    r"(?P<value>(?:(?=[^\s]{0,64}\d)(?=[^\s]{0,64}[A-Za-z])|(?=\S{0,64}[^\w\s]\S{1,64}[ \t]{0,3}(?:\r?\n|\Z)))"
    r"[^\s\"'`]{4,128})"
)
ARGUMENT = r"[ \t]{0,4}[rbuf]?[\"'](?P<value>(?=[^\"']{0,64}\d)[^\s\"'\\]{5,128})[\"']"
"""The first of a call."""
SECOND = r"[^\n]{1,120}?,[ \t]{0,4}[\"'](?P<value>(?=[^\"']{0,64}\d)[^\s\"'\\]{8,128})[\"']"
PAIR = (
    r"[ \t]{0,4}(?:[\"'][^\"'\n]{0,80}[\"']|[\w.]{1,60}),[ \t]{0,4}"
    r"[\"'](?P<value>(?=[^\"']{0,64}\d)[^\s\"'\\]{5,128})[\"']"
)
GROUPED = (
    r"[^\n:=]{0,40}(?:[:=]|[ ]is[ ])[ ]{0,2}[\"'`]?"
    r"(?P<value>(?=[^\n]{0,60}[2-7])[A-Za-z2-7]{4}(?:[ -][A-Za-z2-7]{4}){3,15})(?![\w-])"
)
"""The secret of one-time codes, in groups of four as it is shown to be typed."""

LITERAL = r"[ \t]{0,4}[rbuf]?[\"'](?P<value>[^\s\"'\\][^\"'\\\n]{7,127})[\"']"
"""The key of a cipher: nothing else is written there as a literal."""
MADE_SECOND = (
    r"[ \t]{0,4}[\"'][^\"'\n]{4,80}[\"'],[ \t]{0,4}"
    r"[\"'](?P<value>(?=[^\"']{0,40}\d)(?=[^\"']{0,40}[A-Za-z])[\w-]{20,128})[\"']"
)
"""`Client("AC...", "...")`: a name, and what a machine made."""
LOGGED_IN = r"(?:[^\s|;&]{1,64})[ \t]{1,4}[\"']?(?P<value>[^\s\"'`$<{-][^\s\"'`]{3,128})"
"""A name, and its password."""
FAR_GROUPED = (
    r"[^\n]{1,100}?(?<![\w-])(?P<value>(?=[^\n]{0,30}[2-7])"
    r"(?:[a-z2-7]{4}[ -]){3,15}[a-z2-7]{4}|(?:[A-Z2-7]{4}[ -]){3,15}[A-Z2-7]{4})(?![\w-])"
)
POSTFIX = ("]:587 ", "]:465 ", "]:25 ")
"""A line of its sasl_passwd: `[host]:port name:password`."""
PASSWORDS = {
    "sshpass": SSHPASS,
    "mysql": MYSQL,
    "curl": CURL,
    "net user": NET_USER,
    "net use ": NET_USE.removeprefix(r"[ \t]{1,4}"),
    "htpasswd": HTPASSWD,
    "ldap": LDAP,
    "redis-cli": REDIS,
    "docker login": DOCKER,
    "helm registry login": DOCKER,
    "mongo": MONGO,
    "psexec": rf"(?:64)?(?:\.exe)?{DOCKER}",
    "snmp": SNMP,
    "smbclient": SMB,
    "rpcclient": SMB,
    "echo": ECHO,
    "http -a": HTTPIE,
    "https -a": HTTPIE,
    "http --auth": HTTPIE,
    "sqlplus": SQLPLUS,
    "jdbc:oracle:thin:": ORACLE,
    "-passin": r"[ \t]{1,4}[\"']?pass:(?P<value>[^\s\"'`$]{3,128})",
    "-passout": r"[ \t]{1,4}[\"']?pass:(?P<value>[^\s\"'`$]{3,128})",
    "openssl enc": rf"{LINE}-(?:k|pass[ \t]{{1,4}}pass:)[ \t]{{0,4}}[\"']?(?P<value>{REST})",
    "zip": rf"{LINE}-P[ \t]{{0,4}}[\"']?(?P<value>{REST})",
    "xfreerdp": r"[ \t][^\n]{0,160}?[ \t]/p:[\"']?(?P<value>[^\s\"'`$]{3,128})",
    "convertto-securestring": r"[ \t]{1,4}(?:-string[ \t]{1,4})?[\"'](?P<value>[^\"'\n$]{4,128})[\"']",
    "stats auth ": r"[^\s:]{1,64}:(?P<value>[^\s\"'`$<{]{3,128})",
    "requirepass": DIRECTIVE,
    "masterauth": DIRECTIVE,
    "bindpw": SETTING,
    "rootpw": SETTING,
    "authtok": SETTING,
    "rocommunity": rf"6?{DIRECTIVE}",
    "rwcommunity": rf"6?{DIRECTIVE}",
    "snmp-server community": rf"(?:[ \t][0-9])?{DIRECTIVE}",
    "createuser": CREATE_USER,
    "enable secret ": r"(?:level \d{1,2} )?(?:\d )?(?P<value>[^\s\"'`$]{4,128})",
    **dict.fromkeys(("message-digest-key ", "authentication-key "), rf"\d{{1,5}} md5{ROUTER}"),
    **dict.fromkeys(("radius-server key", "tacacs-server key", "wpa-psk ascii", "set snmp community"), ROUTER),
    **dict.fromkeys((" server-key", "pre-shared-key", "key-string"), ROUTER),
    **dict.fromkeys(POSTFIX, r"[^\s:]{1,100}:(?P<value>[^\s\"'$]{4,128})"),
    "lftp": r"[ \t]{1,4}-u[ \t]{1,4}[^\s,]{1,64},(?P<value>[^\s\"'`$]{3,128})",
    "sqlcmd": rf"{LINE}-P[ \t]{{0,4}}[\"']?(?P<value>{REST})",
    "isakmp key ": r"(?:\d )?(?P<value>[^\s\"'`$]{4,128})(?= (?:address|hostname) )",
    **{f"{noun} {kind} ": NUMBERED for noun in ("password", "secret", "key") for kind in "0789"},
    '"random_password"': r"[^\0]{0,800}?\"result\":[ \t]{0,2}\"(?P<value>[^\"\n]{4,128})\"",
    "rabbitmqctl add_user ": LOGGED_IN,
    "rabbitmqctl change_password ": LOGGED_IN,
    "rabbitmqctl authenticate_user ": LOGGED_IN,
    "cmdkey": rf"{LINE}/pass(?:word)?:[\"']?(?P<value>{REST})",
    "schtasks": rf"{LINE}/(?:rp|p)[ ]{{1,3}}[\"']?(?P<value>{REST})",
    "snmp-server user": r"[ ][^\n]{1,80}?[ ]auth[ ](?:md5|sha[-\d]{0,4})[ ](?P<value>\S{4,64}(?:[ ]priv[ ](?:aes|3?d"
        r"es)[ ]?\d{0,3}[ ]\S{4,64})?)",
    "oathtool": r"[^\n]{0,60}?(?:[ ]-b|--base32)[ ](?:-\S{1,12}[ ]){0,2}[\"']?(?P<value>[A-Za-z2-7]{16,64}=*)",
    "ipmitool": rf"{LINE}-P[ \t]{{0,4}}[\"']?(?P<value>{REST})",
    "mosquitto_": rf"[a-z]{{2,4}}{LINE}-P[ \t]{{0,4}}[\"']?(?P<value>{REST})",
    "wpa_passphrase": r"[ \t]{1,4}(?:[\"'][^\"'\n]{1,32}[\"']|\S{1,32})[ \t]{1,4}[\"']?(?P<value>[^\s\"'`$<{]{2,63})",
    "nmcli": rf"{LINE}password[ \t]{{1,4}}[\"']?(?P<value>{REST})",
    "secretsmanager": rf"{LINE}--secret-string[ =][\"']?(?P<value>{REST})",
    "securestring": rf"{LINE}--value[ =][\"']?(?P<value>{REST})",
    "chpasswd": r"(?:[ \t]{0,4}<<<?[ \t]{0,2}[-'\"]{0,2}\w{0,12}['\"]?\s{1,4}|[ \t]{0,4}<<<[ \t]?['\"]?)"
    r"[\w.-]{1,32}:(?P<value>[^\s\"'`$]{4,128})",
    "acl setuser": r"[^\n]{1,80}?[ ]>(?P<value>[^\s\"'`$<{]{3,128})",
    "aclsetuser": r"[^\n]{1,80}?[ ]>(?P<value>[^\s\"'`$<{]{3,128})",
    "user default on >": r"(?P<value>[^\s\"'`$<{]{3,128})",
    "x11vnc": rf"{LINE}-passwd[ ][\"']?(?P<value>{REST})",
    "crackmapexec": DOCKER,
    "netexec": DOCKER,
    "evil-winrm": DOCKER,
    "winrm": DOCKER,
    "hydra": DOCKER,
    "influx": DOCKER,
    "az login": DOCKER,
    "cf login": DOCKER,
    "oc login": DOCKER,
    "podman login": DOCKER,
    "argocd login": rf"{LINE}--password[ =][\"']?(?P<value>{REST})",
    "plink": rf"{LINE}-pw[ ][\"']?(?P<value>{REST})",
    "pscp": rf"{LINE}-pw[ ][\"']?(?P<value>{REST})",
    "wifi:": r"(?:[A-Za-z]:[^;\n]{0,64};){0,3}P:(?P<value>[^;\n]{4,64})",
    ' psk "': r"(?P<value>[^\"\n]{4,128})(?=\")",
    "set psksecret": SETTING,
    "set passwd enc ": r"(?P<value>[\w+/=]{16,200})",
    "set password enc ": r"(?P<value>[\w+/=]{16,200})",
    "slmgr": r"(?:\.vbs)?[^\n]{0,20}?[ ][/-]ipk[ ](?P<value>[A-Za-z0-9]{5}(?:-[A-Za-z0-9]{5}){4})",
    "wifi.begin(": SECOND,
    "username_pw_set(": SECOND,
}
BESIDE_ID = r"[A-Z2-7]{16}(?![A-Z2-7])[^\0]{1,60}?(?<![\w/+])(?P<value>[A-Za-z0-9/+]{40})(?![\w/+=])"
"""The secret that goes with the name of a key of AWS."""
TYPES = {
    **dict.fromkeys(("auth(", "auth=(", "credentials(", "credential("), PAIR),
    **dict.fromkeys(("client(", "search("), MADE_SECOND),
    "directoryentry(": r"(?:\s{0,40}\"[^\"\n]{3,100}\",){2}\s{0,40}\"(?P<value>(?=[^\"]{0,64}\d)[^\s\"\\]{5,128})\"",
    **dict.fromkeys(("authentication(", "authenticationtoken("), PAIR),
    **dict.fromkeys(("hmac256(", "hmac384(", "hmac512("), ARGUMENT),
    "createhmac(": SECOND,
    "symmetricsecuritykey(": rf"[\w.(]{{0,40}}{ARGUMENT}",
}
"""What their names end with: `HTTPBasicAuth("name", "...")`, `new NetworkCredential("name", "...")`."""
KEYS = {
    **dict.fromkeys(("fernet(", "hmac.new(", "aes.new(", "des3.new(", "des.new(", "blowfish.new("), LITERAL),
    **dict.fromkeys((".wallet(", "privatekeytoaccount(", "from_key("), r"[\"'](?P<value>(?:0x)?[a-fA-F0-9]{64})[\"']"),
    **dict.fromkeys((".run(", ".start(", "bot("), r"[\"'](?P<value>[MNO][\w-]{22,28}\.[\w-]{6}\.[\w-]{27,40})[\"']"),
    **dict.fromkeys(
        ("secret put", "secret set"), r"[^\n]{1,60}?[ ](?:<<<|--value)[ =]?[\"']?(?P<value>[^\s\"'`$<{]{6,256})"
    ),
    "mc alias set": r"(?:[ \t]{1,4}[^\s\"'-]\S{0,120}){3}[ \t]{1,4}[\"']?(?P<value>[^\s\"'`$<{]{6,128})",
    "private-key <(echo": r"[ ](?P<value>[\w+/]{43}=)",
    "--oauth2-bearer": r"[ =][\"']?(?P<value>[^\s\"'`$<{]{8,2048})",
    "secretbox(": LITERAL,
    "geniekey": r"[ \t]{0,2}[ :=\"'][ \t]{0,2}[\"']?(?P<value>[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12})",
    "seed": FAR_GROUPED,
    "jwt.sign(": SECOND,
    "jwt.encode(": SECOND,
    "jwt.decode(": SECOND,
    "jwt.verify(": SECOND,
    "gh secret set": r"[^\n]{1,80}?(?:--body|-b)[ =][\"']?(?P<value>[^\s\"'`$<{]{6,256})",
    "twilio": r"[^\n]{0,40}?[\"']AC[a-f0-9]{32}[\"'],[ \t]{0,4}[\"'](?P<value>[a-f0-9]{32})[\"']",
    **dict.fromkeys(("keypair", "secretkey"), r"[^\n\[]{0,20}\[(?P<value>(?:\d{1,3},[ \n]{0,8}){63}\d{1,3})\]"),
    **dict.fromkeys(("akia", "asia"), BESIDE_ID),
    "code_verifier=": r"(?P<value>[\w.~-]{43,128})",
    **dict.fromkeys(("authenticator", "setup key", "totp", "2fa"), GROUPED),
}
