/* known_hosts files with anything in them. Input: the host's name up to the first line end, then
 * the file. The order of algorithms must always be a permutation of those offered, a verdict that
 * names a line must name one of this file, and narrowing must change neither. */
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

struct said {
    enum known_hosts_verdict verdict, other_verdict;
    char line[64], other_line[64], order[sizeof offered];
};

static struct said check(const struct known_hosts *k, const char *host, uint16_t port)
{
    struct said s;
    uint8_t other[sizeof key];
    size_t commas = 0;
    memcpy(other, key, sizeof key);
    other[sizeof key - 1] ^= 1;
    memset(&s, 0, sizeof s);
    s.verdict = known_hosts_check(k, host, port, slice_of(key, sizeof key), s.line, sizeof s.line);
    s.other_verdict = known_hosts_check(k, host, port, slice_of(other, sizeof other), s.other_line,
                                        sizeof s.other_line);
    assert(s.line[0] == '\0' || memcmp(s.line, "kh:", 3) == 0);
    assert((s.verdict == KNOWN_HOSTS_UNKNOWN) || s.line[0] != '\0');
    assert(known_hosts_order(k, host, port, offered, s.order, sizeof s.order) == 0);
    assert(strlen(s.order) == strlen(offered));
    for (const char *c = s.order; *c; c++)
        commas += *c == ',';
    assert(commas == 4);
    return s;
}

static struct known_hosts *load(struct slice text)
{
    struct known_hosts *k;
    if (known_hosts_new(&k) != 0)
        abort();
    int error = known_hosts_add_text(k, "kh", text);
    (void)error; /* a limit: what was read until then stays */
    return k;
}

static void check_port(struct slice text, const char *host, uint16_t port)
{
    struct known_hosts *k = load(text);
    struct said before = check(k, host, port);
    known_hosts_narrow(k, host, port);
    struct said after = check(k, host, port);
    assert(before.verdict == after.verdict && before.other_verdict == after.other_verdict);
    assert(strcmp(before.line, after.line) == 0);
    assert(strcmp(before.other_line, after.other_line) == 0);
    assert(strcmp(before.order, after.order) == 0);
    known_hosts_free(k);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
    const uint8_t *end = len ? memchr(data, '\n', len) : NULL;
    size_t host_len = end ? (size_t)(end - data) : 0;
    char *host = calloc(1, host_len + 1);
    if (end && host) {
        struct slice text = slice_of(end + 1, len - host_len - 1);
        memcpy(host, data, host_len);
        check_port(text, host, 22);
        check_port(text, host, 2222);
    }
    free(host);
    return 0;
}
