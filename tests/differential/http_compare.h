/* What two accounts of the same bytes have in common.
 *
 * The rule: what our reader takes, llhttp takes too and understands the same: method, target, each
 * header's name and value, the body's bytes, where the next request begins, and whether the
 * connection goes on. That ours refuses more is as it should be. */
#ifndef TESTS_HTTP_COMPARE_H
#define TESTS_HTTP_COMPARE_H

#include "http_account.h"

/* Where ours takes what llhttp refuses, or decides otherwise, and why that is right: the texts are
 * in http_compare.c. */
enum http_exception {
    EXCEPTION_NONE,
    EXCEPTION_METHOD,
    EXCEPTION_TAB,
    EXCEPTION_PROXY_CONNECTION,
    EXCEPTION_CLOSE,
    EXCEPTION_COUNT,
};

extern const char *const http_exception_text[EXCEPTION_COUNT];

struct http_comparison {
    const char *differs; /* NULL: the rule holds */
    size_t at;           /* the message that differs */
    size_t taken;        /* whole messages that both take alike */
    bool stricter;       /* ours refused what llhttp takes */
    bool both_refuse;
    enum http_exception exception;
};

struct http_comparison http_compare(const struct http_account *ours,
                                    const struct http_account *theirs);

/* Both accounts of `bytes`, cut by two seeds, compared. */
struct http_comparison http_compare_bytes(struct slice bytes, uint64_t our_cuts,
                                          uint64_t their_cuts);

#endif
