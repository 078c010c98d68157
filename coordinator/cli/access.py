"""`flask access`: users and tokens from the command line."""

import sys

import click
import flask
import sqlalchemy as sa
from flask.cli import AppGroup

from coordinator.access import passwords, service
from coordinator.access.model import User
from coordinator.agency.service import branch_by_code
from coordinator.cli.common import command_work
from coordinator.core.work import Work
from coordinator.domain.vocabulary import Role
from coordinator.staff.model import Clinician, Physician

group = AppGroup("access", help="Users and tokens.")

ROLES = [role.value for role in Role if role is not Role.SYSTEM]


def _doorman() -> service.Doorman:
    found: service.Doorman = flask.current_app.extensions["doorman"]
    return found


@group.command("user")
@click.argument("username")
@click.option("--role", "roles", multiple=True, required=True, type=click.Choice(ROLES), help="One or more.")
@click.option("--name", help="As others see it; the user name unless said.")
@click.option("--branch", "branches", multiple=True, metavar="CODE", help="An administrator without works for all.")
@click.option("--clinician", "employee_no", metavar="EMPLOYEE_NO", help="Whom a clinician's account stands for.")
@click.option("--physician", "npi", metavar="NPI", help="Whom a physician's account stands for.")
@click.option("--password-stdin", is_flag=True, help="Read the password from standard input, without asking.")
def user(
    username: str,
    roles: tuple[str, ...],
    name: str | None,
    branches: tuple[str, ...],
    employee_no: str | None,
    npi: str | None,
    password_stdin: bool,
) -> None:
    """Open an account for USERNAME. The first one of an installation is an administrator's."""
    if password_stdin:
        password = sys.stdin.readline().rstrip("\r\n")
    else:
        password = click.prompt("Password", hide_input=True, confirmation_prompt="The same again")
    with command_work("access-user", actor=service.installer_actor("access-user")) as work:
        created = service.create_user(
            work,
            _doorman(),
            username=username,
            password=password,
            display_name=name or username,
            roles=list(roles),
            branch_ids=[branch_by_code(work, code).id for code in branches],
            clinician_id=_clinician(work, employee_no) if employee_no else None,
            physician_id=_physician(work, npi) if npi else None,
        )
        number = created.id
    click.echo(f"User {number} is {username}: {', '.join(sorted(set(roles)))}.")


def _clinician(work: Work, employee_no: str) -> int:
    found = work.session.execute(sa.select(Clinician.id).where(Clinician.employee_no == employee_no)).scalar()
    if found is None:
        raise click.ClickException(f"There is no clinician with the employee number {employee_no}.")
    return found


def _physician(work: Work, npi: str) -> int:
    found = work.session.execute(sa.select(Physician.id).where(Physician.npi == npi)).scalar()
    if found is None:
        raise click.ClickException(f"There is no physician with the NPI {npi}.")
    return found


@group.command("token")
@click.argument("username")
@click.option("--label", default="command line", show_default=True)
def token(username: str, label: str) -> None:
    """Print a new bearer token for USERNAME."""
    with command_work("access-token") as work:
        found = work.session.execute(sa.select(User).where(User.username == username)).scalar()
        if found is None:
            raise click.ClickException(f"There is no user {username}.")
        work.actor = service.actor_of(found, service.performer_of(work.session, found))
        _, secret = service.issue_token(work, _doorman(), user_id=found.id, label=label)
    click.echo(secret)


@group.command("reset")
@click.argument("username")
@click.option("--factors", is_flag=True, help="Take the second factors and recovery codes away as well.")
def reset(username: str, factors: bool) -> None:
    """Print a code with which USERNAME chooses a new password within a day: for when no administrator can get in."""
    with command_work("access-reset", actor=service.installer_actor("access-reset")) as work:
        found = work.session.execute(sa.select(User.id).where(User.username == username)).scalar()
        if found is None:
            raise click.ClickException(f"There is no user {username}.")
        if factors:
            passwords.forget_factors(work, _doorman(), found, None)
        code, _ = passwords.reset_password(work, _doorman(), found, None)
    click.echo(code)
