"""The database backend of the app's role: `ENGINE = "rathaus.core.postgres"`."""
