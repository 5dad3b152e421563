"""The studio: a server on this machine and its page, on which songs are composed, changed and kept; and its export.

`session/` holds songs that are being edited, `server/` answers requests, `page/` is what the browser shows, `export/`
writes a page that needs no server.
"""
