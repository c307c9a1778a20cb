"""Alembic's entry: run the steps inside the transaction that ``service.database`` opened."""

from alembic import context

from service.migrations.every_table import metadata

context.configure(connection=context.config.attributes["connection"], target_metadata=metadata, render_as_batch=True)
with context.begin_transaction():
    context.run_migrations()
