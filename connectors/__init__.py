"""How a platform is read and written: one folder a platform."""
