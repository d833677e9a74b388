/* hosts(5): names and their addresses, as a table. Private to the net layer. Pure. */
#ifndef SCOUT_NET_HOSTS_FILE_H
#define SCOUT_NET_HOSTS_FILE_H

#include "scout/net/address.h"

#define HOSTS_FILE_SIZE_MAX  (16u << 20) /* bytes; what is behind is not seen */
#define HOSTS_FILE_NAMES_MAX 500000u     /* names, aliases included; what is behind is not seen */
#define HOSTS_FILE_NAME_MAX  253         /* bytes; a longer name is passed over */

struct hosts_file;

/* Makes the table of a file's text, which is copied. Lines are "address name [alias...]"; '#'
 * begins a comment. A line whose address cannot be read is passed over. 0 or SCOUT_E_NOMEM. */
__attribute__((warn_unused_result)) int hosts_file_parse(struct slice text,
                                                         struct hosts_file **out);
void hosts_file_free(struct hosts_file *h);

/* Adds the addresses of all lines that name `name` (without regard to case) to *out. True when
 * there is at least one. `h` may be NULL: an empty table. */
bool hosts_file_find(const struct hosts_file *h, struct slice name, struct address_list *out);

uint32_t hosts_file_count(const struct hosts_file *h); /* names */

#endif
