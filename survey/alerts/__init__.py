"""Alerts: what somebody wants to hear of at once, by e-mail or a signed call of an address."""
