"""Every group of commands through redis-py, unmodified, blocking and asyncio alike.

Usage: redis_py_groups.py sync|asyncio PROTOCOL PORT...   (PROTOCOL is 2 or 3)
Each call goes to the next node in turn. Ends with code 0 when every answer was the expected one.
"""

import asyncio
import inspect
import sys

import redis
import redis.asyncio

mode, protocol, ports = sys.argv[1], int(sys.argv[2]), [int(port) for port in sys.argv[3:]]
library = redis.asyncio if mode == "asyncio" else redis
clients = [
    library.Redis(host="127.0.0.1", port=port, protocol=protocol, decode_responses=True, socket_timeout=20) for port in ports
]
done = 0


async def call(name, *arguments, **options):
    client = clients[done % len(clients)]
    reply = getattr(client, name)(*arguments, **options)
    return await reply if inspect.isawaitable(reply) else reply


def plain(value):
    """Tuples and lists, sets, and floats that are whole numbers look different in the two protocols."""
    if isinstance(value, (list, tuple)):
        return [plain(item) for item in value]
    if isinstance(value, set):
        return sorted(plain(item) for item in value)
    if isinstance(value, dict):
        return {key: plain(item) for key, item in value.items()}
    return value


async def expect(expected, name, *arguments, **options):
    global done
    value = plain(await call(name, *arguments, **options))
    if value != plain(expected):
        sys.exit(f"{name} {arguments} {options}: expected {expected!r}, got {value!r}")
    done += 1


async def satisfies(test, name, *arguments, **options):
    global done
    value = await call(name, *arguments, **options)
    if not test(value):
        sys.exit(f"{name} {arguments} {options}: got {value!r}")
    done += 1


async def refused(words, name, *arguments, **options):
    global done
    try:
        value = await call(name, *arguments, **options)
    except redis.ResponseError as problem:
        if words not in str(problem):
            sys.exit(f"{name} {arguments}: another message: {problem}")
        done += 1
        return
    sys.exit(f"{name} {arguments}: no error, but {value!r}")


async def strings():
    await expect(True, "set", "s", "ohmytext")
    await expect(True, "set", "t", "mynewtext")
    await expect("mytext", "lcs", "s", "t")
    await expect(6, "lcs", "s", "t", len=True)
    await expect("hm", "substr", "s", 1, 2)
    await expect("ohmytext", "getset", "s", "x")
    await expect(True, "psetex", "s", 100_000, "y")
    await satisfies(lambda left: 0 < left <= 100_000, "pttl", "s")


async def bitmaps():
    await expect(0, "setbit", "b", 7, 1)
    await expect(1, "getbit", "b", 7)
    await expect(1, "bitcount", "b")
    await expect(7, "bitpos", "b", 1)
    await expect(True, "set", "b2", "\x0f")
    await expect(1, "bitop", "AND", "b3", "b", "b2")
    await expect("\x01", "get", "b3")
    await expect([0, 255], "execute_command", "BITFIELD", "bf", "SET", "u8", "#1", 255, "GET", "u8", "#1")
    await expect([None], "execute_command", "BITFIELD", "bf", "OVERFLOW", "FAIL", "INCRBY", "u8", "#1", 1)
    await refused("bit offset is not an integer", "setbit", "b", -1, 1)


async def lists():
    await expect(5, "rpush", "l", *"abcde")
    await expect(2, "lpos", "l", "c")
    await expect(6, "linsert", "l", "BEFORE", "c", "x")
    await expect("e", "lmove", "l", "l2", "RIGHT", "LEFT")
    await expect(["l", ["a", "b"]], "lmpop", 2, "l", "l2", direction="LEFT", count=2)
    await expect(["x", "c", "d"], "lrange", "l", 0, -1)
    await expect(1, "lrem", "l", 0, "x")
    await expect(True, "lset", "l", 0, "C")
    await expect(True, "ltrim", "l", 0, 0)
    await expect("C", "rpoplpush", "l", "l2")
    await expect(["C", "e"], "lrange", "l2", 0, -1)


async def sets():
    await expect(4, "sadd", "a", *"abcd")
    await expect(3, "sadd", "b4", *"cde")
    await expect({"c", "d"}, "sinter", "a", "b4")
    await expect(2, "sintercard", 2, ["a", "b4"])
    await expect({"a", "b"}, "sdiff", "a", "b4")
    await expect(5, "sunionstore", "u", "a", "b4")
    await expect([1, 0], "smismember", "a", ["a", "z"])
    await expect(True, "smove", "a", "b4", "a")
    await satisfies(lambda some: len(some) == 2 and set(some) <= set("bcd"), "srandmember", "a", 2)
    await satisfies(lambda some: set(some) == set("bcd"), "spop", "a", 10)
    await expect(0, "exists", "a")


async def sorted_sets():
    await expect(3, "zadd", "z", {"one": 1, "two": 2, "three": 3})
    await expect(1, "zadd", "z", {"one": 0.5, "four": 4}, gt=True)
    await expect(["three", "two"], "zrange", "z", 3, 2, desc=True, byscore=True)
    await expect(2, "zrangestore", "z2", "z", 0, 1)
    await expect(2, "zcount", "z", 2, "(4")
    await expect(3, "zrank", "z", "four")
    await expect(5.5, "zincrby", "z", 4.5, "one")
    await expect(4, "zunionstore", "zu", {"z": 2, "z2": 1}, aggregate="MAX")
    await expect(11.0, "zscore", "zu", "one")
    await expect(2, "zintercard", 2, ["z", "z2"])
    await satisfies(lambda reply: reply[0] == "z2", "zmpop", 1, ["z2"], min=True)
    await expect(1, "zremrangebyscore", "z", 2, 2)
    await satisfies(lambda reply: len(reply) == 2, "zrandmember", "z", 2)


async def hashes():
    await expect(3, "hset", "h", mapping={"a": 1, "b": 2, "c": 3})
    await satisfies(lambda some: len(some) == 2 and set(some) <= set("abc"), "hrandfield", "h", 2)
    await expect(10.5, "hincrbyfloat", "h", "a", 9.5)
    await expect(1, "hstrlen", "h", "b")
    await expect(False, "hsetnx", "h", "b", 9)
    await expect([1, -2], "hexpire", "h", 1000, "b", "none")
    await satisfies(lambda left: 900 < left[0] <= 1000 and left[1] == -1, "httl", "h", "b", "c")
    await expect([1, -1], "hpersist", "h", "b", "c")
    await expect([2], "hpexpireat", "h", 1, "c")
    await satisfies(lambda keys: sorted(keys) == ["a", "b"], "hkeys", "h")


async def streams():
    await expect("1-1", "xadd", "x", {"f": "v"}, id="1-1")
    await expect("1-2", "xadd", "x", {"f": "w", "g": "y"}, id="1-*")
    await satisfies(lambda last: last > "1-2", "xadd", "x", {"f": "now"})
    await expect(3, "xlen", "x")
    await expect([["1-1", {"f": "v"}], ["1-2", {"f": "w", "g": "y"}]], "xrange", "x", "-", "1-2")
    await satisfies(lambda reply: "1-2" in str(reply) and "1-1" not in str(reply), "xread", {"x": "1-1"}, count=1)
    await expect(True, "xgroup_create", "x", "g", id="0")
    await satisfies(lambda reply: "1-1" in str(reply), "xreadgroup", "g", "me", {"x": ">"}, count=2)
    await satisfies(lambda reply: reply["pending"] == 2, "xpending", "x", "g")
    await expect(1, "xack", "x", "g", "1-1")
    await satisfies(lambda reply: [row["message_id"] for row in reply] == ["1-2"], "xpending_range", "x", "g", "-", "+", 10)
    await satisfies(lambda reply: reply and reply[0][0] == "1-2", "xclaim", "x", "g", "you", 0, ["1-2"])
    await satisfies(lambda reply: "1-2" in str(reply), "xautoclaim", "x", "g", "me", 0)
    await satisfies(lambda reply: reply["length"] == 3, "xinfo_stream", "x")
    await satisfies(lambda reply: reply[0]["name"] == "g" and reply[0]["pending"] == 1, "xinfo_groups", "x")
    await satisfies(lambda reply: {row["name"] for row in reply} == {"me", "you"}, "xinfo_consumers", "x", "g")
    await expect(1, "xdel", "x", "1-1")
    await expect(1, "xtrim", "x", maxlen=1, approximate=False)
    await refused("equal or smaller", "xadd", "x", {"f": "v"}, id="1-1")


async def hyperloglogs():
    await expect(1, "pfadd", "p1", *range(1000))
    await expect(1, "pfadd", "p2", *range(500, 1500))
    await satisfies(lambda count: 980 < count < 1020, "pfcount", "p1")
    await satisfies(lambda count: 1470 < count < 1530, "pfcount", "p1", "p2")
    await expect(True, "pfmerge", "p3", "p1", "p2")
    await satisfies(lambda count: 1470 < count < 1530, "pfcount", "p3")
    await refused("not a valid HyperLogLog", "pfadd", "s", 1)


async def places():
    await expect(2, "geoadd", "geo", [13.361389, 38.115556, "Palermo", 15.087269, 37.502669, "Catania"])
    await expect(166.2742, "geodist", "geo", "Palermo", "Catania", "km")
    await expect(["sqc8b49rny0", "sqdtr74hyu0"], "geohash", "geo", "Palermo", "Catania")
    await satisfies(lambda places: abs(places[0][0] - 13.361389) < 1e-5, "geopos", "geo", "Palermo")
    await expect(["Catania"], "geosearch", "geo", longitude=15, latitude=37, radius=100, unit="km")
    await expect(2, "geosearchstore", "geo2", "geo", longitude=15, latitude=37, width=400, height=400, unit="km")
    await expect(["Catania", "Palermo"], "georadius", "geo", 15, 37, 200, unit="km", sort="ASC")


async def generic():
    await expect(3, "rpush", "sort", 3, 1, 2)
    await expect(["1", "2", "3"], "sort", "sort")
    await expect(2, "sort", "sort", start=0, num=2, desc=True, store="sorted")
    await expect(True, "copy", "sorted", "sorted2")
    await expect(True, "move", "sorted2", 1)
    await expect(True, "swapdb", 1, 2)
    await expect("listpack", "object", "encoding", "sorted")
    payload = redis.Redis(host="127.0.0.1", port=ports[0]).dump("sorted")
    await expect("OK", "restore", "restored", 0, payload)
    await expect(["3", "2"], "lrange", "restored", 0, -1)
    await refused("BUSYKEY", "restore", "restored", 0, payload)
    await expect(1, "touch", "restored")
    await expect(1, "unlink", "restored")
    await satisfies(lambda count: count >= 1, "wait", 1, 100)


async def server():
    await satisfies(lambda size: size > 0, "memory_usage", "l2")
    await satisfies(lambda stats: stats["keys.count"] > 0, "memory_stats")
    await expect(True, "slowlog_reset")
    await satisfies(lambda length: length >= 0, "slowlog_len")
    await satisfies(lambda items: isinstance(items, list), "slowlog_get")
    await expect(True, "client_pause", 1)
    await satisfies(bool, "client_unpause")
    await satisfies(lambda names: "set" in names, "command_list")
    await satisfies(lambda text: "Redis ver. 7.2.4" in text, "lolwut")
    await refused("Raft", "replicaof", "127.0.0.1", "1")


async def limits():
    await expect([0, 16, 15, -1, 2], "execute_command", "CL.THROTTLE", "user", 15, 30, 60)


async def main():
    await expect(True, "flushall")
    groups = [strings, bitmaps, lists, sets, sorted_sets, hashes, streams, hyperloglogs, places, generic, server, limits]
    for group in groups:
        await group()
    if mode == "asyncio":
        await asyncio.gather(*[clients[number % len(clients)].incr("together") for number in range(300)])
        await expect("300", "get", "together")
        for client in clients:
            await client.aclose()
    print(f"groups complete: {done} checks, {mode}, protocol {protocol}, redis-py {redis.__version__}")


asyncio.run(main())
