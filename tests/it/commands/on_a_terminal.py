"""Runs a command on a terminal of its own: on_a_terminal.py COLUMNS ROWS COMMAND...

Writes what the terminal was sent to standard output, and ends as the command did.
"""

import fcntl
import os
import pty
import struct
import sys
import termios

columns, rows, command = int(sys.argv[1]), int(sys.argv[2]), sys.argv[3:]
child, terminal = pty.fork()
if child == 0:
    fcntl.ioctl(1, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))
    os.execvp(command[0], command)
while True:
    try:
        sent = os.read(terminal, 65536)
    except OSError:  # the other end is closed
        break
    if not sent:
        break
    sys.stdout.buffer.write(sent)
sys.stdout.buffer.flush()
_, status = os.waitpid(child, 0)
sys.exit(os.waitstatus_to_exitcode(status))
