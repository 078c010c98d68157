"""Every page that people see: who opens it, at which address, and the link that leads on to a page of one thing."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Seen:
    """A page. `link`: a CSS selector on it, of a link to follow; the page that it leads to is what is meant."""

    user: str | None
    path: str
    link: str | None = None

    @property
    def name(self) -> str:
        return f"{self.user or 'nobody'} {self.path}{' > ' + self.link if self.link else ''}"


PAGES = (
    Seen(None, "/sign-in"),
    Seen(None, "/sign-in?ended=1"),
    Seen(None, "/no/such/page"),
    Seen(None, "/q/made-up"),
    Seen("scheduler", "/inbox/"),
    Seen("scheduler", "/account/"),
    Seen("physician", "/orders-to-sign/"),
    Seen("physician", "/orders-to-sign/", ".items a"),
    Seen("physician", "/orders-to-sign/sign"),
    Seen("physician", "/orders-to-sign/decisions"),
    Seen("physician", "/orders-to-sign/signed"),
    Seen("physician", "/orders-to-sign/signed", ".lines a"),
    Seen("physician", "/orders-to-sign/cover"),
    Seen("scheduler", "/board/"),
    Seen("scheduler", "/board/?view=list"),
    Seen("scheduler", "/board/absence"),
    Seen("scheduler", "/plans/"),
    Seen("scheduler", "/plans/", "td a"),
    Seen("scheduler", "/plans/compare?left=1&right=1"),
    Seen("scheduler", "/board/", ".block"),
    Seen("scheduler", "/board/", ".cards div a"),
    Seen("scheduler", "/board/", ".cards li > a"),
    Seen("nurse", "/roster/"),
    Seen("nurse", "/roster/", ".stop.next .head"),
)
