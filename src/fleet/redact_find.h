/* Private to the redaction: finding the built-in kinds of secrets. Pure. */
#ifndef SCOUT_FLEET_REDACT_FIND_H
#define SCOUT_FLEET_REDACT_FIND_H

#include "scout/base/slice.h"

struct secret {
    size_t from, to; /* in the text; to > from */
    const char *kind;
};

/* A text that is searched from its begin to its end. */
struct redact_scan {
    struct slice text;
    size_t at;    /* what is before it has been searched */
    size_t floor; /* what is before it belongs to secrets that were found */
    /* The next end of a key block at or behind `end_from` is at `end_at`; SIZE_MAX: there is none.
     */
    size_t end_from, end_at;
    bool end_known;
};

/* Grams of three bytes, in small letters, to the rules that have them. */
#define REDACT_GRAM_BITS 13
struct redact_grams {
    uint8_t first[1u << REDACT_GRAM_BITS]; /* number of a rule, from 1; 0: none */
    uint8_t next[256];                     /* of a rule: the next with the same hash */
};

void redact_grams_init(struct redact_grams *g);

/* The next secret; false: there is none any more. */
bool redact_find(const struct redact_grams *g, struct redact_scan *s, struct secret *out);
/* Whether any rule's words stand in `text`. */
bool redact_find_word(const struct redact_grams *g, struct slice text);

/* What a rule knows besides its words, `word` to `end` in the text. */
struct redact_rule;
struct redact_word {
    const struct redact_rule *rule;
    size_t from, to;
};
typedef bool redact_rule_fn(struct redact_scan *s, const struct redact_word *w, struct secret *out);

struct redact_rule {
    const char *word; /* in small letters; letters of the text may be large unless `exact` */
    const char *exact;
    uint8_t len;  /* of the word */
    uint8_t gram; /* where in it the gram is that is looked for: a rare one */
    const char *kind;
    redact_rule_fn *find;
    const char *charset; /* of a token: what may follow, as in the table of redact_token.c */
    uint16_t least;      /* characters of that */
};

redact_rule_fn redact_token, redact_jwt, redact_hash;                    /* redact_token.c */
redact_rule_fn redact_block_begin, redact_block_end, redact_block_magic; /* redact_block.c */
redact_rule_fn redact_assigned, redact_assigned_key, redact_header,      /* redact_assigned.c */
    redact_bearer, redact_url;

/* ---- characters ---- */

static inline bool redact_is_alnum(uint8_t c)
{
    return (c >= '0' && c <= '9') || ((c | 0x20) >= 'a' && (c | 0x20) <= 'z');
}

/* The byte at `at`, or 0 behind the end. */
static inline uint8_t redact_byte(const struct redact_scan *s, size_t at)
{
    return at < s->text.len ? s->text.data[at] : 0;
}

/* The byte before `at`, or 0. */
static inline uint8_t redact_byte_before(const struct redact_scan *s, size_t at)
{
    return at > 0 ? s->text.data[at - 1] : 0;
}

#endif
