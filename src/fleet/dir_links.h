/* The targets of a directory's symbolic links, over SFTP. Private to the layer. */
#ifndef SCOUT_FLEET_DIR_LINKS_H
#define SCOUT_FLEET_DIR_LINKS_H

#include "entry_list.h"
#include "path_get.h"

struct dir_links;

struct dir_link_slot {
    struct sftp_request request;
    struct dir_links *links;
    size_t index; /* of the entry */
};

struct dir_links {
    struct dir_link_slot slots[PATH_LINK_WINDOW];
    struct path_get *get;
    struct entry_list *list;
    void (*done)(struct path_get *g);
    size_t next; /* entry that was not looked at yet */
    uint32_t in_flight;
};

/* `d` is zeroed. Ends in `done`, maybe from within, or in a failure of the visit. */
void dir_links_start(struct dir_links *d, struct path_get *g, struct entry_list *list,
                     void (*done)(struct path_get *g));
void dir_links_forget(struct dir_links *d, struct sftp *s);

#endif
