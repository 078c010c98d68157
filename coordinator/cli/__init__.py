"""`flask --app wsgi ...`: thin commands over services, one module a group."""

from flask import Flask

from coordinator.cli import (
    access,
    asking,
    audit,
    compliance,
    db,
    deadlines,
    demo,
    directory,
    imports,
    instruments,
    planning,
    programmes,
    promise,
    repairs,
    rules,
    travel,
    what_if,
    worker,
)


def register(app: Flask) -> None:
    """Put every command group on the app."""
    app.cli.add_command(db.group)
    app.cli.add_command(access.group)
    app.cli.add_command(audit.group)
    app.cli.add_command(deadlines.group)
    app.cli.add_command(demo.group)
    app.cli.add_command(directory.group)
    app.cli.add_command(imports.group)
    app.cli.add_command(instruments.group)
    app.cli.add_command(worker.group)
    planning.group.add_command(repairs.group)
    assert asking.explain.name in planning.group.commands  # likewise
    planning.group.add_command(what_if.what_if_command)
    planning.group.add_command(promise.promise_command)
    app.cli.add_command(planning.group)
    app.cli.add_command(programmes.group)
    app.cli.add_command(rules.group)
    app.cli.add_command(travel.group)
    app.cli.add_command(compliance.patient_group)
    app.cli.add_command(compliance.visit_group)
    app.cli.add_command(planning.roster_command)
