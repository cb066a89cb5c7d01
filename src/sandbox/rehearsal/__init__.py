"""The rehearsal: the whole migration on one machine, played on the sandbox and its data plane with the command line that users have."""
