/* The sections `client_certificate` of the configuration file. Private to settings.c. */
#ifndef SCOUT_DAEMON_SETTINGS_CERTIFICATES_H
#define SCOUT_DAEMON_SETTINGS_CERTIFICATES_H

#include "client_certificates.h"
#include <confuse.h>

#define SETTINGS_CERTIFICATES_OPTIONS 1
#define SETTINGS_CERTIFICATE_OPTIONS  3

/* The entry of the options' table; `keys` is to live as long as that. */
void settings_certificates_options(cfg_opt_t options[SETTINGS_CERTIFICATES_OPTIONS],
                                   cfg_opt_t keys[SETTINGS_CERTIFICATE_OPTIONS]);

/* The section that was read last, at its end. 0, or -1 when what is wrong has been said. */
__attribute__((warn_unused_result)) int settings_certificates_take(struct client_certificates *out,
                                                                   cfg_t *cfg, cfg_opt_t *opt);

#endif
