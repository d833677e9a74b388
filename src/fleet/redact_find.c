/* The search for the built-in kinds, in one pass.
 *
 * Each rule has a word that its secrets stand behind or begin with, and in the word three bytes
 * that are rare in other text. A table says of a hash of three bytes whether a rule has them; only
 * where it does, the whole word is compared and the rule's function looks at what is around it. So
 * plain text costs one look at the table a byte. The functions look at a bounded piece of text, or
 * at what then becomes the secret, which is not searched again. */
#include "redact_find.h"

#include <assert.h>
#include <strings.h>

#define TOKEN(text, at, name, set, count)                                                          \
    {                                                                                              \
        .word = text, .exact = text, .len = sizeof text - 1, .gram = at, .kind = name,             \
        .find = redact_token, .charset = set, .least = count                                       \
    }
#define NAMED(text, at, name, fn)                                                                  \
    {                                                                                              \
        .word = text, .len = sizeof text - 1, .gram = at, .kind = name, .find = fn                 \
    }
#define EXACT(text, at, name, fn)                                                                  \
    {                                                                                              \
        .word = text, .exact = text, .len = sizeof text - 1, .gram = at, .kind = name, .find = fn  \
    }

static const struct redact_rule rules[] = {
    EXACT("-----BEGIN ", 4, "private-key", redact_block_begin),
    EXACT("-----END ", 4, "private-key", redact_block_end),
    TOKEN("AGE-SECRET-KEY-1", 2, "private-key", "A", 50),
    /* What OpenSSH's own format begins with, and, in base64 once more, begins of PEM. */
    EXACT("b3BlbnNzaC1rZXktdjE", 0, "private-key", redact_block_magic),
    TOKEN("LS0tLS1CRUdJTiBPUEVOU1NIIFBSSVZBVEUg", 0, "private-key", "a+/=", 0),
    TOKEN("LS0tLS1CRUdJTiBSU0EgUFJJVkFURSBLRVk", 0, "private-key", "a+/=", 0),
    TOKEN("LS0tLS1CRUdJTiBFQyBQUklWQVRFIEtFWS0t", 0, "private-key", "a+/=", 0),
    TOKEN("LS0tLS1CRUdJTiBQUklWQVRFIEtFWS0", 0, "private-key", "a+/=", 0),
    TOKEN("LS0tLS1CRUdJTiBFTkNSWVBURUQgUFJJVkFURSBLRVkt", 0, "private-key", "a+/=", 0),
    TOKEN("AKIA", 0, "aws-key", "A", 16),
    TOKEN("ASIA", 0, "aws-key", "A", 16),
    TOKEN("ghp_", 1, "github", "a", 20),
    TOKEN("gho_", 1, "github", "a", 20),
    TOKEN("ghu_", 1, "github", "a", 20),
    TOKEN("ghs_", 1, "github", "a", 20),
    TOKEN("ghr_", 1, "github", "a", 20),
    TOKEN("github_pat_", 5, "github", "a_", 20),
    TOKEN("glpat-", 0, "gitlab", "a_-", 16),
    TOKEN("glrt-", 0, "gitlab", "a_-", 16),
    TOKEN("xoxb-", 0, "slack", "a-", 10),
    TOKEN("xoxp-", 0, "slack", "a-", 10),
    TOKEN("xoxa-", 0, "slack", "a-", 10),
    TOKEN("xoxr-", 0, "slack", "a-", 10),
    TOKEN("xoxs-", 0, "slack", "a-", 10),
    TOKEN("xoxe.", 0, "slack", "a-.", 10),
    TOKEN("xapp-", 0, "slack", "a-", 10),
    TOKEN("AIza", 0, "google", "a_-", 30),
    TOKEN("ya29.", 0, "google", "a_-.", 20),
    TOKEN("sk_live_", 2, "stripe", "a", 16),
    TOKEN("rk_live_", 2, "stripe", "a", 16),
    TOKEN("sk_test_", 2, "stripe", "a", 16),
    TOKEN("whsec_", 0, "stripe", "a+/=", 20),
    TOKEN("sk-ant-", 2, "anthropic", "a_-", 20),
    TOKEN("sk-proj-", 2, "openai", "a_-", 20),
    TOKEN("npm_", 1, "npm", "a", 30),
    TOKEN("pypi-AgE", 3, "pypi", "a_-", 40),
    TOKEN("hf_", 0, "hugging-face", "a", 30),
    TOKEN("SG.", 0, "sendgrid", "a_-.", 40),
    TOKEN("hvs.", 1, "vault", "a_-", 20),
    TOKEN("dop_v1_", 2, "digitalocean", "a", 40),
    EXACT("eyJ", 0, "jwt", redact_jwt),
    EXACT("$1$", 0, "hash", redact_hash),
    EXACT("$5$", 0, "hash", redact_hash),
    EXACT("$6$", 0, "hash", redact_hash),
    EXACT("$y$", 0, "hash", redact_hash),
    EXACT("$2a$", 0, "hash", redact_hash),
    EXACT("$2b$", 0, "hash", redact_hash),
    EXACT("$2y$", 0, "hash", redact_hash),
    NAMED("://", 0, "url-password", redact_url),
    NAMED("authorization", 6, "authorization", redact_header),
    NAMED("bearer ", 1, "authorization", redact_bearer),
    NAMED("password", 2, "password", redact_assigned),
    NAMED("passwd", 2, "password", redact_assigned),
    NAMED("passphrase", 2, "password", redact_assigned),
    NAMED("pgpass", 1, "password", redact_assigned),
    NAMED("_pwd", 1, "password", redact_assigned),
    EXACT("_PASS", 0, "password", redact_assigned),
    NAMED("db_pass", 0, "password", redact_assigned),
    NAMED("secret", 2, "secret", redact_assigned),
    NAMED("token", 1, "token", redact_assigned),
    NAMED("credential", 0, "secret", redact_assigned),
    NAMED("key", 0, "key", redact_assigned_key),
};

#define RULE_COUNT (sizeof rules / sizeof rules[0])

static uint32_t hash(uint32_t gram)
{
    return ((gram | 0x202020) * 0x9E3779B1u) >> (32 - REDACT_GRAM_BITS);
}

static uint32_t gram_at(const uint8_t *at)
{
    return (uint32_t)at[0] | (uint32_t)at[1] << 8 | (uint32_t)at[2] << 16;
}

void redact_grams_init(struct redact_grams *g)
{
    memset(g, 0, sizeof *g);
    for (size_t i = 0; i < RULE_COUNT; i++) {
        assert(rules[i].gram + 3u <= rules[i].len);
        uint32_t at = hash(gram_at((const uint8_t *)rules[i].word + rules[i].gram));
        g->next[i + 1] = g->first[at];
        g->first[at] = (uint8_t)(i + 1);
    }
}

/* The word of the rule around the gram at `at`. */
static bool word_around(const struct redact_scan *s, const struct redact_rule *rule, size_t at,
                        struct redact_word *out)
{
    size_t len = rule->len;
    if (at < rule->gram || at - rule->gram < s->floor || s->text.len - at < len - rule->gram)
        return false;
    const char *there = (const char *)s->text.data + (at - rule->gram);
    if (rule->exact ? memcmp(there, rule->exact, len) != 0
                    : strncasecmp(there, rule->word, len) != 0)
        return false;
    *out = (struct redact_word){rule, at - rule->gram, at - rule->gram + len};
    return true;
}

/* The place of the next gram that some rule has, from s->at on; the text's length: there is none.
 */
static size_t next_gram(const struct redact_grams *g, struct slice text, size_t at)
{
    const uint8_t *d = text.data;
    if (text.len < 3)
        return text.len;
    for (; at + 6 <= text.len; at += 4) {
        uint8_t a = g->first[hash(gram_at(d + at))], b = g->first[hash(gram_at(d + at + 1))];
        uint8_t c = g->first[hash(gram_at(d + at + 2))], e = g->first[hash(gram_at(d + at + 3))];
        if (a | b | c | e)
            return at + (a ? 0 : b ? 1 : c ? 2 : 3);
    }
    for (; at + 3 <= text.len; at++)
        if (g->first[hash(gram_at(d + at))])
            return at;
    return text.len;
}

bool redact_find(const struct redact_grams *g, struct redact_scan *s, struct secret *out)
{
    struct redact_word word;
    for (;;) {
        size_t at = next_gram(g, s->text, s->at);
        if (at >= s->text.len)
            return false;
        s->at = at + 1;
        for (uint8_t n = g->first[hash(gram_at(s->text.data + at))]; n; n = g->next[n]) {
            if (!word_around(s, &rules[n - 1], at, &word))
                continue;
            out->kind = rules[n - 1].kind;
            if (!rules[n - 1].find(s, &word, out))
                continue;
            assert(out->from >= s->floor && out->to > out->from && out->to <= s->text.len);
            s->floor = out->to;
            if (s->at < out->to)
                s->at = out->to;
            return true;
        }
    }
}

bool redact_find_word(const struct redact_grams *g, struct slice text)
{
    struct redact_scan s = {.text = text};
    struct redact_word word;
    for (size_t at = 0; (at = next_gram(g, text, at)) < text.len; at++)
        for (uint8_t n = g->first[hash(gram_at(text.data + at))]; n; n = g->next[n])
            if (word_around(&s, &rules[n - 1], at, &word))
                return true;
    return false;
}
