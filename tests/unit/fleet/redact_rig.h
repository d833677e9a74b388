/* What the tests of redact share. In what is expected, `<KIND>` stands for a marker. */
#ifndef TESTS_UNIT_FLEET_REDACT_RIG_H
#define TESTS_UNIT_FLEET_REDACT_RIG_H

#include "scout/fleet/redact.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
/* cmocka needs the four above first. */
#include <cmocka.h>

#define HEX16 "0123456789abcdef"
#define A36   "abcdefghijklmnopqrstuvwxyz0123456789"
#define KEY_LINES                                                                                  \
    "b3BlbnNzaC1rZXktdjEAAAAABG5vbmUAAAAEbm9uZQAAAAAAAAABAAAAMwAAAAtzc2gtZW\n"                     \
    "QyNTUxOQAAACBhYmNkZWZnaGlqa2xtbm9wcXJzdHV2d3h5ejAxMjM0NTY3ODkwAAAAIGFi\n"
#define KEY                                                                                        \
    "-----BEGIN OPENSSH PRIVATE KEY-----\n" KEY_LINES "AAAEC=\n"                                   \
    "-----END OPENSSH PRIVATE KEY-----"

struct redactor *make(bool defaults, const char *const *patterns, size_t count);
/* The redacted text, NUL-terminated, to be freed. */
char *redacted(const struct redactor *r, const char *text, uint64_t *count);
/* [redacted:KIND:XXXXXXXX] becomes <KIND>, in place. */
char *shorten(char *text);
void assert_redacted(const struct redactor *r, const char *text, const char *expected);

#endif
