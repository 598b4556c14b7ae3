"""The command line: thin over pipeline and report. One module per verb, imported only when its verb runs."""
