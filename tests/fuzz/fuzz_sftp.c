/* An SFTP server that sends anything.
 *
 * Input: a byte of options, the number of requests and a byte for each (which request, and what its
 * owner does), then the server's bytes, cut into pieces by one byte of each piece's length.
 * Whatever comes, each request that was not forgotten is answered exactly once, at the latest by
 * sftp_fail. */
#include "scout/ssh/sftp.h"

#include "scout/base/error.h"
#include <assert.h>
#include <stdlib.h>

#define REQUESTS_MAX 24

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

struct owner {
    struct sftp_request request;
    struct sftp *client;
    struct owner *next; /* forgotten by this one's callback, where asked for */
    uint8_t kind;
    unsigned started, answered, forgotten;
};

static void on_ready(void *context, int error)
{
    int *ready = context;
    assert(*ready == 1);
    *ready = error;
}

static void on_reply(struct sftp_request *request, const struct sftp_reply *reply);

static const struct sftp_handle some_handle = {{'h'}, 1};

static void start(struct owner *o)
{
    static const char path[] = "/p";
    int error;
    switch (o->kind % 8) {
    case 0:
        error = sftp_stat(o->client, &o->request, path, on_reply);
        break;
    case 1:
        error = sftp_lstat(o->client, &o->request, path, on_reply);
        break;
    case 2:
        error = sftp_realpath(o->client, &o->request, path, on_reply);
        break;
    case 3:
        error = sftp_open_read(o->client, &o->request, path, on_reply);
        break;
    case 4:
        error = sftp_opendir(o->client, &o->request, path, on_reply);
        break;
    case 5:
        error = sftp_read(o->client, &o->request, &some_handle, 7, 16, on_reply);
        break;
    case 6:
        error = sftp_readlink(o->client, &o->request, path, on_reply);
        break;
    default:
        error = sftp_readdir(o->client, &o->request, &some_handle, on_reply);
        break;
    }
    o->started += error == 0;
}

static void forget(struct owner *o)
{
    o->forgotten += o->request.id != 0;
    sftp_forget(o->client, &o->request);
}

/* Reads every byte that the reply lends, so that a sanitizer sees what is not there. */
static void touch(const struct sftp_reply *reply)
{
    unsigned sum = 0, count = 0;
    struct slice names = reply->names;
    struct sftp_name name;
    for (size_t i = 0; i < reply->data.len; i++)
        sum += reply->data.data[i];
    for (size_t i = 0; i < reply->message.len; i++)
        sum += reply->message.data[i];
    while (sftp_next_name(&names, &name)) {
        for (size_t i = 0; i < name.filename.len; i++)
            sum += name.filename.data[i];
        for (size_t i = 0; i < name.longname.len; i++)
            sum += name.longname.data[i];
        count++;
    }
    assert(count == reply->name_count);
    volatile unsigned sink = sum;
    (void)sink;
}

static void on_reply(struct sftp_request *request, const struct sftp_reply *reply)
{
    struct owner *o = (struct owner *)(void *)request;
    assert(o->request.id == 0);
    o->answered++;
    touch(reply);
    if (!reply->error && (o->kind % 8 == 3 || o->kind % 8 == 4))
        sftp_close(o->client, &reply->handle);
    if ((o->kind & 16) && o->next)
        forget(o->next);
    if ((o->kind & 32) && o->started < 4)
        start(o);
    if (o->kind & 128)
        sftp_fail(o->client, SCOUT_E_CANCELLED);
}

static int feed(struct sftp *s, const uint8_t *bytes, size_t len)
{
    uint8_t *exact = malloc(len ? len : 1);
    assert(exact);
    if (len)
        memcpy(exact, bytes, len);
    int error = sftp_feed(s, slice_of(exact, len));
    free(exact);
    return error;
}

static void feed_pieces(struct sftp *s, const uint8_t *data, size_t len, bool cut)
{
    int error = 0;
    while (len > 0 && !error) {
        size_t piece = len;
        if (cut) {
            piece = *data++;
            len--;
            piece = piece < len ? piece : len;
        }
        error = feed(s, data, piece);
        data += piece;
        len -= piece;
        buf_clear(sftp_output(s));
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
    static const uint8_t version[] = {0, 0, 0, 5, 2, 0, 0, 0, 3};
    struct owner owners[REQUESTS_MAX] = {0};
    struct sftp *s;
    int ready = 1;
    if (len < 2)
        return 0;
    uint8_t options = data[0];
    size_t count = data[1] % (REQUESTS_MAX + 1);
    data += 2;
    len -= 2;
    if (len < count || sftp_new(&s, options & 4 ? 200 : 1 << 20) != 0)
        return 0;
    if (sftp_start(s, on_ready, &ready) != 0)
        abort();
    for (size_t i = 0; i < count; i++) {
        owners[i].client = s;
        owners[i].kind = data[i];
        owners[i].next = i + 1 < count ? &owners[i + 1] : NULL;
        start(&owners[i]);
        if (data[i] & 64)
            forget(&owners[i]);
    }
    if (options & 1)
        assert(feed(s, version, sizeof version) == 0);
    feed_pieces(s, data + count, len - count, options & 2);
    sftp_fail(s, SCOUT_E_CONNECTION_LOST);
    assert(ready <= 0 && sftp_in_flight(s) == 0);
    for (size_t i = 0; i < count; i++)
        assert(owners[i].started == owners[i].answered + owners[i].forgotten);
    sftp_free(s);
    return 0;
}
