"""One file per format. See evidence.reader for what each must define."""
