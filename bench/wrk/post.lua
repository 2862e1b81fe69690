-- The request of the echo row: ten thousand bytes, the same as POST in rows.py.
wrk.method = "POST"
wrk.body = string.rep("0123456789", 1000)
wrk.headers["Content-Type"] = "application/octet-stream"
