/* Each section is taken at its closing brace, so that what is refused is refused with its line. */
#include "settings_certificates.h"

#include <string.h>

void settings_certificates_options(cfg_opt_t options[SETTINGS_CERTIFICATES_OPTIONS],
                                   cfg_opt_t keys[SETTINGS_CERTIFICATE_OPTIONS])
{
    const cfg_opt_t section[SETTINGS_CERTIFICATE_OPTIONS] = {
        CFG_STR("role", "reader", CFGF_NONE),
        CFG_STR_LIST("match", "{}", CFGF_NONE),
        CFG_END(),
    };
    memcpy(keys, section, sizeof section);
    options[0] = (cfg_opt_t)CFG_SEC("client_certificate", keys,
                                    CFGF_MULTI | CFGF_TITLE | CFGF_NO_TITLE_DUPES);
}

int settings_certificates_take(struct client_certificates *out, cfg_t *cfg, cfg_opt_t *opt)
{
    struct failure why = {0};
    cfg_t *section = cfg_opt_getnsec(opt, cfg_opt_size(opt) - 1);
    int role = identity_role_parse(cfg_getstr(section, "role")); /* settings.c checked it */
    unsigned count = cfg_size(section, "match");
    if (count == 0)
        failure_set(&why, SCOUT_E_INVALID_ARGUMENT, "match is missing: by which certificates");
    else if (client_certificates_add(out, cfg_title(section), (enum identity_role)role, &why) == 0)
        for (unsigned i = 0; i < count && !why.error; i++)
            (void)!client_certificates_match(out, cfg_getnstr(section, "match", i), &why);
    if (!why.error)
        return 0;
    cfg_error(cfg, "client_certificate \"%.64s\": %s", cfg_title(section), why.text);
    return -1;
}
