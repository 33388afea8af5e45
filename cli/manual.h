/* What the tables of commands know, for programs: the manual page, and what a shell completes. So
 * neither can say something else than --help does.
 */
#ifndef CLI_MANUAL_H
#define CLI_MANUAL_H

#include "cli/cli.h"

/* A command in mdoc(7): synopsis, text, examples, options. `has_heading`: under a heading of its
 * own, as in vcube(1). */
void vc_manual_put(FILE *out, const vc_command *command, bool has_heading);

/* Lines for completion: "- OPERANDS", then for each option "-d<TAB>DIR<TAB>help" and
 * "--dir<TAB>DIR<TAB>help"; a switch has nothing between the tabs. */
void vc_manual_put_words(FILE *out, const vc_command *command);

#endif
