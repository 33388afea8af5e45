/* check, of specifications of reports. */
#ifndef CLI_CHECK_REPORT_H
#define CLI_CHECK_REPORT_H

#include "cli/cli.h"

/* Are all operands specifications of reports ("kind": "report")? Then they are checked, and the
 * exit code is set. */
bool vc_check_reports(const vc_arguments *arguments, int *code_out);

#endif
