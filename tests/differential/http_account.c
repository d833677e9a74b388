/* Accounts: their memory, and where bytes are cut. */
#include "http_account.h"

#include "random.h"
#include <stdlib.h>

void http_account_init(struct http_account *a)
{
    *a = (struct http_account){.count = 0};
    for (size_t i = 0; i < ACCOUNT_MESSAGES_MAX; i++) {
        buf_init(&a->messages[i].head, ACCOUNT_TEXT_MAX);
        buf_init(&a->messages[i].body, ACCOUNT_TEXT_MAX);
    }
}

void http_account_fini(struct http_account *a)
{
    for (size_t i = 0; i < ACCOUNT_MESSAGES_MAX; i++) {
        buf_fini(&a->messages[i].head);
        buf_fini(&a->messages[i].body);
    }
}

void account_add(struct buf *b, struct slice bytes)
{
    if (buf_append(b, bytes))
        abort();
}

struct cuts cuts_of(uint64_t seed)
{
    return (struct cuts){seed};
}

size_t cuts_next(struct cuts *cuts, size_t len)
{
    if (cuts->state == 0 || len == 0)
        return len;
    /* Now and then long pieces, mostly short ones. */
    uint64_t most = random_next(&cuts->state) % 8 == 0 ? len : 24;
    size_t piece = 1 + random_below(&cuts->state, most);
    return piece < len ? piece : len;
}
