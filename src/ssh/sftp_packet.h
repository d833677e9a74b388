/* What the packets of SFTP version 3 look like (draft-ietf-secsh-filexfer-02): types, and the
 * parsing of replies. Private to the ssh layer. */
#ifndef SCOUT_SSH_SFTP_PACKET_H
#define SCOUT_SSH_SFTP_PACKET_H

#include "scout/ssh/sftp.h"

#define SFTP_VERSION 3

/* SSH_FXP_* (section 3). */
enum sftp_type {
    SFTP_INIT = 1,
    SFTP_VERSION_REPLY = 2,
    SFTP_OPEN = 3,
    SFTP_CLOSE = 4,
    SFTP_READ = 5,
    SFTP_WRITE = 6,
    SFTP_LSTAT = 7,
    SFTP_FSTAT = 8,
    SFTP_SETSTAT = 9,
    SFTP_FSETSTAT = 10,
    SFTP_OPENDIR = 11,
    SFTP_READDIR = 12,
    SFTP_REMOVE = 13,
    SFTP_MKDIR = 14,
    SFTP_RMDIR = 15,
    SFTP_REALPATH = 16,
    SFTP_STAT = 17,
    SFTP_RENAME = 18,
    SFTP_READLINK = 19,
    SFTP_STATUS = 101,
    SFTP_HANDLE = 102,
    SFTP_DATA = 103,
    SFTP_NAME = 104,
    SFTP_ATTRS = 105,
    SFTP_EXTENDED = 200, /* of ours: those that a STATUS answers */
    SFTP_EXTENDED_REPLY = 201,
    SFTP_LIMITS = 255, /* never on the wire: EXTENDED with limits@openssh.com */
};

#define SFTP_LIMITS_SIZE 32 /* four numbers: packet, read, write, handles */

/* Parses the reply of type `reply_type` to a request of type `request_type` (`body`: what follows
 * the id). `read_len`: how much a READ asked for. The packet is checked as a whole; *out is filled
 * only then. False: this reply cannot answer this request, or it is malformed. */
bool sftp_reply_parse(struct sftp_reply *out, uint8_t request_type, uint32_t read_len,
                      uint8_t reply_type, struct slice body);

#endif
