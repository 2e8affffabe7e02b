/* SPDX-License-Identifier: ISC */
/*
 * Host names in canonical form, and the globs that match them. A name is made canonical once, where
 * it enters; matching, resolving and audit use that form only.
 */
#ifndef SP_BASE_NAME_H
#define SP_BASE_NAME_H

#include <stdbool.h>
#include <stddef.h>

#include "lib/base/addr.h"

#define NAME_MAX_LEN 253 /* without a trailing dot and NUL */
#define NAME_SIZE (NAME_MAX_LEN + 1)

enum name_status {
    NAME_OK,      /* out holds the canonical name */
    NAME_ADDRESS, /* what inet_pton reads: *addr holds it (port 0, unmapped); it is not a name */
    NAME_BAD      /* refused; *why says what is wrong */
};

/*
 * Makes the len bytes of text canonical: lower case (ASCII), one trailing dot removed; labels of
 * 1..63 octets, 253 in all (RFC 1035 section 2.3.4); no control characters, space, DEL, NUL or backslash (which c-ares takes
 * as an escape), colon or bracket; a last label of digits only, or of "0x" and hexadecimal digits, is
 * refused ("127.1", "0x7f000001"). why points to a constant phrase.
 */
enum name_status name_canonical(const void *text, size_t len, char out[NAME_SIZE], struct addr *addr,
    const char **why);

/*
 * Case-sensitive glob: '*' any run of characters (dots too), '?' one character. At most as many steps
 * as pattern length times text length, however many stars. For host names the caller gives canonical
 * names and lower-case patterns: "*.example.com" matches any depth below and not "example.com" itself.
 */
bool glob_match(const char *pattern, const char *text);

#endif
