"""The command line: options, messages, exit status. Only here is anything printed."""
