"""Alembic's door into the store's transaction: `store.schema` passes its connection and nobody else comes here."""

from alembic import context

context.configure(connection=context.config.attributes["connection"], transactional_ddl=False)
context.run_migrations()
