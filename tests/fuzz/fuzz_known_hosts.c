/* known_hosts files with anything in them. Input: the host's name up to the first line end, then
 * the file. The order of algorithms must always be a permutation of those offered, and a verdict
 * that names a line must name one of this file. */
#include "scout/ssh/known_hosts.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

static const char offered[] = "ssh-ed25519,ecdsa-sha2-nistp256,rsa-sha2-512,rsa-sha2-256,ssh-rsa";

/* The blob that the files of the corpus have: an Ed25519 key of 32 bytes 0x01. */
static const uint8_t key[] = {0,   0,   0, 11, 's', 's', 'h', '-', 'e', 'd', '2', '5', '5',
                              '1', '9', 0, 0,  0,   32,  1,   1,   1,   1,   1,   1,   1,
                              1,   1,   1, 1,  1,   1,   1,   1,   1,   1,   1,   1,   1,
                              1,   1,   1, 1,  1,   1,   1,   1,   1,   1,   1,   1};

static void check(const struct known_hosts *k, const char *host, uint16_t port)
{
    char line[64], order[sizeof offered];
    size_t commas = 0;
    enum known_hosts_verdict verdict =
        known_hosts_check(k, host, port, slice_of(key, sizeof key), line, sizeof line);
    assert(line[0] == '\0' || memcmp(line, "kh:", 3) == 0);
    assert((verdict == KNOWN_HOSTS_UNKNOWN) || line[0] != '\0');
    assert(known_hosts_order(k, host, port, offered, order, sizeof order) == 0);
    assert(strlen(order) == strlen(offered));
    for (const char *c = order; *c; c++)
        commas += *c == ',';
    assert(commas == 4);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
    struct known_hosts *k;
    const uint8_t *end = len ? memchr(data, '\n', len) : NULL;
    size_t host_len = end ? (size_t)(end - data) : 0;
    char *host = calloc(1, host_len + 1);
    if (!end || !host || known_hosts_new(&k) != 0) {
        free(host);
        return 0;
    }
    memcpy(host, data, host_len);
    int error = known_hosts_add_text(k, "kh", slice_of(end + 1, len - host_len - 1));
    (void)error; /* a limit: what was read until then stays */
    check(k, host, 22);
    check(k, host, 2222);
    known_hosts_free(k);
    free(host);
    return 0;
}
