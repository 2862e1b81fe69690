"""On a quick stop or a timeout each worker shows where its threads are."""

import sys
import threading
import traceback

bind = "127.0.0.1:8000"
worker_class = "gthread"
threads = 2
timeout = 30


def worker_int(worker):
    worker.log.info("worker received INT or QUIT signal")
    names = {thread.ident: thread.name for thread in threading.enumerate()}
    code = []
    for thread_id, stack in sys._current_frames().items():
        code.append("\n# Thread: %s(%d)" % (names.get(thread_id, ""), thread_id))
        for filename, line_number, name, line in traceback.extract_stack(stack):
            code.append('File: "%s", line %d, in %s' % (filename, line_number, name))
            if line:
                code.append("  %s" % line.strip())
    worker.log.info("\n".join(code))


def worker_abort(worker):
    worker.log.info("worker received SIGABRT signal")
