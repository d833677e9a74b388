/* What libssh2 asserts about the peer's bytes costs the session, not the process. Private to the
 * layer; session_guard.c has the reason. */
#ifndef SCOUT_SSH_SESSION_GUARD_H
#define SCOUT_SSH_SESSION_GUARD_H

#include <stdbool.h>

/* Calls `run(context)`. Returns false when libssh2 failed an assertion meanwhile: then `run` was
 * left where it was, and nothing but freeing may be asked of that libssh2 session. */
__attribute__((warn_unused_result)) bool session_guard(void (*run)(void *context), void *context);

#endif
