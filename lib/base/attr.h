/* SPDX-License-Identifier: ISC */
/* Function attributes, named for what the caller has to know. */
#ifndef SP_BASE_ATTR_H
#define SP_BASE_ATTR_H

#define SP_PRINTF(fmt, args) __attribute__((format(printf, fmt, args)))
#define SP_MUST_USE __attribute__((warn_unused_result))
#define SP_NORETURN __attribute__((noreturn))
#define SP_COLD __attribute__((cold))

#define SP_COUNT(array) (sizeof(array) / sizeof((array)[0]))

#endif
