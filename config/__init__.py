"""All configuration, typed, in one place."""
