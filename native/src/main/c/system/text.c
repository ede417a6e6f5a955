// --- A text in the room that there is, made without malloc --------------------------------------------------------------

typedef struct { char *at, *end; } mi_text;

MI_SLOW void mi_text_add(mi_text* text, const char* what) {
  while (*what != 0 && text->at < text->end) *text->at++ = *what++;
  *text->at = 0;
}

MI_SLOW void mi_text_digits(mi_text* text, uint64_t number, unsigned base) {
  char digits[24], *at = digits + sizeof(digits) - 1;
  *at = 0;
  do *--at = "0123456789abcdef"[number % base]; while ((number /= base) != 0);
  mi_text_add(text, at);
}

static void mi_text_number(mi_text* text, uint64_t number) { mi_text_digits(text, number, 10); }

static void mi_text_address(mi_text* text, uint64_t address) {
  mi_text_add(text, "0x");
  mi_text_digits(text, address, 16);
}
