"""Closed forms and oracles that trained networks are held against, each with a certificate or a second route."""
