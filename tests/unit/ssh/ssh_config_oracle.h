/* What `ssh -G` says of a host, as lines "keyword value" in a form in which ours can be put beside
 * them. It contacts nobody. */
#ifndef TESTS_SSH_CONFIG_ORACLE_H
#define TESTS_SSH_CONFIG_ORACLE_H

#include <stdbool.h>
#include <stddef.h>

#define ORACLE_KEYWORDS_MAX 64
#define ORACLE_LINES_MAX    256
#define ORACLE_LINE_SIZE    512

struct oracle_lines {
    char list[ORACLE_LINES_MAX][ORACLE_LINE_SIZE];
    unsigned count;
};

/* Where and as whom ssh runs. */
struct oracle_place {
    char home[256], user[64], machine[256];
};

/* The keywords that are compared, by index; NULL behind the last. The index of one in any case; -1:
 * it is not compared. */
const char *oracle_keyword(size_t index);
int oracle_index(const char *keyword);

/* Adds a value of the keyword in the form in which it is compared. */
void oracle_put(struct oracle_lines *l, size_t index, const char *value);
/* Asks ssh with that file. False when it refuses the configuration. */
bool oracle_ask(const char *file, const char *name, struct oracle_lines *l);
/* Expands what ssh leaves as it is (IdentityFile, CertificateFile), by what it says otherwise. */
void oracle_expand(const struct oracle_place *b, const char *name, struct oracle_lines *l);
/* All values of a keyword, joined. */
void oracle_join(const struct oracle_lines *l, const char *keyword, char *out, size_t size);

#endif
