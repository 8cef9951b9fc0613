"""A tour of redis-py, unmodified, through the nodes of a cluster.

Usage: redis_py_tour.py PROTOCOL PORT...   (PROTOCOL is 2 or 3)
Ends with code 0 when every answer was the expected one.
"""

import sys
import threading
import time

import redis

protocol = int(sys.argv[1])
ports = [int(port) for port in sys.argv[2:]]
done = 0


def expect(value, expected, what):
    global done
    if value != expected:
        sys.exit(f"{what}: expected {expected!r}, got {value!r}")
    done += 1


def near(value, low, high, what):
    global done
    if not low <= value <= high:
        sys.exit(f"{what}: expected {low} to {high}, got {value!r}")
    done += 1


def refused(call, error, words, what):
    global done
    try:
        call()
    except error as problem:
        if words in str(problem):
            done += 1
            return
        sys.exit(f"{what}: another message: {problem}")
    sys.exit(f"{what}: no error")


def connect(port, **options):
    return redis.Redis(host="127.0.0.1", port=port, protocol=protocol, decode_responses=True, socket_timeout=20, **options)


def strings(r, other):
    expect(r.set("s", "value"), True, "SET")
    expect(other.get("s"), "value", "GET on another node")
    expect(r.set("s", "next", nx=True), None, "SET NX")
    expect(r.set("s", "next", get=True), "value", "SET GET")
    expect(r.append("s", "!"), 5, "APPEND")
    expect(r.getrange("s", 1, 3), "ext", "GETRANGE")
    expect(r.setrange("s", 0, "N"), 5, "SETRANGE")
    expect(r.strlen("s"), 5, "STRLEN")
    expect(r.getdel("s"), "Next!", "GETDEL")
    expect(r.incr("n"), 1, "INCR")
    expect(other.incrby("n", 41), 42, "INCRBY")
    expect(r.decr("n", 2), 40, "DECRBY")
    expect(r.incrbyfloat("f", 0.1), 0.1, "INCRBYFLOAT")
    expect(other.incrbyfloat("f", 0.2), 0.3, "INCRBYFLOAT again")
    expect(r.mset({"m1": 1, "m2": 2}), True, "MSET")
    expect(other.mget("m1", "m2", "m3"), ["1", "2", None], "MGET")
    expect(r.msetnx({"m2": 0, "m4": 4}), False, "MSETNX")
    binary = redis.Redis(host="127.0.0.1", port=ports[0], protocol=protocol)
    everything = bytes(range(256)) * 300
    expect(binary.set(everything[:256], everything), True, "SET of any bytes")
    expect(binary.get(everything[:256]), everything, "GET of any bytes")
    expect(r.set("word", "x"), True, "SET")
    refused(lambda: r.incr("word"), redis.ResponseError, "not an integer", "INCR of a word")


def keys(r, other):
    expect(r.set("k", "v"), True, "SET")
    expect(r.exists("k", "k", "none"), 2, "EXISTS")
    expect(r.type("k"), "string", "TYPE")
    expect(r.rename("k", "k2"), True, "RENAME")
    expect(other.get("k2"), "v", "GET of the new name")
    expect(r.copy("k2", "k3"), True, "COPY")
    expect(r.delete("k2", "k3", "none"), 2, "DEL")
    refused(lambda: r.rename("none", "x"), redis.ResponseError, "no such key", "RENAME of nothing")
    elsewhere = connect(ports[0], db=5)
    expect(elsewhere.set("five", 5), True, "SET in database 5")
    expect(r.exists("five"), 0, "EXISTS in database 0")
    expect(elsewhere.dbsize(), 1, "DBSIZE of database 5")
    expect(elsewhere.flushdb(), True, "FLUSHDB")


def expiry(r, other):
    expect(r.set("e", "v", px=150), True, "SET PX")
    near(other.pttl("e"), 1, 150, "PTTL")
    expect(r.set("e2", "v", ex=100), True, "SET EX")
    near(other.ttl("e2"), 90, 100, "TTL")
    expect(r.persist("e2"), True, "PERSIST")
    expect(r.ttl("e2"), -1, "TTL without one")
    expect(r.expire("e2", 50, nx=True), True, "EXPIRE NX")
    expect(r.expire("e2", 10, gt=True), False, "EXPIRE GT")
    expect(r.expireat("e2", int(time.time()) + 1000), True, "EXPIREAT")
    near(r.ttl("e2"), 900, 1001, "TTL")
    expect(r.getex("e2", persist=True), "v", "GETEX PERSIST")
    expect(r.ttl("none"), -2, "TTL of nothing")
    deadline = time.monotonic() + 20
    while other.exists("e"):
        if time.monotonic() > deadline:
            sys.exit("a key outlives its time")
    expect(r.get("e"), None, "GET of what has expired")


def hashes(r, other):
    expect(r.hset("h", mapping={"a": 1, "b": "two", "c": 3.5}), 3, "HSET")
    expect(other.hgetall("h"), {"a": "1", "b": "two", "c": "3.5"}, "HGETALL")
    expect(r.hget("h", "b"), "two", "HGET")
    expect(r.hmget("h", "a", "z"), ["1", None], "HMGET")
    expect(r.hincrby("h", "a", 9), 10, "HINCRBY")
    expect(other.hincrbyfloat("h", "c", 0.25), 3.75, "HINCRBYFLOAT")
    expect(r.hexists("h", "z"), False, "HEXISTS")
    expect(r.hdel("h", "b", "z"), 1, "HDEL")
    expect(sorted(other.hkeys("h")), ["a", "c"], "HKEYS")
    expect(sorted(other.hvals("h")), ["10", "3.75"], "HVALS")
    expect(r.hlen("h"), 2, "HLEN")
    expect(dict(r.hscan_iter("h")), {"a": "10", "c": "3.75"}, "HSCAN")
    refused(lambda: r.get("h"), redis.ResponseError, "WRONGTYPE", "GET of a hash")


def collections(r, other):
    expect(r.rpush("l", *range(10)), 10, "RPUSH")
    expect(other.lrange("l", 0, 2), ["0", "1", "2"], "LRANGE")
    expect(r.lpop("l"), "0", "LPOP")
    expect(other.rpop("l", 2), ["9", "8"], "RPOP 2")
    expect(r.sadd("set", "x", "y", "x"), 2, "SADD")
    expect(other.smembers("set"), {"x", "y"}, "SMEMBERS")
    expect(r.zadd("z", {"one": 1, "two": 2.5}), 2, "ZADD")
    expected = [["one", 1.0], ["two", 2.5]]
    expect([list(pair) for pair in other.zrange("z", 0, -1, withscores=True)], expected, "ZRANGE")
    expect([list(pair) for pair in r.zpopmin("z", 1)], [["one", 1.0]], "ZPOPMIN")


def pipelines(r, other):
    with r.pipeline(transaction=False) as pipe:
        for number in range(500):
            pipe.set(f"p:{number}", number)
            pipe.incr("p:count")
        replies = pipe.execute()
    expect(replies, [reply for number in range(500) for reply in (True, number + 1)], "a pipeline's replies")
    with other.pipeline(transaction=False) as pipe:
        for number in range(500):
            pipe.get(f"p:{number}")
        expect(pipe.execute(), [str(number) for number in range(500)], "what another node's pipeline reads")
    with r.pipeline(transaction=False) as pipe:
        pipe.set("p:word", "x").incr("p:word").get("p:word")
        replies = pipe.execute(raise_on_error=False)
    expect([replies[0], type(replies[1]), replies[2]], [True, redis.ResponseError, "x"], "a pipeline with an error in it")


def scans(r, other):
    r.mset({f"scan:{number}": number for number in range(1000)})
    expected = {f"scan:{number}" for number in range(1000)}
    expect(set(r.scan_iter(match="scan:*", count=100)), expected, "SCAN")
    # A cursor goes on at any node.
    found, cursor, turn = [], 0, 0
    while True:
        cursor, page = (r if turn % 2 == 0 else other).scan(cursor, match="scan:*", count=50)
        found += page
        turn += 1
        if cursor == 0:
            break
    expect(set(found), expected, "SCAN from node to node")
    expect(len(found), 1000, "SCAN gives each key once while nothing changes")
    expect(set(r.scan_iter(match="h", _type="hash")), {"h"}, "SCAN TYPE")


def connections(r):
    expect(r.ping(), True, "PING")
    expect(r.echo("text"), "text", "ECHO")
    expect(r.client_setname("tour"), True, "CLIENT SETNAME")
    expect(r.client_id() > 0, True, "CLIENT ID")
    expect(r.execute_command("CLIENT SETINFO", "LIB-NAME", "tour") in (True, "OK"), True, "CLIENT SETINFO")
    info = r.client_info()
    expect(info["lib-name"] in ("tour", "redis-py"), True, "CLIENT INFO shows the library")
    expect(r.info("server")["redis_version"], "7.2.4", "INFO")
    expect(r.config_get("maxmemory"), {"maxmemory": "0"}, "CONFIG GET")
    expect(r.command_count() > 100, True, "COMMAND COUNT")
    expect(r.command_getkeys("SET", "a", "b"), ["a"], "COMMAND GETKEYS")
    near(r.time()[0], time.time() - 10, time.time() + 10, "TIME")
    refused(lambda: r.execute_command("NO-SUCH"), redis.ResponseError, "unknown command", "a command that is not there")
    if protocol == 3:
        expect(r.execute_command("HELLO")["proto"], 3, "HELLO")


def pool():
    shared = redis.ConnectionPool(host="127.0.0.1", port=ports[-1], protocol=protocol, max_connections=8)
    problems = []

    def work():
        try:
            client = redis.Redis(connection_pool=shared)
            for _ in range(100):
                client.incr("pool")
        except Exception as problem:
            problems.append(problem)

    threads = [threading.Thread(target=work) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    expect(problems, [], "threads on one pool")
    expect(redis.Redis(connection_pool=shared).get("pool"), b"800", "what they counted")
    shared.disconnect()


r, other = connect(ports[0]), connect(ports[-1])
expect(r.flushall(), True, "FLUSHALL")
strings(r, other)
keys(r, other)
expiry(r, other)
hashes(r, other)
collections(r, other)
pipelines(r, other)
scans(r, other)
connections(r)
pool()
print(f"tour complete: {done} checks with protocol {protocol}, redis-py {redis.__version__}")
