"""Counts through the nodes given until a file appears, without a retry of its own; any error ends it with code 1.

Usage: redis_py_counter.py STOPFILE PORT...
"""

import os
import sys

import redis
from redis.backoff import NoBackoff
from redis.retry import Retry

stop, ports = sys.argv[1], [int(port) for port in sys.argv[2:]]
# No retry: a dropped connection or an error reply must show.
clients = [
    redis.Redis(host="127.0.0.1", port=port, retry=Retry(NoBackoff(), 0), socket_timeout=20, socket_connect_timeout=20)
    for port in ports
]
count = 0
while not os.path.exists(stop):
    for client in clients:
        count += 1
        value = client.incr("python")
        if value != count:
            sys.exit(f"increment {count} answered {value}")
    if count == 20:
        print("counting", flush=True)
print(f"counted {count}")
