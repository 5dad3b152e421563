"""Songs that are being edited: versions of selected bars, edits by hand, undo and redo, words; no HTTP.

A `StudioSession` holds drafts of songs with their whole history on disk; one `StudioModel` makes music and words for
all sessions.
"""
