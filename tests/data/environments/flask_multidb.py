"""What matters of Flask-Migrate's environment for several databases (`flask db init --multidb`), in few lines."""

from alembic import context
from flask import current_app
from sqlalchemy import MetaData

bind_names = []
if current_app.config.get("SQLALCHEMY_BINDS") is not None:
    bind_names = list(current_app.config["SQLALCHEMY_BINDS"].keys())
target_db = current_app.extensions["migrate"].db


def get_metadata(bind):
    if bind == "":
        bind = None
    if hasattr(target_db, "metadatas"):
        return target_db.metadatas[bind]
    # Flask-SQLAlchemy 2 has one for all.
    own = MetaData()
    for table in target_db.metadata.tables.values():
        if table.info.get("bind_key") == bind:
            table.tometadata(own)
    return own


def offline():
    for name in ["", *bind_names]:
        context.configure(url=context.config.get_section_option(name, "sqlalchemy.url"), target_metadata=get_metadata(name))
        context.run_migrations(engine_name=name)


def online():
    options = current_app.extensions["migrate"].configure_args
    for name in ["", *bind_names]:
        context.configure(connection=target_db.engines[name].connect(), target_metadata=get_metadata(name), **options)
        context.run_migrations(engine_name=name)


if context.is_offline_mode():
    offline()
else:
    online()
