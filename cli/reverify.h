/* report --verify. */
#ifndef CLI_REVERIFY_H
#define CLI_REVERIFY_H

#include "cli/reporting.h"

/* Verify the folder of --verify; returns the exit code. */
int vc_reverify(const vc_arguments *arguments);

#endif
