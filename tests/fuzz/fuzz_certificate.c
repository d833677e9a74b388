/* User certificates with anything in them: the blob as an agent or a file brings it, and the text
 * of a file. What is taken lies within its blob, certifies one key, and can be said in words. */
#include "scout/ssh/certificate.h"

#include <assert.h>
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

static bool within(struct slice part, struct slice whole)
{
    return part.len == 0 ||
           (part.data >= whole.data && part.data + part.len <= whole.data + whole.len);
}

static void check(const struct ssh_certificate *c)
{
    char names[64];
    struct failure why;
    assert(within(c->type, c->blob) && within(c->key, c->blob) && within(c->id, c->blob) &&
           within(c->names, c->blob));
    assert(strlen(ssh_certificate_names(c, names, sizeof names)) < sizeof names);
    for (const char *at = names; *at; at++)
        assert(*at > ' ' && *at < 0x7f);
    if (ssh_certificate_check(c, 1700000000, "c", &why) != 0)
        assert(why.error == SCOUT_E_KEY && why.text[0]);
    else
        assert(!c->for_host && c->after <= 1700000000 && c->until > 1700000000);
    assert(!ssh_certificate_is_of(c, c->blob)); /* its own blob is no plain key */
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
    struct ssh_certificate c;
    uint8_t *bytes = malloc(CERTIFICATE_MAX);
    if (!bytes)
        return 0;
    if (ssh_certificate_parse(slice_of(data, len), &c) == 0)
        check(&c);
    if (ssh_certificate_parse_text(slice_of(data, len), bytes, &c) == 0)
        check(&c);
    free(bytes);
    return 0;
}
