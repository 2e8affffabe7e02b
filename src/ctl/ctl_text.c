/* SPDX-License-Identifier: ISC */
/*
 * Text for a terminal. Names come from clients: a terminal must not be told anything by them. Serves every
 * command.
 */
#include "src/ctl/ctl_private.h"

#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>
#include <wchar.h>
#include <wctype.h>

#define COLUMNS_USUAL 80
#define COLUMNS_LEAST 40

/* Characters that are printable to iswprint() and change what stands beside them. */
static bool
is_reordering(wchar_t c)
{
    return (c >= 0x200b && c <= 0x200f) || (c >= 0x2028 && c <= 0x202e) || (c >= 0x2060 && c <= 0x206f)
        || c == 0xfeff || c == 0x061c;
}

/* One character of text made fit: its octets, in piece the text, in *columns how wide it is. */
static size_t
clean_one(const char *text, char piece[16], size_t *columns)
{
    mbstate_t state;
    wchar_t c;

    memset(&state, 0, sizeof state);
    size_t len = mbrtowc(&c, text, MB_CUR_MAX, &state);

    if (len != 0 && len <= MB_CUR_MAX && len < 16 && iswprint((wint_t)c) && !is_reordering(c)
        && wcwidth(c) > 0) {
        memcpy(piece, text, len);
        piece[len] = '\0';
        *columns = (size_t)wcwidth(c);
        return len;
    }
    (void)snprintf(piece, 16, "\\x%02x", (unsigned char)text[0]);
    *columns = 4;
    return 1;
}

/* The columns all of text takes. */
static size_t
clean_width(const char *text)
{
    char piece[16];
    size_t width = 0, one;

    while (*text != '\0') {
        text += clean_one(text, piece, &one);
        width += one;
    }
    return width;
}

size_t
ctl_clean(char *out, size_t size, const char *text, size_t columns)
{
    size_t width = 0, used = 0, one;
    bool cut = columns > 0 && clean_width(text) > columns;
    char piece[16];

    while (*text != '\0') {
        size_t len = clean_one(text, piece, &one);
        size_t bytes = strlen(piece);

        if ((cut && width + one > columns - 1) || used + bytes + 2 > size)
            break;
        memcpy(out + used, piece, bytes);
        used += bytes;
        width += one;
        text += len;
    }
    if (*text != '\0' && used + 2 <= size && (columns == 0 || width < columns)) {
        out[used++] = '~';
        width++;
    }
    out[used] = '\0';
    return width;
}

size_t
ctl_clean_place(char *out, size_t size, const char *text, size_t columns)
{
    const char *port = strrchr(text, ':');
    size_t tail = port == NULL ? 0 : strlen(port);
    char host[512];

    /* A port has five digits at most, and something has to be left of the host. */
    if (columns == 0 || port == NULL || tail > 6 || tail + 3 > columns || (size_t)(port - text) >= sizeof host
        || tail >= size || port[1 + strspn(port + 1, "0123456789")] != '\0' || clean_width(text) <= columns)
        return ctl_clean(out, size, text, columns);
    memcpy(host, text, (size_t)(port - text));
    host[port - text] = '\0';
    size_t width = ctl_clean(out, size - tail, host, columns - tail);

    memcpy(out + strlen(out), port, tail + 1);
    return width + tail;
}

void
ctl_print(FILE *out, const char *text)
{
    char piece[16];
    size_t one;

    while (*text != '\0') {
        text += clean_one(text, piece, &one);
        fputs(piece, out);
    }
}

/* ---- numbers ---- */

#define ID_DIGITS 16

const char *
ctl_short_id(const char *id)
{
        size_t skip = ID_DIGITS / 2;

    if (strlen(id) != ID_DIGITS)
        return id;
    while (skip + 1 < ID_DIGITS && id[skip] == '0')
        skip++;
    return id + skip;
}

void
ctl_bytes(char out[16], double value)
{
    static const char units[] = " kMGTPE";
    size_t unit = 0;

    while (value >= 999.5 && unit + 2 < sizeof units) {
        value /= 1024;
        unit++;
    }
    /* As whole numbers: how long they get is known. */
    unsigned tenths = value > 0 && value < 99999 ? (unsigned)(value * 10 + 0.5) : 0;

    if (unit > 0 && tenths < 100)
        (void)snprintf(out, 16, "%u.%u%c", tenths / 10, tenths % 10, units[unit]);
    else if (unit > 0)
        (void)snprintf(out, 16, "%u%c", (tenths + 5) / 10, units[unit]);
    else
        (void)snprintf(out, 16, "%u", (tenths + 5) / 10);
}

void
ctl_age(char out[16], double seconds)
{
    unsigned s = seconds > 0 && seconds < 4e9 ? (unsigned)seconds : 0;

    if (s < 100)
        (void)snprintf(out, 16, "%us", s);
    else if (s < 6000)
        (void)snprintf(out, 16, "%um", s / 60);
    else if (s < 10 * 3600)
        (void)snprintf(out, 16, "%uh%02u", s / 3600, s / 60 % 60);
    else if (s < 100 * 3600)
        (void)snprintf(out, 16, "%uh", s / 3600);
    else
        (void)snprintf(out, 16, "%ud", s / 86400);
}

size_t
ctl_columns(void)
{
    struct winsize size;
    const char *given = getenv("COLUMNS");
    long columns = 0;

    if (ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) == 0)
        columns = size.ws_col;
    else if (given != NULL)
        columns = strtol(given, NULL, 10);
    if (columns <= 0)
        columns = COLUMNS_USUAL;
    return columns < COLUMNS_LEAST ? COLUMNS_LEAST : columns > 1000 ? 1000 : (size_t)columns;
}

/* ---- what went wrong ---- */

static void SP_PRINTF(1, 0)
complain(const char *fmt, va_list args)
{
    char text[4096];

    if (vsnprintf(text, sizeof text, fmt, args) < 0)
        text[0] = '\0';
    (void)fflush(stdout);
    fputs("sallyportctl: ", stderr);
    ctl_print(stderr, text);
    fputc('\n', stderr);
}

enum ctl_status
ctl_fail(enum ctl_status status, const char *fmt, ...)
{
    va_list args;

    va_start(args, fmt);
    complain(fmt, args);
    va_end(args);
    return status;
}

enum ctl_status
ctl_usage(const char *fmt, ...)
{
    va_list args;

    va_start(args, fmt);
    complain(fmt, args);
    va_end(args);
    fputs("sallyportctl: -h, also behind a command, tells how it is called\n", stderr);
    return CTL_USAGE;
}

enum ctl_status
ctl_flush(enum ctl_status status)
{
    if (fflush(stdout) == 0 && ferror(stdout) == 0)
        return status;
    fputs("sallyportctl: standard output takes no more\n", stderr);
    return status == CTL_OK ? CTL_FAILED : status;
}
