/* Comparing accounts message by message; the first that differs ends it. */
#include "http_compare.h"

#include <llhttp.h>
#include <strings.h>

const char *const http_exception_text[EXCEPTION_COUNT] = {
    [EXCEPTION_NONE] = "",
    [EXCEPTION_METHOD] =
        "method: any token of capitals is one (RFC 9110, section 9.1), and answered "
        "with 405; llhttp has a list, and ties some to other protocols",
    [EXCEPTION_TAB] =
        "tab behind a length or a coding: blanks behind a value are no part of it (RFC "
        "9112, section 5), and a tab is one; llhttp refuses it",
    [EXCEPTION_PROXY_CONNECTION] =
        "Proxy-Connection: no header of HTTP (RFC 9112, appendix C.2.2); "
        "llhttp closes for it",
    [EXCEPTION_CLOSE] =
        "close with a tab or a parameter behind it: ours closes, llhttp does not; to "
        "close is safe",
};

static struct slice method_of(const struct http_message *m)
{
    struct slice head = buf_peek(&m->head);
    const uint8_t *end = memchr(head.data, '\2', head.len);
    return slice_of(head.data, end ? (size_t)(end - head.data) : head.len);
}

/* Whether one of the headers has that name, and `text` in its value. */
static bool has_header(const struct http_message *m, const char *name, const char *text)
{
    struct slice rest = buf_peek(&m->head);
    for (const uint8_t *end; (end = memchr(rest.data, '\2', rest.len));) {
        struct slice line = slice_of(rest.data, (size_t)(end - rest.data));
        rest = slice_skip(rest, line.len + 1);
        size_t len = strlen(name);
        if (line.len > len && line.data[len] == '\1' &&
            strncasecmp((const char *)line.data, name, len) == 0 &&
            memmem(line.data + len + 1, line.len - len - 1, text, strlen(text)))
            return true;
        if (rest.len == 0)
            break;
    }
    return false;
}

static bool is_everyday_method(struct slice method)
{
    static const char *const everyday[] = {"GET",    "HEAD",    "POST",  "PUT",
                                           "DELETE", "OPTIONS", "PATCH", "TRACE"};
    for (size_t i = 0; i < sizeof everyday / sizeof everyday[0]; i++)
        if (slice_is(method, everyday[i]))
            return true;
    return false;
}

/* Why llhttp may refuse a head that ours takes. */
static enum http_exception may_refuse(const struct http_message *ours, int code)
{
    if (!is_everyday_method(method_of(ours)) &&
        (code == HPE_INVALID_METHOD || code == HPE_INVALID_CONSTANT || code == HPE_INVALID_VERSION))
        return EXCEPTION_METHOD;
    if (code == HPE_INVALID_CONTENT_LENGTH && ours->tab)
        return EXCEPTION_TAB;
    return EXCEPTION_NONE;
}

/* Why the two may decide otherwise whether the connection goes on. */
static enum http_exception may_close(const struct http_message *ours)
{
    if (!ours->close && has_header(ours, "Proxy-Connection", ""))
        return EXCEPTION_PROXY_CONNECTION;
    if (ours->close && (ours->tab || has_header(ours, "Connection", ";")))
        return EXCEPTION_CLOSE;
    return EXCEPTION_NONE;
}

static const char *compare_heads(const struct http_message *o, const struct http_message *t,
                                 const struct http_account *theirs, enum http_exception *exception)
{
    if (!t->has_head) {
        *exception = may_refuse(o, theirs->end == ACCOUNT_REFUSED ? theirs->code : 0);
        return *exception ? NULL : "ours takes a head that llhttp does not";
    }
    if (!slice_equal(buf_peek(&o->head), buf_peek(&t->head)))
        return "method, target or headers differ";
    if (o->close != t->close) {
        *exception = may_close(o);
        return *exception ? NULL : "only one of them keeps the connection";
    }
    return NULL;
}

/* The body of a message whose heads are the same. */
static const char *compare_bodies(const struct http_message *o, const struct http_message *t,
                                  const struct http_account *ours,
                                  const struct http_account *theirs, enum http_exception *exception)
{
    if (!o->is_whole && ours->end == ACCOUNT_REFUSED)
        return NULL;
    /* It judges the coding after it has told of the head. */
    if (!t->is_whole && o->tab && theirs->end == ACCOUNT_REFUSED &&
        theirs->code == HPE_INVALID_TRANSFER_ENCODING) {
        *exception = EXCEPTION_TAB;
        return NULL;
    }
    if (o->is_whole && !t->is_whole)
        return theirs->end == ACCOUNT_REFUSED ? "ours takes a body that llhttp refuses"
                                              : "llhttp waits where ours has the whole";
    if (!o->is_whole && t->is_whole)
        return "ours waits where llhttp has the whole";
    if (!slice_equal(buf_peek(&o->body), buf_peek(&t->body)))
        return "the body's bytes differ";
    if (o->is_whole && o->end != t->end)
        return "the next request begins elsewhere";
    if (!o->is_whole && theirs->end == ACCOUNT_REFUSED)
        return "ours goes on with a body that llhttp refuses";
    return NULL;
}

/* What comes behind the last message whose head ours took. */
static void compare_ends(const struct http_account *ours, const struct http_account *theirs,
                         struct http_comparison *c)
{
    bool whole = ours->count == 0 || ours->messages[ours->count - 1].is_whole;
    bool further = theirs->count > ours->count;
    if (ours->end == ACCOUNT_REFUSED) {
        c->stricter = whole ? further : theirs->messages[ours->count - 1].is_whole;
        c->both_refuse = !c->stricter && theirs->end == ACCOUNT_REFUSED;
    } else if (ours->end == ACCOUNT_OPEN) {
        if (further)
            c->differs = "llhttp has a request where ours waits";
        else if (ours->is_idle && !theirs->is_idle)
            c->differs = "ours is between two requests, llhttp is not";
        c->at = ours->count;
    }
}

struct http_comparison http_compare(const struct http_account *ours,
                                    const struct http_account *theirs)
{
    struct http_comparison c = {.differs = NULL};
    for (size_t i = 0; i < ours->count && !c.differs; i++) {
        const struct http_message *o = &ours->messages[i], *t = &theirs->messages[i];
        c.at = i;
        c.differs = compare_heads(o, t, theirs, &c.exception);
        if (c.differs || !t->has_head)
            return c;
        c.differs = compare_bodies(o, t, ours, theirs, &c.exception);
        c.taken += o->is_whole && t->is_whole && !c.differs;
        if (c.exception)
            return c;
    }
    if (!c.differs)
        compare_ends(ours, theirs, &c);
    return c;
}

struct http_comparison http_compare_bytes(struct slice bytes, uint64_t our_cuts,
                                          uint64_t their_cuts)
{
    struct http_account ours, theirs;
    http_account_init(&ours);
    http_account_init(&theirs);
    http_account_ours(&ours, bytes, cuts_of(our_cuts));
    http_account_llhttp(&theirs, bytes, cuts_of(their_cuts));
    struct http_comparison c = http_compare(&ours, &theirs);
    http_account_fini(&ours);
    http_account_fini(&theirs);
    return c;
}
