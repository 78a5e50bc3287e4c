"""The command line: one small file a command, no logic; heavy imports stand inside the commands."""
