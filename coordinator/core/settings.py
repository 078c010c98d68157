"""Every environment variable the product reads, in one place, checked at start.

Profiles: `demo` (runs from nothing, with keys that everybody knows), `test`, and `production`, which starts only with
secrets of its own. The demo's key is refused outside the demo, and accounts made by the demo cannot sign in elsewhere.
"""

import os
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlsplit

DEMO_SECRET = "demo-secret-that-everybody-knows"  # noqa: S105  (known on purpose: refused outside the demo)
ROOT = Path(__file__).resolve().parents[2]
#: Servers of the public: they are not asked where patients live.
PUBLIC_ROAD_SERVERS = ("project-osrm.org", "openstreetmap.de", "openstreetmap.org")
PROFILES = ("demo", "test", "production")
#: Roles that people hold, as `domain.vocabulary.Role` has them; this room stands beside that one and does not name it.
ROLES = ("administrator", "clinical_manager", "clinician", "intake", "physician", "scheduler")


class SettingsError(RuntimeError):
    """A setting is missing or unusable; the message names it and says what it should be."""


@dataclass(frozen=True, slots=True)
class Settings:
    """What differs between one installation and the next."""

    profile: str
    database_url: str
    secret_key: str = field(repr=False)
    policy_path: Path = ROOT / "config" / "policy.toml"
    #: Profiles of programmes that are shipped, and a folder with the agency's own; None: it has none.
    programmes_path: Path = ROOT / "config" / "programmes"
    own_programmes_path: Path | None = None
    directory_path: Path = ROOT / "config" / "directory.toml"
    travel_path: Path = ROOT / "config" / "travel.toml"
    #: Which street and ZIP files each branch geocodes with; None: addresses without a point stay without.
    streets_path: Path | None = None
    #: The agency's own OSRM server; None: travel times are estimated.
    osrm_url: str | None = None
    #: The mail server that carries notices, and as whom; None: the log says that there was something to send.
    smtp_url: str | None = field(default=None, repr=False)
    mail_from: str = ""
    #: The gateway that carries text messages, its key, and the number they come from; None: the log says so.
    sms_url: str | None = None
    sms_key: str = field(default="", repr=False)
    sms_from: str = ""
    #: argon2 time cost; tests lower it.
    password_time_cost: int = 3
    password_memory_kib: int = 65536
    session_idle_minutes: int = 15
    session_absolute_minutes: int = 720
    #: For so many minutes nobody who has proved themselves again is asked once more (SEC-07); 0: always.
    step_up_minutes: int = 5
    #: Roles whose holders have a second factor; the demo and the tests ask it of nobody.
    second_factor_roles: frozenset[str] = frozenset()
    #: Where people's browsers find this installation; None: no passkeys, no sign-in through others.
    public_url: str | None = None
    #: The agency's own OpenID Connect provider, and as whom we ask it; None: people sign in here alone.
    oidc_issuer: str | None = None
    oidc_client_id: str = ""
    oidc_client_secret: str = field(default="", repr=False)
    pool_size: int = 20
    #: Serve cookies over TLS only.
    secure_cookies: bool = True
    #: Run the timer and the worker inside the serving process (embedded SQLite; one process).
    embedded_worker: bool = False

    @property
    def is_demo(self) -> bool:
        return self.profile == "demo"

    @property
    def engine_name(self) -> str:
        return "postgresql" if self.database_url.startswith("postgresql") else "sqlite"


def _whole(environ: Mapping[str, str], name: str, default: int, low: int, high: int) -> int:
    text = environ.get(name)
    if text is None:
        return default
    try:
        value = int(text)
    except ValueError:
        raise SettingsError(f"{name} must be a whole number from {low} to {high}; it is {text!r}.") from None
    if not low <= value <= high:
        raise SettingsError(f"{name} must be a whole number from {low} to {high}; it is {value}.")
    return value


def _folder(environ: Mapping[str, str], name: str) -> Path | None:
    """The folder that the variable names; None if it is not set."""
    text = environ.get(name)
    if not text:
        return None
    path = Path(text)
    if not path.is_dir():
        raise SettingsError(f"{name} must name a folder with files; there is no folder {text!r}.")
    return path


def _road_server(text: str | None) -> str | None:
    """The address of a road server of the agency's own: patients' coordinates go nowhere else."""
    if not text:
        return None
    name = "COORDINATOR_OSRM_URL"
    try:
        parts = urlsplit(text)
        host, _port = parts.hostname, parts.port
    except ValueError:
        raise SettingsError(f"{name} must be an address such as http://127.0.0.1:5000.") from None
    if parts.scheme not in ("http", "https") or not host or parts.query or parts.fragment or parts.username:
        raise SettingsError(f"{name} must be an address such as http://127.0.0.1:5000, without user and query.")
    if any(host == public or host.endswith(f".{public}") for public in PUBLIC_ROAD_SERVERS):
        raise SettingsError(f"{name} names a public server. Where patients live is told to the agency's own alone.")
    return text


def _mail_server(environ: Mapping[str, str]) -> tuple[str | None, str]:
    """The address of the mail server with its user, and as whom mail is sent; SettingsError if one is unusable."""
    url, sender = environ.get("COORDINATOR_SMTP_URL"), environ.get("COORDINATOR_MAIL_FROM", "")
    if not url:
        return None, sender
    if url.startswith("file:"):
        return _sink(url, "COORDINATOR_SMTP_URL"), sender
    example = "smtp+starttls://user:password@mail.example.org:587 (or smtps, or smtp within the house)"
    try:
        parts = urlsplit(url)
        host, _port = parts.hostname, parts.port
    except ValueError:
        host, parts = None, urlsplit("")
    if parts.scheme not in ("smtp", "smtps", "smtp+starttls") or not host or parts.path.strip("/") or parts.query:
        raise SettingsError(f"COORDINATOR_SMTP_URL must be an address such as {example}.")
    if sender.count("@") != 1 or any(character.isspace() for character in sender):
        raise SettingsError("COORDINATOR_MAIL_FROM must name the address from which mail is sent.")
    return url, sender


def _public_url(environ: Mapping[str, str], profile: str) -> str | None:
    """Scheme, host and port under which browsers reach us; passkeys are bound to its host for good."""
    name = "COORDINATOR_PUBLIC_URL"
    text = environ.get(name) or {"demo": "http://localhost:8000", "test": "https://coordinator.example.org"}.get(
        profile
    )
    if text is None:
        return None
    try:
        parts = urlsplit(text)
        host, _port = parts.hostname, parts.port
    except ValueError:
        host, parts = None, urlsplit("")
    if not host or parts.path.strip("/") or parts.query or parts.fragment or parts.username:
        raise SettingsError(f"{name} must be an address such as https://visits.example.org, without a path.")
    if parts.scheme != "https" and not (parts.scheme == "http" and host == "localhost"):
        raise SettingsError(f"{name} must begin with https: browsers keep passkeys for nothing else but localhost.")
    return f"{parts.scheme}://{parts.netloc}"


def _provider(environ: Mapping[str, str], public_url: str | None) -> tuple[str | None, str, str]:
    """Issuer, client id and secret of the agency's identity provider: all three or none."""
    names = ("COORDINATOR_OIDC_ISSUER", "COORDINATOR_OIDC_CLIENT_ID", "COORDINATOR_OIDC_CLIENT_SECRET")
    issuer, client_id, secret = (environ.get(name, "") for name in names)
    if not issuer and not client_id and not secret:
        return None, "", ""
    missing = [name for name in names if not environ.get(name)]
    missing += [] if public_url else ["COORDINATOR_PUBLIC_URL"]
    if missing:
        raise SettingsError(f"Signing in through the agency's provider needs {', '.join(missing)} as well.")
    try:
        parts = urlsplit(issuer)
        host = parts.hostname
    except ValueError:
        host, parts = None, urlsplit("")
    guarded = parts.scheme == "https" or (parts.scheme == "http" and host == "localhost")
    if not host or not guarded or parts.query or parts.fragment or parts.username:
        raise SettingsError("COORDINATOR_OIDC_ISSUER must be the provider's issuer, such as https://id.example.org.")
    return issuer, client_id, secret


def _second_factor_roles(environ: Mapping[str, str], profile: str) -> frozenset[str]:
    """Roles that sign in with a second factor: all of them unless the setting says otherwise, none in demo and test."""
    name = "COORDINATOR_SECOND_FACTOR"
    text = environ.get(name, "everyone" if profile == "production" else "nobody").strip()
    if text in ("everyone", "nobody"):
        return frozenset(ROLES) if text == "everyone" else frozenset()
    wanted = frozenset(text.replace(",", " ").split())
    if not wanted or wanted - set(ROLES):
        raise SettingsError(f"{name} must be everyone, nobody, or some of: {', '.join(ROLES)}.")
    return wanted


def _sink(url: str, name: str) -> str:
    """A folder into which messages are written instead of being sent."""
    if not Path(url.removeprefix("file://")).is_dir():
        raise SettingsError(f"{name} must name a folder that is there, such as file:///var/coordinator/out.")
    return url


def _sms_gateway(environ: Mapping[str, str]) -> tuple[str | None, str, str]:
    """The address of the gateway for text messages, its key and the sender; SettingsError if one is unusable."""
    name = "COORDINATOR_SMS_URL"
    url, key, sender = (
        environ.get(name),
        environ.get("COORDINATOR_SMS_KEY", ""),
        environ.get("COORDINATOR_SMS_FROM", ""),
    )
    if not url:
        return None, key, sender
    if url.startswith("file:"):
        return _sink(url, name), key, sender
    try:
        parts = urlsplit(url)
        host, _port = parts.hostname, parts.port
    except ValueError:
        host, parts = None, urlsplit("")
    at_home = parts.scheme == "http" and host in ("localhost", "127.0.0.1", "::1")
    if not host or parts.username or parts.fragment or not (parts.scheme == "https" or at_home):
        raise SettingsError(f"{name} must be an address such as https://sms.example.org/messages, without a user.")
    if not re.fullmatch(r"[+A-Za-z0-9 ]{1,20}", sender, re.ASCII):
        raise SettingsError("COORDINATOR_SMS_FROM must be the number or name that text messages come from.")
    if any(not "!" <= character <= "~" for character in key):
        raise SettingsError("COORDINATOR_SMS_KEY must be the gateway's key, in one line without spaces.")
    return url, key, sender


def load_settings(environ: Mapping[str, str] | None = None) -> Settings:
    """Read the settings from `environ` (the process's own by default); SettingsError names everything that is wrong."""
    environ = os.environ if environ is None else environ
    profile = environ.get("COORDINATOR_PROFILE", "production")
    if profile not in PROFILES:
        raise SettingsError(f"COORDINATOR_PROFILE must be one of {', '.join(PROFILES)}; it is {profile!r}.")
    database_url = environ.get("COORDINATOR_DATABASE_URL", "")
    secret_key = environ.get("COORDINATOR_SECRET_KEY", "")
    if profile == "demo":
        database_url = database_url or f"sqlite:///{ROOT / 'var' / 'demo.sqlite3'}"
        secret_key = secret_key or DEMO_SECRET
    missing = [
        name
        for name, value in (("COORDINATOR_DATABASE_URL", database_url), ("COORDINATOR_SECRET_KEY", secret_key))
        if not value
    ]
    if missing:
        raise SettingsError(
            f"Missing: {', '.join(missing)}. The {profile} profile starts only with settings of its own; "
            "`make run` starts the demo, which brings its own."
        )
    if profile != "demo" and secret_key == DEMO_SECRET:
        raise SettingsError("COORDINATOR_SECRET_KEY is the demo's, which everybody knows. Make one of your own.")
    if profile == "production" and len(secret_key) < 32:
        raise SettingsError("COORDINATOR_SECRET_KEY must have at least 32 characters.")
    if not database_url.startswith(("sqlite:", "postgresql:", "postgresql+psycopg:")):
        raise SettingsError("COORDINATOR_DATABASE_URL must begin with sqlite: or postgresql: .")
    smtp_url, mail_from = _mail_server(environ)
    public_url = _public_url(environ, profile)
    oidc_issuer, oidc_client_id, oidc_client_secret = _provider(environ, public_url)
    sms_url, sms_key, sms_from = _sms_gateway(environ)
    return Settings(
        profile=profile,
        database_url=database_url,
        secret_key=secret_key,
        policy_path=Path(environ.get("COORDINATOR_POLICY", str(ROOT / "config" / "policy.toml"))),
        own_programmes_path=_folder(environ, "COORDINATOR_PROGRAMMES"),
        directory_path=Path(environ.get("COORDINATOR_DIRECTORY", str(ROOT / "config" / "directory.toml"))),
        travel_path=Path(environ.get("COORDINATOR_TRAVEL", str(ROOT / "config" / "travel.toml"))),
        streets_path=Path(environ["COORDINATOR_STREETS"]) if environ.get("COORDINATOR_STREETS") else None,
        osrm_url=_road_server(environ.get("COORDINATOR_OSRM_URL")),
        smtp_url=smtp_url,
        mail_from=mail_from,
        sms_url=sms_url,
        sms_key=sms_key,
        sms_from=sms_from,
        password_time_cost=_whole(environ, "COORDINATOR_PASSWORD_TIME_COST", 1 if profile == "test" else 3, 1, 20),
        password_memory_kib=_whole(
            environ, "COORDINATOR_PASSWORD_MEMORY_KIB", 64 if profile == "test" else 65536, 8, 4_194_304
        ),
        session_idle_minutes=_whole(environ, "COORDINATOR_SESSION_IDLE_MINUTES", 15, 1, 1440),
        session_absolute_minutes=_whole(environ, "COORDINATOR_SESSION_ABSOLUTE_MINUTES", 720, 5, 10080),
        step_up_minutes=_whole(environ, "COORDINATOR_STEP_UP_MINUTES", 5, 0, 60),
        second_factor_roles=_second_factor_roles(environ, profile),
        public_url=public_url,
        oidc_issuer=oidc_issuer,
        oidc_client_id=oidc_client_id,
        oidc_client_secret=oidc_client_secret,
        pool_size=_whole(environ, "COORDINATOR_POOL_SIZE", 20, 1, 200),
        secure_cookies=profile == "production",
        embedded_worker=environ.get("COORDINATOR_EMBEDDED_WORKER", "1" if profile == "demo" else "0") == "1",
    )
