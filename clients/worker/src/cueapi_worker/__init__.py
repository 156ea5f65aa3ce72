"""Worker daemon of CueAPI: runs your handlers, reports their outcomes."""
