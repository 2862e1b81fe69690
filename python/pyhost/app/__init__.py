"""The place of pyhost.app.base."""
