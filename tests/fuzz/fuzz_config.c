/* libFuzzer target: a text becomes a configuration and its roles, or an error with a place in it.
 */
#include "http/config.h"

#include <assert.h>
#include <sodium.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_error(const vc_error *error)
{
    char text[2048];
    assert(error->status != VC_OK && error->code != NULL && error->message[0] != '\0');
    if (error->status == VC_BAD_INPUT) assert(error->line > 0 && error->column > 0);
    (void)vc_error_format(error, text, sizeof text);
}

static void check_roles(const vc_roles *roles)
{
    for (size_t i = 0; i < vc_roles_count(roles); i++) {
        const vc_role *role = vc_roles_at(roles, i);
        assert(vc_role_is_name(role->name) && (role->may & ~(unsigned)VC_MAY_ALL) == 0);
        assert((role->rights == NULL) == (role->fingerprint[0] == '\0'));
        if ((role->may & (VC_MAY_DEFINE | VC_MAY_BACKUP)) != 0) assert(role->rights == NULL);
        assert(role->per_second >= 0 && (role->per_second == 0 || role->burst >= 1));
        assert(vc_roles_find(roles, role->name) == role);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static bool is_ready;
    if (!is_ready && sodium_init() < 0) abort();
    is_ready = true;
    vc_config config;
    vc_error error = {0};
    vc_roles *roles = NULL;
    vc_str text = {(const char *)data, size};
    if (vc_config_parse(text, "/etc/vcube/vcube.json", &config, &error) != VC_OK) {
        check_error(&error);
        return 0;
    }
    vc_buffer pending = {0};
    vc_config_put_pending(&pending, &config, &config);
    assert(pending.size == 0);
    vc_buffer_release(&pending);
    if (config.roles_file == NULL) { /* no file is opened */
        if (vc_config_roles(&config, &roles, &error) != VC_OK)
            check_error(&error);
        else if (roles != NULL)
            check_roles(roles);
    }
    vc_roles_release(roles);
    vc_config_release(&config);
    return 0;
}
