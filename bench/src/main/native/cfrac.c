// Bignum churn: the continued fraction of the square root of a number of 200 bits, with the convergents modulo that
// number, as factoring by continued fractions needs them. Every operation allocates its result, most of which die at
// once; the blocks have 16 to 80 bytes.
// In the manner of cfrac, in Zorn's collection of allocation-intensive programs (Barrett and Zorn, 1993).
#include "bench.h"

typedef struct {
  uint32_t length; // no leading zeros; 0 has length 0
  uint32_t digits[];
} number_t;

static number_t* number(uint32_t length) {
  number_t* n = malloc(sizeof(number_t) + length * sizeof(uint32_t));
  if (n == NULL) fail("out of memory");
  n->length = length;
  return n;
}

static number_t* trim(number_t* n) {
  while (n->length > 0 && n->digits[n->length - 1] == 0) n->length--;
  return n;
}

static number_t* from_word(uint64_t word) {
  number_t* n = number(2);
  n->digits[0] = (uint32_t)word;
  n->digits[1] = (uint32_t)(word >> 32);
  return trim(n);
}

static int compare(const number_t* a, const number_t* b) {
  if (a->length != b->length) return a->length < b->length ? -1 : 1;
  for (uint32_t i = a->length; i-- > 0;)
    if (a->digits[i] != b->digits[i]) return a->digits[i] < b->digits[i] ? -1 : 1;
  return 0;
}

static number_t* add(const number_t* a, const number_t* b) {
  if (a->length < b->length) return add(b, a);
  number_t* sum = number(a->length + 1);
  uint64_t carry = 0;
  for (uint32_t i = 0; i < a->length; i++) {
    carry += (uint64_t)a->digits[i] + (i < b->length ? b->digits[i] : 0);
    sum->digits[i] = (uint32_t)carry;
    carry >>= 32;
  }
  sum->digits[a->length] = (uint32_t)carry;
  return trim(sum);
}

// a - b, where a is not less.
static number_t* subtract(const number_t* a, const number_t* b) {
  number_t* rest = number(a->length);
  int64_t borrow = 0;
  for (uint32_t i = 0; i < a->length; i++) {
    borrow += (int64_t)a->digits[i] - (i < b->length ? b->digits[i] : 0);
    rest->digits[i] = (uint32_t)borrow;
    borrow >>= 32;
  }
  return trim(rest);
}

static number_t* multiply(const number_t* a, const number_t* b) {
  number_t* product = number(a->length + b->length);
  memset(product->digits, 0, product->length * sizeof(uint32_t));
  for (uint32_t i = 0; i < a->length; i++) {
    uint64_t carry = 0;
    for (uint32_t j = 0; j < b->length; j++) {
      carry += (uint64_t)a->digits[i] * b->digits[j] + product->digits[i + j];
      product->digits[i + j] = (uint32_t)carry;
      carry >>= 32;
    }
    product->digits[i + b->length] = (uint32_t)carry;
  }
  return trim(product);
}

static number_t* shift_left(const number_t* a, uint32_t bits) {
  number_t* shifted = number(a->length + bits / 32 + 1);
  memset(shifted->digits, 0, shifted->length * sizeof(uint32_t));
  for (uint32_t i = 0; i < a->length; i++) {
    uint64_t wide = (uint64_t)a->digits[i] << (bits % 32);
    shifted->digits[i + bits / 32] |= (uint32_t)wide;
    shifted->digits[i + bits / 32 + 1] |= (uint32_t)(wide >> 32);
  }
  return trim(shifted);
}

static uint32_t bit_length(const number_t* a) {
  return a->length == 0 ? 0 : a->length * 32 - (uint32_t)__builtin_clz(a->digits[a->length - 1]);
}

static void set(number_t** variable, number_t* value) {
  free(*variable);
  *variable = value;
}

// The rest of a / b, and the quotient unless it is not wanted. Bit by bit: the quotients are small, as those of a
// continued fraction are, except that a product is reduced, which takes 200 turns.
static number_t* divide(const number_t* a, const number_t* b, number_t** quotient) {
  number_t* rest = add(a, &(number_t){0});
  number_t* result = from_word(0);
  uint32_t more = bit_length(a), bits = bit_length(b);
  for (int32_t shift = (int32_t)(more - bits); shift >= 0; shift--) {
    number_t* part = shift_left(b, (uint32_t)shift);
    if (compare(rest, part) >= 0) {
      set(&rest, subtract(rest, part));
      if (quotient != NULL) {
        number_t* one = from_word(1);
        number_t* bit = shift_left(one, (uint32_t)shift);
        set(&result, add(result, bit));
        free(one);
        free(bit);
      }
    }
    free(part);
  }
  if (quotient != NULL) *quotient = result;
  else free(result);
  return rest;
}

// Newton's method from above.
static number_t* square_root(const number_t* a) {
  number_t* one = from_word(1);
  number_t* root = shift_left(one, bit_length(a) / 2 + 1);
  while (true) {
    number_t *quotient, *half, *two = from_word(2);
    free(divide(a, root, &quotient));
    set(&quotient, add(quotient, root));
    free(divide(quotient, two, &half));
    free(quotient);
    free(two);
    if (compare(half, root) >= 0) {
      free(half);
      free(one);
      return root;
    }
    set(&root, half);
  }
}

// x * y mod n
static number_t* multiply_modulo(const number_t* x, const number_t* y, const number_t* n) {
  number_t* product = multiply(x, y);
  number_t* rest = divide(product, n, NULL);
  free(product);
  return rest;
}

// A convergent's numerator A satisfies A^2 = (-1)^k Q (mod n).
static void check_convergent(const number_t* a, const number_t* q, const number_t* n, bool negative) {
  number_t* square = multiply_modulo(a, a, n);
  number_t* expected = divide(q, n, NULL);
  if (negative) set(&expected, subtract(n, expected));
  if (compare(square, expected) != 0) fail("the continued fraction went wrong");
  free(square);
  free(expected);
}

static void expand(const number_t* n, size_t steps) {
  number_t* root = square_root(n);
  number_t *p = from_word(0), *q = from_word(1);
  number_t *before = from_word(1), *a = divide(root, n, NULL); // numerators of the last two convergents
  number_t* term = add(root, &(number_t){0}); // the root itself
  for (size_t k = 1; k <= steps; k++) {
    // p' = term q - p, q' = (n - p'^2) / q, term' = (root + p') / q', a' = term' a + before
    number_t* product = multiply(term, q);
    set(&p, subtract(product, p));
    free(product);
    number_t* square = multiply(p, p);
    number_t* difference = subtract(n, square);
    number_t* next;
    number_t* rest = divide(difference, q, &next);
    if (rest->length != 0) fail("a division left a rest");
    free(square);
    free(difference);
    free(rest);
    set(&q, next);
    if (k % 8 == 0) check_convergent(a, q, n, k % 2 == 1);
    number_t* sum = add(root, p);
    free(term);
    free(divide(sum, q, &term));
    free(sum);
    number_t* larger = multiply_modulo(term, a, n);
    set(&larger, add(larger, before));
    free(before);
    before = a;
    a = divide(larger, n, NULL);
    free(larger);
  }
  add_to_checksum(a->digits[0] + ((uint64_t)q->digits[0] << 32));
  free(root);
  free(p);
  free(q);
  free(before);
  free(a);
  free(term);
}

void work(void) {
  uint64_t random = seed(0);
  number_t* n = number(6);
  for (uint32_t i = 0; i < n->length; i++) n->digits[i] = (uint32_t)next_random(&random) | 1;
  expand(n, scaled(120000));
  free(n);
}
