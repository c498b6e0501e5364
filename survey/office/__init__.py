"""Pages of those who run the office: people and their rights, invitations, sessions, the audit."""
