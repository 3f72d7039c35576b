"""One module a command; each defines `command`, and imports what is slow only when it runs."""
