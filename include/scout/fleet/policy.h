/* What who may do where. One engine decides, lists and describes: what it never allows is not
 * listed, and what it lists as read-only never gets an effect through.
 *
 * A decision is on structure (verb, host, path or words of a command, identity), never on
 * substrings of a shell line. In doubt it refuses. A refusal names the rule and what would pass.
 *
 * The order: the read deny-list; then the rules, the first that matches; then the role. What a
 * person writes and what it means is in docs/policy.md. Pure. */
#ifndef SCOUT_FLEET_POLICY_H
#define SCOUT_FLEET_POLICY_H

#include "scout/base/buf.h"
#include "scout/base/error.h"
#include "scout/base/slice.h"
#include "scout/fleet/confirmations.h"
#include "scout/fleet/identity.h"
#include "scout/fleet/policy_verb.h"

#define POLICY_RULES_MAX      256  /* rules of a configuration */
#define POLICY_READ_DENY_MAX  384  /* patterns of the read deny-list */
#define POLICY_LIST_MAX       64   /* patterns of one list */
#define POLICY_PATTERN_MAX    512  /* bytes of a pattern */
#define POLICY_COMPONENTS_MAX 32   /* components of a path's pattern, words of a command's */
#define POLICY_NAME_MAX       63   /* bytes of a rule's name */
#define POLICY_PATH_MAX       8192 /* bytes of a path that is decided on; longer ones are refused */
#define POLICY_BELOW_MAX      512  /* names that policy_below gives */

struct policy;

/* Which way a transfer goes: a rule that refuses to read also refuses to copy from there, one that
 * refuses to write also to copy to there. */
enum policy_way { POLICY_EITHER_WAY /* or not known */, POLICY_FROM_HOST, POLICY_TO_HOST };

struct policy_request {
    const struct identity *identity;
    enum policy_verb verb;
    enum policy_way way; /* of POLICY_TRANSFER */
    const char *host;    /* NULL for POLICY_HOSTS; NULL for others: not known yet */

    /* Absolute and real, for all verbs but hosts and run. Empty, relative or with `..`: not known
     * yet; with path_settled: the host does not tell it. */
    struct slice path;
    struct slice asked; /* as the caller wrote it; for the record, where `path` is not known */
    bool path_settled;  /* nothing more will be known of it: one that is not known is refused by
                           whatever depends on it */
    bool no_path;       /* a query that has none */
    bool names_only;    /* of the path only names and attributes are shown, no content */
    bool early;         /* it will be asked again: no person is asked yet */
    bool unattended;    /* one of many: no person is asked, what needs their word is refused */

    /* The words of a command, or a line for the host's shell; neither: not known yet. */
    const char *const *argv;
    size_t argc;
    struct slice line;
    struct slice directory; /* where it runs; empty: where logins begin */
    struct slice input;     /* what it reads; for who confirms it */

    /* Where a person's word is asked for and found. NULL: nobody can give it. */
    struct confirmations *confirmations;
    uint64_t now_ns;
    uint64_t call; /* the call's number (confirmations_call): one word is for one call */

    /* Not NULL: no person is asked; *wants becomes the name of the rule that wants their word,
     * borrowed from the policy, or stays as it is. policy_confirm then asks about the whole. */
    const char **wants;
};

enum policy_effect { POLICY_ALLOW, POLICY_DENY, POLICY_CONFIRM };

/* "allow", "deny", "confirm"; the number of a name, or -1. */
const char *policy_effect_name(enum policy_effect effect);
int policy_effect_parse(const char *name);

/* Patterns. A count of 0: anything. */
struct policy_list {
    const char *const *items;
    size_t count;
};

struct policy_rule {
    const char *name;
    enum policy_effect effect;
    uint32_t verbs; /* POLICY_BIT; 0: any */
    struct policy_list hosts, paths, commands, identities;
};

/* Without rules, with the default read deny-list: the role decides. NULL without memory. */
struct policy *policy_new(void);
void policy_free(struct policy *p);

/* Adds a rule behind the others, copied. 0, or SCOUT_E_INVALID_ARGUMENT, SCOUT_E_LIMIT or
 * SCOUT_E_NOMEM with *why. */
__attribute__((warn_unused_result)) int policy_add(struct policy *p, const struct policy_rule *rule,
                                                   struct failure *why);

/* Sets the read deny-list: paths' patterns, beside the default ones or instead of them; a leading
 * `!` takes out what it matches itself, not what is below that. Fails as policy_add. */
__attribute__((warn_unused_result)) int policy_set_read_deny(struct policy *p,
                                                             const struct policy_list *list,
                                                             bool with_default,
                                                             struct failure *why);

/* What is wrong with one pattern of a kind, for a message: 0, or an error with *why. */
enum policy_kind { POLICY_OF_HOST, POLICY_OF_PATH, POLICY_OF_COMMAND, POLICY_OF_IDENTITY };
__attribute__((warn_unused_result)) int
policy_pattern_check(enum policy_kind kind, const char *pattern, struct failure *why);

/* 0; SCOUT_E_POLICY; or SCOUT_E_CONFIRMATION when a person has to say yes first. *why says which
 * rule, and what would pass. What is not known yet is refused only when nothing would pass: it has
 * to be asked for again when it is known. */
__attribute__((warn_unused_result)) int
policy_check(const struct policy *p, const struct policy_request *request, struct failure *why);

/* Asks for a person's word as the rule named `rule` wants it, about an act that may have several
 * paths: `request->path` is what is shown of them, and part of the act. 0, SCOUT_E_CONFIRMATION or
 * SCOUT_E_POLICY with *why. */
__attribute__((warn_unused_result)) int policy_confirm(const struct policy_request *request,
                                                       const char *rule, struct failure *why);

/* Of `verbs` (POLICY_BIT) those that some request of the identity could be allowed. */
uint32_t policy_possible(const struct policy *p, const struct identity *identity, uint32_t verbs);

/* For a query that reads all that is below the directory `request->path` (real, and allowed by
 * policy_check): the base names (`*`, `?`, `[...]`) of files and directories that it has to leave
 * out, with all below them. At most POLICY_BELOW_MAX, borrowed from the policy, into `globs`.
 * SCOUT_E_POLICY with *why when something below is refused that base names cannot tell. With
 * names_only the query lists what is there and leaves nothing out: no globs, and what a rule
 * refuses below refuses the query. */
__attribute__((warn_unused_result)) int policy_below(const struct policy *p,
                                                     const struct policy_request *request,
                                                     const char **globs, size_t *count,
                                                     struct failure *why);

/* Appends what a configuration file would have for it. 0, or the buffer's error. */
__attribute__((warn_unused_result)) int policy_describe(const struct policy *p, struct buf *out);

#endif
