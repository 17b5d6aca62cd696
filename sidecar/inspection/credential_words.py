"""The words before passwords, PINs and user names, in the languages of those who type them."""

from __future__ import annotations

from sidecar.inspection.keywords import listed

JOINED = listed("password passwd passphrase passwort kennwort wachtwoord lösenord lösenordet "
                "비밀번호 비번 암호 패스워드 パスワード 密码 密碼 口令 пapoль")  # fmt: skip
"""Found at the end of a compound in small letters, too: `dbpassword`, `Datenbankpasswort`, `数据库密码`.
The Russian one stands as the normaliser leaves it, with Latin letters for those that look so."""
PASSWORD_WORDS = (
    *JOINED,
    "pass_phrase",
    "mot_de_passe",
    "snmp_community",
    "community_string",
    "assword",  # in what `expect` waits for
    "pre_shared_key", *listed("pre-shared-key presharedkey preshared_key pre-shared_key"),
    *listed("wifi_code code_wifi wifi_key wifi-key wlan-schlüssel wlan-key clé_wifi clave_wifi netzwerkschlüssel"),
    *listed(
        "pass_phrase pass-phrase passcode pwd contraseña contrasena senha palavra-passe hasło haslo psk "
        "losenord salasana adgangskode parola mdp mot_de_passe mot-de-passe motdepasse clave "
        "passord passordet adgangskoden kodeord heslo jelszó clave_de_acceso contraseña_de_acceso passwrd "
        "storepass keypass srcstorepass deststorepass srckeypass destkeypass "
        "passwords pasword paasword passwrod şifre κωδικός mật_khẩu kata_sandi סיסמה "
        "parola_d'ordine bind.credentials security.credentials"
    ),
)
WEAK_WORDS = ("pass", "pw", "p/w", "ww")
PIN_WORDS = (
    "pincode", "pin_code",
    *listed("pin_code pin-code code_pin pin puk geheimzahl"),
    *listed("code_secret code_confidentiel codice_segreto código_secreto"),
    *listed(
        "door_code gate_code access_code entry_code alarm_code safe_code unlock_code verification_code one-time_code "
        "2fa_code otp one-time_password one_time_password one_time_code einmalpasswort digicode code_porte portkod "
        "engångskod kod_do_domofonu mtan türcode zugangscode bestätigungscode code_d'accès code_de_vérification "
        "código_de_acceso código_de_verificación codice_di_accesso codice_di_verifica toegangscode verificatiecode "
        "código_de_verificação kod_dostępu kod_weryfikacyjny"
    ),
)  # fmt: skip
USER_WORDS = (
    "user_name",  # as in code; the list below spells the two words
    "user_id",
    "benutzernamen",
    *listed(
        "user_name user_id "
        "username user-name userid login benutzer gebruiker utilisateur benutzername usuario utente "
        "gebruikersnaam användarnamn brugernavn "
        "käyttäjätunnus identifiant nom_d'utilisateur nazwa_użytkownika nome_utente nome_de_utilizador"
    ),
)
