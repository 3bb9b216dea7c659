"""What matters of Alembic's environment for several databases (`alembic init -t multidb`), in few lines."""

from alembic import context

databases = context.config.get_main_option("databases", "").split(",")

target_metadata = {}


def offline() -> None:
    for name in databases:
        context.configure(url=context.config.get_section_option(name, "sqlalchemy.url"), target_metadata=target_metadata.get(name))
        context.run_migrations(engine_name=name)


def online() -> None:
    for name in databases:
        context.configure(connection=connect(name), target_metadata=target_metadata.get(name))
        context.run_migrations(engine_name=name)


if context.is_offline_mode():
    offline()
else:
    online()
