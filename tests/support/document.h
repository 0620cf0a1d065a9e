/* SPDX-License-Identifier: Apache-2.0 */
/* document - what a JSON document says, claim by claim
 *
 *   kw_says(r.out, "good = 10, partial = true, gaps/0/first_error ~ closed, gaps/# >= 1, "
 *                  "figures/p50_us absent");
 *
 * A claim is a path, a relation and a value, with a blank between two of them; a comma and
 * a blank end it.  A path's parts are names, numbers of an array's elements (-1 is the last)
 * and, at its end, # for how many there are.
 *   = != < <= > >=  compare numbers, of which the value may be a path, too; = also true,
 *                   false, null and a whole string
 *   ~               the string has this part
 *   absent          the path leads nowhere
 * A claim that does not hold fails the case, with what is there instead. */
#ifndef KEYWARD_TESTS_DOCUMENT_H
#define KEYWARD_TESTS_DOCUMENT_H

#include <jansson.h>

/* The document that the text is; fails the case when it is none. */
json_t *kw_parsed(const char *text);
/* Takes the document. */
void kw_holds(json_t *document, const char *claims);
/* The same of a text. */
void kw_says(const char *text, const char *claims);
/* The number at the path. */
double kw_number(const json_t *document, const char *path);

#endif
