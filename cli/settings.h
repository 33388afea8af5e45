/* The settings of a server: of its configuration, and of the command line, which wins. */
#ifndef CLI_SETTINGS_H
#define CLI_SETTINGS_H

#include "cli/cli.h"
#include "http/config.h"
#include "http/server.h"

typedef struct vc_settings {
    vc_config config; /* with what the command line says */
    vc_roles *roles;
    char address[64];
    vc_server_options options; /* but for the store; views of all the above */
} vc_settings;

/* All zero before and after a failure; it does not move while its options are used. */
vc_status vc_settings_read(const vc_arguments *arguments, vc_settings *settings_out,
                           vc_error *error);
void vc_settings_release(vc_settings *settings);

/* Is there anything that could have changed since: a file that was read, a log? */
bool vc_settings_can_change(const vc_arguments *arguments, const vc_settings *settings);

#endif
