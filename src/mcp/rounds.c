/* Multi round-trip requests of 2026-07-28: questions are a result, and the client calls again with
 * the answers. Nothing of the call is kept here; what it needs travels as `requestState`.
 *
 * That state comes from outside: it counts only with a MAC (HMAC-SHA-256, a key of this process),
 * which covers who asked, which tool, with which arguments, and until when.
 *
 *     base64( expiry, 8 bytes | the tool's state | MAC, 32 bytes )
 */
#include "ask.h"
#include "dispatch.h"
#include "scout/base/base64.h"
#include "session_state.h"

#include <openssl/crypto.h>
#include <openssl/hmac.h>
#include <stdlib.h>

#define MAC_SIZE       32
#define EXPIRY_SIZE    8
#define ROUND_TIME_MS  600000u
#define STATE_TEXT_MAX (128u * 1024u)

/* ---- the seal ---- */

struct seal {
    EVP_MAC_CTX *context;
    bool good;
};

static void seal_add(struct seal *seal, struct slice bytes)
{
    uint64_t len = bytes.len;
    seal->good = seal->good && EVP_MAC_update(seal->context, (const uint8_t *)&len, sizeof len) &&
                 (len == 0 || EVP_MAC_update(seal->context, bytes.data, bytes.len));
}

/* What of the params a state belongs to: all that says what is called. */
static void seal_params(struct seal *seal, struct slice params)
{
    static const char *const members[] = {"name", "uri", "arguments"};
    for (size_t i = 0; i < sizeof members / sizeof members[0]; i++)
        seal_add(seal, json_member(params, members[i]));
}

static bool make_mac(const struct mcp_session *s, const struct tool *tool, struct slice params,
                     struct slice sealed, uint8_t out[MAC_SIZE])
{
    OSSL_PARAM digest[] = {OSSL_PARAM_construct_utf8_string("digest", (char[]){"SHA256"}, 0),
                           OSSL_PARAM_construct_end()};
    EVP_MAC *mac = EVP_MAC_fetch(NULL, "HMAC", NULL);
    struct seal seal = {.context = mac ? EVP_MAC_CTX_new(mac) : NULL};
    size_t len = 0;
    seal.good = seal.context && EVP_MAC_init(seal.context, s->config.state_key->bytes,
                                             sizeof s->config.state_key->bytes, digest);
    const struct identity *who = s->config.identity;
    seal_add(&seal, slice_str(who ? who->name : ""));
    seal_add(&seal, slice_str(tool->name));
    seal_params(&seal, params);
    seal_add(&seal, sealed);
    seal.good = seal.good && EVP_MAC_final(seal.context, out, &len, MAC_SIZE) && len == MAC_SIZE;
    EVP_MAC_CTX_free(seal.context);
    EVP_MAC_free(mac);
    return seal.good;
}

static uint64_t now_ms(const struct mcp_session *s)
{
    return io_wall_ms(s->config.registry->io);
}

/* ---- reading ---- */

/* The state's bytes, if the seal is whole. */
static bool open_state(struct mcp_session *s, const struct tool *tool, struct slice params,
                       struct slice raw, struct buf *out)
{
    uint8_t mac[MAC_SIZE];
    uint64_t expiry;
    size_t max = base64_decoded_max(raw.len);
    uint8_t *bytes = raw.len <= STATE_TEXT_MAX ? malloc(max + 1) : NULL;
    char *text = malloc(raw.len + 1);
    int len = bytes && text ? json_string(raw, text, raw.len + 1) : -1;
    int64_t count = len < 0 ? -1 : base64_decode(slice_of(text, (size_t)len), bytes);
    bool good = count >= EXPIRY_SIZE + MAC_SIZE;
    if (good) {
        struct slice sealed = slice_of(bytes, (size_t)count - MAC_SIZE);
        memcpy(&expiry, bytes, sizeof expiry);
        good = make_mac(s, tool, params, sealed, mac) &&
               CRYPTO_memcmp(mac, bytes + sealed.len, MAC_SIZE) == 0 && expiry >= now_ms(s) &&
               buf_append(out, slice_skip(sealed, EXPIRY_SIZE)) == 0;
    }
    free(bytes);
    free(text);
    return good;
}

/* Each answer is a result, whatever it says. */
static bool answers_are_good(struct slice answers)
{
    struct json_walk walk;
    struct slice key, value;
    if (answers.len && json_type(answers) != JSON_OBJECT)
        return false;
    json_walk_begin(&walk, answers);
    while (json_walk_next(&walk, &key, &value))
        if (json_type(value) != JSON_OBJECT)
            return false;
    return true;
}

bool round_read(struct mcp_session *s, const struct reply_to *to, const struct tool *tool,
                struct slice params, struct tool_round *out, struct buf *state)
{
    struct slice raw = json_member(params, "requestState");
    struct slice answers = json_member(params, "inputResponses");
    *out = (struct tool_round){.can = to->can};
    if (raw.len && (json_type(raw) != JSON_STRING || !s->config.state_key ||
                    !open_state(s, tool, params, raw, state))) {
        answer_error(s, to, RPC_INVALID_PARAMS,
                     "Invalid params: \"requestState\" is not as it was given for this request, or "
                     "too old: make the request without it",
                     NULL, NULL);
        return false;
    }
    if (!answers_are_good(answers)) {
        answer_error(s, to, RPC_INVALID_PARAMS,
                     "Invalid params: \"inputResponses\" must be an object of objects", NULL, NULL);
        return false;
    }
    out->answers = answers;
    out->state = buf_peek(state);
    return true;
}

/* ---- answering ---- */

struct round_answer {
    const struct tool_questions *questions;
    struct slice state; /* sealed */
};

static void write_questions(struct json_writer *w, const struct mcp_session *s, const void *context)
{
    const struct round_answer *answer = context;
    const struct tool_questions *questions = answer->questions;
    (void)s;
    if (questions->count) {
        json_key(w, "inputRequests");
        json_object_begin(w);
        for (size_t i = 0; i < questions->count; i++) {
            const struct tool_question *q = &questions->list[i];
            json_key(w, q->key);
            json_object_begin(w);
            json_key(w, "method");
            json_str(w, q->method);
            if (q->params) {
                json_key(w, "params");
                json_raw(w, slice_str(q->params));
            }
            json_object_end(w);
        }
        json_object_end(w);
    }
    json_key(w, "requestState");
    json_base64(w, answer->state);
}

static void write_needs(struct json_writer *w, const struct mcp_session *s, const void *context)
{
    (void)s;
    json_key(w, "requiredCapabilities");
    ask_write_capabilities(w, *(const uint32_t *)context);
}

void ask_refuse(struct mcp_session *s, const struct reply_to *to, uint32_t needs)
{
    answer_error(s, to, RPC_MISSING_CAPABILITY,
                 "The client lacks a capability that this request needs", write_needs, &needs);
}

size_t round_answer(struct mcp_session *s, const struct reply_to *to, const struct tool *tool,
                    struct slice params, const struct tool_questions *questions)
{
    uint32_t needs = 0;
    uint8_t mac[MAC_SIZE];
    struct buf sealed;
    size_t written = 0;
    for (size_t i = 0; i < questions->count; i++)
        needs |= ask_needs(questions->list[i].method);
    if (needs & ~to->can) {
        ask_refuse(s, to, needs & ~to->can);
        return 0;
    }
    uint64_t expiry = now_ms(s) + ROUND_TIME_MS;
    buf_init(&sealed, STATE_TEXT_MAX / 4 * 3);
    if (s->config.state_key && buf_append(&sealed, slice_of(&expiry, sizeof expiry)) == 0 &&
        buf_append(&sealed, questions->state) == 0 &&
        make_mac(s, tool, params, buf_peek(&sealed), mac) &&
        buf_append(&sealed, slice_of(mac, sizeof mac)) == 0) {
        const struct round_answer answer = {questions, buf_peek(&sealed)};
        written = answer_questions(s, to, write_questions, &answer);
    } else {
        answer_failure(s, to, SCOUT_E_LIMIT);
    }
    buf_fini(&sealed);
    return written;
}
