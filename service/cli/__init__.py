"""The command ``andon``: one module per subcommand, loaded only when it is called."""
