"""Replay: past readings from files, such as load profiles exported from meters, each row exactly once.

``rows`` is pure, ``lines`` reads files with bounded memory, ``bookmarks`` says how far a file has been recorded,
``rejects`` keeps the rows that were refused, ``source`` ties them together.
"""
