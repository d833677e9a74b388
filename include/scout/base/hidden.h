/* Characters that a reader does not see, or that change what he sees. Pure. */
#ifndef SCOUT_BASE_HIDDEN_H
#define SCOUT_BASE_HIDDEN_H

#include "scout/base/slice.h"

enum hidden_kind {
    HIDDEN_NOT,
    HIDDEN_CONTROL,   /* C0, DEL, C1 (ECMA-48), line break and tabulator among them */
    HIDDEN_BIDI,      /* they set the direction of what follows (UAX #9) */
    HIDDEN_INVISIBLE, /* default-ignorable ones (UAX #44), tags among them; line separators */
    HIDDEN_JOINER,    /* U+200C and U+200D: invisible, and needed between some letters */
    HIDDEN_SELECTOR,  /* U+FE00 to U+FE0F: invisible, and needed behind some characters */
};

/* Of any code point. */
enum hidden_kind hidden_kind(uint32_t code);

/* The code point of the well-formed UTF-8 character of `len` bytes at `at`. */
uint32_t hidden_decode(const uint8_t *at, size_t len);

#endif
