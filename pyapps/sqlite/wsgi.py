"""A connection made at import, which sqlite3 lets only the importing thread use."""
import sqlite3

connection = sqlite3.connect(":memory:")
connection.execute("create table visits (path text)")


def application(environ, start_response):
    with connection:
        connection.execute("insert into visits values (?)", (environ["PATH_INFO"],))
    (count,) = connection.execute("select count(*) from visits").fetchone()
    start_response("200 OK", [("Content-Type", "text/plain")])
    return [str(count).encode()]
