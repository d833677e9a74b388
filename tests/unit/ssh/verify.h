/* Checks a signature as SSH encodes it against a public key blob, by libcrypto and nothing of the
 * product's own. */
#ifndef SCOUT_TEST_SSH_VERIFY_H
#define SCOUT_TEST_SSH_VERIFY_H

#include "scout/base/slice.h"

/* True when `signature` (string format, string bytes) is one of `data` by the key of `blob`, in the
 * format `algorithm`. */
bool verify_signature(struct slice blob, const char *algorithm, struct slice data,
                      struct slice signature);

#endif
