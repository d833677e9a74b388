/* An SFTP server that sends anything.
 *
 * Input: a byte of options, the number of requests and a byte for each (which request, and what its
 * owner does: see start and on_reply), then the server's bytes, cut into pieces by one byte of each
 * piece's length. Whatever comes, each request that was not forgotten is answered exactly once, at
 * the latest by sftp_fail. */
#include "scout/ssh/sftp.h"

#include "scout/base/error.h"
#include <assert.h>
#include <stdlib.h>

#define REQUESTS_MAX 24
#define TYPE_OPEN    3 /* SSH_FXP_* */
#define TYPE_OPENDIR 11

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

struct owner {
    struct sftp_request request;
    struct sftp_request ahead; /* a read that goes out with an open, where it may */
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

static void on_ahead(struct sftp_request *request, const struct sftp_reply *reply)
{
    assert(request->id == 0 && reply->data.len <= 16);
}

static int start_open(struct owner *o)
{
    int error = sftp_open_read(o->client, &o->request, "/p", on_reply);
    if (!error && o->ahead.id == 0)
        (void)!sftp_read_ahead(o->client, &o->ahead, &o->request, 7, 16, on_ahead);
    return error;
}

/* What only asks. */
static int start_reading(struct owner *o)
{
    static const char path[] = "/p";
    switch (o->kind % 8) {
    case 0:
        return sftp_stat(o->client, &o->request, path, on_reply);
    case 1:
        return sftp_lstat(o->client, &o->request, path, on_reply);
    case 2:
        return sftp_realpath(o->client, &o->request, path, on_reply);
    case 3:
        return start_open(o);
    case 4:
        return sftp_opendir(o->client, &o->request, path, on_reply);
    case 5:
        return sftp_read(o->client, &o->request, &some_handle, 7, 16, on_reply);
    case 6:
        return sftp_readlink(o->client, &o->request, path, on_reply);
    default:
        return sftp_readdir(o->client, &o->request, &some_handle, on_reply);
    }
}

/* What changes something, and fstat. */
static int start_changing(struct owner *o)
{
    static const char path[] = "/p";
    static const struct sftp_attrs attrs = {.flags = SFTP_ATTR_PERMISSIONS | SFTP_ATTR_ACMODTIME};
    switch (o->kind % 8) {
    case 0:
        return sftp_write(o->client, &o->request, &some_handle, 1, slice_str("text"), on_reply);
    case 1:
        return sftp_fstat(o->client, &o->request, &some_handle, on_reply);
    case 2:
        return sftp_fsetstat(o->client, &o->request, &some_handle, &attrs, on_reply);
    case 3:
        return sftp_open(o->client, &o->request, path, SFTP_OPEN_WRITE, &attrs, on_reply);
    case 4:
        return sftp_mkdir(o->client, &o->request, path, &attrs, on_reply);
    case 5:
        return sftp_rename(o->client, &o->request, path, path, true, on_reply);
    case 6:
        return sftp_remove(o->client, &o->request, path, on_reply);
    default:
        return sftp_fsync(o->client, &o->request, &some_handle, on_reply);
    }
}

static void start(struct owner *o)
{
    int error = o->kind & 8 ? start_changing(o) : start_reading(o);
    o->started += error == 0;
}

/* Closes the handle that an open brought, and waits for it in the same request. */
static void close_handle(struct owner *o, const struct sftp_handle *handle)
{
    if ((o->kind & 8) && sftp_close_wait(o->client, &o->request, handle, on_reply) == 0)
        o->started++;
    else
        sftp_close(o->client, handle);
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
    assert(reply->handle.len <= SFTP_HANDLE_MAX);
    if (!reply->error && (request->type == TYPE_OPEN || request->type == TYPE_OPENDIR))
        close_handle(o, &reply->handle);
    if ((o->kind & 16) && o->next)
        forget(o->next);
    if ((o->kind & 32) && o->started < 4 && o->request.id == 0)
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

static void feed_version(struct sftp *s, bool extensions)
{
    static const uint8_t bare[] = {0, 0, 0, 5, 2, 0, 0, 0, 3};
    static const char offers[] = "\0\0\0\x5b\2\0\0\0\3"
                                 "\0\0\0\x18posix-rename@openssh.com\0\0\0\1"
                                 "1"
                                 "\0\0\0\x11"
                                 "fsync@openssh.com\0\0\0\1"
                                 "1"
                                 "\0\0\0\x12limits@openssh.com\0\0\0\1"
                                 "1";
    int error = extensions ? feed(s, (const uint8_t *)offers, sizeof offers - 1)
                           : feed(s, bare, sizeof bare);
    assert(error == 0 && sftp_offers(s, SFTP_EXT_LIMITS) == extensions);
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
    if ((options & 17) == 17) /* before the requests: extensions can be asked for */
        feed_version(s, options & 8);
    for (size_t i = 0; i < count; i++) {
        owners[i].client = s;
        owners[i].kind = data[i];
        owners[i].next = i + 1 < count ? &owners[i + 1] : NULL;
        start(&owners[i]);
        if (data[i] & 64)
            forget(&owners[i]);
    }
    if ((options & 17) == 1)
        feed_version(s, options & 8);
    feed_pieces(s, data + count, len - count, options & 2);
    sftp_fail(s, SCOUT_E_CONNECTION_LOST);
    assert(ready <= 0 && sftp_in_flight(s) == 0);
    for (size_t i = 0; i < count; i++)
        assert(owners[i].ahead.id == 0);
    for (size_t i = 0; i < count; i++)
        assert(owners[i].started == owners[i].answered + owners[i].forgotten);
    sftp_free(s);
    return 0;
}
