"""The server: everything that is stored, over HTTP, for the dashboard and for programs.

It reads facts and plain files. It never unpickles, and never imports what a user wrote.
"""
