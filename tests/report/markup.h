/* A strict reader of the markup that our writers make, for tests: what it does not know is wrong.
 *
 * Every element is closed in its order, every name of an element and of an attribute is one that
 * the writers are meant to use (so a text of a stranger that became markup is seen), attributes are
 * quoted and not repeated, ids are unique, what refers to an id finds it, no control stands in the
 * text, and addresses are of the web or of the page.
 */
#ifndef TESTS_REPORT_MARKUP_H
#define TESTS_REPORT_MARKUP_H

#include "base/text.h"

/* Fails the test. `name` is for its message. */
void assert_well_formed(const char *name, vc_str page);

/* How often does the text occur? */
size_t count_of(vc_str page, const char *text);

#endif
