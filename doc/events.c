/* SPDX-License-Identifier: ISC */
/*
 * Writes sallyport-events(7) from the table of events: `build/doc/events print >doc/sallyport-events.7`.
 * Without an argument it is a test: 0 when the page in the tree says what the table says.
 */
#include "doc/page.h"

#include "src/core/event.h"

#include <stdio.h>

static const char *const severity_rows[] = { "emerg", "alert", "crit", "err", "warning", "notice",
    "info", "debug" };
static const char *const kind_rows[] = {
    [FIELD_KIND_TEXT] = "text",
    [FIELD_KIND_ADDR] = "address",
    [FIELD_KIND_NUMBER] = "number",
    [FIELD_KIND_SECONDS] = "seconds",
};

static const char head[] =
    ".\\\" SPDX-License-Identifier: ISC\n"
    ".\\\" Written by doc/events.c from src/core/event.def; do not edit.\n"
    ".Dd November 21, 2026\n"
    ".Dt SALLYPORT-EVENTS 7\n"
    ".Os\n"
    ".Sh NAME\n"
    ".Nm sallyport-events\n"
    ".Nd records of the audit trail\n"
    ".Sh DESCRIPTION\n"
    ".Nm sallyport-logger\n"
    "writes one line for each record, to the target that\n"
    ".Xr sallyport.conf 5\n"
    "names.\n"
    "A connection that was accepted has exactly one closing record:\n"
    ".Cm session.end\n"
    "if\n"
    ".Cm session.start\n"
    "was written, else one of the others that say so below.\n"
    ".Ss Formats\n"
    "With format\n"
    ".Cm keyvalue\n"
    "a line is a row of\n"
    ".Ar key Ns = Ns Ar value\n"
    "pairs with single spaces between them.\n"
    "A value stands bare when all of it is printable ASCII without space, double quote, equals sign and\n"
    "backslash.\n"
    "Every other value stands between double quotes.\n"
    "There a double quote and a backslash have a backslash before them, line feed and carriage return\n"
    "are\n"
    ".Li \\en\n"
    "and\n"
    ".Li \\er ,\n"
    "and the equals sign, the other control bytes, DEL and every byte from 0x80 up are\n"
    ".Li \\ex\n"
    "with two hexadecimal digits.\n"
    "So a line is printable ASCII whatever a client sent, and\n"
    ".Ar key Ns =\n"
    "stands in it only where the gateway wrote it.\n"
    ".Pp\n"
    "With format\n"
    ".Cm json\n"
    "a line is one JSON object with the same keys in the same order, in printable ASCII; numbers and\n"
    "seconds are JSON numbers.\n"
    "A byte that is not part of valid UTF-8 becomes\n"
    ".Li \\eu00 Ns Ar XX .\n"
    "On syslog the cookie\n"
    ".Li @cee:\\&\n"
    "stands before the object.\n"
    ".Pp\n"
    "An absent field is left out, never empty.\n"
    "A line is at most 8192 bytes long; one that would be longer has its text values cut.\n"
    "A record that was cut says so with\n"
    ".Li truncated=yes ,\n"
    "in JSON\n"
    ".Li \\(dqtruncated\\(dq:true ,\n"
    "as its last field.\n"
    ".Ss Fields of every record\n"
    ".Bl -tag -width session\n"
    ".It Cm v\n"
    "version of this format: 1.\n"
    ".It Cm time\n"
    "when it happened, in UTC with microseconds.\n"
    ".It Cm event\n"
    "what happened, one of the events below.\n"
    ".It Cm worker\n"
    "the process that says so:\n"
    ".Li master ,\n"
    "the number of a worker, or method and number of an authentication process\n"
    ".Pq Li userpass-2 .\n"
    ".It Cm seq\n"
    "number of the record among those of\n"
    ".Cm worker ,\n"
    "without a hole.\n"
    "A record may come twice after a process or the log daemon was lost; the number shows it.\n"
    "What is missing is counted by\n"
    ".Cm audit.lost .\n"
    ".It Cm session\n"
    "number of the connection, 16 hexadecimal digits; absent where no connection is meant.\n"
    ".El\n";

/* The words that other records carry; they are said in src/master, src/logger, src/net/ident*.c and auth/userpass. */
static const char other_reasons[] =
    ".Pp\n"
    "In\n"
    ".Cm auth.failure\n"
    "the field\n"
    ".Cm detail\n"
    "holds the word of the method; those of userpass are\n"
    ".Li wrong-password ,\n"
    ".Li unknown-user ,\n"
    ".Li password-too-long\n"
    "(bcrypt reads 72 bytes) and\n"
    ".Li malformed-credentials ;\n"
    "with every method\n"
    ".Li penalty ,\n"
    "where one stands against this user from this client, whatever the login said;\n"
    "those of\n"
    ".Cm no-identd\n"
    "are\n"
    ".Li unreachable ,\n"
    ".Li timeout ,\n"
    ".Li no-answer\n"
    "(it closed without a line),\n"
    ".Li answer-too-long ,\n"
    ".Li malformed-answer ,\n"
    ".Li wrong-ports\n"
    "(not those of the connection),\n"
    ".Li other-charset ,\n"
    ".Li no-user-name\n"
    "(the system is OTHER),\n"
    "and the errors it may tell:\n"
    ".Li no-user ,\n"
    ".Li hidden-user ,\n"
    ".Li invalid-port\n"
    "and\n"
    ".Li unknown-error .\n"
    "In\n"
    ".Cm request.denied\n"
    "for a special destination it names the kind:\n"
    ".Li loopback ,\n"
    ".Li link-local ,\n"
    ".Li multicast ,\n"
    ".Li own-address\n"
    "and so on.\n"
    "There\n"
    ".Li bind-any\n"
    "with reason\n"
    ".Cm rule\n"
    "says that the rule allows BIND only to who names the peer.\n"
    "With reason\n"
    ".Cm policy\n"
    "it holds such a word or the reason for which a new request would be refused, or\n"
    ".Li time\n"
    "where no more than the hour has changed.\n"
    ".Ss Reasons of worker.exit\n"
    "Without a reason the process ended by itself;\n"
    ".Cm status\n"
    "says how.\n"
    ".Bl -tag -width start-timeout\n"
    ".It Cm stopping\n"
    "the gateway stops.\n"
    ".It Cm stop-timeout\n"
    "it did not stop in its time and was killed.\n"
    ".It Cm start-timeout\n"
    "it was not ready after 10 seconds.\n"
    ".It Cm stopped\n"
    "a signal had stopped it for 5 seconds.\n"
    ".It Cm hung\n"
    "it did not answer the master in time.\n"
    ".It Cm violation\n"
    "it said what it may not say.\n"
    ".It Cm deaf\n"
    "it read nothing of what the master sent.\n"
    ".It Cm channel\n"
    "its channel to the master failed or was closed.\n"
    ".It Cm resources\n"
    "no memory for what the master had to tell it.\n"
    ".It Cm replaced\n"
    "its successor had taken over: a reload or an operator asked for that.\n"
    ".It Cm reload\n"
    "it could not work with the configuration in force.\n"
    ".El\n"
    ".Ss Reasons of other records\n"
    ".Cm gateway.stop\n"
    "names the signal, or\n"
    ".Li drain .\n"
    ".Cm gateway.reload-failed\n"
    "has one of the words above, and in\n"
    ".Cm detail\n"
    "the file or key and what is wrong with it;\n"
    ".Cm gateway.reload\n"
    "names in\n"
    ".Cm detail\n"
    "the file that was read again alone, or what is being replaced.\n"
    ".Cm audit.lost\n"
    "says\n"
    ".Li ring-full ,\n"
    ".Li invalid-record\n"
    "or\n"
    ".Li too-long .\n";

static const char tail[] =
    ".Sh EXAMPLES\n"
    "The closing record of a session, one line in the log:\n"
    ".Bd -literal -offset indent\n"
    "v=1 time=2026-11-21T03:04:26.545819Z event=session.end worker=1\n"
    "seq=2 session=6b010a3800000001 listener=0.0.0.0:1080\n"
    "client=10.1.2.3:59670 protocol=socks5 method=userpass user=alice\n"
    "command=connect destination=www.example.com:443\n"
    "address=203.0.113.7:443 egress=192.0.2.10:50738\n"
    "rule=\"web for staff\" reply=0 bytes_up=79 bytes_down=646\n"
    "duration=0.004719 reason=closed\n"
    ".Ed\n"
    ".Pp\n"
    "The same as JSON:\n"
    ".Bd -literal -offset indent\n"
    "{\"v\":1,\"time\":\"2026-11-21T03:04:26.545819Z\",\n"
    "\"event\":\"session.end\",\"worker\":\"1\",\"seq\":2,\n"
    "\"session\":\"6b010a3800000001\",\"listener\":\"0.0.0.0:1080\",\n"
    "\"client\":\"10.1.2.3:59670\",\"protocol\":\"socks5\",\n"
    "\"method\":\"userpass\",\"user\":\"alice\",\"command\":\"connect\",\n"
    "\"destination\":\"www.example.com:443\",\n"
    "\"address\":\"203.0.113.7:443\",\"egress\":\"192.0.2.10:50738\",\n"
    "\"rule\":\"web for staff\",\"reply\":0,\"bytes_up\":79,\n"
    "\"bytes_down\":646,\"duration\":0.004719,\"reason\":\"closed\"}\n"
    ".Ed\n"
    ".Pp\n"
    "Sessions without message protection have no\n"
    ".Cm wire_up\n"
    "and\n"
    ".Cm wire_down .\n"
    ".Pp\n"
    "On syslog the line has the frame of RFC 3164: priority, local time, and the tag\n"
    ".Li sallyport[PID]\n"
    "with the process id of the master.\n"
    ".Sh SEE ALSO\n"
    ".Xr rsyslog.conf 5 ,\n"
    ".Xr sallyport.conf 5 ,\n"
    ".Xr sallyportd 8\n";

static void
put_fields(FILE *out)
{
    fputs(".Ss Fields of some records\nIn this order.\n.Bl -tag -width destination\n", out);
    for (size_t i = 0; i < FIELD_TOTAL; i++)
        fprintf(out, ".It Cm %s Pq %s\n%s.\n", field_table[i].name,
            kind_rows[field_table[i].kind], field_table[i].sentence);
    fputs(".El\n", out);
}

/* The names of an event's fields as one mdoc list, a comma behind all but the last. */
static void
put_names(FILE *out, uint64_t fields)
{
    while (fields != 0) {
        int i = __builtin_ctzll(fields);

        fields &= fields - 1;
        fprintf(out, ".Cm %s%s\n", field_table[i].name, fields != 0 ? " ," : " .");
    }
}

static void
put_events(FILE *out)
{
    fputs(".Sh EVENTS\nThe severity is that of syslog.\n.Bl -tag -width Ds\n", out);
    for (size_t i = 0; i < EVENT_COUNT; i++) {
        const struct event_row *row = &event_table[i];

        fprintf(out, ".It Cm %s Pq %s\n%s\n", row->name, severity_rows[row->severity & 7],
            row->sentence);
        if (row->class == EVENT_CLASS_ALL)
            fputs("Written with\n.Cm events No = Qq all\nonly.\n", out);
        fputs("Fields:\n", out);
        put_names(out, row->fields);
    }
    fputs(".El\n", out);
}

static void
put_reasons(FILE *out)
{
    static const struct {
        const char *word;
        enum event_id closing;
        const char *sentence;
    } rows[] = {
#define REASON(id, word, closing, sentence) { word, EVENT_##closing, sentence },
#include "src/session/reason.def"
#undef REASON
        { "sessions-per-client", EVENT_LIMIT_REACHED,
            "the client has as many sessions as limits.sessions-per-client allows" },
        { "pending-per-client", EVENT_LIMIT_REACHED,
            "the client has as many connections without a login as limits.pending-per-client allows" },
        { "penalty", EVENT_LIMIT_REACHED, "the client failed to log in too often and is kept out for a while" },
        { "descriptors", EVENT_LIMIT_REACHED, "the master is out of descriptors" },
        { "sessions", EVENT_LIMIT_REACHED, "as many sessions as there may be" },
        { "stopping", EVENT_REQUEST_FAILED, "the gateway stops, or a reload took the listener away, and no worker had taken the connection" },
        { "worker-lost", EVENT_REQUEST_FAILED, "the worker ended; the master writes the closing record" },
    };

    fputs(".Sh REASONS\nThe words of\n.Cm reason\nin closing records, and which record that is for a "
          "connection without\n.Cm session.start .\n.Bl -tag -width Ds\n", out);
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
        fprintf(out, ".It Cm %s Pq %s\n%s.\n", rows[i].word, event_table[rows[i].closing].name,
            rows[i].sentence);
    fputs(".El\n", out);
    fputs(other_reasons, out);
}

static void
put_page(FILE *out)
{
    fputs(head, out);
    put_fields(out);
    put_events(out);
    put_reasons(out);
    fputs(tail, out);
}

int
main(int argc, char **argv)
{
    static const struct page page = { "events", "sallyport-events.7", "src/core/event.def", put_page };

    return page_main(&page, argc, argv);
}
