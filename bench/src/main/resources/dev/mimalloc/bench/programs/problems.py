"""Writes a set of problems for an SMT solver: pigeons, random clauses, factors of a product, schedules, arrays."""
import random
import sys

random.seed(42)
out = []


def say(*lines):
    out.extend(lines)


def problem(*lines):
    say(*lines, "(check-sat)", "(reset)")


# Eight pigeons do not fit into seven holes.
pigeons, holes = 8, 7
lines = [f"(declare-const p{i}_{j} Bool)" for i in range(pigeons) for j in range(holes)]
lines += ["(assert (or " + " ".join(f"p{i}_{j}" for j in range(holes)) + "))" for i in range(pigeons)]
lines += [f"(assert (not (and p{i}_{j} p{k}_{j})))" for j in range(holes) for i in range(pigeons) for k in range(i)]
problem(*lines)

# Three literals in a clause, near the point where half of such problems can be satisfied.
for variables in (140, 160, 180, 200, 220):
    lines = [f"(declare-const x{i} Bool)" for i in range(variables)]
    for _ in range(int(variables * 4.1)):
        chosen = random.sample(range(variables), 3)
        literals = [f"x{i}" if random.random() < .5 else f"(not x{i})" for i in chosen]
        lines.append("(assert (or " + " ".join(literals) + "))")
    problem(*lines)

# Two primes of which only the product is known, as words of bits.
for p, q in ((251, 241), (1021, 1019), (2039, 2029)):
    problem("(declare-const p (_ BitVec 24))", "(declare-const q (_ BitVec 24))",
            f"(assert (= (bvmul p q) (_ bv{p * q} 24)))",
            "(assert (bvult p (_ bv4096 24)))", "(assert (bvult q (_ bv4096 24)))", "(assert (bvugt q (_ bv1 24)))",
            "(assert (bvugt p (_ bv1 24)))", "(assert (bvule q p))")

# Jobs on one machine: any two must not overlap, and all must end in time.
for jobs in (6, 7):
    length = [random.randrange(2, 9) for _ in range(jobs)]
    end = sum(length) - (jobs == 7)
    lines = [f"(declare-const s{i} Int)(assert (>= s{i} 0))(assert (<= (+ s{i} {length[i]}) {end}))"
             for i in range(jobs)]
    lines += [f"(assert (or (<= (+ s{i} {length[i]}) s{k}) (<= (+ s{k} {length[k]}) s{i})))"
              for i in range(jobs) for k in range(i)]
    problem(*lines)

# Arrays: that two orders of the same swaps give the same array.
for swaps in (6, 7):
    lines = ["(declare-const a (Array Int Int))"] + [f"(declare-const i{k} Int)" for k in range(swaps)]
    left = right = "a"
    for k in range(swaps):
        left = f"(store {left} i{k} {k})"
        right = f"(store {right} i{swaps - 1 - k} {swaps - 1 - k})"
    lines.append("(assert (distinct " + " ".join(f"i{k}" for k in range(swaps)) + "))")
    lines.append(f"(assert (not (= {left} {right})))")
    problem(*lines)

with open(sys.argv[1], "w") as file:
    file.write("\n".join(out) + "\n")
