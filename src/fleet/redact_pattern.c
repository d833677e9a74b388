/* Patterns of the configuration, by PCRE2, interpreted: a process that lets no memory be written
 * and run has no use for its compiler.
 *
 * PCRE2 backtracks, and the text is hostile: so the steps for a result are bounded. Its own limits
 * do not do that: they count for each place of a text anew where a match may begin. So each item of
 * a pattern calls back; what is counted is the call, and the way in the text since the last one,
 * which a repeated character goes in one item. What the budget does not suffice for is told, and
 * never passed for a text without secrets. A pattern may match the empty text; that is no secret.
 * Words of an error may be cut within a character, or a host's own bytes: so patterns are made for
 * texts that are no UTF-8, too. */
#define PCRE2_CODE_UNIT_WIDTH 8
#include "redact_pattern.h"

#include "scout/base/utf8.h"
#include <pcre2.h>
#include <stdlib.h>

#define HEAP_MAX_KIB   16384u
#define BYTES_PER_STEP 16u /* characters are looked at so much faster than a step is made */

struct redact_pattern {
    pcre2_code *code;
    uint32_t group; /* the secret: 1 where there is one, else 0 */
};

int redact_pattern_new(struct redact_pattern **out, const char *text, struct failure *why)
{
    int number;
    size_t offset;
    struct redact_pattern *p = calloc(1, sizeof *p);
    if (!p)
        return failure_set(why, SCOUT_E_NOMEM, "No memory for a pattern");
    p->code = pcre2_compile((PCRE2_SPTR)text, strlen(text),
                            PCRE2_MATCH_INVALID_UTF | PCRE2_MULTILINE | PCRE2_NEVER_BACKSLASH_C |
                                PCRE2_AUTO_CALLOUT,
                            &number, &offset, NULL);
    if (p->code) {
        pcre2_pattern_info(p->code, PCRE2_INFO_CAPTURECOUNT, &p->group);
        p->group = p->group > 0;
        *out = p;
        return 0;
    }
    PCRE2_UCHAR message[160];
    pcre2_get_error_message(number, message, sizeof message);
    free(p);
    return failure_set(why, SCOUT_E_INVALID_ARGUMENT,
                       "the pattern '%.80s' is wrong at byte %zu: %s", text, offset,
                       (const char *)message);
}

void redact_pattern_free(struct redact_pattern *p)
{
    if (!p)
        return;
    pcre2_code_free(p->code);
    free(p);
}

static int step(pcre2_callout_block *place, void *context)
{
    struct redact_search *s = context;
    size_t at = place->current_position;
    uint64_t steps = 1 + (at > s->step_at ? at - s->step_at : s->step_at - at) / BYTES_PER_STEP;
    s->step_at = at;
    if (steps > s->budget->steps) {
        s->budget->steps = 0;
        s->spent = s->budget->is_short = true;
        return PCRE2_ERROR_CALLOUT;
    }
    s->budget->steps -= steps;
    return 0;
}

int redact_search_init(struct redact_search *s, const struct redact_pattern *p, struct slice text,
                       struct redact_budget *budget)
{
    bool is_valid = utf8_valid_len(text) == text.len; /* else PCRE2 looks, each time */
    pcre2_match_data *data = pcre2_match_data_create_from_pattern(p->code, NULL);
    pcre2_match_context *limits = pcre2_match_context_create(NULL);
    *s = (struct redact_search){.pattern = p,
                                .text = text,
                                .budget = budget,
                                .options = is_valid ? PCRE2_NO_UTF_CHECK : 0,
                                .data = data,
                                .limits = limits};
    if (!data || !limits) {
        redact_search_fini(s);
        return SCOUT_E_NOMEM;
    }
    pcre2_set_heap_limit(limits, HEAP_MAX_KIB);
    pcre2_set_callout(limits, step, s);
    return 0;
}

void redact_search_fini(struct redact_search *s)
{
    pcre2_match_data_free(s->data);
    pcre2_match_context_free(s->limits);
}

/* Behind the character at `at`. */
static size_t next_character(struct slice text, size_t at)
{
    do
        at++;
    while (at < text.len && (text.data[at] & 0xC0) == 0x80);
    return at;
}

/* What pcre2_match says of the text from `at` on. */
static int match(struct redact_search *s)
{
    PCRE2_SPTR text = s->text.data ? s->text.data : (PCRE2_SPTR) "";
    s->step_at = s->at;
    return pcre2_match(s->pattern->code, text, s->text.len, s->at, s->options, s->data, s->limits);
}

int redact_search_next(struct redact_search *s, struct secret *out)
{
    while (!s->spent && s->at <= s->text.len) {
        int count = match(s);
        if (count == PCRE2_ERROR_NOMATCH)
            return 0;
        if (count < 0)
            return SCOUT_E_LIMIT;
        const PCRE2_SIZE *places = pcre2_get_ovector_pointer(s->data);
        uint32_t group = s->pattern->group && count > 1 && places[2] != PCRE2_UNSET;
        out->from = places[2 * group];
        out->to = places[2 * group + 1];
        /* \K and look-ahead can turn a match's ends round; it must go on in any case. */
        size_t end = places[1] > s->at ? places[1] : next_character(s->text, s->at);
        s->at = end;
        if (out->to > out->from)
            return 1;
    }
    return s->spent ? SCOUT_E_LIMIT : 0;
}
