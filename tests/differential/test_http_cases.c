/* The table of requests before our reader alone: what it takes and what not, however it is cut. */
#include "http_account.h"
#include "http_cases.h"

#include <stdio.h>

#define CUTS 64 /* ways that each case is cut */

static bool is_as_told(const struct http_case *c, struct slice bytes, uint64_t seed)
{
    struct http_account a;
    http_account_init(&a);
    http_account_ours(&a, bytes, cuts_of(seed));
    int whole = 0;
    for (size_t i = 0; i < a.count; i++)
        whole += a.messages[i].is_whole;
    bool right =
        c->taken < 0 ? a.end == ACCOUNT_REFUSED : a.end != ACCOUNT_REFUSED && whole == c->taken;
    if (!right)
        printf("%s, cut by %llu: %d taken%s%s\n", c->name, (unsigned long long)seed, whole,
               a.why ? ", then refused: " : "", a.why ? a.why : "");
    http_account_fini(&a);
    return right;
}

int main(void)
{
    size_t wrong = 0, refused = 0;
    for (size_t i = 0; i < http_case_count; i++) {
        struct buf bytes;
        buf_init(&bytes, ACCOUNT_TEXT_MAX);
        http_case_bytes(&http_cases[i], &bytes);
        bool right = true;
        for (uint64_t seed = 0; seed < CUTS && right; seed++)
            right = is_as_told(&http_cases[i], buf_peek(&bytes), seed);
        wrong += !right;
        refused += http_cases[i].taken < 0;
        buf_fini(&bytes);
    }
    printf("%zu requests, %zu of them to be refused, each cut in %d ways: %zu wrong\n",
           http_case_count, refused, CUTS, wrong);
    return wrong > 0;
}
