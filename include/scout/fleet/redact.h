/* Secrets in text from hosts, and putting markers in their places (redact_marker.h). Pure.
 *
 * The eight digits of a marker are a hash of the secret, keyed by a secret of the daemon's life:
 * the same secret has the same eight as long as the daemon runs, and nobody can tell it from them.
 *
 * It is a net and no wall: a secret that looks like none goes through. The wall is policy's read
 * deny-list. */
#ifndef SCOUT_FLEET_REDACT_H
#define SCOUT_FLEET_REDACT_H

#include "scout/base/buf.h"
#include "scout/base/error.h"
#include "scout/base/siphash.h"
#include "scout/fleet/redact_marker.h"

#define REDACT_PATTERNS_MAX 32   /* that a configuration may add */
#define REDACT_PATTERN_MAX  1024 /* bytes of one */

/* Steps that patterns may take for one result, however many texts it has: some for each of its
 * bytes and for each pattern, since a pattern that backtracks little takes about one for a byte. A
 * million takes 3 to 15 ms. Short texts have some of their own besides: words of the protocol among
 * them are not withheld because a host's text took all the others. */
#define REDACT_STEPS_FIRST    100000u
#define REDACT_STEPS_PER_BYTE 8u
#define REDACT_STEPS_MAX      200000000u
#define REDACT_SHORT_MAX      256u /* bytes of a short text, */
#define REDACT_SHORT_FIRST    16u  /* and its own steps for each pattern, */
#define REDACT_SHORT_PER_BYTE 4u   /* besides those for each of its bytes */

struct redactor;

struct redactor_config {
    bool defaults;               /* the built-in kinds */
    const char *const *patterns; /* PCRE2; of one with groups the first is the secret */
    size_t pattern_count;        /* REDACT_PATTERNS_MAX at most */
    uint8_t key[SIPHASH_KEY_SIZE];
};

/* Copies what it needs. 0, SCOUT_E_INVALID_ARGUMENT (a pattern; *why says which and where), or
 * SCOUT_E_NOMEM. It never changes afterwards: any thread may use it. */
__attribute__((warn_unused_result)) int
redactor_new(struct redactor **out, const struct redactor_config *config, struct failure *why);
/* One more holder, each of which frees it once; all on one thread. */
struct redactor *redactor_hold(struct redactor *r);
void redactor_free(struct redactor *r);

/* 0, or SCOUT_E_INVALID_ARGUMENT with why this is no pattern. */
__attribute__((warn_unused_result)) int redactor_check_pattern(const char *pattern,
                                                               struct failure *why);

/* Whether it has patterns of a configuration, which are slower than the rest. */
bool redactor_has_patterns(const struct redactor *r);
/* Whether it has the built-in kinds. */
bool redactor_has_defaults(const struct redactor *r);

/* False: `text`, UTF-8 or the inside of a JSON string, has nothing that redact would change. Cheap;
 * true promises nothing. */
bool redact_suspects(const struct redactor *r, struct slice text);

/* What the texts of one result may cost; shared by all of them. */
struct redact_budget {
    uint64_t steps; /* that are left to patterns */
    bool is_short;  /* they did not suffice for some text */
};

/* For a result of that many bytes. */
struct redact_budget redact_budget_of(const struct redactor *r, size_t bytes);

struct redact_counts {
    uint64_t secrets;   /* that were replaced */
    uint64_t unchecked; /* texts that were withheld: the budget did not suffice to look at them */
};

/* Appends `text`, which is UTF-8, with markers for its secrets, and adds what was done to *counts.
 * A text for which the budget does not suffice becomes one marker, of the kind `unchecked`. 0, or
 * SCOUT_E_NOMEM or SCOUT_E_LIMIT from `out`; `out` then holds a part. */
__attribute__((warn_unused_result)) int redact(const struct redactor *r, struct slice text,
                                               struct buf *out, struct redact_counts *counts,
                                               struct redact_budget *budget);

/* Appends the bytes from `from` to `to` of `text`, of which the rest is what stands around them:
 * with markers for what of secrets is in them, also of those that begin before or end behind. Each
 * line of a secret has a marker of its own, so that the lines keep their numbers. Errors are those
 * of redact. */
__attribute__((warn_unused_result)) int redact_range(const struct redactor *r, struct slice text,
                                                     size_t from, size_t to, struct buf *out,
                                                     struct redact_counts *counts,
                                                     struct redact_budget *budget);

/* Lines of one file, in order, as a search tells them: some of its lines, each by itself. */
struct redact_line {
    struct slice text;
    uint64_t number;
    const char *kind; /* of the secret that it is a line of; NULL: it is none */
};

/* Sets `kind` of each. A line that tells by itself that it is a secret is left to redact. */
void redact_lines(const struct redactor *r, struct redact_line *lines, size_t count);

/* Appends the marker of a secret. 0, or SCOUT_E_NOMEM or SCOUT_E_LIMIT. */
__attribute__((warn_unused_result)) int
redact_put_marker(const struct redactor *r, const char *kind, struct slice secret, struct buf *out);

#endif
