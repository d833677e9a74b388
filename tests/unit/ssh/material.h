/* Key material for tests: SSH's wire form, base64, and files in OpenSSH's own key format. */
#ifndef SCOUT_TEST_SSH_MATERIAL_H
#define SCOUT_TEST_SSH_MATERIAL_H

#include "scout/base/slice.h"

#define MATERIAL_MAX 4096

struct material {
    uint8_t bytes[MATERIAL_MAX];
    size_t len;
};

void material_u32(struct material *m, uint32_t value);
void material_bytes(struct material *m, const void *bytes, size_t len);
void material_string(struct material *m, const void *bytes, size_t len);
void material_text(struct material *m, const char *text);

/* `bytes` as base64 without line ends, NUL-terminated. Returns `out`. */
char *material_base64(struct slice bytes, char *out);

/* A public key blob of `type` whose content is `fill` repeated. */
struct material material_blob(const char *type, uint8_t fill);

static inline struct slice material_slice(const struct material *m)
{
    return slice_of(m->bytes, m->len);
}

#endif
