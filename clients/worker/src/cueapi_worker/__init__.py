"""Worker daemon of CueAPI: runs your handlers, reports their outcomes.

`config` reads the file, `command` and `templates` say what to run, `process` runs it, `outcomes`
what to report. `shift` runs the SDK's engine with all of it; `daemon` keeps shifts going through
signals and reloads; `__main__` is the command line.
"""

__version__ = "1.0.0"
