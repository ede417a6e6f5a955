"""Records through JSON, dictionaries, sorting, regular expressions and a graph of objects: a day's work in Python.

objects.py ROUNDS
"""
import collections
import hashlib
import json
import random
import re
import sys
import zlib

rounds = int(sys.argv[1])
random.seed(42)
digest = hashlib.sha256()


class Order:
    def __init__(self, number, customer, lines):
        self.number, self.customer, self.lines = number, customer, lines
        self.next = None

    def total(self):
        return sum(count * price for _, count, price in self.lines)


def orders(count):
    for number in range(count):
        lines = [(f"item-{random.randrange(5000)}", random.randrange(1, 9), random.randrange(100, 9999))
                 for _ in range(random.randrange(1, 8))]
        yield Order(number, f"customer {random.randrange(3000)}", lines)


for turn in range(rounds):
    batch = list(orders(24_000))
    for one, other in zip(batch, random.sample(batch, len(batch))):
        one.next = other
    text = json.dumps([{"number": o.number, "customer": o.customer, "lines": o.lines, "next": o.next.number}
                       for o in batch], indent=1)
    packed = zlib.compress(text.encode(), 1)
    back = json.loads(zlib.decompress(packed))
    by_customer = collections.defaultdict(list)
    for record in back:
        by_customer[record["customer"]].append(record)
    best = sorted(((sum(c * p for r in rs for _, c, p in r["lines"]), who) for who, rs in by_customer.items()),
                  reverse=True)[:10]
    words = collections.Counter(re.findall(r"item-\d+", text))
    digest.update(repr((best, words.most_common(10), sum(o.total() for o in batch))).encode())

print("orders", rounds * 24_000, "digest", digest.hexdigest())
